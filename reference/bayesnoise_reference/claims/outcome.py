"""What a claim says when it has been put to an adapter, and what a run of many claims says.

An outcome is data: `_asdict()` of it is its JSON. `p` belongs to a statistic whose law is known exactly at finite n,
`e` to an e-value (rejected at `e >= 1/alpha`), and an exact claim has neither. `detects` names the smallest effect
that a claim finds with a probability of at least 1 - 1e-6, so that "holds" says how much it says.
"""

from typing import Any, Literal, NamedTuple

Status = Literal["holds", "refuted", "not run"]
Evidence = Literal["exact", "exact law", "e-value", "none"]

SUITE = "2026.11"  # the version of the claims, to pin


class Outcome(NamedTuple):
    """One claim, put to one adapter."""

    id: str  # stable, like "dense.flipout.signs-per-example"
    status: Status
    sentence: str  # what was seen and what the truth is; for "not run", why
    evidence: Evidence = "none"
    p: float | None = None  # of an exact-law statistic
    e: float | None = None  # of an e-value
    alpha: float = 0.0  # this claim's share of the error budget
    n: int = 0  # draws used
    detects: str = ""  # the smallest effect found with probability >= 1 - 1e-6, with a number
    likely_causes: tuple[str, ...] = ()  # sentences of the mutants that light the same claims
    replay: str = ""  # a command or two lines of Python that repeat it
    seen: Any = None  # small JSON-able data for a picture
    expected: Any = None


class Report(NamedTuple):
    """Every claim that was declared for an adapter, in one run with one error budget."""

    suite: str
    adapter: str
    tier: str
    alpha: float  # of the whole run
    seed: int
    claims: tuple[Outcome, ...]
    versions: dict[str, str]
    seconds: float
    expected_failures: dict[str, str] = {}  # noqa: RUF012  # claim id -> why it is known to be refuted
    layer: str = ""  # what it was taken for, where its description says so in a line

    @property
    def passed(self) -> bool:
        """Whether no claim is refuted beyond the failures that were expected."""
        return not self.refuted

    @property
    def refuted(self) -> tuple[Outcome, ...]:
        """The claims that were refuted and were not expected to be."""
        return tuple(c for c in self.claims if c.status == "refuted" and c.id not in self.expected_failures)

    @property
    def exit_code(self) -> int:
        """0 what ran holds, 1 a claim is refuted, 3 the adapter misbehaved and nothing about the layer was run, 4
        nothing was.
        """
        about_the_layer = [c for c in self.claims if ".adapter." not in c.id]
        if all(c.status == "not run" for c in about_the_layer):
            if any(c.status == "refuted" for c in self.claims):
                return 3
            behaved = any(c.status == "holds" for c in self.claims)
            return 0 if behaved and not about_the_layer else 4  # nothing else was asked
        return 0 if self.passed else 1
