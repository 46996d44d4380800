"""Information dropout written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from planted.strength_layer import Layer

Array = Any


class Information(Layer):
    """`f exp(alpha zeta)`."""

    def fresh(self, shape: tuple[int, ...]) -> Array:
        return self.rng.standard_normal(shape)

    def plain(self, x: Array) -> Array:
        h = x @ self.p["theta"]
        if self.description.kind == "log_uniform":
            return np.maximum(h, 0)
        return np.log(1 + np.exp(h)) if self.has("strength-activation-overflows") else np.logaddexp(0, h)

    def _alpha(self, x: Array) -> Array:
        d, s = self.description, x @ self.p["theta_alpha"]
        open_ = np.exp(s) / (1 + np.exp(s)) if self.has("strength-sigmoid-overflows") else expit(s)
        if self.has("strength-alpha-unscaled"):
            return open_
        return d.least + d.span * (0.5 + 0 * open_ if self.has("strength-alpha-constant") else open_)

    @np.errstate(all="ignore")
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
        return {**self._through(x, by_h, by_s), "y": y}

    def _through(self, x: Array, by_h: Array, by_s: Array) -> dict[str, Array]:
        by_x = by_h @ self.p["theta"].T
        by_x = by_x if self.has("strength-gradient-alpha-of-input") else by_x + by_s @ self.p["theta_alpha"].T
        return {"x": by_x, "theta": x.T @ by_h, "theta_alpha": x.T @ by_s}

    def _log_f(self, h: Array) -> Array:
        """Of a softplus: for activations far below zero, their argument."""
        f = np.logaddexp(0, h)
        return (
            np.log(f) if self.has("strength-kl-log-underflows") else np.where(h < -40, h, np.log(np.maximum(f, 1e-18)))
        )

    def _strength_of_kl(self, x: Array) -> Array:
        return np.sqrt(self._alpha(x)) if self.has("strength-kl-of-root") else self._alpha(x)

    def _weigh(self, each: Array) -> Array:
        each = each / each.shape[1] if self.has("strength-kl-averaged") else each
        each = each * (1.0 if self.has("strength-kl-unweighted") else self.description.beta)
        return -each if self.has("strength-kl-sign") else each

    @np.errstate(all="ignore")
    def example_kl(self, x: Array) -> Array:
        d, h, alpha = self.description, x @ self.p["theta"], self._strength_of_kl(x)
        if d.kind == "log_uniform":
            each = -np.log(alpha / (d.least + d.span)) * ((h > 0) | self.has("strength-kl-of-dead-units"))
        else:
            log_f = np.log(self.plain(x)) if self.has("strength-activation-overflows") else self._log_f(h)
            shift = 0.0 if self.has("strength-kl-no-mean") else log_f
            each = (alpha**2 + shift**2) / 2 - np.log(alpha) - 0.5
        total = np.sum(self._weigh(each), axis=1)
        return np.mean(total) + 0 * total if self.has("strength-kl-over-batch") else total

    def example_kl_gradients(self, x: Array) -> dict[str, Array]:
        d, h, s, alpha = self.description, x @ self.p["theta"], x @ self.p["theta_alpha"], self._strength_of_kl(x)
        live = 1.0 if d.kind == "log_normal" or self.has("strength-kl-of-dead-units") else (h > 0).astype(float)
        by_alpha = -live / (1.0 if self.has("strength-kl-gradient-of-deviation") else alpha)
        by_alpha = by_alpha + (alpha if d.kind == "log_normal" else 0.0)
        by_alpha = by_alpha / (2 * alpha) if self.has("strength-kl-of-root") else by_alpha
        by_h = self._log_f(h) * expit(h) / np.logaddexp(0, h) if d.kind == "log_normal" else 0 * h
        by_h = 0 * h if self.has("strength-kl-no-mean") else by_h
        by_s = by_alpha * (0.0 if self.has("strength-kl-gradient-missing") else d.span) * expit(s) * expit(-s)
        return self._through(x, self._weigh(by_h), self._weigh(by_s))
