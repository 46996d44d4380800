"""What a foreign call can do wrong, and small questions about what it gave back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array

KINDS = {
    "raises": "every call returned",
    "hangs": "every call returned in time",
    "shape": "every output had the shape that the sizes of the layer give",
    "nan": "every output was finite",
    "dtype": "every output had the dtype of the layer",
    "same-array": "every call returned an array of its own",
    "changes-inputs": "no call changed its input",
    "changes-parameters": "no call changed the parameters",
}


class AdapterError(Exception):
    """An answer that cannot be used: its kind, one of `KINDS`, and a sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind, self.sentence = kind, sentence


class Saved(NamedTuple):
    """What an adapter keeps, and the parameters that it stands for."""

    kept: object
    loaded: dict[str, Array]
    passed: dict[str, Array]


def one_memory(answer: object, last: object) -> bool:
    """Whether two arrays have numbers in common: a tensor that is returned again comes as another array of NumPy."""
    return isinstance(answer, np.ndarray) and isinstance(last, np.ndarray) and np.shares_memory(answer, last)


def short(error: BaseException | None) -> str:
    """What an error says, in a line that is not long."""
    try:
        text = " ".join(str(error).split())
    except BaseException as silent:  # of a foreign `__str__`, which may throw anything
        return f"its __str__ raises {type(silent).__name__}"
    return text if len(text) <= 200 else text[:197] + "..."


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
