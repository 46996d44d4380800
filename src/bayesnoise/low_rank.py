"""Gaussian weights with a covariance of low rank beside a diagonal: `Sigma = diag(sigma^2) + sum_k l_k l_k'`.

Tomczak, Swaroop, Turner 2020, "Efficient Low Rank Gaussian Variational Inference for Neural Networks" (NeurIPS 2020).
With `L` the factor, one array in the shape of the weights a rank, example n has the weights

    w_n = mu + sum_k e_nk l_k + sigma z_n,      y = B(x, mu) + sum_k e_k B(x, l_k) + noise of the diagonal part

Random are e, one number an example and rank, and the noise of the estimator that carries the diagonal part. The factor
correlates the weights, so that random signs on it would be wrong: it is contracted as it is, once a rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks, tree
from bayesnoise._capacitance import Capacitance, capacitance
from bayesnoise._typing import Array, Noise, Residuals, Rng, Shape
from bayesnoise.divergences import GaussianKL
from bayesnoise.estimators import Estimator, Local
from bayesnoise.maps.map import Map
from bayesnoise.posteriors import Coordinates, LogSigmaGaussian, LogSigmaParams, Traits
from bayesnoise.posteriors._matrix import check_rank
from bayesnoise.stochastic import Stochastic


class LowRankParams(NamedTuple):
    diagonal: LogSigmaParams  # mu and log_sigma
    factor: Array  # (rank, *weights)


class LowRankNoise(NamedTuple):
    diagonal: Noise
    e: Array  # (n, rank), standard normal


class LowRankResiduals(NamedTuple):
    diagonal: Residuals
    x: Array
    factor: Array
    e: Array


@dataclass(frozen=True)
class LowRank:
    """The diagonal part under an estimator of independent weights, and a factor of the given rank.

    TypeError or ValueError for a rank that is no integer from 1 to the number of weights, or scales not above 0.
    """

    map: Map
    rank: int
    estimator: Estimator = Local()  # noqa: RUF009 - frozen, without state
    prior_scale: float = 1.0
    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        check_rank(self.rank, prod(self.map.weight_shape), self.map)
        _checks.positive("prior_scale", self.prior_scale)
        _ = self.diagonal  # which refuses a scale, or an estimator that cannot carry it

    @property
    def diagonal(self) -> Stochastic:
        """The layer without its factor."""
        return Stochastic(self.map, LogSigmaGaussian(self.initial_scale), self.estimator, GaussianKL(self.prior_scale))

    @property
    def traits(self) -> Traits:
        """Of the whole law: its weights are correlated."""
        return Traits(independent=False)

    @property
    def independent_examples(self) -> bool:
        return self.estimator.independent_examples

    def output_shape(self, x_shape: Shape) -> Shape:
        return self.map.output_shape(x_shape)

    def init(self, rng: Rng, *, like: Array) -> LowRankParams:
        for_diagonal, for_factor = rng.split(2)
        factor = for_factor.normal((self.rank, *self.map.weight_shape), like=like)
        share = self.initial_scale / self.rank**0.5  # together as much variance as the diagonal
        return LowRankParams(self.diagonal.init(for_diagonal, like=like), share * factor)

    def draw(self, rng: Rng, params: LowRankParams, x_shape: Shape, *, like: Array) -> LowRankNoise:
        for_diagonal, for_e = rng.split(2)
        noise = self.diagonal.draw(for_diagonal, params.diagonal, x_shape, like=like)
        return LowRankNoise(noise, for_e.normal((x_shape[0], self.rank), like=like))

    def forward(self, params: LowRankParams, noise: LowRankNoise, x: Array) -> tuple[Array, LowRankResiduals]:
        y, residuals = self.diagonal.forward(params.diagonal, noise.diagonal, x)
        _checks.shape("noise.e", noise.e, (x.shape[0], self.rank))
        for k in range(self.rank):
            y = y + _of_rank(noise.e, k, y) * self.map.apply(x, params.factor[k, ...])
        return y, LowRankResiduals(residuals, x, params.factor, noise.e)

    def backward(
        self, residuals: LowRankResiduals, grad_y: Array, *, input_grad: bool = True
    ) -> tuple[Array | None, LowRankParams]:
        diagonal, x, factor, e = residuals
        grad_x, grad_diagonal = self.diagonal.backward(diagonal, grad_y, input_grad=input_grad)
        grads: list[Array] = []
        for k in range(self.rank):
            scaled, l_k = _of_rank(e, k, grad_y) * grad_y, factor[k, ...]
            grads.append(self.map.adjoint_w(scaled, x, l_k.shape))
            if grad_x is not None:
                grad_x = grad_x + self.map.adjoint_x(scaled, l_k, x.shape)
        return grad_x, LowRankParams(grad_diagonal, array_namespace(factor).stack(grads))

    def predict(self, params: LowRankParams, x: Array) -> Array:
        return self.diagonal.predict(params.diagonal, x)

    def moments(self, params: LowRankParams, x: Array) -> tuple[Array, Array]:
        """Exact mean and variance of each output; across outputs the estimators of the diagonal part differ."""
        mean, variance = self.diagonal.moments(params.diagonal, x)
        for k in range(self.rank):
            along = self.map.apply(x, params.factor[k, ...])
            variance = variance + along * along
        return mean, variance

    def _capacitance(self, params: LowRankParams) -> Capacitance:
        """Of `C = I + A A'`, `A = L / sigma` with a row a rank and a column a weight."""
        xp, size = array_namespace(params.factor), prod(self.map.weight_shape)
        factor = xp.reshape(params.factor, (self.rank, size))
        return capacitance(factor, xp.reshape(params.diagonal.log_sigma, (size,)))

    def kl(self, params: LowRankParams, noise: LowRankNoise | None = None) -> Array:
        """That of the diagonal part, `+ |L|^2 / (2 p^2) - log|C| / 2` with the prior scale p."""
        xp, ratio = array_namespace(params.factor), params.factor / self.prior_scale
        return self.diagonal.kl(params.diagonal) + 0.5 * (xp.sum(ratio * ratio) - self._capacitance(params).log_det)

    def kl_grad(self, params: LowRankParams, noise: LowRankNoise | None = None) -> LowRankParams:
        xp, (_, solved, leverage) = array_namespace(params.factor), self._capacitance(params)
        by_log_sigma = xp.reshape(leverage, self.map.weight_shape)
        more = self.diagonal.posterior.pullback(params.diagonal, Coordinates(log_scale=by_log_sigma))
        grad = self.diagonal.kl_grad(params.diagonal)
        by_factor = params.factor / self.prior_scale / self.prior_scale - xp.reshape(solved, params.factor.shape)
        return LowRankParams(tree.map(lambda g, m: g + m, grad, more), by_factor)


def _of_rank(e: Array, k: int, y: Array) -> Array:
    """`(n, rank) -> (n, 1, ...)`: the numbers of one rank, with as many axes as y."""
    return array_namespace(e).reshape(e[:, k], (y.shape[0], *(1,) * (y.ndim - 1)))
