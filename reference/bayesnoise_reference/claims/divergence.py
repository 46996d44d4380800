"""The KL to a Gaussian prior: its value, exactly, and which usual mistake another value is.

`sum log(s0 / scale) + (scale^2 + (mean - m0)^2) / (2 s0^2) - 1/2` over every random weight and bias.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims.causes import WRONG_KL
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.weight_trial import Loaded, WeightTrial, log_sigma, sigma


def terms(d: Description, mean: Array, rho: Array, prior_scale: float) -> Array:
    """The divergence of every weight."""
    square = (sigma(d, rho) ** 2 + (mean - d.prior_mean) ** 2) / (2.0 * prior_scale**2)
    return np.asarray(np.log(prior_scale) - log_sigma(d, rho) + square - 0.5)


def parts(d: Description, held: Loaded) -> list[tuple[Array, Array]]:
    """Mean and stored scale of the weights, and of a random bias."""
    weights = [(held.mean, held.rho)]
    return [*weights, (held.bias, held.bias_rho)] if d.bias == "random" else weights


def value(d: Description, held: Loaded) -> float:
    """The divergence of the layer."""
    return float(sum(np.sum(terms(d, mean, rho, d.prior_scale)) for mean, rho in parts(d, held)))


def rounding(trial: WeightTrial, held: Loaded) -> float:
    """A bound on what rounding may do to it."""
    d, size, count = trial.description, 0.0, 0
    for mean, rho in parts(d, held):
        square = (sigma(d, rho) ** 2 + (np.abs(mean) + abs(d.prior_mean)) ** 2) / (2.0 * d.prior_scale**2)
        size += float(np.sum(abs(np.log(d.prior_scale)) + np.abs(log_sigma(d, rho)) + square + 0.5))
        count += mean.size
    return float(64.0 + 2.0 * count**0.5) * trial.guard.eps * size


def mistakes(d: Description, held: Loaded) -> dict[str, float]:
    """Values that are often given instead, by what they are."""
    random = parts(d, held)
    sums = [float(np.sum(terms(d, *p, d.prior_scale))) for p in random]
    counts = [p[0].size for p in random]
    s0 = d.prior_scale

    def reverse(mean: Array, rho: Array) -> float:
        s = sigma(d, rho)
        return float(np.sum(np.log(s / s0) + (s0**2 + (mean - d.prior_mean) ** 2) / (2.0 * s**2) - 0.5))

    def with_prior(scale: float) -> float:
        return float(sum(np.sum(terms(d, *p, scale)) for p in random))

    def mean_of(scale: float) -> float:
        return float(sum(np.mean(terms(d, *p, scale)) for p in random))

    found = {
        "the mean over the weights": sum(sums) / sum(counts),
        "a mean over the weights in the place of the sum": mean_of(s0),
        "the KL from prior to posterior": sum(reverse(*p) for p in random),
        "the KL with the prior's scale taken for its variance": with_prior(np.sqrt(s0)),
        "the KL with the prior's variance taken for its scale": with_prior(s0**2),
        "a mean over the weights, with the prior's variance taken for its scale": mean_of(s0**2),
        "minus the KL": -sum(sums),
        "the KL without the half of each weight": sum(sums) + 0.5 * sum(counts),
        "twice the KL": 2.0 * sum(sums),
        "half the KL": 0.5 * sum(sums),
    }
    if d.bias == "random":
        found["the KL of the weights without the bias"] = sums[0]
    return found


def _compare(trial: WeightTrial, held: Loaded, where: str) -> Finding:
    d = trial.description
    seen, right, bound = trial.guard.kl(), value(d, held), rounding(trial, held)
    if np.isfinite(seen) and abs(seen - right) <= bound:
        return exact(False, f"the KL {where} is {seen:.6g}, as it should be", 1)
    names = [name for name, other in mistakes(d, held).items() if abs(seen - other) <= bound]
    kind = f", which is {names[0]}" if names else ""
    return exact(True, f"the KL {where} is {seen:.6g}{kind}; {right:.6g} is right", 1)


def has_kl(d: Description) -> bool:
    """Whether there is a prior, and a KL in closed form to it."""
    return d.prior is not None and d.kl_kind == "closed"


@of_weights(
    "kl-value",
    "The KL is the closed form, summed over every random parameter.",
    needs=("kl",),
    when=has_kl,
    catches=(*WRONG_KL, "kl-scale-as-stored"),
)
def kl_value(trial: WeightTrial) -> Finding:
    """Exact, at random means and scales."""
    return _compare(trial, trial.load(), "at random parameters")


@of_weights(
    "kl-at-prior",
    "The KL of a posterior that is the prior is zero.",
    needs=("kl",),
    when=has_kl,
    catches=(
        "kl-prior-variance-as-scale",
        "kl-no-half",
        "kl-prior-mean-ignored",
        "kl-scale-as-stored",
        "prior-follows-posterior",
    ),
)
def kl_at_prior(trial: WeightTrial) -> Finding:
    """Exact: sees the prior's parameters alone, not whether terms are summed."""
    d = trial.description
    held = trial.load(mean=d.prior_mean, scale=d.prior_scale, bias=d.prior_mean, bias_scale=d.prior_scale)
    seen, bound = trial.guard.kl(), rounding(trial, held)
    wrong = not abs(seen) <= bound
    return exact(wrong, f"the KL of a posterior equal to its prior is {seen:.6g}; 0 is right", 1)


@of_weights(
    "kl-counts",
    "Every random parameter adds its own term to the KL.",
    needs=("kl",),
    when=has_kl,
    catches=("kl-mean", "kl-prior-variance-as-scale", "kl-sign", "kl-prior-mean-ignored", "prior-aliases-posterior"),
)
def kl_counts(trial: WeightTrial) -> Finding:
    """Exact: one mean moved by 3 prior scales adds 9/2, wherever it is and however many others there are."""
    d = trial.description
    mean = np.full(d.weight_shape, d.prior_mean)
    prior = {"scale": d.prior_scale, "bias": d.prior_mean, "bias_scale": d.prior_scale}
    before = trial.load(mean=mean, **prior)
    at_prior = trial.guard.kl()
    where = tuple(int(trial.rng.integers(n)) for n in d.weight_shape)
    mean[where] += 3.0 * d.prior_scale
    held = trial.load(mean=mean, **prior)
    seen, right = trial.guard.kl() - at_prior, value(d, held) - value(d, before)
    wrong = not abs(seen - right) <= 2 * rounding(trial, held)
    return exact(wrong, f"one mean moved by 3 prior scales adds {seen:.6g} to the KL; {right:.6g} is right", 2)


def wide(d: Description) -> float:
    """A stored scale that is large, yet whose square is a number."""
    if d.scale in ("softplus", "identity"):
        return 1e4
    return (40.0 if d.dtype == "float32" else 300.0) * (2.0 if d.scale == "log_variance" else 1.0)


def narrow(d: Description) -> float:
    """A stored scale whose standard deviation is tiny, and under softplus below the smallest number."""
    return 1e-30 if d.scale == "identity" else -wide(d)


def moderately(d: Description, rho: float) -> float:
    """A hundredth of the softplus extreme, where exp overflows in float32 and not in float64."""
    return rho / 100.0 if d.scale == "softplus" else rho


def _at(trial: WeightTrial, levels: tuple[float, ...], where: str) -> Finding:
    """The first level at which the KL is wrong, or the last."""
    d = trial.description
    shape, out = d.weight_shape, (d.outputs,)
    found = []
    for level in levels:
        held = trial.load_raw(np.zeros(shape), np.full(shape, level), np.zeros(out), np.full(out, level))
        found.append(_compare(trial, held, f"at stored scales of {level:g}, {where},"))
    return next((one for one in found if one.refuted), found[-1])


@of_weights(
    "extreme-kl-wide",
    "The KL of very wide posteriors is finite and right.",
    needs=("kl",),
    when=has_kl,
    catches=(*WRONG_KL, "softplus-overflows", "kl-log-underflows"),
)
def extreme_kl_wide(trial: WeightTrial) -> Finding:
    """Exact; log(1 + exp(rho)) overflows where softplus does not."""
    d = trial.description
    return _at(trial, (moderately(d, wide(d)), wide(d)), "very wide")


@of_weights(
    "extreme-kl-narrow",
    "The KL of very narrow posteriors is finite and right.",
    needs=("kl",),
    when=has_kl,
    catches=(*WRONG_KL, "softplus-overflows", "kl-scale-as-stored", "kl-log-underflows"),
)
def extreme_kl_narrow(trial: WeightTrial) -> Finding:
    """Exact; the logarithm of a softplus is rho where softplus itself is zero."""
    d = trial.description
    return _at(trial, (narrow(d), moderately(d, narrow(d))), "very narrow")


CLAIMS = (kl_value, kl_at_prior, kl_counts, extreme_kl_wide, extreme_kl_narrow)
