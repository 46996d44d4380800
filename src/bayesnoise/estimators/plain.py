"""`y = B(x, mean)`: no noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.estimators.estimator import Operands
from bayesnoise.layer import Empty
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.law import Traits
from bayesnoise.posteriors.standard import NORMAL, Standard


class PlainResiduals(NamedTuple):
    x: Array
    mean: Array  # like the weights


@dataclass(frozen=True)
class Plain:
    """The output at the mean of the weights; what the Point posterior needs."""

    @property
    def independent_examples(self) -> bool:
        return True

    def refusal(self, traits: Traits) -> str | None:
        if traits.random:
            return "it drops the randomness of the posterior: use Shared, Flipout or Local, or the Point posterior"
        return None

    def reuse_refusal(self) -> str | None:
        return None

    def noise_shapes(self, map: Map, x_shape: Shape) -> Empty:
        return Empty()

    def draw(self, rng: Rng, map: Map, x_shape: Shape, *, like: Array, standard: Standard = NORMAL) -> Empty:
        return Empty()

    def weight_noise(self, noise: Empty) -> Array | None:
        return None

    def operands(self, mean: Array, scale: Array | None, noise: Empty) -> Operands:
        return Operands(mean)

    def operands_backward(self, scale: Array | None, noise: Empty, grad: Operands) -> tuple[Array, Array | None]:
        return grad.mean, None

    def contract(self, map: Map, x: Array, operands: Operands, noise: Empty) -> tuple[Array, PlainResiduals]:
        return map.apply(x, operands.mean), PlainResiduals(x, operands.mean)

    def contract_backward(
        self, map: Map, residuals: PlainResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]:
        x, mean = residuals
        grad_x = map.adjoint_x(grad_y, mean, x.shape) if input_grad else None
        return grad_x, Operands(map.adjoint_w(grad_y, x, mean.shape))
