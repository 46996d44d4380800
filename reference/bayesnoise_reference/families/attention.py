"""Self-attention with random projections, `(n, t, features) -> (n, t, features)`.

Parameters are `query_mean`, `query_rho` and `query_bias`, and the same of key, value and output: (features, features)
and (features,), the biases not random. Head k has columns k d to (k + 1) d - 1. `sample_with_noise` takes `query_eps`
and so on and, under flipout, `query_sign_in` and `query_sign_out`, (n, features).

A projection is read off an output exactly. With values that are one-hot and an output of the identity, an output is
the attention itself, whose logarithm gives the scores: a query's weights where the keys are known, a key's where the
queries are. Values are read where all positions are equal, the output projection where the values are known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from bayesnoise_reference import attention
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description, Scale
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.claims.weight_trial import TINY, raw, sigma, slope

PROJECTIONS = ("query", "key", "value", "output")


@dataclass(frozen=True, kw_only=True)
class Attention(Described):
    """Self-attention. ValueError for numbers that cannot be.

    `scale` says how a standard deviation is stored; `prior` is the standard deviation of a Gaussian prior of mean 0.
    """

    family: str = field(default="attention", init=False)
    estimator: Literal["shared", "flipout"] = "flipout"
    features: int = 4
    heads: int = 2
    causal: bool = False
    scale: Scale = "softplus"
    prior: float | None = None

    def __post_init__(self) -> None:
        if self.estimator not in ("shared", "flipout"):
            raise ValueError(
                f"estimator is {self.estimator!r}, expected 'shared' or 'flipout': one that draws the noise of outputs "
                f"compares positions by different weights"
            )
        if self.heads < 1 or self.features % self.heads or self.features // self.heads < 2:
            raise ValueError(f"heads is {self.heads}, expected a divisor of {self.features} that leaves 2 or more each")
        if self.prior is not None and not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0, or None for no KL")
        _ = self.weights  # raises for another scale

    @property
    def each(self) -> int:
        """Features of one head."""
        return self.features // self.heads

    @property
    def weights(self) -> Description:
        """One projection by itself."""
        size = self.features
        return Description("dense", self.estimator, size, size, scale=self.scale, dtype=self.dtype)


class Held(NamedTuple):
    """The parameters that the layer holds, by the name of the projection."""

    mean: dict[str, Array]  # (features, features)
    scale: dict[str, Array]  # (features, features)
    slope: dict[str, Array]  # of the scale by what is stored
    bias: dict[str, Array]  # (features,)


@dataclass(frozen=True)
class AttentionTrial(Trial):
    """A trial of attention."""

    @property
    def description(self) -> Attention:
        """What the layer is."""
        found = self.guard.description
        assert isinstance(found, Attention)
        return found

    def load(self, mean: dict[str, Any], scale: dict[str, Any], bias: dict[str, Any] | None = None) -> Held:
        """Load what is given; other means and biases are 0, and other scales none at all."""
        shape = (self.description.features,) * 2
        of = self.description.weights
        return self._held(
            {name: np.broadcast_to(mean.get(name, 0.0), shape) for name in PROJECTIONS},
            {name: raw(of, np.broadcast_to(scale.get(name, TINY), shape)) for name in PROJECTIONS},
            {name: np.broadcast_to((bias or {}).get(name, 0.0), shape[:1]) for name in PROJECTIONS},
        )

    def load_raw(self, level: float) -> Held:
        """Load random means and biases, and one scale, as the layer stores it."""
        drawn, shape = self.random(), (self.description.features,) * 2
        return self._held(drawn.mean, {name: np.full(shape, level) for name in PROJECTIONS}, drawn.bias)

    def _held(self, mean: dict[str, Array], rho: dict[str, Array], bias: dict[str, Array]) -> Held:
        d, parameters = self.description.weights, dict[str, Array]()
        for name in PROJECTIONS:
            parameters |= {f"{name}_mean": mean[name], f"{name}_rho": rho[name], f"{name}_bias": bias[name]}
        held = self.guard.load(parameters)
        return Held(
            {k: held[f"{k}_mean"] for k in PROJECTIONS},
            {k: sigma(d, held[f"{k}_rho"]) for k in PROJECTIONS},
            {k: slope(d, held[f"{k}_rho"]) for k in PROJECTIONS},
            {k: held[f"{k}_bias"] for k in PROJECTIONS},
        )

    def random(self, scale: float | None = None) -> Held:
        """Means, biases and, unless one is given, scales of everything."""
        d, rng = self.description, self.rng
        shape = (d.features, d.features)
        return self.load(
            {k: rng.standard_normal(shape) for k in PROJECTIONS},
            {k: rng.uniform(0.2, 0.6, shape) if scale is None else scale for k in PROJECTIONS},
            {k: 0.5 * rng.standard_normal(d.features) for k in PROJECTIONS},
        )

    def rows(self, n: int, t: int) -> Array:
        """(n, t, features), of the precision of the layer."""
        return self.normals(n, t, self.description.features)

    def output(self, x: Array, weights: dict[str, Array], bias: dict[str, Array]) -> Array:
        """By the definition; weights may have one more axis, of examples."""
        d, found = self.description, []
        for n, x_n in enumerate(x):
            own = [(w[n] if (w := weights[k]).ndim == 3 else w, bias[k]) for k in PROJECTIONS]
            found.append(attention.output(x_n, own[0], own[1], own[2], own[3], d.heads, d.causal))
        return np.stack(found)

    @property
    def rounding(self) -> float:
        """What rounding may do to an output of moderate size."""
        return 2048.0 * self.guard.eps * self.description.features

    def one_hot(self) -> Array:
        """(features, features): row i, below the features of a head, is 1 in place i of every head."""
        d = self.description
        found = np.zeros((d.features, d.features))
        for i in range(d.each):
            found[i, i :: d.each] = 1.0
        return found

    def scores(self, y: Array) -> Array:
        """(n, t, heads, d): from outputs that are attention, scores of the positions 1 to d, over those of 0."""
        d = self.description
        a = y.reshape(*y.shape[:2], d.heads, d.each)
        with np.errstate(all="ignore"):
            return np.asarray(np.log(a / (1.0 - np.sum(a, axis=-1, keepdims=True)))) * math.sqrt(d.each)

    def places(self, n: int) -> Array:
        """(n, d + 1, features): zeros, then one feature after the other."""
        d = self.description
        x = np.zeros((n, d.each + 1, d.features))
        x[:, 1:, : d.each] = np.eye(d.each)
        return x

    def reading(self, name: str, mean: Array, scale: Array) -> tuple[Held, Array]:
        """Parameters under which one projection is read, and an input of one example."""
        d, hot, identity = self.description, self.one_hot(), np.eye(self.description.features)
        means: dict[str, Any] = {"value": hot, "output": identity}
        x = self.places(1)
        if name == "value":
            means = {"output": identity}
            x = np.repeat(np.eye(d.features)[None, self.rng.integers(d.features)][None], 3, axis=1)
        if name == "output":
            means = {"value": identity}
            x = np.repeat(np.eye(d.features)[None, self.rng.integers(d.features)][None], 3, axis=1)
        if name in ("query", "key"):
            means["key" if name == "query" else "query"] = hot
        return self.load(means | {name: mean}, {name: scale}), x

    def entries(self, name: str, x: Array) -> tuple[Array, Array]:
        """The rows and the columns of the weights of a projection that are read."""
        d = self.description
        if name == "key":  # from every feature to the last place of each head
            return np.tile(np.arange(d.each), d.heads), np.repeat(np.arange(d.each - 1, d.features, d.each), d.each)
        row = d.each - 1 if name == "query" else int(np.argmax(x[0, 0]))
        return np.full(d.features, row), np.arange(d.features)

    def draws(self, name: str, held: Held, x: Array, y: Array) -> Array:
        """(n, m): the standard normal draws behind the entries."""
        at = self.entries(name, x)
        seen = y[:, 0]
        if name in ("query", "key"):  # of the last position, which sees all
            seen = self.scores(y)[:, -1].reshape(len(x), -1)
        return np.asarray((seen - held.mean[name][at]) / held.scale[name][at])

    def read(self, name: str, level: float, n: int, calls: int) -> Array:
        """(calls, n, m): the draws of as many calls on n equal examples, standard deviations about the level."""
        d, found = self.description, []
        shape = (d.features, d.features)
        mean = self.rng.uniform(0.3, 0.6, shape)
        for _ in range(calls):
            held, x = self.reading(name, mean, level * self.rng.uniform(0.9, 1.1, shape))
            x = np.repeat(x, n, axis=0)
            found.append(self.draws(name, held, x, self.guard.sample(x)))
        return np.stack(found)


of_attention = ClaimsOf(("attention",), ("shared", "flipout"), AttentionTrial)
