"""The two cells, with weights of every example at every step, and their gradients; and a Gaussian KL over all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

Array = Any


class Cell:
    """A loop over steps that keeps what its gradient needs. `has` says whether a mistake is to be made."""

    gates = 4

    def __init__(self, has: Callable[..., bool], units: int) -> None:
        self.has, self.units = has, units

    def run(self, x: Array, at: Callable[[int], dict[str, Array]], start: Array | None) -> Array:
        """(n, t, h)."""
        n, steps, _ = x.shape
        h = np.zeros((n, self.units)) if start is None else start
        c = np.zeros((n, self.units))
        self.x, self.trace, states = x, [], []
        for t in range(steps):
            w = at(t)
            u = np.einsum("ni,nik->nk", x[:, t], w["input"]) + w["input_bias"]
            v = np.einsum("ni,nik->nk", h, w["hidden"])
            v = v if self.has("recurrent-hidden-bias-missing") else v + w["hidden_bias"]
            keep, h, c = self.step(u, v, h, c, w)
            self.trace.append((w, keep))
            states.append(h)
        return np.stack(states, axis=1)

    def backward(self, grad_y: Array, through: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Of the input, and of the weights of each example; `through` are other weights that inputs and states see."""
        w0 = self.trace[0][0]
        grads = {name: np.zeros(value.shape) for name, value in w0.items()}
        grad_x = np.zeros(self.x.shape)
        grad_h, grad_c = np.zeros(grad_y[:, 0].shape), np.zeros(grad_y[:, 0].shape)
        last = len(self.trace) - 1
        for t in range(last, -1, -1):
            w, keep = self.trace[t]
            gu, gv, straight, grad_c = self.step_backward(keep, grad_h + grad_y[:, t], grad_c)
            if t == last or not self.has("recurrent-gradient-last-step"):
                grads["input"] += self.x[:, t, :, None] * gu[:, None, :]
                grads["hidden"] += keep[0][:, :, None] * gv[:, None, :]
                grads["input_bias"] += gu
                grads["hidden_bias"] += gv
            w = w | {name: np.broadcast_to(value, w[name].shape) for name, value in through.items()}
            grad_x[:, t] = np.einsum("nk,nik->ni", gu, w["input"])
            grad_h = np.einsum("nk,nik->ni", gv, w["hidden"]) + straight
            if self.has("recurrent-gradient-truncated"):
                grad_h, grad_c = 0.0 * grad_h, 0.0 * grad_c
        return grad_x, grads

    def parts(self, a: Array) -> list[Array]:
        """The gates of one row of pre-activations."""
        return [a[:, k * self.units : (k + 1) * self.units] for k in range(self.gates)]

    def step(self, u: Array, v: Array, h: Array, c: Array, w: dict[str, Array]) -> tuple[Any, Array, Array]:
        """What the gradient needs, and the new state."""
        raise NotImplementedError

    def step_backward(self, keep: Any, grad_h: Array, grad_c: Array) -> tuple[Array, Array, Array, Array]:
        """Of the two pre-activations, and of the old state."""
        raise NotImplementedError


class LSTMCell(Cell):
    """Gates i, f, g, o."""

    def step(self, u: Array, v: Array, h: Array, c: Array, w: dict[str, Array]) -> tuple[Any, Array, Array]:
        i, f, g, o = self.parts(u + v)
        if self.has("recurrent-gates-in-another-order"):
            g, o = o, g
        f = f + 1.0 if self.has("lstm-forget-added-one") else f
        i, f, g, o = expit(i), expit(f), np.tanh(g), expit(o)
        new = c + i * g if self.has("lstm-forget-missing") else f * c + i * g
        out = o * new if self.has("lstm-no-tanh-at-output") else o * np.tanh(new)
        return (h, c, new, i, f, g, o), out, new

    def step_backward(self, keep: Any, grad_h: Array, grad_c: Array) -> tuple[Array, Array, Array, Array]:
        _, c, new, i, f, g, o = keep
        grad = grad_c + grad_h * o * (1.0 - np.tanh(new) ** 2)
        by_gate = [grad * g * i * (1 - i), grad * c * f * (1 - f), grad * i * (1 - g**2)]
        a = np.concatenate([*by_gate, grad_h * np.tanh(new) * o * (1 - o)], axis=1)
        return a, a, np.zeros_like(c), grad * f


class GRUCell(Cell):
    """Gates r, z, n, the reset after the product."""

    gates = 3

    def step(self, u: Array, v: Array, h: Array, c: Array, w: dict[str, Array]) -> tuple[Any, Array, Array]:
        (r, z, n), (vr, vz, vn) = self.parts(u), self.parts(v)
        r, z = expit(r + vr), expit(z + vz)
        if self.has("recurrent-gates-in-another-order"):
            r, z = z, r
        if self.has("gru-reset-before"):
            at = slice(2 * self.units, None)
            vn = np.einsum("ni,nik->nk", r * h, w["hidden"][:, :, at]) + w["hidden_bias"][:, at]
            new = np.tanh(n + vn)
        else:
            new = np.tanh(n + r * vn)
        kept = 1.0 - z if self.has("gru-update-reversed") else z
        return (h, r, z, new, vn), (1.0 - kept) * new + kept * h, c

    def step_backward(self, keep: Any, grad_h: Array, grad_c: Array) -> tuple[Array, Array, Array, Array]:
        h, r, z, new, vn = keep
        gn = grad_h * (1 - z) * (1 - new**2)
        gz, gr = grad_h * (h - new) * z * (1 - z), gn * vn * r * (1 - r)
        by_u, by_v = np.concatenate([gr, gz, gn], axis=1), np.concatenate([gr, gz, gn * r], axis=1)
        return by_u, by_v, grad_h * z, grad_c


CELLS: dict[str, type[Cell]] = {"lstm": LSTMCell, "gru": GRUCell}


class Penalised:
    """The KL of everything that has a scale, what is saved, and what is read back."""

    description: Any
    p: dict[str, Array]
    has: Callable[..., bool]

    def counted(self) -> list[str]:
        """The names that the KL is over."""
        names = [key.removesuffix("_rho") for key in self.p if key.endswith("_rho")]
        if self.has("recurrent-kl-no-hidden"):
            names = [name for name in names if name != "hidden"]
        return [n for n in names if not (n.endswith("bias") and self.has("kl-no-bias"))]

    def _sd(self, name: str) -> Array:
        rho = self.p[f"{name}_rho"]
        return np.exp(rho) if self.description.scale == "exp" else np.logaddexp(0.0, rho)

    def _share(self, name: str) -> Array:
        """How often each parameter counts."""
        count = np.ones(self.p[f"{name}_rho"].shape)
        if self.has("recurrent-kl-one-gate"):
            count[..., self.description.units :] = 0.0
        if self.has("kl-mean"):
            count = count / count.size
        return -count if self.has("kl-sign") else count

    def kl(self) -> float:
        prior = self.description.prior
        p, total = np.sqrt(prior) if self.has("kl-prior-variance-as-scale") else prior, 0.0
        for name in self.counted():
            m, s = self.p[f"{name}_mean"], self._sd(name)
            terms = np.log(p / s) + (s**2 + m**2) / (2 * p**2) - (0.0 if self.has("kl-no-half") else 0.5)
            if self.has("kl-reversed"):
                terms = np.log(s / p) + (p**2 + m**2) / (2 * s**2) - 0.5
            total += float(np.sum(self._share(name) * terms))
        return total

    def kl_gradients(self) -> dict[str, Array]:
        """By the names of the parameters."""
        found, prior = {name: np.zeros_like(value) for name, value in self.p.items()}, self.description.prior
        for name in self.counted():
            s, rho = self._sd(name), self.p[f"{name}_rho"]
            chain = s if self.description.scale == "exp" else expit(rho)
            found[f"{name}_mean"] = self._share(name) * self.p[f"{name}_mean"] / prior**2
            found[f"{name}_rho"] = self._share(name) * (s / prior**2 - 1.0 / s) * chain
        return found

    def save(self) -> dict[str, Array]:
        forgotten = "rho" if self.has("restore-forgets-scale") else "-"
        return {name: value.copy() for name, value in self.p.items() if not name.endswith(forgotten)}

    def restore(self, saved: dict[str, Array]) -> None:
        self.p = self.p | {name: value.copy() for name, value in saved.items()}
