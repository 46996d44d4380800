"""A compressed network as a file: its weights as integers of as many bits as they need, packed.

A checkpoint as any other (see `bayesnoise.checkpoints`), with bytes in the place of the weights, and with the binary
places and the width of each layer in its metadata. What is read is checked before it is unpacked: a file that is
damaged, foreign, or of another network is a ValueError that names it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from bayesnoise import checkpoints, tree
from bayesnoise._typing import Array
from bayesnoise.compression import MOST_PLACES, Compressed, Host, LayerBits, quantised, restored

KEY = "compressed"
_WIDEST = 62  # of an int64 with its sign


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
        leaves.append(host if b is None else packed(quantised(host, b.places), b.width))
    numbers = {b.path: [b.places, b.exponent, b.width, b.weights] for b in compressed.bits}
    content = tree.unflatten(compressed.params, iter(leaves))
    checkpoints.save(path, content, {KEY: json.dumps(numbers)})


def load(path: str | os.PathLike[str], *, like: Compressed) -> Compressed:
    """The network of a file, with the layers, the shapes, dtypes and devices of `like`.

    Raises ValueError for what is no compressed network, is damaged, or does not fit `like`; OSError if the file cannot
    be opened.
    """
    path = Path(path)
    file = checkpoints.read(path)
    bits = _bits(path, file.metadata.get(KEY), like)
    leaves = dict(tree.paths(like.params))
    if set(file.arrays) != set(leaves):
        wrong = sorted(set(file.arrays) ^ set(leaves))
        raise ValueError(f"{path} and like differ in '{wrong[0][:80]}': load into the network it was made of")
    arrays = [_array(path, name, file.arrays[name], leaf, bits.get(name)) for name, leaf in leaves.items()]
    return Compressed(like.layer, tree.unflatten(like.params, iter(arrays)), tuple(bits.values()))


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
        raise ValueError(f"{path} has the layers {list(bits)[:8]}, expected {list(expected)[:8]} as in like")
    for b in bits.values():
        whole = all(type(n) is int for n in b[1:])
        if not (whole and 0 <= b.places <= MOST_PLACES and 1 <= b.width <= _WIDEST and 0 < b.exponent < 100):
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
