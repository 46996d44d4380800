"""Deep ensembles written down the short way, right or with a mistake planted by name: what they predict."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families import ensemble_density, ensemble_prediction, ensemble_start, ensemble_training
from bayesnoise_reference.families.ensemble import Ensemble
from scipy.special import logsumexp, softmax

from planted.ensemble_members import Members

Array = Any
LAYERS = [Ensemble(kind="gaussian"), Ensemble(kind="categorical", classes=4)]

_FILES = ensemble_prediction, ensemble_density, ensemble_training, ensemble_start
_CAUSES = [name for file in _FILES for name in file.CAUSES]
_OF = {
    "ensemble-logits-averaged": "categorical",
    "ensemble-votes": "categorical",
    "ensemble-softmax-overflows": "categorical",
    "ensemble-bits": "categorical",
    "ensemble-entropy-of-zero": "categorical",
    "ensemble-loss-of-probabilities": "categorical",
    "ensemble-predicted-label": "categorical",
    "ensemble-spread-missing": "gaussian",
    "ensemble-noise-missing": "gaussian",
    "ensemble-unbiased-spread": "gaussian",
    "ensemble-scales-averaged": "gaussian",
    "ensemble-variance-as-scale": "gaussian",
    "ensemble-second-moment": "gaussian",
    "ensemble-variance-of-the-mean": "gaussian",
    "ensemble-cancellation": "gaussian",
    "ensemble-minimum-missing": "gaussian",
    "ensemble-variance-clipped": "gaussian",
    "ensemble-softplus-overflows": "gaussian",
    "ensemble-moment-matched": "gaussian",
    "ensemble-density-constant": "gaussian",
    "ensemble-loss-log-variance": "gaussian",
    "ensemble-variance-detached": "gaussian",
}


def mistakes(description: Ensemble) -> list[str]:
    """Those that can be made in such an ensemble."""
    own = [name for name in _CAUSES if _OF.get(name, description.kind) == description.kind]
    return [*own, "changes-input", "empty-batch-fails", "seed-ignored"]


def adapter(description: Ensemble, mistake: str) -> Averaged:
    """The straightforward one of its kind."""
    return Averaged(description, mistake)


class Averaged(Members):
    """Members as one predictor. A mistake is a line that asks for its name."""

    def shares(self) -> Array:
        count = self.description.members
        if self.has("ensemble-first-member"):
            return np.eye(count)[0]
        if self.has("ensemble-recent-members"):
            return 0.5 ** np.maximum(1, np.arange(count)[::-1] + (np.arange(count) > 0))
        return np.full(count, 1.0 if self.has("ensemble-summed") else 1.0 / count)

    def parts(self, f: Array) -> tuple[Array, Array, Array]:
        """The mean, the mean variance, and the variance of the means."""
        s, (mean, variance) = self.shares(), self.law(f)
        middle = s @ mean
        noise = (s @ np.sqrt(variance)) ** 2 if self.has("ensemble-scales-averaged") else s @ variance
        spread = s @ (mean - middle) ** 2
        if self.has("ensemble-unbiased-spread"):
            spread = np.var(mean, axis=0, ddof=1)
        if self.has("ensemble-cancellation"):
            spread = s @ mean**2 - middle**2
        return (np.median(mean, axis=0) if self.has("ensemble-medians") else middle), noise, spread

    def moments(self, f: Array) -> Array:
        middle, noise, spread = self.parts(f)
        spread = 0.0 * spread if self.has("ensemble-spread-missing") else spread
        noise = 0.0 * noise if self.has("ensemble-noise-missing") else noise
        total = noise + spread
        total = np.sqrt(total) if self.has("ensemble-variance-as-scale") else total
        total = total + middle**2 if self.has("ensemble-second-moment") else total
        total = total / len(f) if self.has("ensemble-variance-of-the-mean") else total
        return np.stack([middle, total], axis=1)

    def probabilities(self, f: Array) -> Array:
        if self.has("ensemble-logits-averaged"):
            return softmax(np.mean(f, axis=0), axis=-1)
        p = np.exp(self.log_softmax(f))
        if self.has("ensemble-votes"):
            p = np.eye(f.shape[-1])[np.argmax(f, axis=-1)]
        return np.median(p, axis=0) if self.has("ensemble-medians") else np.tensordot(self.shares(), p, 1)

    @np.errstate(all="ignore")
    def evaluate(self, x: Array) -> Array:
        f = self.outputs(x)
        found = self.moments(f) if self.description.kind == "gaussian" else self.probabilities(f)
        return found.astype(self.description.dtype)

    def entropy(self, p: Array) -> Array:
        safe = p if self.has("ensemble-entropy-of-zero") else np.where(p > 0, p, 1.0)
        found = -np.sum(p * np.log(safe), axis=-1)
        return found / np.log(2.0) if self.has("ensemble-bits") else found

    @np.errstate(all="ignore")
    def uncertainty(self, x: Array) -> Array:
        f = self.outputs(x)
        if self.description.kind == "gaussian":
            _, first, second = self.parts(f)
        else:
            p = np.exp(self.log_softmax(f))
            first = np.mean(self.entropy(p), axis=0)
            second = self.entropy(np.mean(p, axis=0)) - first
        if self.has("ensemble-total-as-aleatoric"):
            first = first + second
        if self.has("ensemble-parts-swapped"):
            first, second = second, first
        return np.stack([first, second], axis=1).astype(self.description.dtype)

    @np.errstate(all="ignore")
    def log_density(self, x: Array, y: Array) -> Array:
        f = self.outputs(x)
        each = self.log_likelihoods(f, y.astype(float))
        found: Array = logsumexp(each, axis=0) - np.log(len(each))
        if self.has("ensemble-densities-summed"):
            found = logsumexp(each, axis=0)
        if self.has("ensemble-log-densities-averaged"):
            found = np.mean(each, axis=0)
        if self.has("ensemble-logits-averaged"):
            found = self.log_likelihoods(np.mean(f, axis=0, keepdims=True), y)[0]
        if self.has("ensemble-density-underflows"):
            found = np.log(np.mean(np.exp(each), axis=0))
        if self.has("ensemble-density-clipped"):
            found = np.log(np.maximum(np.mean(np.exp(each), axis=0), 1e-12))
        if self.has("ensemble-moment-matched"):
            mean, variance = self.moments(f).T
            found = -0.5 * (np.log(2.0 * np.pi * variance) + (y - mean) ** 2 / variance)
        if self.has("ensemble-density-constant"):
            found = found + 0.5 * np.log(2.0 * np.pi)
        return found.astype(self.description.dtype)

    def start(self, x: Array) -> Array:
        d = self.description
        shape = (d.members, d.inputs, d.outputs)
        w = self.rng.standard_normal(shape)
        if self.has("ensemble-started-alike"):
            w = np.broadcast_to(w[:1], shape)
        if self.has("ensemble-started-nearby"):
            w = w[:1] + 0.01 * w
        if self.has("ensemble-started-opposite"):
            w = np.concatenate([w[: d.members // 2], -w[: d.members // 2]])
        if self.has("ensemble-start-fixed"):
            w = self.held.setdefault(shape, w)
        return (x @ w).astype(d.dtype)
