"""Modules and adapters that the command line verifies in tests: right ones, wrong ones, and some that misbehave."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.adapters.functions import Functions
from torch import nn
from torch.nn import functional


class Flipout(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Dense flipout with the names that are usual, in the layout of torch."""

    def __init__(self, in_features: int, out_features: int, prior_sigma: float = 1.0) -> None:
        super().__init__()
        self.prior_sigma = prior_sigma
        self.mu_weight = nn.Parameter(torch.zeros(out_features, in_features, dtype=torch.float64))
        self.rho_weight = nn.Parameter(torch.zeros(out_features, in_features, dtype=torch.float64))

    def signs(self, x: torch.Tensor, features: int) -> torch.Tensor:
        """One a row and feature."""
        return torch.randint(0, 2, (x.shape[0], features)).to(x.dtype) * 2 - 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The output of one call."""
        w = functional.softplus(self.rho_weight) * torch.randn_like(self.rho_weight)
        outputs, inputs = self.mu_weight.shape
        return x @ self.mu_weight.T + self.signs(x, outputs) * ((self.signs(x, inputs) * x) @ w.T)

    def kl_loss(self) -> torch.Tensor:
        """The sum over the weights, from a logarithm that does not underflow."""
        rho, p = self.rho_weight, self.prior_sigma
        log_sigma = torch.where(rho < -30, rho, torch.log(functional.softplus(torch.clamp(rho, min=-30.0))))
        square = (functional.softplus(rho) ** 2 + self.mu_weight**2) / (2 * p**2)
        return torch.sum(math.log(p) - log_sigma + square - 0.5)


class SharedSigns(Flipout):
    """The signs of the first row for all."""

    def signs(self, x: torch.Tensor, features: int) -> torch.Tensor:
        """One row of signs."""
        return super().signs(x[:1], features).expand(x.shape[0], features)


class Silent(Flipout):
    """No KL, and an argument that nobody can guess."""

    kl_loss = None  # type: ignore[assignment]

    def __init__(self, in_features: int, out_features: int, flavour: str) -> None:
        super().__init__(in_features, out_features)
        if flavour == "bitter":
            raise RuntimeError("too bitter")


class Rows(nn.Module):  # type: ignore[misc]
    """Weights as (in, out), one draw a call, and a random bias of its own."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        shape = (in_features, out_features)
        self.mu_weight, self.rho_weight = (nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for _ in range(2))
        self.mu_bias, self.rho_bias = (nn.Parameter(torch.ones(out_features, dtype=torch.float64)) for _ in range(2))

    def weight(self) -> torch.Tensor:
        """One draw, (in, out)."""
        return self.mu_weight + functional.softplus(self.rho_weight) * torch.randn_like(self.mu_weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The output of one call."""
        bias = self.mu_bias + functional.softplus(self.rho_bias) * torch.randn_like(self.mu_bias)
        return x @ self.weight() + bias


class Columns(Rows):
    """The same numbers, taken as (out, in)."""

    def weight(self) -> torch.Tensor:
        """One draw, (in, out)."""
        return super().weight().T


class Neither(Rows):
    """An output from which nobody can tell."""

    def weight(self) -> torch.Tensor:
        """The mean of both."""
        return (super().weight() + super().weight().T) / 2


class Nameless(nn.Module):  # type: ignore[misc]
    """Parameters that say nothing."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.zeros(out_features, in_features))
        self.b = nn.Parameter(torch.zeros(out_features, in_features))


class UnspeakableError(Exception):
    """An error that does not say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unspeakable(nn.Module):  # type: ignore[misc]
    """A layer that cannot be made."""

    def __init__(self, in_features: int, out_features: int) -> None:
        raise UnspeakableError


def no_noise(parameters: dict[str, Any], x: Any) -> Any:
    """The output of the mean weights."""
    return x @ parameters["mean"]


def raises(parameters: dict[str, Any], x: Any) -> Any:
    """What a layer with a mistake in it does."""
    raise KeyError("<b>no such thing</b>")


DESCRIPTION = Description("dense", "shared", 3, 4, name="<b>mine</b>")
NO_NOISE = Functions(DESCRIPTION, no_noise)
RAISES = Functions(DESCRIPTION, raises)
NO_ADAPTER = np.ones(3)


def made() -> Functions:
    """An adapter that is made when it is asked for."""
    return NO_NOISE
