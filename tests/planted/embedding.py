"""Embeddings written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.embedding import CAUSES, Embedding
from scipy.special import expit

Array = Any

LAYERS = [
    Embedding(estimator="shared", prior=0.5),
    Embedding(estimator="flipout", prior=0.5),
    Embedding(estimator="local", prior=0.5),
]
_ALL = [
    *("mean-shrunk", "scale-softplus-missing", "scale-as-variance", "variance-as-scale", "scale-exp-for-softplus"),
    *("uniform-noise", "no-noise", "eps-across-calls", "evaluation-noisy", "empty-batch-fails", "seed-ignored"),
    *("softplus-overflows", "eps-shared-across-outputs", "kl-no-half", "kl-scale-as-stored"),
    *("gradient-mean-averaged", "gradient-scale-without-chain", "gradient-scale-zero", "gradient-noise-redrawn"),
    *("kl-mean", "kl-sign", "kl-reversed", "kl-prior-variance-as-scale"),
]
_OF = {
    "shared": ("noise-per-example",),
    "flipout": (
        *("noise-per-example", "signs-shared-across-batch", "no-input-signs", "no-output-signs", "signs-zero-one"),
        "signs-on-the-whole-weight",
    ),
    "local": ("zeta-shared-across-batch", "zeta-shared-across-positions"),
}


def mistakes(description: Embedding) -> list[str]:
    """Those that can be made in such a layer."""
    names = {*_ALL, *_OF[description.estimator], *CAUSES}
    return sorted(names - ({"embedding-noise-per-position"} if description.estimator == "local" else set()))


def adapter(description: Embedding, mistake: str) -> Straightforward:
    """The straightforward one of its kind."""
    return Straightforward(description, mistake)


class Straightforward:
    """A table that is indexed. A mistake is a line that asks for its name."""

    def __init__(self, description: Embedding, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.fixed: Array | None = None
        self.rng = np.random.default_rng(0)

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.mean, self.rho = parameters["mean"].copy(), parameters["rho"].copy()

    @np.errstate(over="ignore")
    def scale(self) -> Array:
        s = np.exp(self.rho) if self.has("scale-exp-for-softplus") else np.logaddexp(0.0, self.rho)
        s = np.log(1.0 + np.exp(self.rho)) if self.has("softplus-overflows") else s
        s = np.sqrt(s) if self.has("scale-as-variance") else s**2 if self.has("variance-as-scale") else s
        return self.rho if self.has("scale-softplus-missing") else s

    def fresh(self, shape: tuple[int, ...]) -> Array:
        if self.has("uniform-noise"):
            return self.rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)
        return self.rng.standard_normal(shape)

    def draw(self, x: Array) -> dict[str, Array]:
        n, d = len(x), self.description
        if d.estimator == "local":
            zeta = self.fresh((*x.shape, d.features))
            zeta = np.broadcast_to(zeta[:1], zeta.shape) if self.has("zeta-shared-across-batch") else zeta
            zeta = np.broadcast_to(zeta[:, :1], zeta.shape) if self.has("zeta-shared-across-positions") else zeta
            zeta = zeta[:1, :1] + 0.0 * zeta if self.has("embedding-rows-share-noise") else zeta
            zeta = zeta[..., :1] + 0.0 * zeta if self.has("eps-shared-across-outputs") else zeta
            return {"zeta": self.kept(zeta)}
        eps = self.fresh((n, *self.mean.shape) if self.has("noise-per-example") else self.mean.shape)
        eps = eps[..., :1, :] + 0.0 * eps if self.has("embedding-rows-share-noise") else eps
        eps = eps[..., :1] + 0.0 * eps if self.has("eps-shared-across-outputs") else eps
        noise = {"eps": self.kept(eps)}
        if d.estimator == "flipout":
            for name, k in (("sign_in", d.rows), ("sign_out", d.features)):
                sign = self.rng.choice([-1.0, 1.0], (n, k))
                missing = "no-input-signs" if name == "sign_in" else "no-output-signs"
                sign = np.ones_like(sign) if self.has(missing) else sign
                sign = np.broadcast_to(sign[:1], sign.shape) if self.has("signs-shared-across-batch") else sign
                noise[name] = (sign + 1.0) / 2.0 if self.has("signs-zero-one") else sign
        return noise

    def kept(self, value: Array) -> Array:
        """The noise of an earlier call, where that is the mistake."""
        if self.has("eps-across-calls"):
            if self.fixed is None or self.fixed.shape != value.shape:
                self.fixed = value
            return self.fixed
        return value

    def noise_at(self, at: Array, noise: dict[str, Array]) -> Array:
        """(n, t, features): what is multiplied by the scale of the row that is read."""
        if "zeta" in noise:
            return noise["zeta"]
        n = np.arange(len(at))[:, None]
        eps = noise["eps"][n, at] if noise["eps"].ndim == 3 else noise["eps"][at]
        if self.has("embedding-noise-per-position"):
            eps = self.fresh(eps.shape)
        return eps * self.signs_at(at, noise)

    def signs_at(self, at: Array, noise: dict[str, Array]) -> Array:
        if "sign_in" not in noise:
            return np.ones((*at.shape, 1))
        return noise["sign_in"][np.arange(len(at))[:, None], at][..., None] * noise["sign_out"][:, None, :]

    def rows(self, x: Array, noise: dict[str, Array] | None) -> Array:
        if self.has("empty-batch-fails") and len(x) == 0:
            raise ValueError("no examples")
        at = np.asarray(x).astype(int)
        at = (at + 1) % len(self.mean) if self.has("embedding-row-off-by-one") else at
        mean = 0.9 * self.mean if self.has("mean-shrunk") else self.mean.copy()
        if self.has("embedding-padding-row"):
            mean[0] = 0.0
        y = mean[at]
        if noise is not None and not self.has("no-noise"):
            scale = self.scale()[0 * at] if self.has("embedding-noise-without-rows") else self.scale()[at]
            y = y + scale * self.noise_at(at, noise)
            if self.has("signs-on-the-whole-weight"):
                y = y + mean[at] * (self.signs_at(at, noise) - 1.0)
        return y.astype(x.dtype)

    def sample(self, x: Array) -> Array:
        return self.rows(x, self.draw(x))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.rows(x, noise)

    def evaluate(self, x: Array) -> Array:
        return self.rows(x, self.draw(x) if self.has("evaluation-noisy") else None)

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        noise = self.draw(x)
        y, at = self.rows(x, noise), x.astype(int)
        noise = self.draw(x) if self.has("gradient-noise-redrawn") else noise
        chain = 1.0 if self.has("gradient-scale-without-chain") else expit(self.rho)[at]
        by_mean, by_rho = np.zeros(self.mean.shape), np.zeros(self.mean.shape)
        pairs = ((by_mean, grad_y), (by_rho, grad_y * self.noise_at(at, noise) * chain))
        for into, g in pairs:
            if self.has("embedding-gradient-last-wins"):
                into[at] = g
            else:
                np.add.at(into, at, g)
        share = len(x) if self.has("gradient-mean-averaged") else 1
        zero = 0.0 if self.has("gradient-scale-zero") else 1.0
        return {"mean": by_mean / share, "rho": zero * by_rho / share, "y": y}

    def _share(self) -> float:
        return (-1.0 if self.has("kl-sign") else 1.0) / (self.mean.size if self.has("kl-mean") else 1)

    def kl(self) -> float:
        s, p = self.rho if self.has("kl-scale-as-stored") else np.logaddexp(0.0, self.rho), self._prior()
        terms = np.log(p / np.abs(s)) + (s**2 + self.mean**2) / (2 * p**2) - (0 if self.has("kl-no-half") else 0.5)
        if self.has("kl-reversed"):
            terms = np.log(s / p) + (p**2 + self.mean**2) / (2 * s**2) - 0.5
        return self._share() * float(np.sum(terms))

    def _prior(self) -> Array:
        p = self.description.prior or 1.0
        return np.sqrt(p) if self.has("kl-prior-variance-as-scale") else p

    def kl_gradients(self) -> dict[str, Array]:
        """By the names of the parameters."""
        s, p, m = np.logaddexp(0.0, self.rho), self._prior(), self.mean
        by_mean, by_scale = m / p**2, s / p**2 - 1.0 / s
        if self.has("kl-reversed"):
            by_mean, by_scale = m / s**2, 1.0 / s - (p**2 + m**2) / s**3
        chain = 1.0 if self.has("gradient-scale-without-chain") else expit(self.rho)
        return {"mean": self._share() * by_mean, "rho": self._share() * by_scale * chain}
