"""What a foreign call can do wrong, and small questions about what it gave back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array

KINDS = {
    "raises": "no call on a batch of examples raised",
    "hangs": "every call ended in time",
    "shape": "every answer for a batch of examples had the shape that the sizes of the layer give",
    "nan": "every answer was finite, at inputs and scales that are not extreme",
    "dtype": "every output had the dtype of the layer",
    "same-array": "every call returned an array of its own",
    "changes-inputs": "no call changed its input",
    "changes-parameters": "no call changed the parameters",
}
_NO_OUTPUT = "no call returned an output to look at"
UNSEEN = {  # why nothing is known of a kind
    "raises": "no call ended",
    "hangs": "no call was made",
    "shape": _NO_OUTPUT,
    "nan": "no call returned an output of the right shape to look at",
    "dtype": _NO_OUTPUT,
    "same-array": "no two calls returned outputs to compare",
    "changes-inputs": "no call that was given an input returned",
    "changes-parameters": "no call returned after which the parameters could be read",
}


class AdapterError(Exception):
    """An answer that cannot be used: its kind, one of `KINDS`, and a sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind, self.sentence = kind, sentence


class Manners:
    """How an adapter behaves: how often that could be seen, and a sentence for the first fault, by kind."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.faults: dict[str, str] = {}
        self.eps = 0.0  # the coarsest rounding unit among the answers
        self._last: object = None  # output

    def see(self, *kinds: str) -> None:
        """Count one more answer, or call, that would have shown faults of these kinds."""
        self.seen.update(kinds)

    def fault(self, kind: str, sentence: str) -> None:
        """Note the first fault of a kind."""
        self.faults.setdefault(kind, sentence)
        self.seen[kind] = max(1, self.seen[kind])

    def numbers(self, method: str, answer: object) -> Array:
        """The answer as an array of real numbers, and see how precise it is. AdapterError for what is none."""
        value = numbers(method, answer)
        if value.dtype.kind == "f":
            self.eps = max(self.eps, float(np.finfo(value.dtype).eps))
        return value

    def finite(self, said: str, value: Array) -> None:
        """See whether numbers are finite. AdapterError if they are not, with what is said of them."""
        self.see("nan")
        if not np.all(np.isfinite(value)):
            raise AdapterError("nan", f"{said} NaN or infinity although every number in is finite")

    def output(self, method: str, answer: object) -> None:
        """See whether an output, which has axes, is the array of the output before."""
        if self._last is not None:
            self.see("same-array")
        if answer is self._last or one_memory(answer, self._last):
            self.fault("same-array", f"{method} returned the very array of the call before, so that results overwrite")
        self._last = answer

    def unchanged(self, kind: str, before: Array, now: Array | None, said: str) -> None:
        """See whether an array is still what it was, and say what happened if it is not."""
        self.see(kind)
        if now is None or not np.array_equal(before, now):
            self.fault(kind, said)


class Saved(NamedTuple):
    """What an adapter keeps, and the parameters that it stands for."""

    kept: object
    loaded: dict[str, Array]
    passed: dict[str, Array]
    held: dict[str, Array]


def one_memory(answer: object, last: object) -> bool:
    """Whether two arrays have numbers in common: a tensor that is returned again comes as another array of NumPy."""
    return isinstance(answer, np.ndarray) and isinstance(last, np.ndarray) and np.shares_memory(answer, last)


def named(method: str, answer: object) -> Mapping[object, object]:
    """The answer as a dict. AdapterError for what is none."""
    if not isinstance(answer, Mapping):
        raise AdapterError("shape", f"{method} returned a {type(answer).__name__}, a dict by names is expected")
    return answer


def short(error: BaseException | None) -> str:
    """What an error says, in a line that is not long."""
    try:
        text = " ".join(str(error).split())
    except BaseException as silent:  # of a foreign `__str__`, which may throw anything
        return f"its __str__ raises {type(silent).__name__}"
    return text if len(text) <= 200 else text[:197] + "..."


def raised(error: BaseException) -> str:
    """The kind of an error, and what it says if it says anything."""
    return ": ".join(filter(None, (type(error).__name__, short(error))))


def numbers(method: str, answer: object) -> Array:
    """The answer as an array of real numbers. AdapterError for what is none."""
    try:
        value = np.asarray(answer)
    except Exception as error:  # whatever a foreign array does when it is converted
        raise AdapterError(
            "shape", f"{method} returned a {type(answer).__name__} that is no array: {short(error)}"
        ) from None
    if value.dtype.kind not in "fiu":
        raise AdapterError("dtype", f"{method} returned dtype {value.dtype}, real numbers are expected")
    return value
