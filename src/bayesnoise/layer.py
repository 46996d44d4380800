"""What a layer is: a record of pure functions of arrays.

Noise is data. `draw` is the only method that sees a source of random numbers; it returns every number that the call
will use, named. `forward` and `backward` are then ordinary functions: the same noise gives the same output on every
backend, and a gradient can be checked with the noise held fixed.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from array_api_compat import array_namespace, device

from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape


class Empty(NamedTuple):
    """The parameters of a layer without parameters, or the noise of a layer without noise."""


class Layer(Protocol):
    """One step of a network. What satisfies it are frozen dataclasses: hashable, comparable, without state."""

    def output_shape(self, x_shape: Shape) -> Shape:
        """The shape of `y` for an input of the given shape; ValueError if the layer cannot take it."""
        ...

    def init(self, rng: Rng, *, like: Array) -> Params:
        """Fresh parameters, with the namespace, dtype and device of `like`."""
        ...

    def draw(self, rng: Rng, params: Params, x_shape: Shape, *, like: Array) -> Noise:
        """Every random number that one call will use, with the namespace, dtype and device of `like`."""
        ...

    def forward(self, params: Params, noise: Noise, x: Array) -> tuple[Array, Residuals]:
        """The output, and what `backward` needs."""
        ...

    def backward(self, residuals: Residuals, grad_y: Array, *, input_grad: bool = True) -> tuple[Array | None, Params]:
        """The gradients of the input (None if not asked for) and of the parameters, as a tree of their type."""
        ...

    def predict(self, params: Params, x: Array) -> Array:
        """The output without noise: at the mean of every law."""
        ...

    def kl(self, params: Params, noise: Noise | None = None) -> Array:
        """The divergence from posterior to prior, summed over all weights, shape (); noise is for Monte Carlo ones."""
        ...

    def kl_grad(self, params: Params, noise: Noise | None = None) -> Params:
        """The gradient of `kl`, as a tree of the type of the parameters."""
        ...


@runtime_checkable
class HasMoments(Protocol):
    """A layer whose output has a mean and a variance in closed form."""

    def moments(self, params: Params, x: Array) -> tuple[Array, Array]:
        """Exact mean and variance of every element of `y`, over the noise."""
        ...


@runtime_checkable
class HasStatistics(Protocol):
    """A layer that keeps statistics of its inputs beside its parameters, as batch normalisation does."""

    def absorb(self, params: Params, residuals: Residuals, share: float | None = None) -> Params:
        """The parameters with the statistics of one more batch taken in, moved by `share` of the way to them.

        Without a share, by the layer's own. At 1 nothing is left of those before, if they are finite.
        """
        ...

    def frozen(self) -> Layer:
        """The same layer using the statistics it has kept, for prediction: a stochastic pass included."""
        ...


@runtime_checkable
class HasExampleKL(Protocol):
    """A layer with a divergence for each example, which depends on the input and so belongs to the loss of a batch."""

    def example_kl(self, residuals: Residuals) -> Array:
        """The divergence of each example, `(n,)`, times the weight that the layer gives it; 0.0 if there is none."""
        ...

    def backward_with_kl(
        self, residuals: Residuals, grad_y: Array, weights: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Params]:
        """What `backward` gives, and added to it the gradients of `sum(weights * example_kl)`, `weights (n,)`."""
        ...


@runtime_checkable
class HasIndependentExamples(Protocol):
    """A layer that says whether its examples are independent: see `composite.independent_examples`."""

    @property
    def independent_examples(self) -> bool:
        """Whether a call on n examples has the law of n calls on one: each has noise of its own, and sees no other."""
        ...


@runtime_checkable
class HasHead(Protocol):
    """A layer whose outputs are confined, to positive numbers for one, and which has a form that ends a network."""

    def head(self) -> Layer:
        """The layer with outputs of any size, to put in the last place."""
        ...


def example_kl(layer: Layer, residuals: Residuals) -> Array:
    """The divergence of each example `(n,)`, or 0.0 where the layer has none."""
    return layer.example_kl(residuals) if isinstance(layer, HasExampleKL) else 0.0


def backward_with_kl(
    layer: Layer, residuals: Residuals, grad_y: Array, weights: Array, *, input_grad: bool = True
) -> tuple[Array | None, Params]:
    """The gradients of `sum(grad_y * y) + sum(weights * example_kl)`."""
    if isinstance(layer, HasExampleKL):
        return layer.backward_with_kl(residuals, grad_y, weights, input_grad=input_grad)
    return layer.backward(residuals, grad_y, input_grad=input_grad)


def plain(layer: Layer) -> Layer:
    """The layer that was composed, where a backend has wrapped it in one that computes the same and says so."""
    return getattr(layer, "plain", layer)


def head(layer: Layer) -> Layer:
    """The layer as it ends a network: itself, unless it has a form for that."""
    return layer.head() if isinstance(layer, HasHead) else layer


def frozen(layer: Layer) -> Layer:
    """The layer as it predicts: with the statistics it has kept in the place of those of the batch."""
    return layer.frozen() if isinstance(layer, HasStatistics) else layer


def absorb(layer: Layer, params: Params, residuals: Residuals, share: float | None = None) -> Params:
    """The parameters after one more batch: unchanged unless the layer keeps statistics."""
    return layer.absorb(params, residuals, share) if isinstance(layer, HasStatistics) else params


def zero(like: Array) -> Array:
    """A zero of shape (), with the namespace, dtype and device of `like`."""
    return array_namespace(like).zeros((), dtype=like.dtype, device=device(like))
