"""The little of TensorFlow that its adapter uses, in NumPy, and a layer of flipout as Keras would have it.

It stands in where TensorFlow is missing: what is tested with it is the adapter, not TensorFlow.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np


class Variable:
    """An array with a name, as Keras shows one."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, np.array(value, dtype=np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def assign(self, value: Any) -> None:
        """Other numbers."""
        self.value = np.array(value, dtype=np.float32)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.value, dtype=dtype)


class Output(np.ndarray):
    """An output that knows its gradients."""

    pull: Any = None


class DenseFlipout:
    """Dense flipout with the names of TensorFlow Probability."""

    kl_factor = 1.0

    def __init__(self, units: int, dtype: str = "float32") -> None:
        self.units, self.built = units, False
        self.losses: list[Any] = []
        self.trainable_variables: list[Variable] = []
        self.rng = random

    def __call__(self, x: Any) -> Any:
        return self.pass_with(x, 1.0)

    def pass_with(self, x: Any, amount: float) -> Any:
        """The output of one draw, its noise times the amount."""
        if not self.built:
            shape = (x.shape[-1], self.units)
            names = ("kernel_posterior_loc", "kernel_posterior_untransformed_scale", "bias_posterior_loc")
            shapes = (shape, shape, (self.units,))
            pairs = zip(names, shapes, strict=True)
            self.trainable_variables = [Variable(f"dense_flipout/{n}:0", np.zeros(s)) for n, s in pairs]
            self.built = True
        mean, rho, bias = (v.value.astype(np.float64) for v in self.trainable_variables)
        scale, slope = np.logaddexp(0.0, rho), np.exp(-np.logaddexp(0.0, -rho))
        eps = amount * self.rng.generator.standard_normal(mean.shape)
        r, s = (self.rng.generator.choice([-1.0, 1.0], (len(x), n)) for n in mean.shape)
        y = (x @ mean + s * ((x * r) @ (scale * eps)) + bias).astype(np.float32).view(Output)
        log_scale = np.where(rho < -30.0, rho, np.log(np.logaddexp(0.0, np.maximum(rho, -30.0))))
        self.losses = [self.kl_factor * np.sum((scale**2 + mean**2) / 2 - log_scale - 0.5)]

        def pull(g: Any) -> list[Any]:
            inner = (x * r).T @ (g * s)
            x_grad = g @ mean.T + r * ((g * s) @ (scale * eps).T)
            return [a.astype(np.float32) for a in (x.T @ g, inner * eps * slope, g.sum(axis=0), x_grad)]

        y.pull = pull
        return y

    def get_weights(self) -> list[Any]:
        """Copies."""
        return [v.value.copy() for v in self.trainable_variables]

    def set_weights(self, values: list[Any]) -> None:
        """Assign all."""
        for variable, value in zip(self.trainable_variables, values, strict=True):
            variable.assign(value)


class HalfKL(DenseFlipout):
    """Half the KL."""

    kl_factor = 0.5


class QuietLater(DenseFlipout):
    """Noise in training alone."""

    quiet = 0.0

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        return self.pass_with(x, 1.0 if training else self.quiet)


class NeverQuiet(QuietLater):
    """The same, but for the noise that evaluation has too."""

    quiet = 1.0


class Model:
    """Parts, each with its losses as often as it is called."""

    parts: list[Any]

    def __call__(self, x: Any) -> Any:
        return self.call(x)

    def call(self, x: Any) -> Any:
        """To be overridden."""

    @property
    def losses(self) -> list[Any]:
        return [loss for part in self.parts for loss in part.losses]


class Tape:
    """A tape that asks the output."""

    def __enter__(self) -> Tape:
        return self

    def __exit__(self, *error: object) -> None: ...

    def watch(self, x: Any) -> None:
        """Nothing is recorded: the output knows."""

    def gradient(self, y: Any, sources: list[Any], output_gradients: Any, unconnected_gradients: str) -> list[Any]:
        """Of the variables and the input, in their order."""
        assert (len(sources), unconnected_gradients) == (4, "zero")
        found: list[Any] = y.pull(np.asarray(output_gradients))
        return found


class Random:
    """The global generator."""

    generator = np.random.default_rng(0)

    def set_seed(self, seed: int) -> None:
        """Begin again."""
        self.generator = np.random.default_rng(seed)


random = Random()
tensorflow = types.ModuleType("tensorflow")
vars(tensorflow).update(
    __version__="0 (a stand-in)",
    random=random,
    keras=types.SimpleNamespace(Model=Model),
    constant=np.array,
    TensorSpec=lambda shape, dtype: (shape, dtype),
    function=lambda f, input_signature: f,
    GradientTape=Tape,
    UnconnectedGradients=types.SimpleNamespace(ZERO="zero"),
)
