"""One random factor an example and unit, `y = x * z`: what scales a whole group of weights, and can switch it off.

Louizos, Ullrich, Welling 2017, "Bayesian Compression for Deep Learning" (arXiv 1705.08665), section 3: before a dense
map `z` scales the weights of an input, behind a convolution those of a filter, its bias with them. The law of `z` and
its prior come together; random is what the law names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Noise, Params, Rng, Shape
from bayesnoise.noise._units import per_unit


class FactorLaw(Protocol):
    """A law of the factors `z` `(n, k)` of k units, with the divergence to its prior."""

    def init(self, units: int, *, like: Array) -> Params:
        """Parameters at which `z` is close to 1."""
        ...

    def noise_shapes(self, n: int, units: int) -> Noise:
        """The shapes of the standard normal noise behind one call, under its names."""
        ...

    def factor(self, params: Params, noise: Noise) -> Array:
        """The draw `(n, k)`."""
        ...

    def factor_backward(self, params: Params, noise: Noise, z: Array, grad_z: Array) -> Params: ...

    def factor_moments(self, params: Params) -> tuple[Array, Array]:
        """Mean and variance of each factor, `(k,)`."""
        ...

    def excess(self, params: Params) -> Array:
        """How superfluous each unit is, `(k,)`: what pruning compares with a threshold."""
        ...

    def kl(self, params: Params) -> Array: ...

    def kl_grad(self, params: Params) -> Params: ...


class GroupFactorResiduals(NamedTuple):
    params: Params
    noise: Noise
    x: Array
    z: Array  # (n, 1, ..., k, 1, ...)


@dataclass(frozen=True)
class GroupFactor:
    """A unit is a feature on the last axis, or a channel with `positions` axes behind it; positions share its factor.

    ValueError for fewer than one unit.
    """

    units: int
    positions: int
    law: FactorLaw

    def __post_init__(self) -> None:
        _checks.positive_integer("units", self.units)

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        per_unit(x_shape, self.units, self.positions, self)
        return tuple(x_shape)

    def init(self, rng: Rng, *, like: Array) -> Params:
        return self.law.init(self.units, like=like)

    def draw(self, rng: Rng, params: Params, x_shape: Shape, *, like: Array) -> Noise:
        shapes = self.law.noise_shapes(x_shape[0], self.units)
        rngs = rng.split(len(shapes))
        return type(shapes)(*(r.normal(s, like=like) for r, s in zip(rngs, shapes, strict=True)))

    def forward(self, params: Params, noise: Noise, x: Array) -> tuple[Array, GroupFactorResiduals]:
        _checks.layer_input(x, params)
        shape = per_unit(x.shape, self.units, self.positions, self)
        _checks.noise(noise, self.law.noise_shapes(x.shape[0], self.units))
        z = array_namespace(x).reshape(self.law.factor(params, noise), shape)
        return x * z, GroupFactorResiduals(params, noise, x, z)

    def backward(
        self, residuals: GroupFactorResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Params]:
        params, noise, x, z = residuals
        xp, flat = array_namespace(z), (z.shape[0], self.units)
        grad_z = xp.reshape(sum_to(grad_y * x, z.shape), flat)
        grad = self.law.factor_backward(params, noise, xp.reshape(z, flat), grad_z)
        return (grad_y * z if input_grad else None), grad

    def predict(self, params: Params, x: Array) -> Array:
        return self.moments(params, x)[0]

    def moments(self, params: Params, x: Array) -> tuple[Array, Array]:
        """Mean `x E z` and variance `x^2 Var z` of each output."""
        _checks.layer_input(x, params)
        shape = per_unit(x.shape, self.units, self.positions, self)
        row = (1, *shape[1:])
        mean, variance = (array_namespace(x).reshape(m, row) for m in self.law.factor_moments(params))
        return x * mean, x * x * variance

    def kl(self, params: Params, noise: Noise | None = None) -> Array:
        return self.law.kl(params)

    def kl_grad(self, params: Params, noise: Noise | None = None) -> Params:
        return self.law.kl_grad(params)
