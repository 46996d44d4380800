"""A compressed network as a file: its weights as integers of as many bits as they need, packed.

A checkpoint as any other (see `bayesnoise.checkpoints`), with bytes in the place of the weights, and with the binary
places and the width of each layer in its metadata, where the layers are described too (see `bayesnoise.described`): a
file says which inputs it selects and what is between its weights, so that it needs no other network to be read. What is
read is checked before it is unpacked: a file that is damaged, foreign, or of another network is a ValueError that names
it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import zip_longest
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from bayesnoise import _checks, checkpoints, tree
from bayesnoise._typing import Array, Shape
from bayesnoise.chain import Chain
from bayesnoise.compression import MOST_PLACES, WIDEST, Compressed, LayerBits, quantised, restored
from bayesnoise.described import described, made
from bayesnoise.weight_moments import Host

KEY = "compressed"
LAYERS = "layers"


def packed(integers: Host, width: int) -> Host:
    """Signed integers as bytes, `width` bits each, the lowest first."""
    shifted = (integers.ravel() + (1 << (width - 1))).astype(np.uint64)
    bits = (shifted[:, None] >> np.arange(width, dtype=np.uint64)) & np.uint64(1)
    return np.packbits(bits.astype(np.uint8).ravel())


def unpacked(stored: Host, width: int, shape: tuple[int, ...]) -> Host:
    """The signed integers of `packed`."""
    bits = np.unpackbits(stored, count=prod(shape) * width).reshape(-1, width).astype(np.uint64)
    shifted = np.sum(bits << np.arange(width, dtype=np.uint64), axis=1, dtype=np.uint64)
    return np.asarray(shifted.astype(np.int64) - (1 << (width - 1))).reshape(shape)


def save(path: str | os.PathLike[str], compressed: Compressed, *, to_host: Callable[[Array], Any] = np.asarray) -> None:
    """Write a compressed network, atomically. Raises OSError where the file cannot be written."""
    widths = {b.path: b for b in compressed.bits}
    leaves = []
    for name, leaf in tree.paths(compressed.params):
        host = np.asarray(to_host(leaf))
        b = widths.get(name)
        leaves.append(host if b is None else packed(quantised(host, b.places, name), b.width))
    numbers = {b.path: [b.places, b.exponent, b.width, b.weights] for b in compressed.bits}
    content = tree.unflatten(compressed.params, iter(leaves))
    layers = json.dumps(described(compressed.layer))
    checkpoints.save(path, content, {KEY: json.dumps(numbers), LAYERS: layers})


def load(path: str | os.PathLike[str], *, like: Compressed) -> Compressed:
    """The network of a file, with the layers, the shapes, dtypes and devices of `like`.

    Raises ValueError for what is no compressed network, is damaged, or is not of the layers of `like`, those that
    select inputs and those without parameters included; OSError if the file cannot be opened.
    """
    path = Path(path)
    return _filled(path, checkpoints.read(path), like)


def read(path: str | os.PathLike[str], *, like: Array) -> Compressed:
    """The network of a file that describes it, with the namespace, dtype and device of `like`: nothing else is needed.

    Raises TypeError unless `like` is an array of real floating point, and ValueError for what is no compressed network,
    is damaged, or has layers of a kind that a description does not make again (see `bayesnoise.described`): give
    `load` the network then. OSError if the file cannot be opened.
    """
    _checks.floating("like", like)
    path = Path(path)
    file = checkpoints.read(path)
    description = _description(path, file)
    most = 8 * sum(a.nbytes for a in file.arrays.values())  # a weight takes a bit at least
    try:
        layer = made(description)
        if not isinstance(layer, Chain):
            raise ValueError(f"it is a {type(layer).__name__}, expected a chain of layers")
        params = layer.init(_Zeros(most), like=like)
        leaves = dict(tree.paths(params))
        sizes = [LayerBits(name, 0, 1, 1, prod(leaves[name].shape)) for name in json.loads(file.metadata[KEY])]
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ValueError(
            f"{path} has layers that its description does not make again ({str(error)[:200]}): it is damaged, or read "
            "it by load, with like the network it was made of"
        ) from None
    return _filled(path, file, Compressed(layer, params, tuple(sizes)))


class _Zeros:
    """Zeros in the place of random numbers, no more of them than a file can hold."""

    def __init__(self, most: int) -> None:
        self._most = most

    def normal(self, shape: Shape, *, like: Array) -> Array:
        if prod(shape) > self._most:
            raise ValueError(f"weights have shape {tuple(shape)}, more than the file holds")
        return array_namespace(like).zeros(shape, dtype=like.dtype, device=device(like))

    uniform = rademacher = normal

    def split(self, n: int) -> tuple[_Zeros, ...]:
        return (self,) * n


def _description(path: Path, file: checkpoints.Checkpoint) -> Any:
    if KEY not in file.metadata:
        raise ValueError(f"{path} is a checkpoint of a network that is not compressed: it has no '{KEY}'")
    text = file.metadata.get(LAYERS)
    if text is None:
        raise ValueError(f"{path} has no '{LAYERS}', which say what it is made of: compress and save the network again")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"{path} has {text[:40]!r} as its '{LAYERS}', expected a description: it is damaged") from None


def _filled(path: Path, file: checkpoints.Checkpoint, like: Compressed) -> Compressed:
    """The numbers of a file in the layers of `like`."""
    bits = _bits(path, file.metadata.get(KEY), like)
    leaves = dict(tree.paths(like.params))
    if set(file.arrays) != set(leaves):
        wrong = sorted(set(file.arrays) ^ set(leaves))
        raise ValueError(f"{path} and like differ in '{wrong[0][:80]}': load into the network it was made of")
    _check_layers(path, _description(path, file), described(like.layer))
    arrays = [_array(path, name, file.arrays[name], leaf, bits.get(name)) for name, leaf in leaves.items()]
    return Compressed(like.layer, tree.unflatten(like.params, iter(arrays)), tuple(bits.values()))


def _check_layers(path: Path, found: Any, expected: Any) -> None:
    """Raise ValueError, with the first layer that differs, unless the descriptions agree."""
    if found == expected:
        return
    ours = expected["layers"]
    theirs = found.get("layers") if isinstance(found, dict) else None
    theirs = theirs if isinstance(theirs, list) else []
    pairs = zip_longest(theirs, ours)
    i, (other, own) = next(((i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1]), (0, (found, expected)))
    raise ValueError(
        f"{path} has {json.dumps(other)[:300]} as layer {i}, and like has {json.dumps(own)[:300]}: load into the "
        "network it was made of, or use read"
    )


def _bits(path: Path, text: str | None, like: Compressed) -> dict[str, LayerBits]:
    if text is None:
        raise ValueError(f"{path} is a checkpoint of a network that is not compressed: it has no '{KEY}'")
    try:
        numbers = json.loads(text)
        bits = {name: LayerBits(name, *values) for name, values in numbers.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            f"{path} has {text[:40]!r} as its '{KEY}', expected the bits of layers: it is damaged"
        ) from None
    expected = {b.path: b.weights for b in like.bits}
    if list(bits) != list(expected):
        raise ValueError(
            f"{path} has the layers {list(bits)[:8]}, expected {list(expected)[:8]} as in like: load into the network "
            "it was made of, or use read"
        )
    for b in bits.values():
        whole = all(type(n) is int for n in b[1:])
        if not (whole and 0 <= b.places <= MOST_PLACES and 1 <= b.width <= WIDEST and 0 < b.exponent < 100):
            raise ValueError(f"{path} has {list(b[1:])} as the bits of '{b.path}', which no layer has: it is damaged")
        if b.weights != expected[b.path]:
            raise ValueError(f"{path} has {b.weights} weights at '{b.path}', expected {expected[b.path]} as in like")
    return bits


def _array(path: Path, name: str, host: Host, leaf: Array, bits: LayerBits | None) -> Array:
    shape = tuple(leaf.shape)
    stored = shape if bits is None else (-(-bits.weights * bits.width // 8),)
    if host.shape != stored or (host.dtype == np.uint8) != (bits is not None):
        raise ValueError(f"{path} has {host.dtype} of shape {host.shape} at '{name}', expected the shape {stored}")
    values = host if bits is None else restored(unpacked(host, bits.width, shape), bits.places)
    return array_namespace(leaf).asarray(values, dtype=leaf.dtype, device=device(leaf))
