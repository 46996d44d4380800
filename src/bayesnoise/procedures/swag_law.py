"""The law that SWAG fits: Gaussian, with the moments of the iterates of an optimizer.

Maddox, Garipov, Izmailov, Vetrov, Wilson 2019, "A Simple Baseline for Bayesian Uncertainty in Deep Learning" (arXiv
1902.02476), section 3.3 and algorithm 1 (numbering as reported). With the mean and the variance of all iterates, the K
last deviations `D_k = theta_k - mean` (of the mean at that time), and two standard normal draws,

    theta = mean + sqrt(variance / 2) z_1 + D z_2 / sqrt(2 (K - 1))
    covariance = (diag(variance) + D D' / (K - 1)) / 2

The paper keeps the second moment and takes the square of the mean off, which cancels where a weight moves little beside
its size: in float32 the variance of a weight that moves by a thousandth of itself is noise. Here the sum of squared
deviations is updated instead (Welford 1962), by terms that are never below 0. Statistics that a layer keeps have a mean
and no variance: see `bayesnoise.procedures.Reestimated`.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import tree
from bayesnoise._parameters import filled, of_learned, standard_normal
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.estimators.shared import sample
from bayesnoise.layer import zero
from bayesnoise.objective import ModelParams


class SwagLaw(NamedTuple):
    count: Array  # (), iterates taken in, in the dtype of the parameters
    mean: ModelParams
    squares: Params  # like the learned parameters: sum over iterates of squared deviations from their mean
    deviations: Params  # (rank, ...) over the learned parameters: the last ones, the newest at the end


class SwagNoise(NamedTuple):
    diagonal: Params  # like the learned parameters, standard normal
    low_rank: Array  # (rank,), standard normal, one for all parameters


def empty(params: ModelParams, rank: int) -> SwagLaw:
    """The law before the first iterate, with the mean `params`; ValueError if these hold no learned array."""
    chosen = of_learned(params)
    leaf = tree.first_leaf(chosen)
    if leaf is None:
        raise ValueError(f"params is {params!r}, without any learned array: expected something to average")

    def rows(p: Array) -> Array:
        return array_namespace(p).zeros((rank, *p.shape), dtype=p.dtype, device=device(p))

    zeros = tree.map(lambda p: array_namespace(p).zeros_like(p), chosen)
    return SwagLaw(zero(leaf), params, zeros, tree.map(rows, chosen))


def take_in(law: SwagLaw, params: ModelParams) -> SwagLaw:
    """The law with one more iterate."""
    count = law.count + 1.0
    mean = tree.map(lambda m, p: m + (p - m) / count, law.mean, params)
    before, after = (tree.map(lambda p, m: p - m, of_learned(params), of_learned(m)) for m in (law.mean, mean))
    kept = law.count / count
    squares = tree.map(lambda s, b: s + kept * (b * b), law.squares, before)  # no term below 0, whatever is rounded

    def shift(rows: Array, newest: Array) -> Array:
        xp = array_namespace(rows)
        return xp.concat([rows[1:, ...], xp.expand_dims(newest, axis=0)], axis=0)

    return SwagLaw(count, mean, squares, tree.map(shift, law.deviations, after))


def draw(rng: Rng, law: SwagLaw) -> SwagNoise:
    """The noise of one sample."""
    for_diagonal, for_low_rank = rng.split(2)
    rank = tree.leaves(law.deviations)[0].shape[0]
    diagonal = standard_normal(for_diagonal, law.squares, like=law.count)
    return SwagNoise(diagonal, for_low_rank.normal((rank,), like=law.count))


def sample_parameters(law: SwagLaw, noise: SwagNoise) -> ModelParams:
    """A draw of the parameters: linear in the noise. The mean where fewer than two iterates were taken in."""
    xp = array_namespace(law.count)
    rank = xp.full_like(law.count, float(noise.low_rank.shape[0]))
    degrees = xp.minimum(law.count, rank) - 1.0
    one = xp.ones_like(law.count)
    share = xp.where(degrees > 0, 1.0 / xp.sqrt(2.0 * xp.maximum(degrees, one)), xp.zeros_like(one))
    iterates = xp.maximum(law.count, one)

    def leaf(squares: Array, mean: Array, rows: Array, z: Array) -> Array:
        ns = array_namespace(squares)
        flat = ns.reshape(rows, (rows.shape[0], prod(mean.shape)))
        low_rank = ns.reshape(ns.matmul(noise.low_rank, flat), tuple(mean.shape))
        return sample(mean, ns.sqrt(0.5 * squares / iterates), z) + share * low_rank

    drawn = tree.map(leaf, law.squares, of_learned(law.mean), law.deviations, noise.diagonal)
    return ModelParams(*filled(drawn, law.mean))
