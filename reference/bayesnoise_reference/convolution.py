"""Cross-correlation of one example, over any number of spatial dimensions, by its definition.

`y[o, p] = sum_c sum_k w[o, c, k] x[c, p stride - padding + k dilation]`, with c over the channels of o's group. Outside
the input, x is zero or, with circular padding, periodic.
"""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array


def output(
    x: Array,
    w: Array,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Array:
    """`(c, *space), (o, c / groups, *kernel) -> (o, *positions)`."""
    space, kernel = x.shape[1:], w.shape[2:]
    axes = range(len(space))
    # The largest p with p stride - padding + (kernel - 1) dilation <= space - 1 + padding, plus one.
    positions = [(space[a] + 2 * padding[a] - (kernel[a] - 1) * dilation[a] - 1) // stride[a] + 1 for a in axes]
    y = np.zeros((w.shape[0], *positions), dtype=np.result_type(x, w))
    filters, channels = w.shape[0] // groups, w.shape[1]
    for p in np.ndindex(*positions):
        for k in np.ndindex(*kernel):
            at = tuple(p[a] * stride[a] - padding[a] + k[a] * dilation[a] for a in axes)
            if padding_mode == "circular":
                at = tuple(at[a] % space[a] for a in axes)
            elif any(not 0 <= at[a] < space[a] for a in axes):
                continue
            for group in range(groups):
                f = slice(group * filters, (group + 1) * filters)
                c = slice(group * channels, (group + 1) * channels)
                y[(f, *p)] += w[(f, slice(None), *k)] @ x[(c, *at)]
    return y


def sign_pattern(sign_in: Array, sign_out: Array, kernel: tuple[int, ...], groups: int = 1) -> Array:
    """The sign on every weight: `E[o, c, k] = s_o r_c`, the same for every offset k of the kernel."""
    r, s = sign_in.ravel(), sign_out.ravel()
    filters, channels = len(s) // groups, len(r) // groups
    pattern = np.zeros((len(s), channels, *kernel), dtype=np.result_type(r, s))
    for o in range(len(s)):
        first_channel = (o // filters) * channels
        for c in range(channels):
            pattern[o, c] = s[o] * r[first_channel + c]
    return pattern
