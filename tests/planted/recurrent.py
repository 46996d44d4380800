"""Recurrent layers written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.recurrent import GRU, LSTM, Sequence
from bayesnoise_reference.families.recurrent_steps import CAUSES as STEPS
from scipy.special import expit

from planted.recurrent_cells import CELLS, Penalised

Array = Any

LAYERS = [
    LSTM(estimator="shared", bias="random", prior=0.5),
    LSTM(estimator="flipout", prior=0.5),
    GRU(estimator="shared", scale="exp", bias="random", prior=0.5),
    GRU(estimator="flipout", prior=0.5),
]
_ALL = [
    *(name for name in STEPS if name.startswith("recurrent-") and name not in ("recurrent-bias-per-step",)),
    "recurrent-input-without-noise",
    "recurrent-hidden-without-noise",
    "recurrent-hidden-reuses-input-noise",
    "recurrent-gates-share-noise",
    "recurrent-gradient-truncated",
    "recurrent-gradient-last-step",
    "recurrent-kl-no-hidden",
    "recurrent-kl-one-gate",
    *("scale-as-variance", "variance-as-scale", "mean-shrunk", "uniform-noise", "noise-per-example"),
    *("eps-across-calls", "evaluation-noisy", "empty-batch-fails", "seed-ignored"),
    "restore-forgets-scale",
    *("gradient-mean-averaged", "gradient-scale-without-chain", "gradient-scale-zero", "gradient-noise-redrawn"),
    *("kl-mean", "kl-reversed", "kl-sign", "kl-no-half", "kl-prior-variance-as-scale"),
]
_FLIPOUT = [
    *("recurrent-signs-per-step", "recurrent-hidden-signs-missing", "signs-shared-across-batch", "no-input-signs"),
    *("no-output-signs", "signs-zero-one", "signs-on-the-whole-weight"),
]


def mistakes(description: Sequence) -> list[str]:
    """Those that can be made in such a layer."""
    names = set(_ALL) | {name for name in STEPS if name.startswith(description.family)}
    if description.estimator == "shared":
        names -= {"recurrent-signs-per-step"}
    names |= set(_FLIPOUT) if description.estimator == "flipout" else set()
    names |= {"scale-exp-for-softplus", "scale-softplus-missing"} if description.scale == "softplus" else set()
    random = {"recurrent-bias-per-step", "bias-noise-missing", "kl-no-bias"}
    return sorted(names | (random if description.bias == "random" else set()))


def adapter(description: Sequence, mistake: str) -> Straightforward:
    """The straightforward one of its kind."""
    return Straightforward(description, mistake)


class Straightforward(Penalised):
    """Effective weights of every example, written out, and a loop over steps. A mistake asks for its name."""

    def __init__(self, description: Sequence, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.gates = len(description.gates)
        self.p: dict[str, Array] = {}
        self.fixed: dict[str, Array] = {}
        self.kept: Array | None = None
        self.rng = np.random.default_rng(0)

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def seed(self, seed: int) -> None:
        if not self.has("seed-ignored"):
            self.rng = np.random.default_rng(seed)

    def load(self, parameters: dict[str, Array]) -> None:
        self.p = {name: value.copy() for name, value in parameters.items()}
        self.kept = None

    def names(self) -> list[str]:
        return ["input", "hidden", "input_bias", "hidden_bias"]

    def mean(self, name: str) -> Array:
        return self.p[f"{name}_mean"] if f"{name}_mean" in self.p else self.p[name]

    def scale(self, name: str) -> Array:
        rho = self.p[f"{name}_rho"]
        if self.has("scale-softplus-missing"):
            return rho
        s = (
            np.exp(rho)
            if self.description.scale == "exp" or self.has("scale-exp-for-softplus")
            else np.logaddexp(0, rho)
        )
        return np.sqrt(s) if self.has("scale-as-variance") else s**2 if self.has("variance-as-scale") else s

    def fresh(self, shape: tuple[int, ...]) -> Array:
        if self.has("uniform-noise"):
            return self.rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)
        return self.rng.standard_normal(shape)

    def draw(self, n: int) -> dict[str, Array]:
        """Noise under the names of the family."""
        d, noise = self.description, {}
        flipout = d.estimator == "flipout"
        for name in self.names():
            if f"{name}_rho" not in self.p:
                continue
            shape = self.p[f"{name}_rho"].shape
            if name.endswith("bias"):
                noise[f"{name}_eps"] = self.fresh((n, *shape) if flipout else shape)
                continue
            per_example = self.has("noise-per-example")
            noise[f"{name}_eps"] = self.fresh((n, *shape) if per_example else shape)
            if self.has("recurrent-gates-share-noise"):
                one = noise[f"{name}_eps"][..., : d.units]
                noise[f"{name}_eps"] = np.concatenate([one] * self.gates, axis=-1)
            if flipout:
                noise |= self.signs(name, n, shape)
        if self.has("recurrent-hidden-reuses-input-noise"):
            noise["hidden_eps"] = np.resize(noise["input_eps"], noise["hidden_eps"].shape)
        if self.has("eps-across-calls"):
            for name, value in self.fixed.items():
                noise[name] = value if name in noise and noise[name].shape == value.shape else noise[name]
            self.fixed = {name: value for name, value in noise.items() if name.endswith("eps")}
        return noise

    def signs(self, name: str, n: int, shape: tuple[int, ...]) -> dict[str, Array]:
        """Of one map."""
        sides = {"in": (n, shape[0]), "out": (n, shape[1])}
        found = {f"{name}_sign_{side}": self.rng.choice([-1.0, 1.0], size) for side, size in sides.items()}
        for key, value in found.items():
            missing = key.endswith("in") and self.has("no-input-signs")
            missing = missing or (key.endswith("out") and self.has("no-output-signs"))
            missing = missing or (name == "hidden" and self.has("recurrent-hidden-signs-missing"))
            if missing:
                found[key] = np.ones_like(value)
            if self.has("signs-shared-across-batch"):
                found[key] = np.broadcast_to(value[:1], value.shape)
            if self.has("signs-zero-one"):
                found[key] = (value + 1.0) / 2.0
        return found

    def weights(self, noise: dict[str, Array], n: int) -> dict[str, Array]:
        """(n, ...): what each example has for weights and biases."""
        found = {}
        for name in self.names():
            mean = 0.9 * self.mean(name) if self.has("mean-shrunk") else self.mean(name)
            eps = noise.get(f"{name}_eps")
            bare = self.has(f"recurrent-{name}-without-noise") or (
                name.endswith("bias") and self.has("bias-noise-missing")
            )
            w = mean
            if eps is not None and not bare:
                signs = 1.0
                if f"{name}_sign_in" in noise and not (name == "hidden" and self.has("recurrent-hidden-signs-missing")):
                    signs = noise[f"{name}_sign_in"][:, :, None] * noise[f"{name}_sign_out"][:, None, :]
                w = mean + self.scale(name) * eps * signs
                if self.has("signs-on-the-whole-weight"):
                    w = (mean + self.scale(name) * eps) * signs
            found[name] = np.broadcast_to(w, (n, *self.mean(name).shape))
        return found

    def run(self, x: Array, noise: dict[str, Array]) -> Array:
        """The states; the cell keeps what their gradients need."""
        if self.has("empty-batch-fails") and len(x) == 0:
            raise ValueError("no examples")
        self.cell = CELLS[self.description.family](self.has, self.description.units)
        x = x[:, ::-1] if self.has("recurrent-reversed") else x
        x = np.repeat(x[:, :1], x.shape[1], axis=1) if self.has("recurrent-first-input-again") else x
        start = None
        if self.has("recurrent-state-kept") and self.kept is not None and self.kept.shape[0] == len(x):
            start = self.kept
        y = self.cell.run(x, lambda t: self.at(t, noise, len(x)), start)
        self.kept = y[:, -1].copy()
        return (y[:, ::-1] if self.has("recurrent-reversed") else y).astype(x.dtype)

    def at(self, t: int, noise: dict[str, Array], n: int) -> dict[str, Array]:
        """The weights at one step: the same at all, but for mistakes."""
        again = dict(noise)
        if t > 0:
            fresh = self.draw(n)
            for kind, part in (
                ("signs", "sign"),
                ("input-eps", "input_eps"),
                ("hidden-eps", "hidden_eps"),
                ("bias", "bias_eps"),
            ):
                if self.has(f"recurrent-{kind}-per-step"):
                    again |= {key: value for key, value in fresh.items() if part in key}
        return self.weights(again, n)

    def sample(self, x: Array) -> Array:
        return self.run(x, self.draw(len(x)))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.run(x, noise)

    def evaluate(self, x: Array) -> Array:
        return self.run(x, self.draw(len(x)) if self.has("evaluation-noisy") else {})

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        noise = self.draw(len(x))
        y = self.run(x, noise)
        grad_x, by_weight = self.cell.backward(grad_y)
        noise = self.draw(len(x)) if self.has("gradient-noise-redrawn") else noise
        found: dict[str, Array] = {"x": grad_x, "y": y}
        for name, g in by_weight.items():  # (n, ...)
            share = len(x) if self.has("gradient-mean-averaged") else 1
            found[f"{name}_mean" if f"{name}_rho" in self.p else name] = g.sum(0) / share
            if f"{name}_rho" in self.p:
                signs = 1.0
                if f"{name}_sign_in" in noise:
                    signs = noise[f"{name}_sign_in"][:, :, None] * noise[f"{name}_sign_out"][:, None, :]
                by_scale = (g * noise[f"{name}_eps"] * signs).sum(0)
                rho = self.p[f"{name}_rho"]
                chain = np.exp(rho) if self.description.scale == "exp" else expit(rho)
                by_scale = by_scale * (1.0 if self.has("gradient-scale-without-chain") else chain)
                found[f"{name}_rho"] = 0.0 * by_scale if self.has("gradient-scale-zero") else by_scale
        return found
