"""Random factors of whole units: `y = x * z` for x (n, units, positions), one factor an example and unit.

"structured" (variational structured dropout): `z = 1 + U (sqrt(alpha) eps)`, U a product of reflections along
`v_t = F_t v_{t-1} + c_t`, t = 1, ..., T. Parameters: `log_alpha (units,)`, `start (units,)` for v_0, and for each t
`matrix_t (units, units)` and `shift_t (units,)`. Its KL is the empirical-Bayes one of `columns` columns of weights.

"truncated" (structured variational dropout): log z is `N(mu, exp(log_sigma)^2)` on `[low, high]`, its prior uniform
there. Parameters: `mu (units,)` and `log_sigma (units,)`. Without noise a layer uses the mean of z.

The noise of both is `eps (n, units)`, standard normal; a truncated factor has as much of its law below it as the normal
law has below eps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri

from bayesnoise_reference import structured_variational_dropout as truncated
from bayesnoise_reference import variational_structured_dropout as structured
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial

KINDS = ("structured", "truncated")


@dataclass(frozen=True, kw_only=True)
class Factors(Described):
    """A layer of factors; `reflections` and `columns` are of structured ones, `low` and `high` of truncated ones.

    ValueError for sizes below 1 (2 units, 2 positions) and for bounds that are no interval.
    """

    family: str = field(default="factors", init=False)
    kind: Literal["structured", "truncated"]
    units: int = 3
    positions: int = 2
    columns: int = 2
    reflections: int = 2
    low: float = -3.0
    high: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(map(repr, KINDS))}")
        for name, least in (("units", 2), ("positions", 2), ("columns", 1), ("reflections", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least {least}")
        if not self.low < self.high:
            raise ValueError(f"low is {self.low} and high {self.high}, expected an interval: low below high")

    @property
    def estimator(self) -> str:
        return self.kind


def _unit(v: Array) -> Array:
    return np.asarray(v / np.linalg.norm(v))


@dataclass(frozen=True)
class FactorsTrial(Trial):
    """A trial of a layer of factors."""

    @property
    def description(self) -> Factors:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Factors)
        return found

    def parameters(self) -> dict[str, Array]:
        """Random ones: variances of factors that differ, vectors at 50 degrees, means of log z inside the bounds.

        Reflections along orthogonal vectors, or along parallel ones, commute: no law would show their order.
        """
        d, rng, k = self.description, self.rng, self.description.units
        if d.kind == "truncated":
            width = d.high - d.low
            return {
                "mu": d.high - width * rng.permutation(np.linspace(0.2, 0.6, k)),
                "log_sigma": np.log(width * rng.permutation(np.linspace(0.1, 0.25, k))),
            }
        found = {"log_alpha": rng.permutation(np.linspace(-2.5, 0.5, k)), "start": rng.standard_normal(k)}
        v, direction = found["start"], _unit(rng.uniform(0.7, 1.3, k))
        for t in range(1, d.reflections + 1):
            other = np.roll((-1.0) ** np.arange(k), t) * rng.uniform(0.7, 1.3, k)
            other = _unit(other - (other @ direction) * direction)
            direction = np.cos(0.87) * direction + np.sin(0.87) * other
            matrix = rng.standard_normal((k, k)) / np.sqrt(k)
            target = rng.uniform(0.5, 2.0) * direction
            found |= {f"matrix_{t}": matrix, f"shift_{t}": target - matrix @ v}
            v = target
        return found

    def load(self, **given: Any) -> dict[str, Array]:
        """Load parameters; what is not given is random. Returned as the layer holds them."""
        shapes = self.parameters()
        return self.guard.load({name: np.broadcast_to(given.get(name, v), v.shape) for name, v in shapes.items()})

    def reflected(self, held: dict[str, Array]) -> list[Array]:
        """The vectors of the reflections."""
        steps = [(held[f"matrix_{t}"], held[f"shift_{t}"]) for t in range(1, self.description.reflections + 1)]
        return structured.vectors(held["start"], steps)

    def factors(self, held: dict[str, Array], eps: Array) -> Array:
        """`z`, (n, units), by definition; complex parameters pass through."""
        d = self.description
        if d.kind == "truncated":
            return truncated.factors(held["mu"], held["log_sigma"], eps, d.low, d.high)
        return structured.factors(held["log_alpha"], self.reflected(held), eps)

    def mean(self, held: dict[str, Array]) -> Array:
        """`E z`, (units,)."""
        d = self.description
        if d.kind == "truncated":
            return truncated.moment(held["mu"], held["log_sigma"], d.low, d.high, 1)
        return np.ones(d.units)

    def divergence(self, held: dict[str, Array]) -> Any:
        """The KL by quadrature; complex parameters pass through."""
        d = self.description
        if d.kind == "truncated":
            return truncated.divergence(held["mu"], held["log_sigma"], d.low, d.high)
        one = structured.column_divergence(np.ones(d.units), held["log_alpha"], self.reflected(held))
        return d.columns * one

    def noise(self, held: dict[str, Array], z: Array) -> Array:
        """The standard normal numbers behind factors: (n, units), independent."""
        d = self.description
        if d.kind == "structured":
            u = structured.rotation(self.reflected(held))
            return np.asarray((z - 1.0) @ u / np.exp(0.5 * held["log_alpha"]))
        shares = truncated.distribution(
            np.log(np.maximum(z, 1e-300)), held["mu"], np.exp(held["log_sigma"]), d.low, d.high
        )
        return np.asarray(ndtri(np.clip(shares, 1e-300, 1.0 - 1e-16)))

    def rows(self, n: int) -> Array:
        """(n, units, positions): inputs of either sign, none near 0, of the precision of the layer."""
        d = self.description
        x = self.rng.uniform(0.5, 2.0, (n, d.units, d.positions)) * self.rng.choice([-1.0, 1.0], (n, d.units, 1))
        return self.rounded(x)

    def whitened(self) -> Array:
        """(draws, units): what is behind the factors of several examples in every call."""
        held = self.load()
        x = np.ones((64, self.description.units, self.description.positions))
        return np.concatenate([self.noise(held, self.guard.sample(x)[:, :, 0]) for _ in range(self.calls)])


of_factors = ClaimsOf(("factors",), KINDS, FactorsTrial)
