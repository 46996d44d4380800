"""hypothesis: the inputs on which stochastic layers break. Shapes down to zero examples, rows of zeros as after a dead
ReLU layer, scales beyond where `log1p(exp(rho))` overflows or vanishes, and noise as data.

Every strategy shrinks towards zeros and small shapes, and gives NumPy arrays of the dtype asked for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bayesnoise_reference._typing import Array

Shape = tuple[int, ...]

# exp overflows above 11 / 88 / 709 in float16 / 32 / 64, and softplus is subnormal below about -9 / -87 / -708
EXTREME_RHOS = (-10000.0, -800.0, -110.0, -90.0, -20.0, -12.0, 0.0, 12.0, 20.0, 90.0, 110.0, 800.0, 10000.0)


def shapes(
    dimensions: int = 2, *, least: int = 1, greatest: int = 5, zero_batch: bool = True
) -> st.SearchStrategy[Shape]:
    """Shapes of so many axes between `least` and `greatest`; the first may be 0 where `zero_batch`.

    Raises ValueError for no axes or for sides that are none.
    """
    if dimensions < 1 or not 0 <= least <= greatest:
        raise ValueError(
            f"dimensions is {dimensions}, least {least}, greatest {greatest}, expected dimensions of at least 1 and "
            "0 <= least <= greatest"
        )
    first = st.integers(0 if zero_batch else least, greatest)
    return st.tuples(first, *[st.integers(least, greatest)] * (dimensions - 1))


def _floats(low: float, high: float, dtype: Any) -> st.SearchStrategy[float]:
    width: Any = 8 * np.dtype(dtype).itemsize
    low, high = (float(np.dtype(dtype).type(end)) for end in (low, high))
    return st.floats(low, high, width=width, allow_nan=False, allow_subnormal=False)


def means(shape: Shape, dtype: Any = np.float64) -> st.SearchStrategy[Array]:
    """Means of weights, with zeros."""
    return arrays.arrays(dtype, shape, elements=_floats(-4.0, 4.0, dtype), fill=st.just(0.0))


def rhos(shape: Shape, dtype: Any = np.float64, *, extreme: bool = True) -> st.SearchStrategy[Array]:
    """Parameters of `scale = softplus(rho)`: ordinary ones, and where `extreme` those from -1e4 to 1e4."""
    ordinary = _floats(-6.0, 3.0, dtype)
    return arrays.arrays(dtype, shape, elements=ordinary | st.sampled_from(EXTREME_RHOS) if extreme else ordinary)


@st.composite
def inputs(draw: st.DrawFn, shape: Shape, dtype: Any = np.float64) -> Array:
    """Inputs `(batch, ...)` of which any row may be all zeros."""
    x: Array = draw(arrays.arrays(dtype, shape, elements=_floats(-3.0, 3.0, dtype)))
    for row in range(shape[0]):
        if draw(st.booleans()):
            x[row] = 0.0
    return x


def normal_noise(shape: Shape, dtype: Any = np.float64) -> st.SearchStrategy[Array]:
    """Values for standard normal noise, as data: any numbers within 8 standard deviations. Not a sample of the law."""
    return arrays.arrays(dtype, shape, elements=_floats(-8.0, 8.0, dtype))


def signs(shape: Shape, dtype: Any = np.float64) -> st.SearchStrategy[Array]:
    """Values for random signs, as data."""
    return arrays.arrays(dtype, shape, elements=st.sampled_from((1.0, -1.0)))


class DenseCase(NamedTuple):
    """A dense layer with everything that it needs for a call of flipout."""

    x: Array  # (batch, inputs)
    mu: Array  # (inputs, outputs)
    rho: Array  # (inputs, outputs)
    eps: Array  # (inputs, outputs)
    sign_in: Array  # (batch, inputs)
    sign_out: Array  # (batch, outputs)


@st.composite
def dense_cases(draw: st.DrawFn, dtype: Any = np.float64, *, extreme: bool = True) -> DenseCase:
    """Dense layers with parameters, inputs and noise whose shapes fit."""
    batch, n_in, n_out = draw(shapes(3))
    return DenseCase(
        draw(inputs((batch, n_in), dtype)),
        draw(means((n_in, n_out), dtype)),
        draw(rhos((n_in, n_out), dtype, extreme=extreme)),
        draw(normal_noise((n_in, n_out), dtype)),
        draw(signs((batch, n_in), dtype)),
        draw(signs((batch, n_out), dtype)),
    )
