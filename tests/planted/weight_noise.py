"""Noise on weights in proportion to them, written down the short way, right or with a mistake planted by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.weight_noise import RAW, WeightNoise
from scipy.special import dawsn, expit

from planted.mistaken import Mistaken

Array = Any

LAYERS = [
    WeightNoise(kind="drop_connect"),
    WeightNoise(kind="drop_connect", masks="example"),
    WeightNoise(kind="multiplicative"),
    WeightNoise(kind="additive"),
    WeightNoise(kind="additive", prior="ard"),
]

_ALL = [
    "no-noise",
    "eps-across-calls",
    "evaluation-noisy",
    "evaluation-scaled",
    "seed-ignored",
    "empty-batch-fails",
    "gradient-noise-redrawn",
    "gradient-mean-averaged",
]
_CONNECT = [
    "connect-not-inverted",
    "connect-rate-as-keep",
    "connect-scale-by-rate",
    "connect-mask-of-inputs",
    "connect-normal-outputs",
    "connect-gradient-unmasked",
    "connect-gradient-unscaled",
    "connect-gradient-input-unmasked",
    "connect-mask-of-outputs",
    "connect-mask-reversed",
]
_NORMAL = [
    "variance-floor",
    "x-not-squared",
    "variance-without-root",
    "raw-scale-without-half",
    "raw-scale-as-stored",
    "noise-of-the-other-form",
    "uniform-noise",
    "zeta-shared-across-batch",
    "zeta-shared-across-outputs",
    "gradient-raw-half",
    "gradient-theta-of-mean-alone",
    "gradient-input-of-mean-alone",
    "gradient-root-at-zero",
    "raw-clipped",
    "kl-mean",
    "kl-sign",
    "kl-of-the-other-prior",
    "kl-alpha-clipped",
    "kl-gradient-raw-half",
]
_ADDITIVE = ["kl-divides-by-theta", "kl-gradient-theta-missing"]  # the other form has no gradient by theta


def mistakes(description: WeightNoise) -> list[str]:
    """Those that can be made in such a layer."""
    if description.kind != "drop_connect":
        return [*_ALL, *_NORMAL, *(_ADDITIVE if description.kind == "additive" else [])]
    return [*_ALL, *_CONNECT, f"connect-mask-{'an-example' if description.masks == 'call' else 'a-call'}"]


def adapter(description: WeightNoise, mistake: str) -> Any:
    """The straightforward layer of its kind."""
    return (Connect if description.kind == "drop_connect" else Local)(description, mistake)


class Layer(Mistaken):
    """What both have in common. A mistake is a line that asks for its name."""

    description: WeightNoise

    def load(self, parameters: dict[str, Array]) -> None:
        super().load(parameters)
        self.held.clear()

    def noise(self, x: Array) -> Array:
        if not (self.has("eps-across-calls") and x.shape in self.held):
            self.held[x.shape] = self.fresh(len(x))
        return self.held[x.shape]

    def fresh(self, n: int) -> Array:
        raise NotImplementedError

    def output(self, x: Array, noise: Array) -> Array:
        raise NotImplementedError

    def sample(self, x: Array) -> Array:
        if self.has("empty-batch-fails") and not len(x):
            raise ValueError("need at least one example")
        return x @ self.p["theta"] if self.has("no-noise") else self.output(x, self.noise(x))

    def evaluate(self, x: Array) -> Array:
        if self.has("evaluation-noisy"):
            return self.sample(x)
        return x @ self.p["theta"] * (1 - self.description.rate if self.has("evaluation-scaled") else 1)

    def _share(self, x: Array) -> float:
        return 1 / len(x) if self.has("gradient-mean-averaged") else 1.0


class Connect(Layer):
    """`x (theta * m / (1 - rate))`."""

    def fresh(self, n: int) -> Array:
        d = self.description
        keep = d.rate if self.has("connect-rate-as-keep") else 1 - d.rate
        one = d.masks == "call" and not self.has("connect-mask-an-example")
        shape = [1 if one or self.has("connect-mask-a-call") else n, d.inputs, d.outputs]
        shape[2] = 1 if self.has("connect-mask-of-inputs") else shape[2]
        shape[1] = 1 if self.has("connect-mask-of-outputs") else shape[1]
        mask = (self.rng.uniform(size=shape) < keep).astype(float)
        factor = mask / (
            d.rate if self.has("connect-scale-by-rate") else 1 if self.has("connect-not-inverted") else 1 - d.rate
        )
        if self.has("connect-normal-outputs"):
            factor = 1 + np.sqrt(d.rate / (1 - d.rate)) * self.rng.standard_normal((n, d.inputs, d.outputs))
        return np.broadcast_to(factor, (n, d.inputs, d.outputs))

    def output(self, x: Array, noise: Array) -> Array:
        return np.einsum("ni,nio->no", x, noise * self.p["theta"])

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        d, kept = self.description, noise["kept"]
        kept = 1 - kept if self.has("connect-mask-reversed") else kept
        by = d.rate if self.has("connect-scale-by-rate") else 1 if self.has("connect-not-inverted") else 1 - d.rate
        factor = np.ones(kept.shape) if self.has("no-noise") else kept / by
        return self.output(x, np.broadcast_to(factor, (len(x), d.inputs, d.outputs)))

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        factor = self.noise(x)
        y = self.output(x, factor)
        factor = self.noise(x) if self.has("gradient-noise-redrawn") else factor
        own = np.ones(factor.shape) if self.has("connect-gradient-unmasked") else factor
        own = (factor != 0).astype(float) if self.has("connect-gradient-unscaled") else own
        inner = np.ones(factor.shape) if self.has("connect-gradient-input-unmasked") else factor
        by_theta = np.einsum("ni,nio,no->io", x, own, grad_y) * self._share(x)
        return {"theta": by_theta, "x": np.einsum("no,nio->ni", grad_y, inner * self.p["theta"]), "y": y}


class Local(Layer):
    """`x theta + sqrt(x^2 variance) zeta`."""

    def fresh(self, n: int) -> Array:
        d = self.description
        shape = (
            1 if self.has("zeta-shared-across-batch") else n,
            1 if self.has("zeta-shared-across-outputs") else d.outputs,
        )
        if self.has("uniform-noise"):
            return np.broadcast_to(self.rng.uniform(-np.sqrt(3), np.sqrt(3), shape), (n, d.outputs))
        return np.broadcast_to(self.rng.standard_normal(shape), (n, d.outputs))

    def _variance(self) -> Array:
        raw = self.p[RAW[self.description.kind]]
        raw = np.clip(raw, -10, 10) if self.has("raw-clipped") else raw
        value = np.abs(raw) if self.has("raw-scale-as-stored") else np.exp(raw)
        value = value**2 if self.has("raw-scale-without-half") else value
        if (self.description.kind == "multiplicative") != self.has("noise-of-the-other-form"):
            return value * self.p["theta"] ** 2
        return value

    def _deviation(self, x: Array) -> Array:
        v = (np.abs(x) if self.has("x-not-squared") else x**2) @ self._variance()
        v = v + 1e-8 if self.has("variance-floor") else v
        return v if self.has("variance-without-root") else np.sqrt(v)

    def output(self, x: Array, noise: Array) -> Array:
        return x @ self.p["theta"] + self._deviation(x) * noise

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return x @ self.p["theta"] if self.has("no-noise") else self.output(x, noise["zeta"])

    @np.errstate(all="ignore")
    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        d, theta, zeta = self.description, self.p["theta"], self.noise(x)
        y = self.output(x, zeta)
        zeta = self.noise(x) if self.has("gradient-noise-redrawn") else zeta
        v = x**2 @ self._variance()
        q = grad_y * zeta / (2 * np.sqrt(v))
        q = q if self.has("gradient-root-at-zero") else np.where(v > 0, q, 0)
        by_variance = (x**2).T @ q
        by_raw = by_variance * self._variance()
        in_noise = (d.kind == "multiplicative") != self.has("gradient-theta-of-mean-alone")
        by_theta = x.T @ grad_y + (2 * by_raw / theta if in_noise else 0)
        return {
            "theta": by_theta * self._share(x),
            RAW[d.kind]: by_raw * (2 if self.has("gradient-raw-half") else 1),
            "x": grad_y @ theta.T
            + (0 if self.has("gradient-input-of-mean-alone") else 2 * x * (q @ self._variance().T)),
            "y": y,
        }

    def _log_alpha(self) -> Array:
        raw = self.p[RAW[self.description.kind]]
        a = raw if self.description.kind == "multiplicative" else raw - 2 * np.log(np.abs(self.p["theta"]))
        return np.clip(a, -8, 8) if self.has("kl-alpha-clipped") else a

    def _share_of_kl(self, a: Array) -> float:
        return (-1 if self.has("kl-sign") else 1) / (a.size if self.has("kl-mean") else 1)

    def _normal(self) -> bool:
        return (self.description.prior == "ard") != self.has("kl-of-the-other-prior")

    @np.errstate(all="ignore")
    def kl(self) -> float:
        a = self._log_alpha()
        if self._normal():
            return self._share_of_kl(a) * float(np.sum(np.log1p(np.exp(-a)) / 2))
        s = np.exp(-a / 2)[..., None] / np.sqrt(2) * np.exp(STEPS)  # the mean over the deviation, and all below
        return self._share_of_kl(a) * float(np.sum(2 * s * dawsn(s) @ WEIGHTS))

    @np.errstate(all="ignore")
    def kl_gradients(self) -> dict[str, Array]:
        d, theta, a = self.description, self.p["theta"], self._log_alpha()
        m = np.exp(-a / 2) / np.sqrt(2)
        by_alpha = -expit(-a) / 2 if self._normal() else -m * dawsn(m)
        by_alpha = np.where(np.abs(a) == 8, 0, by_alpha) * self._share_of_kl(a)
        by_theta = 0 * theta
        if d.kind == "additive" and not self.has("kl-gradient-theta-missing"):
            by_theta = -2 * by_alpha / (theta if self.has("kl-divides-by-theta") else np.where(theta == 0, 1, theta))
        return {"theta": by_theta, RAW[d.kind]: (2 if self.has("kl-gradient-raw-half") else 1) * by_alpha}


_NODES, _EACH = np.polynomial.legendre.leggauss(20)
STEPS = np.ravel(np.arange(-39.0, 0.0, 2.0)[:, None] + _NODES)  # of a logarithm, from -40 to 0
WEIGHTS = np.tile(_EACH, 20)
