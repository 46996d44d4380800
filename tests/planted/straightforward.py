"""A layer written down the short way in NumPy, right, or with one mistake planted by name.

The names are those of `bayesnoise_reference.claims.causes`. A mistake is a line that asks for its name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.adapters.adapter import (
    from_channels,
    from_layout,
    to_channels,
    to_layout,
)
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.weight_trial import slope

from planted.straightforward_manners import StraightforwardManners

Array = Any


class Straightforward(StraightforwardManners):
    """An adapter of every level around the layer."""

    def _to(self, signs: Array, like: Array) -> Array:
        return signs if signs.ndim == like.ndim else signs.reshape(*signs.shape, *(1,) * (like.ndim - 2))

    def forward(self, x: Array, noise: dict[str, Array]) -> Array:
        d = self.description
        mean, scale = (
            from_layout(d, self.held["mean"]) * (0.8 if self.has("mean-shrunk") else 1.0),
            self._scale(from_layout(d, self.held["rho"])),
        )
        if d.estimator == "local":
            v = designs.apply(d, np.abs(x) if self.has("x-not-squared") else x * x, scale**2)
            v = v + 0.01 if self.has("variance-floor") else v
            sd = v if self.has("variance-without-root") else np.sqrt(v)
            y = designs.apply(d, x, mean) + sd * noise["zeta"]
        else:
            eps = noise["eps"]
            eps = eps * (0.8 + 0.4 * self.rng.random(eps.shape)) if self.has("mean-noised") else eps
            delta = scale[::-1] * eps if self.has("output-transposed-noise") else scale * eps
            if self.has("mean-noised"):
                mean = mean * (1.0 + 0.1 * self.rng.standard_normal(mean.shape))
            if d.estimator == "shared":
                each = self.has("noise-per-example")
                y = (
                    np.concatenate([designs.apply(d, row[None], mean + scale * self._eps()) for row in x])
                    if each and len(x)
                    else designs.apply(d, x, mean + delta)
                )
            else:
                s = self._to(noise["sign_out"], x)
                r = self._to(noise["sign_in"], x)
                if self.has("signs-on-the-whole-weight"):
                    y = s * designs.apply(d, r * x, mean + delta)
                elif self.has("noise-per-example") and len(x):
                    z = [designs.apply(d, row[None], scale * self._eps()) for row in r * x]
                    y = designs.apply(d, x, mean) + s * np.concatenate(z)
                else:
                    y = designs.apply(d, x, mean) + s * designs.apply(d, r * x, delta)
        return y + self._bias(noise)

    def _by_output(self, values: Array) -> Array:
        """(out,) or (n, out), as it is added to an output."""
        return values.reshape(-1, *designs.bias_shape(self.description)) if values.ndim < 3 else values

    def _bias(self, noise: dict[str, Array]) -> Array:
        d = self.description
        if d.bias == "none" or self.has("bias-missing"):
            return self._by_output(np.zeros(d.outputs))
        if d.bias == "deterministic":
            return self._by_output(self.held["bias"])
        times = 0.0 if self.has("bias-noise-missing") else 2.0 if self.has("bias-scale-doubled") else 1.0
        scale = self._by_output(times * self._scale(self.held["bias_rho"]))
        return self._by_output(self.held["bias_mean"]) + scale * self._by_output(noise["bias_eps"])

    def _out(self, y: Array) -> Array:
        y = np.ascontiguousarray(to_channels(self.description, y).astype(self.description.dtype))
        if self.has("same-array-returned"):
            kept: Any = self.buffer.setdefault(y.shape, y)
            np.copyto(kept, y)
            return kept
        return y

    @np.errstate(all="ignore")
    def sample(self, x: Array) -> Array:
        if self.has("empty-batch-fails"):
            x.reshape(len(x), -1)[0]
        inside = from_channels(self.description, x)
        y = self.forward(inside, self.draw(inside))
        if self.has("changes-input"):
            x *= 0.5
        return self._out(y)

    @np.errstate(all="ignore")
    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        d = self.description
        noise = dict(noise)
        if "eps" in noise:
            noise["eps"] = from_layout(d, noise["eps"])
        if "zeta" in noise:
            noise["zeta"] = from_channels(d, noise["zeta"])
        return self._out(self.forward(from_channels(d, x), noise))

    @np.errstate(all="ignore")
    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        d = self.description
        x, g = from_channels(d, x), from_channels(d, grad_y)
        noise = self.draw(x)
        y = self.forward(x, noise)
        if self.has("gradient-noise-redrawn"):
            noise = self.draw(x)
        rho = from_layout(d, self.held["rho"])
        scale, n = self._scale(rho), max(1, len(x))
        grad_mean = designs.adjoint(d, x, g)
        if d.estimator == "local":
            v = designs.apply(d, x * x, scale**2)
            gv = g * noise["zeta"] / (2.0 * np.sqrt(v))
            gv = gv if self.has("gradient-root-at-zero") else np.where(v > 0, gv, 0.0)
            grad_scale = 2.0 * scale * designs.adjoint(d, x * x, gv)
            if self.has("gradient-scale-as-shared"):
                grad_scale = designs.adjoint(d, x, g) * self.rng.standard_normal(d.weight_shape)
        elif d.estimator == "shared":
            grad_scale = designs.adjoint(d, x, g) * noise["eps"]
        else:
            p, h = self._to(noise["sign_in"], x) * x, self._to(noise["sign_out"], x) * g
            grad_scale = designs.adjoint(d, p, h) * noise["eps"]
            grad_mean = designs.adjoint(d, p, h) if self.has("gradient-mean-perturbed") else grad_mean
        if self.has("gradient-scale-sign"):
            grad_scale = np.abs(grad_scale)
        grad_rho = grad_scale * (1.0 if self.has("gradient-scale-without-chain") else slope(d, rho))
        grad_rho = 0.0 * grad_rho if self.has("gradient-scale-zero") else grad_rho
        share = n if self.has("gradient-mean-averaged") else 1
        found = {"mean": to_layout(d, grad_mean / share), "rho": to_layout(d, grad_rho / share), "y": to_channels(d, y)}
        by_row = g.reshape(*g.shape[:2], -1).sum(axis=2)
        found["x"] = to_channels(d, self._input_gradient(x, g, noise))
        found["x"] = found["x"] / n if self.has("gradient-input-averaged") else found["x"]
        if d.bias == "deterministic":
            found["bias"] = by_row.sum(axis=0) / share
        if d.bias == "random":
            b = self.held["bias_rho"]
            found["bias_mean"] = by_row.sum(axis=0) / share
            by_eps = (g * self._by_output(noise["bias_eps"])).reshape(*g.shape[:2], -1).sum(axis=(0, 2))
            found["bias_rho"] = by_eps * slope(d, b) / share
        return {name: np.asarray(value, dtype=d.dtype) for name, value in found.items()}

    def _input_gradient(self, x: Array, g: Array, noise: dict[str, Array]) -> Array:
        d, scale = self.description, self._scale(from_layout(self.description, self.held["rho"]))
        units = np.eye(x[0].size).reshape(-1, *x.shape[1:])

        def back(g: Array, w: Array) -> Array:
            reach = designs.apply(d, units, w).reshape(len(units), -1)
            return (g.reshape(len(g), -1) @ reach.T).reshape(x.shape)

        of_mean = back(g, from_layout(d, self.held["mean"]))
        if self.has("gradient-input-without-noise"):
            return of_mean
        if d.estimator == "local":
            v = designs.apply(d, x * x, scale**2)
            return of_mean + x * back(np.where(v > 0, g * noise["zeta"] / np.sqrt(v), 0.0), scale**2)
        if d.estimator == "shared":
            return of_mean + back(g, scale * noise["eps"])
        s, r = self._to(noise["sign_out"], x), self._to(noise["sign_in"], x)
        return of_mean + r * back(s * g, scale * noise["eps"])
