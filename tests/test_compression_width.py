"""The integers of rounded weights: those that no integer of the file holds are refused, all others come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bayesnoise import compressed_files, maps
from bayesnoise.chain import chain
from bayesnoise.compression import compress, quantised
from bayesnoise.methods import deterministic
from bayesnoise.posteriors import PointParams

EDGE = 2.0**38  # at 23 places, of weights without noise, an integer of 2^61


@pytest.mark.parametrize("value", [EDGE, -EDGE, 1e13, -1e300, 1.7e308])
def test_a_weight_that_no_integer_holds_is_refused(value: float) -> None:
    layer = chain(deterministic(maps.Dense(2, 1), bias="none"))
    expected = r"of '0' has a weight of size \S+, expected below 2\.75e\+11: at 23 binary places it needs more"
    with pytest.raises(ValueError, match=expected):
        compress(layer, (PointParams(np.array([[value], [1.0]])),))
    with pytest.raises(ValueError, match=r"w has a weight of size \S+, expected below .*make the weights smaller"):
        quantised(np.array([value * 2.0**23 if abs(value) < 1e300 else value]), 0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_largest_weights_come_back_from_a_file(tmp_path: Path, sign: float) -> None:
    weights = sign * np.array([[np.nextafter(EDGE, 0.0)], [1.0]])
    compressed = compress(chain(deterministic(maps.Dense(2, 1), bias="none")), (PointParams(weights),))
    assert compressed.bits[0].width == 62
    compressed_files.save(tmp_path / "a", compressed)
    assert np.array_equal(compressed_files.load(tmp_path / "a", like=compressed).params[0].theta, weights)
