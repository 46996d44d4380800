"""Independent Gaussian weights whose scales form a matrix of low rank: `w = mu + (u v') eps`.

Swiatkowski et al. 2020, "The k-tied Normal Distribution" (arXiv 2002.02655). With `u` of shape (rows, k) and `v` of
shape (columns, k), both positive, the scale of the weight in row i and column j is `sum_k u_ik v_jk`. The factors are
kept as logarithms, so that every scale is positive and its logarithm is a log-sum-exp, finite however small it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bayesnoise import _checks
from bayesnoise._typing import Array, Rng
from bayesnoise.maps.map import Map
from bayesnoise.posteriors import _location_scale
from bayesnoise.posteriors._matrix import as_matrix, check_rank, matrix_shape
from bayesnoise.posteriors.law import Coordinates, Traits
from bayesnoise.special import logsumexp

SPREAD = 0.1  # of fresh log factors: products that start equal have equal gradients and never part


class KTiedParams(NamedTuple):
    mu: Array  # like the weights
    log_u: Array  # (rows, k), of the weights seen as a matrix
    log_v: Array  # (columns, k)


def _terms(params: KTiedParams) -> list[Array]:
    """The logarithm of each product `u_ik v_jk`, (rows, columns), one a k."""
    _, log_u, log_v = params
    return [log_u[:, k][:, None] + log_v[:, k][None, :] for k in range(log_u.shape[1])]


@dataclass(frozen=True)
class KTied:
    """Mean `mu`, one a weight, and standard deviation `sum_k exp(log_u + log_v)`: rank times (rows + columns) numbers.

    `initial_scale` is the standard deviation of a fresh posterior, about which its weights spread by a few tenths.
    ValueError unless it is above 0, for a rank below 1 and, in `init`, for one above the rows or the columns.
    """

    rank: int = 2
    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        _checks.positive_integer("rank", self.rank)
        _checks.positive("initial_scale", self.initial_scale)

    @property
    def traits(self) -> Traits:
        return Traits()

    def init(self, rng: Rng, map: Map, *, like: Array) -> KTiedParams:
        rows, columns = matrix_shape(map.weight_shape)
        check_rank(self.rank, min(rows, columns), map)
        for_mu, for_u, for_v = rng.split(3)
        mu = map.initial_sd * for_mu.normal(map.weight_shape, like=like)
        center = 0.5 * math.log(self.initial_scale / self.rank)
        log_u = center + SPREAD * for_u.normal((rows, self.rank), like=like)
        return KTiedParams(mu, log_u, center + SPREAD * for_v.normal((columns, self.rank), like=like))

    def mean(self, params: KTiedParams) -> Array:
        return params.mu

    def scale(self, params: KTiedParams) -> Array:
        return _location_scale.EXP.value(self.log_scale(params))

    def log_scale(self, params: KTiedParams) -> Array:
        xp = array_namespace(params.mu)
        return xp.reshape(logsumexp(xp.stack(_terms(params)), axis=0), params.mu.shape)

    def log_alpha(self, params: KTiedParams) -> Array:
        return _location_scale.log_alpha(params.mu, self.log_scale(params))

    def pullback(self, params: KTiedParams, grad: Coordinates) -> KTiedParams:
        xp, log_scale = array_namespace(params.mu), self.log_scale(params)
        grad_mu, grad_log_scale = _location_scale.pullback(params.mu, log_scale, _location_scale.EXP, grad)
        whole, by_log_scale = as_matrix(log_scale), as_matrix(grad_log_scale)
        # A log factor moves the log scale by the share of its product in the sum.
        shares = [by_log_scale * xp.exp(term - whole) for term in _terms(params)]
        by_u = xp.stack([xp.sum(share, axis=1) for share in shares], axis=1)
        return KTiedParams(grad_mu, by_u, xp.stack([xp.sum(share, axis=0) for share in shares], axis=1))
