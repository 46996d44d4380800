"""Dense layers whose weights come in groups, one an input, each times a random factor: Bayesian compression, no bias.

    y = (x z) mean + sqrt((x z)^2 scale^2) zeta,   scale = softplus(rho),   weights to the prior N(0, 1)

z (n, inputs) is drawn for each example. "normal_jeffreys": `z = theta + exp(log_sigma2 / 2) eps`, to the prior 1 / |z|,
whose constant is free. "half_cauchy": `z_i = sqrt(s_a s_b a_i b_i)`, the logarithms of all four normal, to half-Cauchy
priors: of scale `factor_scale` for the s that all units of an example share, `s_a ~ Gamma(1/2, factor_scale^2)`, of
scale 1 for each, `a_i ~ Gamma(1/2, 1)`, and `s_b, b_i ~ InverseGamma(1/2, 1)`.

Parameters: `mean`, `rho` (inputs, outputs); `theta`, `log_sigma2` (inputs,); or `shared_gamma_mu`,
`shared_gamma_log_sigma`, `shared_inverse_mu`, `shared_inverse_log_sigma` (1,) of s_a and s_b, and `gamma_mu`,
`gamma_log_sigma`, `inverse_mu`, `inverse_log_sigma` (inputs,) of a and b. The noise is `eps (n, inputs)` and `zeta (n,
outputs)`, and for half_cauchy `shared_eps (n, 1)` behind s. Without noise z is its mean, and the weights are theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bayesnoise_reference import bayesian_compression as definition
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.scales import log_sigma_of, sigma_of

KINDS = ("normal_jeffreys", "half_cauchy")
NARROW = -40.0  # the logarithm of a scale that is nothing beside any rounding, whose square is a number in float32
PAIRS = ("shared_gamma", "shared_inverse", "gamma", "inverse")


@dataclass(frozen=True, kw_only=True)
class Compression(Described):
    """A layer of a kind; `factor_scale` is of half-Cauchy factors, `error` the largest of an approximated divergence.

    The factors are read off the outputs, so that there must be as many: ValueError if not, and for what cannot be.
    """

    family: str = field(default="compression", init=False)
    kind: Literal["normal_jeffreys", "half_cauchy"]
    inputs: int = 3
    outputs: int = 4
    factor_scale: float = 0.5
    error: float = 0.0  # a factor

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}, expected 'normal_jeffreys' or 'half_cauchy'")
        if self.inputs < 2:
            raise ValueError(f"inputs is {self.inputs}, expected at least 2")
        if self.outputs <= self.inputs:
            raise ValueError(f"outputs is {self.outputs}, expected more than inputs, {self.inputs}")
        if not (math.isfinite(self.factor_scale) and self.factor_scale > 0):
            raise ValueError(f"factor_scale is {self.factor_scale}, expected a finite number above 0")
        if not self.error >= 0.0:
            raise ValueError(f"error is {self.error}, expected at least 0")

    @property
    def estimator(self) -> str:
        return self.kind

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*x_shape[:-1], self.outputs)


def laws(held: dict[str, Array]) -> tuple[Any, Any]:
    """The two pairs of logarithms, each its mean and the logarithm of its standard deviation: shared, and each."""
    pairs = [(held[f"{name}_mu"], held[f"{name}_log_sigma"]) for name in PAIRS]
    return (pairs[0], pairs[1]), (pairs[2], pairs[3])


def factors(kind: str, held: dict[str, Array], noise: dict[str, Array]) -> Array:
    """`z` (n, inputs), by the definition; complex parameters pass through."""
    if kind == "normal_jeffreys":
        return definition.gaussian_factor(held["theta"], held["log_sigma2"], noise["eps"])
    return definition.horseshoe_factor(*laws(held), noise["shared_eps"], noise["eps"])


def output(kind: str, held: dict[str, Array], x: Array, noise: dict[str, Array]) -> Array:
    """The layer, by its definition."""
    h = x * factors(kind, held, noise)
    return np.asarray(h @ held["mean"] + np.sqrt(h**2 @ sigma_of(held["rho"]) ** 2) * noise["zeta"])


def logarithm(held: dict[str, Array]) -> tuple[Array, Array, Any]:
    """Of the squared half-Cauchy factors: the mean, the variance that each has by itself, and that which all share."""
    (s_a, s_b), (a, b) = laws(held)
    own, shared = (np.exp(2.0 * one[1]) + np.exp(2.0 * other[1]) for one, other in ((a, b), (s_a, s_b)))
    return s_a[0] + s_b[0] + a[0] + b[0], own, shared


def expected(kind: str, held: dict[str, Array]) -> Array:
    """`E z` (inputs,): that of a log-normal law whose logarithm is half a sum."""
    if kind == "normal_jeffreys":
        return held["theta"]
    mean, own, shared = logarithm(held)
    return np.asarray(np.exp(0.5 * mean + 0.125 * (own + shared)))


def divergence(d: Compression, held: dict[str, Array]) -> Any:
    """Of weights and factors; complex parameters pass through."""
    of_weights = 0.5 * (sigma_of(held["rho"]) ** 2 + held["mean"] ** 2 - 1.0) - log_sigma_of(held["rho"])
    if d.kind == "normal_jeffreys":
        return np.sum(of_weights) + definition.gaussian_factor_kl(held["theta"], held["log_sigma2"])
    return np.sum(of_weights) + np.sum(definition.horseshoe_factor_kl(*laws(held), d.factor_scale))


@dataclass(frozen=True)
class CompressionTrial(Trial):
    """A trial of a layer with a factor a group."""

    @property
    def description(self) -> Compression:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, Compression)
        return found

    def load(self, *, narrow: tuple[str, ...] = ()) -> dict[str, Array]:
        """Load random parameters; what is narrow has no noise to speak of: "weights", "factors", of half-Cauchy ones
        also "shared" or "own" alone.
        """
        d, rng, shape = self.description, self.rng, (self.description.inputs, self.description.outputs)
        found = {"mean": rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)}
        found["rho"] = np.full(shape, NARROW) if "weights" in narrow else rng.uniform(-1.5, 0.5, shape)
        if d.kind == "normal_jeffreys":
            found["theta"] = rng.uniform(1.4, 2.2, d.inputs) * rng.choice([-1.0, 1.0], d.inputs)
            found["log_sigma2"] = rng.permutation(np.linspace(-4.0, -0.5, d.inputs))
            if "factors" in narrow:
                found["log_sigma2"] = np.full(d.inputs, 2.0 * NARROW)
            return self.guard.load(found)
        for name in PAIRS:
            n = 1 if name.startswith("shared") else d.inputs
            found[f"{name}_mu"] = rng.uniform(-1.0, 1.0, n)
            quiet = {"factors", "shared" if name.startswith("shared") else "own"} & set(narrow)
            low, high = (-0.6, 0.0) if name.startswith("shared") else (-1.2, -0.4)
            found[f"{name}_log_sigma"] = np.full(n, NARROW) if quiet else rng.uniform(low, high, n)
        return self.guard.load(found)

    def rows(self, n: int) -> Array:
        """(n, inputs): none near 0, of the precision of the layer."""
        return self.away_from_zero(n, self.description.inputs)

    def noise(self, n: int) -> dict[str, Array]:
        """That of a call with n examples."""
        d = self.description
        found = {"eps": self.normals(n, d.inputs), "zeta": self.normals(n, d.outputs)}
        return found | ({"shared_eps": self.normals(n, 1)} if d.kind == "half_cauchy" else {})

    def factors(self, held: dict[str, Array], x: Array, y: Array) -> Array:
        """(n, inputs): those behind outputs of weights without noise."""
        rows = zip(x, y, strict=True)
        return np.stack([np.linalg.lstsq((x_n[:, None] * held["mean"]).T, y_n, rcond=None)[0] for x_n, y_n in rows])

    def numbers(self, held: dict[str, Array], z: Array) -> Array:
        """(n, inputs): the standard normal numbers behind factors, independent."""
        if self.description.kind == "normal_jeffreys":
            return np.asarray((z - held["theta"]) / np.exp(0.5 * held["log_sigma2"]))
        mean, own, shared = logarithm(held)
        root = np.linalg.cholesky(np.diag(own) + shared)
        return np.asarray(np.linalg.solve(root, (2.0 * np.log(np.maximum(z, 1e-300)) - mean).T).T)

    def zeta(self, held: dict[str, Array], x: Array, y: Array) -> Array:
        """(n, outputs): the noise of outputs whose factors have none."""
        h = x * expected(self.description.kind, held)
        return np.asarray((y - h @ held["mean"]) / np.sqrt(h**2 @ sigma_of(held["rho"]) ** 2))


of_compression = ClaimsOf(("compression",), KINDS, CompressionTrial)
