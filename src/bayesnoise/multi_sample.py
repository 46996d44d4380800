"""Several draws of a layer's noise for each input, in one call: `y_k = layer(x; noise_k)`, k = 1, ..., K.

The draws are independent, as those of K calls are. Where the examples of a call are independent, they are made as one
call on K times the rows, `(K n, ...)`: noise of outputs or of activations, or weights drawn for each example. Where a
call shares some of its noise, it is made K times: in K rows of one flipout call the weights would differ by signs
alone, with one `|eps|`, and a shared draw would be the same weights K times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise import layer as _layer
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.composite import independent_examples
from bayesnoise.layer import Layer

__all__ = ["MultiSample", "MultiSampleNoise", "MultiSampleResiduals"]


class MultiSampleNoise(NamedTuple):
    calls: tuple[Noise, ...]


class MultiSampleResiduals(NamedTuple):
    calls: tuple[Residuals, ...]


@dataclass(frozen=True)
class MultiSample:
    """`(n, ...) -> (samples, n, ...)`; parameters, divergence and prediction are those of the layer.

    Samples come first, as in a stack of stochastic passes, so that each is an output of the layer as it stands; it is
    the last step of a network, and `losses.Mixture` takes it. The gradients are summed over samples. Products, noise
    and memory are K times those of the layer; a divergence that is drawn is that of the first call. TypeError or
    ValueError unless `samples` is an integer of at least 1, ValueError for the noise or the gradient of another number.
    """

    layer: Layer
    samples: int

    def __post_init__(self) -> None:
        _checks.positive_integer("samples", self.samples)

    @property
    def rows(self) -> int:
        """How many samples one call of the layer makes: all of them, as rows, or one."""
        return self.samples if independent_examples(self.layer) else 1

    def output_shape(self, x_shape: Shape) -> Shape:
        return (self.samples, *self.layer.output_shape(x_shape))

    def init(self, rng: Rng, *, like: Array) -> Params:
        return self.layer.init(rng, like=like)

    def draw(self, rng: Rng, params: Params, x_shape: Shape, *, like: Array) -> MultiSampleNoise:
        shape = (self.rows * x_shape[0], *x_shape[1:])
        rngs = rng.split(self.samples // self.rows)
        return MultiSampleNoise(tuple(self.layer.draw(r, params, shape, like=like) for r in rngs))

    def _repeated(self, x: Array) -> Array:
        """`(n, ...) -> (rows * n, ...)`."""
        return x if self.rows == 1 else array_namespace(x).concat([x] * self.rows, axis=0)

    def _split(self, x: Array) -> Array:
        """`(rows * n, ...) -> (rows, n, ...)`."""
        return array_namespace(x).reshape(x, (self.rows, x.shape[0] // self.rows, *x.shape[1:]))

    def forward(self, params: Params, noise: MultiSampleNoise, x: Array) -> tuple[Array, MultiSampleResiduals]:
        if len(noise.calls) * self.rows != self.samples:
            raise ValueError(
                f"noise.calls holds {len(noise.calls)}, expected {self.samples // self.rows} for {self}: "
                "draw it with this layer"
            )
        repeated = self._repeated(x)
        made = [self.layer.forward(params, one, repeated) for one in noise.calls]
        y = array_namespace(x).concat([self._split(y) for y, _ in made], axis=0)
        return y, MultiSampleResiduals(tuple(r for _, r in made))

    def _backward(
        self, backward: Callable[..., tuple[Array | None, Params]], residuals: MultiSampleResiduals, grad_y: Array
    ) -> tuple[Array | None, Params]:
        """The sums over samples of what `backward(residuals, grad_y)` gives for each call."""
        if grad_y.shape[0] != self.samples:
            raise ValueError(f"grad_y has shape {tuple(grad_y.shape)}, expected {self.samples} samples on axis 0")
        xp, (_, n, *rest) = array_namespace(grad_y), grad_y.shape
        parts = []
        for i, one in enumerate(residuals.calls):
            g = grad_y[i * self.rows : (i + 1) * self.rows, ...]
            grad_x, grad = backward(one, xp.reshape(g, (self.rows * n, *rest)))
            parts.append((None if grad_x is None else xp.sum(self._split(grad_x), axis=0), grad))
        return reduce(partial(tree.map, lambda a, b: a + b), parts)

    def backward(
        self, residuals: MultiSampleResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Params]:
        return self._backward(partial(self.layer.backward, input_grad=input_grad), residuals, grad_y)

    def example_kl(self, residuals: MultiSampleResiduals) -> Array:
        """The mean over samples of that of the layer."""
        each = [_layer.example_kl(self.layer, one) for one in residuals.calls]
        if not getattr(each[0], "shape", ()):  # 0.0, of a layer without one
            return each[0]
        xp = array_namespace(each[0])
        return xp.mean(xp.concat([self._split(kl) for kl in each], axis=0), axis=0)

    def backward_with_kl(
        self, residuals: MultiSampleResiduals, grad_y: Array, weights: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Params]:
        share = self._repeated(weights) / float(self.samples)
        backward = partial(_layer.backward_with_kl, self.layer, weights=share, input_grad=input_grad)
        return self._backward(backward, residuals, grad_y)

    def predict(self, params: Params, x: Array) -> Array:
        """The one output without noise, once for each sample."""
        y = self.layer.predict(params, x)
        return array_namespace(y).broadcast_to(y, (self.samples, *y.shape))

    def kl(self, params: Params, noise: MultiSampleNoise | None = None) -> Array:
        return self.layer.kl(params, None if noise is None else noise.calls[0])

    def kl_grad(self, params: Params, noise: MultiSampleNoise | None = None) -> Params:
        return self.layer.kl_grad(params, None if noise is None else noise.calls[0])

    def absorb(self, params: Params, residuals: MultiSampleResiduals, share: float | None = None) -> Params:
        """The parameters with the statistics of each call taken in, one after another; of a share, each has its part.

        With `p = share / samples`, call i from 0 on moves them by `p / (1 - share + (i + 1) p)`.
        """
        for i, one in enumerate(residuals.calls):
            step = None if share is None else share / (self.samples * (1.0 - share) + (i + 1) * share)
            params = _layer.absorb(self.layer, params, one, step)
        return params

    def frozen(self) -> MultiSample:
        """As many samples of the layer as it predicts."""
        return MultiSample(_layer.frozen(self.layer), self.samples)
