"""Self-attention written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families import (
    attention_edges,
    attention_exact,
    attention_gradients,
    attention_law,
    attention_shared,
)
from bayesnoise_reference.families.attention import PROJECTIONS, Attention
from scipy.special import expit, softmax

Array = Any

LAYERS = [Attention(estimator="shared", causal=True, prior=0.5), Attention(estimator="flipout", prior=0.5)]
_ALL = [
    *("mean-shrunk", "scale-softplus-missing", "scale-as-variance", "variance-as-scale", "scale-exp-for-softplus"),
    *("uniform-noise", "noise-per-example", "eps-across-calls", "evaluation-noisy", "empty-batch-fails"),
    *("softplus-overflows", "seed-ignored", "eps-shared-across-outputs", "eps-shared-across-inputs"),
    *("gradient-mean-averaged", "gradient-scale-without-chain", "gradient-scale-zero", "gradient-noise-redrawn"),
    *("kl-mean", "kl-sign", "kl-reversed", "kl-no-half", "kl-prior-variance-as-scale"),
]
_FLIPOUT = (
    *("signs-shared-across-batch", "no-input-signs", "no-output-signs", "signs-zero-one"),
    "signs-on-the-whole-weight",
)


_FILES = (attention_edges, attention_exact, attention_gradients, attention_law, attention_shared)


def mistakes(description: Attention) -> list[str]:
    """Those that can be made in such a layer."""
    names = {*_ALL, *(name for file in _FILES for name in file.CAUSES)}
    names |= set(_FLIPOUT) if description.estimator == "flipout" else set()
    return sorted(names - (set() if description.causal else {"attention-not-causal", "attention-causal-too-strict"}))


def adapter(description: Attention, mistake: str) -> Straightforward:
    """The straightforward one of its kind."""
    return Straightforward(description, mistake)


class Straightforward:
    """The projections of every example, written out. A mistake is a line that asks for its name."""

    def __init__(self, description: Attention, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.fixed: dict[str, Array] = {}
        self.rng = np.random.default_rng(0)

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.p = {name: value.copy() for name, value in parameters.items()}

    @np.errstate(over="ignore")
    def scale(self, name: str) -> Array:
        rho = self.p[f"{name}_rho"]
        s = np.exp(rho) if self.has("scale-exp-for-softplus") else np.logaddexp(0.0, rho)
        s = np.log(1.0 + np.exp(rho)) if self.has("softplus-overflows") else s
        s = np.sqrt(s) if self.has("scale-as-variance") else s**2 if self.has("variance-as-scale") else s
        return rho if self.has("scale-softplus-missing") else s

    def fresh(self, shape: tuple[int, ...]) -> Array:
        if self.has("uniform-noise"):
            return self.rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)
        return self.rng.standard_normal(shape)

    def draw(self, n: int) -> dict[str, Array]:
        f, noise = self.description.features, dict[str, Array]()
        for name in PROJECTIONS:
            eps = self.fresh((n, f, f) if self.has("noise-per-example") else (f, f))
            eps = eps[..., :1] + 0.0 * eps if self.has("eps-shared-across-outputs") else eps
            eps = eps[..., :1, :] + 0.0 * eps if self.has("eps-shared-across-inputs") else eps
            eps = noise["query_eps"] if noise and self.has("attention-projections-share-noise") else eps
            noise[f"{name}_eps"] = self.fixed.setdefault(name, eps) if self.has("eps-across-calls") else eps
            if self.description.estimator == "shared":
                continue
            for side in ("in", "out"):
                sign = self.rng.choice([-1.0, 1.0], (n, f))
                sign = np.ones_like(sign) if self.has(f"no-{side}put-signs") else sign
                sign = np.broadcast_to(sign[:1], sign.shape) if self.has("signs-shared-across-batch") else sign
                noise[f"{name}_sign_{side}"] = (sign + 1.0) / 2.0 if self.has("signs-zero-one") else sign
        return noise

    def signs(self, name: str, noise: dict[str, Array]) -> Array:
        if f"{name}_sign_in" not in noise:
            return 1.0
        return noise[f"{name}_sign_in"][:, :, None] * noise[f"{name}_sign_out"][:, None, :]

    def project(self, name: str, x: Array, noise: dict[str, Array] | None) -> Array:
        mean = (0.9 if self.has("mean-shrunk") else 1.0) * self.p[f"{name}_mean"]
        b = self.p[f"{name}_bias"] * (0.0 if self.has(f"attention-{name}-bias-missing") else 1.0)
        w = np.broadcast_to(mean, (len(x), *mean.shape))
        if noise is not None and not self.has(f"attention-{name}-without-noise"):
            w = mean + self.scale(name) * noise[f"{name}_eps"] * self.signs(name, noise)
            if self.has("signs-on-the-whole-weight"):
                w = w + mean * (self.signs(name, noise) - 1.0)
            w = np.broadcast_to(w, (len(x), *mean.shape))
        self.w[name] = w
        y = x @ w + b
        if noise is not None and self.has("attention-noise-per-position"):
            y = y + np.einsum("nti,ntik->ntk", x, self.scale(name) * self.fresh((*x.shape, mean.shape[1])))
        return y

    def heads(self, a: Array) -> Array:
        n, t, _ = a.shape
        h, d = self.description.heads, self.description.each
        if self.has("attention-heads-interleaved"):
            return a.reshape(n, t, d, h).transpose(0, 3, 1, 2)
        return a.reshape(n, t, h, d).transpose(0, 2, 1, 3)

    @np.errstate(over="ignore", invalid="ignore")
    def run(self, x: Array, noise: dict[str, Array] | None) -> Array:
        if self.has("empty-batch-fails") and len(x) == 0:
            raise ValueError("no examples")
        d = self.description
        self.w: dict[str, Array] = {}
        q, k, v = (self.heads(self.project(name, x, noise)) for name in PROJECTIONS[:3])
        root = 1.0 if self.has("attention-scores-not-scaled") else np.sqrt(d.each)
        root = np.sqrt(d.features) if self.has("attention-scores-scaled-by-features") else root
        scores = q @ k.swapaxes(-1, -2) / root
        if d.causal and not self.has("attention-not-causal"):
            hidden = np.triu(
                np.ones(scores.shape[-2:], dtype=bool), 0 if self.has("attention-causal-too-strict") else 1
            )
            scores = np.where(hidden, -1e30, scores)
        a = softmax(scores, axis=-2 if self.has("attention-softmax-over-queries") else -1)
        a = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True) if self.has("attention-softmax-overflows") else a
        c = (a @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        self.kept = (x, q, k, v, a, c, root)
        return self.project("output", c, noise).astype(x.dtype)

    def sample(self, x: Array) -> Array:
        return self.run(x, self.draw(len(x)))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.run(x, noise)

    def evaluate(self, x: Array) -> Array:
        return self.run(x, self.draw(len(x)) if self.has("evaluation-noisy") else None)

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        noise = self.draw(len(x))
        y = self.run(x, noise)
        x, q, k, v, a, c, root = self.kept
        w = self.w
        noise = self.draw(len(x)) if self.has("gradient-noise-redrawn") else noise
        gc = self.heads(grad_y @ w["output"].swapaxes(-1, -2))
        ga = gc @ v.swapaxes(-1, -2)
        gs = a * (ga - (a * ga).sum(-1, keepdims=True)) / root
        gs = 0.0 * gs if self.has("attention-gradient-through-values-alone") else gs
        back = [
            g.transpose(0, 2, 1, 3).reshape(x.shape) for g in (gs @ k, gs.swapaxes(-1, -2) @ q, a.swapaxes(-1, -2) @ gc)
        ]
        ways = [g @ w[n].swapaxes(-1, -2) for n, g in zip(PROJECTIONS, back, strict=False)]
        found: dict[str, Array] = {
            "y": y,
            "x": ways[2] if self.has("attention-gradient-input-of-values") else sum(ways),
        }
        for name, g, left in zip(PROJECTIONS, [*back, grad_y], [x, x, x, c], strict=True):
            by_weight = left.swapaxes(-1, -2) @ g  # (n, in, out)
            chain = 1.0 if self.has("gradient-scale-without-chain") else expit(self.p[f"{name}_rho"])
            by_rho = (by_weight * noise[f"{name}_eps"] * self.signs(name, noise)).sum(0) * chain
            found[f"{name}_mean"] = by_weight.sum(0) / (len(x) if self.has("gradient-mean-averaged") else 1)
            found[f"{name}_rho"] = (0.0 if self.has("gradient-scale-zero") else 1.0) * by_rho
            found[f"{name}_bias"] = g[:, -1].sum(0) if self.has("attention-gradient-bias-of-last") else g.sum((0, 1))
        return found

    def _of_kl(self, name: str) -> tuple[Array, Array, Array]:
        """Terms of the KL, and their derivatives by the mean and by the scale."""
        m, s, p = self.p[f"{name}_mean"], np.logaddexp(0.0, self.p[f"{name}_rho"]), self.description.prior or 1.0
        p = np.sqrt(p) if self.has("kl-prior-variance-as-scale") else p
        if self.has("kl-reversed"):
            terms = np.log(s / p) + (p**2 + m**2) / (2 * s**2) - 0.5
            found = terms, m / s**2, 1 / s - (p**2 + m**2) / s**3
        else:
            terms = np.log(p / s) + (s**2 + m**2) / (2 * p**2) - (0.0 if self.has("kl-no-half") else 0.5)
            found = terms, m / p**2, s / p**2 - 1 / s
        sign = (
            -1.0 if self.has("kl-sign") else 0.0 if (self.has("attention-kl-no-output") and name == "output") else 1.0
        )
        return tuple(sign * f / (m.size if self.has("kl-mean") else 1) for f in found)

    def kl(self) -> float:
        return float(sum(np.sum(self._of_kl(name)[0]) for name in PROJECTIONS))

    def kl_gradients(self) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for name in PROJECTIONS:
            _, by_mean, by_scale = self._of_kl(name)
            chain = 1.0 if self.has("gradient-scale-without-chain") else expit(self.p[f"{name}_rho"])
            found |= {
                f"{name}_mean": by_mean,
                f"{name}_rho": by_scale * chain,
                f"{name}_bias": 0 * self.p[f"{name}_bias"],
            }
        return found
