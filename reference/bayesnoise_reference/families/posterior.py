"""Dense layers whose random weights have a law with a structure: `y = x W`, x (n, inputs), without a bias.

"k_tied": independent, `W ~ N(mu, s^2)`, `s_io = sum_k exp(log_u_ik + log_v_ok)`. "matrix_gaussian": independent, with
the variance `exp(log_u_i + log_v_o)`. "low_rank": all weights as one vector have the covariance `diag(exp(log_sigma)^2)
+ sum_k l_k l_k'`. "radial": `W = mu + softplus(rho) radius eps / |eps|`, the length over all weights, eps and the one
radius standard normal. Parameters: `mu (inputs, outputs)` and `log_u (inputs, rank)`, `log_v (outputs, rank)`; `log_u
(inputs,)`, `log_v (outputs,)`; `log_sigma` like mu, `factor (rank, inputs, outputs)`; `rho` like mu.

`draws` says what a draw is. "call": weights, one draw for all examples, from the noise `eps (inputs, outputs)`, for
low_rank also `e (rank,)`, and for radial also `radius (1,)`. "flipout": the same noise of independent weights, with
`sign_in (n, inputs)` and `sign_out (n, outputs)` around it. "local": outputs, from `zeta (n, outputs)`, for low_rank
also `e (n, rank)`. Without noise the weights are mu. The prior is `N(0, prior^2)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bayesnoise_reference import k_tied, matrix_gaussian, radial
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial

KINDS = ("k_tied", "matrix_gaussian", "low_rank", "radial")
DRAWS = {"k_tied": ("call", "flipout", "local"), "low_rank": ("call", "local"), "radial": ("call",)}
DRAWS["matrix_gaussian"] = DRAWS["k_tied"]
NARROW = -40.0  # the logarithm of a scale that is nothing beside any rounding, whose square is a number in float32


@dataclass(frozen=True, kw_only=True)
class Posterior(Described):
    """A layer of a kind; `rank` is of k_tied and low_rank ones.

    `kl_kind` says whether the divergence of a radial one is exact, or has `-log p(w)` at one fresh draw in the place of
    its mean, and `constant` whether it is whole or right up to a constant, as in Farquhar, Osborne and Gal (arXiv
    1907.00865). ValueError for what cannot be.
    """

    family: str = field(default="posterior", init=False)
    kind: Literal["k_tied", "matrix_gaussian", "low_rank", "radial"]
    draws: Literal["call", "flipout", "local"] = "call"
    inputs: int = 4
    outputs: int = 3
    rank: int = 2
    prior: float = 0.5
    kl_kind: Literal["closed", "monte_carlo"] = "closed"
    constant: Literal["exact", "free"] = "exact"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected one of {', '.join(map(repr, KINDS))}")
        if self.draws not in DRAWS[self.kind]:
            allowed = ", ".join(map(repr, DRAWS[self.kind]))
            raise ValueError(f"draws is {self.draws!r}, expected one of {allowed} for {self.kind}")
        for name in ("inputs", "outputs"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 2")
        if not 1 <= self.rank <= min(self.inputs, self.outputs):
            raise ValueError(f"rank is {self.rank}, expected 1 to {min(self.inputs, self.outputs)}, the lesser size")
        if not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0")
        if self.kind != "radial" and (self.kl_kind, self.constant) != ("closed", "exact"):
            raise ValueError(f"kl_kind is {self.kl_kind!r} and constant {self.constant!r}, which are of radial layers")

    @property
    def estimator(self) -> str:
        return self.kind

    @property
    def independent(self) -> bool:
        """Whether the weights are."""
        return self.kind in ("k_tied", "matrix_gaussian")

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*x_shape[:-1], self.outputs)


def scale(kind: str, held: dict[str, Array]) -> Array:
    """What multiplies standard noise, by the definition; complex parameters pass through."""
    if kind == "k_tied":
        return k_tied.law(held["mu"], held["log_u"], held["log_v"])[1]
    if kind == "matrix_gaussian":
        return matrix_gaussian.law(held["mu"], held["log_u"], held["log_v"])[1]
    return np.exp(held["log_sigma"]) if kind == "low_rank" else np.log1p(np.exp(held["rho"]))


def weights(kind: str, held: dict[str, Array], noise: dict[str, Array]) -> Array:
    """One draw of all of them."""
    if kind == "radial":
        return radial.weights(held["mu"], held["rho"], noise["eps"], float(noise["radius"][0]))
    w = held["mu"] + scale(kind, held) * noise["eps"]
    return np.asarray(w + np.tensordot(noise["e"], held["factor"], 1) if kind == "low_rank" else w)


def output(d: Posterior, held: dict[str, Array], x: Array, noise: dict[str, Array]) -> Array:
    """The layer, by its definition."""
    if d.draws == "call":
        return np.asarray(x @ weights(d.kind, held, noise))
    mean, s = x @ held["mu"], scale(d.kind, held)
    if d.draws == "flipout":
        return np.asarray(mean + (x * noise["sign_in"]) @ (s * noise["eps"]) * noise["sign_out"])
    if d.kind == "low_rank":
        mean = mean + np.einsum("nk,ni,kio->no", noise["e"], x, held["factor"])
    return np.asarray(mean + np.sqrt(x**2 @ s**2) * noise["zeta"])


@dataclass(frozen=True)
class PosteriorTrial(Trial):
    """A trial of a layer whose weights have a structured law."""

    @property
    def description(self) -> Posterior:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Posterior)
        return found

    def parameters(self) -> dict[str, Array]:
        """Random ones: means of either sign, none near 0, and scales that differ between rows, columns and ranks."""
        d, rng = self.description, self.rng
        shape = (d.inputs, d.outputs)
        held = {"mu": rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)}
        if d.kind == "k_tied":
            sides = (("log_u", d.inputs), ("log_v", d.outputs))
            levels = {name: [rng.permutation(np.linspace(-1.6, 0.4, n)) for _ in range(d.rank)] for name, n in sides}
            return held | {name: np.stack(columns, axis=1) for name, columns in levels.items()}
        if d.kind == "matrix_gaussian":
            rows, columns = np.linspace(-3.0, 0.5, d.inputs), np.linspace(-1.0, 1.5, d.outputs)
            return held | {"log_u": rng.permutation(rows), "log_v": rng.permutation(columns)}
        if d.kind == "radial":
            return held | {"rho": rng.permutation(np.linspace(-1.0, 2.5, d.inputs * d.outputs)).reshape(shape)}
        size = rng.uniform(0.6, 1.2, (d.rank, *shape)) * rng.choice([-1.0, 1.0], (d.rank, *shape))
        return held | {"log_sigma": rng.uniform(-1.2, -0.4, shape), "factor": size}

    def load(self, **given: Any) -> dict[str, Array]:
        """Load parameters; what is not given is random. Returned as the layer holds them."""
        shapes = self.parameters()
        return self.guard.load({name: np.broadcast_to(given.get(name, v), v.shape) for name, v in shapes.items()})

    def rows(self, n: int) -> Array:
        """(n, inputs): none near 0, of the precision of the layer."""
        return self.away_from_zero(n, self.description.inputs)

    def noise(self, n: int) -> dict[str, Array]:
        """Noise of one call with n examples, by the names of the kind."""
        d = self.description
        if d.draws == "local":
            found = {"zeta": self.normals(n, d.outputs)}
            return found | {"e": self.normals(n, d.rank)} if d.kind == "low_rank" else found
        found = {"eps": self.normals(d.inputs, d.outputs)}
        if d.draws == "flipout":
            sides = (("sign_in", d.inputs), ("sign_out", d.outputs))
            found |= {name: self.rng.choice([-1.0, 1.0], (n, size)) for name, size in sides}
        more = {"low_rank": ("e", d.rank), "radial": ("radius", 1)}
        return found | {more[d.kind][0]: self.normals(more[d.kind][1])} if d.kind in more else found


of_posterior = ClaimsOf(("posterior",), KINDS, PosteriorTrial)
