"""The methods of this library whose weights are Gaussian, as adapters: over a dense map, or a convolution."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from bayesnoise_reference.adapters.adapter import Bias, Description, Estimator
from bayesnoise_reference.adapters.library import LibraryLayer

Dtype: TypeAlias = Literal["float32", "float64"]
_WIDTH = 0.5  # of the prior: not 1, where a variance taken for a scale would go unseen


def _over(
    method: Any,
    estimator: Estimator,
    inputs: int,
    outputs: int,
    kernel: tuple[int, ...],
    bias: Bias,
    prior: float,
    dtype: Dtype,
) -> LibraryLayer:
    from bayesnoise import maps

    over: Any = maps.Conv(inputs, outputs, kernel) if kernel else maps.Dense(inputs, outputs)
    description = Description(
        family="convolution" if kernel else "dense",
        estimator=estimator,
        inputs=inputs,
        outputs=outputs,
        layout="out_in" if kernel else "in_out",
        kernel=kernel,
        bias=bias,
        prior=prior,
        dtype=dtype,
        name=f"library:{method.__name__}",
    )
    return LibraryLayer(method(over, prior_scale=prior, bias=bias), description)


def bayes_by_backprop(
    inputs: int = 8,
    outputs: int = 64,
    *,
    kernel: tuple[int, ...] = (),
    bias: Bias = "random",
    prior: float = _WIDTH,
    dtype: Dtype = "float64",
) -> LibraryLayer:
    """One draw of the weights a call."""
    from bayesnoise import methods

    return _over(methods.bayes_by_backprop, "shared", inputs, outputs, kernel, bias, prior, dtype)


def flipout(
    inputs: int = 8,
    outputs: int = 64,
    *,
    kernel: tuple[int, ...] = (),
    bias: Bias = "deterministic",
    prior: float = _WIDTH,
    dtype: Dtype = "float64",
) -> LibraryLayer:
    """One draw a call, with signs for every example."""
    from bayesnoise import methods

    return _over(methods.flipout, "flipout", inputs, outputs, kernel, bias, prior, dtype)


def local_reparameterization(
    inputs: int = 8,
    outputs: int = 64,
    *,
    kernel: tuple[int, ...] = (),
    bias: Bias = "deterministic",
    prior: float = _WIDTH,
    dtype: Dtype = "float64",
) -> LibraryLayer:
    """A draw for every output."""
    from bayesnoise import methods

    return _over(methods.local_reparameterization, "local", inputs, outputs, kernel, bias, prior, dtype)
