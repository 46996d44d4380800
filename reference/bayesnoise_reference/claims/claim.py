"""A claim: a law that a correct layer obeys, the function that puts it to one, and the mistakes that it catches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from bayesnoise_reference.adapters.subject import Subject
from bayesnoise_reference.claims.outcome import Evidence
from bayesnoise_reference.claims.trial import Trial
from bayesnoise_reference.claims.weight_trial import WeightTrial


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
    kinds: tuple[str, ...]
    when: Callable[[Any], bool]
    trial: type[Trial]

    def about(self, description: Subject) -> bool:
        """Whether a layer of this description is what the claim speaks of."""
        return description.family in self.families and description.estimator in self.kinds and self.when(description)

    def id(self, description: Subject) -> str:
        """The stable name under which a report has it, like "dense.flipout.signs-per-example"."""
        return f"{description.family}.{description.estimator}.{self.topic}"


@dataclass(frozen=True)
class ClaimsOf:
    """Makes claims about the layers of some families, each of the function below it.

    A claim is about all their `kinds`, unless it names its own; `trial` is what its check is given.
    """

    families: tuple[str, ...]
    kinds: tuple[str, ...]
    trial: type[Trial]

    def __call__(
        self,
        topic: str,
        law: str,
        *,
        needs: tuple[str, ...] = ("sample",),
        families: tuple[str, ...] = (),
        kinds: tuple[str, ...] = (),
        when: Callable[[Any], bool] = lambda description: True,
        catches: tuple[str, ...] = (),
    ) -> Callable[[Check], Claim]:
        """What `Claim` says of each."""
        spoken_of = families or self.families, kinds or self.kinds
        return lambda check: Claim(topic, law, check, catches, needs, *spoken_of, when, self.trial)


of_weights = ClaimsOf(("dense", "convolution"), ("shared", "flipout", "local"), WeightTrial)
