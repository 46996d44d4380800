"""Noise of learned strength where numbers overflow: rates near 0 and 1, and activations and strengths far out."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.guard import AdapterError
from bayesnoise_reference.claims.claim import Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.families.strength import INFORMATION, StrengthTrial, of_strength

CAUSES = {
    "strength-rate-rounded": "the rate is computed before its logarithm and 1 - p, which lose their digits near 1",
    "strength-sigmoid-overflows": "the sigmoid of alpha is computed as e^s / (1 + e^s), which overflows",
    "strength-activation-overflows": "the softplus of an activation is computed as log(1 + e^h), which overflows",
    "strength-kl-log-underflows": "the divergence takes the logarithm of a softplus that has become zero",
}
_LOGIT = 40.0  # beyond it a rate is 1 in any dtype
_FAR = 500.0  # weights, beyond the range of an exponential


@of_strength(
    "rates-far-out",
    "At rates near 0 and 1 outputs are finite, and the divergence and its gradients are right.",
    needs=("sample", "kl", "kl_gradients"),
    kinds=("concrete",),
    catches=("strength-rate-rounded",),
)
def rates_far_out(trial: StrengthTrial) -> Finding:
    """Exact: the entropy is 0 to rounding, and 1 / (1 - p) is 1 + e^logit."""
    d = trial.description
    for logit in (-_LOGIT, _LOGIT):
        held = trial.load(diagonal=False, logit=logit)
        if not np.all(np.isfinite(trial.guard.sample(trial.x(), finite=False))):
            return exact(True, f"at logit {logit:g} an output is not finite", 1)
        penalty = np.sum(held["theta"] ** 2) / (2.0 * d.prior**2)
        seen, slopes = trial.guard.kl(), trial.guard.kl_gradients(finite=False)
        right = penalty * (1.0 + np.exp(held["logit"]))
        if not abs(seen - right) <= trial.rounding(right + d.units):
            return exact(True, f"at logit {logit:g} the divergence is {seen:.6g}; {right:.6g} is right", 1)
        by_logit = penalty * np.exp(held["logit"])
        if not abs(slopes["logit"] - by_logit) <= trial.rounding(by_logit + d.units):
            return exact(True, f"at logit {logit:g} the gradient of the divergence by it is {slopes['logit']:.6g}", 1)
    return exact(False, "at rates near 0 and 1 numbers are finite and right", 2)


def _useless(error: AdapterError) -> Finding:
    if error.kind == "hangs":
        raise error
    return exact(True, f"far out, {error.sentence}", 1)


def _far(trial: StrengthTrial) -> tuple[dict[str, Array], Array, Array, Array]:
    """Diagonal weights far out, of all signs, and an input; with what they make of it, and the activation of that."""
    d = trial.description
    unit = np.arange(d.units)
    theta, strength = (np.diag(_FAR * (1.0 - 2.0 * (unit // n % 2))) for n in (1, 2))
    held = trial.guard.load({"theta": theta, "theta_alpha": strength})
    x = trial.x(5)
    h = x @ held["theta"]
    return held, x, h, np.maximum(h, 0.0) if d.kind == "log_uniform" else np.logaddexp(0.0, h)


@of_strength(
    "far-out",
    "Activations and strengths far out give outputs by the definition.",
    needs=("sample_with_noise",),
    kinds=INFORMATION,
    catches=("strength-sigmoid-overflows", "strength-activation-overflows"),
)
def far_out(trial: StrengthTrial) -> Finding:
    """Exact."""
    d = trial.description
    held, x, _, f = _far(trial)
    zeta = np.round(64.0 * trial.rng.standard_normal(x.shape)) / 64.0
    right = f * np.exp((d.least + d.span * expit(x @ held["theta_alpha"])) * zeta)
    bound = trial.rounding(right) + np.finfo(trial.guard.dtype).tiny  # what is below may be rounded to 0
    try:
        wrong = not np.all(np.abs(trial.guard.sample_with_noise(x, {"zeta": zeta}) - right) <= bound)
    except AdapterError as error:
        return _useless(error)
    return exact(wrong, f"far out, an output {'is not' if wrong else 'is'} that of the definition", 1)


@of_strength(
    "example-kl-far-out",
    "Where an activation is all but zero its divergence is as large as it should be.",
    needs=("example_kl",),
    kinds=("log_normal",),
    catches=("strength-kl-log-underflows", "strength-activation-overflows", "strength-sigmoid-overflows"),
)
def example_kl_far_out(trial: StrengthTrial) -> Finding:
    """Exact, by quadrature: the logarithm of a softplus far below zero is its argument."""
    d = trial.description
    held, x, h, f = _far(trial)
    log_f = np.where(h < 0.0, h, np.log(np.maximum(f, 1.0)))
    alpha = d.least + d.span * expit(x @ held["theta_alpha"])
    each = [divergences.gaussian(0.0, s, -m, 1.0) for m, s in zip(log_f, alpha, strict=True)]  # around the mean
    right = d.beta * np.asarray(np.real(each), dtype=np.float64)
    try:
        seen = trial.guard.ask("example_kl", x=x)
    except AdapterError as error:
        return _useless(error)
    wrong = not np.all(np.abs(seen - right) <= 4.0 * trial.rounding(right))
    return exact(wrong, f"far out, the divergence of an example is {seen[0]:.6g}; {right[0]:.6g} is right", right.size)


CLAIMS = (rates_far_out, far_out, example_kl_far_out)
