"""Recurrent layers written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.recurrent import GRU, LSTM, Sequence
from bayesnoise_reference.families.recurrent_steps import CAUSES as STEPS
from scipy.special import expit

from planted.recurrent_cells import CELLS, Penalised
from planted.recurrent_noise import shared, signs

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
    *("recurrent-hidden-uniform", "recurrent-hidden-signs", "recurrent-hidden-eps-kept"),
    *("recurrent-two-gates-share-noise", "recurrent-hidden-gates-share-noise"),
    *("recurrent-units-share-noise", "recurrent-inputs-share-noise", "recurrent-states-share-noise"),
    "recurrent-hidden-reuses-input-noise",
    "recurrent-gates-share-noise",
    "recurrent-gradient-truncated",
    "recurrent-gradient-last-step",
    *("recurrent-gradient-detached", "recurrent-gradient-one-gate"),
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
    *("recurrent-gates-share-signs", "recurrent-maps-share-signs", "recurrent-hidden-in-signs-missing"),
    *("recurrent-hidden-in-signs-scalar", "recurrent-hidden-out-signs-missing"),
]


def mistakes(description: Sequence) -> list[str]:
    """Those that can be made in such a layer."""
    names = set(_ALL) | {name for name in STEPS if name.startswith(description.family)}
    if description.estimator == "shared":
        names -= {"recurrent-signs-per-step"}
    names |= set(_FLIPOUT) if description.estimator == "flipout" else set()
    names |= {"scale-exp-for-softplus", "scale-softplus-missing"} if description.scale == "softplus" else set()
    random = {"recurrent-bias-per-step", "bias-noise-missing", "kl-no-bias"}
    random |= {"recurrent-bias-gates-share-noise", "recurrent-bias-eps-kept", "recurrent-gradient-no-bias-scale"}
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
            if flipout:
                noise |= signs(self.has, name, n, shape, self.rng, d.units)
        if flipout and self.has("recurrent-maps-share-signs"):
            noise["hidden_sign_out"] = noise["input_sign_out"]
        if self.has("recurrent-hidden-reuses-input-noise"):
            noise["hidden_eps"] = np.resize(noise["input_eps"], noise["hidden_eps"].shape)
        for name in [name for name in noise if name.endswith("eps")]:
            noise[name] = shared(self.has, name, noise[name], d.units, self.rng)
        kept = {"eps-across-calls": "", "recurrent-hidden-eps-kept": "hidden_eps", "recurrent-bias-eps-kept": "bias"}
        if self.mistake in kept:
            for name, value in self.fixed.items():
                noise[name] = value if name in noise and noise[name].shape == value.shape else noise[name]
            self.fixed = {k: v for k, v in noise.items() if k.endswith("eps") and kept[self.mistake] in k}
        return noise

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
        through = {name: self.mean(name) for name in ("input", "hidden")}
        grad_x, by_weight = self.cell.backward(grad_y, through if self.has("recurrent-gradient-detached") else {})
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
                one, h = self.has("recurrent-gradient-one-gate"), self.description.units
                by_scale[..., : 2 * h] *= 0.0 if one else 1.0
                by_scale[..., 3 * h :] *= 0.0 if one else 1.0
                none = self.has("gradient-scale-zero")
                none = none or (name.endswith("bias") and self.has("recurrent-gradient-no-bias-scale"))
                found[f"{name}_rho"] = 0.0 * by_scale if none else by_scale
        return found
