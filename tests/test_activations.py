"""Every activation: equal to its definition, its slope to a complex step through it, finite from -1e4 to 1e4."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
from bayesnoise_reference import activations as definitions
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from cases import representable
from closeness import assert_close, assert_untouched
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import NUMPY64, Namespace, to_numpy

from bayesnoise import activations
from bayesnoise.fixed import Fixed
from bayesnoise.layer import Empty


def _nothing(x: Array) -> Array:
    return np.zeros_like(x)


class Case(NamedTuple):
    layer: Fixed
    definition: Callable[[complex], complex]
    value_size: Callable[[Array], Array] = _nothing  # beside |y|, what the rounding of y is relative to
    slope_size: Callable[[Array], Array] = _nothing  # the same for dy/dx


# A gelu weighs x by a probability that is right to one absolute rounding; the slope of silu is a difference.
CASES: dict[str, list[Case]] = {
    "relu": [Case(activations.relu(), definitions.relu)],
    "leaky_relu": [
        Case(activations.leaky_relu(), partial(definitions.leaky_relu, slope=0.01)),
        Case(activations.leaky_relu(0.25), partial(definitions.leaky_relu, slope=0.25)),
    ],
    "elu": [
        Case(activations.elu(), partial(definitions.elu, alpha=1.0)),
        Case(activations.elu(1.5), partial(definitions.elu, alpha=1.5)),
    ],
    "gelu": [
        Case(activations.gelu(), definitions.gelu, np.abs, np.ones_like),
        Case(activations.gelu(approximate="tanh"), definitions.gelu_tanh, np.abs, np.ones_like),
    ],
    "silu": [
        Case(activations.silu(), definitions.silu, slope_size=lambda x: (1 + np.abs(x)) * np.exp(-np.logaddexp(0, -x)))
    ],
    "tanh": [Case(activations.tanh(), definitions.tanh)],
    "sigmoid": [Case(activations.sigmoid(), definitions.sigmoid)],
    "softplus": [Case(activations.softplus(), definitions.softplus)],
}
ALL = [pytest.param(case, id=repr(case.layer.operation)) for cases in CASES.values() for case in cases]


def test_every_public_name_has_a_case() -> None:
    assert set(CASES) == set(activations.__all__)


def run(case: Case, namespace: Namespace, x: Array, grad_y: Array) -> tuple[Any, Any]:
    """Output and gradient; the inputs are checked to be what they were."""
    inputs = namespace.asarray(x), namespace.asarray(grad_y)

    def everything(x: Any, grad_y: Any) -> tuple[Any, Any]:
        y, residuals = case.layer.forward(Empty(), Empty(), x)
        grad_x, grad_params = case.layer.backward(residuals, grad_y)
        assert grad_params == Empty()
        return y, grad_x

    y, grad_x = namespace.run(everything, *inputs)
    assert_untouched(inputs, (x, grad_y))
    assert case.layer.output_shape(x.shape) == tuple(y.shape)
    return y, grad_x


def check(case: Case, namespace: Namespace, x: Array, grad_y: Array) -> None:
    y, grad_x = run(case, namespace, x, grad_y)
    slope = np.array([complex_step(case.definition, x_n) for x_n in x.ravel()]).reshape(x.shape)
    exact, derived = (1e-12, 1e-11) if namespace.double else (16 * namespace.eps,) * 2
    # Below the smallest normal number no digits are promised.
    least = float(np.finfo(np.float64 if namespace.double else np.float32).tiny) * (1 + np.abs(x)) / exact
    assert_close(y, definitions.each(case.definition, x), exact, namespace, case.value_size(x) + least)
    assert_close(
        grad_x, slope * grad_y, derived, namespace, np.abs(grad_y) * case.slope_size(x) + least * (1 + np.abs(grad_y))
    )


@pytest.mark.parametrize("case", ALL)
def test_value_and_slope_on_every_namespace(namespace: Namespace, case: Case) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([representable(rng, (4, 3)) * scale for scale in (2.0**-20, 1.0, 8.0, 128.0)])
    check(case, namespace, x, representable(rng, x.shape))


@pytest.mark.parametrize("case", ALL)
def test_value_and_slope_of_any_shape_and_scale(case: Case) -> None:
    shapes = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple)

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(shapes, st.integers(-30, 13), st.integers(0, 2**32 - 1))
    def any_input(shape: tuple[int, ...], exponent: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        check(case, NUMPY64, rng.standard_normal(shape) * 2.0**exponent, rng.standard_normal(shape))

    any_input()


@pytest.mark.parametrize("case", ALL)
def test_finite_far_out_and_nan_stays_nan(namespace: Namespace, case: Case) -> None:
    x = np.array([np.nan, -1e4, -1e3, -100.0, -0.0, 0.0, 100.0, 1e3, 1e4])
    y, grad_x = (to_numpy(array) for array in run(case, namespace, x, np.ones_like(x)))
    assert np.isnan(y[0])
    assert np.all(np.isfinite(y[1:]))
    assert np.all(np.isfinite(grad_x[1:]))


@pytest.mark.parametrize(
    ("layer", "slope"),
    [
        (activations.relu(), 0.0),
        (activations.leaky_relu(0.25), 0.25),
        (activations.elu(2.0), 2.0),
    ],
)
def test_slope_at_the_kink_is_that_from_below(layer: Fixed, slope: float) -> None:
    x = np.array([0.0, -0.0])
    _, residuals = layer.forward(Empty(), Empty(), x)
    grad_x, _ = layer.backward(residuals, np.ones(2))
    assert grad_x is not None
    assert grad_x.tolist() == [slope, slope]


def test_slope_of_tanh_where_one_minus_its_square_has_no_digits() -> None:
    x = np.array([-15.0, 12.0, 18.5])
    _, residuals = activations.tanh().forward(Empty(), Empty(), x)
    grad_x, _ = activations.tanh().backward(residuals, np.ones(3))
    with mpmath.workdps(40):
        want = [float(mpmath.sech(mpmath.mpf(v)) ** 2) for v in x]
    assert grad_x == pytest.approx(want, rel=1e-14)


def test_prediction_is_the_value_and_no_gradient_of_the_input_comes_unless_asked() -> None:
    y, residuals = activations.relu().forward(Empty(), Empty(), np.ones(2))
    assert np.array_equal(activations.relu().predict(Empty(), np.ones(2)), y)
    assert activations.relu().backward(residuals, np.ones(2), input_grad=False) == (None, Empty())


def test_layers_compare_hash_and_print_as_written() -> None:
    assert activations.elu(0.5) == activations.elu(0.5) != activations.elu(1.0)
    assert hash(activations.relu()) == hash(activations.relu())
    assert repr(activations.leaky_relu(0.25)) == "Fixed(operation=leaky_relu(0.25))"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: activations.leaky_relu(float("nan")), "slope is nan, expected a finite number"),
        (lambda: activations.elu(float("inf")), "alpha is inf"),
        (lambda: activations.gelu(approximate="tan"), "did you mean tanh"),
    ],
)
def test_constants_out_of_range(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_integers_are_refused() -> None:
    with pytest.raises(TypeError, match="x has dtype int64, expected real floating point"):
        activations.relu().forward(Empty(), Empty(), np.arange(3))
