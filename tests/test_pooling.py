"""Pooling and reshaping: equal to their definitions, gradients to a complex step through them, padding and ties."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from bayesnoise_reference import pooling as definitions
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from cases import representable
from closeness import assert_close, assert_untouched, largest
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import NUMPY64, Namespace

from bayesnoise import pooling, reshaping
from bayesnoise._typing import Shape
from bayesnoise.fixed import Fixed
from bayesnoise.layer import Empty


class Case(NamedTuple):
    layer: Fixed
    definition: Callable[[Array], Array]
    x_shape: Shape


def _max(x_shape: Shape, kernel: Shape, stride: Shape, padding: Shape) -> Case:
    return Case(
        pooling.max_pool(kernel, stride, padding),
        lambda x: definitions.each_channel(definitions.largest, x, kernel, stride, padding),
        x_shape,
    )


def _average(x_shape: Shape, kernel: Shape, stride: Shape, padding: Shape, counted: bool) -> Case:
    return Case(
        pooling.average_pool(kernel, stride, padding, count_include_pad=counted),
        lambda x: definitions.each_channel(definitions.average, x, kernel, stride, padding, counted),
        x_shape,
    )


def _last(x_shape: Shape) -> Case:
    last = (x_shape[-1] - 1,)
    return Case(reshaping.select(last, x_shape[-1]), lambda x: definitions.selected(x, last), x_shape)


CASES: dict[str, list[Case]] = {
    "max_pool": [
        _max((2, 2, 5), (2,), (2,), (0,)),
        _max((1, 2, 4, 3), (3, 2), (1, 2), (1, 1)),
        _max((2, 1, 2, 3, 2), (2, 2, 1), (2, 1, 1), (1, 0, 0)),
    ],
    "average_pool": [
        _average((2, 2, 5), (2,), (2,), (0,), True),
        _average((1, 2, 4, 3), (3, 2), (1, 2), (1, 1), True),
        _average((1, 2, 4, 3), (3, 2), (1, 2), (1, 1), False),
        _average((2, 1, 2, 3, 2), (2, 2, 1), (2, 1, 1), (1, 0, 0), False),
    ],
    "global_average_pool": [
        Case(pooling.global_average_pool(), definitions.global_average, shape)
        for shape in ((2, 3, 4), (2, 1, 2, 3), (1, 2, 2, 1, 2))
    ],
    "flatten": [Case(reshaping.flatten(), definitions.flattened, shape) for shape in ((3, 2), (2, 2, 3, 2))],
    "select": [
        Case(reshaping.select((3, 0), 4), lambda x: definitions.selected(x, (3, 0)), shape)
        for shape in ((2, 4), (2, 3, 4))
    ],
}
ALL = [
    pytest.param(name, i, id=f"{name}-{len(c.x_shape) - 2}d-{i}")
    for name, cases in CASES.items()
    for i, c in enumerate(cases)
]


def test_every_public_name_has_a_case() -> None:
    assert set(CASES) == {*pooling.__all__, *reshaping.__all__}


def truth(case: Case, x: Array, grad_y: Array) -> tuple[Array, Array]:
    """Output and gradient, by definition and complex step."""
    return case.definition(x), complex_step(lambda x: np.sum(grad_y * case.definition(x)), x)


@cache
def fixed_truth(name: str, index: int) -> tuple[Array, ...]:
    case = CASES[name][index]
    rng = np.random.default_rng(index)
    x, grad_y = representable(rng, case.x_shape), representable(rng, case.layer.output_shape(case.x_shape))
    return x, grad_y, *truth(case, x, grad_y)


def check(case: Case, namespace: Namespace, x: Array, grad_y: Array, y: Array, grad_x: Array) -> None:
    inputs = namespace.asarray(x), namespace.asarray(grad_y)

    def everything(x: Any, grad_y: Any) -> tuple[Any, Any]:
        y, residuals = case.layer.forward(Empty(), Empty(), x)
        grad_x, grad_params = case.layer.backward(residuals, grad_y)
        assert grad_params == Empty()
        return y, grad_x

    got_y, got_grad_x = namespace.run(everything, *inputs)
    assert case.layer.output_shape(x.shape) == tuple(got_y.shape)
    exact, derived = (1e-12, 1e-11) if namespace.double else (8 * namespace.eps,) * 2
    assert_close(got_y, y, exact, namespace, largest(x))
    assert_close(got_grad_x, grad_x, derived, namespace, largest(grad_y))
    assert_untouched(inputs, (x, grad_y))


@pytest.mark.parametrize(("name", "index"), ALL)
def test_on_every_namespace(namespace: Namespace, name: str, index: int) -> None:
    check(CASES[name][index], namespace, *fixed_truth(name, index))


@st.composite
def geometries(draw: st.DrawFn) -> tuple[Shape, Shape, Shape, Shape]:
    """An input's shape, and a kernel, stride and padding that fit it."""
    ndim = draw(st.integers(1, 3))
    sizes = st.lists(st.integers(1, 3), min_size=ndim, max_size=ndim).map(tuple)
    kernel, stride = draw(sizes), draw(sizes)
    padding = tuple(draw(st.integers(0, k - 1)) for k in kernel)
    space = tuple(max(1, k - 2 * p) + draw(st.integers(0, 2)) for k, p in zip(kernel, padding, strict=True))
    return (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *space), kernel, stride, padding


@pytest.mark.parametrize("name", CASES)
def test_any_geometry(name: str) -> None:
    @settings(max_examples=50, deadline=None, derandomize=True)
    @given(geometries(), st.booleans(), st.integers(-20, 20), st.integers(0, 2**32 - 1))
    def any_input(geometry: tuple[Shape, Shape, Shape, Shape], counted: bool, exponent: int, seed: int) -> None:
        x_shape, kernel, stride, padding = geometry
        case = {
            "max_pool": lambda: _max(x_shape, kernel, stride, padding),
            "average_pool": lambda: _average(x_shape, kernel, stride, padding, counted),
            "select": lambda: _last(x_shape),
        }.get(name, lambda: CASES[name][0])()
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(x_shape) * 2.0**exponent
        grad_y = rng.standard_normal(case.layer.output_shape(x_shape))
        check(case, NUMPY64, x, grad_y, *truth(case, x, grad_y))

    any_input()


def gradient(layer: Fixed, x: Array, grad_y: Array) -> Array:
    _, residuals = layer.forward(Empty(), Empty(), x)
    grad_x, _ = layer.backward(residuals, grad_y)
    return np.asarray(grad_x)


def test_of_equal_values_the_first_takes_the_gradient() -> None:
    x = np.array([[[[1.0, 3.0, 3.0], [3.0, 0.0, 3.0]]]])
    grad_x = gradient(pooling.max_pool((2, 3)), x, np.ones((1, 1, 1, 1)))
    assert grad_x.tolist() == [[[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]


def test_ties_are_broken_alike_on_every_namespace(namespace: Namespace) -> None:
    x = np.random.default_rng(0).integers(0, 2, (2, 2, 6, 6)).astype(np.float64)
    case = _max(x.shape, (3, 3), (1, 2), (1, 1))
    grad_y = representable(np.random.default_rng(1), case.layer.output_shape(x.shape))
    check(case, namespace, x, grad_y, *truth(case, x, grad_y))


def test_padding_never_wins() -> None:
    layer = pooling.max_pool((2,), 2, 1)
    for low in (-5.0, -np.inf):
        x = np.full((1, 1, 4), low)
        assert np.array_equal(layer.predict(Empty(), x), np.full((1, 1, 3), low))
        assert gradient(layer, x, np.ones((1, 1, 3))).tolist() == [[[1.0, 1.0, 0.0, 1.0]]]


def test_padding_counts_or_not() -> None:
    x = np.ones((1, 1, 2))
    assert pooling.average_pool((2,), 2, 1).predict(Empty(), x).tolist() == [[[0.5, 0.5]]]
    assert pooling.average_pool((2,), 2, 1, count_include_pad=False).predict(Empty(), x).tolist() == [[[1.0, 1.0]]]


@pytest.mark.parametrize("name", CASES)
def test_empty_batch(namespace: Namespace, name: str) -> None:
    layer, _, x_shape = CASES[name][1]
    shape = (0, *x_shape[1:])

    def everything(x: Any, grad_y: Any) -> tuple[Any, Any]:
        y, residuals = layer.forward(Empty(), Empty(), x)
        return y, layer.backward(residuals, grad_y)[0]

    grad_y = namespace.asarray(np.ones(layer.output_shape(shape)))
    y, grad_x = namespace.run(everything, namespace.asarray(np.ones(shape)), grad_y)
    assert tuple(y.shape) == layer.output_shape(shape)
    assert tuple(grad_x.shape) == shape


def test_layers_compare_and_hash() -> None:
    assert pooling.max_pool((2, 2)) == pooling.max_pool((2, 2), 2) != pooling.max_pool((2, 2), 1)
    assert hash(pooling.average_pool((2,))) == hash(pooling.average_pool((2,)))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: pooling.max_pool(2), ValueError, "kernel is 2, expected a tuple of 1, 2 or 3"),  # type: ignore[arg-type]
        (lambda: pooling.max_pool((2, 2, 2, 2)), ValueError, "kernel is"),
        (lambda: pooling.max_pool((2, 2), stride=(1,)), ValueError, "stride is .* one integer or 2"),
        (lambda: pooling.max_pool((2,), stride=0), ValueError, "stride is 0"),
        (lambda: pooling.max_pool((2, 3), padding=2), ValueError, "padding is 2, expected less than the kernel"),
        (lambda: pooling.average_pool((2.0,)), TypeError, "kernel is"),  # type: ignore[arg-type]
        (lambda: pooling.max_pool((2,)).output_shape((1, 1, 4, 4)), ValueError, r"expected \(n, c, size\)"),
        (lambda: pooling.max_pool((3,)).output_shape((1, 1, 2)), ValueError, "too small for kernel"),
        (lambda: pooling.max_pool((2,), padding=1).output_shape((1, 1, 0)), ValueError, "too small"),
        (lambda: pooling.global_average_pool().output_shape((2, 3)), ValueError, r"expected \(n, c, \*space\)"),
        (lambda: pooling.global_average_pool().output_shape((2, 3, 0)), ValueError, "sizes of at least 1"),
        (lambda: reshaping.flatten().output_shape((3,)), ValueError, "at least two axes"),
        (lambda: reshaping.select((), 2), ValueError, "expected at least one of 0 to 1"),
        (lambda: reshaping.select((1, 1), 2), ValueError, "none twice"),
        (lambda: reshaping.select(3, 4), TypeError, "indices is 3, expected a tuple of integers"),  # type: ignore[arg-type]
        (lambda: reshaping.select(("a",), 4), TypeError, "indices is .*, expected integers"),  # type: ignore[arg-type]
        (lambda: reshaping.select((0,), None), TypeError, "features is None, expected an integer"),  # type: ignore[arg-type]
        (lambda: reshaping.select((2,), 2), ValueError, r"indices is \(2,\), expected"),
        (lambda: reshaping.select((0,), 2).output_shape((1, 3)), ValueError, r"expected \(n, ..., 2\)"),
    ],
)
def test_what_does_not_fit(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
