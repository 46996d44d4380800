"""Ordinary weights, of which the training procedure fits a Gaussian law by gradients at draws of it."""

from __future__ import annotations

from bayesnoise import natural_gradient
from bayesnoise.affine import Affine
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.procedures import JointGaussian, Variational
from bayesnoise.stochastic import Stochastic


def ivon(map: Map, *, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights, for an optimizer that fits their law: `bayesnoise.natural_gradient.ivon`."""
    return deterministic(map, bias=bias)


def slang(map: Map, *, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights, for an optimizer that fits their joint law: `bayesnoise.natural_gradient.slang`."""
    return deterministic(map, bias=bias)


def vadam(map: Map, *, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights, for an optimizer that fits their law: `bayesnoise.natural_gradient.vadam`."""
    return deterministic(map, bias=bias)


def vogn(map: Map, *, bias: Bias = "deterministic") -> Stochastic | Affine:
    """Ordinary weights, for an optimizer that fits their law: `bayesnoise.natural_gradient.vogn`."""
    return deterministic(map, bias=bias)


def fitted_by_ivon(*, prior_scale: float = 1.0) -> Variational:
    """IVON, its learning rates 30 times those of Adam: they are shares of a Newton step, where Adam's are lengths."""
    return Variational(natural_gradient.ivon(prior_scale=prior_scale), rate_scale=30.0)


def fitted_by_slang(*, prior_scale: float = 1.0, rank: int = 5) -> JointGaussian:
    """SLANG, its learning rates 30 times those of Adam, as for IVON."""
    return JointGaussian(natural_gradient.slang(prior_scale=prior_scale, rank=rank), rate_scale=30.0)


def fitted_by_vadam(*, prior_scale: float = 1.0) -> Variational:
    """Vadam."""
    return Variational(natural_gradient.vadam(prior_scale=prior_scale))


def fitted_by_vogn(*, prior_scale: float = 1.0) -> Variational:
    """VOGN, its learning rates 30 times those of Adam, as for IVON."""
    return Variational(natural_gradient.vogn(prior_scale=prior_scale), rate_scale=30.0)


ROWS = (
    Method(
        ivon,
        "point, plain; their law by IVON",
        "Shen et al. 2024, Variational Learning is Effective for Large Deep Networks, arXiv 2402.17641",
        fitted_by_ivon,
    ),
    Method(
        slang,
        "point, plain; their joint law by SLANG",
        "Mishkin et al. 2018, SLANG: Fast Structured Covariance Approximations with Natural Gradient, arXiv 1811.04504",
        fitted_by_slang,
    ),
    Method(
        vadam,
        "point, plain; their law by Vadam",
        "Khan et al. 2018, Fast and Scalable Bayesian Deep Learning by Weight-Perturbation in Adam, arXiv 1806.04854",
        fitted_by_vadam,
    ),
    Method(
        vogn,
        "point, plain; their law by VOGN",
        "Khan et al. 2018, arXiv 1806.04854; Osawa et al. 2019, Practical Deep Learning with Bayesian Principles, "
        "arXiv 1906.02506",
        fitted_by_vogn,
    ),
)
