"""`y = B(x, mean + scale * eps)`: one draw of the weights a call, shared by all its examples.

Blundell et al. 2015 (arXiv 1505.05424), section 3.2. Correct for any reparameterised law; the variance of a batch
gradient does not fall with the size of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.estimators.estimator import Operands
from bayesnoise.estimators.plain import Plain, PlainResiduals
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.law import Traits
from bayesnoise.posteriors.standard import NORMAL, Standard


class SharedNoise(NamedTuple):
    eps: Array  # like the weights, of mean 0 and variance 1


def sample(mean: Array, scale: Array, eps: Array) -> Array:
    return mean + scale * eps


def sample_backward(grad: Array, eps: Array) -> tuple[Array, Array]:
    return grad, grad * eps


@dataclass(frozen=True)
class Shared:
    """One sample of the weights for the whole batch, contracted like any fixed weights."""

    @property
    def independent_examples(self) -> bool:
        return False

    def refusal(self, traits: Traits) -> str | None:
        return None if traits.random else "the posterior is not random: use Plain"

    def reuse_refusal(self) -> str | None:
        return None

    def noise_shapes(self, map: Map, x_shape: Shape) -> SharedNoise:
        return SharedNoise(map.weight_shape)

    def draw(self, rng: Rng, map: Map, x_shape: Shape, *, like: Array, standard: Standard = NORMAL) -> SharedNoise:
        return SharedNoise(standard.draw(rng, self.noise_shapes(map, x_shape).eps, like=like))

    def weight_noise(self, noise: SharedNoise) -> Array | None:
        return noise.eps

    def operands(self, mean: Array, scale: Array | None, noise: SharedNoise) -> Operands:
        return Operands(sample(mean, scale, noise.eps))

    def operands_backward(self, scale: Array | None, noise: SharedNoise, grad: Operands) -> tuple[Array, Array | None]:
        return sample_backward(grad.mean, noise.eps)

    def contract(self, map: Map, x: Array, operands: Operands, noise: SharedNoise) -> tuple[Array, PlainResiduals]:
        return map.apply(x, operands.mean), PlainResiduals(x, operands.mean)

    def contract_backward(
        self, map: Map, residuals: PlainResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]:
        return Plain().contract_backward(map, residuals, grad_y, input_grad=input_grad)
