"""SLANG: a Gaussian law of all parameters together, its precision a matrix of low rank plus a diagonal.

Mishkin, Kunstner, Nielsen, Schmidt, Khan 2018, "SLANG: Fast Structured Covariance Approximations for Bayesian Deep
Learning with Natural Gradient" (arXiv 1811.04504), algorithm 1 (numbering as reported). With `w` a draw of the law,
`g_i` the gradient of the loss of example i at w, m of them, and `delta = kl_scale / prior_scale^2`:

    R = [sqrt(1 - beta) U, sqrt(beta / m) (g_1 ... g_m)]
    U <- the best factor of R R' of its rank
    d <- (1 - beta) d + beta delta + diag(R R' - U U')        keeps the diagonal of the precision as it would be
    mean <- mean - learning_rate (U U' + diag(d))^-1 (sum g_i / m + delta mean)
    covariance = kl_scale (U U' + diag(d))^-1

Outer products of the gradients of single examples stand for the curvature, and equal it in the mean only where the
targets have the law that the network says. Random is eps, one number a parameter and draw. Parameters are one vector,
in the order of their tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, prod
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bayesnoise import _checks, tree
from bayesnoise._parameters import filled, of_learned
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.layer import zero
from bayesnoise.natural_gradient.low_rank import (
    inverse_diagonal,
    inverse_root_times,
    inverse_times,
    log_determinant,
    truncated,
)
from bayesnoise.posteriors._matrix import check_rank


class SlangState(NamedTuple):
    kl_scale: Array  # (), of the last step; 1 before the first
    factor: Array  # (n, rank), U: kl_scale times the precision is U U' + diag(d)
    diagonal: Array  # (n,), d, above 0


def flat(params: Params) -> Array:
    """The learned parameters as one vector; ValueError if there are none."""
    leaves = tree.leaves(of_learned(params))
    if not leaves:
        raise ValueError(f"params is {params!r}, without any learned array: expected something to optimise")
    xp = array_namespace(*leaves)
    return xp.concat([xp.reshape(leaf, (-1,)) for leaf in leaves])


def unflat(vector: Array, params: Params) -> Params:
    """The parameters with the numbers of a vector in the place of the learned ones."""
    xp, begun = array_namespace(vector), 0
    chosen, parts = of_learned(params), []
    for leaf in tree.leaves(chosen):
        size = prod(leaf.shape)
        parts.append(xp.reshape(vector[begun : begun + size], tuple(leaf.shape)))
        begun += size
    return filled(tree.unflatten(chosen, iter(parts)), params)


@dataclass(frozen=True)
class Slang:
    """What `slang` returns."""

    learning_rate: float = 0.1
    rank: int = 5
    prior_scale: float = 1.0
    beta: float = 0.01
    initial_precision: float = 1.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "prior_scale", "beta", "initial_precision"):
            _checks.positive(name, getattr(self, name))
        _checks.probability("beta", self.beta)
        _checks.positive_integer("rank", self.rank)

    def init(self, params: Params) -> SlangState:
        """The state before the first step; ValueError for a rank above the number of parameters."""
        mean = flat(params)
        xp, n = array_namespace(mean), mean.shape[0]
        check_rank(self.rank, n, f"the joint law of {n} parameters")
        factor = xp.zeros((n, self.rank), dtype=mean.dtype, device=device(mean))
        return SlangState(zero(mean) + 1.0, factor, xp.full_like(mean, self.initial_precision))

    def draw(self, rng: Rng, params: Params) -> Array:
        """The standard normal numbers of one draw, `(n,)`."""
        mean = flat(params)
        return rng.normal(tuple(mean.shape), like=mean)

    def perturb(self, params: Params, state: SlangState, eps: Array, kl_scale: float | Array) -> Params:
        """One draw of the parameters: where to take gradients."""
        mean = flat(params)
        root = array_namespace(mean).sqrt(0.0 * state.kl_scale + kl_scale)
        return unflat(mean + root * inverse_root_times(state.factor, state.diagonal, eps), params)

    def step(
        self,
        params: Params,
        grads: Array,
        state: SlangState,
        kl_scale: float | Array,
        learning_rate: float | Array | None = None,
    ) -> tuple[Params, SlangState]:
        """The means and the state after one step; `grads (m, n)` has the gradient of each example in a row."""
        rate = self.learning_rate if learning_rate is None else learning_rate
        xp, beta, mean = array_namespace(grads), self.beta, flat(params)
        delta = kl_scale / self.prior_scale**2
        gradients = (beta / grads.shape[0]) ** 0.5 * grads.T
        factor, rest = truncated(
            xp.concat([(1.0 - beta) ** 0.5 * state.factor, gradients], axis=1), state.factor.shape[1]
        )
        diagonal = (1.0 - beta) * state.diagonal + beta * delta + rest
        direction = inverse_times(factor, diagonal, xp.mean(grads, axis=0) + delta * mean)
        return unflat(mean - rate * direction, params), SlangState(0.0 * state.kl_scale + kl_scale, factor, diagonal)

    def kl(self, params: Params, state: SlangState) -> Array:
        """The divergence from the law to `N(0, prior_scale^2)` of every parameter, shape ()."""
        mean, (kl_scale, u, d) = flat(params), state
        xp, n = array_namespace(mean), mean.shape[0]
        variances = kl_scale * xp.sum(inverse_diagonal(u, d))
        spread = (variances + xp.sum(mean * mean)) / self.prior_scale**2
        log_precision = log_determinant(u, d) - n * xp.log(kl_scale)
        return 0.5 * (spread - n + 2.0 * n * log(self.prior_scale) + log_precision)


def slang(
    learning_rate: float = 0.1,
    *,
    rank: int = 5,
    prior_scale: float = 1.0,
    beta: float = 0.01,
    initial_precision: float = 1.0,
) -> Slang:
    """SLANG: Mishkin et al. 2018 (arXiv 1811.04504), for `fit` in the place of an optimizer.

    `rank` columns beside the diagonal, at most as many as parameters; `prior_scale` is the standard deviation of the
    prior; `beta` is the share of a step in the precision; `initial_precision` is that of a fresh law, divided by the
    number of examples. ValueError for a constant out of range, and at the start of a fit for a larger rank.
    """
    return Slang(learning_rate, rank, prior_scale, beta, initial_precision)
