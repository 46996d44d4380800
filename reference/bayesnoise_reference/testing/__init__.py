"""Assertions for stochastic code that cannot flake, with one error budget for a whole session.

Nothing is imported before it is used: the pytest plugin of this package is loaded wherever it is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bayesnoise_reference.testing.budget import ErrorBudget, current_budget, using

if TYPE_CHECKING:
    from bayesnoise_reference.testing.laws import assert_law, assert_same_law, assert_uncorrelated
    from bayesnoise_reference.testing.moments import assert_mean, assert_probability, assert_unbiased, assert_variance

_HOMES = {
    "assert_law": "laws",
    "assert_mean": "moments",
    "assert_probability": "moments",
    "assert_same_law": "laws",
    "assert_unbiased": "moments",
    "assert_uncorrelated": "laws",
    "assert_variance": "moments",
}

__all__ = [
    "ErrorBudget",
    "assert_law",
    "assert_mean",
    "assert_probability",
    "assert_same_law",
    "assert_unbiased",
    "assert_uncorrelated",
    "assert_variance",
    "current_budget",
    "using",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
