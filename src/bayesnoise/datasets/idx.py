"""idx files, the format of MNIST: a file of images, and the file of their labels beside it; gzipped or not.

The magic number is 0, 0, the type (8: unsigned bytes) and the number of axes; then the sizes, big endian; then bytes.
"""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np

from bayesnoise.datasets.raw import Host, Indices, Inputs, Raw, numbered

MARK = "-ubyte"


def is_idx(path: Path) -> bool:
    return MARK in path.name


def read_idx(path: Path) -> Raw:
    """Images and labels. Beside `train-images...`, the files `t10k-...` are the test rows where they are present."""
    images, labels = _pair(path)
    test = path.with_name(path.name.replace("train-images", "t10k-images"))
    if test == path or not test.exists() or labels is None:
        return Raw(_inputs(images), labels, "label")
    test_images, test_labels = _pair(test)
    if test_labels is None or test_images.shape[1:] != images.shape[1:]:
        raise ValueError(f"{test} does not go with {path}: its images differ in size, or its labels are missing")
    n, total = len(images), len(images) + len(test_images)
    split = Indices(np.arange(n), np.arange(n, total))
    both = np.concatenate([images, test_images]), np.concatenate([labels, test_labels])
    return Raw(_inputs(both[0]), both[1], "label", (split,))


def _inputs(images: Host) -> Inputs:
    flat = images.reshape(len(images), -1).astype(np.float64) / 255.0
    return Inputs(flat, numbered(flat.shape[1]), (1, *images.shape[1:]))


def _pair(path: Path) -> tuple[Host, Host | None]:
    images = _bytes(path)
    if images.ndim != 3:
        raise ValueError(f"{path} holds {images.ndim} axes, expected images (n, height, width): name the images' file")
    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    if beside == path or not beside.exists():
        return images, None
    labels = _bytes(beside)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"{beside} holds labels {labels.shape}, expected one for each of {len(images)} images")
    return images, labels


def _bytes(path: Path) -> Host:
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}") from None
    axes = content[3] if len(content) >= 4 else 0
    if content[:3] != b"\x00\x00\x08" or not 1 <= axes <= 4 or len(content) < 4 + 4 * axes:
        raise ValueError(f"{path} does not begin as an idx file of unsigned bytes does, expected MNIST's format")
    sizes = tuple(int(s) for s in np.frombuffer(content, ">u4", axes, 4))
    if len(content) != 4 + 4 * axes + prod(sizes):
        raise ValueError(
            f"{path} holds {len(content) - 4 - 4 * axes} bytes of data, expected {prod(sizes)} for {sizes}"
        )
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(sizes)
