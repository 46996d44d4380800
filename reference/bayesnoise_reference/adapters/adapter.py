"""What an adapter says of a layer of random weights, and what any adapter lets one do with its layer.

An adapter has a `description`, the methods of `Adapter`, and some of those in `levels`; a claim that needs a method
which is not there is reported "not run". Arrays are NumPy's, in the layer's dtype and layout. Parameters and gradients
go by name:

    mean, rho              of the weights: rho is the scale as the layer stores it, see `Description.scale`
    bias                   of a deterministic bias, (out,)
    bias_mean, bias_rho    of a random one, (out,)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.adapters.subject import Subject

Family: TypeAlias = Literal["dense", "convolution"]
Estimator: TypeAlias = Literal["shared", "flipout", "local"]
Scale: TypeAlias = Literal["softplus", "exp", "log_variance", "identity"]
Bias: TypeAlias = Literal["none", "deterministic", "random"]

_WEIGHTS = ("mean", "rho", "eps")
_ACTIVATIONS = ("x", "y", "zeta")


@dataclass(frozen=True)
class Description:
    """What a layer is. ValueError for what cannot be.

    `scale` says how a standard deviation is stored: `softplus(rho)`, `exp(rho)`, `exp(rho / 2)` or `rho` itself.
    `scale_floor` is a number that the layer adds to every standard deviation after that, often a machine epsilon.
    `layout` is that of the weights: "in_out" is (in, out), or (*kernel, in / groups, out); "out_in" is (out, in), or
    (out, in / groups, *kernel). `channels` says where an image has them: (n, c, *space) or (n, *space, c).
    `prior` is the number the layer was given for the width of its Gaussian prior, and `prior_kind` what it is called.
    `kl_kind` says whether the KL is the closed form, or `log q(w) - log p(w)` at one fresh draw of the weights.
    Numbers for the axes of a convolution are one an axis of the kernel; left out, they are 1, 0 and 1.
    """

    family: Family
    estimator: Estimator
    inputs: int
    outputs: int
    scale: Scale = "softplus"
    scale_floor: float = 0.0
    bias: Bias = "none"
    layout: Literal["in_out", "out_in"] = "in_out"
    channels: Literal["first", "last"] = "first"
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    prior_mean: float = 0.0
    prior: float | None = None
    prior_kind: Literal["scale", "variance"] = "scale"
    kl_kind: Literal["closed", "monte_carlo"] = "closed"
    dtype: Literal["float32", "float64"] = "float64"
    name: str = "layer"

    def __post_init__(self) -> None:
        for field, kind in (("family", Family), ("estimator", Estimator), ("scale", Scale), ("bias", Bias)):
            _one_of(field, getattr(self, field), get_args(kind))
        _one_of("layout", self.layout, ("in_out", "out_in"))
        _one_of("channels", self.channels, ("first", "last"))
        _one_of("prior_kind", self.prior_kind, ("scale", "variance"))
        _one_of("kl_kind", self.kl_kind, ("closed", "monte_carlo"))
        _one_of("dtype", self.dtype, ("float32", "float64"))
        for field in ("inputs", "outputs", "groups"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} is {getattr(self, field)}, expected at least 1")
        if (self.family == "convolution") != bool(self.kernel):
            raise ValueError(f"kernel is {self.kernel} in a {self.family} layer, expected sizes for a convolution only")
        if self.inputs % self.groups or self.outputs % self.groups:
            raise ValueError(f"groups is {self.groups}, which must divide {self.inputs} inputs, {self.outputs} outputs")
        for field, default in (("stride", 1), ("padding", 0), ("dilation", 1)):
            numbers = getattr(self, field) or (default,) * len(self.kernel)
            if len(numbers) != len(self.kernel):
                raise ValueError(
                    f"{field} is {numbers}, expected {len(self.kernel)} numbers, one an axis of the kernel"
                )
            object.__setattr__(self, field, tuple(numbers))
        for field, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            if any(number < least for number in getattr(self, field)):
                raise ValueError(f"{field} is {getattr(self, field)}, expected numbers of at least {least}")
        if not 0.0 <= self.scale_floor < math.inf:
            raise ValueError(f"scale_floor is {self.scale_floor}, expected a finite number that is not below 0")
        if self.prior is not None and not (math.isfinite(self.prior) and self.prior > 0):
            raise ValueError(f"prior is {self.prior}, expected a finite number above 0, or None for no KL")

    @property
    def summary(self) -> str:
        """What decides between right and wrong, in a line: for who reads a report and has guessed, or let guess."""
        prior = "none" if self.prior is None else f"{self.prior:g} (its {self.prior_kind})"
        said = f"estimator {self.estimator}, scale {self.scale}, layout {self.layout}, bias {self.bias}, prior {prior}"
        return f"{self.family}, {self.inputs} to {self.outputs}, {said}, {self.dtype}"

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """(in, out), or (out, in / groups, *kernel): the layout in which the claims think."""
        if self.family == "dense":
            return (self.inputs, self.outputs)
        return (self.outputs, self.inputs // self.groups, *self.kernel)

    def output_shape(self, x_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of an output, with the channels where the layer has them."""
        if self.family == "dense":
            return (*x_shape[:-1], self.outputs)
        space = x_shape[2:] if self.channels == "first" else x_shape[1:-1]
        out = tuple(
            (space[a] + 2 * self.padding[a] - self.dilation[a] * (self.kernel[a] - 1) - 1) // self.stride[a] + 1
            for a in range(len(space))
        )
        return (x_shape[0], self.outputs, *out) if self.channels == "first" else (x_shape[0], *out, self.outputs)

    def inward(self, name: str, value: Array) -> Array:
        """From the layout of the claims to that of the layer."""
        if name in _WEIGHTS:
            return to_layout(self, value)
        return to_channels(self, value) if name in _ACTIVATIONS else value

    def outward(self, name: str, value: Array) -> Array:
        """From the layout of the layer to that of the claims."""
        if name in _WEIGHTS:
            return from_layout(self, value)
        return from_channels(self, value) if name in _ACTIVATIONS else value

    @property
    def prior_scale(self) -> float:
        """The standard deviation of the prior."""
        if self.prior is None:
            raise ValueError("prior is None: the layer has no Gaussian prior")
        return math.sqrt(self.prior) if self.prior_kind == "variance" else self.prior


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, allowed))}")


class Loadable(Protocol):
    """What every adapter has, of a layer or of a divergence alone."""

    @property
    def description(self) -> Subject:
        """What the layer is."""
        ...

    def load(self, parameters: dict[str, Array]) -> None:
        """Take these parameters."""
        ...


class Adapter(Loadable, Protocol):
    """A layer that can be asked: level 0. See `adapters.levels` for the others."""

    def sample(self, x: Array) -> Array:
        """One call of the layer, with fresh noise."""
        ...


def can(adapter: object, method: str) -> bool:
    """Whether the adapter has the method, and does not say through `abilities` that it cannot."""
    abilities = getattr(adapter, "abilities", None)
    return callable(getattr(adapter, method, None)) and (abilities is None or method in abilities)


def to_layout(description: Description, w: Array) -> Array:
    """Weights from the layout of the claims to that of the layer."""
    if description.family == "dense":
        return w.T if description.layout == "out_in" else w
    return np.moveaxis(w, (0, 1), (-1, -2)) if description.layout == "in_out" else w


def from_layout(description: Description, w: Array) -> Array:
    """Weights from the layout of the layer to that of the claims."""
    if description.family == "dense":
        return w.T if description.layout == "out_in" else w
    return np.moveaxis(w, (-1, -2), (0, 1)) if description.layout == "in_out" else w


def to_channels(description: Description, x: Array) -> Array:
    """Inputs or outputs from (n, c, *space) to where the layer has its channels."""
    return np.moveaxis(x, 1, -1) if description.family == "convolution" and description.channels == "last" else x


def from_channels(description: Description, x: Array) -> Array:
    """Inputs or outputs from where the layer has its channels to (n, c, *space)."""
    return np.moveaxis(x, -1, 1) if description.family == "convolution" and description.channels == "last" else x
