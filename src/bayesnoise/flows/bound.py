"""A bound on the divergence of weights that are Gaussian given a random factor `z` of their means.

    KL(q(w) || p(w)) <= E [ KL(q(w | z) || p) + log q(z) - log r(z | w) ],    w | z ~ N(z * mean, scale^2)

for any density r, with equality where r is q(z | w). Louizos and Welling 2017 (arXiv 1703.01961), equation 12
(numbering as reported). Here is the value for one draw of `z` and of the weights, which has the bound as its mean, and
the gradient of that value.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import tree
from bayesnoise._broadcast import sum_to
from bayesnoise._typing import Array, Residuals, Shape
from bayesnoise.divergences import Divergence
from bayesnoise.flows.auxiliary import Auxiliary, AuxiliaryParams
from bayesnoise.flows.factor import Factor, FactorParams, FactorResiduals
from bayesnoise.posteriors import Coordinates, Gaussian, GaussianParams, Law


class MultiplicativeFlowParams(NamedTuple):
    weight: GaussianParams
    factor: FactorParams
    auxiliary: AuxiliaryParams


class BoundResiduals(NamedTuple):
    params: MultiplicativeFlowParams
    factor: FactorResiduals
    z: Array  # (..., d, ...): broadcasts to the weights
    given: GaussianParams  # of the law of w given z
    scale: Array  # (d, k)
    auxiliary: Residuals


@dataclass(frozen=True)
class Bound:
    """For weights with one factor a unit, `unit_shape` being that of the factors beside the weights."""

    unit_shape: Shape
    posterior: Gaussian
    divergence: Divergence
    factor: Factor
    auxiliary: Auxiliary

    @property
    def _axis(self) -> int:
        """The axis of the weights that counts units."""
        return next((i for i, n in enumerate(self.unit_shape) if n > 1), 0)

    def _matrix(self, w: Array) -> Array:
        """Like the weights to `(d, k)`."""
        xp = array_namespace(w)
        return xp.reshape(xp.moveaxis(w, self._axis, 0), (prod(self.unit_shape), -1))

    def _like_weights(self, matrix: Array, shape: Shape) -> Array:
        xp, axis = array_namespace(matrix), self._axis
        rest = (*shape[:axis], *shape[axis + 1 :])
        return xp.moveaxis(xp.reshape(matrix, (shape[axis], *rest)), 0, axis)

    def forward(self, params: MultiplicativeFlowParams, eps: Array, eta: Array) -> tuple[Array, BoundResiduals]:
        """The value, shape (), for standard normal `eps` `(1, d)` and `eta` `(1, k)`."""
        xp = array_namespace(eps)
        row, log_q, factor = self.factor.forward(params.factor, eps)
        z = xp.reshape(row, self.unit_shape)
        given = params.weight._replace(mu=z * params.weight.mu)
        law = Law(self.posterior, given)
        mean, scale = self._matrix(law.mean), self._matrix(law.scale)
        log_r, auxiliary = self.auxiliary.log_density(params.auxiliary, row, mean, scale, eta)
        value = self.divergence.value(law) + xp.sum(log_q) - log_r
        return value, BoundResiduals(params, factor, z, given, scale, auxiliary)

    def backward(self, residuals: BoundResiduals) -> MultiplicativeFlowParams:
        """The gradient of the value."""
        params, factor, z, given, scale, auxiliary = residuals
        xp, shape = array_namespace(z), params.weight.mu.shape
        by_r = self.auxiliary.backward(auxiliary, scale, -1.0)
        by_prior = self.posterior.pullback(given, self.divergence.grad(Law(self.posterior, given)))
        by_draw = Coordinates(mean=self._like_weights(by_r.mean, shape), scale=self._like_weights(by_r.scale, shape))
        by_weight = tree.map(lambda a, b: a + b, by_prior, self.posterior.pullback(given, by_draw))
        grad_z = xp.reshape(sum_to(by_weight.mu * params.weight.mu, self.unit_shape), factor.eps.shape) + by_r.z
        return MultiplicativeFlowParams(
            by_weight._replace(mu=z * by_weight.mu),
            self.factor.backward(factor, grad_z, xp.ones_like(grad_z[:, 0])),
            by_r.params,
        )
