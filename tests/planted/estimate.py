"""The divergence to a mixture, estimated at one draw, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.divergence_estimate import MixtureEstimate

Array = Any


class Estimate:
    """A mistake is a line that asks for its name."""

    def __init__(self, description: MixtureEstimate, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.rng = np.random.default_rng(0)
        self.mean, self.scale = np.zeros(1), np.ones(1)

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.mean, self.scale = parameters["mean"], parameters["scale"]

    def _eps(self) -> Array:
        rng = np.random.default_rng(0) if self.has("estimate-fixed") else self.rng
        if self.has("estimate-noise-shared"):
            return np.full(self.mean.shape, rng.standard_normal())
        times = 0.0 if self.has("estimate-at-mean") else 2.0 if self.has("estimate-noise-doubled") else 1.0
        return times * rng.standard_normal(self.mean.shape)

    def _log_p(self, w: Array) -> Array:
        d = self.description
        root = self.has("estimate-prior-as-variance")
        wide, narrow = (np.sqrt(d.wide), np.sqrt(d.narrow)) if root else (d.wide, d.narrow)
        share = 1.0 - d.share if self.has("estimate-shares-swapped") else d.share
        a, b = (-np.log(s) - w**2 / (2.0 * s**2) - 0.5 * np.log(2.0 * np.pi) for s in (wide, narrow))
        if self.has("estimate-mean-of-logs"):
            return share * a + (1.0 - share) * b
        if self.has("estimate-one-component"):
            return np.log(share) + a
        return np.logaddexp(np.log(share) + a, np.log(1.0 - share) + b)

    def kl(self) -> float:
        eps = self._eps()
        log_q = -np.log(self.scale) - eps**2 / 2.0 - 0.5 * np.log(2.0 * np.pi)
        other = self._eps() if self.has("estimate-two-draws") else eps
        log_p = self._log_p(self.mean + self.scale * other)
        terms = (0.0 if self.has("estimate-no-posterior") else log_q) - (
            0.0 if self.has("estimate-no-prior") else log_p
        )
        total = float(np.mean(terms) if self.has("estimate-averaged") else np.sum(terms))
        return -total if self.has("estimate-sign") else total
