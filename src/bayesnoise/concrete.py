"""Concrete dropout: `y = B(x * (1 - z) / (1 - p), theta)`, a relaxed mask z with a learned rate `p = sigmoid(logit)`.

Gal, Hron, Kendall 2017, "Concrete Dropout" (arXiv 1705.07832), section 3:

    z = sigmoid((logit(p) + log u - log(1 - u)) / temperature),      u uniform, one an example and input unit

z is nearly 0 or 1, drops a unit where it is 1, and has a derivative by p. The divergence is that of Monte Carlo dropout
with its part in p kept, for the K input units of the layer and a prior `N(0, prior_scale^2)`:

    KL = |theta|^2 / (2 prior_scale^2 (1 - p)) + K (p log p + (1 - p) log(1 - p))

The inverted form stores `theta = (1 - p) M`, hence the divisor where the paper has the factor `1 - p` of `|M|^2`. With
a length scale `l = 1 / prior_scale` the paper's program adds `l^2 |theta|^2 / (N (1 - p)) - 2 K H(p) / N` (as reported)
to a loss that is twice a mean negative log-likelihood: `2 KL / N`, the same objective as `nll + KL / N`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks
from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Residuals, Rng, Shape
from bayesnoise.divergences import L2
from bayesnoise.estimators import Operands, Plain
from bayesnoise.layer import Empty
from bayesnoise.maps.map import Map
from bayesnoise.posteriors import Law, Point, PointParams
from bayesnoise.special import sigmoid, softplus


class ConcreteParams(NamedTuple):
    theta: Array  # like the weights
    logit: Array  # (), of the probability that a unit is dropped


class ConcreteNoise(NamedTuple):
    u: Array  # (n, i) or (n, c, 1, ...), uniform on [0, 1)


class ConcreteResiduals(NamedTuple):
    x: Array
    factor: Array  # like u
    slope: Array  # like u, of the factor by the logit
    contraction: Residuals


def concrete_factor(logit: Array, u: Array, temperature: float) -> tuple[Array, Array]:
    """`(1 - z) / (1 - p)`, and its derivative by the logit.

    In logits, so that neither a rate near 1 nor a draw near 0 or 1 loses digits; u is held one rounding off 0 and 1.
    """
    xp = array_namespace(u)
    eps = float(xp.finfo(u.dtype).eps)
    inside = xp.clip(u, eps, 1.0 - eps)
    tilted = (logit + xp.log(inside) - xp.log1p(-inside)) / temperature
    factor = xp.exp(softplus(logit) - softplus(tilted))
    return factor, factor * (sigmoid(logit) - sigmoid(tilted) / temperature)


@dataclass(frozen=True)
class ConcreteDropout:
    """Weights that are points behind a relaxed mask of their input, with one learned rate for the layer.

    An input unit is a feature of a dense map and a channel of a convolution, whose mask is constant over positions.
    ValueError unless 0 < initial_rate < 1 and the temperature and the prior scale are finite and above 0.
    """

    map: Map
    initial_rate: float = 0.1
    temperature: float = 0.1
    prior_scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.open_probability("initial_rate", self.initial_rate)
        _checks.positive("temperature", self.temperature)
        _checks.positive("prior_scale", self.prior_scale)

    @property
    def units(self) -> int:
        """The input units, of which each has a mask value: those of an example without positions."""
        return prod(self.map.sign_shapes((1, 1))[0])

    @property
    def independent_examples(self) -> bool:
        return True

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.map.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> ConcreteParams:
        theta = Point().init(rng, self.map, like=like).theta
        logit = log(self.initial_rate) - log(1.0 - self.initial_rate)
        return ConcreteParams(theta, array_namespace(like).full((), logit, dtype=like.dtype, device=device(like)))

    def draw(self, rng: Rng, params: ConcreteParams, x_shape: Shape, *, like: Array) -> ConcreteNoise:
        return ConcreteNoise(rng.uniform(self.map.sign_shapes(x_shape)[0], like=like))

    def forward(self, params: ConcreteParams, noise: ConcreteNoise, x: Array) -> tuple[Array, ConcreteResiduals]:
        _checks.layer_input(x, params)
        self.map.output_shape(x.shape)
        _checks.noise(noise, ConcreteNoise(self.map.sign_shapes(x.shape)[0]))
        factor, slope = concrete_factor(params.logit, noise.u, self.temperature)
        y, contraction = Plain().contract(self.map, x * factor, Operands(params.theta), Empty())
        return y, ConcreteResiduals(x, factor, slope, contraction)

    def backward(
        self, residuals: ConcreteResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, ConcreteParams]:
        x, factor, slope, contraction = residuals
        grad_masked, grad = Plain().contract_backward(self.map, contraction, grad_y)
        grad_logit = array_namespace(x).sum(sum_to(grad_masked * x, factor.shape) * slope)
        return (grad_masked * factor if input_grad else None), ConcreteParams(grad.mean, grad_logit)

    def predict(self, params: ConcreteParams, x: Array) -> Array:
        _checks.layer_input(x, params)
        self.map.output_shape(x.shape)
        return self.map.apply(x, params.theta)

    def _penalty(self, params: ConcreteParams) -> tuple[Array, Array]:
        """`|theta|^2 / (2 prior_scale^2)` and its gradient."""
        l2, law = L2(self.prior_scale), Law(Point(), PointParams(params.theta))
        return l2.value(law), l2.grad(law).mean

    def kl(self, params: ConcreteParams, noise: ConcreteNoise | None = None) -> Array:
        penalty, _ = self._penalty(params)
        logit = params.logit
        entropy = sigmoid(logit) * softplus(-logit) + sigmoid(-logit) * softplus(logit)
        return penalty * array_namespace(logit).exp(softplus(logit)) - float(self.units) * entropy

    def kl_grad(self, params: ConcreteParams, noise: ConcreteNoise | None = None) -> ConcreteParams:
        penalty, grad_penalty = self._penalty(params)
        logit, xp = params.logit, array_namespace(params.logit)
        by_entropy = float(self.units) * logit * sigmoid(logit) * sigmoid(-logit)
        return ConcreteParams(grad_penalty * xp.exp(softplus(logit)), penalty * xp.exp(logit) + by_entropy)
