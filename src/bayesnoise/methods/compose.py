"""From a map, a posterior, an estimator and a divergence to a layer with its bias, and the row that names a method.

`bias` is "deterministic", "random" (with the weights' law, a draw an example unless the weights share one) or "none".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from bayesnoise import _checks
from bayesnoise.affine import Affine
from bayesnoise.divergences import Divergence, Zero
from bayesnoise.estimators import Estimator, Local, PerExample, Plain, Shared
from bayesnoise.layer import Layer
from bayesnoise.maps import Map
from bayesnoise.posteriors import Point, Posterior
from bayesnoise.procedures import Descent, Procedure
from bayesnoise.stochastic import Stochastic

Bias: TypeAlias = Literal["deterministic", "random", "none"]
Scale: TypeAlias = Any  # a float, or an array in the shape of the weights


class Method(NamedTuple):
    build: Callable[..., Layer]
    combines: str
    paper: str
    procedure: Callable[..., Procedure] = Descent  # how it is trained and predicts, by options of its own

    @property
    def name(self) -> str:
        return self.build.__name__


def compose(
    map: Map,
    posterior: Posterior,
    estimator: Estimator,
    divergence: Divergence,
    bias: Bias = "deterministic",
    bias_divergence: Divergence | None = None,
    bias_posterior: Posterior | None = None,
) -> Stochastic | Affine:
    """The layer of a map, a posterior, an estimator and a divergence, with its bias.

    A random bias has noise of its own for each example, except under Shared; its law and its divergence are those of
    the weights unless others are given. A deterministic bias has none.
    """
    weight = Stochastic(map, posterior, estimator, divergence)
    _checks.one_of("bias", bias, ("deterministic", "random", "none"))
    if bias == "none":
        return weight
    if bias == "deterministic":
        return Affine(weight, Stochastic(map.bias(), Point(), Plain(), bias_divergence or Zero()))
    law, kl = bias_posterior or posterior, bias_divergence or divergence
    if not law.traits.random:
        raise ValueError(f"bias is 'random', but its law, {law}, is not: expected 'deterministic' or 'none'")
    per_example = Local() if law.traits.gaussian else PerExample()
    same = isinstance(estimator, Shared | Local)
    return Affine(weight, Stochastic(map.bias(), law, estimator if same else per_example, kl))
