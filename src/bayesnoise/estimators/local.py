"""`y = B(x, mean) + sqrt(B(x * x, scale * scale)) * zeta`: the noise of the weights, moved to the output.

Kingma, Salimans, Welling 2015, "Variational Dropout and the Local Reparameterization Trick" (arXiv 1506.02557),
equation 6. Exact in law for a dense map, one output an example and unit. Over a convolution each output has the right
marginal law, but outputs that share weights lose their correlation: it is not a sample of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Rng, Shape
from bayesnoise.estimators.estimator import Operands
from bayesnoise.maps.map import Map
from bayesnoise.posteriors.law import Traits


class LocalNoise(NamedTuple):
    zeta: Array  # like y, standard normal


class LocalResiduals(NamedTuple):
    x: Array
    mean: Array  # like the weights
    variance: Array  # like the weights
    sd: Array  # like y
    zeta: Array  # like y


def local_sd(variance: Array) -> Array:
    """`sqrt(variance)`."""
    return array_namespace(variance).sqrt(variance)


def local_sd_backward(sd: Array, grad: Array) -> Array:
    """`grad / (2 sd)`, and 0 where the sd is 0: there every path to the variance is multiplied by `x * x = 0`.

    An epsilon under the root would instead add noise where there is none.
    """
    xp = array_namespace(sd)
    positive = sd > 0
    return xp.where(positive, 0.5 * grad / xp.where(positive, sd, xp.ones_like(sd)), xp.zeros_like(sd))


@dataclass(frozen=True)
class Local:
    """Independent noise on each output, for independent Gaussian weights that each output uses once."""

    def refusal(self, traits: Traits) -> str | None:
        if not traits.random:
            return "the posterior is not random: use Plain"
        if not traits.independent:
            return "the variance of an output is no sum over its weights when they are correlated: use Shared"
        if not traits.gaussian:
            return "an output is not Gaussian when its weights are not: use Shared or Flipout"
        return None

    def noise_shapes(self, map: Map, x_shape: Shape) -> LocalNoise:
        return LocalNoise(map.output_shape(x_shape))

    def draw(self, rng: Rng, map: Map, x_shape: Shape, *, like: Array) -> LocalNoise:
        return LocalNoise(rng.normal(self.noise_shapes(map, x_shape).zeta, like=like))

    def weight_noise(self, noise: LocalNoise) -> Array | None:
        return None

    def operands(self, mean: Array, scale: Array, noise: LocalNoise) -> Operands:
        return Operands(mean, variance=scale * scale)

    def operands_backward(self, scale: Array, noise: LocalNoise, grad: Operands) -> tuple[Array, Array | None]:
        return grad.mean, 2.0 * scale * grad.variance

    def contract(self, map: Map, x: Array, operands: Operands, noise: LocalNoise) -> tuple[Array, LocalResiduals]:
        mean, variance = operands.mean, operands.variance
        sd = local_sd(map.apply(x * x, variance))
        return map.apply(x, mean) + sd * noise.zeta, LocalResiduals(x, mean, variance, sd, noise.zeta)

    def contract_backward(
        self, map: Map, residuals: LocalResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]:
        x, mean, variance, sd, zeta = residuals
        grad_variance = local_sd_backward(sd, grad_y * zeta)
        grad_x = None
        if input_grad:
            grad_x = map.adjoint_x(grad_y, mean, x.shape) + 2.0 * x * map.adjoint_x(grad_variance, variance, x.shape)
        grad_mean = map.adjoint_w(grad_y, x, mean.shape)
        return grad_x, Operands(grad_mean, variance=map.adjoint_w(grad_variance, x * x, mean.shape))
