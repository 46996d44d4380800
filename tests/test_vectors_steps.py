"""The steps of golden vectors, put one after another, are whole runs of the papers' algorithms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import natural_gradient
from bayesnoise_reference import slang as joint_runs
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors import joint, steps

EXAMPLES, PRIOR, FIRST_PRECISION = 8.0, 0.5, 1.5
RATES = (0.25, 0.5, 0.125, 0.25)
SHARES = np.array([0.25, 1.0, 2.5])  # of the examples of a batch, in the gradient


def gradient(w: Array, t: int = 0) -> Array:
    """That of `(1 + t) sum (w^2 / 2 + w^4 / 4)`: a curvature that is not constant."""
    return np.asarray((1.0 + t) * (w + w**3))


def gradients(w: Array, t: int = 0) -> Array:
    """Those of the examples, a row each."""
    return np.outer(SHARES, gradient(w, t))


@pytest.mark.parametrize(("name", "beta1", "beta2"), [(n, *b) for n in ("ivon", "vadam", "vogn") for b in (
    (0.0, 0.75), (0.5, 0.875)
)])  # fmt: skip
def test_independent_laws(name: str, beta1: float, beta2: float) -> None:
    host = np.random.default_rng(3)
    start, noise = host.standard_normal(3), host.standard_normal((len(RATES), 2, 3))
    of_examples, step = name == "vogn", getattr(steps, name.upper())
    at = gradients if of_examples else gradient
    settings = (RATES, EXAMPLES, 1.0 / PRIOR**2, beta1, beta2, FIRST_PRECISION)
    want = getattr(natural_gradient, name)(start, at, noise, *settings)
    delta = 1.0 / (EXAMPLES * PRIOR**2)
    known: dict[str, Any] = {
        "mean": start,
        "first": np.zeros(3),
        "curvature": np.zeros(3) if name == "vadam" else np.full(3, FIRST_PRECISION - delta),
        "beta1": beta1,
        "beta2": beta2,
        "first_precision": FIRST_PRECISION,
        "examples": EXAMPLES,
        "prior_scale": PRIOR,
    }
    after: dict[str, Any] = {}
    for t, rate in enumerate(RATES):
        now = known | {"count": float(t), "eps": noise[t], "learning_rate": rate}
        draws = step(now | {"grad": np.zeros((2, 3, 3) if of_examples else (2, 3))})["draw"]
        after = step(now | {"grad": np.stack([at(w, t) for w in draws])})
        known |= {k: after[f"next_{k}"] for k in ("mean", "first", "curvature")}
    np.testing.assert_allclose(known["mean"], want.mean, rtol=1e-13)
    np.testing.assert_allclose(after["next_scale"], want.scale, rtol=1e-13)


def test_a_joint_law() -> None:
    host, rank, beta = np.random.default_rng(4), 2, 0.25
    start, noise = host.standard_normal(4), host.standard_normal((len(RATES), 4))
    turned = np.linalg.qr(host.standard_normal((4, 4)))[0]

    def of_examples(w: Array) -> Array:
        return np.stack([turned[k] * gradient(w) for k in range(3)])

    want = joint_runs.slang(start, of_examples, noise, RATES, EXAMPLES, 1.0 / PRIOR**2, beta, rank, FIRST_PRECISION)
    known = {
        "mean": start,
        "factor": np.zeros((4, rank)),
        "diagonal": np.full(4, FIRST_PRECISION),
        "beta": np.array(beta),
        "examples": np.array(EXAMPLES),
        "prior_scale": np.array(PRIOR),
    }
    after: dict[str, Any] = {}
    for eps, rate in zip(noise, RATES, strict=True):
        now = known | {"eps": eps, "learning_rate": np.array(rate)}
        after = joint.Joint()(now | {"grad": of_examples(joint.Joint()(now | {"grad": np.zeros((1, 4))})["draw"])})
        values, vectors = np.linalg.eigh(after["next_low_rank"])
        factor = vectors[:, -rank:] * np.sqrt(values[-rank:])
        known |= {"mean": after["next_mean"], "factor": factor, "diagonal": after["next_diagonal"]}
    np.testing.assert_allclose(known["mean"], want.mean, rtol=1e-11)
    np.testing.assert_allclose(after["next_low_rank"], want.low_rank, rtol=0, atol=1e-11)
    np.testing.assert_allclose(after["next_diagonal"], want.diagonal, rtol=1e-11)
