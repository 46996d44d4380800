"""Weights that a sparse posterior has switched off: masks, sparsity, and the network without them.

Molchanov, Ashukha, Vetrov 2017 (arXiv 1701.05369), section 5: a weight goes when `log alpha` passes 3, which is dropout
at a rate of 0.95. A bias is a term of its own: it is counted, and pruned, only where it is random.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from bayesnoise._typing import Array, Params
from bayesnoise.composite import rewrite, walk
from bayesnoise.layer import Layer
from bayesnoise.noise import GroupFactor
from bayesnoise.posteriors import Additive, Multiplicative
from bayesnoise.stochastic import Stochastic

THRESHOLD = 3.0
NO_NOISE = -1e4  # a log variance whose exponential is 0 in every floating-point type, and whose double is finite


class Sparsity(NamedTuple):
    """What one layer keeps."""

    path: str  # of the layer's parameters, dotted
    keep: Array  # like the weights, boolean
    kept: int
    total: int


def _prunable(layer: Any) -> bool:
    return isinstance(layer, Stochastic) and isinstance(layer.posterior, Additive | Multiplicative)


def _keep(layer: Stochastic, params: Params, threshold: float) -> Array:
    mean, log_alpha = layer.posterior.mean(params), layer.posterior.log_alpha(params)
    xp = array_namespace(mean)
    return xp.broadcast_to(log_alpha, mean.shape) <= threshold


def can_prune(layer: Layer, params: Params) -> bool:
    """Whether a layer of the network has weights that a prior draws to zero one by one."""
    return any(_prunable(part) for _, part, _ in walk(layer, params))


def _check(layer: Layer, params: Params) -> None:
    """Raise ValueError unless something in the network can be pruned."""
    if can_prune(layer, params):
        return
    parts = [part for _, part, _ in walk(layer, params)]
    if any(isinstance(part, GroupFactor) for part in parts):
        raise ValueError("layer has weights that go in groups and none that go one by one: use prune_groups")
    laws = ", ".join(sorted({str(part.posterior) for part in parts if isinstance(part, Stochastic)})) or "no law"
    raise ValueError(
        f"layer has weights of {laws}, expected some of Additive or Multiplicative, which a prior draws to zero: use "
        "sparse_variational_dropout, automatic_relevance_determination or variational_dropout of type A"
    )


def sparsity(layer: Layer, params: Params, threshold: float = THRESHOLD) -> tuple[Sparsity, ...]:
    """One record for each layer that can be pruned; ValueError, with what to use, if there is none."""
    _check(layer, params)
    records = []
    for path, part, p in walk(layer, params):
        if _prunable(part):
            keep = _keep(part, p, threshold)
            kept = int(array_namespace(keep).count_nonzero(keep))
            records.append(Sparsity(path, keep, kept, prod(keep.shape)))
    return tuple(records)


def compression_ratio(records: tuple[Sparsity, ...]) -> float:
    """Weights over weights kept, all layers together; ValueError for no records, infinite if nothing is kept."""
    if not records:
        raise ValueError("records is empty, expected one a layer: no layer has a posterior that can be pruned")
    kept = sum(record.kept for record in records)
    return sum(record.total for record in records) / kept if kept else float("inf")


def prune(layer: Layer, params: Params, threshold: float = THRESHOLD) -> Params:
    """The parameters with every pruned weight at 0 and without noise; the rest as they were.

    ValueError, with what to use instead, if no layer can be pruned.
    """
    _check(layer, params)

    def pruned(part: Any, p: Params) -> Params:
        if not _prunable(part):
            return p
        keep = _keep(part, p, threshold)
        xp = array_namespace(p.theta)
        theta = xp.where(keep, p.theta, xp.zeros_like(p.theta))
        if isinstance(part.posterior, Multiplicative):  # its noise is proportional to theta
            return p._replace(theta=theta)
        silent = xp.full_like(p.log_sigma2, NO_NOISE)
        return p._replace(theta=theta, log_sigma2=xp.where(keep, p.log_sigma2, silent))

    return rewrite(layer, params, pruned)
