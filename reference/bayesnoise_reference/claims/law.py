"""The law of one output: its mean, its variance and its shape, exactly Gaussian once the design is given.

The draw behind a single weight is read off an impulse, `(y - mean) / scale`, and a whole sum off a dense row,
`(y - B(x, mean)) / sqrt(sum x^2 scale^2)`. Both are standard normal, and independent across weights, outputs and calls.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import exact, judged, standard_normal
from bayesnoise_reference.claims.readings import mean_of, variance_of
from bayesnoise_reference.claims.weight_trial import TINY, Loaded, WeightTrial


def _weights(trial: WeightTrial) -> Array:
    # Means of one sign, here and below, so that an error in proportion to them does not average out.
    held = trial.without_bias(mean=np.abs(trial.rng.standard_normal(trial.description.weight_shape)))
    return trial.read(designs.reading(trial.description, trial.rng), held).ravel()


def _positive(trial: WeightTrial) -> Loaded:
    d, rng = trial.description, trial.rng
    return trial.load(mean=np.abs(rng.standard_normal(d.weight_shape)), bias=np.abs(rng.standard_normal(d.outputs)))


def _sums(trial: WeightTrial) -> Array:
    """One dense row a call, one position of it: (calls * out,) standard normal."""
    d, held, draws = trial.description, _positive(trial), []
    for _ in range(trial.calls):
        x = np.abs(trial.rows(1))
        z = (trial.guard.sample(x) - trial.mean_output(x, held)) / np.sqrt(trial.variance(x, held))
        position = trial.rng.integers(z[0, 0].size)
        draws.append(z[0].reshape(d.outputs, -1)[:, position])
    return np.concatenate(draws)


def _biases(trial: WeightTrial) -> Array:
    """An input of zeros: the bias alone, one position of it."""
    d, held, draws = trial.description, _positive(trial), []
    x = np.zeros(designs.input_shape(d, 1))
    for _ in range(trial.calls):
        y = trial.guard.sample(x)[0].reshape(d.outputs, -1)[:, 0]
        draws.append((y - held.bias) / held.bias_scale)
    return np.concatenate(draws)


def _shape(trial: WeightTrial, z: Array, what: str) -> Finding:
    verdict = standard_normal(z, trial.alpha)
    fourth = np.mean(z**4) / max(float(np.mean(z**2)), 1e-300) ** 2
    return judged(verdict, f"{what} has a law with kurtosis {fourth:.3g}; Gaussian, 3, is right", z)


@of_weights(
    "scale-zero",
    "With all scales zero the output is exactly that of the mean weights, every time.",
    catches=(
        "scale-softplus-missing",
        "mean-shrunk",
        "bias-missing",
        "mean-noised",
        "signs-on-the-whole-weight",
        "variance-floor",
        "scale-floor",
    ),
)
def scale_zero(trial: WeightTrial) -> Finding:
    """Exact: nothing random may touch the mean."""
    held = trial.load(scale=TINY, bias_scale=TINY)
    worst = 0.0
    for _ in range(4):
        x = trial.rows(5)
        error = np.abs(trial.guard.sample(x) - trial.mean_output(x, held))
        worst = max(worst, float(np.max(error / trial.rounding(x, held))))
    if worst <= 1.0:
        return exact(False, "with all scales zero the output is that of the mean weights, to rounding", 4)
    return exact(
        True, f"with all scales zero the output differs from that of the mean weights by {worst:.3g} roundings", 4
    )


@of_weights(
    "weight-mean",
    "A weight, read off an impulse, has the mean that it was given.",
    catches=("mean-shrunk", "signs-on-the-whole-weight"),
)
def weight_mean(trial: WeightTrial) -> Finding:
    """The mean of iid standard normal draws, one a weight and call."""
    return mean_of(trial, _weights(trial), "a weight")


@of_weights(
    "weight-variance",
    "A weight, read off an impulse, has the square of its scale as variance.",
    catches=(
        "no-noise",
        "scale-as-variance",
        "variance-as-scale",
        "scale-exp-for-softplus",
        "scale-softplus-missing",
        "output-transposed-noise",
        "signs-on-the-whole-weight",
        "signs-zero-one",
        "variance-without-root",
    ),
)
def weight_variance(trial: WeightTrial) -> Finding:
    """The sum of squares of the same draws: chi-square."""
    return variance_of(trial, _weights(trial), "a weight")


@of_weights(
    "weight-law",
    "A weight, read off an impulse, is Gaussian.",
    catches=(
        "rademacher-noise",
        "no-noise",
        "variance-as-scale",
        "scale-exp-for-softplus",
        "scale-softplus-missing",
        "mean-shrunk",
        "signs-on-the-whole-weight",
        "signs-zero-one",
        "variance-without-root",
    ),
)
def weight_law(trial: WeightTrial) -> Finding:
    """Kolmogorov's distance of the same draws to the normal law."""
    return _shape(trial, _weights(trial), "a weight")


@of_weights(
    "sum-mean",
    "The output of a dense row has the mean of the mean weights.",
    catches=("mean-shrunk", "signs-on-the-whole-weight"),
)
def sum_mean(trial: WeightTrial) -> Finding:
    """The mean of iid standard normal draws, one an output and call."""
    return mean_of(trial, _sums(trial), "an output of a dense row")


@of_weights(
    "sum-variance",
    "The output of a dense row has the variance sum x^2 scale^2, and that of the bias.",
    catches=(
        "no-noise",
        "scale-exp-for-softplus",
        "signs-on-the-whole-weight",
        "signs-zero-one",
        "variance-without-root",
    ),
)
def sum_variance(trial: WeightTrial) -> Finding:
    """Their sum of squares: chi-square."""
    return variance_of(trial, _sums(trial), "an output of a dense row")


@of_weights(
    "sum-law",
    "The output of a dense row is Gaussian.",
    catches=(
        "no-noise",
        "signs-on-the-whole-weight",
    ),
)
def sum_law(trial: WeightTrial) -> Finding:
    """Their Kolmogorov distance to the normal law."""
    return _shape(trial, _sums(trial), "an output of a dense row")


@of_weights(
    "bias-mean",
    "A random bias has the mean that it was given.",
    when=lambda d: d.bias == "random",
    catches=("bias-missing",),
)
def bias_mean(trial: WeightTrial) -> Finding:
    """An input of zeros shows the bias alone."""
    return mean_of(trial, _biases(trial), "a bias")


@of_weights(
    "bias-variance",
    "A random bias has the square of its scale as variance.",
    when=lambda d: d.bias == "random",
    catches=(
        "no-noise",
        "scale-exp-for-softplus",
        "bias-noise-missing",
        "bias-scale-doubled",
    ),
)
def bias_variance(trial: WeightTrial) -> Finding:
    """An input of zeros shows the bias alone."""
    return variance_of(trial, _biases(trial), "a bias")


@of_weights(
    "bias-law",
    "A random bias is Gaussian.",
    when=lambda d: d.bias == "random",
    catches=("eps-across-calls", "rademacher-noise", "no-noise", "bias-missing", "bias-noise-missing"),
)
def bias_law(trial: WeightTrial) -> Finding:
    """An input of zeros shows the bias alone."""
    return _shape(trial, _biases(trial), "a bias")


CLAIMS = (
    scale_zero,
    weight_mean,
    weight_variance,
    weight_law,
    sum_mean,
    sum_variance,
    sum_law,
    bias_mean,
    bias_variance,
    bias_law,
)
