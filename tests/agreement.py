"""Holding a layer to the oracle: gradients by complex step, one run of everything a layer computes, and the bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from bayesnoise_backends.host import host_rng
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from cases import representable
from namespaces import Namespace, to_numpy

from bayesnoise import tree
from bayesnoise._typing import Shape

# The output by its definition: of the parameters, the noise and the input.
Definition = Callable[[Any, Any, Array], Array]

# These programs run once: most of the time would go into making them fast.
_QUICK_COMPILE = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


class Truth(NamedTuple):
    """One call of a layer, and what the oracle says of it."""

    params: Any
    noise: Any
    x: Array
    grad_y: Array
    y: Array
    grad_x: Array | None  # None where the input is integers
    grad_params: Any
    mean: Array
    variance: Array | None  # None where the law of the output has no closed one
    prediction: Array  # what the layer predicts without noise: the mean, but for a few


def with_leaf(like: Any, index: int, leaf: Array) -> Any:
    """The tree with its leaf of that number replaced."""
    leaves = tree.leaves(like)
    return tree.unflatten(like, iter([*leaves[:index], leaf, *leaves[index + 1 :]]))


def gradient(function: Callable[[Any], Any], params: Any) -> Any:
    """The gradient of a scalar function of a tree, by complex step."""

    def by_leaf(index: int) -> Array:
        return complex_step(lambda leaf: function(with_leaf(params, index, leaf)), tree.leaves(params)[index])

    return tree.unflatten(params, iter([by_leaf(i) for i in range(len(tree.leaves(params)))]))


def random_params(layer: Any, rng: np.random.Generator) -> Any:
    """Parameters of the right shapes with standard normal entries: means and scales of the order of 1."""
    like = layer.init(host_rng(0), like=np.zeros((), dtype=np.float64))
    return tree.map(lambda leaf: representable(rng, leaf.shape), like)


def random_noise(layer: Any, params: Any, x_shape: Shape, seed: int) -> Any:
    """Noise that float32 holds exactly."""
    noise = layer.draw(host_rng(seed), params, x_shape, like=np.zeros((), dtype=np.float32))
    return tree.map(lambda leaf: leaf.astype(np.float64), noise)


def truth(
    layer: Any,
    x_shape: Shape,
    define: Definition,
    moments: Callable[[Any, Array], tuple[Array, Array | None]],
    seed: int,
    *,
    make_params: Callable[[Any, np.random.Generator], Any] = random_params,
    predict: Callable[[Any, Array], Array] | None = None,
    make_x: Callable[[np.random.Generator, Shape], Array] = representable,
) -> Truth:
    """A call with random parameters, noise and input, and its output and gradients by the definition."""
    rng = np.random.default_rng(seed)
    params, x = make_params(layer, rng), make_x(rng, x_shape)
    noise = random_noise(layer, params, x_shape, seed)
    grad_y = representable(rng, layer.output_shape(x_shape))
    real = np.issubdtype(x.dtype, np.floating)
    grad_x = complex_step(lambda x: np.sum(grad_y * define(params, noise, x)), x) if real else None
    grad_params = gradient(lambda p: np.sum(grad_y * define(p, noise, x)), params)
    mean, variance = moments(params, x)
    prediction = mean if predict is None else predict(params, x)
    return Truth(params, noise, x, grad_y, define(params, noise, x), grad_x, grad_params, mean, variance, prediction)


def assert_close(got: Any, want: Any, tolerance: float, namespace: Namespace | None = None) -> None:
    """Same shape, dtype and device as expected, and every element within `tolerance` of the largest one."""
    want = np.asarray(want)
    assert namespace is None or namespace.owns(got)
    assert tuple(got.shape) == want.shape
    assert np.max(np.abs(to_numpy(got) - want), initial=0.0) <= tolerance * np.max(np.abs(want), initial=0.0)


def assert_trees_close(got: Any, want: Any, tolerance: float, namespace: Namespace | None = None) -> None:
    """Trees of one type whose leaves are close, each by itself."""
    assert type(got) is type(want)
    got_paths, want_paths = list(tree.paths(got)), list(tree.paths(want))
    assert [path for path, _ in got_paths] == [path for path, _ in want_paths]
    for (_, g), (_, w) in zip(got_paths, want_paths, strict=True):
        assert_close(g, w, tolerance, namespace)


def run(namespace: Namespace, function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)`, jitted where the namespace compiles."""
    return jax.jit(function, compiler_options=_QUICK_COMPILE)(*args) if namespace.jit else function(*args)


def assert_agrees(layer: Any, t: Truth, namespace: Namespace) -> None:
    """Everything that the layer computes equals the truth, and nothing that came in has changed."""
    before = (t.params, t.noise, t.x, t.grad_y)
    inputs = tree.map(namespace.asarray, before)

    def everything(params: Any, noise: Any, x: Any, grad_y: Any) -> Any:
        y, residuals = layer.forward(params, noise, x)
        moments = layer.moments(params, x) if hasattr(layer, "moments") else None
        return y, layer.backward(residuals, grad_y), layer.predict(params, x), moments

    y, (grad_x, grad_params), prediction, moments = run(namespace, everything, *inputs)
    exact, derived = (1e-12, 1e-11) if namespace.double else (64 * namespace.eps,) * 2
    assert_close(y, t.y, exact, namespace)
    if t.grad_x is None:
        assert grad_x is None
    else:
        assert_close(grad_x, t.grad_x, derived, namespace)
    assert_trees_close(grad_params, t.grad_params, derived, namespace)
    assert_close(prediction, t.prediction, exact, namespace)
    if moments is not None:
        assert t.variance is not None, "the layer has moments, and the case does not define them"
        assert_close(moments[0], t.mean, exact, namespace)
        assert_close(moments[1], t.variance, exact, namespace)
    for after, value in zip(tree.leaves(inputs), tree.leaves(before), strict=True):
        assert np.array_equal(to_numpy(after), value)
