"""Noise that multiplies activations: layers that need no map."""

from bayesnoise.noise.learned_gaussian import LearnedGaussian, LearnedGaussianNoise, LearnedGaussianParams
from bayesnoise.noise.multiply import Bernoulli, Gaussian, MultiplierLaw, Multiply, MultiplyNoise

__all__ = [
    "Bernoulli",
    "Gaussian",
    "LearnedGaussian",
    "LearnedGaussianNoise",
    "LearnedGaussianParams",
    "MultiplierLaw",
    "Multiply",
    "MultiplyNoise",
]
