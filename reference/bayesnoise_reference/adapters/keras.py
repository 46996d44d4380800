"""An adapter of a Keras layer, of tf_keras or of Keras on TensorFlow, like those of TensorFlow Probability.

    KerasLayer(tfp.layers.DenseFlipout(64), Description("dense", "flipout", 8, 64, bias="deterministic", prior=1.0,
    scale_floor=eps, dtype="float32"))

Variables are known by their names, as the parameters of a torch module are: `kernel_posterior_loc` is the mean and
`kernel_posterior_untransformed_scale` the scale. Channels are last, and weights are (in, out). The KL is the sum of
`layer.losses` after a call, and that of a network the sum of `model.losses`; gradients are those of a tape. A layer
whose call takes `training` is sampled with True and evaluated with False. Calls are compiled, again after every seed:
a function that TensorFlow has compiled keeps the seed that it was compiled under.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.torch import detect


class KerasLayer:
    """A layer whose call gives the output; it is built if it has not been.

    `variables` names the layer's variables by the parameters of `Adapter`, without it they are detected. `kl` is a
    function of the layer, `evaluate(layer, x)` a pass without noise, and `network_kl(model)` what adds up the KL of a
    model, by default the sum of `model.losses`. Keras has there once a call what a layer adds in its call, so a model
    that calls it twice has its KL twice: such a model is asked only if `network_kl` is given. ValueError for names that
    cannot be found, and for weights of another layout.
    """

    def __init__(
        self,
        layer: Any,
        description: Description,
        variables: Mapping[str, str] | None = None,
        kl: Callable[[Any], Any] | None = None,
        evaluate: Callable[[Any, Any], Any] | None = None,
        network_kl: Callable[[Any], Any] | None = None,
    ) -> None:
        import tensorflow

        self._tf: Any = tensorflow
        self.layer, self.description, self._kl = layer, description, kl
        trains = "training" in inspect.signature(getattr(layer, "call", layer)).parameters
        self._noisy: dict[str, bool] = {"training": True} if trains else {}
        self._quiet = evaluate if evaluate is not None or not trains else _without_training
        self._network_kl = network_kl
        if not layer.built:
            layer(self._one_input())
        found = {short_name(v): v for v in layer.trainable_variables}
        self._names = dict(variables) if variables is not None else detect(tuple(found), description)
        missing = [name for name in self._names.values() if name not in found]
        if missing:
            raise ValueError(f"variables names {missing[0]!r}, which is none of {', '.join(found) or 'no variables'}")
        self._held = {ours: found[theirs] for ours, theirs in self._names.items()}
        self.seed(0)

    @property
    def versions(self) -> dict[str, str]:
        """The version of TensorFlow, for the report."""
        return {"tensorflow": str(self._tf.__version__)}

    @property
    def abilities(self) -> frozenset[str]:
        """Everything of level 1, the KL if the description has a prior, and evaluation if it is known how."""
        able = {"load", "sample", "gradients", "parameters", "seed", "save", "restore"}
        if self.description.prior is not None:
            able |= {"kl", "network_kl"} if self._kl is None or self._network_kl is not None else {"kl"}
        return frozenset(able if self._quiet is None else able | {"evaluate"})

    def seed(self, seed: int) -> None:
        """Seed TensorFlow, and have the calls compiled under this seed."""
        self._tf.random.set_seed(seed)
        space = (None,) * len(self.description.kernel)
        shape = (*space, self.description.inputs) if self._last else (self.description.inputs, *space)
        rows = self._tf.TensorSpec((None, *shape), self.description.dtype)
        out = self._tf.TensorSpec(None, self.description.dtype)
        quiet = self._quiet
        self._sample = self._tf.function(lambda x: self.layer(x, **self._noisy), input_signature=[rows])
        self._evaluate = self._tf.function(lambda x: quiet and quiet(self.layer, x), input_signature=[rows])
        self._pullback = self._tf.function(self._differentiated, input_signature=[rows, out])

    def load(self, parameters: dict[str, Array]) -> None:
        """Assign the parameters; ValueError where a variable has another shape."""
        for name, value in parameters.items():
            if name not in self._held:
                raise ValueError(f"the layer has no variable that is known as {name}: name it in variables")
            shape = tuple(self._held[name].shape)
            if shape != value.shape:
                raise ValueError(
                    f"{self._names[name]} has shape {shape}, the description gives {value.shape}: look at its sizes "
                    "and its layout"
                )
            self._held[name].assign(value)

    def parameters(self) -> dict[str, Array]:
        """What the layer holds now."""
        return {name: np.array(value) for name, value in self._held.items()}

    def save(self) -> list[Array]:
        """The weights, as Keras gives them."""
        return [np.array(w) for w in self.layer.get_weights()]

    def restore(self, saved: list[Array]) -> None:
        """Give them back."""
        self.layer.set_weights(saved)

    def sample(self, x: Array) -> Array:
        return np.array(self._sample(self._tf.constant(x)))

    def evaluate(self, x: Array) -> Array:
        return np.array(self._evaluate(self._tf.constant(x)))

    def gradients(self, x: Array, grad_y: Array) -> dict[str, Array]:
        y, grads = self._pullback(self._tf.constant(x), self._tf.constant(grad_y))
        return {name: np.array(g) for name, g in zip((*self._held, "x"), grads, strict=True)} | {"y": np.array(y)}

    def _differentiated(self, x: Any, grad_y: Any) -> Any:
        with self._tf.GradientTape() as tape:
            tape.watch(x)
            y = self.layer(x, **self._noisy)
        # A variable that the output does not reach has a gradient of zero.
        none = self._tf.UnconnectedGradients.ZERO
        grads = tape.gradient(y, [*self._held.values(), x], output_gradients=grad_y, unconnected_gradients=none)
        return y, grads

    def kl(self) -> float:
        if self._kl is not None:
            return float(np.array(self._kl(self.layer)))
        self.layer(self._one_input(), **self._noisy)
        if not self.layer.losses:
            raise ValueError("the layer adds no losses: pass kl")
        return _losses(self.layer)

    def network_kl(self, arrangement: str) -> float | None:
        if arrangement == "shared" and self._network_kl is None:
            return None
        keras = _keras(self.layer, self._tf)

        class Network(keras.Model):  # type: ignore[misc,name-defined]  # of Keras, which may be one of two
            """Parts side by side."""

            def __init__(self, *parts: Any) -> None:
                super().__init__()
                self.parts = list(parts)

            def call(self, x: Any) -> Any:
                return [part(x) for part in self.parts]

        model = Network(Network(self.layer)) if arrangement == "nested" else Network(self.layer, self.layer)
        model(self._one_input())
        return float(np.array((self._network_kl or _losses)(model)))

    @property
    def _last(self) -> bool:
        """Whether the inputs are on the last axis."""
        return self.description.family == "dense" or self.description.channels == "last"

    def _one_input(self) -> Any:
        d = self.description
        sizes = [d.dilation[a] * (d.kernel[a] - 1) + 1 for a in range(len(d.kernel))]
        shape = (1, *sizes, d.inputs) if self._last else (1, d.inputs, *sizes)
        return np.zeros(shape, dtype=d.dtype)


def short_name(variable: Any) -> str:
    """The name of a variable without its layer's name and its number."""
    return str(variable.name).rpartition("/")[2].partition(":")[0]


def _without_training(layer: Any, x: Any) -> Any:
    return layer(x, training=False)


def _losses(model: Any) -> float:
    """What a layer or a model has added to the loss."""
    return float(np.sum([np.array(loss) for loss in model.losses], dtype=np.float64))


def _keras(layer: Any, tensorflow: Any) -> Any:
    """The Keras that the layer is of: tf_keras, or the one of TensorFlow."""
    roots = [base.__module__.partition(".")[0] for base in type(layer).__mro__]
    return import_module("tf_keras") if "tf_keras" in roots else tensorflow.keras
