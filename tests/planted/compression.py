"""Layers whose weights come in groups, written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bayesnoise_reference import divergences
from bayesnoise_reference.families import compression_divergence, compression_exact, compression_law
from bayesnoise_reference.families.compression import PAIRS, Compression
from bayesnoise_reference.numerics import complex_step
from scipy.special import log1p

from planted.mistaken import Mistaken

Array = Any
LAYERS = [Compression(kind="normal_jeffreys"), Compression(kind="half_cauchy")]

_OTHERS = [
    "no-noise",
    "uniform-noise",
    "eps-across-calls",
    "seed-ignored",
    "empty-batch-fails",
    "scale-exp-for-softplus",
    "zeta-shared-across-batch",
    "zeta-shared-across-outputs",
    "evaluation-noisy",
    "gradient-noise-redrawn",
    "gradient-mean-averaged",
    "gradient-scale-zero",
    "gradient-input-of-mean",
    "gradient-input-averaged",
    "kl-mean",
    "kl-sign",
    "kl-gradient-sign",
    "kl-gradient-of-one-missing",
]


def adapter(description: Compression, mistake: str) -> StraightforwardGroups:
    """The straightforward one."""
    return StraightforwardGroups(description, mistake)


def mistakes(description: Compression) -> list[str]:
    """Those of both kinds, and of its own."""
    known = {**compression_exact.CAUSES, **compression_law.CAUSES, **compression_divergence.CAUSES}
    own = "jeffreys" if description.kind == "normal_jeffreys" else "cauchy"
    return [*_OTHERS, *(name for name in known if name.split("-")[0] in ("group", own))]


class StraightforwardGroups(Mistaken):
    """A layer. A mistake is a line that asks for its name."""

    description: Compression

    def draw(self, n: int) -> dict[str, Array]:
        d = self.description
        noise = {"eps": self.normal(n, d.inputs), "zeta": self.normal(n, d.outputs)}
        if self.has("zeta-shared-across-batch"):
            noise["zeta"] = noise["zeta"][:1] + 0 * noise["zeta"]
        if self.has("zeta-shared-across-outputs"):
            noise["zeta"] = noise["zeta"][:, :1] + 0 * noise["zeta"]
        if self.has("group-factor-per-weight"):
            noise["eps"] = self.normal(n, d.outputs, d.inputs)
        if d.kind == "half_cauchy":
            each = d.inputs if self.has("cauchy-shared-per-unit") else 1
            noise["shared_eps"] = self.normal(n, each)
            if self.has("group-factor-per-weight"):
                noise["shared_eps"] = noise["shared_eps"][:, None]
        return noise

    def _logarithm(self, p: dict[str, Array], first: str, second: str) -> tuple[Array, Array]:
        """Mean and deviation of the logarithm of a product."""
        widths = np.exp(p[f"{first}_log_sigma"]), np.exp(p[f"{second}_log_sigma"])
        sd = widths[0] + widths[1] if self.has("cauchy-scales-added") else np.sqrt(widths[0] ** 2 + widths[1] ** 2)
        sign = -1.0 if self.has("cauchy-inverse-divides") else 1.0
        return p[f"{first}_mu"] + sign * p[f"{second}_mu"], sd

    def z(self, p: dict[str, Array], noise: dict[str, Array]) -> Array:
        """The factors."""
        eps = noise["eps"]
        eps = eps[:1] + 0 * eps if self.has("group-shared-across-batch") else eps
        eps = eps[..., :1] + 0 * eps if self.has("group-one-scalar") else eps
        if self.description.kind == "normal_jeffreys":
            sd = np.exp(p["log_sigma2"] * (1.0 if self.has("jeffreys-log-variance-as-scale") else 0.5))
            theta = 1.0 if self.has("jeffreys-theta-missing") else p["theta"]
            return theta * (1.0 + sd * eps) if self.has("jeffreys-multiplied") else theta + sd * eps
        (shared, width), (mean, sd) = self._logarithm(p, *PAIRS[:2]), self._logarithm(p, *PAIRS[2:])
        of_all = noise["shared_eps"]
        of_all = of_all[:1] + 0 * of_all if self.has("group-shared-across-batch") else of_all
        log_z2 = mean + sd * eps + (0.0 if self.has("cauchy-shared-missing") else shared + width * of_all)
        if self.has("cauchy-normal"):
            centre, variance = 0.5 * (mean + shared), 0.25 * (sd**2 + width**2)
            return np.exp(centre + 0.5 * variance) * (1.0 + np.sqrt(np.exp(variance) - 1.0) * eps)
        return np.exp(log_z2 * (1.0 if self.has("cauchy-no-root") else 0.5))

    def forward(self, p: dict[str, Array], x: Array, noise: dict[str, Array]) -> Array:
        if self.has("empty-batch-fails") and not len(x):
            raise ZeroDivisionError("no examples")
        z = self.z(p, noise)
        s = np.exp(p["rho"]) if self.has("scale-exp-for-softplus") else log1p(np.exp(p["rho"]))
        if z.ndim == 3:
            return np.einsum("ni,noi,io->no", x, z, p["mean"]) + np.sqrt(x**2 @ s**2) * noise["zeta"]
        h = x * z
        away = x if self.has("group-factor-not-in-noise") else h
        return (h * z if self.has("group-factor-squared") else h) @ p["mean"] + np.sqrt(away**2 @ s**2) * noise["zeta"]

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self.forward(self.p, x, noise).astype(x.dtype)

    def sample(self, x: Array) -> Array:
        return self.sample_with_noise(x, self.draw(len(x)))

    def evaluate(self, x: Array) -> Array:
        if self.has("evaluation-noisy"):
            return self.sample(x)
        if self.has("group-evaluation-unscaled"):
            return x @ self.p["mean"]
        if self.description.kind == "normal_jeffreys":
            z = 1.0 if self.has("jeffreys-theta-missing") else self.p["theta"]
        else:
            z = np.exp(sum(self.p[f"{name}_mu"] for name in PAIRS) / 2)
            widths = sum(np.exp(2 * self.p[f"{name}_log_sigma"]) for name in PAIRS)
            z = z if self.has("cauchy-evaluates-median") else z * np.exp(widths / 8)
        return (x * z) @ self.p["mean"]

    def _slopes(self, function: Callable[[dict[str, Array]], Any], *names: str) -> dict[str, Array]:
        def of(name: str) -> Callable[[Array], Any]:
            return lambda value: function(self.p | {name: value})

        return {name: complex_step(of(name), self.p[name]) for name in names or self.p}

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
            "group-gradient-stops": tuple(name for name in self.p if name not in ("mean", "rho")),
            "cauchy-gradient-shared-missing": tuple(name for name in self.p if name.startswith("shared")),
            "gradient-scale-zero": ("rho",),
        }.get(self.mistake, ())
        doubled = {
            "jeffreys-gradient-half": ("log_sigma2",),
            "cauchy-gradient-half": tuple(name for name in self.p if name not in ("mean", "rho")),
        }.get(self.mistake, ())
        share = 1 / len(x) if self.has("gradient-mean-averaged") else 1
        times = {name: (name not in lost) * (2 if name in doubled else 1) * share for name in found}
        return {**{name: times[name] * g for name, g in found.items()}, "x": by_x, "y": y}

    def _of_weights(self, p: dict[str, Array]) -> Any:
        s, mean = log1p(np.exp(p["rho"])), p["mean"]
        if self.has("group-kl-of-marginals"):
            z = p["theta"] if "theta" in p else np.exp(sum(p[f"{name}_mu"] for name in PAIRS) / 2)
            s, mean = s * z[:, None], mean * z[:, None]
            s = np.sqrt(s**2)  # theta may be below 0
        return np.sum((s**2 + mean**2 - 1) / 2 - np.log(s)) * (not self.has("group-kl-weights-missing"))

    def _of_factors(self, p: dict[str, Array]) -> Any:
        often = {"group-kl-factors-missing": 0, "group-kl-factor-per-weight": self.description.outputs}
        return often.get(self.mistake, 1) * self._of_each_factor(p)

    def _of_each_factor(self, p: dict[str, Array]) -> Any:
        if self.description.kind == "normal_jeffreys":
            half = 1.0 if self.has("jeffreys-log-variance-as-scale") else 0.5
            return divergences.log_uniform(p["theta"], np.exp(half * p["log_sigma2"]))
        found: Any = 0.0
        for name in PAIRS:
            m, log_s = p[f"{name}_mu"], p[f"{name}_log_sigma"]
            t = self.description.factor_scale if name == "shared_gamma" else 1.0
            t = t if self.has("cauchy-kl-scale-unsquared") else t**2
            m = m if name.endswith("gamma") or self.has("cauchy-kl-inverse-as-gamma") else -m
            terms = np.exp(m + np.exp(2 * log_s) / 2) / t - m / 2 - log_s + np.log(np.pi * t) / 2
            times = {"cauchy-kl-shared-per-unit": self.description.inputs, "cauchy-kl-shared-missing": 0}
            share = times.get(self.mistake, 1) if name.startswith("shared") else 1
            found = found + share * np.sum(terms - np.log(2 * np.pi * np.e) / 2)
        return found

    def kl(self) -> float:
        share = 1 / self.p["mean"].size if self.has("kl-mean") else 1
        return float(np.real(self._of_weights(self.p) + self._of_factors(self.p))) * (
            -share if self.has("kl-sign") else share
        )

    def kl_gradients(self) -> dict[str, Array]:
        share = 1 / self.p["mean"].size if self.has("kl-mean") else 1
        share = -share if self.has("kl-sign", "kl-gradient-sign") else share
        of_factors = [name for name in self.p if name not in ("mean", "rho")]
        found = self._slopes(self._of_weights, "mean", "rho") | self._slopes(self._of_factors, *of_factors)
        found = {name: share * g for name, g in found.items()}
        if self.has("kl-gradient-of-one-missing"):
            last = list(found)[-1]
            found[last] = 0 * found[last]
        return found
