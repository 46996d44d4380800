"""Information dropout: `z = f(x) exp(alpha(x) zeta)`, noise on an activation, as strong as the input asks for.

Achille, Soatto 2018, "Information Dropout: Learning Optimal Representations Through Noisy Computation" (arXiv
1611.01353), section 4 (numbering as reported). f and alpha are two maps of the same input, and z has a log-normal law
given x. Its divergence from a prior, an example and unit, is what z tells of x; times `beta` it is added to the loss
of the example:

    ReLU, log-uniform prior:           -log(alpha / largest alpha),  and 0 for a unit that is off, whose z is surely 0
    softplus, log-normal prior LN(m, s^2):   (alpha^2 + (log f - m)^2) / (2 s^2) - log(alpha / s) - 1/2

The log-uniform prior is improper; its constant is set so that the most noise costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, activations
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.fixed import Fixed
from bayesnoise.layer import Empty, Layer
from bayesnoise.special import dlog_softplus, log_softplus, sigmoid


class InformationParams(NamedTuple):
    value: Params
    spread: Params


class InformationNoise(NamedTuple):
    value: Noise
    spread: Noise
    zeta: Array  # like y, standard normal


class InformationResiduals(NamedTuple):
    value: Residuals
    spread: Residuals
    activation: Residuals
    h: Array  # like y, before the activation
    s: Array  # like y, before the sigmoid of alpha
    y: Array  # the output
    factor: Array  # like y
    zeta: Array  # like y


@dataclass(frozen=True)
class InformationDropout:
    """`value` gives f before its activation, `spread` gives alpha before its sigmoid; both take the same input.

    `alpha = least + span * sigmoid(spread(x))`. `prior` is "log_uniform", with ReLU, or "log_normal", with softplus
    and `LN(prior_mean, prior_scale^2)`. ValueError for another prior, a beta below 0, or sizes that are not above 0.
    """

    value: Layer
    spread: Layer
    prior: Literal["log_uniform", "log_normal"] = "log_uniform"
    beta: float = 0.01
    least: float = 0.001
    span: float = 0.7
    prior_mean: float = 0.0
    prior_scale: float = 1.0

    def __post_init__(self) -> None:
        _checks.one_of("prior", self.prior, ("log_uniform", "log_normal"))
        _checks.not_negative("beta", self.beta)
        _checks.finite("prior_mean", self.prior_mean)
        for name in ("least", "span", "prior_scale"):
            _checks.positive(name, getattr(self, name))

    @property
    def parts(self) -> tuple[tuple[str, Layer], ...]:
        return ("value", self.value), ("spread", self.spread)

    @property
    def _activation(self) -> Fixed:
        return activations.relu() if self.prior == "log_uniform" else activations.softplus()

    def head(self) -> Layer:
        """The map of f alone, without activation and noise."""
        return self.value

    def output_shape(self, x_shape: Shape) -> Shape:
        y_shape = self.value.output_shape(x_shape)
        if tuple(self.spread.output_shape(x_shape)) != tuple(y_shape):
            raise ValueError(
                f"x has shape {tuple(x_shape)}, of which value makes {tuple(y_shape)} and spread "
                f"{tuple(self.spread.output_shape(x_shape))}: they need the same outputs"
            )
        return y_shape

    def init(self, rng: Rng, *, like: Array) -> InformationParams:
        for_value, for_spread = rng.split(2)
        return InformationParams(self.value.init(for_value, like=like), self.spread.init(for_spread, like=like))

    def draw(self, rng: Rng, params: InformationParams, x_shape: Shape, *, like: Array) -> InformationNoise:
        for_value, for_spread, for_zeta = rng.split(3)
        return InformationNoise(
            self.value.draw(for_value, params.value, x_shape, like=like),
            self.spread.draw(for_spread, params.spread, x_shape, like=like),
            for_zeta.normal(self.output_shape(x_shape), like=like),
        )

    def _alpha(self, s: Array) -> Array:
        return self.least + self.span * sigmoid(s)

    def forward(
        self, params: InformationParams, noise: InformationNoise, x: Array
    ) -> tuple[Array, InformationResiduals]:
        _checks.layer_input(x, params)
        _checks.shape("noise.zeta", noise.zeta, self.output_shape(x.shape))
        h, value = self.value.forward(params.value, noise.value, x)
        s, spread = self.spread.forward(params.spread, noise.spread, x)
        f, activation = self._activation.forward(Empty(), Empty(), h)
        factor = array_namespace(x).exp(self._alpha(s) * noise.zeta)
        y = f * factor
        return y, InformationResiduals(value, spread, activation, h, s, y, factor, noise.zeta)

    def example_kl(self, residuals: InformationResiduals) -> Array:
        """`beta` times the sum over units and positions, `(n,)`."""
        h, alpha = residuals.h, self._alpha(residuals.s)
        xp = array_namespace(h)
        if self.prior == "log_uniform":
            each = xp.where(h > 0, -xp.log(alpha / (self.least + self.span)), xp.zeros_like(h))
        else:
            ratio, shift = alpha / self.prior_scale, (log_softplus(h) - self.prior_mean) / self.prior_scale
            each = 0.5 * (ratio * ratio + shift * shift) - xp.log(ratio) - 0.5
        return self.beta * xp.sum(each, axis=tuple(range(1, h.ndim)))

    def _kl_grad(self, residuals: InformationResiduals) -> tuple[Array, Array]:
        """The derivatives of the divergence, `beta` times those of each element, by h and by alpha."""
        h, alpha = residuals.h, self._alpha(residuals.s)
        xp = array_namespace(h)
        if self.prior == "log_uniform":
            return xp.zeros_like(h), xp.where(h > 0, -self.beta / alpha, xp.zeros_like(h))
        shift = (log_softplus(h) - self.prior_mean) / self.prior_scale**2
        return self.beta * shift * dlog_softplus(h), self.beta * (alpha / self.prior_scale**2 - 1.0 / alpha)

    def _backward(
        self, residuals: InformationResiduals, grad_y: Array, weights: Array | None, input_grad: bool
    ) -> tuple[Array | None, InformationParams]:
        grad_h, _ = self._activation.backward(residuals.activation, grad_y * residuals.factor)
        grad_alpha = grad_y * residuals.y * residuals.zeta
        if weights is not None:
            by_example = array_namespace(weights).reshape(weights, (-1, *(1,) * (grad_y.ndim - 1)))
            kl_by_h, kl_by_alpha = self._kl_grad(residuals)
            grad_h, grad_alpha = grad_h + by_example * kl_by_h, grad_alpha + by_example * kl_by_alpha
        grad_s = self.span * grad_alpha * sigmoid(residuals.s) * sigmoid(-residuals.s)
        grad_x, value = self.value.backward(residuals.value, grad_h, input_grad=input_grad)
        more, spread = self.spread.backward(residuals.spread, grad_s, input_grad=input_grad)
        return (None if grad_x is None else grad_x + more), InformationParams(value, spread)

    def backward(
        self, residuals: InformationResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, InformationParams]:
        return self._backward(residuals, grad_y, None, input_grad)

    def backward_with_kl(
        self, residuals: InformationResiduals, grad_y: Array, weights: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, InformationParams]:
        return self._backward(residuals, grad_y, weights, input_grad)

    def predict(self, params: InformationParams, x: Array) -> Array:
        """At zeta 0, the median: `f(x)`."""
        self.output_shape(x.shape)
        return self._activation.predict(Empty(), self.value.predict(params.value, x))

    def moments(self, params: InformationParams, x: Array) -> tuple[Array, Array]:
        """`f exp(alpha^2 / 2)` and `f^2 exp(alpha^2) (exp(alpha^2) - 1)`, for value and spread without noise."""
        f, alpha = self.predict(params, x), self._alpha(self.spread.predict(params.spread, x))
        xp = array_namespace(f)
        square = alpha * alpha
        mean = f * xp.exp(0.5 * square)
        return mean, mean * mean * xp.expm1(square)

    def kl(self, params: InformationParams, noise: InformationNoise | None = None) -> Array:
        value, spread = (None, None) if noise is None else (noise.value, noise.spread)
        return self.value.kl(params.value, value) + self.spread.kl(params.spread, spread)

    def kl_grad(self, params: InformationParams, noise: InformationNoise | None = None) -> InformationParams:
        value, spread = (None, None) if noise is None else (noise.value, noise.spread)
        return InformationParams(self.value.kl_grad(params.value, value), self.spread.kl_grad(params.spread, spread))
