"""What a case says: how to build a layer, and its output, moments and divergence by their definitions.

Definitions are of the oracle, or built from it. They take complex parameters and inputs: gradients are taken through
them by complex step, so that no derivation is shared with the library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from agreement import Definition, random_params
from bayesnoise_reference._typing import Array

from bayesnoise._typing import Shape


@dataclass(frozen=True)
class LayerCase:
    """A layer, the shape of an input (a few examples of a few features), and the truth."""

    layer: Any
    x_shape: Shape
    output: Definition  # of (params, noise, x)
    predict: Callable[[Any, Array], Array]  # of (params, x): the output without noise
    moments: Callable[[Any, Array], tuple[Array, Array]] | None = None  # where the layer has them
    kl: Callable[[Any, Any], Any] | None = None  # of (params, noise); None where it is zero
    kl_tolerance: float = 1e-11  # relative, of the value and of the gradient
    make_params: Callable[[Any, np.random.Generator], Any] = random_params
