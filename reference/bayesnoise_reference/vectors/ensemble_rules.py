"""What members of an ensemble say together, and mistakes in the mean of their likelihoods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from scipy.special import logsumexp

from bayesnoise_reference.vectors.records import Bug, Values

Rule: TypeAlias = Callable[[Values], Any]


@dataclass(frozen=True)
class Together:
    """What members say together: several outputs, each by a rule. A bug has another rule for one or more."""

    rules: dict[str, Rule]

    def __call__(self, inputs: Values) -> Values:
        return {name: rule(inputs) for name, rule in self.rules.items()}

    def bug(self, flag: str, sentence: str, rules: dict[str, Rule]) -> Bug:
        """With other rules."""
        return Bug(flag, sentence, replace(self, rules=self.rules | rules))


def mean_of(each: Any) -> Any:
    """The logarithm of the mean of likelihoods."""
    return logsumexp(each, axis=0) - np.log(len(each))


def densities(each: Rule) -> tuple[tuple[str, str, dict[str, Rule]], ...]:
    """Mistakes in the mean of likelihoods, whatever they are."""

    def naive(v: Values) -> Any:
        return np.log(np.mean(np.exp(each(v)), axis=0))

    def clipped(v: Values) -> Any:
        return np.log(np.mean(np.exp(each(v)), axis=0) + 1e-12)

    return (
        ("LogDensitiesAveraged", "The log-likelihoods of the members are averaged, not the likelihoods.", {
            "log_density": lambda v: np.mean(each(v), axis=0)
        }),
        ("DensitiesSummed", "The logarithm of the number of members is not taken off.", {
            "log_density": lambda v: logsumexp(each(v), axis=0)
        }),
        ("NaiveDensity", "The likelihoods are averaged after they have underflowed.", {"log_density": naive}),
        ("DensityRaised", "A small number is added to the likelihood before its logarithm.", {"log_density": clipped}),
    )  # fmt: skip
