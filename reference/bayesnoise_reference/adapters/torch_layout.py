"""In which order a torch module keeps its weights: what their shape says, and where it says nothing, one call.

A dense layer of as many inputs as outputs has a square of weights. With a mean W, no noise and no bias its output is
x W if it keeps (in, out), and x W' if it keeps (out, in): for weights that are not symmetric the two are far apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_NONE = {"softplus": -30.0, "exp": -30.0, "log_variance": -60.0, "identity": 1e-12}  # a scale of next to nothing
_SAME, _OTHER = 0.1, 0.5  # of the size of an output: what is the same law, and what cannot be


def layout_of(module: Any, names: Mapping[str, str], scale: str, inputs: int, outputs: int) -> str:
    """ "in_out" or "out_in", of the weight that is called `mean` in `names`.

    ValueError where neither the shape nor a call tells. A module that raises is left to the claims.
    """
    held = dict(module.named_parameters())
    shape = tuple(held[names["mean"]].shape)
    if shape[0] != outputs:
        return "in_out"
    if shape[-1] != outputs or (len(shape) == 2 and inputs != outputs):
        return "out_in"
    if len(shape) > 2:
        raise ValueError(_unknown(shape, "a kernel as wide as the outputs are many"))
    try:
        x, w, y = _without_noise(module, held, names, scale)
    except Exception:  # of someone else's code: the claims will say so in a sentence
        return "out_in"
    size = np.sqrt(np.mean(np.square(x @ w)))
    off = {"out_in": x @ w.T - y, "in_out": x @ w - y} if y.shape == x.shape else {}
    errors = {layout: float(np.sqrt(np.mean(np.square(error))) / size) for layout, error in off.items()}
    near = [layout for layout, error in errors.items() if error < _SAME]
    if not near or (len(near) == 1 and not max(errors.values()) > _OTHER):
        raise ValueError(
            _unknown(shape, "without noise the output is neither that of the weights nor of their transpose")
        )
    return near[0]


def _without_noise(module: Any, held: Mapping[str, Any], names: Mapping[str, str], scale: str) -> tuple[Any, Any, Any]:
    """An input, the mean weights, and the output of a call with no noise and no bias; the module is left as it was."""
    import torch

    before = {name: value.detach().clone() for name, value in held.items()}
    rng = np.random.default_rng(0)
    mean = held[names["mean"]]
    w, x = rng.standard_normal(tuple(mean.shape)), rng.standard_normal((4, mean.shape[0]))
    with torch.no_grad():
        try:
            for kind, name in names.items():
                held[name].fill_(_NONE[scale] if kind.endswith("rho") else 0.0)
            mean.copy_(torch.as_tensor(w))
            answer = module(torch.as_tensor(x).to(mean))
        finally:
            for name, value in held.items():
                value.copy_(before[name])
    y = answer[0] if isinstance(answer, tuple) else answer
    return x, w, y.cpu().numpy().astype(np.float64)


def _unknown(shape: tuple[int, ...], why: str) -> str:
    return f"weights of shape {shape} may be (in, out) or (out, in): {why}; give layout, --layout on the command line"
