"""What a fit was asked to do: one record of plain values, which a checkpoint keeps and a resumed fit compares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import cache
from inspect import signature
from typing import Any

import numpy as np
from bayesnoise_backends import NAMES, host_rng

from bayesnoise import _checks, tree
from bayesnoise.maps import Dense
from bayesnoise.methods import Method, method
from bayesnoise.procedures import ClosedForm, Procedure

WORDS = {  # the settings that are one of a few words
    "likelihood": ("auto", "learned", "fixed", "predicted", "categorical"),
    "net": ("mlp", "conv"),
    "decay": ("none", "linear", "cosine"),
    "dtype": ("float32", "float64"),
    "backend": NAMES,
}
# The options that only some methods take: what builds their layers, what trains them, and what a step makes of their
# noise. The rank of a layer's own law is bounded by the layer, and is no one number for a network.
FOR_LAYERS = ("prior_scale", "rate")
FOR_PROCEDURES = ("prior_scale", "rank", "members", "adversarial", "begin")
FOR_NOISE = ("train_samples",)
FOR_METHODS = tuple(dict.fromkeys(FOR_LAYERS + FOR_PROCEDURES + FOR_NOISE))


@dataclass(frozen=True)
class Settings:
    """The options of `fit`. Those of `FOR_METHODS` are the method's own where they are None."""

    data: str
    target: str | None = None
    task: str | None = None
    split: int = 0
    method: str = "flipout"
    net: str = "mlp"
    hidden: tuple[int, ...] = (50,)
    epochs: int = 200
    batch: int = 32
    learning_rate: float = 1e-3
    decay: str = "none"
    prior_scale: float | None = None
    rate: float | None = None
    rank: int | None = None
    members: int | None = None
    adversarial: float | None = None
    begin: float | None = None
    train_samples: int | None = None
    kl_weight: float = 1.0
    kl_warmup: int = 0
    likelihood: str = "auto"
    noise_scale: float | None = None
    samples: int = 200
    validation: float = 0.0
    patience: int | None = None
    seed: int = 0
    backend: str = "numpy"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name in ("epochs", "batch", "samples"):
            _checks.positive_integer(name, getattr(self, name))
        for name, allowed in WORDS.items():
            _checks.one_of(name, getattr(self, name), allowed)
        for name in ("learning_rate", "prior_scale", "noise_scale"):
            if getattr(self, name) is not None:
                _checks.positive(name, getattr(self, name))
        for name in ("kl_weight", "kl_warmup", "seed"):
            _checks.not_negative(name, getattr(self, name))
        for size in self.hidden:
            _checks.positive_integer("hidden", size)
        _checks.probability("validation", self.validation)
        if self.patience is not None:
            _checks.positive_integer("patience", self.patience)
            if self.validation == 0:
                raise ValueError("patience is given without validation, expected a share of the training rows as well")
        if (self.likelihood == "fixed") != (self.noise_scale is not None):
            raise ValueError(
                f"likelihood is {self.likelihood!r} and noise_scale {self.noise_scale}: "
                "the likelihood 'fixed' takes a noise scale, in the units of the target, and no other does"
            )
        refused = [name for name in FOR_METHODS if getattr(self, name) is not None and not takes(self.method, name)]
        if refused:
            why = ": its layers draw no noise, so leave it out" if refused[0] in FOR_NOISE else ""
            raise ValueError(
                f"{refused[0]} is {getattr(self, refused[0])}, which the method {self.method} does not take{why}"
            )
        if self.train_samples is not None:
            _checks.positive_integer("train_samples", self.train_samples)
        procedure = procedure_of(self)  # which checks the options that it takes
        if isinstance(procedure, ClosedForm):  # whose network has none
            object.__setattr__(self, "hidden", ())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def difference(self, other: Settings) -> str | None:
        """A sentence about the first setting that differs, None if there is none."""
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if mine != theirs:
                return f"{field.name} is {mine!r}, and {theirs!r} in the checkpoint"
        return None


def takes(name: str, option: str) -> bool:
    """Whether the builder of the method takes the option, or the procedure that trains it, or its noise has a use."""
    entry = method(name)
    if option in FOR_NOISE:
        return _draws_noise(name)
    return option in (*_taken(entry.build, FOR_LAYERS), *_taken(entry.procedure, FOR_PROCEDURES))


@cache
def _draws_noise(name: str) -> bool:
    """Whether the layers of the method are random in a step."""
    layer, like = method(name).build(Dense(1, 1)), np.ones((1, 1))
    params = layer.init(host_rng(0), like=like)
    return bool(tree.leaves(layer.draw(host_rng(1), params, like.shape, like=like)))


def method_of(settings: Settings) -> tuple[Method, dict[str, Any]]:
    """The method, and the options for its builder."""
    entry = method(settings.method)
    return entry, _given(settings, _taken(entry.build, FOR_LAYERS))


def procedure_of(settings: Settings) -> Procedure:
    """The procedure of the method, with the options that are given for it."""
    procedure = method(settings.method).procedure
    return procedure(**_given(settings, _taken(procedure, FOR_PROCEDURES)))


def _taken(function: Callable[..., Any], options: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in options if name in signature(function).parameters)


def _given(settings: Settings, options: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in options if getattr(settings, name) is not None}


def layers(text: str) -> tuple[int, ...]:
    """`"50,50" -> (50, 50)`; `"0" -> ()`, for no hidden layer."""
    sizes = integers("hidden", text)
    return () if sizes == (0,) else sizes


def integers(name: str, text: str) -> tuple[int, ...]:
    """`"50,50" -> (50, 50)`."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{name} is {text!r}, expected integers with commas between, such as 50,50") from None


def numbers(name: str, text: str) -> tuple[float, ...]:
    """`"0.1,0.3" -> (0.1, 0.3)`."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = (math.nan,)
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"{name} is {text!r}, expected numbers with commas between, such as 0.1,0.3,1")
    return values
