"""Linear regressions written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.regression import Regression
from bayesnoise_reference.families.regression_mistakes import CAUSES

from planted.mistaken import Mistaken

Array = Any
LAYERS = [
    Regression(kind="exact", inputs=3, outputs=2, prior_scales="each"),
    Regression(kind="mean_field", inputs=3, outputs=2, prior_scales="each"),
]

_OF = {
    "regression-unseen-dropped": "exact",
    "regression-independent": "exact",
    "regression-root-transposed": "exact",
    "regression-one-by-one": "mean_field",
    "regression-marginal-scales": "mean_field",
    "regression-correlated": "mean_field",
    "regression-elbo-is-evidence": "mean_field",
    "regression-gap-not-halved": "mean_field",
    "regression-gap-sign": "mean_field",
    "regression-gap-reversed": "mean_field",
    "regression-gap-to-prior": "mean_field",
}


def mistakes(description: Regression) -> list[str]:
    """Those that can be made in such a regression."""
    return ["seed-ignored", *(name for name in CAUSES if _OF.get(name, description.kind) == description.kind)]


def adapter(description: Regression, mistake: str) -> Linear:
    """The straightforward one of its kind."""
    return Linear(description, mistake)


class Linear(Mistaken):
    """Precisions and their inverses in double precision. A mistake is a line that asks for its name."""

    last: Any = None  # the noise of the call before

    def load(self, parameters: dict[str, Array]) -> None:
        if not (self.p and self.has("regression-stale")):
            self.p = {name: value.astype(np.float64) for name, value in parameters.items()}
        self.held, self.last = {}, None

    def scales(self) -> tuple[float, Array]:
        s, p = float(self.p["noise_scale"][0]), np.resize(self.p["prior_scale"], self.description.inputs)
        s = s**0.5 if self.has("regression-noise-as-variance") else s
        s = s**-0.5 if self.has("regression-noise-as-precision") else s
        s = max(s, 0.01) if self.has("regression-noise-floored") else s
        p = p**0.5 if self.has("regression-prior-as-variance") else p
        p = p**-0.5 if self.has("regression-prior-as-precision") else p
        p = 0.0 * p + 1e6 if self.has("regression-prior-forgotten") else p
        p = np.minimum(p, 10.0) if self.has("regression-prior-capped") else p
        p = 0.0 * p + p[0] if self.has("regression-one-prior") else p
        return s, p[::-1] if self.has("regression-prior-reversed") else p

    def data(self) -> tuple[Array, Array]:
        x, y = self.p["x"], self.p["y"]
        if not len(x):
            return x, y
        if self.has("regression-last-row-missing"):
            x, y = x[:-1], y[:-1]
        if self.has("regression-rows-weighted"):
            weights = 0.9 ** np.arange(len(x))[::-1, None]
            x, y = weights * x, weights * y
        if self.has("regression-examples-averaged"):
            x, y = x / np.sqrt(len(x)), y / np.sqrt(len(x))
        if self.has("regression-targets-centered"):
            y = y - np.mean(y, axis=0)
        if self.has("regression-targets-pooled"):
            y = np.mean(y, axis=1, keepdims=True) + 0.0 * y
        if self.has("regression-weak-directions-cut"):
            u, values, v = np.linalg.svd(x, full_matrices=False)
            x = (u * np.where(values > 1e-2 * values[0], values, 0.0)) @ v
        return x, y

    def precision(self) -> Array:
        (x, _), (s, p) = self.data(), self.scales()
        jitter = 1e-6 if self.has("regression-jitter") else 0.0
        return x.T @ x / s**2 + np.diag(p**-2.0 + jitter)

    def posterior(self) -> Array:
        found = np.linalg.inv(self.precision())
        if self.has("regression-unseen-dropped"):
            seen = np.linalg.pinv(self.p["x"]) @ self.p["x"] if len(self.p["x"]) else np.zeros(found.shape)
            found = seen @ found @ seen
        return found

    def law(self) -> tuple[Array, Array]:
        (x, y), s, found = self.data(), self.scales()[0], self.posterior()
        mean = found @ x.T @ y / (1.0 if self.has("regression-noise-not-in-mean") else s**2)
        if self.has("regression-one-by-one"):
            mean = (x.T @ y / s**2) / np.diag(self.precision())[:, None]
        if self.has("regression-independent", "regression-marginal-scales"):
            found = np.diag(np.diag(found))
        elif self.description.kind == "mean_field" and not self.has("regression-correlated"):
            found = np.diag(1.0 / np.diag(self.precision()))
        kept = 1.0 - self.has("regression-zero-column-dropped") * np.all(self.p["x"] == 0, axis=0)
        return mean * kept[:, None], found * np.outer(kept, kept)

    def root(self) -> Array:
        a = self.law()[1]
        if self.has("regression-root-missing"):
            return a
        if self.has("regression-root-transposed"):
            return np.linalg.inv(np.linalg.cholesky(self.precision()))
        values, vectors = np.linalg.eigh(a)
        return vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T

    def eps(self, *shape: int) -> Array:
        z = self.rng.standard_normal(shape)
        if self.has("regression-two-point"):
            z = np.sign(z)
        if self.has("regression-draws-shared-by-targets"):
            z = 0.0 * z + z[..., :1]
        if self.has("regression-draws-fixed"):
            z = self.held.setdefault(shape, z)
        if self.has("regression-draws-remembered"):
            z = z if self.last is None else 0.8 * self.last + 0.6 * z
            self.last = z
        return z

    def at(self, x: Array, eps: Array) -> Array:
        mean, x = self.law()[0], x.astype(np.float64)
        w = self.root() @ eps + (0.0 if self.has("regression-draws-mean-missing") else mean)
        y = np.einsum("ni,nik->nk", x, w) if w.ndim == 3 else x @ w
        if self.has("regression-draws-with-noise"):
            y = y + self.p["noise_scale"][0] * self.rng.standard_normal(y.shape)
        return y.astype(self.description.dtype)

    def sample(self, x: Array) -> Array:
        shape = (self.description.inputs, self.description.outputs)
        return self.at(x, self.eps(*((len(x), *shape) if self.has("regression-draws-by-row") else shape)))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        eps = noise["eps"].astype(np.float64)
        if self.has("regression-draws-shared-by-targets"):
            eps = 0.0 * eps + eps[:, :1]
        return self.sample(x) if self.has("regression-noise-ignored") else self.at(x, eps)

    def evaluate(self, x: Array) -> Array:
        if self.has("regression-evaluation-noisy"):
            return self.sample(x)
        return (x.astype(np.float64) @ self.law()[0]).astype(self.description.dtype)

    def covariance(self) -> Array:
        return self.precision() if self.has("regression-precision-as-covariance") else self.law()[1]

    def predictive_variance(self, x: Array) -> Array:
        s, x = self.scales()[0], x.astype(np.float64)
        noise = s if self.has("regression-noise-scale-added") else s**2
        noise *= 2.0 if self.has("regression-noise-twice") else 1.0 - self.has("regression-noise-missing")
        return np.einsum("ni,ij,nj->n", x, self.law()[1], x) + noise

    def log_evidence(self) -> float:
        (x, y), (s, p) = self.data(), self.scales()
        n, (mean, _) = len(y), self.law()
        covariance = s**2 * np.eye(n) + x @ np.diag(p**2) @ x.T
        if self.has("regression-evidence-at-mean"):
            y, covariance = y - x @ mean, s**2 * np.eye(n)
        squares = np.sum(y * np.linalg.solve(covariance, y), axis=0)
        constants = 0.0 if self.has("regression-evidence-constant") else n * np.log(2.0 * np.pi)
        if not self.has("regression-evidence-no-determinant"):
            constants += np.linalg.slogdet(covariance)[1]
        if self.has("regression-evidence-prior-constant"):
            constants -= 2.0 * np.sum(np.log(p))
        values = -0.5 * (squares + constants)
        value = values[0] if self.has("regression-evidence-one-target") else np.sum(values)
        return float(value / max(1, n) if self.has("regression-evidence-averaged") else value)

    def kl(self) -> float:
        mean, a = self.law()
        mean = 0.0 * mean if self.has("regression-kl-mean-missing") else mean
        return self.divergence(mean, a, np.diag(self.scales()[1] ** 2), self.has("regression-kl-reversed"))

    def divergence(self, mean: Array, a: Array, b: Array, reversed_: bool) -> float:
        """From the law of covariance a to that of b, whose means are this far apart."""
        (d, k), (a, b) = mean.shape, (b, a) if reversed_ else (a, b)
        constant = 0.0 if self.has("regression-kl-constant") else d
        ratio = np.linalg.solve(b, a)
        value = k * (np.trace(ratio) - constant - np.linalg.slogdet(ratio)[1])
        value = 0.5 * (value + np.sum(mean * np.linalg.solve(b, mean)))
        return float(value / (d * k) if self.has("regression-kl-averaged") else value)

    def elbo(self) -> float:
        if self.has("regression-elbo-is-evidence"):
            return self.log_evidence()
        (x, y), s, (mean, a) = self.data(), self.scales()[0], self.law()
        spread = 0.0 if self.has("regression-elbo-no-spread") else y.shape[1] * np.einsum("ni,ij,nj->", x, a, x)
        squares = np.sum((y - x @ mean) ** 2) + spread
        expected = -0.5 * (y.size * np.log(2.0 * np.pi * s**2) + squares / s**2)
        return float(expected - (0.0 if self.has("regression-elbo-without-kl") else self.kl()))

    def gap(self) -> float:
        if self.has("regression-gap-to-prior"):
            return self.kl()
        mean, a = self.law()
        value = self.divergence(0.0 * mean, a, self.posterior(), self.has("regression-gap-reversed"))
        value *= 2.0 if self.has("regression-gap-not-halved") else 1.0
        return -value if self.has("regression-gap-sign") else value
