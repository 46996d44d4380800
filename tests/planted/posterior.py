"""Dense layers whose weights have a law with a structure, written down the short way, right or with a mistake."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference.families.posterior import Posterior
from bayesnoise_reference.numerics import complex_step
from scipy.special import gammaln, log1p

from planted.structured_weights import DrawnWeights

Array = Any
LAYERS = [
    Posterior(kind="k_tied", draws="flipout"),
    Posterior(kind="matrix_gaussian", draws="local"),
    Posterior(kind="low_rank", draws="local"),
    Posterior(kind="low_rank", inputs=3),
    Posterior(kind="radial"),
    Posterior(kind="radial", kl_kind="monte_carlo", constant="free"),
]

_COMMON = [
    "mean-shrunk",
    "no-noise",
    "eps-across-calls",
    "seed-ignored",
    "empty-batch-fails",
    "scale-floor",
    "evaluation-noisy",
    "evaluation-scaled",
    "gradient-noise-redrawn",
    "gradient-mean-averaged",
    "gradient-scale-zero",
    "gradient-input-of-mean",
    "gradient-input-averaged",
    "kl-mean",
    "kl-sign",
    "kl-prior-variance-as-scale",
]
_CLOSED = ["kl-gradient-sign", "kl-gradient-of-one-missing"]
_OF_KIND = {
    "k_tied": [
        "uniform-noise",
        "eps-shared-across-outputs",
        "eps-shared-across-inputs",
        "k-tied-first-product",
        "k-tied-product",
        "k-tied-averaged",
        "k-tied-as-variance",
        "k-tied-variances-added",
        "k-tied-logarithms",
        "k-tied-gradient-whole",
        "kl-no-half",
        "kl-reversed",
        "kl-log-underflows",
    ],
    "matrix_gaussian": [
        "uniform-noise",
        "eps-shared-across-outputs",
        "matrix-variance-as-deviation",
        "matrix-variances-added",
        "matrix-row-only",
        "matrix-column-only",
        "matrix-noise-of-rank-one",
        "matrix-gradient-half",
        "matrix-kl-traces-added",
        "matrix-kl-log-det-swapped",
        "matrix-kl-log-det-once",
        "kl-no-half",
        "kl-reversed",
        "kl-log-underflows",
    ],
    "low_rank": [
        "low-rank-divided-by-root",
        "low-rank-factor-missing",
        "low-rank-diagonal-missing",
        "low-rank-sigma-as-variance",
        "low-rank-one-number",
        "low-rank-number-per-weight",
        "low-rank-gradient-of-mean",
        "low-rank-gradient-factor-zero",
        "low-rank-kl-diagonal-log-det",
        "low-rank-kl-log-det-doubled",
        "low-rank-kl-trace-missing",
        "low-rank-kl-trace-doubled",
        "low-rank-kl-overflows",
        "kl-no-half",
        "kl-log-underflows",
    ],
    "radial": [
        "scale-exp-for-softplus",
        "radial-not-normalised",
        "radial-normalised-per-row",
        "radial-normalised-per-column",
        "radial-unit-variance",
        "radial-without-radius",
        "radial-radius-of-all",
        "radial-radius-per-row",
        "radial-radius-per-weight",
        "radial-gradient-softplus",
        "radial-kl-gaussian",
        "radial-kl-scale-undivided",
        "radial-kl-no-constant",
        "kl-log-underflows",
    ],
}
_OF_DRAWS = {
    "call": ["noise-per-example"],
    "flipout": ["noise-per-example", "signs-shared-across-batch"],
    "local": ["zeta-shared-across-batch"],
}


def adapter(description: Posterior, mistake: str) -> StructuredWeights:
    """The straightforward one."""
    return StructuredWeights(description, mistake)


def mistakes(description: Posterior) -> list[str]:
    """Those of all kinds, of its own, and of what it draws."""
    names = [*_COMMON, *_OF_KIND[description.kind], *_OF_DRAWS[description.draws]]
    if (description.kind, description.draws) == ("low_rank", "local"):
        names.append("low-rank-shared-across-batch")
    if description.kl_kind == "closed":
        return [*names, *_CLOSED]
    of_closed = ("kl-log-underflows", "radial-kl-scale-undivided", "radial-kl-no-constant", "radial-kl-gaussian")
    return [n for n in names if n not in of_closed] + ["kl-draw-fixed", "kl-draw-at-mean", "kl-draw-doubled"]


class StructuredWeights(DrawnWeights):
    """With its divergence. A mistake is a line that asks for its name."""

    @np.errstate(all="ignore")
    def kl(self) -> float:
        found = float(np.real(self.divergence(self.p)))
        if self.description.kl_kind == "monte_carlo":
            found = self._estimate()
        found = found / self.p["mu"].size if self.has("kl-mean") else found
        return -found if self.has("kl-sign") else found

    def kl_gradients(self) -> dict[str, Array]:
        share = 1 / self.p["mu"].size if self.has("kl-mean") else 1.0
        share = -share if self.has("kl-sign", "kl-gradient-sign") else share
        found = {
            name: share * complex_step(lambda v, n=name: self.divergence(self.p | {n: v}), at)  # type: ignore[misc]
            for name, at in self.p.items()
        }
        if self.has("kl-gradient-of-one-missing"):
            last = list(found)[-1]
            found[last] = 0 * found[last]
        return found

    @property
    def prior(self) -> float:
        return self.description.prior ** (2 if self.has("kl-prior-variance-as-scale") else 1)

    def divergence(self, p: dict[str, Array]) -> Any:
        d, n, p2 = self.description, p["mu"].size, self.prior**2
        half = 0.0 if self.has("kl-no-half") else 0.5 * n
        at_mean = np.sum(p["mu"] ** 2) / (2 * p2) + 0.5 * n * np.log(p2) - half
        if d.kind == "radial":
            return at_mean + half + self._radial(p, p2)
        if d.kind == "low_rank":
            return at_mean + self._low_rank(p, p2)
        s = self.scale(p)
        if self.has("kl-reversed"):
            return np.sum(np.log(s) - np.log(self.prior) + (p2 + p["mu"] ** 2) / (2 * s**2)) - half
        if self.has("kl-log-underflows"):
            return at_mean + np.sum(s**2 / (2 * p2) - np.log(s))
        if d.kind == "k_tied":
            terms = p["log_u"][:, None] + p["log_v"]
            top = np.max(np.real(terms), axis=2, keepdims=True)
            return at_mean + np.sum(s**2 / (2 * p2)) - np.sum(top[..., 0] + np.log(np.sum(np.exp(terms - top), axis=2)))
        u, v = np.sum(np.exp(p["log_u"])), np.sum(np.exp(p["log_v"]))
        times = {"matrix-kl-log-det-swapped": s.shape, "matrix-kl-log-det-once": (1, 1)}.get(
            self.mistake, s.shape[::-1]
        )
        log_det = times[0] * np.sum(p["log_u"]) + times[1] * np.sum(p["log_v"])
        return at_mean + (u + v if self.has("matrix-kl-traces-added") else u * v) / (2 * p2) - 0.5 * log_det

    def _low_rank(self, p: dict[str, Array], p2: float) -> Any:
        log_s, rows = np.ravel(p["log_sigma"]), p["factor"].reshape(self.description.rank, -1)
        s, at = np.exp(log_s), np.mean(log_s)
        if np.all(np.real(log_s) < -30) and not self.has("low-rank-kl-overflows"):  # where 1 is nothing beside it
            rows_at = rows * np.exp(at - log_s)
            log_of_factor = np.log(np.linalg.det(rows_at @ rows_at.T)) - 2 * len(rows) * at
        else:
            log_of_factor = np.log(np.linalg.det(np.eye(len(s)) + rows.T @ rows / np.outer(s, s)))
        times = {"low-rank-kl-diagonal-log-det": 0.0, "low-rank-kl-log-det-doubled": 2.0}.get(self.mistake, 1.0)
        twice = {"low-rank-kl-trace-missing": 0.0, "low-rank-kl-trace-doubled": 2.0}.get(self.mistake, 1.0)
        trace = np.sum(s**2) + twice * np.sum(rows**2)
        log_s = np.log(s) if self.has("kl-log-underflows") else log_s
        return trace / (2 * p2) - np.sum(log_s) - 0.5 * times * log_of_factor

    def _radial(self, p: dict[str, Array], p2: float) -> Any:
        """The divergence of Gaussians of the same variances, and what the radial law has less of entropy."""
        n, s = p["mu"].size, log1p(np.exp(p["rho"]))
        log_s = p["rho"] if np.all(np.real(p["rho"]) < -30) and not self.has("kl-log-underflows") else np.log(s)
        share = 1 if self.has("radial-kl-gaussian", "radial-kl-scale-undivided") else n
        less = 0.5 * (n - 1) * (1 + np.log(2 * np.pi) + np.euler_gamma + np.log(2)) + float(gammaln(0.5 * n))
        less -= 0.5 * n * np.log(np.pi * n)
        if self.has("radial-kl-no-constant") or self.description.constant == "free":
            return np.sum(s**2) / (2 * share * p2) - np.sum(log_s)
        if self.has("radial-kl-gaussian"):
            return np.sum(s**2) / (2 * p2) - np.sum(log_s) - 0.5 * n
        return np.sum(s**2) / (2 * share * p2) - np.sum(log_s) + 0.5 * n * np.log(n) - 0.5 * n + less

    def _estimate(self) -> float:
        """With the cross entropy at one draw in the place of its mean."""
        rng = np.random.default_rng(0) if self.has("kl-draw-fixed") else self.rng
        times = {"kl-draw-at-mean": 0.0, "kl-draw-doubled": 2.0}.get(self.mistake, 1.0)
        s, eps = log1p(np.exp(self.p["rho"])), rng.standard_normal(self.p["mu"].shape)
        w = self.p["mu"] + times * s * eps / np.linalg.norm(eps) * rng.standard_normal()
        return float(np.sum(w**2) / (2 * self.prior**2) - np.sum(np.log(s)) + np.log(self.prior) * w.size)
