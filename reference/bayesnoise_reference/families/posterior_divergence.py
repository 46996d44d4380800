"""Weights whose law has a structure: the divergence to the prior `N(0, p^2)`, its gradients, and how far it reaches.

Of n Gaussian weights it is `(tr S + |mu|^2) / (2 p^2) - (log|S| + n) / 2 + n log p`, S their covariance. The radial law
has the second moments `sigma^2 / n`, which is all that the prior asks for, and the entropy `sum log sigma + log A_n +
(1 - log(2 / pi) - (n - 1) (gamma + log 2)) / 2`: the density at distance R, in scales, is `2 phi(R) / (A_n R^(n-1))`,
`A_n = 2 pi^(n/2) / Gamma(n/2)` the area of the sphere, and `E log R = -(gamma + log 2) / 2`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from bayesnoise_reference import statistics
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, judged
from bayesnoise_reference.families._comparison import gradients_compared
from bayesnoise_reference.families.posterior import Posterior, PosteriorTrial, of_posterior
from bayesnoise_reference.scales import log_sigma_of, sigma_of

GAUSSIAN = ("k_tied", "matrix_gaussian", "low_rank")


def _entropy(n: int) -> float:
    """Of the radial law at scales of 1."""
    area = np.log(2.0) + 0.5 * n * np.log(np.pi) - float(gammaln(0.5 * n))
    return float(area + 0.5 * (1.0 - np.log(2.0 / np.pi) - (n - 1) * (np.euler_gamma + np.log(2.0))))


def _log_scale(kind: str, held: dict[str, Array]) -> Array:
    """Of independent weights: it is finite where the scale itself underflows."""
    if kind == "matrix_gaussian":
        return np.asarray(0.5 * (held["log_u"][:, None] + held["log_v"][None, :]))
    terms = held["log_u"][:, None, :] + held["log_v"][None, :, :]
    top = np.max(np.real(terms), axis=-1)
    return np.asarray(top + np.log(np.sum(np.exp(terms - top[..., None]), axis=-1)))


def value(d: Posterior, held: dict[str, Array]) -> Any:
    """The divergence; complex parameters pass through."""
    n, p2 = held["mu"].size, d.prior**2
    at_mean = np.sum(held["mu"] ** 2) / (2.0 * p2) + n * np.log(d.prior)
    if d.kind == "radial":
        spread = np.sum(sigma_of(held["rho"]) ** 2) / (2.0 * n * p2) + 0.5 * n * np.log(2.0 * np.pi)
        return at_mean + spread - np.sum(log_sigma_of(held["rho"])) - _entropy(n)
    if d.kind == "low_rank":
        columns = held["factor"].reshape(d.rank, n)
        covariance = np.diag(np.exp(2.0 * held["log_sigma"]).ravel()) + columns.T @ columns
        # The diagonal is taken out of the determinant, and its smallest scale out of what is left: both may underflow.
        least = min(0.0, float(np.min(np.real(held["log_sigma"]))))
        inner = columns * np.exp(least - held["log_sigma"]).ravel()
        left = np.linalg.det(np.exp(2.0 * least) * np.eye(d.rank) + inner @ inner.T)
        log_det = 2.0 * (np.sum(held["log_sigma"]) - d.rank * least) + np.log(left)
        return at_mean + np.trace(covariance) / (2.0 * p2) - 0.5 * log_det - 0.5 * n
    log_s = _log_scale(d.kind, held)
    return at_mean + np.sum(np.exp(2.0 * log_s) / (2.0 * p2) - log_s) - 0.5 * n


def _rounding(trial: PosteriorTrial, right: float, held: dict[str, Array]) -> float:
    """A bound on what rounding may do to it."""
    d, n = trial.description, held["mu"].size
    size = abs(right) + n * (4.0 + abs(np.log(d.prior))) + float(np.sum(held["mu"] ** 2)) / d.prior**2
    return float((256.0 + 8.0 * n**0.5) * trial.guard.eps * size)


def _closed(d: Posterior) -> bool:
    return d.kl_kind == "closed"


def _seen(trial: PosteriorTrial, **given: Any) -> tuple[float, float, float]:
    """The divergence, what is right, and what rounding may do."""
    held = trial.load(**given)
    right = float(np.real(value(trial.description, held)))
    return trial.guard.kl(), right, _rounding(trial, right, held)


def _found(trial: PosteriorTrial, where: str, **given: Any) -> Finding:
    """Its value, or what it changes by from other parameters where its constant is free."""
    seen, right, bound = _seen(trial, **given)
    verb = "is"
    if trial.description.constant == "free":
        other = _seen(trial)
        seen, right, bound, verb = seen - other[0], right - other[1], bound + other[2], "changes by"
    wrong = not abs(seen - right) <= bound
    more = f"; {right:.7g} is right" if wrong else ", as it should"
    return exact(wrong, f"the divergence {where} {verb} {seen:.7g}{more}", 1)


@of_posterior(
    "divergence",
    "The divergence is that of the law of all weights to the prior.",
    needs=("kl",),
    when=_closed,
    catches=(
        "kl-mean",
        "kl-sign",
        "kl-no-half",
        "kl-prior-variance-as-scale",
        "kl-reversed",
        "matrix-kl-traces-added",
        "matrix-kl-log-det-swapped",
        "matrix-kl-log-det-once",
        "low-rank-kl-diagonal-log-det",
        "low-rank-kl-log-det-doubled",
        "low-rank-kl-trace-missing",
        "low-rank-kl-trace-doubled",
        "radial-kl-gaussian",
        "radial-kl-scale-undivided",
        "radial-kl-no-constant",
    ),
)
def divergence(trial: PosteriorTrial) -> Finding:
    """Exact, at random parameters."""
    return _found(trial, "at random parameters")


@of_posterior(
    "divergence-at-prior",
    "The divergence of a law that is the prior is zero.",
    needs=("kl",),
    kinds=GAUSSIAN,
    catches=("kl-no-half", "kl-prior-variance-as-scale", "matrix-kl-traces-added", "matrix-kl-log-det-once"),
)
def divergence_at_prior(trial: PosteriorTrial) -> Finding:
    """Exact: each product an equal share of the scale, or a factor of 0."""
    d, level = trial.description, float(np.log(trial.description.prior))
    each = {"k_tied": level - np.log(d.rank), "matrix_gaussian": 2.0 * level, "low_rank": 0.0}[d.kind]
    seen, right, bound = _seen(trial, mu=0.0, log_u=each, log_v=0.0, log_sigma=level, factor=0.0)
    wrong = not abs(seen - right) <= bound
    return exact(wrong, f"the divergence of a law that is the prior is {seen:.6g}; 0 is right", 1)


@of_posterior(
    "divergence-narrow",
    "The divergence of scales that underflow is finite and right.",
    needs=("kl",),
    when=_closed,
    catches=("kl-log-underflows", "low-rank-kl-overflows", "kl-sign", "kl-mean"),
)
def divergence_narrow(trial: PosteriorTrial) -> Finding:
    """Exact: the logarithm of a scale is a number where the scale is 0."""
    narrow = dict.fromkeys(("log_u", "log_v", "rho", "log_sigma"), -1000.0)
    return _found(trial, "of scales that underflow", **narrow)


@of_posterior(
    "divergence-gradient",
    "The gradient of the divergence is its derivative by every parameter.",
    needs=("kl_gradients",),
    when=_closed,
    catches=("kl-gradient-sign", "kl-gradient-of-one-missing", "kl-mean", "kl-sign", "kl-prior-variance-as-scale"),
)
def divergence_gradient(trial: PosteriorTrial) -> Finding:
    """Exact, by complex step."""
    held = trial.load()
    found = trial.guard.kl_gradients()

    def of(p: dict[str, Array]) -> Any:
        return value(trial.description, p)

    return gradients_compared(trial, found, held, of, "the gradient of the divergence")


def _estimates(trial: PosteriorTrial, **given: Any) -> tuple[Array, float, float]:
    """Divergences at fresh draws, their mean, and their variance, that of `sum (mu + sigma r u)^2 / (2 p^2)`.

    It is quadratic in `r u`: `E r^4 = 3`, `E (u'Du)^2 = ((tr D)^2 + 2 tr D^2) / (n (n + 2))`, odd powers have mean 0.
    """
    d, held = trial.description, trial.load(**given)
    n, sigma = held["mu"].size, sigma_of(held["rho"])
    squares, along = sigma**2 / (2.0 * d.prior**2), held["mu"] * sigma / d.prior**2
    fourth = 3.0 * (np.sum(squares) ** 2 + 2.0 * np.sum(squares**2)) / (n * (n + 2.0))
    variance = fourth - (np.sum(squares) / n) ** 2 + np.sum(along**2) / n
    found = np.array([trial.guard.kl() for _ in range(4 * trial.calls)])
    return found, float(value(d, held)), float(variance)


@of_posterior(
    "divergence-drawn",
    "The divergence estimated at a draw of the weights has the divergence as its mean.",
    needs=("kl",),
    kinds=("radial",),
    when=lambda d: d.kl_kind == "monte_carlo",
    catches=(
        "kl-sign",
        "kl-mean",
        "kl-prior-variance-as-scale",
        "kl-draw-doubled",
        "radial-kl-gaussian",
        "radial-kl-no-constant",
    ),
)
def divergence_drawn(trial: PosteriorTrial) -> Finding:
    """An e-value, of estimates whose variance is known; a constant that is free is in narrow ones too."""
    found, right, variance = _estimates(trial)
    if trial.description.constant == "free":
        other = _estimates(trial, mu=0.0, rho=-6.0)
        found, right, variance = found - other[0], right - other[1], variance + other[2]
    said = f"estimates of the divergence average {np.mean(found):.5g}; {right:.5g} is right"
    return judged(statistics.catoni(found, right, variance, alpha=trial.alpha), said)


@of_posterior(
    "divergence-drawn-afresh",
    "The divergence is estimated at a draw of its own in every call.",
    needs=("kl",),
    kinds=("radial",),
    when=lambda d: d.kl_kind == "monte_carlo",
    catches=("kl-draw-fixed", "kl-draw-at-mean"),
)
def divergence_drawn_afresh(trial: PosteriorTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    trial.load()
    same = trial.guard.kl() == trial.guard.kl()
    return exact(same, f"two estimates of the divergence are {'the same' if same else 'different'}", 2)


CAUSES = {
    "kl-gradient-sign": "the gradient of the divergence has the wrong sign",
    "kl-gradient-of-one-missing": "one parameter gets no gradient of the divergence",
    "matrix-kl-traces-added": "the traces of the rows' and the columns' covariance are added: they are multiplied",
    "matrix-kl-log-det-swapped": "the determinant of the rows counts once an input, that of the columns once an output",
    "matrix-kl-log-det-once": "the determinants count once, not once a column and once a row",
    "low-rank-kl-diagonal-log-det": "the determinant in the divergence is that of the diagonal",
    "low-rank-kl-log-det-doubled": "the determinant of the factor's part counts twice in the divergence",
    "low-rank-kl-trace-missing": "the divergence leaves out the squares of the factor",
    "low-rank-kl-trace-doubled": "the divergence counts the squares of the factor twice",
    "low-rank-kl-overflows": "the divergence divides the factor by scales that underflow: the determinant is infinite",
    "radial-kl-gaussian": "the divergence is that of independent Gaussian weights of the same scales",
    "radial-kl-scale-undivided": "the divergence takes sigma^2 for the variance of a weight: it is divided by n",
    "radial-kl-no-constant": "the divergence lacks the constant of the entropy",
}

CLAIMS = (
    divergence,
    divergence_at_prior,
    divergence_narrow,
    divergence_gradient,
    divergence_drawn,
    divergence_drawn_afresh,
)
