"""Ordinary weights, and weights with a mean and a scale each."""

from __future__ import annotations

from bayesnoise.affine import Affine
from bayesnoise.divergences import L2, Divergence, GaussianKL, Zero
from bayesnoise.estimators import Flipout, Local, Plain, Shared
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method, Scale, compose
from bayesnoise.posteriors import Gaussian, Point
from bayesnoise.stochastic import Stochastic


def deterministic(map: Map, *, prior_scale: float | None = None, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights; with a `prior_scale`, their Gaussian prior as a penalty (the MAP estimate)."""
    return compose(map, Point(), Plain(), Zero() if prior_scale is None else L2(prior_scale), bias)


def bayes_by_backprop(
    map: Map,
    *,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "random",
    divergence: Divergence | None = None,
) -> Stochastic | Affine:
    """Gaussian weights, one draw a call. The divergence is Gaussian unless another is given."""
    return compose(map, Gaussian(initial_scale), Shared(), divergence or GaussianKL(prior_scale), bias)


def flipout(
    map: Map,
    *,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    divergence: Divergence | None = None,
) -> Stochastic | Affine:
    """Gaussian weights, one draw flipped by the signs of each example. Arguments as for `bayes_by_backprop`."""
    return compose(map, Gaussian(initial_scale), Flipout(), divergence or GaussianKL(prior_scale), bias)


def local_reparameterization(
    map: Map,
    *,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    divergence: Divergence | None = None,
) -> Stochastic | Affine:
    """Gaussian weights, their noise drawn at the output. Arguments as for `bayes_by_backprop`."""
    return compose(map, Gaussian(initial_scale), Local(), divergence or GaussianKL(prior_scale), bias)


ROWS = (
    Method(deterministic, "point, plain", "maximum likelihood, or MAP with a prior scale"),
    Method(
        bayes_by_backprop,
        "Gaussian, shared, Gaussian KL",
        "Blundell et al. 2015, Weight Uncertainty in Neural Networks, arXiv 1505.05424",
    ),
    Method(
        flipout,
        "Gaussian, flipout, Gaussian KL",
        "Wen et al. 2018, Flipout: Efficient Pseudo-Independent Weight Perturbations, arXiv 1803.04386",
    ),
    Method(
        local_reparameterization,
        "Gaussian, local, Gaussian KL",
        "Kingma, Salimans, Welling 2015, Variational Dropout and the Local Reparameterization Trick, arXiv 1506.02557",
    ),
)
