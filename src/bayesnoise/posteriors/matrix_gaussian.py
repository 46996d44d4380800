"""A matrix of Gaussian weights with a variance for each row and each column: `W = M + diag(u)^1/2 E diag(v)^1/2`.

Louizos, Welling 2016, "Structured and Efficient Variational Deep Learning with Matrix Gaussian Posteriors" (arXiv
1603.04733), with diagonal covariances of rows and of columns. `E` is standard normal, so the weights are independent
with variances `u_i v_j`: the law is that of `KTied` of rank 1, in coordinates of its own.
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
from bayesnoise.posteriors._matrix import as_matrix, matrix_shape
from bayesnoise.posteriors.law import Coordinates, Traits


class MatrixGaussianParams(NamedTuple):
    mu: Array  # like the weights
    log_u: Array  # (rows,), the logarithm of the variance of each row
    log_v: Array  # (columns,), of each column


@dataclass(frozen=True)
class MatrixGaussian:
    """Mean `mu`, one a weight, and variance `exp(log_u_i + log_v_j)` for the weight in row i and column j.

    `initial_scale` is the standard deviation of a fresh posterior; ValueError unless it is above 0.
    """

    initial_scale: float = 0.05

    def __post_init__(self) -> None:
        _checks.positive("initial_scale", self.initial_scale)

    @property
    def traits(self) -> Traits:
        return Traits()

    def init(self, rng: Rng, map: Map, *, like: Array) -> MatrixGaussianParams:
        mu = map.initial_sd * rng.normal(map.weight_shape, like=like)
        xp, (rows, columns) = array_namespace(mu), matrix_shape(map.weight_shape)
        level = xp.full_like(xp.reshape(mu, (rows * columns,)), math.log(self.initial_scale))
        return MatrixGaussianParams(mu, level[:rows], level[:columns])

    def mean(self, params: MatrixGaussianParams) -> Array:
        return params.mu

    def scale(self, params: MatrixGaussianParams) -> Array:
        return _location_scale.EXP.value(self.log_scale(params))

    def log_scale(self, params: MatrixGaussianParams) -> Array:
        mu, log_u, log_v = params
        return array_namespace(mu).reshape(0.5 * (log_u[:, None] + log_v[None, :]), mu.shape)

    def log_alpha(self, params: MatrixGaussianParams) -> Array:
        return _location_scale.log_alpha(params.mu, self.log_scale(params))

    def pullback(self, params: MatrixGaussianParams, grad: Coordinates) -> MatrixGaussianParams:
        log_scale = self.log_scale(params)
        grad_mu, grad_log_scale = _location_scale.pullback(params.mu, log_scale, _location_scale.EXP, grad)
        xp, half = array_namespace(params.mu), 0.5 * as_matrix(grad_log_scale)
        return MatrixGaussianParams(grad_mu, xp.sum(half, axis=1), xp.sum(half, axis=0))
