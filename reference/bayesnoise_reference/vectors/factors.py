"""Random factors of whole units, `y = x z`, one z an example and unit: structured Gaussian, truncated log-normal."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf

from bayesnoise_reference import structured_variational_dropout as truncated
from bayesnoise_reference import variational_structured_dropout as structured
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

LOW, HIGH, COLUMNS = -3.0, 0.5, 2


def _cases(seed: int, parameters: Values, numbers: Values, noiseless: bool) -> tuple[Case, ...]:
    """Inputs (n, k, positions), and the same parameters in every case."""
    rng = np.random.default_rng(seed)
    k = 3
    shapes: list[tuple[str, str, tuple[int, ...]]] = [
        ("two examples at two positions", "Ordinary", (2, k, 2)),
        ("one example at one position", "BatchOfOne", (1, k, 1)),
        ("no example", "EmptyBatch", (0, k, 2)),
        ("an example of zeros", "ZeroRow", (2, k, 1)),
    ]
    shapes += [("the noise is zero: every factor is 1", "NoNoise", (1, k, 2))] if noiseless else []
    cases = []
    for comment, flag, shape in shapes:
        given = {"x": dyadic(rng, *shape), "grad_y": dyadic(rng, *shape), "eps": dyadic(rng, *shape[:2])}
        if flag == "ZeroRow":
            given["x"][0] = 0.0
        if flag == "NoNoise":
            given["eps"] = np.zeros(shape[:2])
        cases.append(Case(comment, (flag,), given | parameters | numbers))
    return tuple(cases)


def _scaled(x: Array, z: Array) -> Array:
    return x * z.reshape((*x.shape[:2], 1))


def _steps(v: Values) -> list[tuple[Array, Array]]:
    return [(v["matrix_1"], v["shift_1"]), (v["matrix_2"], v["shift_2"])]


def _turned(v: Values, u: Array, root: Array, one: float = 1.0) -> Array:
    return _scaled(v["x"], one + (root * v["eps"]) @ u.T)


def _rotation(v: Values) -> Array:
    return structured.rotation(structured.vectors(v["start"], _steps(v)))


def _structured_output(v: Values) -> Any:
    if not len(v["x"]):
        return v["x"] * 0.0
    reflected = structured.vectors(v["start"], _steps(v))
    return _scaled(v["x"], structured.factors(v["log_alpha"], reflected, v["eps"]))


def _structured_kl(v: Values) -> Any:
    reflected = structured.vectors(v["start"], _steps(v))
    one = structured.column_divergence(np.ones(len(v["start"])), v["log_alpha"], reflected)
    return float(v["columns"]) * one


def _closed(v: Values, u: Array, columns: float, units: int) -> Any:
    """The closed form of the divergence, for a rotation, a number of columns and of units."""
    terms = np.log(1.0 + u**2 @ np.exp(v["log_alpha"])) - v["log_alpha"]
    return 0.5 * columns * np.sum(terms[:units])


def _unscaled(v: Values) -> Array:
    """Reflections by vectors that keep their length."""
    u = np.eye(len(v["start"]))
    for vector in structured.vectors(v["start"], _steps(v)):
        u = (np.eye(len(u)) - 2.0 * np.outer(vector, vector)) @ u
    return u


def variational_structured() -> Family:
    """Structured Gaussian factors."""
    names = ("log_alpha", "start", "matrix_1", "shift_1", "matrix_2", "shift_2")
    rng = np.random.default_rng(5)
    parameters = {"log_alpha": np.array([-2.5, 0.5, -1.0])}
    parameters |= {n: dyadic(rng, *((3, 3) if n.startswith("matrix") else (3,))) for n in names[1:]}
    right = LayerDefinition(_structured_output, names, kl=_structured_kl)

    def root(v: Values) -> Array:
        return np.exp(0.5 * v["log_alpha"])

    bugs = changed(
        right,
        ("AlphaAsSd", "alpha is used as a standard deviation.", {
            "output": lambda v: _turned(v, _rotation(v), np.exp(v["log_alpha"]))
        }),
        ("OneMissing", "The factors have mean 0.", {"output": lambda v: _turned(v, _rotation(v), root(v), 0.0)}),
        ("ReflectionsReversed", "The last reflection is applied first.", {
            "output": lambda v: _turned(v, _rotation(v).T, root(v))
        }),
        ("NotReflected", "The noise is independent.", {"output": lambda v: _turned(v, np.eye(3), root(v))}),
        ("VectorNotNormalised", "The vectors are not divided by their length.", {
            "output": lambda v: _turned(v, _unscaled(v), root(v))
        }),
        ("NoiseAdded", "The noise is added to the input.", {
            "output": lambda v: v["x"] + output_of_ones(v) - 1.0
        }),
        ("NoiseNotInBackward", "The gradient passes as without noise.", grad("grad_x", lambda k: k["grad_y"])),
        ("RootNotDifferentiated", "The gradient of log alpha lacks the 1/2 of the root.",
            grad("grad_log_alpha", lambda k: 2.0 * k["grad_log_alpha"])),
        ("DivergenceOverColumns", "The sum over units ends at the number of columns.", {
            "kl": lambda v: _closed(v, _rotation(v), COLUMNS, COLUMNS)
        }),
        ("DivergenceOfRows", "The rotation is transposed in the divergence.", {
            "kl": lambda v: _closed(v, _rotation(v).T, COLUMNS, 3)
        }),
        ("DivergenceOnce", "One column of weights is counted.", {"kl": lambda v: _closed(v, _rotation(v), 1.0, 3)}),
    )  # fmt: skip
    conventions = {
        "y": "x (n, k, p) times 1 + U (sqrt(alpha) eps), eps (n, k), equal at all p positions; alpha = exp(log_alpha)",
        "U": "H_2 H_1, H_t = I - 2 v_t v_t' / |v_t|^2, v_t = matrix_t v_{t-1} + shift_t, v_0 = start",
        "kl": "columns / 2 * sum over units i of log(1 + s_i) - log_alpha_i, s the diagonal of U diag(alpha) U'",
        "gradients": GRADIENTS,
    }
    cases = _cases(6, parameters, {"columns": np.array(float(COLUMNS))}, noiseless=True)
    group = Group("factors.structured", conventions, right, cases, bugs)
    return Family("variational_structured_dropout", "Nguyen et al. 2021, arXiv 2102.07927", (group,))


def output_of_ones(v: Values) -> Array:
    """The factors themselves, at every position."""
    ones = np.ones(v["x"].shape)
    return np.asarray(_structured_output(v | {"x": ones}))


def _sigma(v: Values) -> Array:
    return np.exp(v["log_sigma"])


def _truncated_output(v: Values) -> Any:
    if not len(v["x"]):
        return v["x"] * 0.0
    return _scaled(v["x"], truncated.factors(v["mu"], v["log_sigma"], v["eps"], LOW, HIGH))


def _uncut(v: Values, sigma: Array) -> Array:
    return _scaled(v["x"], np.exp(v["mu"] + sigma * v["eps"]))


def _clipped(v: Values) -> Array:
    t = v["mu"] + _sigma(v) * v["eps"]
    t = np.where(np.real(t) < LOW, LOW, np.where(np.real(t) > HIGH, HIGH, t))
    return _scaled(v["x"], np.exp(t))


def _entropy_of_normal(v: Values) -> Any:
    return np.sum(np.log(HIGH - LOW) - v["log_sigma"] - 0.5 * np.log(2.0 * np.pi * np.e))


def _mass(v: Values) -> Any:
    low, high = ((end - v["mu"]) / _sigma(v) / np.sqrt(2.0) for end in (LOW, HIGH))
    return 0.5 * (erf(high) - erf(low))


def structured_variational() -> Family:
    """Truncated log-normal factors."""
    parameters = {"mu": np.array([-0.5, -1.25, 0.25]), "log_sigma": np.array([-0.75, 0.5, -0.25])}

    def kl(v: Values) -> Any:
        return truncated.divergence(v["mu"], v["log_sigma"], LOW, HIGH)

    right = LayerDefinition(_truncated_output, ("mu", "log_sigma"), kl=kl)
    bugs = changed(
        right,
        ("NotCut", "The law is not cut to its interval.", {"output": lambda v: _uncut(v, _sigma(v))}),
        ("Clipped", "Draws outside are moved to the ends.", {"output": _clipped}),
        ("SigmaAsVariance", "sigma is used as a variance.", {
            "output": lambda v: _truncated_output(v | {"log_sigma": 0.5 * v["log_sigma"]})
        }),
        ("NoiseNotInBackward", "The gradient passes as without noise.", grad("grad_x", lambda k: k["grad_y"])),
        ("GradientNotCut", "The gradients are those of a law that is not cut.", {
            "backward_output": lambda v: _uncut(v, _sigma(v))
        }),
        ("GradientBySigma", "The gradient is by sigma, not by its logarithm.",
            grad("grad_log_sigma", lambda k: k["grad_log_sigma"] / _sigma(k))),
        ("DivergenceNotCut", "The entropy is that of a normal law.", {"kl": _entropy_of_normal}),
        ("DivergenceWithoutEnds", "The term of the two ends is missing.", {
            "kl": lambda v: _entropy_of_normal(v) - np.sum(np.log(_mass(v)))
        }),
        ("DivergenceAveraged", "The divergence is a mean over units.", {"kl": lambda v: kl(v) / 3.0}),
    )  # fmt: skip
    conventions = {
        "y": "x (n, k, p) times z (n, k), the same at all p positions",
        "z": "log z has as much of N(mu, exp(log_sigma)^2) cut to [low, high] below it as N(0, 1) has below eps (n, k)",
        "kl": "sum over units of log(high - low) minus the entropy of log z",
        "gradients": GRADIENTS,
    }
    cases = _cases(7, parameters, {"low": np.array(LOW), "high": np.array(HIGH)}, noiseless=False)
    group = Group("factors.truncated", conventions, right, cases, bugs)
    return Family("structured_variational_dropout", "Neklyudov et al. 2017, arXiv 1705.07283", (group,))
