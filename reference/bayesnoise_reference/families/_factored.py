"""Layers whose weights are multiplied by random factors, a unit each: their two noises are normal and independent.

A family says how it reads the noise behind its factors and behind its outputs off outputs; what is claimed of such
numbers is the same for all, and which mistakes show in it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.claims.claim import Claim, ClaimsOf, Finding
from bayesnoise_reference.claims.readings import apart_of, tails_of
from bayesnoise_reference.families._columns import correlation_of, shape_of, variance_by_column

ROWS = 8  # examples of a call, equal in pairs


class Readings(NamedTuple):
    """Numbers that are standard normal if the layer is right: (calls, rows, units) and (calls, rows, outputs)."""

    factors: Callable[[Any], Array]
    alone: Callable[[Any], Array]  # those of the factors where one number is behind each, independent of all others
    outputs: Callable[[Any], Array]


def pairs(trial: Any) -> Array:
    """Examples that are equal in pairs."""
    return np.repeat(trial.rows(ROWS // 2), 2, axis=0)


def _flat(z: Array) -> Array:
    return z.reshape(-1, z.shape[-1])


def behind_factors(
    of: ClaimsOf, read: Readings, undone: str, catches: Mapping[str, tuple[str, ...]]
) -> tuple[Claim, ...]:
    """The claims about the noise behind the factors."""
    behind = "the noise behind the factors"

    @of(
        "factors-variance",
        f"The noise behind the factors, with {undone} undone, has variance 1 in every unit.",
        catches=catches["factors-variance"],
    )
    def variance(trial: Any) -> Finding:
        """Exact law, chi-square, of numbers that are independent if the factors share what they should."""
        return variance_by_column(trial, _flat(read.factors(trial)), behind)

    @of(
        "factors-shape",
        f"The noise behind the factors, with {undone} undone, is standard normal.",
        catches=catches["factors-shape"],
    )
    def shape(trial: Any) -> Finding:
        """Kolmogorov's test."""
        return shape_of(trial, read.factors(trial), behind)

    @of(
        "factors-tails",
        "The noise behind the factors is as often far from 0 as normal noise.",
        catches=catches["factors-tails"],
    )
    def tails(trial: Any) -> Finding:
        """Exact law, binomial."""
        return tails_of(trial, read.alone(trial).ravel(), behind)

    @of(
        "units-apart",
        f"The noise behind the factors of two units, with {undone} undone, is independent.",
        catches=catches["units-apart"],
    )
    def units_apart(trial: Any) -> Finding:
        """Correlation of iid pairs of normal numbers."""
        z = read.factors(trial)
        return correlation_of(trial, z[:, :, 0], z[:, :, 1], f"{behind} of two units")

    @of("examples-apart", "Every example has factors of its own.", catches=catches["examples-apart"])
    def examples_apart(trial: Any) -> Finding:
        """Correlation of iid pairs of normal numbers."""
        z = read.factors(trial)
        return correlation_of(trial, z[:, ::2], z[:, 1::2], f"{behind} of two examples")

    return variance, shape, tails, units_apart, examples_apart


def around_outputs(of: ClaimsOf, read: Readings, catches: Mapping[str, tuple[str, ...]]) -> tuple[Claim, ...]:
    """The claims about the noise of the outputs."""

    @of(
        "noise-variance",
        "The noise of the outputs has the variance that the scales of the weights and the factors give it.",
        catches=catches["noise-variance"],
    )
    def variance(trial: Any) -> Finding:
        """Exact law, chi-square."""
        return variance_by_column(trial, _flat(read.outputs(trial)), "the noise of the outputs, standardised,")

    @of(
        "noise-tails",
        "The noise of the outputs is as often far from 0 as normal noise.",
        catches=catches["noise-tails"],
    )
    def tails(trial: Any) -> Finding:
        """Exact law, binomial."""
        return tails_of(trial, read.outputs(trial).ravel(), "the noise of the outputs")

    @of(
        "noise-apart",
        "Every example has noise of its own around its outputs.",
        catches=catches["noise-apart"],
    )
    def examples_apart(trial: Any) -> Finding:
        """Correlation of iid pairs of normal numbers."""
        z = read.outputs(trial)
        return correlation_of(trial, z[:, ::2], z[:, 1::2], "the noise of the outputs of two examples")

    @of(
        "outputs-apart",
        "The noise of two outputs of an example is independent.",
        catches=catches["outputs-apart"],
    )
    def outputs_apart(trial: Any) -> Finding:
        """Correlation of sizes, of iid pairs of normal numbers."""
        z = read.outputs(trial)
        return apart_of(trial, z[:, :, 0].ravel(), z[:, :, 1].ravel(), "two outputs")

    return variance, tails, examples_apart, outputs_apart
