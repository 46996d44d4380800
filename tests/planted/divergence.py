"""Divergences written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families import divergence_gradients
from bayesnoise_reference.families.divergence import Divergence
from bayesnoise_reference.families.divergence_estimate import CAUSES, MixtureEstimate
from scipy.special import dawsn, erf

from planted.estimate import Estimate

Array = Any
EULER = float(np.euler_gamma)

LAYERS = [
    Divergence(kind="gaussian", prior_mean=0.25),
    Divergence(kind="laplace"),
    Divergence(kind="log_uniform"),
    Divergence(kind="ard"),
    MixtureEstimate(),
]


def adapter(description: Any, mistake: str) -> Any:
    """The straightforward one of its kind."""
    if isinstance(description, MixtureEstimate):
        return Estimate(description, mistake)
    return Closed(description, mistake)


def mistakes(description: Any) -> list[str]:
    """Those that can be made in such a divergence."""
    if isinstance(description, MixtureEstimate):
        return list(CAUSES)
    names = set(divergence_gradients.CAUSES)
    if description.kind in ("log_uniform", "ard"):
        names -= {"divergence-prior-as-variance"}
    else:
        names -= {"divergence-epsilon"} if description.kind == "laplace" else set()
    if description.kind != "gaussian":
        names -= {"divergence-prior-mean-ignored"}
    if description.kind != "log_uniform":
        names -= {"divergence-nan-at-zero", "divergence-gradient-at-zero"}
    return sorted(names - ({"divergence-constant"} if description.kind == "ard" else set()))


class Closed:
    """Closed forms. A mistake is a line that asks for its name."""

    def __init__(self, description: Divergence, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.mean, self.scale = np.zeros(1), np.ones(1)

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def load(self, parameters: dict[str, Array]) -> None:
        self.mean, self.scale = parameters["mean"], parameters["scale"]

    @np.errstate(all="ignore")
    def kl(self) -> float:
        d, s = self.description, self.scale
        if self.has("divergence-scale-as-variance"):
            s = np.sqrt(s)
        if self.has("divergence-variance-as-scale"):
            s = s**2
        if self.has("divergence-clipped"):
            s = np.clip(s, 1e-4, 1e4)
        if self.has("divergence-epsilon"):
            s = s + 1e-8
        p = np.sqrt(d.prior) if self.has("divergence-prior-as-variance") else d.prior
        m = self.mean if self.has("divergence-prior-mean-ignored") else self.mean - d.prior_mean
        terms = getattr(self, d.kind)(m, s, p)
        terms = terms[1:] if self.has("divergence-skips-one") else terms
        total = float(np.mean(terms) if self.has("divergence-mean") else np.sum(terms))
        total = 2.0 * total if self.has("divergence-doubled") else total
        return -total if self.has("divergence-sign") else total

    def gaussian(self, m: Array, s: Array, p: float) -> Array:
        half = 0.0 if self.has("divergence-constant") else 0.5
        return np.log(p) - np.log(s) + (s**2 + m**2) / (2.0 * p**2) - half

    def laplace(self, m: Array, s: Array, p: float) -> Array:
        size = s * np.sqrt(2.0 / np.pi) * np.exp(-(m**2) / (2.0 * s**2)) + m * erf(m / (s * np.sqrt(2.0)))
        constant = 0.0 if self.has("divergence-constant") else 0.5 * np.log(2.0 * np.pi * np.e)
        return np.log(2.0 * p) + size / p - constant - np.log(s)

    def log_uniform(self, m: Array, s: Array, p: float) -> Array:
        """Twice the integral of Dawson's function up to `|mean| / (scale sqrt 2)`."""
        top = np.abs(m) / (s * np.sqrt(2.0))
        nodes, weights = np.polynomial.legendre.leggauss(400)
        inner = np.minimum(top, 40.0)
        grid = 0.5 * inner[:, None] * (nodes + 1.0)
        near = inner * (dawsn(grid) @ weights)

        # Beyond 40 Dawson's function is 1 / (2 s) + 1 / (4 s^3) + 3 / (8 s^5) + 15 / (16 s^7) to rounding.
        def far(z: Array) -> Array:
            return np.log(z) - 0.25 / z**2 - 0.1875 / z**4 - 0.3125 / z**6

        value = near + np.where(top > 40.0, far(np.maximum(top, 40.0)) - far(np.full(m.shape, 40.0)), 0.0)
        if self.has("divergence-nan-at-zero"):
            value = np.where(m == 0, np.log(m**2 / s**2), value)
        return value - 0.5 * (EULER + np.log(2.0)) if self.has("divergence-constant") else value

    def ard(self, m: Array, s: Array, p: float) -> Array:
        return 0.5 * np.log1p((m / s) ** 2)

    @np.errstate(all="ignore")
    def kl_gradients(self) -> dict[str, Array]:
        d, m, s, p = self.description, self.mean - self.description.prior_mean, self.scale, self.description.prior
        if d.kind == "gaussian":
            by_mean, by_scale = m / p**2, s / p**2 - 1.0 / s
        elif d.kind == "laplace":
            by_mean = erf(m / (s * np.sqrt(2.0))) / p
            by_scale = np.sqrt(2.0 / np.pi) * np.exp(-(m**2) / (2.0 * s**2)) / p - 1.0 / s
        elif d.kind == "log_uniform":
            r = m / (s * np.sqrt(2.0))
            by_mean, by_scale = np.sqrt(2.0) / s * dawsn(r), -2.0 * r * dawsn(r) / s
            by_mean = -by_scale * s / m if self.has("divergence-gradient-at-zero") else by_mean
        else:
            by_mean, by_scale = m / (m**2 + s**2), -(m**2) / (s * (m**2 + s**2))
        by_scale = by_scale * s if self.has("divergence-gradient-by-log") else by_scale
        sign = -1.0 if self.has("divergence-gradient-sign") else 1.0
        share = sign / (m.size if self.has("divergence-gradient-averaged") else 1.0)
        return {
            "mean": (0.0 if self.has("divergence-gradient-no-mean") else share) * by_mean,
            "scale": (0.0 if self.has("divergence-gradient-no-scale") else share) * by_scale,
        }
