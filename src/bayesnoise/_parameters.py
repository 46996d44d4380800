"""The parameters that are learned, apart from the statistics that a normalisation keeps among them."""

from __future__ import annotations

from bayesnoise import tree
from bayesnoise._typing import Array, Params, Rng
from bayesnoise.optimizers import learned


def of_learned(params: Params) -> Params:
    """The tree with None in the place of what is not learned."""
    return tree.unflatten(params, iter([leaf if learned(name) else None for name, leaf in tree.paths(params)]))


def filled(some: Params, params: Params) -> Params:
    """The tree `some`, and where it has None the leaf of `params`."""
    found = dict(tree.paths(some))
    return tree.unflatten(params, iter([found.get(name, leaf) for name, leaf in tree.paths(params)]))


def standard_normal(rng: Rng, shapes: Params, *, like: Array) -> Params:
    """A tree of independent standard normal numbers in the shapes of another, None where that has it."""
    rngs = iter(rng.split(max(1, len(tree.leaves(shapes)))))
    return tree.map(lambda leaf: next(rngs).normal(tuple(leaf.shape), like=like), shapes)
