"""Fewer bits a weight, as many as its posterior can tell apart: a rounded network, and how many bits it takes.

Louizos, Ullrich, Welling 2017 (arXiv 1705.08665), section 3 and its appendix: digits of a weight below its posterior
uncertainty say nothing. A layer keeps t binary places, so that weights are multiples of `2^-t`, with t the mean over
its weights of

    "scale":     the least t with 2^-t / 2 <= standard deviation
    "variance":  the number of t from 1 on with 2^-t > 2 variance

rounded up; the second is what the authors' program counts. With e bits of an exponent, `ceil(log2(log2 max|w| + 1) +
1)`, a weight takes `1 + e + t` bits by the paper's account; where max|w| < 1, the inner sum counts as 1. Random factors
are multiplied into the weights, at their means. Biases stay as they are, at 32 bits. Works on host arrays.
"""

from __future__ import annotations

import math
from dataclasses import replace
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from bayesnoise import _checks, quiet, tree
from bayesnoise._typing import Array, Params
from bayesnoise.affine import Affine, AffineParams, Biased
from bayesnoise.chain import Chain
from bayesnoise.composite import Composite, walk
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Plain
from bayesnoise.group_pruning import Atom, atoms
from bayesnoise.layer import Layer
from bayesnoise.noise import GroupFactor
from bayesnoise.posteriors import Point, PointParams
from bayesnoise.residual import Residual
from bayesnoise.stochastic import Stochastic
from bayesnoise.weight_moments import Host, ToHost, axis_of, factors, moments, scaled

Precision: TypeAlias = Literal["scale", "variance"]

MOST_PLACES = 23  # those of float32
WIDEST = 62  # bits of one integer, with its sign: so an int64 holds it, and its distance from the least as well
FULL = 32  # bits of a number that is not compressed


class LayerBits(NamedTuple):
    """What the weights of one layer take."""

    path: str  # of the weights among the compressed parameters, dotted
    places: int  # binary places behind the point
    exponent: int
    width: int  # of one integer in the file: its sign, and what the largest weight needs
    weights: int

    @property
    def bits(self) -> int:
        """Bits of one weight by the paper's account."""
        return 1 + self.exponent + self.places


class Compressed(NamedTuple):
    """A network without noise, whose weights are multiples of a power of two."""

    layer: Chain
    params: Params
    bits: tuple[LayerBits, ...]


def places(sd: Array, precision: Precision = "scale") -> int:
    """The binary places of weights with these standard deviations, from 0 to 23.

    ValueError for another precision, or standard deviations that are not numbers or below 0.
    """
    _checks.one_of("precision", precision, ("scale", "variance"))
    host = np.asarray(sd, dtype=np.float64)
    if not np.all(host >= 0):
        raise ValueError(f"sd has {host[~(host >= 0)].ravel()[0]}, expected standard deviations of at least 0")
    with np.errstate(divide="ignore"):
        log2 = np.log2(host)
        needed = np.ceil(-1.0 - log2) if precision == "scale" else np.ceil(-1.0 - 2.0 * log2) - 1.0
    return math.ceil(float(np.mean(np.clip(needed, 0, MOST_PLACES))))


def exponent_bits(largest: float) -> int:
    """The bits of the exponent of a layer whose largest weight is given."""
    inner = math.log2(largest) + 1.0 if largest > 0 else 1.0
    return math.ceil(math.log2(max(inner, 1.0)) + 1.0)


def quantised(w: Host, places: int, name: str = "w") -> Host:
    """`floor(w 2^t + 1/2)` as integers; ValueError, with the name of the weights, where one needs above 62 bits."""
    with np.errstate(over="ignore"):
        whole = np.floor(np.ldexp(w.astype(np.float64), places) + 0.5)
    if not np.all(np.abs(whole) < 2.0 ** (WIDEST - 1)):
        raise ValueError(
            f"{name} has a weight of size {float(np.max(np.abs(w))):.3g}, expected below "
            f"{2.0 ** (WIDEST - 1 - places):.3g}: at {places} binary places it needs more than {WIDEST} bits; make "
            "the weights smaller, or their posterior wider, which needs fewer places"
        )
    return whole.astype(np.int64)


def restored(integers: Host, places: int) -> Host:
    """The weights of integers: float64, exact."""
    return np.ldexp(integers.astype(np.float64), -places)


def compress(
    layer: Layer, params: Params, *, precision: Precision = "scale", to_host: ToHost = np.asarray
) -> Compressed:
    """The network at the means of its weights and factors, without noise, the weights rounded.

    Noise of mean 1 on activations goes; what a residual, recurrent or attention layer holds is rounded as the rest is;
    normalisation stays as it is. Factors must stand directly before dense weights or behind those of a convolution, as
    `bayesian_compression` puts them: ValueError if not, or for a weight that is not finite or too large. TypeError,
    which names the layer, for weights or noise of another kind.
    """
    _checks.one_of("precision", precision, ("scale", "variance"))
    return _compressed(atoms(layer, params), "", _Rounding(precision, to_host))


class _Rounding(NamedTuple):
    precision: Precision
    to_host: ToHost


def _compressed(flat: list[Atom], place: str, rounding: _Rounding) -> Compressed:
    """A chain of layers, whose parameters have their place among the compressed ones."""
    done, bits = list[Atom](), list[LayerBits]()
    for i, atom in enumerate(flat):
        here = f"{place}{len(done)}"
        if isinstance(atom.layer, GroupFactor):
            _check_place(flat, i)
        elif isinstance(atom.layer, Biased | Stochastic):
            before, behind = (flat[j] if 0 <= j < len(flat) else None for j in (i - 1, i + 1))
            rounded, own = _rounded(atom, before, behind, here, rounding)
            done.append(rounded)
            bits.append(own)
        elif isinstance(atom.layer, quiet.WITHOUT_NOISE):
            done.append(atom)
        elif not isinstance(atom.layer, quiet.PURE_NOISE):
            held, inner = _held(atom, here, rounding)
            done.append(held)
            bits += inner
    return Compressed(Chain(tuple(a.layer for a in done)), tuple(a.params for a in done), tuple(bits))


def _held(atom: Atom, here: str, rounding: _Rounding) -> tuple[Atom, list[LayerBits]]:
    """A layer that is made of others."""
    if not isinstance(atom.layer, quiet.OF_WEIGHTS | Residual):
        raise TypeError(
            f"layer has {atom.layer!r} at '{atom.path}', expected weights with a mean and a scale each, or layers that "
            "hold them: take it out, or put a layer of another method there"
        )
    parts, params, bits = dict[str, Layer](), list[Params](), list[LayerBits]()
    for (name, part), p in zip(atom.layer.parts, atom.params, strict=True):
        path = f"{atom.path}.{name}" if atom.path else name
        if isinstance(atom.layer, Residual):
            parts[name], inner, more = _compressed(atoms(part, p, path), f"{here}.{name}.", rounding)
            bits += more
        else:
            (parts[name], inner, _), own = _rounded(Atom(part, p, path), None, None, f"{here}.{name}", rounding)
            bits.append(own)
        params.append(inner)
    return Atom(quiet.with_parts(atom.layer, parts), type(atom.params)(*params), atom.path), bits


def _rounded(
    atom: Atom, before: Atom | None, behind: Atom | None, here: str, rounding: _Rounding
) -> tuple[Atom, LayerBits]:
    """A layer of weights, times the factors that stand beside it."""
    precision, to_host = rounding
    term, weights = moments(atom, to_host)
    if before is not None and isinstance(before.layer, GroupFactor) and not before.layer.positions:
        weights = scaled(weights, factors(before, to_host), axis_of(term.map, "input"), outputs=False)
    if behind is not None and isinstance(behind.layer, GroupFactor) and behind.layer.positions:
        weights = scaled(weights, factors(behind, to_host), axis_of(term.map, "output"), outputs=True)
    if not np.all(np.isfinite(weights.mean)):
        raise ValueError(f"params of '{atom.path}' has weights that are not finite: nothing to round")
    t = places(np.sqrt(weights.variance), precision)
    integers = quantised(weights.mean, t, f"params of '{atom.path}'")
    path = f"{here}.weight.theta" if weights.bias is not None else f"{here}.theta"
    largest = float(np.max(np.abs(weights.mean)))
    bits = LayerBits(path, t, exponent_bits(largest), width(integers), integers.size)
    return _point(atom, term, restored(integers, t), weights.bias), bits


def width(integers: Host) -> int:
    """The bits of a signed integer that the largest of these needs."""
    return 1 + int(np.max(np.abs(integers))).bit_length()


def _check_place(flat: list[Atom], i: int) -> None:
    layer = flat[i].layer
    j = i - 1 if layer.positions else i + 1
    if not (0 <= j < len(flat) and isinstance(flat[j].layer, Biased | Stochastic)):
        raise ValueError(f"layer has {layer} at '{flat[i].path}', expected it beside the weights of its groups")


def _point(atom: Atom, term: Stochastic, w: Host, b: Host | None) -> Atom:
    """The layer without noise, at these weights."""
    like = tree.first_leaf(atom.params)
    weight, bias = (None if h is None else PointParams(_like(like, h)) for h in (w, b))
    quiet = Stochastic(term.map, Point(), Plain(), Zero())
    if bias is None:
        return Atom(quiet, weight, atom.path)
    layer = Affine(quiet, replace(quiet, map=term.map.bias()))
    return Atom(layer, AffineParams(weight, bias), atom.path)


def _like(leaf: Array, host: Host) -> Array:
    return array_namespace(leaf).asarray(host, dtype=leaf.dtype, device=device(leaf))


def compression_rate(before: Layer, after: Compressed) -> float:
    """The bits of a network of one number a weight, 32 each, over those of a compressed one in its file.

    Weights and biases of all layers count, those inside of others too, and what the compressed one keeps beside them.
    """
    packed = {b.path: b.width * b.weights for b in after.bits}
    sizes = {path: FULL * prod(leaf.shape) for path, leaf in tree.paths(after.params)}
    beside: int = FULL * sum(
        prod(leaf.shape)
        for _, part, params in walk(after.layer, after.params)
        if not isinstance(part, Stochastic)
        for leaf in tree.leaves(params)
    )
    stored: int = sum((sizes | packed).values())
    total: int = FULL * _numbers(before) + beside
    return total / stored


def _numbers(layer: Any) -> int:
    """The weights and biases of a layer and of those that it is made of."""
    if isinstance(layer, Composite):
        return sum(_numbers(part) for _, part in layer.parts)
    return prod(layer.map.weight_shape) if isinstance(layer, Stochastic) else 0
