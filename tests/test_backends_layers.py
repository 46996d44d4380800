"""Layers on each backend: the same noise gives the same numbers, accelerated layers compute what plain ones do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bayesnoise_backends
import jax
import numpy as np
import pytest
import torch
from bayesnoise_backends import _blocked
from bayesnoise_backends.host import host_rng
from bayesnoise_backends.jax import Jitted
from bayesnoise_backends.torch import NativeConv, NativeConvTranspose
from namespaces import NAMESPACES, NUMPY64, Namespace, to_numpy

from bayesnoise import maps, posteriors, tree
from bayesnoise._typing import Shape
from bayesnoise.affine import Affine
from bayesnoise.chain import Chain, chain
from bayesnoise.divergences import GaussianKL, LogUniform, ScaleMixture, Zero
from bayesnoise.estimators import Flipout, Local, Plain, Shared
from bayesnoise.fixed import Fixed
from bayesnoise.layer import HasMoments, HasStatistics, Layer
from bayesnoise.stochastic import Stochastic

BY_NAME = {n.name: n for n in NAMESPACES}


@dataclass(frozen=True)
class Flat:
    """All axes but the first as one: its residuals are a shape, which is no array."""

    def output_shape(self, x_shape: Shape) -> Shape:
        return (x_shape[0], int(np.prod(x_shape[1:])))

    def forward(self, x: Any) -> tuple[Any, Any]:
        return x.reshape(self.output_shape(x.shape)), tuple(x.shape)

    def backward(self, residuals: Any, grad_y: Any) -> Any:
        return grad_y.reshape(residuals)


def with_bias(weight: Stochastic) -> Affine:
    return Affine(weight, Stochastic(weight.map.bias(), weight.posterior, Local(), GaussianKL()))


CONV = maps.Conv(2, 3, (2, 2), stride=(1, 2), padding=1, padding_mode="circular")
TRANSPOSED = maps.ConvTranspose(3, 2, (2, 2), stride=2, output_padding=1)
LAYERS: dict[str, tuple[Layer, Shape]] = {
    "dense-flipout": (
        with_bias(Stochastic(maps.Dense(3, 2), posteriors.Gaussian(0.3), Flipout(), GaussianKL())),
        (4, 3),
    ),
    "dense-local": (with_bias(Stochastic(maps.Dense(3, 2), posteriors.Gaussian(0.3), Local(), GaussianKL())), (4, 3)),
    "dense-shared": (
        Stochastic(maps.Dense(3, 2), posteriors.LogSigmaGaussian(0.3), Shared(), ScaleMixture()),
        (4, 3),
    ),
    "conv-flipout": (
        with_bias(Stochastic(CONV, posteriors.Gaussian(0.3), Flipout(), GaussianKL())),
        (2, 2, 4, 3),
    ),
    "conv-local": (Stochastic(CONV, posteriors.Additive(-2.0), Local(), LogUniform()), (2, 2, 4, 3)),
    "conv-shared": (Stochastic(CONV, posteriors.Multiplicative(-1.0), Shared(), LogUniform()), (2, 2, 4, 3)),
    "chain": (
        chain(
            Stochastic(CONV, posteriors.Gaussian(0.3), Flipout(), GaussianKL(0.5)),
            Stochastic(TRANSPOSED, posteriors.Gaussian(0.3), Shared(), GaussianKL()),
            Fixed(Flat()),
            Stochastic(maps.Dense(2 * 11 * 5, 3), posteriors.Point(), Plain(), Zero()),
        ),
        (2, 2, 4, 3),
    ),
}
ALL = pytest.mark.parametrize("name", LAYERS)


def inputs(name: str, n: Namespace) -> tuple[Layer, Any, Any, Any, Any]:
    """A layer with the same parameters, noise, input and gradient of the output in every namespace."""
    layer, x_shape = LAYERS[name]
    like = np.zeros((), dtype=np.float64)
    params = layer.init(host_rng(1), like=like)
    noise = layer.draw(host_rng(2), params, x_shape, like=like)
    rng = np.random.default_rng(3)
    x, grad_y = rng.standard_normal(x_shape), rng.standard_normal(layer.output_shape(x_shape))
    return layer, *(tree.map(n.asarray, value) for value in (params, noise, x, grad_y))


def everything(layer: Any, params: Any, noise: Any, x: Any, grad_y: Any) -> tuple[Any, ...]:
    """All that a layer computes."""
    y, residuals = layer.forward(params, noise, x)
    grad_x, grads = layer.backward(residuals, grad_y)
    none, again = layer.backward(residuals, grad_y, input_grad=False)
    assert none is None
    return y, grad_x, grads, again, layer.predict(params, x), layer.kl(params, noise), layer.kl_grad(params, noise)


def assert_close(value: Any, expected: Any, eps: float) -> None:
    for (path, a), (other, b) in zip(tree.paths(value), tree.paths(expected), strict=True):
        assert path == other
        a, b = to_numpy(a), to_numpy(b)
        assert a.shape == b.shape
        assert np.max(np.abs(a - b), initial=0.0) <= 200 * eps * (1.0 + np.max(np.abs(b), initial=0.0)), path


@ALL
@pytest.mark.parametrize("backend", ["numpy-float32", "torch-float32", "torch-float64", "jax-float32", "jax-float64"])
def test_the_same_noise_gives_the_same_numbers(name: str, backend: str) -> None:
    expected = everything(*inputs(name, NUMPY64))
    n = BY_NAME[backend]
    layer, *arguments = inputs(name, n)
    if n.jit:
        layer = bayesnoise_backends.backend("jax").accelerate(layer)
    assert_close(everything(layer, *arguments), expected, n.eps)


@ALL
@pytest.mark.parametrize("backend", ["numpy-float64", "torch-float64"])
def test_accelerated_layer_computes_what_the_plain_one_does(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_blocked, "BLOCK", 3)  # so that these few weights are many blocks
    n = BY_NAME[backend]
    layer, *arguments = inputs(name, n)
    fast = bayesnoise_backends.backend(backend.split("-")[0]).accelerate(layer)
    assert_close(everything(fast, *arguments), everything(layer, *arguments), n.eps)


@pytest.mark.parametrize("name", ["dense-local", "conv-flipout", "chain"])
@pytest.mark.parametrize("backend", ["numpy-float64", "torch-float64", "jax-float64"])
def test_accelerated_layer_has_the_other_methods_of_the_plain_one(name: str, backend: str) -> None:
    n = BY_NAME[backend]
    layer, params, noise, x, _ = inputs(name, n)
    x_shape = tuple(x.shape)
    accelerate = bayesnoise_backends.backend(backend.split("-")[0]).accelerate
    fast = accelerate(layer)
    assert fast == accelerate(layer)
    assert hash(fast) == hash(accelerate(layer))
    assert fast.output_shape(x_shape) == layer.output_shape(x_shape)
    source = bayesnoise_backends.rng(5, like=x)
    assert_close(fast.init(source, like=x), layer.init(source, like=x), n.eps)
    assert_close(fast.draw(source, params, x_shape, like=x), layer.draw(source, params, x_shape, like=x), n.eps)
    plain, plain_params, plain_noise, plain_x, _ = inputs(name, NUMPY64)
    assert isinstance(fast, HasMoments) == isinstance(plain, HasMoments)
    if isinstance(fast, HasMoments) and isinstance(plain, HasMoments):
        assert_close(fast.moments(params, x), plain.moments(plain_params, plain_x), n.eps)
    assert isinstance(fast, HasStatistics) == isinstance(plain, HasStatistics)
    if isinstance(fast, HasStatistics):
        assert_close(fast.absorb(params, fast.forward(params, noise, x)[1]), params, n.eps)
        expected = plain.forward(plain_params, plain_noise, plain_x)[0]
        assert_close(fast.frozen().forward(params, noise, x)[0], expected, n.eps)


def test_accelerate_replaces_what_it_says() -> None:
    layer = LAYERS["chain"][0]
    on_torch = bayesnoise_backends.backend("torch").accelerate(layer)
    assert isinstance(on_torch, Chain)
    assert [getattr(part, "map", None) for part in on_torch.layers[:2]] == [
        NativeConv(CONV),
        NativeConvTranspose(TRANSPOSED),
    ]
    assert on_torch.layers[2:] == layer.layers[2:]  # type: ignore[attr-defined]
    dense = LAYERS["dense-flipout"][0]
    assert bayesnoise_backends.backend("torch").accelerate(dense) is dense
    on_numpy: Any = bayesnoise_backends.backend("numpy").accelerate(dense)
    assert on_numpy.weight.posterior == _blocked.Blocked(posteriors.Gaussian(0.3))
    assert isinstance(bayesnoise_backends.backend("jax").accelerate(dense), Jitted)


def test_jitted_layers_compile_once_for_equal_layers() -> None:
    layer, params, noise, x, _ = inputs("dense-flipout", BY_NAME["jax-float64"])
    traces = []

    @dataclass(frozen=True)
    class Counted(Affine):
        def forward(self, params: Any, noise: Any, x: Any) -> Any:
            traces.append(1)
            return super().forward(params, noise, x)

    assert isinstance(layer, Affine)
    for _ in range(3):
        bayesnoise_backends.backend("jax").accelerate(Counted(layer.weight, layer.bias)).forward(params, noise, x)
    assert len(traces) == 1


def test_blocks_leave_what_they_cannot_take_whole() -> None:
    def shift(a: Any, b: Any) -> Any:
        sizes.append(a.size)
        return posteriors.GaussianParams(a + b, None if b is None else a - b)

    a, b = np.arange(2.0 * _blocked.BLOCK + 5), np.ones(2 * _blocked.BLOCK + 5)
    sizes: list[int] = []
    result = _blocked.blocked(shift, a, b)
    assert sorted(sizes) == [5, _blocked.BLOCK, _blocked.BLOCK]
    assert np.array_equal(result.mu, a + b)
    assert np.array_equal(result.rho, a - b)
    for x, y in ((a[:10], b[:10]), (a, b[:1]), (a[::2], b[::2]), (torch.asarray(a), torch.asarray(b))):
        sizes.clear()
        result = _blocked.blocked(shift, x, y)
        assert len(sizes) == 1
        assert np.array_equal(to_numpy(result.mu), to_numpy(x + y))


@pytest.mark.parametrize(("name", "expected"), [("numpy", np.ndarray), ("torch", torch.Tensor), ("jax", jax.Array)])
def test_compile_gives_a_function_of_the_same_values(name: str, expected: type) -> None:
    backend = bayesnoise_backends.backend(name)
    x = backend.asarray([1.0, 2.0])
    y = backend.compile(lambda x: 2.0 * x)(x)
    assert isinstance(y, expected)
    assert to_numpy(y).tolist() == [2.0, 4.0]
