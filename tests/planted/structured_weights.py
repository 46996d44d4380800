"""Layers whose weights have a law with a structure, but for their divergence, right or with a planted mistake."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.posterior import Posterior
from bayesnoise_reference.numerics import complex_step
from scipy.special import log1p

Array = Any


class DrawnWeights:
    """Its draws and their gradients. A mistake is a line that asks for its name."""

    def __init__(self, description: Posterior, mistake: str) -> None:
        self.description, self.mistake = description, mistake
        self.rng = np.random.default_rng(0)
        self.p: dict[str, Array] = {}
        self.kept: dict[int, dict[str, Array]] = {}

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.p = parameters

    def scale(self, p: dict[str, Array]) -> Array:
        d = self.description
        if d.kind == "k_tied":
            found = self._tied(np.exp(p["log_u"]), np.exp(p["log_v"]), p)
        elif d.kind == "matrix_gaussian":
            u, v = np.exp(p["log_u"])[:, None], np.exp(p["log_v"])[None, :]
            u, v = (
                (1.0 + 0.0 * u if self.has("matrix-column-only") else u),
                (1.0 + 0.0 * v if self.has("matrix-row-only") else v),
            )
            found = np.sqrt(u + v if self.has("matrix-variances-added") else u * v)
            found = u * v if self.has("matrix-variance-as-deviation") else found
        elif d.kind == "low_rank":
            found = np.exp(p["log_sigma"] * (0.5 if self.has("low-rank-sigma-as-variance") else 1.0))
            found = 0.0 * found if self.has("low-rank-diagonal-missing") else found
        else:
            found = np.exp(p["rho"]) if self.has("scale-exp-for-softplus") else log1p(np.exp(p["rho"]))
        found = 0.0 * found if self.has("no-noise") else found
        return found + (0.01 if self.has("scale-floor") else 0.0)

    def _tied(self, u: Array, v: Array, p: dict[str, Array]) -> Array:
        if self.has("k-tied-logarithms"):
            return p["log_u"] @ p["log_v"].T
        if self.has("k-tied-first-product"):
            return np.outer(u[:, 0], v[:, 0])
        if self.has("k-tied-product"):
            return np.outer(np.prod(u, axis=1), np.prod(v, axis=1))
        if self.has("k-tied-variances-added"):
            return np.sqrt(u**2 @ v.T**2)
        found = u @ v.T / (self.description.rank if self.has("k-tied-averaged") else 1)
        return np.sqrt(found) if self.has("k-tied-as-variance") else found

    def _normal(self, *shape: int) -> Array:
        if self.has("uniform-noise"):
            return self.rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
        return self.rng.standard_normal(shape)

    def draw(self, n: int) -> dict[str, Array]:
        if self.has("eps-across-calls"):
            return self.kept.setdefault(n, self._drawn(n))
        return self._drawn(n)

    def _drawn(self, n: int) -> dict[str, Array]:
        d, rng = self.description, self.rng
        shape = (d.inputs, d.outputs)
        if d.draws == "local":
            noise = {"zeta": self._normal(n, d.outputs)}
            if self.has("zeta-shared-across-batch"):
                noise["zeta"] = noise["zeta"][:1] + 0 * noise["zeta"]
            if self.has("eps-shared-across-outputs"):
                noise["zeta"] = noise["zeta"][:, :1] + 0 * noise["zeta"]
            if self.has("matrix-noise-of-rank-one"):
                noise["zeta"] = np.outer(self._normal(n), self._normal(d.outputs))
            if d.kind == "low_rank":
                noise["e"] = rng.standard_normal((n, d.rank))
                if self.has("low-rank-number-per-weight"):
                    noise["e"] = rng.standard_normal((n, d.rank, d.outputs))
            return noise
        noise = {"eps": self._normal(*((n, *shape) if self.has("noise-per-example") else shape))}
        if self.has("eps-shared-across-outputs"):
            noise["eps"] = noise["eps"][:, :1] + 0 * noise["eps"]
        if self.has("eps-shared-across-inputs"):
            noise["eps"] = noise["eps"][:1] + 0 * noise["eps"]
        if d.draws == "flipout":
            rows = 1 if self.has("signs-shared-across-batch") else n
            noise["sign_in"] = np.ones((n, 1)) * rng.choice([-1.0, 1.0], (rows, d.inputs))
            noise["sign_out"] = np.ones((n, 1)) * rng.choice([-1.0, 1.0], (rows, d.outputs))
        if d.kind == "low_rank":
            noise["e"] = rng.standard_normal((d.rank, *(shape if self.has("low-rank-number-per-weight") else ())))
        if d.kind == "radial":
            wide = {"radial-radius-per-row": (d.inputs, 1), "radial-radius-per-weight": shape}
            noise["radius"] = rng.standard_normal(wide.get(self.mistake, (1,)))
            if self.has("radial-radius-of-all"):
                noise["radius"] = np.linalg.norm(rng.standard_normal((1, d.inputs * d.outputs)), axis=1)
        return noise

    def forward(self, p: dict[str, Array], x: Array, noise: dict[str, Array]) -> Array:
        d, s = self.description, self.scale(p)
        mu = p["mu"] * (0.75 if self.has("mean-shrunk") else 1.0)
        if self.has("empty-batch-fails") and not len(x):
            raise ZeroDivisionError("no examples")
        if d.draws == "call":
            w = mu + self._perturbation(p, s, noise)
            return x @ w if w.ndim == 2 else np.einsum("ni,nio->no", x, w)
        if d.draws == "flipout":
            away = np.einsum("ni,...nio->no", x * noise["sign_in"], s * noise["eps"] + np.zeros((len(x), 1, 1)))
            return x @ mu + away * noise["sign_out"]
        y = x @ mu + np.sqrt(x**2 @ s**2) * noise["zeta"]
        if d.kind == "low_rank":
            e, along = self._numbers(np.swapaxes(noise["e"], 0, 1)), np.einsum("ni,kio->kno", x, self.factor(p))
            y = y + np.sum((e if e.ndim == 3 else e[:, :, None]) * along, axis=0)
        return y

    def factor(self, p: dict[str, Array]) -> Array:
        share = np.sqrt(self.description.rank) if self.has("low-rank-divided-by-root") else 1.0
        return p["factor"] * (0.0 if self.has("low-rank-factor-missing", "no-noise") else 1.0 / share)

    def _numbers(self, e: Array) -> Array:
        e = e[:1] + 0 * e if self.has("low-rank-one-number") else e
        return e[:, :1] + 0 * e if self.has("low-rank-shared-across-batch") else e

    def _perturbation(self, p: dict[str, Array], s: Array, noise: dict[str, Array]) -> Array:
        d, eps = self.description, noise["eps"]
        if d.kind == "low_rank":
            e = self._numbers(noise["e"])
            return s * eps + np.sum((e if e.ndim == 3 else e[:, None, None]) * self.factor(p), axis=0)
        axes = {"radial-normalised-per-row": -1, "radial-normalised-per-column": -2}.get(self.mistake, (-2, -1))
        length = np.sqrt(np.sum(eps**2, axis=axes, keepdims=True))
        length = 1.0 if self.has("radial-not-normalised") else length
        length = length / np.sqrt(d.inputs * d.outputs) if self.has("radial-unit-variance") else length
        return s * eps / length * (1.0 if self.has("radial-without-radius") else noise["radius"])

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.forward(self.p, x, noise).astype(x.dtype)

    def sample(self, x: Array) -> Array:
        return self.sample_with_noise(x, self.draw(len(x)))

    def evaluate(self, x: Array) -> Array:
        mu = self.p["mu"] * (0.75 if self.has("mean-shrunk") else 1.0)
        return (
            self.sample(x) if self.has("evaluation-noisy") else x @ mu * (0.9 if self.has("evaluation-scaled") else 1)
        )

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        noise = self.draw(len(x))
        y = self.sample_with_noise(x, noise)
        noise = self.draw(len(x)) if self.has("gradient-noise-redrawn") else noise

        def loss(name: str, value: Array) -> Any:
            return np.sum(grad_y * self.forward(self.p | {name: value}, x, noise))

        found = {name: complex_step(lambda v, n=name: loss(n, v), at) for name, at in self.p.items()}  # type: ignore[misc]
        by_x = complex_step(lambda v: np.sum(grad_y * self.forward(self.p, v, noise)), x)
        by_x = grad_y @ self.p["mu"].T if self.has("gradient-input-of-mean") else by_x
        by_x = by_x / len(x) if self.has("gradient-input-averaged") else by_x
        share = 1.0 / len(x) if self.has("gradient-mean-averaged") else 1.0
        found = {name: share * g for name, g in found.items()}
        raw = next(name for name in ("log_u", "log_sigma", "rho") if name in found)
        if self.has("gradient-scale-zero"):
            found[raw] = 0 * found[raw]
        if self.has("k-tied-gradient-whole"):
            found[raw] = np.sum(found[raw], axis=1, keepdims=True) + 0 * found[raw]
        if self.has("matrix-gradient-half"):
            found |= {name: 2 * found[name] for name in ("log_u", "log_v")}
        if self.has("radial-gradient-softplus"):
            found[raw] = found[raw] * (1 + np.exp(-self.p["rho"]))
        if self.has("low-rank-gradient-of-mean"):
            found["factor"] = found["mu"] + 0 * found["factor"]
        if self.has("low-rank-gradient-factor-zero"):
            found["factor"] = 0 * found["factor"]
        return {**found, "x": by_x, "y": y}
