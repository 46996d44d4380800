"""Evolution strategies written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.evolution import CAUSES, Evolution

Array = Any
LAYERS = [Evolution(kind="antithetic"), Evolution(kind="baseline", members=3)]

_OF = {
    "evolution-pairs-alike": "antithetic",
    "evolution-baseline-of-all": "baseline",
    "evolution-no-baseline": "baseline",
}


def mistakes(description: Evolution) -> list[str]:
    """Those that can be made in such an estimator."""
    return [name for name in CAUSES if _OF.get(name, description.kind) == description.kind]


def adapter(description: Evolution, mistake: str) -> Strategy:
    """The straightforward one of its kind."""
    return Strategy(description, mistake)


class Strategy:
    """A mistake is a line that asks for its name."""

    def __init__(self, description: Evolution, mistake: str = "") -> None:
        self.description, self.mistake = description, mistake
        self.rng = np.random.default_rng(0)
        self.held: dict[str, Array] = {}
        self.kept: Any = None

    def has(self, name: str) -> bool:
        return self.mistake == name

    def seed(self, seed: int) -> None:
        self.rng, self.kept = np.random.default_rng(seed), None

    def load(self, parameters: dict[str, Array]) -> None:
        self.held = {name: value.astype(float) for name, value in parameters.items()}

    def draw(self, n: int) -> tuple[Array, Array, Array]:
        d = self.description
        half = d.members // 2 if d.kind == "antithetic" else d.members
        eps = self.rng.standard_normal((n, d.bases, d.rows, d.columns))
        ins = self.rng.choice([-1.0, 1.0], (n, d.bases, half, d.rows))
        outs = self.rng.choice([-1.0, 1.0], (n, d.bases, half, d.columns))
        if d.kind == "antithetic":
            other = ins if self.has("evolution-pairs-alike") else -ins
            ins, outs = np.concatenate([ins, other], axis=2), np.concatenate([outs, outs], axis=2)
        return eps, ins, outs

    def values(self, moved: Array) -> Array:
        h, scale = self.held, self.description.scale
        scale = scale**0.5 if self.has("evolution-scale-as-variance") else scale
        w = h["theta"] + (0.0 if self.has("evolution-unperturbed") else scale) * moved
        f = h["level"][0] + np.sum(h["curvature"] * (w - h["target"]) ** 2, axis=(-2, -1)) / 2
        if self.has("evolution-one-member"):
            f = np.broadcast_to(f[..., :1], f.shape)
        if self.has("evolution-ranked"):
            f = np.argsort(np.argsort(f, axis=-1), axis=-1).astype(float)
        if self.has("evolution-standardised"):
            f = f / np.std(f, axis=-1, keepdims=True)
        if self.description.kind == "antithetic" or self.has("evolution-no-baseline"):
            return f
        m = f.shape[-1]
        factor = 1.0 if self.has("evolution-baseline-of-all") else m / (m - 1)
        return factor * (f - np.mean(f, axis=-1, keepdims=True))

    def estimates(self, eps: Array, ins: Array, outs: Array) -> Array:
        d = self.description
        if self.has("evolution-first-base"):
            eps, ins, outs = (np.broadcast_to(a[:, :1], a.shape) for a in (eps, ins, outs))
        moved = np.einsum("nbrc,nbmr,nbmc->nbmrc", eps, ins, outs)
        f = self.values(
            np.broadcast_to(eps[:, :, None], moved.shape) if self.has("evolution-members-unsigned") else moved
        )
        ins = np.ones_like(ins) if self.has("evolution-sign-in-dropped") else ins
        outs = np.ones_like(outs) if self.has("evolution-sign-out-dropped") else outs
        total = np.einsum("nbm,nbrc,nbmr,nbmc->nrc", f, eps, ins, outs)
        total = -total if self.has("evolution-sign") else total
        total = total / (1 if self.has("evolution-members-summed") else d.members)
        total = total / (1 if self.has("evolution-bases-summed") else d.bases)
        total = total / (2 if self.has("evolution-halved") else 1)
        power = (
            0 if self.has("evolution-not-divided-by-scale") else 2 if self.has("evolution-divided-by-variance") else 1
        )
        return (total / d.scale**power).astype(d.dtype)

    def sample(self, x: Array) -> Array:
        n = len(x)
        if self.has("evolution-fixed"):
            if self.kept is None or len(self.kept[0]) != n:
                self.kept = self.draw(n)
            return self.estimates(*self.kept)
        if self.has("evolution-shared-by-rows"):
            return np.repeat(self.estimates(*self.draw(1)), n, axis=0)
        return self.estimates(*self.draw(n))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        if self.has("evolution-noise-ignored"):
            return self.sample(x)
        return self.estimates(*(noise[name][None].astype(float) for name in ("eps", "sign_in", "sign_out")))
