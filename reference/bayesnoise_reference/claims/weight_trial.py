"""What a claim about random weights is given: random parameters, and what they make of an input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log1p

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.trial import Trial

TINY = 1e-30  # a standard deviation that is zero beside any rounding


class Loaded(NamedTuple):
    """The parameters that the layer holds, as standard deviations, and its raw scales."""

    mean: Array  # like the weights
    rho: Array  # like the weights
    scale: Array  # like the weights
    bias: Array  # (out,): the mean of the bias, zero if there is none
    bias_rho: Array  # (out,)
    bias_scale: Array  # (out,): zero unless the bias is random


@dataclass(frozen=True)
class WeightTrial(Trial):
    """A trial of a dense layer or a convolution."""

    @property
    def description(self) -> Description:
        """What the layer is."""
        found = self.guard.description
        assert isinstance(found, Description)
        return found

    def load(
        self,
        *,
        mean: Array | float | None = None,
        scale: Array | float | None = None,
        bias: Array | float | None = None,
        bias_scale: Array | float | None = None,
    ) -> Loaded:
        """Load parameters; what is not given is random: means about 1 in size, scales between .3 and 1.5."""
        d, rng = self.description, self.rng
        shape, out = d.weight_shape, (d.outputs,)
        mean = np.broadcast_to(rng.standard_normal(shape) if mean is None else mean, shape)
        scale = np.broadcast_to(np.exp(rng.uniform(-1.2, 0.4, shape)) if scale is None else scale, shape)
        bias = np.broadcast_to(rng.standard_normal(out) if bias is None else bias, out)
        bias_scale = np.broadcast_to(np.exp(rng.uniform(-1.2, 0.4, out)) if bias_scale is None else bias_scale, out)
        return self.load_raw(mean, raw(d, scale), bias, raw(d, bias_scale))

    def load_raw(self, mean: Array, rho: Array, bias: Array, bias_rho: Array) -> Loaded:
        """Load parameters with the scales as the layer stores them."""
        d = self.description
        parameters = {"mean": mean, "rho": rho}
        if d.bias == "deterministic":
            parameters["bias"] = bias
        if d.bias == "random":
            parameters |= {"bias_mean": bias, "bias_rho": bias_rho}
        held = self.guard.load(parameters)
        none = np.zeros(d.outputs)
        held_bias = held.get("bias", held.get("bias_mean", none))
        held_bias_rho = held.get("bias_rho", none)
        bias_scale = sigma(d, held_bias_rho) if d.bias == "random" else none
        return Loaded(held["mean"], held["rho"], sigma(d, held["rho"]), held_bias, held_bias_rho, bias_scale)

    def without_bias(self, *, mean: Array | float | None = None, scale: Array | float | None = None) -> Loaded:
        """Load weights, and a bias that is 0 and does not move."""
        return self.load(mean=mean, scale=scale, bias=0.0, bias_scale=TINY)

    def mean_output(self, x: Array, held: Loaded) -> Array:
        """The output of the mean weights and the mean bias."""
        d = self.description
        return np.asarray(designs.apply(d, x, held.mean) + held.bias.reshape(designs.bias_shape(d)))

    def variance(self, x: Array, held: Loaded) -> Array:
        """The variance of every output element: `sum x^2 scale^2`, and that of the bias."""
        d = self.description
        weights = designs.apply(d, x * x, held.scale**2)
        return np.asarray(weights + held.bias_scale.reshape(designs.bias_shape(d)) ** 2)

    def rounding(self, x: Array, held: Loaded, widths: float = 0.0) -> Array:
        """A bound on the rounding error of an output whose weights lie within so many scales of the mean."""
        d = self.description
        size = designs.apply(d, np.abs(x), np.abs(held.mean) + widths * held.scale)
        size = size + (np.abs(held.bias) + widths * held.bias_scale).reshape(designs.bias_shape(d))
        return 4.0 * (8 + np.prod(d.weight_shape) / d.outputs) * self.guard.eps * size + 1e-25

    def rows(self, n: int) -> Array:
        """(n, in) or (n, in, *space): dense random inputs, of the precision of the layer."""
        x = self.rng.standard_normal(designs.input_shape(self.description, n))
        return self.rounded(x)

    def read(self, reading: designs.Reading, held: Loaded, calls: int | None = None) -> Array:
        """(calls, m): the standard normal draw behind every weight that the reading sees."""
        y = np.stack([self.guard.sample(reading.x).ravel()[reading.at] for _ in range(calls or self.calls)])
        mean, scale = held.mean.ravel()[reading.weight], held.scale.ravel()[reading.weight]
        return (y - mean) / scale


def sigma(d: Description, rho: Array) -> Array:
    """The standard deviation of a stored scale."""
    if d.scale == "softplus":
        return np.asarray(np.maximum(rho, 0.0) + log1p(np.exp(-np.abs(rho))) + d.scale_floor)
    if d.scale == "identity":
        return np.abs(rho) + d.scale_floor
    return np.asarray(np.exp(rho / 2.0 if d.scale == "log_variance" else rho) + d.scale_floor)


def log_sigma(d: Description, rho: Array) -> Array:
    """Its logarithm, also where the standard deviation itself underflows."""
    if d.scale_floor > 0.0:
        return np.log(sigma(d, rho))
    if d.scale == "softplus":
        return np.where(rho < -30.0, rho, np.log(sigma(d, np.maximum(rho, -30.0))))
    if d.scale == "identity":
        return np.log(np.abs(rho))
    return rho / 2.0 if d.scale == "log_variance" else rho


def slope(d: Description, rho: Array) -> Array:
    """The derivative of the standard deviation by the stored scale."""
    if d.scale == "softplus":
        return np.asarray(expit(rho))
    if d.scale == "identity":
        return np.sign(rho)
    return (sigma(d, rho) - d.scale_floor) * (0.5 if d.scale == "log_variance" else 1.0)


def raw(d: Description, scale: Array) -> Array:
    """What a layer stores for a standard deviation, or for almost none above its floor."""
    scale = np.maximum(scale - d.scale_floor, TINY)
    if d.scale == "softplus":
        return np.asarray(scale + np.log(-np.expm1(-scale)))
    if d.scale == "identity":
        return scale
    return np.log(scale) * (2.0 if d.scale == "log_variance" else 1.0)
