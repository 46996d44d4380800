"""Every map: equal to its definition, its adjoints true, its shapes as stated, its errors readable."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from agreement import run
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from cases import MAP_ORACLES, MAPS, name_of, representable
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy

from bayesnoise import maps
from bayesnoise._typing import Shape
from bayesnoise.maps import Map
from bayesnoise.maps._windows import PaddingMode

ALL = [pytest.param(m, shape, id=name_of(m)) for m, shape in MAPS]


@st.composite
def convolutions(draw: st.DrawFn, transposed: bool = False) -> tuple[Map, Shape]:
    """A geometry that fits, over 1 to 3 dimensions, and the shape of an input."""
    ndim = draw(st.integers(1, 3))
    sizes = st.lists(st.integers(1, 3), min_size=ndim, max_size=ndim).map(tuple)
    groups, kernel, stride = draw(st.integers(1, 2)), draw(sizes), draw(sizes)
    dilation = draw(st.lists(st.integers(1, 2), min_size=ndim, max_size=ndim).map(tuple))
    padding = draw(st.lists(st.integers(0, 2), min_size=ndim, max_size=ndim).map(tuple))
    spare = draw(st.lists(st.integers(0, 2), min_size=ndim, max_size=ndim))
    c, o = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    batch = draw(st.integers(0, 2))
    if transposed:
        extra = tuple(draw(st.integers(0, s - 1)) for s in stride)
        reach = [d * (k - 1) + e for d, k, e in zip(dilation, kernel, extra, strict=True)]
        least = [max(1, -((r - 2 * p) // s) + 1) for r, p, s in zip(reach, padding, stride, strict=True)]
        space = tuple(n + e for n, e in zip(least, spare, strict=True))
        return maps.ConvTranspose(c, o, kernel, stride, padding, extra, dilation, groups), (batch, c, *space)
    mode: PaddingMode = draw(st.sampled_from(["zeros", "circular"]))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    if mode == "circular":
        least = [max(n, p) for n, p in zip(least, padding, strict=True)]
    space = tuple(n + e for n, e in zip(least, spare, strict=True))
    return maps.Conv(c, o, kernel, stride, padding, dilation, groups, mode), (batch, c, *space)


@st.composite
def denses(draw: st.DrawFn) -> tuple[Map, Shape]:
    i, o, n = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(0, 3))
    positions = draw(st.lists(st.integers(1, 3), max_size=2))
    return maps.Dense(i, o), (n, *positions, i)


@st.composite
def biases(draw: st.DrawFn) -> tuple[Map, Shape]:
    ndim = draw(st.integers(2, 4))
    return maps.Bias(draw(st.integers(1, 4)), draw(st.sampled_from([1, -1]))), (
        draw(st.integers(0, 3)),
        *(1,) * (ndim - 1),
    )


GEOMETRIES = {
    maps.Dense: denses(),
    maps.Bias: biases(),
    maps.Conv: convolutions(),
    maps.ConvTranspose: convolutions(transposed=True),
}


def inner(a: Array, b: Array) -> tuple[float, float]:
    """The inner product and the size of what was summed."""
    return float(np.sum(a * b)), float(np.sum(np.abs(a * b)))


@pytest.mark.parametrize("kind", GEOMETRIES, ids=lambda k: k.__name__)
def test_map_equals_its_definition_and_its_adjoints_are_adjoint(kind: type) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(GEOMETRIES[kind], st.integers(0, 2**32 - 1))
    def check(geometry: tuple[Map, Shape], seed: int) -> None:
        m, x_shape = geometry
        rng = np.random.default_rng(seed)
        x, w = rng.standard_normal(x_shape), rng.standard_normal(m.weight_shape)
        y = m.apply(x, w)
        assert y.shape == m.output_shape(x_shape)
        contract = MAP_ORACLES[kind](m).contract
        for x_n, y_n in zip(x, y, strict=True):
            bound = 1e-12 * contract(np.abs(x_n), np.abs(w))
            assert np.all(np.abs(y_n - contract(x_n, w)) <= bound)
        g = rng.standard_normal(y.shape)
        by_x, by_w = m.adjoint_x(g, w, x.shape), m.adjoint_w(g, x, w.shape)
        assert by_x.shape == x.shape
        assert by_w.shape == w.shape
        products = [inner(y, g), inner(x, by_x), inner(w, by_w)]
        size = max(size for _, size in products)
        assert abs(products[0][0] - products[1][0]) <= 1e-13 * size
        assert abs(products[0][0] - products[2][0]) <= 1e-13 * size

    check()


@lru_cache
def truth(index: int) -> tuple[Array, ...]:
    """Input, weights, gradient of the output; then output and gradients, by definition and complex step."""
    m, x_shape = MAPS[index]
    rng = np.random.default_rng(index)
    x, w = representable(rng, x_shape), representable(rng, m.weight_shape)
    g = representable(rng, m.output_shape(x_shape))
    contract = MAP_ORACLES[type(m)](m).contract

    def total(x: Array, w: Array) -> Any:
        return sum(np.sum(g_n * contract(x_n, w)) for g_n, x_n in zip(g, x, strict=True))

    y = np.stack([contract(x_n, w) for x_n in x])
    return x, w, g, y, complex_step(lambda x: total(x, w), x), complex_step(lambda w: total(x, w), w)


@pytest.mark.parametrize("index", range(len(MAPS)), ids=[name_of(m) for m, _ in MAPS])
def test_map_on_every_namespace(namespace: Namespace, index: int) -> None:
    m, _ = MAPS[index]
    x, w, g, *expected = truth(index)
    x_, w_, g_ = (namespace.asarray(a) for a in (x, w, g))

    def everything(x: Any, w: Any, g: Any) -> tuple[Any, ...]:
        return m.apply(x, w), m.adjoint_x(g, w, x.shape), m.adjoint_w(g, x, w.shape)

    tolerance = 1e-13 if namespace.double else 64 * namespace.eps
    for got, want in zip(run(namespace, everything, x_, w_, g_), expected, strict=True):
        assert namespace.owns(got)
        assert tuple(got.shape) == want.shape
        assert np.max(np.abs(to_numpy(got) - want)) <= tolerance * np.max(np.abs(want))
    for array, before in ((x_, x), (w_, w), (g_, g)):
        assert np.array_equal(to_numpy(array), before)


@pytest.mark.parametrize(("m", "x_shape"), ALL)
def test_empty_batch(namespace: Namespace, m: Map, x_shape: Shape) -> None:
    x, w = namespace.asarray(np.ones((0, *x_shape[1:]))), namespace.asarray(np.ones(m.weight_shape))
    g = namespace.asarray(np.ones(m.output_shape(x.shape)))

    def everything(x: Any, w: Any, g: Any) -> tuple[Any, ...]:
        return m.apply(x, w), m.adjoint_x(g, w, x.shape), m.adjoint_w(g, x, w.shape)

    y, by_x, by_w = run(namespace, everything, x, w, g)
    assert tuple(y.shape) == m.output_shape(x.shape)
    assert tuple(by_x.shape) == tuple(x.shape)
    assert np.array_equal(to_numpy(by_w), np.zeros(m.weight_shape))


@pytest.mark.parametrize(("m", "x_shape"), ALL)
def test_shapes_of_signs_and_units_broadcast(m: Map, x_shape: Shape) -> None:
    sign_in, sign_out = m.sign_shapes(x_shape)
    assert np.broadcast_shapes(sign_in, x_shape) == x_shape
    assert np.broadcast_shapes(sign_out, m.output_shape(x_shape)) == m.output_shape(x_shape)
    assert sign_in[0] == sign_out[0] == x_shape[0]
    groups = getattr(m, "groups", 1)
    grouped = {"input"} if isinstance(m, maps.Conv) else {"output"}
    for unit in ("weight", "input", "output"):
        if groups > 1 and unit in grouped:
            with pytest.raises(ValueError, match="no shape of its own"):
                m.unit_shape(unit)
        else:
            assert np.broadcast_shapes(m.unit_shape(unit), m.weight_shape) == m.weight_shape
    assert m.bias().output_shape((x_shape[0], *(1,) * (len(x_shape) - 1)))[0] == x_shape[0]


@pytest.mark.parametrize(
    ("m", "x_shape"),
    [*ALL, pytest.param(maps.Conv(2, 3, (2,)), (1, 2, 3)), pytest.param(maps.ConvTranspose(2, 3, (2,)), (1, 2, 3))],
)
def test_a_factor_of_a_unit_is_a_factor_of_that_input_or_output(m: Map, x_shape: Shape) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(x_shape), rng.standard_normal(m.weight_shape)
    sign_in, sign_out = m.sign_shapes(x_shape)
    groups, conv = getattr(m, "groups", 1), isinstance(m, maps.Conv)
    if groups == 1 or not conv:
        u = rng.standard_normal(m.unit_shape("input"))
        np.testing.assert_allclose(m.apply(x, w * u), m.apply(x * u.reshape((1, *sign_in[1:])), w), rtol=0, atol=1e-14)
    if groups == 1 or conv:
        u = rng.standard_normal(m.unit_shape("output"))
        np.testing.assert_allclose(m.apply(x, w * u), m.apply(x, w) * u.reshape((1, *sign_out[1:])), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("m", "x_shape", "message"),
    [
        (maps.Dense(3, 2), (3,), r"x has shape \(3,\), expected \(n, \.\.\., 3\)"),
        (maps.Dense(3, 2), (4, 2), r"x has shape \(4, 2\)"),
        (maps.Bias(3, axis=1), (4, 2), "one element an example"),
        (maps.Bias(3, axis=-1), (4,), "one element an example"),
        (maps.Conv(2, 3, (2, 2)), (1, 2, 4), r"expected \(n, 2, size, size\)"),
        (maps.Conv(2, 3, (2,)), (), r"expected \(n, 2, size\)"),
        (maps.Conv(2, 3, (2,)), (1, 3, 4), r"expected \(n, 2, size\)"),
        (maps.Conv(2, 3, (3,), dilation=2), (1, 2, 4), "too small for kernel"),
        (maps.Conv(1, 1, (1,), padding=1), (1, 1, 0), "too small"),
        (maps.Conv(1, 1, (3,), padding=3, padding_mode="circular"), (1, 1, 2), "at most the sizes"),
        (maps.ConvTranspose(2, 3, (2,)), (1, 3, 4), r"expected \(n, 2, size\)"),
        (maps.ConvTranspose(2, 3, (2,)), (1, 2, 4, 4), r"expected \(n, 2, size\)"),
        (maps.ConvTranspose(1, 1, (1,), padding=1), (1, 1, 2), "too small for the padding"),
        (maps.ConvTranspose(1, 1, (3,)), (1, 1, 0), "too small"),
    ],
)
def test_input_that_does_not_fit(m: Map, x_shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        m.output_shape(x_shape)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: maps.Dense(0, 2), ValueError, "in_features is 0, expected at least 1"),
        (lambda: maps.Dense(3, True), TypeError, "out_features is True, expected an integer"),
        (lambda: maps.Dense(3, 2.0), TypeError, "out_features is 2.0"),  # type: ignore[arg-type]
        (lambda: maps.Bias(3, axis=0), ValueError, "axis is 0"),
        (lambda: maps.Conv(1, 1, 3), ValueError, "kernel is 3, expected a tuple"),  # type: ignore[arg-type]
        (lambda: maps.Conv(1, 1, ()), ValueError, "kernel is"),
        (lambda: maps.Conv(1, 1, (2, 2, 2, 2)), ValueError, "1, 2 or 3 integers"),
        (lambda: maps.Conv(1, 1, (0,)), ValueError, "kernel is"),
        (lambda: maps.Conv(1, 1, (2.0,)), TypeError, "kernel is"),  # type: ignore[arg-type]
        (lambda: maps.Conv(1, 1, (2, 2), stride=(1,)), ValueError, "stride is .* one integer or 2"),
        (lambda: maps.Conv(1, 1, (2,), stride=0), ValueError, "stride is 0"),
        (lambda: maps.Conv(1, 1, (2,), stride=1.5), TypeError, "stride is 1.5, expected"),  # type: ignore[arg-type]
        (lambda: maps.Conv(1, 1, (2,), padding=-1), ValueError, "padding is -1"),
        (lambda: maps.Conv(3, 2, (2,), groups=2), ValueError, "groups is 2, expected a divisor"),
        (lambda: maps.Conv(1, 1, (2,), padding_mode="zero"), ValueError, "did you mean zeros"),  # type: ignore[arg-type]
        (lambda: maps.ConvTranspose(2, 3, (2,), groups=2), ValueError, "groups is 2"),
        (lambda: maps.ConvTranspose(1, 1, (2,), stride=2, output_padding=2), ValueError, "output_padding is"),
        (lambda: maps.ConvTranspose(1, 1, (2,), dilation=2, output_padding=1), ValueError, "below the stride"),
    ],
)
def test_sizes_that_do_not_fit_together(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
