"""Noise of learned strength written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.strength import Strength
from scipy.special import expit, xlogy

from planted.strength_information import Information
from planted.strength_layer import Layer

Array = Any

LAYERS = [Strength(kind="concrete"), Strength(kind="log_uniform"), Strength(kind="log_normal")]

_ALL = [
    "strength-noise-missing",
    "strength-across-calls",
    "strength-shared-across-batch",
    "strength-shared-across-units",
    "strength-evaluation-noisy",
    "strength-evaluation-scaled",
    "strength-gradient-identity",
    "strength-gradient-redrawn",
    "strength-kl-sign",
    "seed-ignored",
    "empty-batch-fails",
]
_CONCRETE = [
    "strength-not-inverted",
    "strength-rate-of-keeping",
    "strength-temperature-missing",
    "strength-temperature-multiplied",
    "strength-mask-rounded",
    "strength-mask-reversed",
    "strength-gradient-logit-missing",
    "strength-gradient-logit-of-mask",
    "strength-kl-entropy-once",
    "strength-kl-entropy-missing",
    "strength-kl-without-rate",
    "strength-kl-prior-as-variance",
    "strength-rate-rounded",
]
_INFORMATION = [
    "strength-factor-linear",
    "strength-noise-added",
    "strength-alpha-as-variance",
    "strength-alpha-unscaled",
    "strength-alpha-constant",
    "strength-gradient-alpha-missing",
    "strength-gradient-alpha-range",
    "strength-gradient-alpha-of-input",
    "strength-sigmoid-overflows",
    "strength-kl-averaged",
    "strength-kl-over-batch",
    "strength-kl-of-root",
    "strength-kl-unweighted",
    "strength-kl-gradient-of-deviation",
    "strength-kl-gradient-missing",
]
_OF = {
    "log_uniform": ["strength-kl-of-dead-units"],
    "log_normal": ["strength-kl-no-mean", "strength-activation-overflows", "strength-kl-log-underflows"],
}


def mistakes(description: Strength) -> list[str]:
    """Those that can be made in such a layer."""
    if description.kind == "concrete":
        return [*_ALL, *_CONCRETE]
    return [*_ALL, *_INFORMATION, *_OF[description.kind]]


def adapter(description: Strength, mistake: str) -> Any:
    """The straightforward layer of its kind."""
    return (Concrete if description.kind == "concrete" else Information)(description, mistake)


class Concrete(Layer):
    """`(x (1 - z) / (1 - p)) theta`."""

    def fresh(self, shape: tuple[int, ...]) -> Array:
        return self.rng.uniform(1e-12, 1.0, shape)

    def plain(self, x: Array) -> Array:
        return x @ self.p["theta"]

    def _z(self, u: Array) -> Array:
        logit, t = float(self.p["logit"]), self.description.temperature
        logit = -logit if self.has("strength-rate-of-keeping") else logit
        t = 1.0 if self.has("strength-temperature-missing") else t
        t = 1.0 / t if self.has("strength-temperature-multiplied") else t
        z = expit((logit + np.log(u) - np.log1p(-u)) / t)
        z = np.round(z) if self.has("strength-mask-rounded") else z
        return 1 - z if self.has("strength-mask-reversed") else z

    def _factor(self, u: Array) -> Array:
        keep = 1.0 if self.has("strength-not-inverted") else expit(-float(self.p["logit"]))
        keep = 1.0 - expit(float(self.p["logit"])) if self.has("strength-rate-rounded") else keep
        return (1 - self._z(u)) / keep

    @np.errstate(all="ignore")
    def output(self, x: Array, noise: Array) -> Array:
        return (x * self._factor(noise)) @ self.p["theta"]

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.plain(x) if self.has("strength-noise-missing") else self.output(x, noise["u"])

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        u = self.noise(x)
        y = self.output(x, u)
        u = self.noise(x) if self.has("strength-gradient-redrawn") else u
        factor, z, p = self._factor(u), self._z(u), expit(float(self.p["logit"]))
        inner = grad_y @ self.p["theta"].T
        own = 0.0 if self.has("strength-gradient-logit-of-mask") else p
        by_logit = np.sum(inner * x * factor * (own - z / self.description.temperature))
        return {
            "x": inner if self.has("strength-gradient-identity") else inner * factor,
            "theta": (x * factor).T @ grad_y,
            "logit": by_logit * (0.0 if self.has("strength-gradient-logit-missing") else 1.0),
            "y": y,
        }

    def _parts(self) -> tuple[float, float, float, float]:
        d, p = self.description, float(expit(float(self.p["logit"])))
        square = d.prior if self.has("strength-kl-prior-as-variance") else d.prior**2
        keep = 1.0 - p if self.has("strength-rate-rounded") else float(expit(-float(self.p["logit"])))
        keep = 1.0 if self.has("strength-kl-without-rate") else keep
        units = 1 if self.has("strength-kl-entropy-once") else d.units
        return p, square, keep, 0.0 if self.has("strength-kl-entropy-missing") else float(units)

    @np.errstate(all="ignore")
    def kl(self) -> float:
        p, square, keep, units = self._parts()
        total = float(np.sum(self.p["theta"] ** 2) / (2 * square * keep) + units * (xlogy(p, p) + xlogy(1 - p, 1 - p)))
        return -total if self.has("strength-kl-sign") else total

    @np.errstate(all="ignore")
    def kl_gradients(self) -> dict[str, Array]:
        p, square, keep, units = self._parts()
        sign = -1.0 if self.has("strength-kl-sign") else 1.0
        by_rate = 0.0 if keep == 1.0 else np.sum(self.p["theta"] ** 2) / (2 * square) * p / keep
        by_logit = by_rate + units * float(self.p["logit"]) * p * (1 - p)
        return {"theta": sign * self.p["theta"] / (square * keep), "logit": np.asarray(sign * by_logit)}
