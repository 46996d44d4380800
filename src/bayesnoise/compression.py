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
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device

from bayesnoise import _checks, tree
from bayesnoise._typing import Array, Params
from bayesnoise.affine import Affine, AffineParams, Biased
from bayesnoise.chain import Chain
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Plain
from bayesnoise.group_pruning import Atom, atoms
from bayesnoise.layer import Layer
from bayesnoise.noise import GroupFactor
from bayesnoise.posteriors import Point, PointParams
from bayesnoise.stochastic import Stochastic

Precision: TypeAlias = Literal["scale", "variance"]
Host: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
ToHost: TypeAlias = Callable[[Array], Any]

MOST_PLACES = 23  # those of float32
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


def quantised(w: Host, places: int) -> Host:
    """`floor(w 2^t + 1/2)` as integers."""
    return np.floor(np.ldexp(w.astype(np.float64), places) + 0.5).astype(np.int64)


def restored(integers: Host, places: int) -> Host:
    """The weights of integers: float64, exact."""
    return np.ldexp(integers.astype(np.float64), -places)


class _Moments(NamedTuple):
    mean: Host
    variance: Host
    bias: Host | None


def _scaled(weights: _Moments, factors: tuple[Host, Host], axis: int, *, outputs: bool) -> _Moments:
    """The moments of weights times factors along an axis, and of the bias if the factors are of outputs."""
    shape = [1] * weights.mean.ndim
    shape[axis] = -1
    mean, variance = (f.reshape(shape) for f in factors)
    squares = weights.mean**2 + weights.variance
    bias = weights.bias * factors[0] if outputs and weights.bias is not None else weights.bias
    return _Moments(mean * weights.mean, mean**2 * weights.variance + variance * squares, bias)


def _moments(atom: Atom, to_host: ToHost) -> tuple[Any, _Moments]:
    """The term of the weights, and what they and the bias are, in float64."""
    layer, params, path = atom
    term: Any = layer.weight if isinstance(layer, Biased) else layer
    if not isinstance(term, Stochastic):
        raise TypeError(f"layer has {term!r} at '{path}', expected weights with a mean and a scale each")
    of_weight = params.weight if isinstance(layer, Biased) else params
    bias = layer.bias.posterior.mean(params.bias) if isinstance(layer, Biased) else None
    mean = np.asarray(to_host(term.posterior.mean(of_weight)), dtype=np.float64)
    scale = term.posterior.scale(of_weight) if term.posterior.traits.random else None
    variance = np.zeros(mean.shape) if scale is None else np.asarray(to_host(scale), dtype=np.float64) ** 2
    host = None if bias is None else np.asarray(to_host(bias), dtype=np.float64)
    return term, _Moments(mean, np.broadcast_to(variance, mean.shape), host)


def _axis(map: Any, unit: Literal["input", "output"]) -> int:
    """The axis of the weights that counts the inputs or the outputs; any will do for one of them."""
    return next((i for i, n in enumerate(map.unit_shape(unit)) if n > 1), 0)


def compress(
    layer: Layer, params: Params, *, precision: Precision = "scale", to_host: ToHost = np.asarray
) -> Compressed:
    """The network at the means of its weights and factors, without noise, the weights rounded.

    Factors must stand directly before dense weights or behind those of a convolution, as `bayesian_compression` puts
    them: ValueError if not, or for a weight that is not finite. TypeError for weights of another kind of layer.
    """
    flat, done, bits = atoms(layer, params), list[Atom](), list[LayerBits]()
    for i, atom in enumerate(flat):
        if isinstance(atom.layer, GroupFactor):
            _check_place(flat, i)
            continue
        if not isinstance(atom.layer, Biased | Stochastic):
            done.append(atom)
            continue
        term, weights = _moments(atom, to_host)
        before, behind = (flat[j] if 0 <= j < len(flat) else None for j in (i - 1, i + 1))
        if before is not None and isinstance(before.layer, GroupFactor) and not before.layer.positions:
            weights = _scaled(weights, _factors(before, to_host), _axis(term.map, "input"), outputs=False)
        if behind is not None and isinstance(behind.layer, GroupFactor) and behind.layer.positions:
            weights = _scaled(weights, _factors(behind, to_host), _axis(term.map, "output"), outputs=True)
        if not np.all(np.isfinite(weights.mean)):
            raise ValueError(f"params of '{atom.path}' has weights that are not finite: nothing to round")
        t = places(np.sqrt(weights.variance), precision)
        integers = quantised(weights.mean, t)
        path = f"{len(done)}.weight.theta" if weights.bias is not None else f"{len(done)}.theta"
        largest = float(np.max(np.abs(weights.mean)))
        bits.append(LayerBits(path, t, exponent_bits(largest), width(integers), integers.size))
        done.append(_point(atom, term, restored(integers, t), weights.bias))
    return Compressed(Chain(tuple(a.layer for a in done)), tuple(a.params for a in done), tuple(bits))


def width(integers: Host) -> int:
    """The bits of a signed integer that the largest of these needs."""
    return 1 + int(np.max(np.abs(integers))).bit_length()


def _check_place(flat: list[Atom], i: int) -> None:
    layer = flat[i].layer
    j = i - 1 if layer.positions else i + 1
    if not (0 <= j < len(flat) and isinstance(flat[j].layer, Biased | Stochastic)):
        raise ValueError(f"layer has {layer} at '{flat[i].path}', expected it beside the weights of its groups")


def _factors(atom: Atom, to_host: ToHost) -> tuple[Host, Host]:
    mean, variance = (np.asarray(to_host(m), dtype=np.float64) for m in atom.layer.law.factor_moments(atom.params))
    return mean, variance


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
    """The bits of the weights and biases of a network, 32 each, over those of a compressed one in its file."""
    numbers = 0
    for part, _, _ in atoms(before, _nothing(before)):
        terms = (part.weight, part.bias) if isinstance(part, Biased) else (part,)
        numbers += sum(prod(t.map.weight_shape) for t in terms if isinstance(t, Stochastic))
    packed = {b.path: b.width * b.weights for b in after.bits}
    sizes = {path: FULL * prod(leaf.shape) for path, leaf in tree.paths(after.params)}
    stored: int = sum((sizes | packed).values())
    return FULL * numbers / stored


def _nothing(layer: Any) -> Any:
    """A tree without parameters, in the form of those of nested chains."""
    return tuple(_nothing(part) for part in layer.layers) if isinstance(layer, Chain) else None
