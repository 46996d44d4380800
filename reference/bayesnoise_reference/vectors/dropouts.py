"""Noise that multiplies activations: dropout in its two forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference import dropout
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic


def _activations(seed: int, noise: Callable[[Any, tuple[int, ...]], Values], **numbers: float) -> tuple[Case, ...]:
    """Inputs of a layer without parameters."""
    rng = np.random.default_rng(seed)
    shapes: list[tuple[str, str, tuple[int, ...]]] = [
        ("two examples", "Ordinary", (2, 4)),
        ("images: every pixel has noise of its own", "Ordinary", (2, 2, 2, 2)),
        ("one example", "BatchOfOne", (1, 5)),
        ("no example", "EmptyBatch", (0, 3)),
        ("an example of zeros", "ZeroRow", (2, 3)),
    ]
    cases = []
    for comment, flag, shape in shapes:
        given = {"x": dyadic(rng, *shape), "grad_y": dyadic(rng, *shape), **noise(rng, shape)}
        if flag == "ZeroRow":
            given["x"][0] = 0.0
        cases.append(Case(comment, (flag,), given | {k: np.array(v) for k, v in numbers.items()}))
    return tuple(cases)


def bernoulli() -> Family:
    """Dropout, inverted."""

    def output(v: Values) -> Any:
        return v["x"] * 0.0 + dropout.bernoulli(v["x"], v["kept"], float(v["rate"]))

    right = LayerDefinition(output, ())
    bugs = changed(
        right,
        ("NotInverted", "What is kept is not divided by 1 - rate.", {"output": lambda v: v["x"] * v["kept"]}),
        ("DividedByRate", "Kept values are divided by rate.", {"output": lambda v: v["x"] * v["kept"] / v["rate"]}),
        ("MaskReversed", "The mask says what is dropped.", {"output": lambda v: output(v | {"kept": 1.0 - v["kept"]})}),
        ("MaskNotInBackward", "The gradient is not masked.", grad("grad_x", lambda k: k["grad_y"] / (1 - k["rate"]))),
        ("ScaleNotInBackward", "The gradient is not rescaled.", grad("grad_x", lambda k: k["grad_y"] * k["kept"])),
        ("MaskSharedAcrossBatch", "Every example has the mask of the first.", {
            "output": lambda v: output(v | {"kept": v["kept"][:1] + 0 * v["kept"]})
        }),
    )  # fmt: skip
    conventions = {
        "y": "x * kept / (1 - rate): kept is 1 with probability 1 - rate, else 0, one for each element of x",
        "gradients": GRADIENTS,
    }
    cases = _activations(3, lambda rng, shape: {"kept": rng.integers(0, 2, shape).astype(np.float64)}, rate=0.375)
    group = Group("dropout.bernoulli", conventions, right, cases, bugs)
    return Family("bernoulli_dropout", "Srivastava et al. 2014, Dropout, JMLR 15", (group,))


def gaussian() -> Family:
    """Gaussian dropout, with the variance of the other."""

    def noisy(v: Values, alpha: Any) -> Any:
        return dropout.gaussian(v["x"], v["zeta"], alpha)

    def output(v: Values) -> Any:
        return noisy(v, dropout.equivalent_alpha(float(v["rate"])))

    right = LayerDefinition(output, ())
    bugs = changed(
        right,
        ("AlphaIsRate", "alpha = rate, not rate / (1 - rate).", {"output": lambda v: noisy(v, v["rate"])}),
        ("AlphaAsSd", "The noise is multiplied by alpha, not by its root.", {
            "output": lambda v: noisy(v, dropout.equivalent_alpha(float(v["rate"])) ** 2)
        }),
        ("OneMissing", "The mean of the factor is 0, not 1.", {"output": lambda v: output(v) - v["x"]}),
        ("AdditiveNoise", "The noise is added, not multiplied.", {
            "output": lambda v: v["x"] + (output(v | {"x": np.ones_like(v["zeta"])}) - 1.0)
        }),
        ("NoiseNotInBackward", "The gradient passes as without noise.", grad("grad_x", lambda k: k["grad_y"])),
    )  # fmt: skip
    conventions = {
        "y": "x * (1 + sqrt(alpha) zeta) with alpha = rate / (1 - rate), one zeta for each element of x",
        "gradients": GRADIENTS,
    }
    cases = _activations(4, lambda rng, shape: {"zeta": dyadic(rng, *shape)}, rate=0.375)
    group = Group("dropout.gaussian", conventions, right, cases, bugs)
    return Family("gaussian_dropout", "Srivastava et al. 2014, Dropout, JMLR 15, section 10", (group,))
