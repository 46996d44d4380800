"""Layers that bring a prior of their own, under an optimizer that has one for every parameter."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from bayesnoise import tree
from bayesnoise._typing import Params
from bayesnoise.composite import outline, walk
from bayesnoise.layer import Layer


def check_no_divergence(layer: Layer, params: Params, optimizer: Any) -> None:
    """Raise ValueError if some part of the layer has a divergence, which would count beside that of the law.

    One that belongs to an example, as information dropout has, is part of the loss and no prior: it may stay.
    """
    for _, part, own in walk(layer, params):
        if _has_divergence(part, own):
            raise ValueError(
                f"layer holds {outline(part)}, with a divergence of its own, and {type(optimizer).__name__} has the "
                "prior of every parameter, which would count twice: use deterministic without a prior_scale, and give "
                "the prior_scale to the optimizer"
            )


def _has_divergence(part: Layer, params: Params) -> bool:
    """Whether the divergence changes with the parameters, at numbers where a penalty of fresh zeros does too."""
    try:
        grad = part.kl_grad(tree.map(lambda p: p + 0.5, params))
    except ValueError:  # a Monte Carlo one asks for the noise of a draw
        return True
    return any(bool(array_namespace(g).any(g != 0)) for g in tree.leaves(grad))
