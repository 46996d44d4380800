"""Arrays from `.npz` and idx files."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tables import DATA_DIR, needs_data

from bayesnoise.datasets import load


def npz(folder: Path, **arrays: Any) -> str:
    path = folder / "arrays.npz"
    np.savez(path, allow_pickle=True, **arrays)
    return str(path)


def idx(path: Path, array: Any, *, zipped: bool = False) -> None:
    sizes = np.asarray(array.shape, ">u4").tobytes()
    content = bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if zipped else content)


def test_npz_gives_its_splits(tmp_path: Path) -> None:
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    train, test = np.asarray([[0, 1, 2, 3], [5, 4, 3, 2]], np.uint16), np.asarray([[4, 5], [1, 0]], np.uint16)
    path = npz(tmp_path, X=x, y=y, index_train=train, index_test=test)
    data = load(path, split=1)
    np.testing.assert_array_equal(data.train, [5, 4, 3, 2])
    np.testing.assert_array_equal(data.test, [1, 0])
    np.testing.assert_array_equal(data.at(0).test, [4, 5])
    with pytest.raises(ValueError, match=r"split is 2, expected 0 to 1"):
        data.at(2)


def test_npz_images(tmp_path: Path) -> None:
    data = load(npz(tmp_path, X=np.ones((6, 3, 4, 5), np.uint8), y=np.asarray([0, 1] * 3)))
    assert data.image_shape == (3, 4, 5)
    assert data.x.shape == (6, 60)


X6, Y6 = np.ones((6, 2)), np.arange(6.0)
BAD_ARCHIVES: dict[str, tuple[dict[str, Any], str]] = {
    "no X": ({"y": Y6}, r"holds y, expected X and y"),
    "no y": ({"X": X6}, r"has no target, expected one to train on"),
    "flat X": ({"X": Y6, "y": Y6}, r"X has shape \(6,\), expected \(n, features\)"),
    "short y": ({"X": X6, "y": Y6[:5]}, r"y has shape \(5,\), expected \(6,\)"),
    "wide y": ({"X": X6, "y": X6}, r"y has shape \(6, 2\), expected \(6,\)"),
    "complex X": ({"X": X6 * 1j, "y": Y6}, r"X has dtype complex128, expected real numbers"),
    "pickled X": ({"X": np.asarray([[{}], [{}]], dtype=object), "y": Y6[:2]}, r"X of .* cannot be read"),
    "NaN": ({"X": np.asarray([[1.0, np.nan], [1, 1]]), "y": Y6[:2]}, r"column 'x1' holds nan in row 0"),
    "NaN y": ({"X": X6, "y": np.full(6, np.nan)}, r"target 'y' holds nan in row 0"),
    "no rows": ({"X": np.ones((0, 2)), "y": np.ones(0)}, r"the data have no rows"),
    "half a split": ({"X": X6, "y": Y6, "index_train": np.asarray([[0]])}, r"holds index_train alone"),
    "rows beyond": (
        {"X": X6, "y": Y6, "index_train": np.asarray([[0]]), "index_test": np.asarray([[6]])},
        r"index_test holds 6 to 6, expected rows of X, from 0 to 5",
    ),
    "row in both": (
        {"X": X6, "y": Y6, "index_train": np.asarray([[0, 1]]), "index_test": np.asarray([[1]])},
        r"row 1 is in index_train and index_test of split 0",
    ),
    "real indices": (
        {"X": X6, "y": Y6, "index_train": np.asarray([[0.0]]), "index_test": np.asarray([[1.0]])},
        r"index_train has dtype float64",
    ),
    "unseen label": (
        {"X": X6, "y": np.asarray([0, 0, 1, 1, 2, 2]), "index_train": [[0, 1, 2]], "index_test": [[3, 4, 5]]},
        r"test rows of split 0 hold the classes '2', which no training row has",
    ),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_bad_archives_are_refused(tmp_path: Path, name: str) -> None:
    arrays, expected = BAD_ARCHIVES[name]
    with pytest.raises(ValueError, match=expected):
        load(npz(tmp_path, **arrays))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(b"PK\x03\x04 not a zip file")
    with pytest.raises(ValueError, match=r"broken.npz cannot be read as .npz"):
        load(str(path))


def test_idx_images_and_labels_gzipped_or_not(tmp_path: Path) -> None:
    images, labels = np.arange(4 * 6).reshape(4, 2, 3) * 10, np.asarray([0, 1, 0, 1])
    idx(tmp_path / "train-images-idx3-ubyte.gz", images, zipped=True)
    idx(tmp_path / "train-labels-idx1-ubyte.gz", labels, zipped=True)
    data = load(str(tmp_path / "train-images-idx3-ubyte.gz"))
    assert data.image_shape == (1, 2, 3)
    assert data.task == "classification"
    np.testing.assert_array_equal(data.x * 255, images.reshape(4, 6))
    idx(tmp_path / "t10k-images-idx3-ubyte.gz", images[:3])
    idx(tmp_path / "t10k-labels-idx1-ubyte.gz", labels[:3])
    data = load(str(tmp_path / "train-images-idx3-ubyte.gz"))
    np.testing.assert_array_equal(data.train, [0, 1, 2, 3])
    np.testing.assert_array_equal(data.test, [4, 5, 6])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "does not begin as an idx file"),
        (b"\x00\x00\x08\x03" + b"\x7f\xff\xff\xff" * 3 + b"1234", "holds 4 bytes of data, expected"),
        (b"\x1f\x8bnonsense", "is a damaged gzip file"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01\x05", "holds 1 axes, expected images"),
    ],
)
def test_damaged_idx_files_are_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "some-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        load(str(path))


@needs_data
def test_notmnist_is_read() -> None:
    data = load(str(next((DATA_DIR / "notmnist").glob("*images*"))))
    assert data.image_shape == (1, 28, 28)
    assert len(data.x) == 10_000
    assert data.x.mean() == pytest.approx(0.4266, abs=1e-4)
