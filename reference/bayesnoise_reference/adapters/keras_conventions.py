"""A Keras class whose arguments and variables are named as is usual, made and described without being told.

    adapter = conventional_keras(tfp.layers.DenseFlipout, inputs=8, outputs=64)

The constructor has `units`, or `filters` and `kernel_size`; the names of the variables say how a scale is stored and
whether the bias is random, and the name of the class says the estimator. The layers of TensorFlow Probability take a
prior as a function, and add the machine epsilon of their dtype to every standard deviation. What is guessed can be
given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.keras import KerasLayer, short_name
from bayesnoise_reference.adapters.torch import detect
from bayesnoise_reference.adapters.torch_conventions import axes, bias_of, estimator_of, stored

_WIDTH = 0.5  # of a prior that nobody gave: not 1, where a variance taken for a scale would go unseen
_AXES = {"stride": "strides", "dilation": "dilation_rate"}


def conventional_keras(
    made: Callable[..., Any],
    inputs: int,
    outputs: int,
    *,
    kernel: Sequence[int] = (),
    arguments: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    kl: Callable[[Any], Any] | None = None,
    **described: Any,
) -> KerasLayer:
    """The adapter of `made(...)`, a class or a function that returns a layer.

    `arguments` are given to it besides the sizes; `variables` and `kl` are those of `KerasLayer`; `described` are
    fields of `Description` that are not to be guessed. Raises ValueError where a guess is impossible.
    """
    name = getattr(made, "__name__", type(made).__name__)
    taken = inspect.signature(made).parameters
    probability = "kernel_prior_fn" in taken
    given = dict(arguments or {})
    given.setdefault("filters" if kernel else "units", outputs)
    if kernel:
        given.setdefault("kernel_size", tuple(kernel))
    dtype = described.setdefault("dtype", given.setdefault("dtype", described.get("dtype", "float32")))
    if probability and "kernel_prior_fn" not in given:
        width = described.setdefault("prior", _WIDTH)
        given["kernel_prior_fn"] = _normal_prior(described.get("prior_mean", 0.0), width)
    layer = made(**given)
    layer(np.zeros((1, *(2 * k for k in kernel), inputs), dtype=dtype))
    held = {short_name(v): v for v in layer.trainable_variables}
    bias = described.pop("bias", None) or bias_of(tuple(held))
    shape: dict[str, Any] = (
        {"family": "convolution", "kernel": tuple(kernel), "channels": "last"} if kernel else {"family": "dense"}
    )
    plain = Description(inputs=inputs, outputs=outputs, bias=bias, estimator="shared", **shape)
    names = dict(variables) if variables is not None else detect(tuple(held), plain)
    guessed: dict[str, Any] = {
        "estimator": estimator_of(made, name),
        "scale": stored(names["rho"]),
        "scale_floor": float(np.finfo(dtype).eps) if probability else 0.0,
        "name": name,
        **shape,
    }
    guessed |= {ours: axes(given[theirs], len(kernel)) for ours, theirs in _AXES.items() if theirs in given}
    if given.get("padding", "valid") != "valid" and "padding" not in described:
        raise ValueError(f"padding is {given['padding']!r}, which is no number: give it as it is described too")
    description = Description(**{"inputs": inputs, "outputs": outputs, "bias": bias, **guessed, **described})
    return KerasLayer(layer, description, names, kl)


def _normal_prior(mean: float, width: float) -> Callable[..., Any]:
    """A prior as TensorFlow Probability takes it: independent normal numbers."""
    from tensorflow_probability import distributions

    def prior(dtype: Any, shape: Any, name: str, trainable: bool, add_variable_fn: Any) -> Any:
        at = np.full(tuple(shape), mean, dtype=dtype.as_numpy_dtype)
        normal = distributions.Normal(at, dtype.as_numpy_dtype(width))
        return distributions.Independent(normal, reinterpreted_batch_ndims=at.ndim)

    return prior
