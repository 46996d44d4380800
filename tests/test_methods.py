"""Each named method, on every namespace, against the oracle's file of that name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import layer_cases
import numpy as np
import pytest
from agreement import Truth, assert_agrees, random_params, truth
from bayesnoise_reference import (
    bayes_by_backprop,
    dense,
    dropout,
    flipout,
    local_reparameterization,
    posteriors,
    sparse_variational_dropout,
    variational_dropout,
)
from bayesnoise_reference import divergences as reference
from bayesnoise_reference._typing import Array
from namespaces import Namespace

from bayesnoise import maps, methods
from bayesnoise.chain import Chain

DENSE = maps.Dense(3, 2)
CONTRACT = dense.output
PRIOR = 0.5


def each(x: Array, w: Array) -> Array:
    return np.stack([dense.output(x_n, w) for x_n in x])


def _bayes_by_backprop(params: Any, noise: Any, x: Array) -> Array:
    y = bayes_by_backprop.output(x, *posteriors.gaussian_softplus(*params.weight), noise.weight.estimator.eps, CONTRACT)
    mean, scale = posteriors.gaussian_softplus(*params.bias)
    return np.asarray(y + mean + scale * noise.bias.estimator.eps)


def _flipout(params: Any, noise: Any, x: Array) -> Array:
    n, (mean, scale) = noise.weight.estimator, posteriors.gaussian_softplus(*params.weight)
    return np.asarray(flipout.output(x, mean, scale, n.eps, n.sign_in, n.sign_out, CONTRACT) + params.bias.theta)


def _local(params: Any, noise: Any, x: Array) -> Array:
    mean, scale = posteriors.gaussian_softplus(*params.weight)
    y = local_reparameterization.output(x, mean, scale, noise.weight.estimator.zeta, CONTRACT)
    return np.asarray(y + params.bias.theta)


def _dropout(params: Any, noise: Any, x: Array) -> Array:
    return np.asarray(
        each(dropout.bernoulli(x, noise[0].multiplier != 0, 0.5), params[1].weight.theta) + params[1].bias.theta
    )


def _gaussian_dropout(params: Any, noise: Any, x: Array) -> Array:
    dropped = dropout.gaussian(x, noise[0].multiplier - 1.0, 1.0)  # a rate of 1/2 is an alpha of 1
    return np.asarray(each(dropped, params[1].weight.theta) + params[1].bias.theta)


def _type_a(params: Any, noise: Any, x: Array) -> Array:
    theta, log_alpha = params.weight
    y = variational_dropout.type_a(x, theta, log_alpha, noise.weight.estimator.zeta, CONTRACT)
    return np.asarray(y + params.bias.theta)


def _type_b(params: Any, noise: Any, x: Array) -> Array:
    log_alpha = params[0].log_alpha
    y = variational_dropout.type_b(x, params[1].weight.theta, log_alpha, noise[0].zeta, CONTRACT)
    return np.asarray(y + params[1].bias.theta)


def _sparse(params: Any, noise: Any, x: Array) -> Array:
    theta, log_sigma2 = params.weight
    y = sparse_variational_dropout.output(x, theta, log_sigma2, noise.weight.estimator.zeta, CONTRACT)
    return np.asarray(y + params.bias.theta)


def gaussian_kl(mean: Any, scale: Any) -> Any:
    return reference.gaussian(mean, scale, 0.0, PRIOR)


def _gaussian_weights(params: Any) -> Any:
    return gaussian_kl(*posteriors.gaussian_softplus(*params.weight))


def _units(params: Any) -> Any:
    return reference.log_uniform(np.ones(3), np.sqrt(np.exp(params[0].log_alpha)) * np.ones(3))


def _dropout_kl(params: Any) -> Any:
    """What is stored is the mean times the probability of keeping it; the bias is never dropped."""
    weight = reference.dropout_penalty(params[1].weight.theta / 0.5, PRIOR, 0.5)
    return weight + reference.dropout_penalty(params[1].bias.theta, PRIOR, 1.0)


# name: the call, the output by definition, the divergence by definition
CASES: dict[str, tuple[Callable[[], Any], Callable[[Any, Any, Array], Array], Callable[[Any], Any]]] = {
    "deterministic": (
        lambda: methods.deterministic(DENSE, prior_scale=PRIOR),
        lambda params, noise, x: np.asarray(each(x, params.weight.theta) + params.bias.theta),
        lambda params: np.sum(params.weight.theta**2) / (2 * PRIOR**2),
    ),
    "bayes_by_backprop": (
        lambda: methods.bayes_by_backprop(DENSE, prior_scale=PRIOR),
        _bayes_by_backprop,
        lambda params: _gaussian_weights(params) + gaussian_kl(*posteriors.gaussian_softplus(*params.bias)),
    ),
    "flipout": (lambda: methods.flipout(DENSE, prior_scale=PRIOR), _flipout, _gaussian_weights),
    "local_reparameterization": (
        lambda: methods.local_reparameterization(DENSE, prior_scale=PRIOR),
        _local,
        _gaussian_weights,
    ),
    "dropout": (lambda: methods.dropout(DENSE, rate=0.5, prior_scale=PRIOR), _dropout, _dropout_kl),
    "gaussian_dropout": (lambda: methods.gaussian_dropout(DENSE, rate=0.5), _gaussian_dropout, lambda params: 0.0),
    "gaussian_dropout learned": (lambda: methods.gaussian_dropout(DENSE, rate=0.5, learned=True), _type_b, _units),
    "variational_dropout": (
        lambda: methods.variational_dropout(DENSE),
        _type_a,
        lambda params: reference.log_uniform(*posteriors.multiplicative(*params.weight)),
    ),
    "variational_dropout B": (lambda: methods.variational_dropout(DENSE, type="B"), _type_b, _units),
    "sparse_variational_dropout": (
        lambda: methods.sparse_variational_dropout(DENSE),
        _sparse,
        lambda params: reference.log_uniform(*posteriors.additive(*params.weight)),
    ),
    "automatic_relevance_determination": (
        lambda: methods.automatic_relevance_determination(DENSE),
        _sparse,
        lambda params: reference.ard(*posteriors.additive(*params.weight)),
    ),
}


SCALES: dict[str, Callable[..., tuple[Array, Array]]] = {
    "rho": posteriors.gaussian_softplus,
    "log_alpha": posteriors.multiplicative,
    "log_sigma2": posteriors.additive,
}


def _moments(built: Any, params: Any, x: Array) -> tuple[Array, Array]:
    """The mean from the weights' means; the variance of weights product by product, that of a fixed bias 0."""
    weight, bias = params[-1] if isinstance(built, Chain) else params
    w, b = ((p.theta if hasattr(p, "theta") else p.mu) for p in (weight, bias))
    if isinstance(built, Chain) or not hasattr(built, "moments"):
        return each(x, w) + b, np.zeros(())
    scale = np.zeros(w.shape)
    for field, law in SCALES.items():
        if field in weight._fields:
            scale = law(*weight)[1]
    mean, variance = local_reparameterization.moments(x, w, scale, CONTRACT)
    random_bias = posteriors.gaussian_softplus(*bias)[1] ** 2 if hasattr(bias, "mu") else 0.0
    return mean + b, np.asarray(variance + random_bias)


@cache
def truth_of(name: str) -> Truth:
    build, define, _ = CASES[name]
    built = build()
    return truth(built, (2, 3), define, lambda params, x: _moments(built, params, x), seed=7)


@pytest.mark.parametrize("name", CASES)
def test_method_equals_the_oracle(namespace: Namespace, name: str) -> None:
    assert_agrees(CASES[name][0](), truth_of(name), namespace)


@pytest.mark.parametrize("name", CASES)
def test_divergence_is_that_of_the_method(name: str) -> None:
    build, _, define = CASES[name]
    built = build()
    params = random_params(built, np.random.default_rng(11))
    assert float(built.kl(params)) == pytest.approx(float(np.real(define(params))), rel=1e-9, abs=1e-12)


def test_every_method_has_a_case() -> None:
    names = [m.name for m in methods.METHODS]
    assert len(set(names)) == len(names)
    with_cases = {name.split()[0] for name in CASES} | {name.partition("-")[2].split()[0] for name in layer_cases.CASES}
    assert set(names) <= with_cases
    for m in methods.METHODS:
        assert methods.method(m.name) is m
        assert callable(m.build)
        assert m.combines
        assert m.paper
    with pytest.raises(ValueError, match="did you mean flipout"):
        methods.method("flip_out")
