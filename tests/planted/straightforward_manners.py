"""What the straightforward layer does between calls, and its KL, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.adapters.adapter import from_channels
from bayesnoise_reference.claims.weight_trial import log_sigma, sigma, slope

from planted.straightforward_noise import StraightforwardNoise

Array = Any


class StraightforwardManners(StraightforwardNoise):
    """Loading, saving, seeds, and the KL. A mistake is a line that asks for its name."""

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)
        self.frozen.clear()

    def load(self, parameters: dict[str, Array]) -> None:
        self.before, self.held = self.held or parameters, parameters

    def save(self) -> dict[str, Array]:
        forgotten = {"restore-forgets-scale": "rho", "restore-forgets-mean": "mean"}.get(self.mistake)
        kept = {name: value.copy() for name, value in self.held.items() if name != forgotten}
        rounds = self.has("restore-rounds")
        return {name: v.astype(np.float16).astype(v.dtype) if rounds else v for name, v in kept.items()}

    def restore(self, saved: dict[str, Array]) -> None:
        self.held = {**self.held, **saved}

    def network_kl(self, arrangement: str) -> float:
        if self.has("kl-nested-missed") and arrangement == "nested":
            return 0.0
        twice = self.has("kl-nested-twice" if arrangement == "nested" else "kl-shared-twice")
        return (2.0 if twice else 1.0) * self.kl()

    def _prior_mean(self, name: str) -> Any:
        if self.has("prior-aliases-posterior"):
            return self.held[name]
        if self.has("prior-follows-posterior"):
            return self.before[name]
        return 0.0 if self.has("kl-prior-mean-ignored") else self.description.prior_mean

    @np.errstate(all="ignore")
    def kl(self) -> float:
        d = self.description
        s0 = d.prior_scale**2 if self.has("kl-prior-variance-as-scale") else d.prior_scale
        names = [("mean", "rho"), *([("bias_mean", "bias_rho")] if d.bias == "random" else [])]
        total = 0.0
        for mean, rho in names[: 1 if self.has("kl-no-bias") else 2]:
            terms = self._drawn if d.kl_kind == "monte_carlo" else self._closed
            kl = terms(self.held[mean], self.held[rho], self._prior_mean(mean), s0)
            total += float(np.mean(kl) if self.has("kl-mean") else np.sum(kl))
        return -total if self.has("kl-sign") else total

    def _closed(self, mean: Array, rho: Array, m0: Any, s0: float) -> Array:
        s, log_s = sigma(self.description, rho), log_sigma(self.description, rho)
        if self.has("kl-scale-as-stored"):
            s, log_s = rho, np.log(np.abs(rho))
        if self.has("kl-log-underflows", "softplus-overflows"):
            s = np.log1p(np.exp(rho))
            log_s = np.log(s)
        kl = np.log(s0) - log_s + (s**2 + (mean - m0) ** 2) / (2.0 * s0**2)
        if self.has("kl-reversed"):
            kl = log_s - np.log(s0) + (s0**2 + (mean - m0) ** 2) / (2.0 * s**2)
        return kl if self.has("kl-no-half") else kl - 0.5

    def kl_gradients(self) -> dict[str, Array]:
        d, found = self.description, {name: np.zeros_like(value) for name, value in self.held.items()}
        s0 = d.prior_scale**2 if self.has("kl-prior-variance-as-scale") else d.prior_scale
        names = [("mean", "rho"), *([("bias_mean", "bias_rho")] if d.bias == "random" else [])]
        for mean, rho in names[: 0 if self.has("kl-gradient-missing") else 1 if self.has("kl-no-bias") else 2]:
            s = sigma(d, self.held[rho])
            chain = 1.0 if self.has("kl-gradient-without-chain") else slope(d, self.held[rho])
            share = s.size if self.has("kl-gradient-averaged", "kl-mean") else 1
            found[mean] = (self.held[mean] - self._prior_mean(mean)) / s0**2 / share
            found[rho] = (s / s0**2 - 1.0 / s) * chain / share * (not self.has("kl-gradient-scale-missing"))
        return found

    def _drawn(self, mean: Array, rho: Array, m0: Any, s0: float) -> Array:
        rng = np.random.default_rng(0) if self.has("kl-draw-fixed") else self.rng
        times = 0.0 if self.has("kl-draw-at-mean") else 2.0 if self.has("kl-draw-doubled") else 1.0
        eps = times * rng.standard_normal(mean.shape)
        s = sigma(self.description, rho)
        other = rng.standard_normal(mean.shape) if self.has("kl-draw-of-another") else eps
        return np.log(s0 / s) - eps**2 / 2.0 + (s * other + mean - m0) ** 2 / (2.0 * s0**2)

    @np.errstate(all="ignore")
    def evaluate(self, x: Array) -> Array:
        inside: Any = from_channels(self.description, x)
        noise = self.draw(inside)
        if not self.has("evaluation-noisy"):
            noise = {k: v if k.startswith("sign") else 0.0 * v for k, v in noise.items()}
        y = self.forward(inside, noise)
        if self.has("evaluation-drops-bias"):
            y = y - self.forward(0.0 * inside, noise)
        return self._out(0.9 * y if self.has("evaluation-scaled") else y)

    def forward(self, x: Array, noise: dict[str, Array]) -> Array:
        raise NotImplementedError

    def _out(self, y: Array) -> Array:
        raise NotImplementedError
