"""An adapter of a program in any language, which is asked over its standard input and answers on its standard output.

    with Subprocess(["./my_layer", "--flag"]) as adapter:
        report = verify(adapter)

A question and its answer are one line of JSON each; docs/verify.md has the protocol, `messages.schema.json` what an
answer must be. The program says itself what its layer is. It is started again after it has died, ended when it is
silent for longer than `limit` seconds, and never left behind.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any

import numpy as np

from bayesnoise_reference import schema
from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.described import from_fields
from bayesnoise_reference.adapters.process import Process, ProcessError
from bayesnoise_reference.adapters.worker import check_limit
from bayesnoise_reference.vectors.decimals import WORDS, number, to_dtype

PROTOCOL = "bayesnoise-exec-1"
_ALWAYS = ("load", "sample")
_SHOWN = 60  # characters of a line that is no answer


class Subprocess:
    """The layer of a running program; close it, or use it in a `with` statement.

    OSError if the command cannot be started, ProcessError if it gives no answer to "describe", ValueError if the answer
    is not a description.
    """

    def __init__(self, command: Sequence[str], *, limit: float = 60.0) -> None:
        check_limit(limit)
        self._command, self._limit = tuple(command), limit
        self._turn = threading.Lock()
        self._process: Process | None = None
        self._asked = 0
        self._loaded: dict[str, Array] | None = None
        told = self._ask("describe", "describe", protocol=PROTOCOL)
        self.description = from_fields(told["description"], "the answer to describe: $.description")
        self.abilities = frozenset({*_ALWAYS, *told.get("abilities", ())})
        self.versions: dict[str, str] = told.get("versions", {})

    def __enter__(self) -> Subprocess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program. It is started again if it is asked anything after that."""
        if self._process is not None:
            self._process.end()

    def seed(self, seed: int) -> None:
        """Have the program seed its generator."""
        self._ask("seed", "done", seed=seed)

    def load(self, parameters: dict[str, Array]) -> None:
        """Send the parameters, now and whenever the program must be started again."""
        self._loaded = None
        arrays = {name: np.array(value) for name, value in parameters.items()}
        self._ask("load", "done", parameters=_encoded(arrays))
        self._loaded = arrays

    def sample(self, x: Array) -> Array:
        return self._output("sample", x=encode(x))

    def evaluate(self, x: Array) -> Array:
        return self._output("evaluate", x=encode(x))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        return self._output("sample_with_noise", x=encode(x), noise=_encoded(noise))

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        return self._named("gradients", "gradients", x=encode(x), grad_y=encode(grad_y))

    def _named(self, call: str, record: str, **message: Any) -> dict[str, Array]:
        told = self._ask(call, record, **message)
        return {name: self._array(value, f"$.{record}.{name}") for name, value in told[record].items()}

    def kl_gradients(self) -> dict[str, Array]:
        return self._named("kl_gradients", "gradients")

    def parameters(self) -> dict[str, Array]:
        """What the program holds now."""
        return self._named("parameters", "parameters")

    def kl(self) -> float:
        return self._number("kl")

    def network_kl(self, arrangement: str) -> float:
        return self._number("network_kl", arrangement=arrangement)

    def __getattr__(self, name: str) -> Callable[..., Array]:
        """What only one family has: a question with arrays, answered with one."""
        if name.startswith("_") or name not in self.__dict__.get("abilities", ()):
            raise AttributeError(f"the program has no {name}")
        return partial(self._with_arrays, name)

    def _with_arrays(self, call: str, **arrays: Array) -> Array:
        return self._output(call, **_encoded(arrays))

    def _number(self, call: str, **message: Any) -> float:
        value = self._ask(call, "number", **message)["kl"]
        return WORDS[value] if isinstance(value, str) else _float(value)

    def _output(self, call: str, **message: Any) -> Array:
        return self._array(self._ask(call, "output", **message)["y"], "$.y")

    def _array(self, field: Any, path: str) -> Array:
        return decode(field, self.description.dtype, path)

    def _ask(self, call: str, record: str, **message: Any) -> dict[str, Any]:
        if not self._turn.acquire(blocking=False):  # an earlier question was given up: it has no answer yet
            self.close()
            self._turn.acquire()
        try:
            return self._answered(self._running(call), call, record, message)
        finally:
            self._turn.release()

    def _running(self, call: str) -> Process:
        """The program, started if it is not running, and knowing the parameters."""
        if self._process is None or not self._process.alive:
            self.close()
            self._process = Process(self._command, self._limit)
            if self._loaded is not None and call != "load":
                self._answered(self._process, "load", "done", {"parameters": _encoded(self._loaded)})
        return self._process

    def _answered(self, process: Process, call: str, record: str, message: dict[str, Any]) -> dict[str, Any]:
        self._asked += 1
        try:
            line = process.ask(json.dumps({"id": self._asked, "call": call, **message}))
        except ProcessError as lost:
            raise type(lost)(f"asked for {call}, the program {lost}") from None
        try:
            answer: Any = schema.parse(line)
        except (ValueError, RecursionError):
            process.end()  # what else is on its way belongs to no question
            shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
            raise ProcessError(f"asked for {call}, the program answered what is no JSON: {shown!r}") from None
        if isinstance(answer, dict) and answer.get("id") != self._asked:
            process.end()
            came = schema.show(answer.get("id"))
            raise ProcessError(f"asked for {call}, the program answered with id {came}, expected {self._asked}")
        if isinstance(answer, dict) and "error" in answer:
            record = "failure"
        schema.require(
            answer,
            schema.load("bayesnoise_reference.adapters", "messages.schema.json"),
            record,
            f"the answer to {call}: $",
        )
        if record == "failure":
            raise ProcessError(f"the program says: {answer['error']}")
        return dict(answer)


def _encoded(arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {name: encode(value) for name, value in arrays.items()}


def encode(array: Array) -> dict[str, Any]:
    """An array as a question has it: nested lists of the shortest decimals that give the same numbers."""
    data = np.array([number(x) for x in array.ravel()], dtype=object).reshape(array.shape or (1,)).tolist()
    return {"shape": list(array.shape), "dtype": str(array.dtype), "data": data}


def decode(field: Mapping[str, Any], dtype: str, path: str) -> Array:
    """The array of a record whose fields have the right types. ValueError with the path to what does not fit."""
    shape, data = field["shape"], field["data"]
    if not any(isinstance(item, list) for item in data):
        if len(data) != math.prod(shape):
            raise ValueError(f"{path}.data has {len(data)} numbers, expected {math.prod(shape)}, as its shape says")
        shape = (len(data),)
    numbers = list(_numbers(data, shape, f"{path}.data"))
    return to_dtype(np.array(numbers, dtype=np.float64), field.get("dtype", dtype)).reshape(field["shape"])


def _numbers(data: Any, shape: Sequence[int], path: str) -> Iterator[float]:
    if not shape or not isinstance(data, list) or len(data) != shape[0]:
        length = f"a list of {shape[0]}" if shape else "one number"
        raise ValueError(f"{path} is {schema.show(data)}, expected {length}, as the shape says")
    for i, item in enumerate(data):
        if len(shape) > 1:
            yield from _numbers(item, shape[1:], f"{path}[{i}]")
        elif isinstance(item, str) and item in WORDS:
            yield WORDS[item]
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield _float(item)
        else:
            raise ValueError(f"{path}[{i}] is {schema.show(item)}, expected a number")


def _float(value: float) -> float:
    """Infinity for an integer above every double."""
    return float(value) if abs(value) < 2**1024 else math.inf if value > 0 else -math.inf
