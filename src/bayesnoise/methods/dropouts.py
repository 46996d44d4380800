"""Noise on the inputs of a map, of a law that is given."""

from __future__ import annotations

from bayesnoise import _checks
from bayesnoise.chain import Chain, chain
from bayesnoise.divergences import L2, Zero
from bayesnoise.estimators import Plain
from bayesnoise.maps import Map
from bayesnoise.maps.map import check_numbers
from bayesnoise.methods.compose import Bias, Method, compose
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.methods.variational_dropouts import unit_noise
from bayesnoise.noise import Bernoulli, Gaussian, MultiplierLaw, Multiply
from bayesnoise.posteriors import Point


def masked(map: Map, law: MultiplierLaw, rate: float, prior_scale: float | None, bias: Bias) -> Chain:
    """Factors of a law that is 0 at the given rate, then points, with the penalty of such a mask for a prior scale."""
    check_numbers(map)
    penalty = Zero() if prior_scale is None else L2(prior_scale, 1.0 / (1.0 - rate))
    bias_penalty = Zero() if prior_scale is None else L2(prior_scale)
    return chain(Multiply(law), compose(map, Point(), Plain(), penalty, bias, bias_penalty))


def dropout(map: Map, *, rate: float = 0.05, prior_scale: float | None = None, bias: Bias = "deterministic") -> Chain:
    """Bernoulli noise on the input of a map; kept at prediction, it is Monte Carlo dropout.

    `prior_scale` adds the penalty that its KL comes to (Gal and Ghahramani 2016, appendix; the "KL condition").
    """
    _checks.probability("rate", rate)
    return masked(map, Bernoulli(rate), rate, prior_scale, bias)


def gaussian_dropout(map: Map, *, rate: float = 0.05, learned: bool = False, bias: Bias = "deterministic") -> Chain:
    """Gaussian noise on the input of a map, `alpha = rate / (1 - rate)`; learned, with one alpha and its KL."""
    _checks.probability("rate", rate)
    check_numbers(map)
    alpha = rate / (1.0 - rate)
    noise = unit_noise(map, alpha, tied=True) if learned else Multiply(Gaussian(alpha))
    return chain(noise, deterministic(map, bias=bias))


ROWS = (
    Method(
        dropout,
        "Bernoulli noise, point",
        "Srivastava et al. 2014, Dropout; Gal, Ghahramani 2016, Dropout as a Bayesian Approximation, arXiv 1506.02142",
    ),
    Method(gaussian_dropout, "Gaussian noise, point", "Srivastava et al. 2014, Dropout, section 10"),
)
