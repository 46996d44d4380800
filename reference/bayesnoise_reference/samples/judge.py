"""The verdict on samples: the same claims as `verify` puts to a layer, under the same error budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.outcome import Outcome, Report
from bayesnoise_reference.samples.design import Design
from bayesnoise_reference.verification import claims_for, verify


class _Recorded:
    """A layer that has been asked already."""

    abilities = frozenset({"load", "sample", "seed"})

    def __init__(self, design: Design, samples: Mapping[str, Array]) -> None:
        self.description = design.description
        self._design, self._samples = design, samples
        self._order: Iterator[tuple[str, int]] = iter(())

    def seed(self, seed: int) -> None:
        """A claim begins."""
        self._order = iter(self._design.calls[seed])

    def load(self, parameters: dict[str, Array]) -> None: ...

    def sample(self, x: Array) -> Array:
        case, call = next(self._order, ("", 0))
        if not case or not np.array_equal(self._design.cases[case].x[call], x):
            raise ValueError("the claim asks for another call than was designed")
        return np.asarray(self._samples[case][call], dtype=self.description.dtype)


def judge(design: Design, samples: Mapping[str, Array], alpha: float = 1e-6, *, partial: bool = False) -> Report:
    """A report on the layer that made the samples, by the names of the cases.

    Of a correct layer it refutes anything with a probability of at most `alpha`. ValueError, with the path of the
    field, for samples of another shape, that are not finite, or that are missing unless `partial` says that some may
    be: the claims that need them are then not run.
    """
    _check(design, samples, partial)
    claims = {case.claim for case in design.cases.values()}
    lacking = {case.claim for name, case in design.cases.items() if name not in samples}
    layer = _Recorded(design, samples)
    report = verify(layer, design.tier, alpha, design.seed, only=sorted(claims - lacking))
    put = {outcome.id: outcome for outcome in report.claims}
    outcomes = []
    for claim in claims_for(layer):
        name = claim.id(design.description)
        said = "no samples were given for it" if name in lacking else "samples do not show it"
        not_run = Outcome(name, "not run", said, alpha=alpha / len(claims_for(layer)))
        replay = f"judge(design, samples, alpha={alpha!r}, partial={partial})"
        outcomes.append(put[name]._replace(replay=replay) if name in put else not_run)
    return report._replace(claims=tuple(outcomes))


def _check(design: Design, samples: Mapping[str, Array], partial: bool) -> None:
    """ValueError for samples that do not answer the design."""
    missing = [name for name in design.cases if name not in samples]
    if len(missing) == len(design.cases):
        raise ValueError(f"{missing[0]}/y is missing, and so is every other case")
    if missing and not partial:
        raise ValueError(
            f"{missing[0]}/y is missing, one of {len(missing)}: --partial judges the claims that have all their samples"
        )
    for name, case in design.cases.items():
        if name not in samples:
            continue
        y = samples[name]
        if y.shape != case.y_shape or y.dtype.kind not in "fiu":
            wanted = f"expected real numbers of shape {case.y_shape}: an output for every input of {name}/x"
            raise ValueError(f"{name}/y has dtype {y.dtype} and shape {y.shape}, {wanted}")
        if case.finite and not np.all(np.isfinite(y)):
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(y))[0])
            raise ValueError(f"{name}/y[{', '.join(map(str, at))}] is {y[at]}, expected a finite number")
