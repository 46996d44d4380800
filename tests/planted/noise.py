"""Noise on activations written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.noise import Noise
from scipy.special import dawsn, ndtri

from planted.noise_mistakes import mistakes

__all__ = ["LAYERS", "adapter", "mistakes"]
Array = Any

LAYERS = [
    Noise(kind="bernoulli"),
    Noise(kind="gaussian"),
    Noise(kind="learned"),
    Noise(kind="spatial"),
    Noise(kind="drop_block", units=4, space=(4, 4)),
    Noise(kind="drop_block", units=4, space=(5,), block=3, scale_by="example"),
]


def adapter(description: Noise, mistake: str) -> Any:
    """The straightforward layer of its kind."""
    return Layer(description, mistake)


class Layer:
    """`y = x * factor`. A mistake is a line that asks for its name."""

    def __init__(self, description: Noise, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.rng = np.random.default_rng(0)
        self.log_alpha = np.zeros(description.units)
        self.held: dict[tuple[int, ...], Array] = {}
        self.buffer: dict[tuple[int, ...], Array] = {}

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.log_alpha = parameters.get("log_alpha", self.log_alpha)
        self.held.clear()

    def _deviation(self) -> Array:
        d = self.description
        alpha = np.exp(self.log_alpha) if d.kind == "learned" else np.full(d.units, d.alpha)
        if self.has("noise-log-alpha-as-alpha"):
            alpha = np.abs(self.log_alpha)
        if self.has("noise-alpha-averaged"):
            alpha = np.full(d.units, np.mean(alpha))
        if self.has("noise-alpha-from-rate"):
            rate = alpha / (1 + alpha)
            alpha = rate * (1 - rate)
        return alpha if self.has("noise-alpha-as-deviation") else np.sqrt(alpha)

    def _shape(self, x: Array) -> tuple[int, ...]:
        """Of what is drawn: 1 along what shares it."""
        shape = list(x.shape)
        if (self.description.kind == "spatial") != self.has("noise-per-position", "noise-shared-across-positions"):
            shape[2:] = [1] * (x.ndim - 2)
        shape[0] = 1 if self.has("noise-shared-across-batch") else shape[0]
        shape[1] = 1 if self.has("noise-shared-across-units") else shape[1]
        return tuple(shape)

    def _uniform(self, shape: tuple[int, ...]) -> Array:
        u = self.rng.uniform(size=shape)
        if self.has("noise-stratified"):
            return (self.rng.permuted(np.indices(shape)[1], axis=1) + u) / shape[1]
        axis = 1 if self.mistake.endswith("across-units") else 0
        half = shape[axis] // 2
        first, again = np.take(u, range(shape[axis] - half), axis=axis), np.take(u, range(half), axis=axis)
        if self.has("noise-tiled-across-units", "noise-tiled-across-batch"):
            return np.concatenate([first, again], axis=axis)
        if self.has("noise-mirrored-across-units", "noise-mirrored-across-batch"):
            return np.concatenate([first, 1 - again], axis=axis)
        return u

    def _mask(self, x: Array) -> Array:
        rate = self.description.rate
        keep = rate if self.has("noise-rate-as-keep") else 1 - rate
        mask = (self._uniform(self._shape(x)) < keep).astype(float)
        if self.has("noise-not-inverted"):
            return mask
        return mask / (
            rate if self.has("noise-scale-by-rate") else np.sqrt(keep) if self.has("noise-scale-root") else 1 - rate
        )

    def _zeta(self, x: Array) -> Array:
        shape = self._shape(x)
        if self.has("uniform-noise"):
            return self.rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
        return self.rng.choice([-1.0, 1.0], shape) if self.has("rademacher-noise") else ndtri(self._uniform(shape))

    def _normal(self, zeta: Array) -> Array:
        factor = 1 + self._deviation().reshape(-1, *(1,) * (zeta.ndim - 2)) * zeta
        factor = factor - 1 if self.has("noise-mean-zero") else factor
        return np.maximum(factor, 0) if self.has("noise-factor-clipped") else factor

    def _blocks(self, x: Array) -> Array:
        d, shape = self.description, list(self._shape(x))
        beyond = self.has("noise-blocks-beyond-edge")
        places = [size if beyond else size - d.block + 1 for size in d.space]
        gamma = d.rate / d.block ** len(d.space) * np.prod(d.space) / np.prod([s - d.block + 1 for s in d.space])
        if self.has("noise-gamma-without-edge"):
            gamma = d.rate / d.block ** len(d.space)
        gamma = d.rate if self.has("noise-gamma-is-rate") else gamma
        return np.broadcast_to(self.rng.uniform(size=(*shape[:2], *places)) < gamma, (*x.shape[:2], *places))

    def _without(self, x: Array, blocks: Array) -> Array:
        d = self.description
        kept, b = np.ones(x.shape), d.block - self.has("noise-block-smaller")
        for n, c, *start in np.argwhere(blocks):
            kept[(n, c, *(slice(s, s + b) for s in start))] = 0
        axes = tuple(range(0 if d.scale_by == "batch" else 1, x.ndim))
        axes = axes[-len(d.space) :] if self.has("noise-scale-by-channel") else axes
        if self.has("noise-scale-missing"):
            return kept
        if self.has("noise-scale-nominal"):
            return kept / (1 - d.rate)
        return kept / np.maximum(np.mean(kept, axes, keepdims=True), 1e-9) if kept.size else kept

    def _draw(self, x: Array) -> Array:
        kind = self.description.kind
        if self.has("noise-missing"):
            return np.ones(x.shape)
        if kind in ("bernoulli", "spatial"):
            return self._mask(x)
        return self._without(x, self._blocks(x)) if kind == "drop_block" else self._normal(self._zeta(x))

    def _factor(self, x: Array) -> Array:
        if self.has("noise-across-calls"):
            if x.shape not in self.held:
                self.held[x.shape] = self._draw(x)
            return self.held[x.shape]
        return self._draw(x)

    def _returned(self, x: Array, factor: Array) -> Array:
        return np.asarray(x + factor - 1 if self.has("noise-additive") else x * factor, dtype=x.dtype)

    def sample(self, x: Array) -> Array:
        if self.has("empty-batch-fails") and not len(x):
            raise ValueError("need at least one example")
        y = self._returned(x, self._factor(x))
        if self.has("changes-input"):
            x *= 2
        if self.has("same-array-returned"):
            kept: Any = self.buffer.setdefault(y.shape, y)
            kept[...] = y
            return kept
        return y

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        if self.has("noise-missing"):
            return x.copy()
        given = self._normal(noise["zeta"]) if "zeta" in noise else self._without(x, noise["blocks"])
        return self._returned(x, given)

    def evaluate(self, x: Array) -> Array:
        if self.has("evaluation-noisy"):
            return self.sample(x)
        return x * (1 - self.description.rate) if self.has("evaluation-scaled") else x.copy()

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        factor = self._factor(x)
        y = self._returned(x, factor)
        factor = self._factor(x) if self.has("gradient-noise-redrawn") else np.broadcast_to(factor, x.shape)
        through = np.ones(x.shape) if self.has("noise-gradient-identity") else factor
        through = (factor != 0).astype(float) if self.has("noise-gradient-unscaled") else through
        by_alpha = np.sum(grad_y * x * (factor - 1) / 2, axis=(0, *range(2, x.ndim)))
        by_alpha = by_alpha / len(x) if self.has("noise-gradient-alpha-averaged") else by_alpha
        by_alpha = by_alpha * 2 if self.has("noise-gradient-alpha-half") else by_alpha
        by_alpha = by_alpha * 0 if self.has("noise-gradient-alpha-missing") else by_alpha
        by_alpha = by_alpha / np.exp(self.log_alpha) if self.has("noise-gradient-by-alpha") else by_alpha
        return {"x": grad_y * through, "y": y, "log_alpha": by_alpha}

    def kl(self) -> float:
        """Twice the integral of Dawson's function up to the root of `1 / (2 alpha)`, a unit."""
        log_alpha = self.log_alpha / 2 if self.has("noise-kl-of-deviation") else self.log_alpha
        nodes, weights = np.polynomial.legendre.leggauss(200)
        top = np.exp(-log_alpha / 2) / np.sqrt(2)
        each = top * (dawsn(0.5 * top[:, None] * (nodes + 1)) @ weights)
        total = float(np.mean(each) if self.has("noise-kl-averaged") else np.sum(each))
        return -total if self.has("noise-kl-sign") else total

    def kl_gradients(self) -> dict[str, Array]:
        top = np.exp(-self.log_alpha / 2) / np.sqrt(2)
        sign = 1.0 if self.has("noise-kl-gradient-sign") else -1.0
        share = self.log_alpha.size if self.has("noise-kl-gradient-averaged") else 1
        return {"log_alpha": sign * top * dawsn(top) / share}
