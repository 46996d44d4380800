"""Any layer with Gaussian parameters: one draw of all of them a call, `w = mu + exp(log_sigma) eps`.

Blundell et al. 2015 (arXiv 1505.05424), section 3.2, for whatever has parameters: a network whose layers are
deterministic, a normalisation, a recurrent cell. It is what an optimizer of a law has fitted, seen as a layer. Random
is eps, one number a parameter and call, and the noise of the layer itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise import layer as _layer
from bayesnoise._parameters import filled, of_learned, standard_normal
from bayesnoise._typing import Array, Noise, Params, Residuals, Rng, Shape
from bayesnoise.divergences import GaussianKL
from bayesnoise.estimators.shared import sample, sample_backward
from bayesnoise.layer import Layer
from bayesnoise.posteriors import LogSigmaGaussian
from bayesnoise.posteriors.gaussian import LogSigmaParams
from bayesnoise.posteriors.law import Coordinates, Law

_GAUSSIAN = LogSigmaGaussian()


class DrawnParams(NamedTuple):
    mu: Params  # of the layer
    log_sigma: Params  # like mu, None for the statistics that a layer keeps


class DrawnNoise(NamedTuple):
    eps: Params  # like log_sigma, standard normal
    layer: Noise


class DrawnResiduals(NamedTuple):
    params: DrawnParams
    eps: Params  # like log_sigma
    layer: Residuals


@dataclass(frozen=True)
class Drawn:
    """The layer at parameters drawn anew in each call, with the divergence to independent `N(0, prior_scale^2)`.

    That is the whole divergence: one of the layer's own is not counted. ValueError for a scale that is not above 0.
    """

    layer: Layer
    prior_scale: float = 1.0
    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        _checks.positive("prior_scale", self.prior_scale)
        _checks.positive("initial_scale", self.initial_scale)

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.layer.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> DrawnParams:
        mu = self.layer.init(rng, like=like)
        return DrawnParams(
            mu, tree.map(lambda m: array_namespace(m).full_like(m, log(self.initial_scale)), of_learned(mu))
        )

    def draw(self, rng: Rng, params: DrawnParams, x_shape: Shape, *, like: Array) -> DrawnNoise:
        for_params, for_layer = rng.split(2)
        eps = standard_normal(for_params, params.log_sigma, like=like)
        return DrawnNoise(eps, self.layer.draw(for_layer, params.mu, x_shape, like=like))

    def _at(self, params: DrawnParams, eps: Params) -> Params:
        """The parameters of the layer for one draw."""

        def leaf(log_sigma: Array, mu: Array, e: Array) -> Array:
            return sample(mu, _GAUSSIAN.scale(LogSigmaParams(mu, log_sigma)), e)

        return filled(tree.map(leaf, params.log_sigma, params.mu, eps), params.mu)

    def forward(self, params: DrawnParams, noise: DrawnNoise, x: Array) -> tuple[Array, DrawnResiduals]:
        y, residuals = self.layer.forward(self._at(params, noise.eps), noise.layer, x)
        return y, DrawnResiduals(params, noise.eps, residuals)

    def backward(
        self, residuals: DrawnResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, DrawnParams]:
        params, eps, inner = residuals
        grad_x, grad = self.layer.backward(inner, grad_y, input_grad=input_grad)

        def leaf(law: LogSigmaParams, e: Array, g: Array) -> LogSigmaParams:
            return _GAUSSIAN.pullback(law, Coordinates(*sample_backward(g, e)))

        return grad_x, _by_leaf(leaf, params, grad, eps, grad)

    def predict(self, params: DrawnParams, x: Array) -> Array:
        return self.layer.predict(params.mu, x)

    def kl(self, params: DrawnParams, noise: DrawnNoise | None = None) -> Array:
        divergence = GaussianKL(self.prior_scale)
        return sum(divergence.value(Law(_GAUSSIAN, law)) for law in _laws(params))

    def kl_grad(self, params: DrawnParams, noise: DrawnNoise | None = None) -> DrawnParams:
        divergence = GaussianKL(self.prior_scale)

        def leaf(law: LogSigmaParams) -> LogSigmaParams:
            return _GAUSSIAN.pullback(law, divergence.grad(Law(_GAUSSIAN, law)))

        return _by_leaf(leaf, params, tree.map(lambda m: array_namespace(m).zeros_like(m), params.mu))

    def absorb(self, params: DrawnParams, residuals: DrawnResiduals, share: float | None = None) -> DrawnParams:
        """The parameters with the statistics that the layer keeps brought up to date."""
        at = self._at(params, residuals.eps)
        seen = _layer.absorb(self.layer, at, residuals.layer, share)
        return params._replace(mu=filled(of_learned(params.mu), seen))

    def frozen(self) -> Drawn:
        """The same layer as it predicts."""
        return Drawn(_layer.frozen(self.layer), self.prior_scale, self.initial_scale)


def _laws(params: DrawnParams) -> list[LogSigmaParams]:
    """The law of each learned parameter."""
    mu, log_sigma = tree.leaves(of_learned(params.mu)), tree.leaves(params.log_sigma)
    return [LogSigmaParams(*pair) for pair in zip(mu, log_sigma, strict=True)]


def _by_leaf(
    function: Callable[..., LogSigmaParams], params: DrawnParams, others: Params, *trees: Params
) -> DrawnParams:
    """`function(law, *leaves of the trees)` of each learned parameter, and the leaves of `others` for the rest."""
    pairs = tree.map(
        lambda s, m, *more: list(function(LogSigmaParams(m, s), *more)), params.log_sigma, params.mu, *trees
    )
    return DrawnParams(filled(tree.map(lambda pair: pair[0], pairs), others), tree.map(lambda pair: pair[1], pairs))
