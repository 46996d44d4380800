"""Every loss: equal to minus the log of its density, gradients to a complex step through it, sane far out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from cases import public, representable
from closeness import assert_close, assert_untouched
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_cases import CASES, Case
from namespaces import NUMPY64, Namespace, to_numpy
from scipy import stats

from bayesnoise import losses, tree
from bayesnoise.layer import Empty
from bayesnoise.losses import (
    Bernoulli,
    Categorical,
    Classification,
    Gaussian,
    Heteroscedastic,
    LearnedGaussian,
    Poisson,
    Regression,
)
from bayesnoise.losses.poisson import log_factorial

ALL = [pytest.param(case, id=repr(case.loss)) for cases in CASES.values() for case in cases]


def test_every_public_loss_has_a_case() -> None:
    assert set(CASES) | {losses.Mixture} == public(losses, "forward")  # Mixture, of one more axis: test_mixture


def slope_of(case: Case, f: Array, target: Any) -> Array:
    return complex_step(lambda row: case.definition(row, target, case.params), f)


def check(case: Case, namespace: Namespace, f: Array, target: Array, weight: Array) -> None:
    """Values and gradients; `weight (n,)` is the gradient of each example's value."""
    n = f.shape[0]
    arrays = tree.map(namespace.asarray, (case.params, f, target, weight))

    def everything(params: Any, f: Any, target: Any, weight: Any) -> tuple[Any, ...]:
        nll, residuals = case.loss.forward(params, f, target)
        return nll, *case.loss.backward(residuals, weight)

    nll, grad_f, grad_params = namespace.run(everything, *arrays)
    value = np.array([case.definition(f[i], target[i], case.params) for i in range(n)]).reshape(n)
    slope = np.array([slope_of(case, f[i], target[i]) for i in range(n)]).reshape(f.shape)
    exact, derived = (1e-12, 1e-11) if namespace.double else (32 * namespace.eps,) * 2
    size, slope_size = case.size(f, target), case.slope_size(f, target)
    assert_close(nll, value, exact, namespace, size)
    assert_close(grad_f, weight[:, None] * slope, derived, namespace, np.abs(weight)[:, None] * slope_size)
    assert type(grad_params) is type(case.params)
    for i, got in enumerate(grad_params):

        def total(leaf: Array, i: int = i) -> Any:
            params = case.params._make([*case.params[:i], leaf, *case.params[i + 1 :]])
            return sum(weight[j] * case.definition(f[j], target[j], params) for j in range(n))

        assert_close(got, complex_step(total, case.params[i]), derived, namespace, np.sum(np.abs(weight) * size))
    assert_untouched(arrays, (case.params, f, target, weight))


@pytest.mark.parametrize("case", ALL)
def test_value_and_gradients_on_every_namespace(namespace: Namespace, case: Case) -> None:
    rng = np.random.default_rng(0)
    f = representable(rng, (5, 4))
    check(case, namespace, f, case.target(rng, f), representable(rng, (5,)))


@pytest.mark.parametrize("case", ALL)
def test_value_and_gradients_of_any_shape_and_scale(case: Case) -> None:
    @settings(max_examples=50, deadline=None, derandomize=True)
    @given(st.integers(0, 3), st.integers(1, 3), st.integers(-20, 4), st.integers(0, 2**32 - 1))
    def any_input(n: int, k: int, exponent: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        f = rng.standard_normal((n, case.loss.output_features(k))) * 2.0**exponent
        check(case, NUMPY64, f, case.target(rng, f), rng.standard_normal(n))

    any_input()


@pytest.mark.parametrize("case", ALL)
def test_init_has_the_parameters_type_and_follows_like(namespace: Namespace, case: Case) -> None:
    params = case.loss.init(like=namespace.asarray(np.ones(3)))
    assert type(params) is type(case.params)
    for (name, leaf), (wanted, shaped) in zip(tree.paths(params), tree.paths(case.params), strict=True):
        assert name == wanted
        assert tuple(leaf.shape) == shaped.shape
        assert namespace.owns(leaf)


def test_initial_scale_is_the_first_scale() -> None:
    params = LearnedGaussian(0.5).init(like=np.ones(1))
    assert float(np.exp(params.log_scale)) == pytest.approx(0.5, rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "law"),
    [
        (Gaussian(0.25), lambda f: stats.norm(f, 0.25)),
        (LearnedGaussian(0.25), lambda f: stats.norm(f, 0.25)),
        (Heteroscedastic(0.5), lambda f: stats.norm(f[:, :2], np.sqrt(np.logaddexp(0, f[:, 2:]) + 0.5))),
        (Poisson(), lambda f: stats.poisson(np.exp(f))),
    ],
    ids=["fixed", "learned", "predicted", "Poisson"],
)
def test_mean_variance_and_density_are_those_of_the_law(loss: Any, law: Callable[[Array], Any]) -> None:
    rng = np.random.default_rng(0)
    f, params = rng.standard_normal((5, 4)), loss.init(like=np.ones(1))
    assert isinstance(loss, Regression)
    frozen = law(f)
    assert loss.mean(params, f) == pytest.approx(frozen.mean(), rel=1e-14)
    assert loss.variance(params, f) == pytest.approx(frozen.var(), rel=1e-14)
    target = frozen.rvs(random_state=rng).astype(np.float64)
    log_density = frozen.logpmf(target) if isinstance(loss, Poisson) else frozen.logpdf(target)
    assert loss.forward(params, f, target)[0] == pytest.approx(-np.sum(log_density, axis=1), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("case", [c for cases in CASES.values() for c in cases], ids=lambda c: repr(c.loss))
def test_predictive_pieces_on_every_namespace(namespace: Namespace, case: Case) -> None:
    f = representable(np.random.default_rng(0), (3, 4))
    params, f_ = tree.map(namespace.asarray, (case.params, f))
    tolerance = 1e-13 if namespace.double else 16 * namespace.eps
    names = ("mean", "variance") if isinstance(case.loss, Regression) else ("log_probabilities",)
    on_numpy = [getattr(case.loss, name)(case.params, f) for name in names]
    for name, want in zip(names, on_numpy, strict=True):
        assert_close(namespace.run(getattr(case.loss, name), params, f_), want, tolerance, namespace, 1.0)


def test_log_probabilities_sum_to_one_and_are_the_losses() -> None:
    f = np.random.default_rng(0).standard_normal((4, 3)) * 5
    for loss in (Categorical(), Bernoulli()):
        assert isinstance(loss, Classification)
        assert not isinstance(loss, Regression)
        assert np.sum(np.exp(loss.log_probabilities(Empty(), f)), axis=-1) == pytest.approx(1.0, rel=1e-14)
    for label in range(3):
        nll, _ = Categorical().forward(Empty(), f, np.full(4, label))
        assert np.array_equal(-Categorical().log_probabilities(Empty(), f)[:, label], nll)
    for bit in (0, 1):
        nll, _ = Bernoulli().forward(Empty(), f, np.full((4, 3), float(bit)))
        assert np.sum(-Bernoulli().log_probabilities(Empty(), f)[:, :, bit], axis=1) == pytest.approx(nll, rel=1e-14)


def test_extreme_logits(namespace: Namespace) -> None:
    """A class that is certain costs nothing, and one that is out by 1e4 costs 1e4."""
    f = namespace.asarray([[1e4, 0.0], [1e4, 0.0], [-1e4, -1e4]])
    labels = namespace.asarray(np.array([0, 1, 1], dtype=np.int32))

    def everything(f: Any, labels: Any, bits: Any, weight: Any) -> tuple[Any, ...]:
        nll, residuals = Categorical().forward(Empty(), f, labels)
        binary, binary_residuals = Bernoulli().forward(Empty(), f, bits)
        return (
            nll,
            Categorical().backward(residuals, weight)[0],
            binary,
            Bernoulli().backward(binary_residuals, weight)[0],
        )

    bits, weight = namespace.asarray([[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]]), namespace.asarray(np.ones(3))
    nll, grad, binary, binary_grad = (to_numpy(a) for a in namespace.run(everything, f, labels, bits, weight))
    log2 = np.log(2.0)
    assert nll == pytest.approx([0.0, 1e4, log2], rel=4 * namespace.eps)
    assert np.array_equal(grad, [[0.0, 0.0], [1.0, -1.0], [0.5, -0.5]])
    assert binary == pytest.approx([log2, 1e4 + log2, 1e4], rel=4 * namespace.eps)
    assert np.array_equal(binary_grad, [[0.0, -0.5], [1.0, 0.5], [-1.0, 0.0]])


def test_raw_variances_far_out(namespace: Namespace) -> None:
    f = namespace.asarray([[0.0, -1e4], [0.0, 1e4]])

    def everything(f: Any, target: Any, weight: Any) -> tuple[Any, ...]:
        nll, residuals = Heteroscedastic(1e-6).forward(Empty(), f, target)
        return nll, Heteroscedastic(1e-6).backward(residuals, weight)[0]

    zeros, ones = namespace.asarray(np.zeros((2, 1))), namespace.asarray(np.ones(2))
    nll, grad = (to_numpy(a) for a in namespace.run(everything, f, zeros, ones))
    assert nll == pytest.approx(0.5 * np.log(2 * np.pi * np.array([1e-6, 1e4 + 1e-6])), rel=16 * namespace.eps)
    assert grad[:, 1] == pytest.approx([0.0, 0.5e-4], rel=16 * namespace.eps)


def test_log_factorial_is_that_of_whole_numbers(namespace: Namespace) -> None:
    counts = [*range(40), 100, 1000, 4097, 10**6]
    with mpmath.workdps(30):
        want = np.array([float(mpmath.loggamma(c + 1)) for c in counts])
    got = namespace.run(log_factorial, namespace.asarray(np.array(counts, dtype=np.float64)))
    assert_close(got, want, 8 * namespace.eps, namespace)
    assert to_numpy(got)[:2].tolist() == [0.0, 0.0]
