"""The table of contents: each method of the field as a composition, under the name the field gives it.

Every function takes a map and returns a layer. None of them computes anything: what a method is made of is what it is.
`bias` is "deterministic", "random" (with the weights' law, a draw an example unless the weights share one) or "none".
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import Any, Literal, NamedTuple, TypeAlias

from bayesnoise import _checks
from bayesnoise.affine import Affine
from bayesnoise.chain import Chain, chain
from bayesnoise.divergences import ARD, L2, AlphaDivergence, Divergence, GaussianKL, LogUniform, Zero
from bayesnoise.estimators import Estimator, Flipout, Local, Plain, Shared
from bayesnoise.layer import Layer
from bayesnoise.maps import Conv, ConvTranspose, Dense, Map, Unit
from bayesnoise.noise import Bernoulli, Gaussian, LearnedGaussian, Multiply
from bayesnoise.posteriors import Additive, Multiplicative, Point, Posterior
from bayesnoise.posteriors import Gaussian as GaussianPosterior
from bayesnoise.stochastic import Stochastic

Bias: TypeAlias = Literal["deterministic", "random", "none"]
Scale: TypeAlias = Any  # a float, or an array in the shape of the weights


def compose(
    map: Map,
    posterior: Posterior,
    estimator: Estimator,
    divergence: Divergence,
    bias: Bias = "deterministic",
    bias_divergence: Divergence | None = None,
) -> Stochastic | Affine:
    """The layer of a map, a posterior, an estimator and a divergence, with its bias.

    A random bias has noise of its own for each example, except under Shared; its divergence is that of the weights
    unless another is given. A deterministic bias has none.
    """
    weight = Stochastic(map, posterior, estimator, divergence)
    _checks.one_of("bias", bias, ("deterministic", "random", "none"))
    if bias == "none":
        return weight
    if bias == "deterministic":
        return Affine(weight, Stochastic(map.bias(), Point(), Plain(), bias_divergence or Zero()))
    per_example = estimator if isinstance(estimator, Shared) else Local()
    return Affine(weight, Stochastic(map.bias(), posterior, per_example, bias_divergence or divergence))


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
    return compose(map, GaussianPosterior(initial_scale), Shared(), divergence or GaussianKL(prior_scale), bias)


def flipout(
    map: Map,
    *,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    divergence: Divergence | None = None,
) -> Stochastic | Affine:
    """Gaussian weights, one draw flipped by the signs of each example. Arguments as for `bayes_by_backprop`."""
    return compose(map, GaussianPosterior(initial_scale), Flipout(), divergence or GaussianKL(prior_scale), bias)


def local_reparameterization(
    map: Map,
    *,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    divergence: Divergence | None = None,
) -> Stochastic | Affine:
    """Gaussian weights, their noise drawn at the output. Arguments as for `bayes_by_backprop`."""
    return compose(map, GaussianPosterior(initial_scale), Local(), divergence or GaussianKL(prior_scale), bias)


def dropout(map: Map, *, rate: float = 0.05, prior_scale: float | None = None, bias: Bias = "deterministic") -> Chain:
    """Bernoulli noise on the input of a map; kept at prediction, it is Monte Carlo dropout.

    `prior_scale` adds the penalty that its KL comes to (Gal and Ghahramani 2016, appendix; the "KL condition").
    """
    _checks.probability("rate", rate)
    penalty = Zero() if prior_scale is None else L2(prior_scale, 1.0 / (1.0 - rate))
    bias_penalty = Zero() if prior_scale is None else L2(prior_scale)
    return chain(Multiply(Bernoulli(rate)), compose(map, Point(), Plain(), penalty, bias, bias_penalty))


def gaussian_dropout(map: Map, *, rate: float = 0.05, learned: bool = False, bias: Bias = "deterministic") -> Chain:
    """Gaussian noise on the input of a map, `alpha = rate / (1 - rate)`; learned, with one alpha and its KL."""
    _checks.probability("rate", rate)
    alpha = rate / (1.0 - rate)
    noise = _unit_noise(map, alpha, tied=True) if learned else Multiply(Gaussian(alpha))
    return chain(noise, deterministic(map, bias=bias))


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
    kl = divergence or LogUniform()
    if type == "A":
        return compose(map, Multiplicative(initial_log_alpha, alpha), Local(), kl, bias)
    return chain(_unit_noise(map, exp(initial_log_alpha), tied=False, divergence=kl), deterministic(map, bias=bias))


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


def _unit_noise(map: Map, alpha: float, *, tied: bool, divergence: AlphaDivergence | None = None) -> LearnedGaussian:
    """Noise on what enters a map: a feature of a dense one, a channel of a convolution."""
    if isinstance(map, Dense):
        return LearnedGaussian(map.in_features, 0, alpha, tied, divergence or LogUniform())
    if isinstance(map, Conv | ConvTranspose):
        return LearnedGaussian(map.in_channels, len(map.kernel), alpha, tied, divergence or LogUniform())
    raise TypeError(f"map is {map!r}, expected Dense, Conv or ConvTranspose: compose a LearnedGaussian by hand")


class Method(NamedTuple):
    build: Callable[..., Layer]
    combines: str
    paper: str

    @property
    def name(self) -> str:
        return self.build.__name__


METHODS = (
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
    Method(
        dropout,
        "Bernoulli noise, point",
        "Srivastava et al. 2014, Dropout; Gal, Ghahramani 2016, Dropout as a Bayesian Approximation, arXiv 1506.02142",
    ),
    Method(gaussian_dropout, "Gaussian noise, point", "Srivastava et al. 2014, Dropout, section 10"),
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


def method(name: str) -> Method:
    """The method of that name; ValueError with the nearest names if there is none."""
    _checks.one_of("method", name, tuple(m.name for m in METHODS))
    return next(m for m in METHODS if m.name == name)
