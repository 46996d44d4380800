"""The members of a deep ensemble written down the short way: their losses, adversarial inputs, and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, logsumexp, softmax

from planted.mistaken import Mistaken

Array = Any


class Members(Mistaken):
    """Linear members. A mistake is a line that asks for its name."""

    def outputs(self, x: Array) -> Array:
        weight, bias = (self.p[name].astype(float) for name in ("weight", "bias"))
        return x.astype(float) @ weight + (bias[:1] if self.has("ensemble-bias-shared") else bias)[:, None]

    def raw(self, f: Array) -> Array:
        return np.clip(f[..., 1], -8.0, 8.0) if self.has("ensemble-variance-clipped") else f[..., 1]

    def law(self, f: Array) -> tuple[Array, Array]:
        """Means and variances."""
        raw = self.raw(f)
        variance = np.exp(raw) if self.description.variance == "exp" else np.logaddexp(0.0, raw)
        if self.has("ensemble-softplus-overflows"):
            variance = np.log(1.0 + np.exp(raw))
        return f[..., 0], variance + (not self.has("ensemble-minimum-missing")) * self.description.minimum_variance

    def log_softmax(self, f: Array) -> Array:
        if self.has("ensemble-softmax-overflows"):
            return f - np.log(np.sum(np.exp(f), axis=-1, keepdims=True))
        return f - logsumexp(f, axis=-1, keepdims=True)

    def log_likelihoods(self, f: Array, y: Array) -> Array:
        """Of each member and example."""
        if self.description.kind == "categorical":
            return np.take_along_axis(self.log_softmax(f), y.astype(int)[None, :, None], axis=-1)[..., 0]
        mean, variance = self.law(f)
        return -0.5 * ((y - mean) ** 2 / variance + np.log(2.0 * np.pi * variance))

    @np.errstate(all="ignore")
    def loss(self, x: Array, y: Array) -> Array:
        f = self.outputs(x)
        if self.has("ensemble-loss-of-probabilities"):
            f = softmax(f, axis=-1)
        found = -self.log_likelihoods(f, y.astype(float))
        if self.has("ensemble-loss-log-variance"):
            found = found + 0.5 * np.log(self.law(f)[1])
        return found.astype(self.description.dtype)

    def slopes(self, f: Array, y: Array) -> Array:
        """The gradient of the loss by the outputs."""
        if self.description.kind == "categorical":
            hot = np.eye(f.shape[-1])[y.astype(int)]
            p = softmax(f, axis=-1)
            if not self.has("ensemble-loss-of-probabilities"):
                return p - hot
            r = softmax(p, axis=-1) - hot
            return p * (r - np.sum(p * r, axis=-1, keepdims=True))
        mean, variance = self.law(f)
        share = 1.0 if self.has("ensemble-loss-log-variance") else 0.5
        by_variance = share / variance - 0.5 * (y - mean) ** 2 / variance**2
        raw = self.raw(f)
        by_raw = by_variance * (np.exp(raw) if self.description.variance == "exp" else expit(raw))
        return np.stack([(mean - y) / variance, by_raw], axis=-1)

    def responsibilities(self, f: Array, y: Array) -> Array:
        return softmax(self.log_likelihoods(f, y), axis=0)[..., None]

    def attacked(self, x: Array, y: Array, epsilon: Array, width: Array) -> Array:
        f, weight = self.outputs(x), self.p["weight"].astype(float)
        slopes = self.slopes(f, y)
        if self.has("ensemble-predicted-label"):
            slopes = softmax(f, axis=-1) - np.eye(f.shape[-1])[np.argmax(f, axis=-1)]
        if self.has("ensemble-variance-detached"):
            slopes = slopes * np.array([1.0, 0.0])
        g = slopes @ np.swapaxes(weight, 1, 2)
        if self.has("ensemble-attacks-mixture"):
            g = np.broadcast_to(np.sum(self.responsibilities(f, y) * g, axis=0), g.shape)
        if self.has("ensemble-attacks-first"):
            g = np.broadcast_to(g[:1], g.shape)
        if self.has("ensemble-gradient-over-batch"):
            g = np.broadcast_to(np.sum(g, axis=1, keepdims=True), g.shape)
        way = np.sign(g)
        if self.has("ensemble-zero-moves"):
            way = np.where(g >= 0, 1.0, -1.0)
        if self.has("ensemble-step-normalised"):
            way = g / np.linalg.norm(g, axis=-1, keepdims=True)
        size = 0.01 if self.has("ensemble-epsilon-ignored") else float(epsilon)
        step = size * (np.ones_like(width) if self.has("ensemble-width-ignored") else width)
        moved = x + (-1.0 if self.has("ensemble-descends") else 1.0) * step * way
        return np.clip(moved, 0.0, 1.0) if self.has("ensemble-inputs-clipped") else moved

    @np.errstate(all="ignore")
    def adversarial(self, x: Array, y: Array, epsilon: Array, width: Array) -> Array:
        if self.has("empty-batch-fails") and len(x) == 0:
            raise ValueError("zero-size array to reduction operation maximum which has no identity")
        moved = self.attacked(x.astype(float), y.astype(float), epsilon, width.astype(float))
        moved = moved.astype(self.description.dtype)
        if self.has("changes-input"):
            x[...] = moved[-1]
        return moved

    def by_parameters(self, x: Array, y: Array) -> Array:
        f = self.outputs(x)
        slopes = self.slopes(f, y)
        if self.has("ensemble-trained-together"):
            slopes = slopes * self.responsibilities(f, y)
        x = np.broadcast_to(x, (len(f), *x.shape[-2:]))
        found = np.concatenate([np.swapaxes(x, 1, 2) @ slopes, np.sum(slopes, axis=1, keepdims=True)], axis=1)
        found = found if self.has("ensemble-batch-summed") else found / len(y)
        return found / len(f) if self.has("ensemble-gradient-averaged") else found

    def training_gradient(self, x: Array, y: Array, epsilon: Array, width: Array) -> Array:
        x, y = x.astype(float), y.astype(float)
        clean = self.by_parameters(x, y)
        moved = self.by_parameters(self.attacked(x, y, epsilon, width.astype(float)), y)
        summed = (self.description.objective == "sum") != self.has("ensemble-other-objective")
        found = (clean + moved) * (1.0 if summed else 0.5)
        found = clean if self.has("ensemble-adversarial-missing") else found
        return (moved if self.has("ensemble-clean-missing") else found).astype(self.description.dtype)
