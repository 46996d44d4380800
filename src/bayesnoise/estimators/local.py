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
from bayesnoise.estimators.flipout import Flipout
from bayesnoise.estimators.plain import Plain, PlainResiduals
from bayesnoise.layer import Empty
from bayesnoise.maps.map import Map, squared
from bayesnoise.posteriors.law import Traits
from bayesnoise.posteriors.standard import NORMAL, Standard


class LocalNoise(NamedTuple):
    zeta: Array  # like y, standard normal


class LocalNoiseResiduals(NamedTuple):
    x: Array
    variance: Array  # like the weights
    sd: Array  # like y
    zeta: Array  # like y


class LocalResiduals(NamedTuple):
    mean: PlainResiduals
    noise: LocalNoiseResiduals


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


def local_noise(map: Map, x: Array, variance: Array, zeta: Array) -> tuple[Array, LocalNoiseResiduals]:
    """`sqrt(B(x * x, variance)) * zeta`: the part of the output that is noise."""
    sd = local_sd(map.apply(squared(map, x), variance))
    return sd * zeta, LocalNoiseResiduals(x, variance, sd, zeta)


def local_noise_backward(
    map: Map, residuals: LocalNoiseResiduals, grad_y: Array, *, input_grad: bool = True
) -> tuple[Array | None, Array]:
    """Gradients of the input (None if not asked for) and of the variance."""
    x, variance, sd, zeta = residuals
    grad_variance = local_sd_backward(sd, grad_y * zeta)
    grad_x = 2.0 * x * map.adjoint_x(grad_variance, variance, x.shape) if input_grad else None
    return grad_x, map.adjoint_w(grad_variance, squared(map, x), variance.shape)


@dataclass(frozen=True)
class Local:
    """Independent noise on each output, for independent Gaussian weights that each output uses once.

    With `moment_matching` weights need not be Gaussian: each output is then a normal number of the right mean and
    variance, which is an approximation. Wan et al. 2013 predict so with DropConnect.
    """

    moment_matching: bool = False

    @property
    def independent_examples(self) -> bool:
        return True

    def refusal(self, traits: Traits) -> str | None:
        if not traits.random:
            return "the posterior is not random: use Plain"
        if not traits.independent:
            return "the variance of an output is no sum over its weights when they are correlated: use Shared"
        if not (traits.gaussian or self.moment_matching):
            signs = Flipout().refusal(traits) is None
            others = "Shared, PerExample or Flipout" if signs else "Shared or PerExample"
            return (
                f"an output is not Gaussian when its weights are not: use {others}, "
                "or moment_matching=True for the first two moments alone"
            )
        return None

    def reuse_refusal(self) -> str | None:
        return "its noise is that of one output, so that no weights stand behind several outputs: use Shared or Flipout"

    def noise_shapes(self, map: Map, x_shape: Shape) -> LocalNoise:
        return LocalNoise(map.output_shape(x_shape))

    def draw(self, rng: Rng, map: Map, x_shape: Shape, *, like: Array, standard: Standard = NORMAL) -> LocalNoise:
        return LocalNoise(rng.normal(self.noise_shapes(map, x_shape).zeta, like=like))

    def weight_noise(self, noise: LocalNoise) -> Array | None:
        return None

    def operands(self, mean: Array, scale: Array, noise: LocalNoise) -> Operands:
        return Operands(mean, variance=scale * scale)

    def operands_backward(self, scale: Array, noise: LocalNoise, grad: Operands) -> tuple[Array, Array | None]:
        return grad.mean, 2.0 * scale * grad.variance

    def contract(self, map: Map, x: Array, operands: Operands, noise: LocalNoise) -> tuple[Array, LocalResiduals]:
        y, mean = Plain().contract(map, x, Operands(operands.mean), Empty())
        noisy, residuals = local_noise(map, x, operands.variance, noise.zeta)
        return y + noisy, LocalResiduals(mean, residuals)

    def contract_backward(
        self, map: Map, residuals: LocalResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Operands]:
        grad_x, grad = Plain().contract_backward(map, residuals.mean, grad_y, input_grad=input_grad)
        more, grad_variance = local_noise_backward(map, residuals.noise, grad_y, input_grad=input_grad)
        return None if grad_x is None else grad_x + more, Operands(grad.mean, variance=grad_variance)
