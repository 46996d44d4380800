"""Laws of weights that are drawn, written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.weight_draws import CAUSES, WeightDraws

Array = Any
LAYERS = [WeightDraws(kind="diagonal"), WeightDraws(kind="slang"), WeightDraws(kind="swag")]

_KL = {"draws-kl-mean-missing", "draws-kl-averaged", "draws-kl-reversed"}
_OF = {
    "draws-shared-by-parameters": ("diagonal",),
    "draws-variance-as-scale": ("diagonal", "swag"),
    "draws-examples-forgotten": ("diagonal", "slang"),
    "draws-prior-forgotten": ("diagonal",),
    "draws-prior-twice": ("diagonal",),
    "draws-prior-as-variance": ("diagonal",),
    "draws-prior-unscaled": ("diagonal",),
    "draws-reversed": ("diagonal",),
    "draws-full-diagonal": ("swag",),
    "draws-full-low-rank": ("swag",),
    "draws-divided-by-rank": ("swag",),
    "draws-second-moment": ("swag",),
    "draws-no-diagonal": ("swag",),
    "draws-no-low-rank": ("slang", "swag"),
    "draws-marginals-only": ("slang", "swag"),
    "draws-factor-in-covariance": ("slang",),
    "draws-root-missing": ("slang",),
} | dict.fromkeys(_KL, ("diagonal", "slang"))


def mistakes(description: WeightDraws) -> list[str]:
    """Those that can be made in such a law."""
    return [name for name in CAUSES if description.kind in _OF.get(name, (description.kind,))]


def adapter(description: WeightDraws, mistake: str) -> Drawn:
    """The straightforward one of its kind."""
    return Drawn(description, mistake)


class Drawn:
    """A mistake is a line that asks for its name."""

    def __init__(self, description: WeightDraws, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.rng = np.random.default_rng(0)
        self.held: dict[str, Array] = {}
        self.first: dict[str, Array] = {}
        self.kept: Array = None

    def has(self, name: str) -> bool:
        return self.mistake == name

    def seed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.held, self.first = parameters, self.first or parameters
        self.kept = None

    def mean(self) -> Array:
        share = 0.0 if self.has("draws-mean-missing") else 0.9 if self.has("draws-mean-shrunk") else 1.0
        return np.asarray(share * self.held["mean"], dtype=self.description.dtype)

    def root(self) -> Array:
        """`(noise, size)`: what multiplies the noise, from the right."""
        held = self.first if self.has("draws-stale") else self.held
        a = getattr(self, self.description.kind)({name: value.astype(float) for name, value in held.items()})
        return 1.1 * a if self.has("draws-too-wide") else a

    def diagonal(self, held: dict[str, Array]) -> Array:
        n, p = self.description.examples, self.description.prior
        prior = 1.0 / p if self.has("draws-prior-as-variance") else 1.0 / p**2
        prior *= n if self.has("draws-prior-unscaled") else 2.0 if self.has("draws-prior-twice") else 1.0
        prior *= 0.0 if self.has("draws-prior-forgotten") else 1.0
        precision = held["curvature"] * n + prior
        if self.has("draws-examples-forgotten"):
            precision = held["curvature"] + prior / n
        scale = 1.0 / precision if self.has("draws-variance-as-scale") else precision**-0.5
        scale = scale[::-1] if self.has("draws-reversed") else scale
        if self.has("draws-shared-by-parameters"):
            return np.outer(np.eye(len(scale))[0], scale)
        return np.diag(scale)

    def slang(self, held: dict[str, Array]) -> Array:
        n = 1 if self.has("draws-examples-forgotten") else self.description.examples
        u, d = held["factor"], held["diagonal"]
        u = 0.0 * u if self.has("draws-no-low-rank") else u
        matrix = np.linalg.inv(u @ u.T + np.diag(d))
        if self.has("draws-factor-in-covariance"):
            matrix = u @ u.T + np.diag(1.0 / d)
        if self.has("draws-marginals-only"):
            matrix = np.diag(np.diag(matrix))
        values, vectors = np.linalg.eigh(matrix / n)
        return vectors @ np.diag(values if self.has("draws-root-missing") else np.sqrt(values)) @ vectors.T

    def swag(self, held: dict[str, Array]) -> Array:
        v, rows = held["variance"], held["deviations"]
        v = v + held["mean"] ** 2 if self.has("draws-second-moment") else v
        wide = v if self.has("draws-full-diagonal") else v / 2
        scale = wide if self.has("draws-variance-as-scale") else np.sqrt(wide)
        count = len(rows) if self.has("draws-divided-by-rank") else len(rows) - 1
        low = rows / np.sqrt(count * (1 if self.has("draws-full-low-rank") else 2))
        if self.has("draws-marginals-only"):
            scale, low = np.sqrt(wide + np.sum(low**2, axis=0)), 0.0 * low
        low = 0.0 * low if self.has("draws-no-low-rank") else low
        scale = 0.0 * scale if self.has("draws-no-diagonal") else scale
        return np.concatenate([np.diag(scale), low])

    def sample(self, x: Array) -> Array:
        if self.has("draws-fixed") and self.kept is not None and len(self.kept) == len(x):
            return self.kept.copy()
        root = self.root()
        count = 1 if self.has("draws-shared-by-rows") else len(x)
        noise = self.rng.standard_normal((count, len(root)))
        if self.has("draws-heavy-tailed"):
            noise /= np.sqrt(self.rng.chisquare(3, (count, 1)))
        drawn = self.mean() + noise @ root
        self.kept = np.broadcast_to(drawn, (len(x), self.description.size)).astype(self.description.dtype)
        return self.kept.copy()

    def evaluate(self, x: Array) -> Array:
        return self.sample(x) if self.has("draws-evaluation-noisy") else np.tile(self.mean(), (len(x), 1))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        if self.has("draws-noise-ignored"):
            return self.sample(x)
        parts = ("diagonal", "low_rank") if self.description.kind == "swag" else ("eps",)
        together = np.concatenate([noise[name] for name in parts], axis=1).astype(float)
        return (self.mean() + together @ self.root()).astype(self.description.dtype)

    def kl(self) -> float:
        d, m = self.description, self.held["mean"].astype(float)
        m = 0.0 * m if self.has("draws-kl-mean-missing") else m
        a = self.root().T @ self.root()
        prior = d.prior**2 * np.eye(d.size)
        a, prior = (prior, a) if self.has("draws-kl-reversed") else (a, prior)
        ratio = np.linalg.solve(prior, a)
        value = 0.5 * (np.trace(ratio) + m @ np.linalg.solve(prior, m) - d.size - np.linalg.slogdet(ratio)[1])
        return float(value / d.size if self.has("draws-kl-averaged") else value)
