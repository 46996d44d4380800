"""`y = B(x, mean) + sign_out * B(sign_in * x, scale * eps)`: one base perturbation, flipped by signs of each example.

Wen, Vicol, Ba, Tran, Grosse 2018, "Flipout" (arXiv 1803.04386), equations 3 and 4. Example n sees the weights
`mean + (scale * eps) * (sign_in_n sign_out_n')`, which have the law of the posterior; across examples the perturbations
are uncorrelated. For a convolution there is one sign an example and channel, constant over positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.estimators.estimator import Operands
from bayesnoise.estimators.shared import sample_backward
from bayesnoise.maps.map import Map, flipped
from bayesnoise.posteriors.law import Traits
from bayesnoise.posteriors.standard import NORMAL, Standard


class FlipoutNoise(NamedTuple):
    eps: Array  # like the weights, of mean 0 and variance 1, shared by the batch
    sign_in: Array  # (n, i) or (n, c, 1, ...), -1 or 1; (n, rows) where the input selects them
    sign_out: Array  # (n, o) or (n, o, 1, ...), -1 or 1


class FlipoutResiduals(NamedTuple):
    x: Array
    mean: Array  # like the weights
    perturbation: Array  # like the weights
    sign_in: Array
    sign_out: Array


@dataclass(frozen=True)
class Flipout:
    """Pseudo-independent weights an example, for laws that keep their form when the noise of some weights is flipped.

    Laws symmetric about the mean and independent across weights do; others say so.
    """

    @property
    def independent_examples(self) -> bool:
        return False

    def refusal(self, traits: Traits) -> str | None:
        if not traits.random:
            return "the posterior is not random: use Plain"
        if traits.sign_invariant:
            return None
        if not traits.independent:
            return "random signs destroy the correlation between its weights: use Shared or PerExample"
        if not traits.symmetric:
            return "random signs make its perturbation symmetric, which it is not: use Shared or PerExample"
        return None

    def reuse_refusal(self) -> str | None:
        return None

    def noise_shapes(self, map: Map, x_shape: Shape) -> FlipoutNoise:
        return FlipoutNoise(map.weight_shape, *map.sign_shapes(x_shape))

    def draw(self, rng: Rng, map: Map, x_shape: Shape, *, like: Array, standard: Standard = NORMAL) -> FlipoutNoise:
        for_eps, for_in, for_out = rng.split(3)
        shapes = self.noise_shapes(map, x_shape)
        return FlipoutNoise(
            standard.draw(for_eps, shapes.eps, like=like),
            for_in.rademacher(shapes.sign_in, like=like),
            for_out.rademacher(shapes.sign_out, like=like),
        )

    def weight_noise(self, noise: FlipoutNoise) -> Array | None:
        return noise.eps

    def operands(self, mean: Array, scale: Array | None, noise: FlipoutNoise) -> Operands:
        return Operands(mean, perturbation=scale * noise.eps)

    def operands_backward(self, scale: Array | None, noise: FlipoutNoise, grad: Operands) -> tuple[Array, Array | None]:
        return grad.mean, sample_backward(grad.perturbation, noise.eps)[1]

    def contract(self, map: Map, x: Array, operands: Operands, noise: FlipoutNoise) -> tuple[Array, FlipoutResiduals]:
        mean, perturbation = operands.mean, operands.perturbation
        _, sign_in, sign_out = noise
        y = map.apply(x, mean) + sign_out * map.apply(flipped(map, sign_in, x), perturbation)
        return y, FlipoutResiduals(x, mean, perturbation, sign_in, sign_out)

    def contract_backward(
        self, map: Map, residuals: FlipoutResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]:
        x, mean, perturbation, sign_in, sign_out = residuals
        grad_flipped = sign_out * grad_y
        grad_x = None
        if input_grad:
            grad_x = map.adjoint_x(grad_y, mean, x.shape) + sign_in * map.adjoint_x(grad_flipped, perturbation, x.shape)
        grad_mean = map.adjoint_w(grad_y, x, mean.shape)
        grad_perturbation = map.adjoint_w(grad_flipped, flipped(map, sign_in, x), mean.shape)
        return grad_x, Operands(grad_mean, perturbation=grad_perturbation)
