"""The mean likelihood of several samples: the bound, its gradient, and what it bounds, by enumeration."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from agreement import assert_close, assert_trees_close, random_noise, random_params, run
from bayesnoise_backends import host_rng
from bayesnoise_reference import dense, drop_connect, multi_sample
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step, masks
from cases import representable
from loss_cases import CASES as LOSSES
from namespaces import Namespace, to_numpy

import bayesnoise as bn
from bayesnoise import estimators, maps, methods, normalisation, tree
from bayesnoise.layer import Empty
from bayesnoise.losses import Bernoulli, Gaussian, Mixture
from bayesnoise.multi_sample import MultiSample, MultiSampleNoise
from bayesnoise.objective import ModelParams, Objective, objective

DENSE = maps.Dense(2, 1)
RATE = 0.2  # the two points of its noise, -2 and 1/2, are exact


@pytest.mark.parametrize("cases", [pytest.param(cases, id=kind.__name__) for kind, cases in LOSSES.items()])
def test_the_mixture_equals_the_oracle(namespace: Namespace, cases: list[Any]) -> None:
    case, rng, (samples, n) = cases[0], np.random.default_rng(3), (3, 2)
    f = representable(rng, (samples, n, 4))
    target, weight = case.target(rng, f[0]), representable(rng, (n,))
    arrays = tree.map(namespace.asarray, (case.params, f, target, weight))

    def everything(params: Any, f: Any, target: Any, weight: Any) -> Any:
        nll, residuals = Mixture(case.loss).forward(params, f, target)
        return nll, Mixture(case.loss).backward(residuals, weight)

    def define(params: Any, f: Array, i: int) -> Any:
        return -multi_sample.bound([np.exp(-case.definition(f[k, i], target[i], params)) for k in range(samples)])

    nll, (grad_f, grad_params) = run(namespace, everything, *arrays)
    exact, derived = (1e-12, 1e-11) if namespace.double else (64 * namespace.eps,) * 2
    assert_close(nll, [define(case.params, f, i) for i in range(n)], exact, namespace)
    slope = complex_step(lambda f: sum(weight[i] * define(case.params, f, i) for i in range(n)), f)
    assert_close(grad_f, slope, derived, namespace)
    assert type(grad_params) is type(case.params)
    for got, leaf in zip(tree.leaves(grad_params), tree.leaves(case.params), strict=True):
        by_params = complex_step(lambda p: sum(weight[i] * define(type(case.params)(p), f, i) for i in range(n)), leaf)
        assert_close(got, by_params, derived, namespace)


def test_far_likelihoods_stay_finite(namespace: Namespace) -> None:
    """Log-likelihoods 10,000 apart: the likelier sample has the whole share, and its own gradient."""
    f, target = namespace.asarray(np.array([[[0.5], [150.0]], [[150.0], [0.5]]])), namespace.asarray(np.zeros((2, 1)))

    def everything(f: Any, target: Any) -> Any:
        nll, residuals = Mixture(Gaussian()).forward(Empty(), f, target)
        return nll, Mixture(Gaussian()).backward(residuals, nll * 0.0 + 1.0)[0]

    nll, grad = run(namespace, everything, f, target)
    alone = 0.125 + 0.5 * np.log(2 * np.pi) + np.log(2)
    assert_close(nll, [alone, alone], 4 * namespace.eps, namespace)
    assert np.array_equal(to_numpy(grad), [[[0.5], [0.0]], [[0.0], [0.5]]])


@pytest.mark.parametrize(
    "network",
    [
        methods.local_reparameterization(maps.Dense(2, 3)),
        methods.flipout(maps.Dense(2, 3)),
        bn.chain(methods.information_dropout(maps.Dense(2, 2)), methods.deterministic(maps.Dense(2, 3))),
        bn.chain(methods.deterministic(maps.Dense(2, 3)), normalisation.BatchNorm(3)),
    ],
    ids=["rows", "calls", "divergence of examples", "statistics"],
)
def test_one_sample_is_the_elbo(network: Any) -> None:
    """To the bit: the likelihood, every gradient, and the statistics kept."""
    rng, loss = np.random.default_rng(0), bn.losses.LearnedGaussian()
    params = ModelParams(network.init(host_rng(0), like=np.ones(1)), loss.init(like=np.ones(1)))
    x, y = rng.standard_normal((4, 2)), rng.standard_normal((4, 3))
    noise = network.draw(host_rng(1), params.layer, x.shape, like=x)
    want = objective(network, loss, params, noise, x, y, 0.1)
    got = objective(MultiSample(network, 1), Mixture(loss), params, MultiSampleNoise((noise,)), x, y, 0.1)
    for a, b in zip(tree.leaves(got), tree.leaves(want), strict=True):
        np.testing.assert_array_equal(a, b)


THETA, TARGET = np.array([[0.75], [-1.25]]), 0.25
X = np.array([[1.0, 0.5], [-0.25, 1.5]])
NOISES: dict[str, estimators.Estimator] = {"rows": estimators.PerExample(), "calls": estimators.Shared()}


def likelihoods(theta: Any, x_n: Array) -> tuple[list[Any], list[float]]:
    """Of the target, standard deviation 1/2, under every mask of two weights, and the chance of each."""
    rows, chances = masks(2, 1 - RATE)
    f = [dense.output(x_n, drop_connect.weights(theta, row.reshape(2, 1), RATE))[0] for row in rows]
    return [np.exp(-2 * (one - TARGET) ** 2) / (0.5 * np.sqrt(2 * np.pi)) for one in f], list(chances)


def enumerated(kind: str, samples: int, x: Array) -> tuple[float, Array]:
    """The exact mean of the objective and of its gradient over the masks of all samples, by the library."""
    layer = methods.drop_connect(DENSE, rate=RATE, bias="none", estimator=NOISES[kind])
    several, loss, y = MultiSample(layer, samples), Mixture(Gaussian(0.5)), np.full((len(x), 1), TARGET)
    params = ModelParams(several.init(host_rng(0), like=x)._replace(theta=THETA), Empty())
    template = several.draw(host_rng(0), params.layer, x.shape, like=x)
    rows, chances = masks(2, 1 - RATE)
    eps = np.where(rows == 1, 0.5, -2.0).reshape(4, 2, 1)
    value, grad = 0.0, np.zeros((2, 1))
    for pick in itertools.product(range(4), repeat=samples):
        drawn = eps[list(pick)]
        each = [drawn] if kind == "rows" else list(drawn)
        noise = MultiSampleNoise(
            tuple(c._replace(estimator=c.estimator._replace(eps=e)) for c, e in zip(template.calls, each, strict=True))
        )
        result: Objective = objective(several, loss, params, noise, x, y, 0.0)
        chance = float(np.prod(chances[list(pick)]))
        value, grad = value + chance * float(result.nll), grad + chance * result.grads.layer.theta
    return value, grad


@pytest.mark.parametrize("kind", NOISES)
def test_the_bound_and_its_gradient_are_unbiased_and_rise_with_the_samples(kind: str) -> None:
    """Every mask of every sample is enumerated. With one draw for both examples, the bound is a sum over them too."""
    x = X[:1] if kind == "rows" else X
    bounds = []
    for samples in (1, 2, 3):
        value, grad = enumerated(kind, samples, x)

        def expected(theta: Any, samples: int = samples) -> Any:
            each = [multi_sample.expected_bound(*likelihoods(theta, x_n), samples) for x_n in x]
            return -sum(each) / len(each)

        assert value == pytest.approx(expected(THETA), rel=1e-13)
        np.testing.assert_allclose(grad, complex_step(expected, THETA), rtol=1e-11)
        bounds.append(-value)
    limit = np.mean([multi_sample.log_predictive(*likelihoods(THETA, x_n)) for x_n in x])
    assert bounds[0] < bounds[1] < bounds[2] < limit


def test_two_samples_of_weights_that_all_examples_share_may_exceed_the_evidence() -> None:
    """One weight of two values, posterior equal to prior, and two targets of which each value explains one."""
    layer: Any = methods.drop_connect(maps.Dense(1, 1), rate=0.5)  # 0 or 2 log 9, and the bias: -log 9 or log 9
    x, y, logit = np.ones((2, 1)), np.array([[1.0], [0.0]]), np.log(9.0)
    params = tree.unflatten(layer.init(host_rng(0), like=x), iter([np.array([[logit]]), np.array([-logit])]))
    template = layer.draw(host_rng(0), params, x.shape, like=x)
    noise = [
        template._replace(weight=template.weight._replace(estimator=template.weight.estimator._replace(eps=eps)))
        for eps in (np.array([[-1.0]]), np.array([[1.0]]))
    ]

    def total(samples: int) -> float:
        """The exact sum of the bounds of both examples."""
        loss, several, values = Mixture(Bernoulli()), MultiSample(layer, samples), []
        for pick in itertools.product(noise, repeat=samples):
            f, _ = several.forward(params, MultiSampleNoise(pick), x)
            values.append(-float(np.sum(loss.forward(Empty(), f, y)[0])))
        return float(np.mean(values))

    evidence = multi_sample.log_evidence([[0.1, 0.9], [0.9, 0.1]], [0.5, 0.5])
    assert evidence == pytest.approx(np.log(0.09), rel=1e-14)
    assert total(1) == pytest.approx(evidence, rel=1e-13)
    assert total(2) == pytest.approx(0.5 * np.log(0.09) + np.log(0.5), rel=1e-13)
    assert total(2) > evidence + 0.5


@pytest.mark.parametrize("method", [methods.local_reparameterization, methods.flipout])
def test_the_objective_on_every_namespace(namespace: Namespace, method: Any) -> None:
    layer, loss, rng = method(maps.Dense(2, 3), bias="none"), Mixture(Gaussian()), np.random.default_rng(0)
    several, x, y = MultiSample(layer, 2), representable(rng, (4, 2)), representable(rng, (4, 3))
    params = ModelParams(random_params(layer, rng), Empty())
    arrays = params, random_noise(several, params.layer, x.shape, 1), x, y

    def whole(params: Any, noise: Any, x: Any, y: Any) -> Objective:
        return objective(several, loss, params, noise, x, y, 0.1)

    got, want = run(namespace, whole, *tree.map(namespace.asarray, arrays)), whole(*arrays)
    assert_trees_close(got, want, 1e-12 if namespace.double else 64 * namespace.eps, namespace)


def test_outputs_that_are_no_samples_are_refused() -> None:
    for f in (np.ones((4, 1)), np.ones((0, 4, 1)), np.ones((2, 3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match=r"expected one sample or more of outputs for 4 examples, \(samples, 4"):
            Mixture(Gaussian()).forward(Empty(), f, np.ones((4, 1)))
    with pytest.raises(ValueError, match="target has shape"):
        Mixture(Gaussian()).forward(Empty(), np.ones((2, 4, 1)), np.ones((4, 2)))
