"""Layers of random factors written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bayesnoise_reference.families.factors import Factors
from bayesnoise_reference.families.factors_exact import CAUSES
from bayesnoise_reference.numerics import complex_step
from scipy.special import log_ndtr, ndtr, ndtri

from planted.mistaken import Mistaken

Array = Any
LAYERS = [Factors(kind="structured"), Factors(kind="truncated")]


def adapter(description: Factors, mistake: str) -> StraightforwardFactors:
    """The straightforward one of its kind."""
    return {"structured": Reflected, "truncated": Cut}[description.kind](description, mistake)


def mistakes(description: Factors) -> list[str]:
    """Those of all kinds, and of its own."""
    own = [name for name in CAUSES if name.split("-")[0] in ("factors", description.kind)]
    return [*own, "kl-gradient-of-one-missing", "seed-ignored", "empty-batch-fails"]


class StraightforwardFactors(Mistaken):
    """What both kinds have in common. A mistake is a line that asks for its name."""

    def _draw(self, x: Array) -> Array:
        shape = x.shape[:2]
        if self.has("factors-across-calls"):
            return self.held.setdefault(shape, self.rng.standard_normal(shape))
        if self.has("factors-uniform-noise"):
            return self.rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
        return self.rng.standard_normal(shape) * (not self.has("factors-no-noise"))

    def _laid(self, eps: Array, x: Array) -> Array:
        if self.has("factors-shared-across-batch"):
            eps = eps[:1] + 0 * eps
        if self.has("factors-one-scalar"):
            eps = eps[:, :1] + 0 * eps
        z = self.z(self.p, eps)[:, :, None] + 0 * x
        if self.has("factors-per-position"):
            z[:, :, 1:] = self.z(self.p, self.rng.standard_normal(eps.shape))[:, :, None]
        return z

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        z = self._laid(noise["eps"], x)
        return x + (z - 1) if self.has("factors-added") else x * z

    def sample(self, x: Array) -> Array:
        if self.has("empty-batch-fails") and not len(x):
            raise ValueError("an empty batch")
        return self.sample_with_noise(x, {"eps": self._draw(x)})

    def evaluate(self, x: Array) -> Array:
        return self.sample(x) if self.has("factors-noisy-prediction") else x * self.mean()[:, None]

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        eps = self._draw(x)
        y = self.sample_with_noise(x, {"eps": eps})
        if self.has("factors-gradient-redrawn"):
            eps = self._draw(x)
        by_z = grad_y * x
        by_z = by_z[:, :, 0] if self.has("factors-gradient-first-position") else by_z.sum(axis=2)
        by_z = by_z / len(x) if self.has("factors-gradient-mean-over-batch") else by_z
        by_z = -by_z if self.has("factors-gradient-sign") else by_z
        z = 1.0 if self.has("factors-gradient-unscaled") else self.z(self.p, eps)[:, :, None]
        return {**self.pulled(by_z, eps), "x": grad_y * z, "y": y}

    def kl(self) -> float:
        found = float(np.real(self.divergence(self.p)))
        found = found / self.description.units if self.has("factors-kl-mean") else found
        found = found * 2 if self.has("factors-kl-doubled") else found
        return -found if self.has("factors-kl-sign") else found

    def kl_gradients(self) -> dict[str, Array]:
        share = {"factors-kl-mean": 1 / self.description.units, "factors-kl-doubled": 2.0}.get(self.mistake, 1.0)
        share = -share if self.has("factors-kl-gradient-sign") else share
        found = {name: share * self.slope(name, self.divergence) for name in self.p}
        if self.has("kl-gradient-of-one-missing"):
            last = list(found)[-1]
            found[last] = 0 * found[last]
        return found

    def slope(self, name: str, function: Callable[[dict[str, Array]], Any]) -> Array:
        """The gradient of a number by one parameter."""

        def of_one(value: Array) -> Any:
            return function(self.p | {name: value})

        return complex_step(of_one, self.p[name])

    def z(self, p: dict[str, Array], eps: Array) -> Array:
        raise NotImplementedError

    def mean(self) -> Array:
        raise NotImplementedError

    def pulled(self, by_z: Array, eps: Array) -> dict[str, Array]:
        raise NotImplementedError

    def divergence(self, p: dict[str, Array]) -> Any:
        raise NotImplementedError


class Reflected(StraightforwardFactors):
    """Structured factors, one reflection after the other."""

    def vectors(self, p: dict[str, Array]) -> list[Array]:
        v, found = p["start"], []
        for t in range(1, self.description.reflections + 1):
            before = (
                np.real(v) if self.has("structured-gradient-last-only") and t == self.description.reflections else v
            )
            v = p[f"matrix_{t}"] @ before + (0 if self.has("structured-shift-missing") else p[f"shift_{t}"])
            found.append(v)
        found = found[:-1] if self.has("structured-one-fewer") else found
        return found[::-1] if self.has("structured-rotation-transposed") else found

    def turned(self, p: dict[str, Array], rows: Array) -> Array:
        for v in [] if self.has("structured-rotation-missing") else self.vectors(p):
            length = v @ v + (1e-8 if self.has("structured-epsilon-in-length") else 0)
            length = 1.0 if self.has("structured-not-normalised") else length
            rows = rows - 2 * np.outer(rows @ v, v) / length
        return rows

    def z(self, p: dict[str, Array], eps: Array) -> Array:
        root = np.exp(p["log_alpha"] * (1.0 if self.has("structured-alpha-as-sd") else 0.5))
        return self.turned(p, eps * root) + (0 if self.has("structured-mean-zero") else 1)

    def mean(self) -> Array:
        return np.ones(self.description.units)

    def pulled(self, by_z: Array, eps: Array) -> dict[str, Array]:
        found = {name: self.slope(name, lambda p: np.sum(by_z * self.z(p, eps))) for name in self.p}
        if self.has("structured-gradient-alpha"):
            found["log_alpha"] = 2 * found["log_alpha"]
        return found

    def divergence(self, p: dict[str, Array]) -> Any:
        d, u = self.description, self.turned(p, np.eye(self.description.units)).T
        u = u.T if self.has("structured-kl-transposed") else u
        u = np.eye(d.units) if self.has("structured-kl-no-rotation") else u
        s = u**2 @ np.exp(p["log_alpha"])
        terms = np.log(1 + s) - p["log_alpha"]
        terms = terms[: d.columns] if self.has("structured-kl-over-columns") else terms
        return 0.5 * (1 if self.has("structured-kl-one-column") else d.columns) * np.sum(terms)


class Cut(StraightforwardFactors):
    """Truncated log-normal factors."""

    def ends(self, p: dict[str, Array]) -> tuple[Array, Array, Array]:
        s = p["log_sigma"] if self.has("truncated-log-scale-as-scale") else np.exp(p["log_sigma"])
        s = np.sqrt(s) if self.has("truncated-scale-as-variance") else s
        mu = 0 * p["mu"] if self.has("truncated-mean-ignored") else p["mu"]
        return (self.description.low - mu) / s, (self.description.high - mu) / s, s

    @np.errstate(all="ignore")
    def z(self, p: dict[str, Array], eps: Array) -> Array:
        low, high, s = self.ends(p)
        mu, u = self.description.low - low * s, ndtr(eps)
        if self.has("truncated-not-cut"):
            return np.exp(mu + s * eps)
        if self.has("truncated-clipped"):
            return np.exp(np.clip(mu + s * eps, self.description.low, self.description.high))
        w = ndtri((1 - u) * ndtr(low) + u * ndtr(high))
        if not self.has("truncated-one-tail"):
            w = np.where(low + high > 0, -ndtri((1 - u) * ndtr(-low) + u * ndtr(-high)), w)
        return np.exp(mu + s * w)

    def mean(self) -> Array:
        low, high, s = self.ends(self.p)
        if self.has("truncated-predicts-mode"):
            return np.exp(self.p["mu"])
        whole = np.exp(self.p["mu"] + s**2 / 2)
        if self.has("truncated-predicts-uncut"):
            return whole
        return whole * (ndtr(high - s) - ndtr(low - s)) / (ndtr(high) - ndtr(low))

    @np.errstate(all="ignore")
    def pulled(self, by_z: Array, eps: Array) -> dict[str, Array]:
        low, high, s = self.ends(self.p)
        z, u = self.z(self.p, eps), ndtr(eps)
        w = (np.log(z) - self.p["mu"]) / s
        a, b = (1 - u) * np.exp((w**2 - low**2) / 2), u * np.exp((w**2 - high**2) / 2)
        if self.has("truncated-gradient-uncut"):
            a, b = 0 * a, 0 * b
        by_scale = w - low * a - high * b
        by_scale = by_scale if self.has("truncated-gradient-by-scale") else s * by_scale
        return {"mu": np.sum(by_z * z * (1 - a - b), axis=0), "log_sigma": np.sum(by_z * z * by_scale, axis=0)}

    @np.errstate(all="ignore")
    def divergence(self, p: dict[str, Array]) -> Any:
        low, high, s = self.ends(p)
        width = np.log(self.description.high - self.description.low)
        normal = width - np.log(s) - 0.5 * np.log(2 * np.pi * np.e)
        if self.has("truncated-kl-uncut"):
            return np.sum(normal)
        mass = np.exp(log_ndtr(high)) - np.exp(log_ndtr(low))
        edges = (low * np.exp(-(low**2) / 2) - high * np.exp(-(high**2) / 2)) / (2 * mass * np.sqrt(2 * np.pi))
        return np.sum(normal - np.log(mass) - (0 if self.has("truncated-kl-no-edges") else edges))
