"""Exact claims about drawn weights: fresh draws, evaluation, the covariance of draws from given noise, the KL."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families._comparison import compared
from bayesnoise_reference.families.weight_draws import DrawsTrial, covariance, divergence, of_weight_draws


@of_weight_draws(
    "fresh",
    "Every call draws anew.",
    catches=("draws-fixed",),
)
def fresh(trial: DrawsTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    trial.load()
    first, second = (trial.guard.sample(np.zeros((2, 1))) for _ in range(2))
    same = bool(np.array_equal(first, second))
    return exact(same, f"two calls gave {'the same draws' if same else 'draws of their own'}", 2)


@of_weight_draws(
    "evaluation",
    "A pass without noise is at the mean of the law.",
    needs=("evaluate",),
    catches=("draws-evaluation-noisy", "draws-mean-missing", "draws-mean-shrunk"),
)
def evaluation(trial: DrawsTrial) -> Finding:
    """Exact, to rounding."""
    held = trial.load()
    got = trial.guard.evaluate(np.zeros((2, 1)))
    return compared(trial, {"mean": (got, np.broadcast_to(held["mean"], got.shape))}, 4.0, "in evaluation the")


@of_weight_draws(
    "replay",
    "A draw is linear in its noise, from the mean, by a root of the covariance.",
    needs=("sample_with_noise",),
    catches=(
        "draws-mean-missing",
        "draws-mean-shrunk",
        "draws-noise-ignored",
        "draws-too-wide",
        "draws-variance-as-scale",
        "draws-examples-forgotten",
        "draws-prior-forgotten",
        "draws-prior-twice",
        "draws-prior-as-variance",
        "draws-prior-unscaled",
        "draws-reversed",
        "draws-full-diagonal",
        "draws-full-low-rank",
        "draws-divided-by-rank",
        "draws-second-moment",
        "draws-no-low-rank",
        "draws-no-diagonal",
        "draws-marginals-only",
        "draws-factor-in-covariance",
        "draws-root-missing",
        "draws-shared-by-parameters",
    ),
)
def replay(trial: DrawsTrial) -> Finding:
    """Exact, to rounding: the noise is 0 in the first row and one unit vector in each other, which shows the root."""
    d, held = trial.description, trial.load()
    extra = d.rank if d.kind == "swag" else 0
    units = np.concatenate([np.zeros((1, d.size + extra)), np.eye(d.size + extra)])
    noise = {"diagonal": units[:, : d.size], "low_rank": units[:, d.size :]} if extra else {"eps": units}
    drawn = trial.guard.sample_with_noise(np.zeros((len(units), 1)), noise)
    matrix = covariance(d, held)
    sd = np.sqrt(np.diag(matrix))
    root = (drawn[1:] - drawn[0]) / sd
    pairs: dict[str, tuple[Array, Array]] = {
        "mean": (drawn[0] / sd, held["mean"] / sd),
        "covariance": (root.T @ root, matrix / np.outer(sd, sd)),
    }
    return compared(trial, pairs, 256.0, "from given noise the")


@of_weight_draws(
    "kl",
    "The divergence is that of the whole law to its prior, summed over the weights.",
    needs=("kl",),
    kinds=("diagonal", "slang"),
    catches=("draws-kl-mean-missing", "draws-kl-averaged", "draws-kl-reversed"),
)
def kl(trial: DrawsTrial) -> Finding:
    """Exact, to rounding: the closed form, with every matrix written out."""
    held = trial.load()
    seen, right = trial.guard.kl(), divergence(trial.description, held)
    wrong = not abs(seen - right) <= 1e3 * trial.guard.eps * (abs(right) + trial.description.size)
    return exact(wrong, f"the KL is {seen:.6g}; {right:.6g} is right", 1)


CLAIMS = (fresh, evaluation, replay, kl)
