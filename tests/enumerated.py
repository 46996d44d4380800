"""Laws that are enumerated: every outcome with its probability, and what a p-value over-reports."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from bayesnoise_reference.statistics import Verdict

Outcome = tuple[Verdict, float]
ROUNDING = 1e-12


def over_reported(outcomes: list[Outcome]) -> float:
    """The greatest of `P(p <= a) - a` over all a: at most 0 for a valid p-value."""
    ordered = sorted((v.p, chance) for v, chance in outcomes if v.p is not None)
    assert math.isclose(sum(chance for _, chance in ordered), 1.0, rel_tol=1e-9)
    cumulative = np.cumsum([chance for _, chance in ordered])
    return float(np.max(cumulative - np.array([p for p, _ in ordered])))


def products(values: list[float], chances: list[float], n: int) -> Iterator[tuple[list[float], float]]:
    """Every sample of n independent draws of a discrete law, with its probability."""
    for pick in itertools.product(range(len(values)), repeat=n):
        yield [values[i] for i in pick], math.prod(chances[i] for i in pick)
