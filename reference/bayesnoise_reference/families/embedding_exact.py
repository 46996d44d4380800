"""An embedding exactly: its output for given noise, its gradients for a draw, and its divergence."""

from __future__ import annotations

from functools import partial

import numpy as np

from bayesnoise_reference import dense, divergences, embedding, flipout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.families.embedding import EmbeddingTrial, of_embedding
from bayesnoise_reference.numerics import complex_step


@of_embedding(
    "replay",
    "For given noise each example reads the rows of the weights that the noise makes.",
    needs=("sample_with_noise",),
    catches=(
        "embedding-row-off-by-one",
        "embedding-padding-row",
        "scale-as-variance",
        "variance-as-scale",
        "scale-exp-for-softplus",
        "embedding-noise-without-rows",
        "signs-on-the-whole-weight",
        "no-noise",
    ),
)
def replay(trial: EmbeddingTrial) -> Finding:
    """Exact: one-hot vectors times each example's own weights."""
    d, rng = trial.description, trial.rng
    held, x = trial.load(), trial.words(3)
    noise: dict[str, Array] = {"zeta": rng.standard_normal((*x.shape, d.features))}
    if d.estimator != "local":
        noise = {"eps": rng.standard_normal((d.rows, d.features))}
    if d.estimator == "flipout":
        noise["sign_in"] = rng.choice([-1.0, 1.0], (3, d.rows))
        noise["sign_out"] = rng.choice([-1.0, 1.0], (3, d.features))
    noise = {k: trial.rounded(v) for k, v in noise.items()}
    if d.estimator == "local":
        at = x.astype(int)
        right = held.mean[at] + held.scale[at] * noise["zeta"]
    elif d.estimator == "shared":
        right = np.stack([embedding.output(x_n, held.mean + held.scale * noise["eps"]) for x_n in x])
    else:
        given = (noise["eps"], noise["sign_in"], noise["sign_out"])
        right = flipout.output(x, held.mean, held.scale, *given, embedding.output, dense.sign_pattern)
    off = float(np.max(np.abs(trial.guard.sample_with_noise(x, noise) - right)))
    wrong = not off <= trial.bound(held)
    return exact(wrong, f"for given noise the output is off the definition by {off:.3g} at most", 1)


@of_embedding(
    "gradients",
    "The gradient of a row is the sum over the positions that read it; that of a scale has the draw of each as factor.",
    needs=("sample", "gradients"),
    catches=(
        "embedding-gradient-last-wins",
        "gradient-mean-averaged",
        "gradient-scale-without-chain",
        "gradient-scale-zero",
        "gradient-noise-redrawn",
    ),
)
def gradients(trial: EmbeddingTrial) -> Finding:
    """Exact, for the draw of that very call, with words that are read several times and one that is not."""
    d, held = trial.description, trial.load()
    x = trial.rng.integers(0, d.rows - 1, (3, 2 * d.rows)).astype(np.float64)
    g = trial.rng.standard_normal((*x.shape, d.features))
    g = trial.rounded(g)
    found = trial.guard.gradients(x, g)
    if "y" not in found:
        return not_run("gradients give no output of their draw")
    by_mean, by_rho = np.zeros(held.mean.shape), np.zeros(held.mean.shape)
    z = trial.draws(x, held, found["y"])
    for n, t in np.ndindex(*x.shape):
        row = int(x[n, t])
        by_mean[row] += g[n, t]
        by_rho[row] += g[n, t] * z[n, t] * held.slope[row]
    off = {"mean": np.max(np.abs(found["mean"] - by_mean)), "rho": np.max(np.abs(found["rho"] - by_rho))}
    name = max(off, key=lambda k: float(off[k]))
    wrong = not off[name] <= 1e4 * trial.guard.eps * (1.0 + np.max(np.abs(by_mean)))
    return exact(wrong, f"the gradient of {name} is off the sum over positions by {off[name]:.3g} at most", 1)


@of_embedding(
    "kl",
    "The KL counts every weight once.",
    needs=("kl",),
    when=lambda d: d.prior is not None,
    catches=("kl-mean", "kl-sign", "kl-reversed", "kl-no-half", "kl-prior-variance-as-scale", "kl-scale-as-stored"),
)
def kl(trial: EmbeddingTrial) -> Finding:
    """Exact: quadrature of the definition."""
    held, prior = trial.load(), trial.description.prior
    assert prior is not None
    right = float(np.real(divergences.gaussian(held.mean, held.scale, 0.0, prior)))
    seen = trial.guard.kl()
    wrong = not abs(seen - right) <= 256.0 * trial.guard.eps * abs(right)
    return exact(wrong, f"the KL is {seen:.6g}; {right:.6g} is right", 1)


@of_embedding(
    "kl-gradients",
    "The gradients of the KL are its derivatives, of every weight by itself.",
    needs=("kl_gradients",),
    when=lambda d: d.prior is not None,
    catches=("kl-mean", "kl-sign", "kl-reversed", "kl-prior-variance-as-scale", "gradient-scale-without-chain"),
)
def kl_gradients(trial: EmbeddingTrial) -> Finding:
    """Exact: a complex step through the quadrature of one weight of each row."""
    held, prior, seen = trial.load(), trial.description.prior, trial.guard.kl_gradients()
    for row in range(trial.description.rows):
        at = row, int(trial.rng.integers(trial.description.features))
        mean, scale = held.mean[at], held.scale[at]
        kl_of = partial(divergences.gaussian, prior_mean=0.0, prior_scale=prior)
        by_mean = float(complex_step(partial(kl_of, scale=scale), mean))
        by_scale = float(complex_step(partial(kl_of, mean), scale))
        for name, right in (("mean", by_mean), ("rho", by_scale * held.slope[at])):
            if not abs(seen[name][at] - right) <= 4096.0 * trial.guard.eps * (1.0 + abs(right)):
                said = f"the gradient of the KL by a {name} is {seen[name][at]:.6g}; {right:.6g} is right"
                return exact(True, said, 1)
    return exact(False, "the gradients of the KL are its derivatives", trial.description.rows)


CLAIMS = (replay, gradients, kl, kl_gradients)
