"""Transposed convolution of one example, by its definition: each input element stamps its kernel onto the output.

The element of channel c at position p adds `x[c, p] w[c, o, k]` to a canvas at `p stride + k dilation`. The canvas ends
`output_padding` after the last stamp, and `padding` is cut from both its ends.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array


def output(
    x: Array,
    w: Array,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    output_padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int = 1,
) -> Array:
    """`(c, *positions), (c, o / groups, *kernel) -> (o, *space)`."""
    positions, kernel = x.shape[1:], w.shape[2:]
    axes = range(len(positions))
    channels, filters = x.shape[0] // groups, w.shape[1]
    size = [(positions[a] - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1 + output_padding[a] for a in axes]
    canvas = np.zeros((groups * filters, *size), dtype=np.result_type(x, w))
    for c in range(x.shape[0]):
        first = (c // channels) * filters
        for p in np.ndindex(*positions):
            for k in np.ndindex(*kernel):
                at = tuple(p[a] * stride[a] + k[a] * dilation[a] for a in axes)
                canvas[(slice(first, first + filters), *at)] += x[(c, *p)] * w[(c, slice(None), *k)]
    return canvas[(slice(None), *(slice(padding[a], size[a] - padding[a]) for a in axes))]


def sign_pattern(sign_in: Array, sign_out: Array, kernel: tuple[int, ...], groups: int = 1) -> Array:
    """The sign on every weight: `E[c, o, k] = r_c s_o`, the same for every offset k of the kernel."""
    r, s = sign_in.ravel(), sign_out.ravel()
    channels, filters = len(r) // groups, len(s) // groups
    pattern = np.zeros((len(r), filters, *kernel), dtype=np.result_type(r, s))
    for c in range(len(r)):
        first_filter = (c // channels) * filters
        for o in range(filters):
            pattern[c, o] = r[c] * s[first_filter + o]
    return pattern
