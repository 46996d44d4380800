"""The types that every file of the reference speaks of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]  # float64, or complex128 when a complex step passes through
Contract: TypeAlias = Callable[[Array, Array], Array]  # one example's input and its own weights -> its output
