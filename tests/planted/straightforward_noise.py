"""The random side of the straightforward layer: its scales and its draws, right or with a mistake planted by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.weight_trial import sigma

Array = Any


class StraightforwardNoise:
    """What a layer draws. A mistake is a line that asks for its name."""

    def __init__(self, description: Description, mistake: str = "") -> None:
        self.description = replace(description, name=mistake or "right")
        self.mistake = mistake
        self.rng = np.random.default_rng(0)
        self.held: dict[str, Array] = {}
        self.before: dict[str, Array] = {}
        self.frozen: dict[tuple[Any, ...], Array] = {}
        self.buffer: dict[tuple[int, ...], Array] = {}

    def has(self, *names: str) -> bool:
        return self.mistake in names

    def _scale(self, rho: Array) -> Array:
        d = self.description
        if self.has("scale-exp-for-softplus"):
            return np.exp(rho)
        if self.has("scale-softplus-missing"):
            return rho
        if self.has("softplus-overflows"):
            return np.log1p(np.exp(rho))
        scale = sigma(d, rho)
        if self.has("scale-clipped"):
            return np.minimum(scale, 0.9)
        if self.has("scale-floor"):
            return scale + 1e-5
        if self.has("scale-as-variance"):
            return np.sqrt(scale)
        return scale**2 if self.has("variance-as-scale") else scale

    def _normal(self, shape: tuple[int, ...], name: str) -> Array:
        if self.has("eps-across-calls"):
            key = (name, *shape)
            if key not in self.frozen:
                self.frozen[key] = self.rng.standard_normal(shape)
            return self.frozen[key]
        if self.has("uniform-noise"):
            return self.rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)
        if self.has("rademacher-noise"):
            return self.rng.choice([-1.0, 1.0], shape)
        return np.zeros(shape) if self.has("no-noise") else self.rng.standard_normal(shape)

    def _eps(self) -> Array:
        d = self.description
        shape, out = d.weight_shape, 1 if d.family == "dense" else 0
        eps = self._normal(shape, "eps")
        if self.has("eps-shared-across-outputs"):
            eps = np.broadcast_to(np.take(eps, [0], axis=out), shape)
        if self.has("eps-shared-across-inputs"):
            eps = np.broadcast_to(np.take(eps, [0], axis=1 - out), shape)
        if self.has("noise-tiled-across-outputs", "noise-mirrored-across-outputs"):
            eps = self._halves(eps, out)
        if self.has("eps-kernel-symmetric"):
            eps = (eps + eps[..., ::-1]) / np.where(np.arange(shape[-1]) * 2 == shape[-1] - 1, 2.0, np.sqrt(2.0))
        return np.array(eps)

    def _halves(self, noise: Array, axis: int) -> Array:
        half = noise.shape[axis] // 2
        first = np.take(noise, range(noise.shape[axis] - half), axis=axis)
        times = -1.0 if self.has("noise-mirrored-across-outputs") else 1.0
        return np.concatenate([first, times * np.take(noise, range(half), axis=axis)], axis=axis)

    def _signs(self, n: int, width: int, name: str) -> Array:
        low = 0.0 if self.has("signs-zero-one") else -1.0
        chances = [0.1, 0.9] if self.has("signs-unfair") else [0.5, 0.5]
        if self.has("signs-fixed"):
            key = (name, n, width)
            if key not in self.frozen:
                self.frozen[key] = self.rng.choice([-1.0, 1.0], (n, width))
            return self.frozen[key]
        rows = 1 if self.has("signs-shared-across-batch") else n
        columns = 1 if self.has("one-scalar-sign") else width
        signs = np.broadcast_to(self.rng.choice([low, 1.0], (rows, columns), p=chances), (n, width))
        if self.has(f"{name}put-signs-tiled"):
            return signs[:, np.arange(width) % ((width + 1) // 2)]
        return signs[:, np.arange(width) // 2] if self.has(f"{name}put-signs-paired") else signs

    def draw(self, x: Array) -> dict[str, Array]:
        d, n = self.description, x.shape[0]
        shape = designs.apply(d, x, np.zeros(d.weight_shape)).shape
        noise: dict[str, Array] = {}
        if d.estimator == "local":
            shapes: dict[str, Any] = {
                "zeta-shared-across-batch": (1, *shape[1:]),
                "zeta-shared-across-outputs": (shape[0], 1, *shape[2:]),
                "zeta-shared-across-positions": (*shape[:2], *(1,) * len(shape[2:])),
                "zeta-shared-along-an-axis": (*shape[:2], 1, *shape[3:]),
            }
            one: Any = shapes.get(self.mistake, shape)
            noise["zeta"] = np.broadcast_to(self._normal(one, "zeta"), shape)
            if self.has("noise-tiled-across-outputs", "noise-mirrored-across-outputs"):
                noise["zeta"] = self._halves(noise["zeta"], 1)
        else:
            noise["eps"] = self._eps()
        if d.estimator == "flipout":
            noise["sign_in"] = self._signs(n, d.inputs, "in")
            noise["sign_out"] = self._signs(n, d.outputs, "out")
            if self.has("signs-of-the-noise"):
                noise["sign_in"] = np.sign(np.resize(noise["eps"].T, (n, d.inputs)))
            if self.has("no-input-signs", "one-scalar-sign"):
                noise["sign_in"] = np.ones((n, d.inputs))
            if self.has("no-output-signs"):
                noise["sign_out"] = np.ones((n, d.outputs))
            if self.has("output-signs-reuse-input-signs"):
                noise["sign_out"] = np.resize(noise["sign_in"].T, (d.outputs, n)).T
            if self.has("signs-per-position"):
                noise["sign_in"] = self.rng.choice([-1.0, 1.0], x.shape)
                noise["sign_out"] = self.rng.choice([-1.0, 1.0], shape)
        if d.bias == "random":
            noise["bias_eps"] = self._bias_eps(n, shape, noise)
        return noise

    def _bias_eps(self, n: int, shape: tuple[int, ...], noise: dict[str, Array]) -> Array:
        """(n or 1, out), or (n, out, *space) where every position has one."""
        d = self.description
        one_a_call = d.estimator == "shared" and not self.has("bias-noise-per-example")
        eps = self._normal((1 if one_a_call else n, d.outputs), "bias")
        if self.has("bias-noise-tiled"):
            return eps[:, np.arange(d.outputs) % ((d.outputs + 1) // 2)]
        if self.has("bias-noise-of-a-weight"):
            other = noise["zeta"][0].reshape(d.outputs, -1) if d.estimator == "local" else noise["eps"].reshape(1, -1)
            return np.broadcast_to(np.resize(other[:, other.shape[1] // 2 :], d.outputs), eps.shape)
        return self._normal(shape, "bias") if self.has("bias-noise-per-position") else eps
