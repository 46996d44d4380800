"""Normalisation: equal to its definition, gradients to a complex step through it, running statistics, frozen layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import normalisation as definitions
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from cases import public, representable
from closeness import assert_close, assert_untouched, largest
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import NUMPY64, Namespace, to_numpy

from bayesnoise import normalisation, tree
from bayesnoise.layer import Empty, HasStatistics, Layer, absorb, frozen
from bayesnoise.normalisation import BatchNorm, BatchNormParams, FrozenBatchNorm, LayerNorm

EPSILON = 0.01


def _frozen(x: Array, params: BatchNormParams) -> Array:
    return definitions.frozen_batch_norm(x, *params, EPSILON)


class Case(NamedTuple):
    build: Callable[[int], Layer]
    definition: Callable[[Array, Any], Array]
    axis: int  # of the features
    inverse_sd: Callable[[Array, Any], float]  # the largest
    shapes: tuple[tuple[int, ...], ...]


def _inverse_sd(x: Array, axis: tuple[int, ...]) -> float:
    return float(np.max(1 / np.sqrt(np.var(x, axis=axis) + EPSILON)))


CASES: dict[type, Case] = {
    BatchNorm: Case(
        lambda c: BatchNorm(c, epsilon=EPSILON),
        lambda x, params: definitions.batch_norm(x, params.scale, params.shift, EPSILON),
        1,
        lambda x, params: _inverse_sd(x, (0, *range(2, x.ndim))),
        ((3, 2), (2, 2, 3), (1, 2, 2, 2), (2, 1, 1, 2, 2)),
    ),
    FrozenBatchNorm: Case(
        lambda c: FrozenBatchNorm(c, EPSILON),
        _frozen,
        1,
        lambda x, params: float(np.max(1 / np.sqrt(params.running_variance + EPSILON))),
        ((1, 2), (2, 3, 2), (1, 2, 2, 2)),
    ),
    LayerNorm: Case(
        lambda i: LayerNorm(i, EPSILON),
        lambda x, params: definitions.layer_norm(x, params.scale, params.shift, EPSILON),
        -1,
        lambda x, params: _inverse_sd(x, (-1,)),
        ((1, 3), (2, 2, 3), (2, 1)),
    ),
}
ALL = [pytest.param(k, i, id=f"{k.__name__}-{i}") for k, case in CASES.items() for i in range(len(case.shapes))]


def test_every_public_layer_has_a_case() -> None:
    assert set(CASES) == public(normalisation, "forward")


def some_params(layer: Layer, rng: np.random.Generator) -> Any:
    like = layer.init(host_rng(0), like=np.ones(()))
    params = tree.map(lambda leaf: representable(rng, leaf.shape), like)
    if isinstance(params, BatchNormParams):
        params = params._replace(running_variance=params.running_variance**2)
    return tree.map(lambda leaf: leaf.astype(np.float32).astype(np.float64), params)


class Truth(NamedTuple):
    params: Any
    x: Array
    grad_y: Array
    y: Array
    grad_x: Array
    grad_params: Any
    inverse_sd: float


def truth(case: Case, params: Any, x: Array, grad_y: Array) -> Truth:
    """Output, gradient of the input and of the parameters, by definition and complex step."""

    def by_leaf(index: int) -> Array:
        if index > 1:
            return np.zeros_like(params[index])  # a running statistic

        def loss(leaf: Array) -> Any:
            return np.sum(grad_y * case.definition(x, params._make([*params[:index], leaf, *params[index + 1 :]])))

        return complex_step(loss, params[index])

    y = case.definition(x, params)
    grad_x = complex_step(lambda x: np.sum(grad_y * case.definition(x, params)), x)
    grads = params._make(map(by_leaf, range(len(params))))
    return Truth(params, x, grad_y, y, grad_x, grads, case.inverse_sd(x, params))


@cache
def fixed_truth(kind: type, index: int) -> Truth:
    case, rng = CASES[kind], np.random.default_rng(index)
    shape = case.shapes[index]
    params = some_params(case.build(shape[case.axis]), rng)
    x, grad_y = representable(rng, shape), representable(rng, shape)
    return truth(case, params, x, grad_y)


def check(layer: Layer, namespace: Namespace, t: Truth) -> None:
    params, x, grad_y = tree.map(namespace.asarray, (t.params, t.x, t.grad_y))

    def everything(params: Any, x: Any, grad_y: Any) -> tuple[Any, ...]:
        y, residuals = layer.forward(params, Empty(), x)
        absent, grad_params = layer.backward(residuals, grad_y, input_grad=False)
        assert absent is None
        grad_x, again = layer.backward(residuals, grad_y)
        assert type(again) is type(grad_params)
        return y, grad_x, grad_params, layer.kl(params), layer.kl_grad(params)

    y, grad_x, grad_params, kl, kl_grad = namespace.run(everything, params, x, grad_y)
    exact, derived = (1e-12, 1e-11) if namespace.double else (64 * namespace.eps,) * 2
    # What was subtracted from x, and times what: an error of one rounding of x is an error of so many of y.
    scale, condition = largest(t.params.scale) * t.inverse_sd, 1 + largest(t.x) * t.inverse_sd
    assert_close(y, t.y, exact, namespace, largest(t.params.scale) * condition + largest(t.params.shift))
    assert_close(grad_x, t.grad_x, derived, namespace, largest(t.grad_y) * scale * condition)
    assert type(grad_params) is type(kl_grad) is type(t.params)
    for i, (got, want, zero) in enumerate(zip(grad_params, t.grad_params, kl_grad, strict=True)):
        size = float(np.sum(np.abs(t.grad_y))) * condition if i < 2 else 0.0  # that of running statistics is exactly 0
        assert_close(got, want, derived, namespace, size)
        assert_close(zero, np.zeros(want.shape), 0.0, namespace)
    assert_close(kl, 0.0, 0.0, namespace)
    assert_untouched((params, x, grad_y), (t.params, t.x, t.grad_y))


@pytest.mark.parametrize(("kind", "index"), ALL)
def test_on_every_namespace(namespace: Namespace, kind: type, index: int) -> None:
    t = fixed_truth(kind, index)
    check(CASES[kind].build(t.x.shape[CASES[kind].axis]), namespace, t)


@pytest.mark.parametrize("kind", CASES, ids=lambda k: k.__name__)
def test_any_shape_and_scale(kind: type) -> None:
    case = CASES[kind]
    shapes = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(lambda tail: (2, *tail))

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(shapes, st.integers(-20, 20), st.floats(-10, 10), st.integers(0, 2**32 - 1))
    def any_input(shape: tuple[int, ...], exponent: int, offset: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        layer = case.build(shape[case.axis])
        params, grad_y = some_params(layer, rng), rng.standard_normal(shape)
        x = (rng.standard_normal(shape) + offset) * 2.0**exponent
        check(layer, NUMPY64, truth(case, params, x, grad_y))

    any_input()


@pytest.mark.parametrize("kind", CASES, ids=lambda k: k.__name__)
def test_init_is_the_identity_and_follows_like(namespace: Namespace, kind: type) -> None:
    params = CASES[kind].build(3).init(host_rng(0), like=namespace.asarray(np.ones(2)))
    for name, leaf in tree.paths(params):
        assert namespace.owns(leaf)
        assert np.array_equal(to_numpy(leaf), np.full(3, float(name in ("scale", "running_variance"))))


def test_running_statistics(namespace: Namespace) -> None:
    layer, rng = BatchNorm(2, momentum=0.25, epsilon=EPSILON), np.random.default_rng(0)
    batches = [representable(rng, shape) for shape in ((2, 2, 3), (3, 2, 1), (1, 2, 4))]
    start = some_params(layer, rng)

    def absorbed(params: Any, x: Any) -> Any:
        return absorb(layer, params, layer.forward(params, Empty(), x)[1])

    params = tree.map(namespace.asarray, start)
    for x in batches:
        params = namespace.run(absorbed, params, namespace.asarray(x))
    mean, variance = definitions.running_statistics(batches, start.running_mean, start.running_variance, 0.25)
    tolerance = 1e-12 if namespace.double else 16 * namespace.eps
    assert type(params) is BatchNormParams
    assert_close(params.running_mean, mean, tolerance, namespace, 1.0)
    assert_close(params.running_variance, variance, tolerance, namespace)
    assert_close(params.scale, start.scale, 0.0, namespace)
    assert_close(params.shift, start.shift, 0.0, namespace)


def test_prediction_and_frozen_layer_use_the_running_statistics() -> None:
    layer, rng = BatchNorm(2, epsilon=EPSILON), np.random.default_rng(0)
    params, x = some_params(layer, rng), rng.standard_normal((3, 2, 2))
    want = _frozen(x, params)
    assert_close(layer.predict(params, x), want, 1e-13, NUMPY64, largest(want))
    assert_close(frozen(layer).forward(params, Empty(), x)[0], want, 1e-13, NUMPY64, largest(want))
    assert frozen(layer) == FrozenBatchNorm(2, EPSILON)
    assert isinstance(layer, HasStatistics)
    assert not isinstance(frozen(layer), HasStatistics)


def test_a_feature_without_variance_gives_its_shift(namespace: Namespace) -> None:
    layer = BatchNorm(2)
    params = layer.init(host_rng(0), like=namespace.asarray(np.ones(2)))._replace(shift=namespace.asarray([3.0, -2.0]))

    def everything(params: Any, x: Any) -> tuple[Any, Any]:
        y, residuals = layer.forward(params, Empty(), x)
        return y, layer.backward(residuals, x)[0]

    y, grad_x = namespace.run(everything, params, namespace.asarray(np.full((4, 2), 7.0)))
    assert np.array_equal(to_numpy(y), np.tile([3.0, -2.0], (4, 1)))
    assert np.array_equal(to_numpy(grad_x), np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BatchNorm(0), "features is 0, expected at least 1"),
        (lambda: BatchNorm(2, momentum=0.0), r"momentum is 0.0, expected the share of the newest batch, in \(0, 1\]"),
        (lambda: BatchNorm(2, epsilon=0.0), "epsilon is 0.0, expected a finite number above 0"),
        (lambda: FrozenBatchNorm(2, epsilon=-1.0), "epsilon is -1.0"),
        (lambda: LayerNorm(-1, epsilon=0.1), "features is -1"),
        (lambda: LayerNorm(3, epsilon=-1.0), "epsilon is -1"),
        (lambda: BatchNorm(2).output_shape((4, 3)), r"x has shape \(4, 3\), expected \(n, 2, \*space\)"),
        (lambda: LayerNorm(2).output_shape((4, 3)), r"x has shape \(4, 3\), expected \(n, \.\.\., 2\)"),
    ],
)
def test_what_does_not_fit(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("shape", [(1, 2), (0, 2), (1, 2, 1, 1)])
def test_one_value_a_feature_has_no_batch_statistics(shape: tuple[int, ...]) -> None:
    layer = BatchNorm(2)
    params = layer.init(host_rng(0), like=np.ones(1))
    with pytest.raises(ValueError, match="too few values a feature: batch statistics need two or more"):
        layer.forward(params, Empty(), np.ones(shape))
    assert layer.predict(params, np.ones(shape)).shape == shape


def test_dtypes_must_agree() -> None:
    params = LayerNorm(2).init(host_rng(0), like=np.ones(1))
    with pytest.raises(TypeError, match="x has dtype float32 and params float64"):
        LayerNorm(2).forward(params, Empty(), np.ones((1, 2), dtype=np.float32))
