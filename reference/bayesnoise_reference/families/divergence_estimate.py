"""A divergence that is estimated: `log q(w) - log p(w)` at one draw, to a mixture of two Gaussians about zero.

Blundell et al. 2015 (arXiv 1505.05424), section 3.3: `p(w) = share N(0, wide^2) + (1 - share) N(0, narrow^2)`. There
is no closed form; mean and variance of one estimate are quadrature of the definition, and estimates are held to them by
an e-value. An adapter loads `mean (n,)` and `scale (n,)`, and its `kl` draws anew in every call.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtr

from bayesnoise_reference import divergences, statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Described
from bayesnoise_reference.claims.claim import ClaimsOf, Finding
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.claims.pictured import chi_squares
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.numerics import gauss_legendre

CAUSES = {
    "estimate-fixed": "the draw is made once, and not again in every call",
    "estimate-at-mean": "the densities are taken at the mean, without a draw",
    "estimate-averaged": "the estimate is averaged over the weights, not summed",
    "estimate-sign": "the estimate has the wrong sign",
    "estimate-no-posterior": "log q is missing from the estimate",
    "estimate-no-prior": "log p is missing from the estimate",
    "estimate-shares-swapped": "the shares of the two components are swapped",
    "estimate-mean-of-logs": "the logarithms of the two components are averaged, not their densities",
    "estimate-one-component": "the narrow component is left out",
    "estimate-prior-as-variance": "the scales of the mixture are taken for variances",
    "estimate-noise-doubled": "the noise of the draw is twice what it should be",
    "estimate-two-draws": "log q and log p are taken at different draws",
    "estimate-noise-shared": "all weights share one draw",
}


@dataclass(frozen=True, kw_only=True)
class MixtureEstimate(Described):
    """The divergence of `size` weights to the mixture. ValueError for numbers that cannot be."""

    family: str = field(default="divergence", init=False)
    size: int = 4
    share: float = 0.7
    wide: float = 1.5
    narrow: float = 0.1

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size is {self.size}, expected at least 1")
        if not 0.0 < self.share < 1.0:
            raise ValueError(f"share is {self.share}, expected a share above 0 and below 1")
        if not 0.0 < self.narrow < self.wide:
            raise ValueError(f"narrow is {self.narrow} and wide {self.wide}, expected 0 < narrow < wide")

    @property
    def estimator(self) -> str:
        return "scale_mixture"


@dataclass(frozen=True)
class EstimateTrial(Trial):
    """A trial of an estimate."""

    @property
    def description(self) -> MixtureEstimate:
        """What it is."""
        found = self.guard.description
        assert isinstance(found, MixtureEstimate)
        return found

    def load(self, scale: float | None = None) -> tuple[Array, Array]:
        """Random means about .3 in size, and scales between .2 and .7."""
        n = self.description.size
        mean = 0.3 * self.rng.standard_normal(n)
        scales = np.exp(self.rng.uniform(-1.6, -0.4, n)) if scale is None else np.full(n, scale)
        held = self.guard.load({"mean": mean, "scale": scales})
        return held["mean"], held["scale"]

    def estimates(self) -> Array:
        """One a call."""
        return np.asarray([self.guard.kl() for _ in range(self.calls)])


of_estimate = ClaimsOf(("divergence",), ("scale_mixture",), EstimateTrial)


def moments(d: MixtureEstimate, mean: Array, scale: Array) -> tuple[float, float]:
    """Mean and variance of one estimate, whose weights are independent."""
    total, variance = 0.0, 0.0
    for m, s in zip(mean, scale, strict=True):
        near = d.narrow * np.linspace(-12.0, 12.0, 97)
        edges = np.concatenate([np.linspace(m - 13.0 * s, m + 13.0 * s, 53), near[np.abs(near - m) < 13.0 * s]])
        w, weights = gauss_legendre(edges)
        log_q = divergences.log_normal_density(w, m, s)
        term = log_q - divergences.log_mixture_density(w, d.share, d.wide, d.narrow)
        chances = weights * np.exp(log_q)
        first = float(np.sum(chances * term))
        total += first
        variance += float(np.sum(chances * (term - first) ** 2))
    return total, variance


@of_estimate(
    "estimates-fresh",
    "Every estimate has a draw of its own.",
    needs=("kl",),
    catches=("estimate-fixed", "estimate-at-mean"),
)
def estimates_fresh(trial: EstimateTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    trial.load()
    same = trial.guard.kl() == trial.guard.kl()
    return exact(same, f"two estimates {'are the same' if same else 'differ'}; they should differ", 2)


@of_estimate(
    "estimates-mean",
    "Estimates are unbiased for the divergence.",
    needs=("kl",),
    catches=(
        "estimate-averaged",
        "estimate-sign",
        "estimate-no-posterior",
        "estimate-no-prior",
        "estimate-one-component",
        "estimate-prior-as-variance",
        "estimate-noise-doubled",
        "estimate-mean-of-logs",
        "estimate-shares-swapped",
    ),
)
def estimates_mean(trial: EstimateTrial) -> Finding:
    """Catoni's e-value, with the variance by quadrature: the law has no closed form."""
    right, variance = moments(trial.description, *trial.load())
    seen = np.concatenate([trial.estimates() for _ in range(4)])
    verdict = statistics.catoni(seen, right, variance, alpha=trial.alpha)
    off = (np.mean(seen) - right) / np.sqrt(variance)
    return judged(verdict, f"estimates average {off:+.3f} of their deviations from {right:.6g}; 0 is right")


@of_estimate(
    "estimates-narrow",
    "Under a posterior far narrower than the mixture, an estimate falls by `eps^2 / 2` for each weight.",
    needs=("kl",),
    catches=("estimate-noise-shared", "estimate-no-posterior", "estimate-at-mean", "estimate-fixed"),
)
def estimates_narrow(trial: EstimateTrial) -> Finding:
    """Exact law, chi-square: at scales of 1e-6 the curvature of the mixture changes an estimate by about 1e-5."""
    d, (mean, scale) = trial.description, trial.load(1e-6)
    log_p = divergences.log_mixture_density(mean, d.share, d.wide, d.narrow)
    highest = float(np.sum(-np.log(scale) - 0.5 * np.log(2.0 * np.pi) - log_p))
    chi = 2.0 * (highest - np.concatenate([trial.estimates() for _ in range(4)]))
    verdict = statistics.law(chi, lambda v: chdtr(d.size, np.maximum(v, 0.0)), alpha=trial.alpha)
    said = f"estimates make {np.mean(chi):.4g} of a chi-square law whose mean is {d.size}"
    return judged(verdict, said, chi_squares(chi, d.size))


@of_estimate(
    "estimates-bounded",
    "Under the wide component as the posterior, no estimate exceeds minus the logarithm of its share, a weight.",
    needs=("kl",),
    catches=("estimate-two-draws",),
)
def estimates_bounded(trial: EstimateTrial) -> Finding:
    """Exact: `p >= share q` at every draw, if both densities are taken at the same one."""
    d = trial.description
    trial.guard.load({"mean": np.zeros(d.size), "scale": np.full(d.size, d.wide)})
    seen, most = float(np.max(trial.estimates())), -d.size * np.log(d.share)
    wrong = not seen <= most + 1e4 * trial.guard.eps * d.size
    return exact(wrong, f"an estimate is {seen:.6g}, where none above {most:.6g} can be", trial.calls)


CLAIMS = (estimates_fresh, estimates_mean, estimates_narrow, estimates_bounded)
