"""Hypothesis strategies for stochastic layers; hypothesis is imported with this module and not before."""

from bayesnoise_reference.adapters.hypothesis_strategies import (
    DenseCase,
    dense_cases,
    inputs,
    means,
    normal_noise,
    rhos,
    shapes,
    signs,
)

__all__ = ["DenseCase", "dense_cases", "inputs", "means", "normal_noise", "rhos", "shapes", "signs"]
