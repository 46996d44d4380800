"""Noise in proportion to a weight or to a unit, with a learned alpha."""

from __future__ import annotations

from math import exp
from typing import Literal

from bayesnoise import _checks
from bayesnoise.affine import Affine
from bayesnoise.chain import Chain, chain
from bayesnoise.divergences import ARD, AlphaDivergence, LogUniform
from bayesnoise.estimators import Local
from bayesnoise.maps import Conv, ConvTranspose, Dense, Map, Unit
from bayesnoise.maps.map import check_numbers
from bayesnoise.methods.compose import Bias, Method, compose
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.noise import LearnedGaussian
from bayesnoise.posteriors import Additive, Multiplicative
from bayesnoise.stochastic import Stochastic


def input_units(map: Map) -> tuple[int, int]:
    """The features or channels that enter a map, and how many axes are behind theirs; TypeError for another map."""
    if isinstance(map, Dense):
        return map.in_features, 0
    if isinstance(map, Conv | ConvTranspose):
        return map.in_channels, len(map.kernel)
    check_numbers(map)
    raise TypeError(f"map is {map!r}, expected Dense, Conv or ConvTranspose: compose the noise of its input by hand")


def unit_noise(map: Map, alpha: float, *, tied: bool, divergence: AlphaDivergence | None = None) -> LearnedGaussian:
    """Noise on what enters a map: a feature of a dense one, a channel of a convolution."""
    return LearnedGaussian(*input_units(map), alpha, tied, divergence or LogUniform())


def variational_dropout(
    map: Map,
    *,
    type: Literal["A", "B"] = "A",
    alpha: Unit = "weight",
    initial_log_alpha: float = -4.0,
    bias: Bias = "deterministic",
    divergence: AlphaDivergence | None = None,
) -> Stochastic | Affine | Chain:
    """Multiplicative Gaussian noise with learned alpha: on each weight (type A), or on each input unit (type B)."""
    _checks.one_of("type", type, ("A", "B"))
    _checks.finite("initial_log_alpha", initial_log_alpha)
    kl = divergence or LogUniform()
    if type == "A":
        return compose(map, Multiplicative(initial_log_alpha, alpha), Local(), kl, bias)
    return chain(unit_noise(map, exp(initial_log_alpha), tied=False, divergence=kl), deterministic(map, bias=bias))


def sparse_variational_dropout(
    map: Map,
    *,
    initial_log_sigma2: float = -10.0,
    bias: Bias = "deterministic",
    divergence: AlphaDivergence | None = None,
) -> Stochastic | Affine:
    """Additive noise under a log-uniform prior, which drives weights to zero: see `bayesnoise.pruning`."""
    return compose(map, Additive(initial_log_sigma2), Local(), divergence or LogUniform(), bias)


def automatic_relevance_determination(
    map: Map, *, initial_log_sigma2: float = -10.0, bias: Bias = "deterministic"
) -> Stochastic | Affine:
    """Sparse variational dropout with the empirical-Bayes prior N(0, 1/tau), tau at its optimum for each weight."""
    return sparse_variational_dropout(map, initial_log_sigma2=initial_log_sigma2, bias=bias, divergence=ARD())


ROWS = (
    Method(
        variational_dropout,
        "multiplicative, local, log-uniform KL; type B: learned noise, point",
        "Kingma, Salimans, Welling 2015, arXiv 1506.02557",
    ),
    Method(
        sparse_variational_dropout,
        "additive, local, log-uniform KL",
        "Molchanov, Ashukha, Vetrov 2017, Variational Dropout Sparsifies Deep Neural Networks, arXiv 1701.05369",
    ),
    Method(
        automatic_relevance_determination,
        "additive, local, ARD",
        "Kharitonov, Molchanov, Vetrov 2018, Variational Dropout via Empirical Bayes, arXiv 1811.00596",
    ),
)
