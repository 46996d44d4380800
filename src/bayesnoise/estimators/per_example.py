"""`y_n = B(x_n, mean + scale * eps_n)`: a draw of the weights for each example.

What flipout and local reparameterization stand for (Kingma, Salimans, Welling 2015, arXiv 1506.02557, section 2.1: a
separate sample of the weights for each data point), computed as it is said. Correct for any reparameterised law, and
the variance of a batch gradient falls as 1/n. Random is eps, one number an example and weight: a call takes n times the
memory of the weights, for the noise, for the weights and for their gradients, so it is for small layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.estimators.estimator import Operands
from bayesnoise.estimators.plain import PlainResiduals
from bayesnoise.estimators.shared import Shared, sample, sample_backward
from bayesnoise.maps.each import adjoint_w_each, adjoint_x_each, apply_each
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.law import Traits
from bayesnoise.posteriors.standard import NORMAL, Standard


class PerExampleNoise(NamedTuple):
    eps: Array  # (n, *weight_shape), of mean 0 and variance 1


@dataclass(frozen=True)
class PerExample:
    """Independent weights for every example, each a draw of the law."""

    @property
    def independent_examples(self) -> bool:
        return True

    def refusal(self, traits: Traits) -> str | None:
        return Shared().refusal(traits)

    def reuse_refusal(self) -> str | None:
        return None

    def noise_shapes(self, map: Map, x_shape: Shape) -> PerExampleNoise:
        return PerExampleNoise((x_shape[0], *map.weight_shape))

    def draw(self, rng: Rng, map: Map, x_shape: Shape, *, like: Array, standard: Standard = NORMAL) -> PerExampleNoise:
        return PerExampleNoise(standard.draw(rng, map.weight_shape, like=like, batch=(x_shape[0],)))

    def weight_noise(self, noise: PerExampleNoise) -> Array | None:
        return None  # one draw of the weights is what a divergence wants, and here are n

    def operands(self, mean: Array, scale: Array | None, noise: PerExampleNoise) -> Operands:
        return Operands(sample(mean, scale, noise.eps))

    def operands_backward(
        self, scale: Array | None, noise: PerExampleNoise, grad: Operands
    ) -> tuple[Array, Array | None]:
        by_mean, by_scale = sample_backward(grad.mean, noise.eps)
        xp = array_namespace(by_mean)
        return xp.sum(by_mean, axis=0), xp.sum(by_scale, axis=0)

    def contract(self, map: Map, x: Array, operands: Operands, noise: PerExampleNoise) -> tuple[Array, PlainResiduals]:
        return apply_each(map, x, operands.mean), PlainResiduals(x, operands.mean)

    def contract_backward(
        self, map: Map, residuals: PlainResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]:
        x, w = residuals
        grad_x = adjoint_x_each(map, grad_y, w, x.shape) if input_grad else None
        return grad_x, Operands(adjoint_w_each(map, grad_y, x, tuple(w.shape)))
