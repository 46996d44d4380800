"""Bilinear maps from an input and weights to an output."""

from bayesnoise.maps.bias import Bias
from bayesnoise.maps.conv import Conv
from bayesnoise.maps.conv_transpose import ConvTranspose
from bayesnoise.maps.dense import Dense
from bayesnoise.maps.embedding import Embedding
from bayesnoise.maps.map import Map, Unit

__all__ = ["Bias", "Conv", "ConvTranspose", "Dense", "Embedding", "Map", "Unit"]
