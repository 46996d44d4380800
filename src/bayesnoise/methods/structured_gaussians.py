"""Gaussian weights whose covariance has fewer numbers than one a weight, or more."""

from __future__ import annotations

from math import prod

from bayesnoise import _checks
from bayesnoise.affine import Affine, BiasedWithMoments
from bayesnoise.divergences import Divergence, GaussianKL
from bayesnoise.estimators import Estimator, Flipout, Local
from bayesnoise.low_rank import LowRank
from bayesnoise.maps import Map
from bayesnoise.methods.compose import Bias, Method, Scale, compose
from bayesnoise.posteriors import Gaussian, KTied, MatrixGaussian
from bayesnoise.posteriors._matrix import check_rank, matrix_shape
from bayesnoise.pseudo_data import PseudoData
from bayesnoise.stochastic import Stochastic


def k_tied_normal(
    map: Map,
    *,
    rank: int | None = None,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    estimator: Estimator | None = None,
    divergence: Divergence | None = None,
) -> Stochastic | Affine:
    """Gaussian weights with a matrix of scales of low rank: 2, or 1 where the layer has one row or column.

    Under Flipout unless another estimator is given; a random bias has a scale a number. ValueError for a larger rank
    than the layer's matrix of weights can have.
    """
    largest = min(matrix_shape(map.weight_shape))
    rank = min(2, largest) if rank is None else rank
    check_rank(rank, largest, map)
    law = KTied(rank, initial_scale)
    kl = divergence or GaussianKL(prior_scale)
    return compose(map, law, estimator or Flipout(), kl, bias, bias_posterior=Gaussian(initial_scale))


def variational_matrix_gaussian(
    map: Map,
    *,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    estimator: Estimator | None = None,
    divergence: Divergence | None = None,
    pseudo_data: int = 0,
    jitter: float = 1e-2,
) -> Stochastic | Affine | PseudoData | BiasedWithMoments:
    """A Gaussian matrix of weights with a variance a row and a variance a column.

    Under Local unless another estimator is given; a random bias has a scale a number. With `pseudo_data` above 0, so
    many learned inputs and their outputs, on which the weights are conditioned: for dense maps. `jitter` is then the
    variance of these outputs, in units of the variance of their column.
    """
    kl = divergence or GaussianKL(prior_scale)
    law, of_bias = MatrixGaussian(initial_scale), Gaussian(initial_scale)
    without = compose(map, law, estimator or Local(), kl, bias, bias_posterior=of_bias)
    if pseudo_data == 0:
        return without
    _checks.positive_integer("pseudo_data", pseudo_data)
    weight = PseudoData(map, pseudo_data, estimator or Local(), kl, jitter, initial_scale)  # type: ignore[arg-type]
    return weight if isinstance(without, Stochastic) else BiasedWithMoments(weight, without.bias)


def low_rank_gaussian(
    map: Map,
    *,
    rank: int | None = None,
    prior_scale: float = 1.0,
    initial_scale: float = 0.05,
    bias: Bias = "deterministic",
    diagonal: Estimator | None = None,
) -> LowRank | BiasedWithMoments:
    """Correlated Gaussian weights: a diagonal and a factor of low rank, 2 unless the layer has a single weight.

    The diagonal part is under Local unless another estimator is given for it; a random bias is no part of the
    covariance. ValueError for a rank above the number of weights.
    """
    rank = min(2, prod(map.weight_shape)) if rank is None else rank
    weight = LowRank(map, rank, diagonal or Local(), prior_scale, initial_scale)
    plain = compose(map, Gaussian(initial_scale), Local(), GaussianKL(prior_scale), bias)
    return weight if isinstance(plain, Stochastic) else BiasedWithMoments(weight, plain.bias)


ROWS = (
    Method(
        k_tied_normal,
        "k-tied Gaussian, flipout, Gaussian KL",
        "Swiatkowski et al. 2020, The k-tied Normal Distribution, arXiv 2002.02655",
    ),
    Method(
        variational_matrix_gaussian,
        "matrix Gaussian, local, Gaussian KL",
        "Louizos, Welling 2016, Variational Deep Learning with Matrix Gaussian Posteriors, arXiv 1603.04733",
    ),
    Method(
        low_rank_gaussian,
        "diagonal and low-rank Gaussian, local, Gaussian KL",
        "Tomczak, Swaroop, Turner 2020, Efficient Low Rank Gaussian Variational Inference, NeurIPS 2020",
    ),
)
