"""Weights whose distance from their mean is that of one normal number."""

from __future__ import annotations

from bayesnoise.affine import Affine
from bayesnoise.divergences import GaussianKL, RadialKL
from bayesnoise.estimators import Estimator, Shared
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method, Scale, compose
from bayesnoise.posteriors import Gaussian, Radial
from bayesnoise.stochastic import Stochastic


def radial(
    map: Map,
    *,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    estimator: Estimator | None = None,
) -> Stochastic | Affine:
    """Weights in a uniform direction from their mean, at one normal distance for all of a layer.

    One draw a call (Shared) unless another estimator is given; Local is refused. A random bias is Gaussian.
    """
    law, of_bias = Radial(initial_scale), Gaussian(initial_scale)
    kl, kl_of_bias = RadialKL(prior_scale), GaussianKL(prior_scale)
    return compose(map, law, estimator or Shared(), kl, bias, kl_of_bias if bias == "random" else None, of_bias)


ROWS = (
    Method(
        radial,
        "radial, shared, radial KL",
        "Farquhar, Osborne, Gal 2020, Radial Bayesian Neural Networks, arXiv 1907.00865",
    ),
)
