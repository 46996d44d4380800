"""A claim: a law that a correct layer obeys, the function that puts it to one, and the mistakes that it catches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from bayesnoise_reference.adapters.subject import Subject
from bayesnoise_reference.claims.outcome import Evidence
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.claims.weight_trial import WeightTrial

WEIGHTS = ("dense", "convolution")
ESTIMATORS = ("shared", "flipout", "local")


class Finding(NamedTuple):
    """What a claim found: an outcome without what the run adds."""

    refuted: bool
    sentence: str
    evidence: Evidence
    p: float | None = None
    e: float | None = None
    n: int = 0
    detects: str = ""
    seen: Any = None
    expected: Any = None


Check: TypeAlias = Callable[[Any], Finding]  # of the trial that the claim names


@dataclass(frozen=True)
class Claim:
    """What is claimed, of which layers, and how it is checked.

    `law` is the claim in one sentence; `needs` are the methods of the adapter that it uses, and `catches` the names
    of the mistakes (`CAUSES`) that refute it in every layer to which both apply. `when` says of a description whether
    the claim is about it at all, and `trial` is what the check is given.
    """

    topic: str
    law: str
    check: Check
    catches: tuple[str, ...]
    needs: tuple[str, ...]
    families: tuple[str, ...]
    estimators: tuple[str, ...]
    when: Callable[[Any], bool]
    trial: type[Trial]

    def about(self, description: Subject) -> bool:
        """Whether a layer of this description is what the claim speaks of."""
        return (
            description.family in self.families and description.estimator in self.estimators and self.when(description)
        )

    def id(self, description: Subject) -> str:
        """The stable name under which a report has it, like "dense.flipout.signs-per-example"."""
        return f"{description.family}.{description.estimator}.{self.topic}"


def claim(
    topic: str,
    law: str,
    *,
    catches: tuple[str, ...] = (),
    needs: tuple[str, ...] = ("sample",),
    families: tuple[str, ...] = WEIGHTS,
    estimators: tuple[str, ...] = ESTIMATORS,
    when: Callable[[Any], bool] = lambda description: True,
    trial: type[Trial] = WeightTrial,
) -> Callable[[Check], Claim]:
    """Make a claim of the function below it."""

    def wrap(check: Check) -> Claim:
        return Claim(topic, law, check, catches, needs, families, estimators, when, trial)

    return wrap
