"""Layers whose factors a flow makes, written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bayesnoise_reference.families import flow_bound, flow_exact
from bayesnoise_reference.families.flow import Flow
from bayesnoise_reference.numerics import complex_step
from scipy.special import log1p

from planted.mistaken import Mistaken

Array = Any
LAYERS = [Flow(kind="input"), Flow(kind="output", inputs=4, outputs=3)]

_OTHERS = [
    "no-noise",
    "uniform-noise",
    "eps-across-calls",
    "seed-ignored",
    "empty-batch-fails",
    "scale-exp-for-softplus",
    "x-not-squared",
    "zeta-shared-across-batch",
    "zeta-shared-across-outputs",
    "evaluation-noisy",
    "gradient-noise-redrawn",
    "gradient-mean-averaged",
    "gradient-scale-zero",
    "gradient-input-of-mean",
    "gradient-input-averaged",
    "kl-prior-variance-as-scale",
    "kl-draw-fixed",
]


def adapter(description: Flow, mistake: str) -> StraightforwardFlow:
    """The straightforward one."""
    return StraightforwardFlow(description, mistake)


def mistakes(description: Flow) -> list[str]:
    """The same for both kinds."""
    return [*flow_exact.CAUSES, *flow_bound.CAUSES, *_OTHERS]


class StraightforwardFlow(Mistaken):
    """A layer. A mistake is a line that asks for its name."""

    description: Flow

    def moved(self, p: dict[str, Array], z: Array, before: str = "") -> tuple[Array, Array]:
        """The factors after the flow, and the logarithm of its determinant."""
        log_det, steps = np.zeros(len(z)), list(range(1, self.description.steps + 1))
        steps = steps[::-1] if self.has("flow-steps-reversed") else steps
        for t in steps[:-1] if self.has("flow-one-step") else steps:
            q = {name: p[f"{before}{name}_{t}"] for name in ("w_hidden", "b_hidden", "w_shift", "b_shift")}
            moves = np.arange(z.shape[1]) % 2 == (0 if self.has("flow-same-parity") else (t + 1) % 2)
            h = (z if self.has("flow-sees-all") else np.where(moves, 0.0, z)) @ q["w_hidden"] + q["b_hidden"]
            h = h if self.has("flow-no-tanh") else np.tanh(h)
            shift = h @ q["w_shift"] + q["b_shift"]
            gate = 1.0 / (1.0 + np.exp(-h @ p[f"{before}w_gate_{t}"] - p[f"{before}b_gate_{t}"]))
            gate = 1.0 - gate if self.has("flow-gate-swapped") else gate
            end = gate * z + (1.0 if self.has("flow-shift-ungated") else 1.0 - gate) * shift
            z = end if self.has("flow-moves-all") else np.where(moves, end, z)
            counted = np.log(gate) if self.has("bound-log-det-of-all") else np.where(moves, np.log(gate), 0.0)
            log_det = log_det + np.sum(counted, axis=1)
        return z, log_det

    def start(self, p: dict[str, Array], eps: Array) -> Array:
        half = 0.5 if self.has("flow-base-variance") else 1.0
        return p["base_mean"] + np.exp(half * p["base_log_sigma"]) * eps

    def scale(self, p: dict[str, Array]) -> Array:
        return np.exp(p["rho"]) if self.has("scale-exp-for-softplus") else log1p(np.exp(p["rho"]))

    def draw(self, n: int) -> dict[str, Array]:
        noise = {"eps": self.normal(n, self.description.units), "zeta": self.normal(n, self.description.outputs)}
        if self.has("zeta-shared-across-batch"):
            noise["zeta"] = noise["zeta"][:1] + 0 * noise["zeta"]
        if self.has("zeta-shared-across-outputs"):
            noise["zeta"] = noise["zeta"][:, :1] + 0 * noise["zeta"]
        return noise

    def forward(self, p: dict[str, Array], x: Array, noise: dict[str, Array]) -> Array:
        if self.has("empty-batch-fails") and not len(x):
            raise ZeroDivisionError("no examples")
        eps = noise["eps"]
        eps = eps[:1] + 0 * eps if self.has("flow-shared-across-batch") else eps
        eps = eps[:, :1] + 0 * eps if self.has("flow-one-scalar") else eps
        z, _ = self.moved(p, self.start(p, eps))
        y = (x * z) @ p["mean"] if self.description.kind == "input" else z * (x @ p["mean"])
        wide = x * z if self.has("flow-factor-in-noise") and self.description.kind == "input" else x
        away = np.sqrt((np.abs(np.real(x)) if self.has("x-not-squared") else wide**2) @ self.scale(p) ** 2)
        away = away * z if self.has("flow-factor-in-noise") and self.description.kind == "output" else away
        return y + away * noise["zeta"]

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.forward(self.p, x, noise).astype(x.dtype)

    def sample(self, x: Array) -> Array:
        return self.sample_with_noise(x, self.draw(len(x)))

    def evaluate(self, x: Array) -> Array:
        if self.has("evaluation-noisy"):
            return self.sample(x)
        z = self.p["base_mean"][None]
        z = z if self.has("flow-evaluation-unmoved") else self.moved(self.p, z)[0]
        return (x * z) @ self.p["mean"] if self.description.kind == "input" else z * (x @ self.p["mean"])

    def _slopes(self, function: Callable[[dict[str, Array]], Any]) -> dict[str, Array]:
        def of(name: str) -> Callable[[Array], Any]:
            return lambda value: function(self.p | {name: value})

        return {name: complex_step(of(name), value) for name, value in self.p.items()}

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        noise = self.draw(len(x))
        y = self.sample_with_noise(x, noise)
        noise = self.draw(len(x)) if self.has("gradient-noise-redrawn") else noise
        found = self._slopes(lambda p: np.sum(grad_y * self.forward(p, x, noise)))
        by_x = complex_step(lambda v: np.sum(grad_y * self.forward(self.p, v, noise)), x)
        if self.has("gradient-input-of-mean"):
            by_x = complex_step(lambda v: np.sum(grad_y * self.forward(self.p, v, {**noise, "zeta": 0.0})), x)
        by_x = by_x / len(x) if self.has("gradient-input-averaged") else by_x
        lost = {
            "flow-gradient-stops": ("w_", "b_", "base_"),
            "flow-gradient-last-step": ("w_hidden_1", "w_shift_1", "b_shift_1"),
            "gradient-scale-zero": ("rho",),
        }.get(self.mistake, ())
        found = {name: 0 * g if lost and name.startswith(lost) else g for name, g in found.items()}
        share = 1 / len(x) if self.has("gradient-mean-averaged") else 1
        return {**{name: share * g for name, g in found.items()}, "x": by_x, "y": y}

    def bound(self, p: dict[str, Array], eps: Array, eta: Array) -> Any:
        first = self.start(p, eps[None])
        z, log_det = self.moved(p, first)
        prior = self.description.prior ** (2 if self.has("kl-prior-variance-as-scale") else 1)
        s = self.scale(p)
        log_s = p["rho"] if np.all(np.real(p["rho"]) < -30) else np.log(s)
        mean = p["mean"] * (z.T if self.description.kind == "input" else z)
        counted = p["mean"] if self.has("bound-kl-without-factor") else mean
        kl = np.sum((s**2 + counted**2) / (2 * prior**2) - log_s + np.log(prior) - 0.5)
        sign = {"bound-log-det-missing": 0.0, "bound-log-det-sign": -1.0}.get(self.mistake, 1.0)
        log_q = -np.sum(eps**2) / 2 - np.sum(p["base_log_sigma"]) - sign * log_det[0]
        c, rows, widths = p["contrast"], (mean if self.description.kind == "input" else mean.T), s
        widths = widths if self.description.kind == "input" else widths.T
        u = (
            c @ rows
            + np.sqrt((np.abs(np.real(c)) if self.has("bound-contrast-not-squared") else c**2) @ widths**2) * eta
        )
        u = u if self.has("bound-no-tanh") else np.tanh(u)
        a = np.sum(u) if self.has("bound-tanh-summed") else np.mean(u)
        end, more = self.moved(p, first if self.has("bound-r-of-the-start") else z, "r_")
        log_precision = a * p["log_precision"] * (-1 if self.has("bound-precision-as-variance") else 1)
        sign = {"bound-r-log-det-missing": 0.0, "bound-r-log-det-sign": -1.0}.get(self.mistake, 1.0)
        log_r = np.sum(log_precision - np.exp(log_precision) * (end[0] - a * p["shift"]) ** 2) / 2 + sign * more[0]
        log_r = {"bound-log-r-missing": 0.0, "bound-log-r-sign": -1.0}.get(self.mistake, 1.0) * log_r
        return kl + (0.0 if self.has("bound-log-q-missing") else log_q) - log_r

    def bound_with_noise(self, eps: Array, eta: Array) -> Array:
        return np.array([np.real(self.bound(self.p, eps, eta))])

    def _numbers(self) -> tuple[Array, Array]:
        d = self.description
        rng = np.random.default_rng(0) if self.has("kl-draw-fixed") else self.rng
        return rng.standard_normal(d.units), rng.standard_normal(d.inputs * d.outputs // d.units)

    def kl(self) -> float:
        return float(np.real(self.bound(self.p, *self._numbers())))

    def kl_gradients(self) -> dict[str, Array]:
        numbers = self._numbers()
        found = self._slopes(lambda p: self.bound(p, *numbers))
        lost = {"bound-gradient-r-missing": ("r_", "shift"), "bound-gradient-flow-missing": ("w_", "b_")}
        start = lost.get(self.mistake, ("none",))
        share = -1 if self.has("bound-gradient-sign") else 1
        return {name: share * g * (not name.startswith(start)) for name, g in found.items()}
