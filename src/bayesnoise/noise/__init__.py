"""Noise that multiplies activations: layers that need no map."""

from bayesnoise.noise.drop_block import DropBlock, DropBlockNoise
from bayesnoise.noise.group_factor import FactorLaw, GroupFactor
from bayesnoise.noise.half_cauchy import HalfCauchy, HalfCauchyNoise, HalfCauchyParams
from bayesnoise.noise.learned_gaussian import LearnedGaussian, LearnedGaussianNoise, LearnedGaussianParams
from bayesnoise.noise.log_normal import LogNormal, LogNormalNoise
from bayesnoise.noise.multiply import Bernoulli, Gaussian, MultiplierLaw, Multiply, MultiplyNoise
from bayesnoise.noise.normal_jeffreys import NormalJeffreys, NormalJeffreysNoise
from bayesnoise.noise.spatial import Spatial
from bayesnoise.noise.structured_gaussian import (
    StructuredGaussian,
    StructuredGaussianNoise,
    StructuredGaussianParams,
)
from bayesnoise.noise.structured_regularizer import structured_regularizer
from bayesnoise.noise.truncated_log_normal import TruncatedLogNormal, TruncatedLogNormalNoise

__all__ = [
    "Bernoulli",
    "DropBlock",
    "DropBlockNoise",
    "FactorLaw",
    "Gaussian",
    "GroupFactor",
    "HalfCauchy",
    "HalfCauchyNoise",
    "HalfCauchyParams",
    "LearnedGaussian",
    "LearnedGaussianNoise",
    "LearnedGaussianParams",
    "LogNormal",
    "LogNormalNoise",
    "MultiplierLaw",
    "Multiply",
    "MultiplyNoise",
    "NormalJeffreys",
    "NormalJeffreysNoise",
    "Spatial",
    "StructuredGaussian",
    "StructuredGaussianNoise",
    "StructuredGaussianParams",
    "TruncatedLogNormal",
    "TruncatedLogNormalNoise",
    "structured_regularizer",
]
