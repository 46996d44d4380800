"""Every call of an adapter goes through here: it is timed, its answer examined, and no traceback comes out.

What makes an answer useless (it raised, it hung, the shape is wrong, there is NaN) raises `AdapterError` with a
sentence; what is only wrong (another dtype, the same array twice, inputs or parameters changed) is noted in `manners`,
and the call goes on. An adapter that hung is closed, if it can be, and asked nothing more. Here also the layouts of
the layer end: outside are (in, out), (out, in, *kernel), (n, c, *space), and float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters._answers import AdapterError, Manners, Saved, named, raised, short
from bayesnoise_reference.adapters.adapter import Loadable, can
from bayesnoise_reference.adapters.process import SilentProcessError
from bayesnoise_reference.adapters.worker import TIMEOUT, Worker, close

__all__ = ["AdapterError", "Guard"]
Result = TypeVar("Result")


class Guard:
    """An adapter that is only ever asked politely; `manners` is what its calls have shown of how it behaves."""

    def __init__(self, adapter: Loadable, limit: float = 60.0) -> None:
        self.adapter, self.limit = adapter, limit
        self.description = adapter.description
        self.dtype = np.dtype(self.description.dtype)
        self.calls = 0
        self.manners = Manners()
        self._worker = Worker()
        self._hung: str | None = None
        self._method = ""  # that was asked last
        self._loaded: dict[str, Array] = {}
        self._passed: dict[str, Array] = {}
        self._held: dict[str, Array] = {}  # what the adapter said that it held, after it was given these

    @property
    def eps(self) -> float:
        """The rounding unit of the layer: of its dtype, or of the answers to this claim where that is coarser."""
        return max(float(np.finfo(self.dtype).eps), self.manners.eps)

    def can(self, method: str) -> bool:
        """Whether the adapter has the method."""
        return can(self.adapter, method)

    def load(self, parameters: dict[str, Array]) -> dict[str, Array]:
        """Load, and return the parameters as the layer has them: rounded to its dtype, in float64."""
        self._passed = {name: self._inward(name, value) for name, value in parameters.items()}
        self._loaded = {name: value.copy() for name, value in self._passed.items()}
        self._call("load", self._passed)
        now = self._parameters()
        self._held = self._loaded if now is self._passed else {name: value.copy() for name, value in now.items()}
        return {name: np.asarray(self._outward(name, v), dtype=np.float64) for name, v in self._loaded.items()}

    def sample(self, x: Array, *, finite: bool = True) -> Array:
        """One output, in float64 and (n, c, *space)."""
        inward = self._inward("x", x)
        before = inward.copy()
        y = self._call("sample", inward)
        return self._output("sample", y, before, inward, finite)

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        """One output for the noise."""
        inward = self._inward("x", x)
        before = inward.copy()
        y = self._call("sample_with_noise", inward, {k: self._inward(k, v) for k, v in noise.items()})
        return self._output("sample_with_noise", y, before, inward, True)

    def gradients(self, x: Array, grad_y: Array, *, finite: bool = True) -> dict[str, Array]:
        """The gradients of one draw, by name, in float64."""
        inward, grad = self._inward("x", x), self._inward("y", grad_y)
        before = inward.copy()
        answer = self._call("gradients", inward, grad)
        self._unchanged("gradients", before, inward)
        return self._named("gradients", answer, {"x": x.shape, "y": grad_y.shape}, finite)

    def kl_gradients(self, *, finite: bool = True) -> dict[str, Array]:
        """The gradients of the KL, by name, in float64."""
        answer = self._call("kl_gradients")
        self._same_parameters("kl_gradients")
        return self._named("kl_gradients", answer, {}, finite)

    def example_kl_gradients(self, x: Array) -> dict[str, Array]:
        """The gradients of the sum of the divergences of the examples, by name, in float64."""
        answer = self._call("example_kl_gradients", self._inward("x", x))
        self._same_parameters("example_kl_gradients")
        return self._named("example_kl_gradients", answer, {"x": x.shape}, True)

    def _named(self, method: str, answer: object, others: dict[str, tuple[int, ...]], finite: bool) -> dict[str, Array]:
        """Gradients, one for each parameter; `others` are the shapes of what else may be among them."""
        self.manners.see("shape")
        by_name = named(method, answer)
        missing = [name for name in self._loaded if name not in by_name]
        if missing:
            raise AdapterError("shape", f"{method} returned no gradient of {missing[0]}")
        found = {str(name): self._outward(str(name), self.manners.numbers(method, v)) for name, v in by_name.items()}
        shapes = {name: np.shape(self._outward(name, v)) for name, v in self._loaded.items()} | others
        for name, value in found.items():
            if name in shapes and value.shape != shapes[name]:
                raise AdapterError(
                    "shape", f"the gradient of {name} has shape {value.shape}, its own shape is {shapes[name]}"
                )
            if finite:
                self.manners.finite(f"the gradient of {name} has", value)
        return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}

    def kl(self) -> float:
        """The KL, a number that may be NaN or infinite."""
        return self._number("kl", self._call("kl"))

    def network_kl(self, arrangement: str) -> float | None:
        """The KL of a network that has the layer in it; None where there is no such arrangement."""
        answer = self._call("network_kl", arrangement)
        return None if answer is None else self._number("network_kl", answer)

    def evaluate(self, x: Array, *, finite: bool = True) -> Array:
        """The output without noise."""
        inward = self._inward("x", x)
        before = inward.copy()
        y = self._call("evaluate", inward)
        return self._output("evaluate", y, before, inward, finite)

    def save(self) -> Saved:
        """Whatever the adapter keeps of its layer, and what it then held."""
        return Saved(self._call("save"), self._loaded, self._passed, self._held)

    def restore(self, saved: Saved) -> None:
        """Have the adapter read it back."""
        self._call("restore", saved.kept)
        self._loaded, self._passed, self._held = saved.loaded, saved.passed, saved.held

    def ask(self, method: str, *, finite: bool = True, **arrays: Array) -> Array:
        """One array from a method that only one family has, given arrays by name; in float64."""
        inward = {name: self._inward(name, value) for name, value in arrays.items()}
        before = {name: value.copy() for name, value in inward.items()}
        answer = self._call(method, **inward)
        for name, value in inward.items():
            self._same_input(method, before[name], value)
        self._same_parameters(method)
        value = self.manners.numbers(method, answer)
        if finite:
            self.manners.finite(f"{method} returned", value)
        return np.array(value, dtype=np.float64)

    def _number(self, method: str, answer: object) -> float:
        self._same_parameters(method)
        self.manners.see("shape")
        value = self.manners.numbers(method, answer)
        if value.size != 1:
            raise AdapterError("shape", f"{method} returned shape {value.shape}, one number is expected")
        return float(value.reshape(()))

    def begin(self) -> None:
        """A claim begins: it is judged by its own answers, and so by itself as among others."""
        self.manners.eps = 0.0

    def seed(self, seed: int) -> None:
        """Seed the adapter, if it can be."""
        if self.can("seed"):
            self._call("seed", seed)

    def _inward(self, name: str, value: Array) -> Array:
        return np.array(self.description.inward(name, value), dtype=self.dtype, order="C")

    def _outward(self, name: str, value: Array) -> Array:
        return self.description.outward(name, value)

    def watch(self, work: Callable[[], Result]) -> Result:
        """What the work returns, whose calls are timed where it runs; what it raises, or AdapterError if one hangs."""
        if self._hung is not None:
            raise AdapterError("hangs", self._hung)
        error, answer = self._worker.watch(work, self.limit)
        if error is TIMEOUT:
            raise self._stopped(f"{self._method} did not return within {self.limit:g} s")
        if error is not None:
            raise error
        found: Result = answer
        return found

    def _stopped(self, said: str) -> AdapterError:
        """What to raise when a call hangs: the adapter is closed."""
        self.manners.see("hangs")
        self._hung = f"{said}; nothing was asked of it afterwards"
        close(self.adapter)
        return AdapterError("hangs", self._hung)

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        if self._hung is not None:
            raise AdapterError("hangs", self._hung)
        self.calls += 1
        self._method = method
        error, answer = self._worker.run(lambda: getattr(self.adapter, method)(*arguments, **named), self.limit)
        if self._hung is not None:  # it was given up meanwhile
            raise AdapterError("hangs", self._hung)
        if error is TIMEOUT:
            raise self._stopped(f"{method} did not return within {self.limit:g} s")
        if isinstance(error, SilentProcessError):
            raise self._stopped(short(error))
        self.manners.see("raises", "hangs")
        if error is not None:
            raise AdapterError("raises", f"{method} raised {raised(error)}")
        return answer

    def _output(self, method: str, answer: object, before: Array, inward: Array, finite: bool) -> Array:
        self._unchanged(method, before, inward)
        self.manners.see("shape", "dtype")
        value = self.manners.numbers(method, answer)
        if value.ndim:
            self.manners.output(method, answer)
        if value.dtype != self.dtype:
            self.manners.fault("dtype", f"{method} returned {value.dtype}, the layer and its input are {self.dtype}")
        expected = self.description.output_shape(before.shape)
        if value.shape != expected:
            raise AdapterError(
                "shape",
                f"{method} returned shape {value.shape} for an input of shape {before.shape}, {expected} is right",
            )
        if finite:
            self.manners.finite(f"{method} returned", value)
        return np.array(self._outward("y", value), dtype=np.float64)

    def _unchanged(self, method: str, before: Array, inward: Array) -> None:
        self._same_input(method, before, inward)
        self._same_parameters(method)

    def _same_input(self, method: str, before: Array, inward: Array) -> None:
        said = f"{method} changed the input array that it was given"
        self.manners.unchanged("changes-inputs", before, inward, said)

    def _same_parameters(self, method: str) -> None:
        now = self._parameters()
        if not self._loaded:
            self.manners.see("changes-parameters")  # there are none
        for name, value in self._held.items():
            said = f"{method} changed the parameter {name}" if name in now else f"{method} removed the parameter {name}"
            self.manners.unchanged("changes-parameters", value, now.get(name), said)

    def _parameters(self) -> dict[str, Array]:
        """Those that were loaded, as the adapter holds them; none, if it knows the question and has no answer."""
        if not self.can("parameters"):
            return {} if callable(getattr(self.adapter, "parameters", None)) else self._passed
        now = named("parameters", self._call("parameters"))
        return {name: self.manners.numbers("parameters", now[name]) for name in self._loaded if name in now}
