"""What a claim judged, as a picture: the shares of what was seen, and those of the law that it should have.

A histogram has at most 40 bins, and the outer ones are open. Shares are rounded to six decimals. A picture decides
nothing, and draws nothing at random.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import bdtr, betainc, chdtr, chdtri, ndtr

from bayesnoise_reference._typing import Array

BINS = 40  # at most, of a histogram
_DECIMALS = 6
_TAIL = 1e-6  # of a law, beyond the edges on either side
_DEVIATIONS = 5.0  # to which edges reach where a law is normal, or nearly so


class Picture(NamedTuple):
    """As a report holds it: `edges` or `labels`, the `shares` in each bin, and a `unit` that says what the axis is."""

    seen: dict[str, Any]
    expected: dict[str, Any]


def _picture(axis: dict[str, Any], seen: Array, expected: Array) -> Picture:
    one, other = ({**axis, "shares": np.round(shares, _DECIMALS).tolist()} for shares in (seen, expected))
    return Picture(one, other)


def binned(draws: Array, cdf: Callable[[Array], Array], edges: Array, unit: str) -> Picture:
    """Draws of a law with this cumulative distribution function."""
    inner = edges[1:-1]
    counts = np.bincount(np.searchsorted(inner, np.ravel(draws), side="right"), minlength=len(inner) + 1)
    law = np.diff(np.concatenate([[0.0], cdf(inner), [1.0]]))
    axis = {"edges": np.round(edges, _DECIMALS).tolist(), "unit": unit}
    return _picture(axis, counts / max(1, np.size(draws)), np.maximum(law, 0.0))


def normals(draws: Array) -> Picture:
    """Standard normal draws."""
    edges = np.linspace(-_DEVIATIONS, _DEVIATIONS, BINS + 1)
    return binned(draws, ndtr, edges, "standard deviations from the mean")


def chi_squares(draws: Array, degrees: int) -> Picture:
    """Draws of the chi-square law."""
    edges = np.linspace(chdtri(degrees, 1.0 - _TAIL), chdtri(degrees, _TAIL), BINS + 1)
    unit = f"sum of the squares of {degrees} standard normal numbers"
    return binned(draws, lambda v: chdtr(degrees, np.maximum(v, 0.0)), edges, unit)


def correlations(r: Array, n: int) -> Picture:
    """Correlations of `n` pairs of independent normal numbers, whose law is exact: `r^2` has the beta law."""
    reach = min(1.0, _DEVIATIONS / (n - 1) ** 0.5)

    def cdf(at: Array) -> Array:
        return np.asarray(0.5 + 0.5 * np.sign(at) * betainc(0.5, 0.5 * (n - 2), np.minimum(1.0, at * at)))

    return binned(r, cdf, np.linspace(-reach, reach, BINS + 1), "correlation of two, of all that were compared")


def counted(counts: Array, n: int, cdf: Array, unit: str) -> Picture:
    """Counts out of `n`, whose law has the cumulative probabilities `(n + 1,)`: in per cent of n."""
    low, high = (min(n, int(np.searchsorted(cdf, chance))) for chance in (_TAIL, 1.0 - _TAIL))
    width = -(-(high - low + 1) // BINS)
    bins = -(-(high - low + 1) // width)
    edges = 100.0 / n * (low - 0.5 + width * np.arange(bins + 1))  # halfway between two counts
    return binned(100.0 / n * counts, lambda at: cdf[np.floor(at * n / 100.0).astype(int)], edges, unit)


def tosses(counts: Array, n: int, probability: float = 0.5) -> Picture:
    """Of many coins, how often each fell to one side in `n` tosses."""
    unit = "% of draws in which two agree, of all that were compared"
    return counted(counts, n, bdtr(np.arange(n + 1), n, probability), unit)


def outcomes(seen: Array, probability: float, names: tuple[str, str] = ("agree", "disagree")) -> Picture:
    """Tosses of one coin, true where they fell to the first of its two sides, which has this probability."""
    share = float(np.mean(seen))
    return _picture({"labels": list(names)}, *(np.array([p, 1.0 - p]) for p in (share, probability)))


def sides(one: Array, other: Array) -> Picture:
    """Pairs of independent numbers, of laws with median 0: half of them have both on one side of it."""
    together = (np.ravel(one) > 0) == (np.ravel(other) > 0)
    return outcomes(together, 0.5, ("same side of the medians", "opposite sides"))
