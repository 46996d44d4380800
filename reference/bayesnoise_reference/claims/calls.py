"""What is asked of the calls of any layer, whatever its family and its law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.guard import AdapterError
from bayesnoise_reference.claims.claim import Claim, ClaimsOf, Finding
from bayesnoise_reference.claims.judge import exact
from bayesnoise_reference.claims.trial import Trial


def differ(trial: Trial, x: Array, calls: int = 2) -> Finding:
    """Whether calls on one input have noise of their own; as many that no two should agree by chance."""
    first = trial.guard.sample(x)
    same = all(np.array_equal(first, trial.guard.sample(x)) for _ in range(calls - 1))
    return exact(same, f"{calls} calls on one input {'are the same' if same else 'differ'}; they should differ", calls)


def repeat(trial: Trial, x: Array, calls: int = 1) -> Finding:
    """Whether the same seed gives the same calls; as many that others would not agree by chance."""
    found = []
    for _ in range(2):
        trial.guard.seed(17)
        found.append(np.stack([trial.guard.sample(x) for _ in range(calls)]))
    wrong = not np.array_equal(found[0], found[1])
    said = f"calls after the same seed {'differ' if wrong else 'agree'}; they should agree"
    return exact(wrong, said, 2 * calls)


def empty(trial: Trial, x: Array, call: Callable[[Array], object] | None = None) -> Finding:
    """Whether no example of `x` gives no output. A layer that does not take `x` itself says nothing of that.

    `call` asks for the output, as a sample unless it is given.
    """
    ask = call or trial.guard.sample
    ask(x)
    try:
        ask(x[:0])
    except AdapterError as wrong:
        if wrong.kind == "hangs":
            raise
        return exact(True, f"for a batch of 0 examples, {wrong.sentence}", 1)
    return exact(False, "a batch of 0 examples gives an output of 0 examples", 1)


def claims_on_calls(
    of: ClaimsOf, ready: Callable[[Any], Array], *, fresh: tuple[str, ...] = (), times: int = 1
) -> tuple[Claim, ...]:
    """That calls draw afresh, that a seed repeats them, and that a batch may be empty.

    `ready` loads the layer of a trial, and returns an input. `fresh` are the mistakes by which calls agree, none where
    a family has a claim of its own about that; `times` is how many calls show that a seed matters.
    """

    @of("fresh", "Every call draws afresh.", catches=fresh)
    def draws(trial: Any) -> Finding:
        """Exact: that calls agree by chance has a probability of 0, or next to it."""
        return differ(trial, ready(trial))

    @of("seeded", "The same seed gives the same noise.", needs=("sample", "seed"), catches=("seed-ignored",))
    def seeded(trial: Any) -> Finding:
        """Exact, with that probability."""
        return repeat(trial, ready(trial), times)

    @of("zero-batch", "A batch without examples gives an output without examples.", catches=("empty-batch-fails",))
    def zero_batch(trial: Any) -> Finding:
        """Exact."""
        return empty(trial, ready(trial)[:1])

    return (draws, seeded, zero_batch) if fresh else (seeded, zero_batch)
