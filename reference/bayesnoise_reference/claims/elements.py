"""Every element of an output by itself: an error in a few of them is lost in a law that is of all together."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.judge import among, judged
from bayesnoise_reference.claims.numbers import sum_of_squares
from bayesnoise_reference.claims.weight_trial import WeightTrial

_EXAMPLES = 8


@of_weights(
    "sum-everywhere",
    "Every output of every example has the variance sum x^2 scale^2, wherever it stands.",
    catches=("no-noise", "signs-zero-one", "variance-without-root", "signs-of-the-noise", "scale-exp-for-softplus"),
)
def sum_everywhere(trial: WeightTrial) -> Finding:
    """Chi-square of each element through the calls, the least likely times their number.

    Inputs of one sign and about one size make weights that share a sign add up.
    """
    d, held = trial.description, trial.without_bias(mean=0.0, scale=1.0)
    x = np.abs(trial.away_from_zero(*trial.rows(_EXAMPLES).shape))
    y = np.stack([trial.guard.sample(x) for _ in range(trial.calls)])
    z = (y / np.sqrt(trial.variance(x, held))).reshape(trial.calls, _EXAMPLES, d.outputs, -1)
    at = trial.rng.integers(z.shape[3], size=(1, _EXAMPLES, d.outputs, 1))  # one position of each
    z = np.take_along_axis(z, at, axis=3)[..., 0]
    score = np.abs(sum_of_squares(np.moveaxis(z, 0, 2)))
    example, output = np.unravel_index(int(np.argmax(score)), score.shape)
    worst = z[:, example, output]
    verdict = statistics.normal_variance(worst, 1.0, mean=0.0, alpha=trial.alpha / score.size)
    said = (
        f"of {score.size} elements of an output, that of example {example} and output {output} is farthest off: it has"
    )
    return judged(
        among(verdict, score.size),
        f"{said} {np.mean(worst**2):.3g} times the variance that it should have; 1 is right",
        worst,
    )


CLAIMS = (sum_everywhere,)
