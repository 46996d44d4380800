"""Noise of learned strength written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.strength import Strength
from scipy.special import expit, xlogy

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
]
_INFORMATION = [
    "strength-factor-linear",
    "strength-noise-added",
    "strength-alpha-as-variance",
    "strength-alpha-unscaled",
    "strength-alpha-constant",
    "strength-gradient-alpha-missing",
    "strength-gradient-alpha-range",
    "strength-kl-averaged",
    "strength-kl-over-batch",
    "strength-kl-of-root",
    "strength-kl-unweighted",
]


def mistakes(description: Strength) -> list[str]:
    """Those that can be made in such a layer."""
    if description.kind == "concrete":
        return [*_ALL, *_CONCRETE]
    own = "strength-kl-of-dead-units" if description.kind == "log_uniform" else "strength-kl-no-mean"
    return [*_ALL, *_INFORMATION, own]


def adapter(description: Strength, mistake: str) -> Any:
    """The straightforward layer of its kind."""
    return (Concrete if description.kind == "concrete" else Information)(description, mistake)


class Layer:
    """What both have in common. A mistake is a line that asks for its name."""

    def __init__(self, description: Strength, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.rng = np.random.default_rng(0)
        self.p: dict[str, Array] = {}
        self.held: dict[tuple[int, ...], Array] = {}

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.p = parameters
        self.held.clear()

    def noise(self, x: Array) -> Array:
        if self.has("strength-across-calls") and x.shape in self.held:
            return self.held[x.shape]
        n = 1 if self.has("strength-shared-across-batch") else len(x)
        units = 1 if self.has("strength-shared-across-units") else x.shape[1]
        self.held[x.shape] = np.broadcast_to(self.fresh((n, units)), x.shape)
        return self.held[x.shape]

    def fresh(self, shape: tuple[int, ...]) -> Array:
        raise NotImplementedError

    def output(self, x: Array, noise: Array) -> Array:
        raise NotImplementedError

    def plain(self, x: Array) -> Array:
        raise NotImplementedError

    def sample(self, x: Array) -> Array:
        if self.has("empty-batch-fails") and not len(x):
            raise ValueError("need at least one example")
        return self.plain(x) if self.has("strength-noise-missing") else self.output(x, self.noise(x))

    def evaluate(self, x: Array) -> Array:
        if self.has("strength-evaluation-noisy"):
            return self.sample(x)
        return self.plain(x) * (0.9 if self.has("strength-evaluation-scaled") else 1.0)


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
        return (1 - self._z(u)) / keep

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
        keep = 1.0 if self.has("strength-kl-without-rate") else 1 - p
        units = 1 if self.has("strength-kl-entropy-once") else d.units
        return p, square, keep, 0.0 if self.has("strength-kl-entropy-missing") else float(units)

    def kl(self) -> float:
        p, square, keep, units = self._parts()
        total = float(np.sum(self.p["theta"] ** 2) / (2 * square * keep) + units * (xlogy(p, p) + xlogy(1 - p, 1 - p)))
        return -total if self.has("strength-kl-sign") else total

    def kl_gradients(self) -> dict[str, Array]:
        p, square, keep, units = self._parts()
        sign = -1.0 if self.has("strength-kl-sign") else 1.0
        by_rate = 0.0 if keep == 1.0 else np.sum(self.p["theta"] ** 2) / (2 * square) * p / keep
        by_logit = by_rate + units * float(self.p["logit"]) * p * (1 - p)
        return {"theta": sign * self.p["theta"] / (square * keep), "logit": np.asarray(sign * by_logit)}


class Information(Layer):
    """`f exp(alpha zeta)`."""

    def fresh(self, shape: tuple[int, ...]) -> Array:
        return self.rng.standard_normal(shape)

    def plain(self, x: Array) -> Array:
        h = x @ self.p["theta"]
        return np.maximum(h, 0) if self.description.kind == "log_uniform" else np.log1p(np.exp(h))

    def _alpha(self, x: Array) -> Array:
        d = self.description
        open_ = expit(x @ self.p["theta_alpha"])
        if self.has("strength-alpha-unscaled"):
            return open_
        return d.least + d.span * (0.5 + 0 * open_ if self.has("strength-alpha-constant") else open_)

    def output(self, x: Array, noise: Array) -> Array:
        f, alpha = self.plain(x), self._alpha(x)
        alpha = np.sqrt(alpha) if self.has("strength-alpha-as-variance") else alpha
        if self.has("strength-noise-added"):
            return f + alpha * noise
        return f * (1 + alpha * noise if self.has("strength-factor-linear") else np.exp(alpha * noise))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.plain(x) if self.has("strength-noise-missing") else self.output(x, noise["zeta"])

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        zeta = self.noise(x)
        y = self.output(x, zeta)
        zeta = self.noise(x) if self.has("strength-gradient-redrawn") else zeta
        h, s, alpha = x @ self.p["theta"], x @ self.p["theta_alpha"], self._alpha(x)
        slope = (h > 0).astype(float) if self.description.kind == "log_uniform" else expit(h)
        factor = 1.0 if self.has("strength-gradient-identity") else np.exp(alpha * zeta)
        by_h = grad_y * factor * slope
        by_s = grad_y * self.plain(x) * np.exp(alpha * zeta) * zeta * expit(s) * expit(-s)
        by_s = by_s * (1.0 if self.has("strength-gradient-alpha-range") else self.description.span)
        by_s = by_s * (0.0 if self.has("strength-gradient-alpha-missing") else 1.0)
        by_x = by_h @ self.p["theta"].T + by_s @ self.p["theta_alpha"].T
        return {"x": by_x, "theta": x.T @ by_h, "theta_alpha": x.T @ by_s, "y": y}

    def example_kl(self, x: Array) -> Array:
        d, f, alpha = self.description, self.plain(x), self._alpha(x)
        alpha = np.sqrt(alpha) if self.has("strength-kl-of-root") else alpha
        if d.kind == "log_uniform":
            each = -np.log(alpha / (d.least + d.span)) * ((f > 0) | self.has("strength-kl-of-dead-units"))
        else:
            shift = 0.0 if self.has("strength-kl-no-mean") else np.log(f)
            each = (alpha**2 + shift**2) / 2 - np.log(alpha) - 0.5
        total = np.mean(each, axis=1) if self.has("strength-kl-averaged") else np.sum(each, axis=1)
        total = np.mean(total) + 0 * total if self.has("strength-kl-over-batch") else total
        total = -total if self.has("strength-kl-sign") else total
        return total if self.has("strength-kl-unweighted") else d.beta * total
