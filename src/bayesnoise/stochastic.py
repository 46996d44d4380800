"""The layer that multiplies the algebra out: a map, a posterior, an estimator and a divergence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.divergences.divergence import Divergence
from bayesnoise.estimators.estimator import Estimator
from bayesnoise.maps.map import Map, Selecting, check_input, squared
from bayesnoise.posteriors.law import Coordinates, Law, Posterior


class StochasticNoise(NamedTuple):
    estimator: Noise
    divergence: Array | None  # like the weights, of the law of their noise, for a Monte Carlo divergence


class StochasticResiduals(NamedTuple):
    params: Params
    scale: Array | None  # like the weights
    estimator: Noise
    contraction: Residuals


@dataclass(frozen=True)
class Stochastic:
    """`y` is the map of `x` and of weights drawn from the posterior, as the estimator draws them.

    Raises ValueError where the estimator is wrong for the posterior, with the reason.
    """

    map: Map
    posterior: Posterior
    estimator: Estimator
    divergence: Divergence

    def __post_init__(self) -> None:
        reason = self.estimator.refusal(self.posterior.traits)
        if reason is not None:
            raise ValueError(f"estimator is {self.estimator}, wrong for posterior {self.posterior}: {reason}")

    @property
    def independent_examples(self) -> bool:
        return self.estimator.independent_examples

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.map.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> Params:
        return self.posterior.init(rng, self.map, like=like)

    def draw(self, rng: Rng, params: Params, x_shape: Shape, *, like: Array) -> StochasticNoise:
        standard = self.posterior.traits.standard
        if not self.divergence.monte_carlo:
            return StochasticNoise(self.estimator.draw(rng, self.map, x_shape, like=like, standard=standard), None)
        for_estimator, for_divergence = rng.split(2)
        noise = self.estimator.draw(for_estimator, self.map, x_shape, like=like, standard=standard)
        eps = self.estimator.weight_noise(noise)  # Blundell et al. use one draw for the loss and for the divergence
        own = standard.draw(for_divergence, self.map.weight_shape, like=like) if eps is None else eps
        return StochasticNoise(noise, own)

    def _scale(self, params: Params) -> Array | None:
        return self.posterior.scale(params) if self.posterior.traits.random else None

    def forward(self, params: Params, noise: StochasticNoise, x: Array) -> tuple[Array, StochasticResiduals]:
        check_input(self.map, x, params)
        self.map.output_shape(x.shape)
        _checks.noise(noise.estimator, self.estimator.noise_shapes(self.map, x.shape))
        scale = self._scale(params)
        operands = self.estimator.operands(self.posterior.mean(params), scale, noise.estimator)
        y, residuals = self.estimator.contract(self.map, x, operands, noise.estimator)
        return y, StochasticResiduals(params, scale, noise.estimator, residuals)

    def backward(
        self, residuals: StochasticResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, Params]:
        params, scale, noise, contraction = residuals
        input_grad = input_grad and not isinstance(self.map, Selecting)  # integers have none
        grad_x, grad = self.estimator.contract_backward(self.map, contraction, grad_y, input_grad=input_grad)
        grad_mean, grad_scale = self.estimator.operands_backward(scale, noise, grad)
        return grad_x, self.posterior.pullback(params, Coordinates(mean=grad_mean, scale=grad_scale))

    def predict(self, params: Params, x: Array) -> Array:
        check_input(self.map, x, params)
        self.map.output_shape(x.shape)
        return self.map.apply(x, self.posterior.mean(params))

    def moments(self, params: Params, x: Array) -> tuple[Array, Array]:
        """Exact mean and variance of each output; across outputs the estimators differ."""
        mean = self.predict(params, x)
        scale = self._scale(params)
        if scale is None:
            return mean, array_namespace(mean).zeros_like(mean)
        return mean, self.map.apply(squared(self.map, x), scale * scale)

    def _divergence_noise(self, noise: StochasticNoise | None) -> Array | None:
        if self.divergence.monte_carlo and noise is None:
            raise ValueError(f"noise is None, expected that of a draw: {self.divergence} is a Monte Carlo divergence")
        return None if noise is None else noise.divergence

    def kl(self, params: Params, noise: StochasticNoise | None = None) -> Array:
        return self.divergence.value(Law(self.posterior, params), self._divergence_noise(noise))

    def kl_grad(self, params: Params, noise: StochasticNoise | None = None) -> Params:
        grad = self.divergence.grad(Law(self.posterior, params), self._divergence_noise(noise))
        return self.posterior.pullback(params, grad)
