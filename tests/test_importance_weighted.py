"""The importance-weighted bound: equal to its definition, the ELBO for one sample, and below the evidence for more."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from agreement import assert_close, assert_trees_close, gradient, random_noise, random_params, run
from bayesnoise_backends import host_rng
from bayesnoise_reference import divergences as definitions
from bayesnoise_reference import losses as densities
from bayesnoise_reference import multi_sample, posteriors
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import gauss_hermite, gauss_legendre
from cases import oracle_forward, representable
from namespaces import Namespace

import bayesnoise as bn
from bayesnoise import maps, methods, tree
from bayesnoise.divergences import ScaleMixture
from bayesnoise.importance_weighted import importance_weighted
from bayesnoise.layer import Empty
from bayesnoise.losses import Gaussian, LearnedGaussian
from bayesnoise.multi_sample import MultiSample, MultiSampleNoise
from bayesnoise.noise import DropBlock
from bayesnoise.normalisation import BatchNorm
from bayesnoise.objective import ModelParams
from bayesnoise.reshaping import flatten
from bayesnoise.residual import Residual

PRIOR = (0.25, 1.0, 0.5)
SCALE = 0.5


def bayes(map: maps.Map, bias: Any = "random") -> Any:
    return methods.bayes_by_backprop(map, divergence=ScaleMixture(*PRIOR), bias=bias)


def ratio(params: Any, noise: Any) -> Any:
    """`log q(w) - log p(w)` of all weights and biases."""
    if hasattr(params, "weight"):
        return ratio(params.weight, noise.weight) + ratio(params.bias, noise.bias)
    mean, scale = posteriors.gaussian_softplus(*params)
    return definitions.scale_mixture_draw(mean, scale, mean, scale, noise.estimator.eps, *PRIOR)


def test_value_and_gradient_equal_the_definition(namespace: Namespace) -> None:
    layer, loss, rng, samples = bayes(maps.Dense(2, 1)), LearnedGaussian(), np.random.default_rng(0), 3
    several, x, y = MultiSample(layer, samples), representable(rng, (2, 2)), representable(rng, (2, 1))
    params = ModelParams(random_params(layer, rng), loss.init(like=x)._replace(log_scale=np.array(0.25)))
    noise = random_noise(several, params.layer, x.shape, 1)

    def define(params: Any) -> Any:
        likelihoods, ratios = [], []
        for one in noise.calls:
            f = oracle_forward(layer, params.layer, one, x)
            scale = np.exp(params.loss.log_scale)
            likelihoods.append(np.exp(-sum(densities.gaussian(f[n], y[n], scale) for n in range(2))))
            ratios.append(ratio(params.layer, one))
        return multi_sample.importance_weighted(likelihoods, ratios)

    def whole(params: Any, noise: Any, x: Any, y: Any) -> Any:
        return importance_weighted(several, loss, params, noise, x, y)

    value, grads = run(namespace, whole, *tree.map(namespace.asarray, (params, noise, x, y)))
    exact, derived = (1e-12, 1e-11) if namespace.double else (64 * namespace.eps,) * 2
    assert_close(value, define(params), exact, namespace)
    assert_trees_close(grads, gradient(lambda p: -define(p), params), derived, namespace)


def test_it_is_the_elbo_for_one_sample_and_rises_towards_the_evidence() -> None:
    """One weight; the mean over draws by Gauss and Hermite, the evidence by Gauss and Legendre."""
    x, y = np.array([[1.0], [-0.5]]), np.array([[0.75], [0.25]])
    layer, loss = bayes(maps.Dense(1, 1), bias="none"), Gaussian(SCALE)
    params = ModelParams(
        layer.init(host_rng(0), like=x)._replace(mu=np.array([[0.5]]), rho=np.array([[-0.5]])), Empty()
    )
    template = layer.draw(host_rng(0), params.layer, x.shape, like=x)

    def mean_of(samples: int, count: int) -> float:
        several, total, (nodes, chances) = MultiSample(layer, samples), 0.0, gauss_hermite(count)
        for pick in itertools.product(range(len(nodes)), repeat=samples):
            eps = [np.array([[nodes[i]]]) for i in pick]
            calls = (template._replace(estimator=template.estimator._replace(eps=e), divergence=e) for e in eps)
            noise = MultiSampleNoise(tuple(calls))
            value = importance_weighted(several, loss, params, noise, x, y).value
            total += float(np.prod([chances[i] for i in pick])) * float(value)
        return total

    def log_likelihood(w: Any) -> Any:
        return -sum(
            (y[n, 0] - w * x[n, 0]) ** 2 / (2 * SCALE**2) + np.log(SCALE * np.sqrt(2 * np.pi)) for n in range(2)
        )

    mean, scale = posteriors.gaussian_softplus(*params.layer)
    nodes, chances = gauss_hermite(3)  # exact, of a square
    expected = np.sum(chances * log_likelihood(mean[0, 0] + scale[0, 0] * nodes))
    elbo = expected - definitions.scale_mixture(mean, scale, *PRIOR)
    w, weights = gauss_legendre(np.linspace(-8.0, 8.0, 33))
    prior = np.exp(definitions.log_mixture_density(w, *PRIOR))
    evidence = np.log(np.sum(weights * prior * np.exp(log_likelihood(w))))
    one, two = mean_of(1, 80), mean_of(2, 20)
    assert one == pytest.approx(elbo, rel=1e-12)
    assert one < two < evidence
    assert evidence - two < 0.75 * (evidence - one)


def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 2)), rng.standard_normal((5, 1))


def test_points_and_masks_are_welcome() -> None:
    """They have no density of a posterior: a penalty counts once, masks with nothing."""
    x, y = data()
    layer = bn.chain(methods.dropout(maps.Dense(2, 3), prior_scale=1.0), bn.activations.tanh(), bayes(maps.Dense(3, 1)))
    several, loss = MultiSample(layer, 1), Gaussian()
    params = ModelParams(layer.init(host_rng(0), like=x), Empty())
    noise = several.draw(host_rng(1), params.layer, x.shape, like=x)
    bound = importance_weighted(several, loss, params, noise, x, y)
    f, _ = several.forward(params.layer, noise, x)
    nll, _ = loss.forward(Empty(), f[0], y)
    assert float(bound.value) == pytest.approx(-float(np.sum(nll) + layer.kl(params.layer, noise.calls[0])), rel=1e-14)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (methods.bayes_by_backprop(maps.Dense(2, 1)), "its divergence is not drawn with the weights, use ScaleMixture"),
        (
            methods.bayes_by_backprop(maps.Dense(2, 1), divergence=ScaleMixture(gradient="path")),
            "use ScaleMixture with its total gradient",
        ),
        (
            methods.flipout(maps.Dense(2, 1), divergence=ScaleMixture()),
            "its examples have weights of their own, use bayes_by_backprop, with one draw for all",
        ),
        (methods.concrete_dropout(maps.Dense(2, 1)), "its divergence is not that of one draw of weights"),
        (
            bn.chain(methods.information_dropout(maps.Dense(2, 3)), methods.deterministic(maps.Dense(3, 1))),
            "it has a divergence for each example, which is no ratio of densities of weights",
        ),
        (Residual(methods.information_dropout(maps.Dense(2, 2))), "it has a divergence for each example"),
        (bn.chain(methods.deterministic(maps.Dense(2, 1)), BatchNorm(1)), "depend on the rest of the batch"),
    ],
    ids=[
        "closed form",
        "path gradient",
        "weights of examples",
        "no draw of weights",
        "divergence of examples",
        "divergence of examples inside a sum",
        "statistics of a batch",
    ],
)
def test_what_has_no_importance_weight_is_refused(layer: Any, reason: str) -> None:
    x, y = data()
    several = MultiSample(layer, 2)
    params = ModelParams(layer.init(host_rng(0), like=x), Empty())
    noise = several.draw(host_rng(1), params.layer, x.shape, like=x)
    with pytest.raises(ValueError, match=f"which has no importance weight: .*{reason}"):
        importance_weighted(several, Gaussian(), params, noise, x, y)


def test_blocks_are_masks_where_each_example_counts_its_own() -> None:
    """They have no divergence; counted over the batch, a block of one example scales the others."""
    x, y = np.random.default_rng(0).standard_normal((3, 1, 2, 2)), np.zeros((3, 4))

    def value(scale_by: Any) -> float:
        layer = bn.chain(DropBlock(0.3, (2, 1), scale_by), flatten(), methods.deterministic(maps.Dense(4, 4)))
        several = MultiSample(layer, 1)
        params = ModelParams(layer.init(host_rng(0), like=x), Empty())
        noise = several.draw(host_rng(1), params.layer, x.shape, like=x)
        nll = Gaussian().forward(Empty(), several.forward(params.layer, noise, x)[0][0], y)[0]
        assert float(importance_weighted(several, Gaussian(), params, noise, x, y).value) == -float(np.sum(nll))
        return float(np.sum(nll))

    assert value("example") > 0
    with pytest.raises(ValueError, match=r"DropBlock.*depend on the rest of the batch.*scale_by='example'"):
        value("batch")
