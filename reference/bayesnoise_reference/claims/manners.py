"""What a layer does between calls: evaluation, saving, networks of layers, a prior of its own, seeds."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims.causes import WRONG_KL
from bayesnoise_reference.claims.claim import Finding, of_weights
from bayesnoise_reference.claims.divergence import rounding, value
from bayesnoise_reference.claims.judge import exact, not_run
from bayesnoise_reference.claims.weight_trial import WeightTrial


def _closed(d: Description) -> bool:
    return d.prior is not None and d.kl_kind == "closed"


@of_weights(
    "evaluation-repeats",
    "Two passes without noise on the same input are the same to the last bit.",
    needs=("evaluate",),
    catches=("evaluation-noisy",),
)
def evaluation_repeats(trial: WeightTrial) -> Finding:
    """Exact."""
    trial.load()
    x = trial.rows(3)
    same = np.array_equal(trial.guard.evaluate(x), trial.guard.evaluate(x))
    return exact(not same, f"two passes in evaluation {'are the same' if same else 'differ'}", 2)


@of_weights(
    "evaluation-mean",
    "A pass without noise is that of the mean weights and the mean bias.",
    needs=("evaluate",),
    catches=("evaluation-noisy", "evaluation-scaled", "evaluation-drops-bias", "mean-shrunk", "bias-missing"),
)
def evaluation_mean(trial: WeightTrial) -> Finding:
    """Exact: no factor makes up for noise that has mean zero."""
    held, x = trial.load(), trial.rows(3)
    y, right = trial.guard.evaluate(x), trial.mean_output(x, held)
    wrong = not np.all(np.abs(y - right) <= trial.rounding(x, held))
    worst = float(np.max(np.abs(y - right)))
    said = f"differ by up to {worst:.3g} from those" if wrong else "are those"
    return exact(wrong, f"outputs in evaluation {said} of the mean weights", 1)


def _draw(trial: WeightTrial, x: Array, seed: int) -> Array:
    trial.guard.seed(seed)
    return trial.guard.sample(x)


@of_weights(
    "seed-repeats",
    "A seed repeats the noise, and another seed does not.",
    needs=("sample", "seed"),
    catches=("seed-ignored", "no-noise"),
)
def seed_repeats(trial: WeightTrial) -> Finding:
    """Exact: continuous draws coincide with probability zero."""
    trial.load()
    x = trial.rows(2)
    first, again, other = (_draw(trial, x, seed) for seed in (1, 1, 2))
    if not np.array_equal(first, again):
        return exact(True, "the same seed gave other noise", 2)
    return exact(bool(np.array_equal(first, other)), "the same seed gave the same noise, another seed other noise", 3)


@of_weights(
    "restores",
    "A layer that was saved and restored draws what it drew.",
    needs=("sample", "seed", "save", "restore"),
    catches=("restore-forgets-scale", "restore-forgets-mean", "restore-rounds", "seed-ignored"),
)
def restores(trial: WeightTrial) -> Finding:
    """Exact, to the last bit: another set of parameters is loaded between saving and restoring."""
    trial.load()
    x = trial.rows(3)
    before = _draw(trial, x, 1)
    saved = trial.guard.save()
    trial.load()
    trial.guard.restore(saved)
    after = _draw(trial, x, 1)
    worst = float(np.max(np.abs(after - before)))
    return exact(worst > 0, f"after saving and restoring, the same draw differs by up to {worst:.3g}; 0 is right", 2)


def _network(trial: WeightTrial, arrangement: str, words: str) -> Finding:
    held = trial.load()
    seen, right = trial.guard.network_kl(arrangement), value(trial.description, held)
    if seen is None:
        return not_run(f"there is no network with the layer {words} to be asked")
    wrong = not abs(seen - right) <= 2.0 * rounding(trial, held)
    times = f", {seen / right:.3g} times what is right" if wrong else ""
    return exact(wrong, f"the KL of a network with the layer {words} is {seen:.6g}{times}; {right:.6g} is right", 1)


@of_weights(
    "kl-nested",
    "A layer inside a part of a part counts once in the KL of the network.",
    needs=("network_kl",),
    when=_closed,
    catches=("kl-nested-twice", "kl-nested-missed", *WRONG_KL, "kl-scale-as-stored"),
)
def kl_nested(trial: WeightTrial) -> Finding:
    """Exact: what walks over a network meets a nested layer at every level, or at none."""
    return _network(trial, "nested", "inside a part of a part")


@of_weights(
    "kl-shared",
    "A layer that a network uses twice counts once in its KL.",
    needs=("network_kl",),
    when=_closed,
    catches=("kl-shared-twice", *WRONG_KL, "kl-scale-as-stored"),
)
def kl_shared(trial: WeightTrial) -> Finding:
    """Exact: its weights are the same random variables in both places."""
    return _network(trial, "shared", "in two places")


@of_weights(
    "prior-of-its-own",
    "The prior stays where it is when the posterior moves.",
    needs=("kl",),
    when=_closed,
    catches=(
        "prior-aliases-posterior",
        "prior-follows-posterior",
        "kl-mean",
        "kl-sign",
        "kl-no-half",
        "kl-prior-mean-ignored",
        "kl-prior-variance-as-scale",
        "kl-scale-as-stored",
    ),
)
def prior_of_its_own(trial: WeightTrial) -> Finding:
    """Exact: the means go 3 prior scales away and back, and the KL with them."""
    d = trial.description
    home = {"scale": d.prior_scale, "bias": d.prior_mean, "bias_scale": d.prior_scale}
    trial.load(mean=d.prior_mean, **home)
    trial.guard.kl()
    away = trial.load(mean=d.prior_mean + 3.0 * d.prior_scale, **home)
    seen, right = trial.guard.kl(), value(d, away)
    if not abs(seen - right) <= rounding(trial, away):
        return exact(True, f"with every mean 3 prior scales away the KL is {seen:.6g}; {right:.6g} is right", 2)
    back, bound = trial.load(mean=d.prior_mean, **home), rounding(trial, away)
    seen = trial.guard.kl()
    wrong = not abs(seen - value(d, back)) <= bound
    return exact(wrong, f"with the means moved away and back the KL is {seen:.6g}; 0 is right", 3)


CLAIMS = (
    evaluation_repeats,
    evaluation_mean,
    seed_repeats,
    restores,
    kl_nested,
    kl_shared,
    prior_of_its_own,
)
