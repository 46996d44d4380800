"""Golden vectors: what the layers compute, as files that an implementation in any language can be held to."""

from bayesnoise_reference.vectors.check import Checked, Mismatch, check
from bayesnoise_reference.vectors.export import export
from bayesnoise_reference.vectors.families import FAMILIES
from bayesnoise_reference.vectors.load import load_outputs, load_vectors

__all__ = ["FAMILIES", "Checked", "Mismatch", "check", "export", "load_outputs", "load_vectors"]
