"""Masks that elements share: spatial dropout, DropBlock, and DropConnect on weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference import dense, drop_block, drop_connect, spatial_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

_SHAPES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("three examples of two channels", "Ordinary", (3, 2, 3, 3)),
    ("one dimension", "Ordinary", (2, 2, 4)),
    ("one example", "BatchOfOne", (1, 3, 3, 4)),
    ("no example", "EmptyBatch", (0, 2, 3)),
    ("an example of zeros", "ZeroRow", (2, 2, 3, 3)),
)


def _images(seed: int, noise: Callable[[Any, tuple[int, ...]], Values]) -> tuple[Case, ...]:
    rng = np.random.default_rng(seed)
    cases = []
    for comment, flag, shape in _SHAPES:
        given = {"x": dyadic(rng, *shape), "grad_y": dyadic(rng, *shape), **noise(rng, shape)}
        if flag == "ZeroRow":
            given["x"][0] = 0.0
        cases.append(Case(comment, (flag,), given))
    return tuple(cases)


def _fair(rng: Any, shape: tuple[int, ...]) -> Array:
    """Zeros and ones, of both for certain."""
    drawn: Array = rng.integers(0, 2, shape).astype(np.float64)
    if drawn.size:
        drawn.flat[0], drawn.flat[-1] = 1.0, 0.0
    return drawn


def spatial() -> Family:
    """One mask value an example and channel."""

    def output(v: Values) -> Any:
        return spatial_dropout.output(v["x"], v["kept"], float(v["rate"]))

    def laid(v: Values) -> Array:
        return np.reshape(v["kept"], (*v["kept"].shape, *(1,) * (v["x"].ndim - 2)))

    right = LayerDefinition(output, ())
    bugs = changed(
        right,
        ("NotInverted", "What is kept is not divided by 1 - rate.", {"output": lambda v: v["x"] * laid(v)}),
        ("DividedByRate", "Kept values are divided by rate.", {"output": lambda v: v["x"] * laid(v) / v["rate"]}),
        ("MaskReversed", "The mask says what is dropped.", {"output": lambda v: output(v | {"kept": 1.0 - v["kept"]})}),
        ("MaskSharedAcrossBatch", "Every example has the mask of the first.", {
            "output": lambda v: output(v | {"kept": v["kept"][:1] + 0 * v["kept"]})
        }),
        ("MaskNotInBackward", "The gradient is not masked.", grad("grad_x", lambda k: k["grad_y"] / (1 - k["rate"]))),
        ("ScaleNotInBackward", "The gradient is not rescaled.", grad("grad_x", lambda k: k["grad_y"] * laid(k))),
    )  # fmt: skip
    conventions = {
        "x": "(n, c, *space), channels first",
        "y": "x * kept / (1 - rate): kept (n, c) is 1 with probability 1 - rate, else 0, one for a channel",
        "gradients": GRADIENTS,
    }

    def noise(rng: Any, shape: tuple[int, ...]) -> Values:
        return {"kept": _fair(rng, shape[:2]), "rate": np.array(0.375)}

    group = Group("spatial_dropout", conventions, right, _images(21, noise), bugs)
    return Family("spatial_dropout", "Tompson et al. 2015, arXiv 1411.4280", (group,))


def blocks() -> Family:
    """Contiguous blocks, scaled over the batch or over each example."""

    def group(seed: int, scale_by: str, other: str) -> Group:
        def of(v: Values, by: str, block: int = 2) -> Any:
            return drop_block.output(v["x"], v["blocks"], (block,) * (v["x"].ndim - 2), by)

        def mask(v: Values) -> Array:
            return np.asarray(of(v | {"x": np.ones(v["x"].shape)}, scale_by) != 0.0)

        def by_channel(v: Values) -> Any:
            axes = tuple(range(2, v["x"].ndim))
            share = np.mean(mask(v), axis=axes, keepdims=True)
            return v["x"] * mask(v) / np.where(share > 0.0, share, 1.0)

        right = LayerDefinition(lambda v: of(v, scale_by), ())
        bugs = changed(
            right,
            ("NotScaled", "What is kept is not scaled up.", {"output": lambda v: v["x"] * mask(v)}),
            ("ScaledByChannel", "Each channel is scaled by its own loss.", {"output": by_channel}),
            ("ScaledOverOthers", "The elements are counted over the other of batch and example.", {
                "output": lambda v: of(v, other)
            }),
            ("BlockSmaller", "Blocks are one element smaller.", {"output": lambda v: of(v, scale_by, 1)}),
            ("MaskNotInBackward", "The gradient passes as without a mask.", grad("grad_x", lambda k: k["grad_y"])),
        )  # fmt: skip
        conventions = {
            "x": "(n, c, *space), channels first",
            "blocks": "(n, c, *places), places = space - 1: 1 where the block of 2 along each dimension that begins "
            "there is dropped",
            "y": f"x * kept * (elements / elements kept), counted over {'the ' if scale_by == 'batch' else 'each '}"
            f"{scale_by}; kept is 0 in a dropped block, else 1; 0 where nothing is kept",
            "gradients": GRADIENTS + "; the count is a constant",
        }

        def noise(rng: Any, shape: tuple[int, ...]) -> Values:
            places = (*shape[:2], *(size - 1 for size in shape[2:]))
            drawn = (rng.uniform(size=places) < 0.3).astype(np.float64)
            if drawn.size:
                drawn.flat[0], drawn.flat[-1] = 1.0, 0.0
            return {"blocks": drawn}

        return Group(f"drop_block.{scale_by}", conventions, right, _images(seed, noise), bugs)

    groups = (group(22, "batch", "example"), group(23, "example", "batch"))
    return Family("drop_block", "Ghiasi, Lin, Le 2018, arXiv 1810.12890", groups)


def connections() -> Family:
    """A mask on every weight, for every example."""

    def output(v: Values) -> Any:
        if not len(v["x"]):
            return np.zeros((0, v["theta"].shape[1]))
        return drop_connect.output(v["x"], v["theta"], v["kept"], float(v["rate"]), dense.output)

    def kept(change: Callable[[Array], Array]) -> dict[str, Any]:
        return {"output": lambda v: output(v | {"kept": change(v["kept"])})}

    right = LayerDefinition(output, ("theta",))
    bugs = changed(
        right,
        ("NotInverted", "What is kept is not divided by 1 - rate.", {
            "output": lambda v: (1.0 - v["rate"]) * output(v)
        }),
        ("MaskReversed", "The mask says what is dropped.", kept(lambda k: 1.0 - k)),
        ("MaskSharedAcrossBatch", "Every example has the mask of the first.", kept(lambda k: k[:1] + 0 * k)),
        ("MaskOfInputs", "All weights of an input share a mask value: dropout.", kept(lambda k: k[:, :, :1] + 0 * k)),
        ("MaskNotInBackward", "The gradient of theta is not masked.", grad(
            "grad_theta", lambda k: k["x"].T @ k["grad_y"]
        )),
        ("MaskOfOutputs", "All weights of an output share a mask value.", kept(lambda k: k[:, :1] + 0 * k)),
        ("DividedByRate", "Kept values are divided by rate.", {
            "output": lambda v: (1.0 - v["rate"]) / v["rate"] * output(v)
        }),
        ("ScaleNotInBackward", "The gradient is not rescaled.", grad(
            "grad_theta", lambda k: (1.0 - k["rate"]) * k["grad_theta"]
        )),
        ("MaskNotInInputGradient", "The gradient of x is that of theta without its mask.", grad(
            "grad_x", lambda k: k["grad_y"] @ k["theta"].T
        )),
    )  # fmt: skip
    conventions = {
        "y": "y_n = x_n (theta * kept_n) / (1 - rate), kept (n, in, out) is 1 with probability 1 - rate, else 0",
        "gradients": GRADIENTS,
        "bias": "none",
    }
    rng = np.random.default_rng(24)
    sizes = (
        ("three examples", "Ordinary", (3, 3, 2)),
        ("one example", "BatchOfOne", (1, 2, 3)),
        ("no example", "EmptyBatch", (0, 3, 2)),
    )
    cases = tuple(
        Case(
            comment,
            (flag,),
            {
                "x": dyadic(rng, n, i),
                "grad_y": dyadic(rng, n, o),
                "theta": dyadic(rng, i, o),
                "kept": _fair(rng, (n, i, o)),
                "rate": np.array(0.375),
            },
        )
        for comment, flag, (n, i, o) in sizes
    )
    return Family("drop_connect", "Wan et al. 2013, ICML", (Group("drop_connect", conventions, right, cases, bugs),))
