"""Assertions about whole laws and about pairs, exact at every n.

Each draws on the current error budget unless `alpha` is given, raises AssertionError with its power when the null is
refuted, and returns the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference import statistics
from bayesnoise_reference.statistics import Verdict
from bayesnoise_reference.statistics._checks import sample
from bayesnoise_reference.testing._decide import decide


def assert_law(
    samples: Any,
    cdf: Callable[[Any], Any],
    *,
    cdf_below: Callable[[Any], Any] | None = None,
    alpha: float | None = None,
) -> Verdict:
    """Independent samples `(n,)` have this distribution function `P(X <= x)`, vectorised.

    Where it has jumps, give `cdf_below` as well, `P(X < x)`. Kolmogorov-Smirnov; raises ValueError for a function that
    is none.
    """
    x = sample("samples", samples)
    assumption = "independent draws"
    seen = f"the sample of {x.size} has median {np.median(x):.6g} and standard deviation {np.std(x):.6g}"
    return decide(
        "law",
        seen,
        "the law of the distribution function",
        assumption,
        lambda own: statistics.law(x, cdf, cdf_below=cdf_below, alpha=own),
        alpha,
    )


def assert_same_law(first: Any, second: Any, *, alpha: float | None = None) -> Verdict:
    """Two independent samples `(m,), (n,)` come from one law, whatever it is. Two-sample Kolmogorov-Smirnov."""
    x, y = sample("first", first), sample("second", second)
    seen = f"medians {np.median(x):.6g} and {np.median(y):.6g}, standard deviations {np.std(x):.6g} and {np.std(y):.6g}"
    return decide(
        "same law",
        seen,
        "one law",
        "independent draws",
        lambda own: statistics.equality_of_laws(x, y, alpha=own),
        alpha,
    )


def assert_uncorrelated(
    x: Any,
    y: Any,
    *,
    if_normal: bool = False,
    if_medians: tuple[float, float] | None = None,
    alpha: float | None = None,
) -> Verdict:
    """Independent pairs `(n,), (n,)` are uncorrelated, where that means independent.

    `if_normal=True`: jointly normal pairs, of any means and variances. `if_medians=(a, b)`: pairs of any continuous
    laws with these medians; the signs of the deviations must then agree in half of the pairs.
    Raises ValueError without one of the two.
    """
    a, b = sample("x", x, 3), sample("y", y, 3)
    if a.size != b.size:
        raise ValueError(f"x has {a.size} values and y {b.size}, expected pairs")
    if if_normal == (if_medians is not None):
        raise ValueError(f"if_normal is {if_normal} and if_medians {if_medians}, expected exactly one of the two")
    if if_medians is None:
        centered_a, centered_b = a - np.mean(a), b - np.mean(b)
        norms = float(np.linalg.norm(centered_a) * np.linalg.norm(centered_b))
        seen = f"the correlation is {np.dot(centered_a, centered_b) / norms:.6g}" if norms > 0 else "a constant"
        return decide(
            "uncorrelated",
            seen,
            "0",
            "independent pairs, jointly normal",
            lambda own: statistics.correlation(a, b, alpha=own),
            alpha,
        )
    products = np.sign(a - if_medians[0]) * np.sign(b - if_medians[1])
    seen = f"the signs agree in {int(np.sum(products > 0))} of {a.size} pairs"
    assumption = f"independent pairs, continuous, with medians {if_medians[0]:g} and {if_medians[1]:g}"
    return decide(
        "uncorrelated", seen, "half", assumption, lambda own: statistics.sign_test(products, alpha=own), alpha
    )
