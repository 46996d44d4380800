"""Learned noise on the input of a map that goes beyond one independent Gaussian factor a unit."""

from __future__ import annotations

from math import prod

from bayesnoise.chain import Chain, chain
from bayesnoise.maps import Conv, ConvTranspose, Dense, Map
from bayesnoise.maps.map import check_numbers
from bayesnoise.methods.compose import Bias, Method
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.methods.variational_dropouts import input_units
from bayesnoise.noise import GroupFactor, LogNormal, StructuredGaussian, TruncatedLogNormal


def variational_structured_dropout(
    map: Map,
    *,
    reflections: int = 2,
    rank: int | None = None,
    hierarchical: bool = False,
    initial_log_alpha: float = -4.0,
    prior_scale: float = 1.0,
    bias: Bias = "deterministic",
) -> Chain:
    """Gaussian noise on the input of a map, its covariance turned by learned reflections; empirical-Bayes KL.

    `hierarchical` puts log-normal factors before it, with the prior `log z ~ N(0, prior_scale^2)`. ValueError for fewer
    than one reflection, a rank above the number of input units, or a convolution in groups.
    """
    groups = getattr(map, "groups", 1)
    if groups > 1:
        raise ValueError(
            f"map has groups={groups}, expected 1: its noise would be correlated across groups, whose weights share "
            "no column; chain one StructuredGaussian a group, or use variational_dropout with type='B'"
        )
    units, positions = input_units(map)
    columns = prod(map.weight_shape) // units
    noise = StructuredGaussian(units, positions, columns, reflections, rank, initial_log_alpha)
    scales = (GroupFactor(units, positions, LogNormal(prior_scale=prior_scale)),) if hierarchical else ()
    return chain(*scales, noise, deterministic(map, bias=bias))


def structured_variational_dropout(
    map: Map, *, low: float = -20.0, high: float = 0.0, initial_log_sigma: float = -5.0, bias: Bias = "deterministic"
) -> Chain:
    """A factor an input of a dense map, or a filter of a convolution and its bias, that its prior draws to zero.

    Log-normal between `exp(low)` and `exp(high)`, under a log-uniform prior there: `bayesnoise.group_pruning` returns
    the network without the neurons and filters whose factors are mostly noise. TypeError for another map, ValueError
    for bounds that are no interval.
    """
    law = TruncatedLogNormal(low, high, initial_log_sigma)
    weights = deterministic(map, bias=bias)
    if isinstance(map, Dense):
        return chain(GroupFactor(map.in_features, 0, law), weights)
    if isinstance(map, Conv | ConvTranspose):
        return chain(weights, GroupFactor(map.out_channels, len(map.kernel), law))
    check_numbers(map)
    raise TypeError(f"map is {map!r}, expected Dense, Conv or ConvTranspose: chain a GroupFactor by hand")


ROWS = (
    Method(
        variational_structured_dropout,
        "structured Gaussian noise, point, empirical-Bayes KL",
        "Nguyen et al. 2021, Structured Dropout Variational Inference for Bayesian Neural Networks, arXiv 2102.07927",
    ),
    Method(
        structured_variational_dropout,
        "truncated log-normal factors, point, log-uniform KL",
        "Neklyudov et al. 2017, Structured Bayesian Pruning via Log-Normal Multiplicative Noise, arXiv 1705.07283",
    ),
)
