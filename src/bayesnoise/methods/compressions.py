"""Weights in groups, each with a factor that its prior draws to zero."""

from __future__ import annotations

from typing import Literal

from bayesnoise import _checks
from bayesnoise.chain import Chain, chain
from bayesnoise.divergences import GaussianKL
from bayesnoise.estimators import Local
from bayesnoise.maps import Conv, ConvTranspose, Dense, Map
from bayesnoise.maps.map import check_numbers
from bayesnoise.methods.compose import Bias, Method, compose
from bayesnoise.noise import GroupFactor, HalfCauchy, NormalJeffreys
from bayesnoise.posteriors import Gaussian


def bayesian_compression(
    map: Map,
    *,
    prior: Literal["normal_jeffreys", "half_cauchy"] = "normal_jeffreys",
    factor_scale: float | None = None,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
) -> Chain:
    """Standard normal weights times a factor an input of a dense map, or a filter of a convolution and its bias.

    `factor_scale` is that of the half-Cauchy factor which all groups share, 1 unless given; a small one puts the prior
    near zero. See `bayesnoise.group_pruning` for the network that is left, `bayesnoise.compression` for its bits.
    TypeError for another map, ValueError for another prior or a scale that the prior has not.
    """
    _checks.one_of("prior", prior, ("normal_jeffreys", "half_cauchy"))
    if prior == "normal_jeffreys" and factor_scale is not None:
        raise ValueError(f"factor_scale is {factor_scale} with the prior normal_jeffreys, which has no scale: leave it")
    law = NormalJeffreys() if prior == "normal_jeffreys" else HalfCauchy(1.0 if factor_scale is None else factor_scale)
    weights = compose(map, Gaussian(initial_scale), Local(), GaussianKL(), bias)
    if isinstance(map, Dense):
        return chain(GroupFactor(map.in_features, 0, law), weights)
    if isinstance(map, Conv | ConvTranspose):
        return chain(weights, GroupFactor(map.out_channels, len(map.kernel), law))
    check_numbers(map)
    raise TypeError(f"map is {map!r}, expected Dense, Conv or ConvTranspose: chain a GroupFactor by hand")


ROWS = (
    Method(
        bayesian_compression,
        "Gaussian, local, with normal-Jeffreys or half-Cauchy factors",
        "Louizos, Ullrich, Welling 2017, Bayesian Compression for Deep Learning, arXiv 1705.08665",
    ),
)
