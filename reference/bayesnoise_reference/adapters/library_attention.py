"""The attention of this library as an adapter."""

from __future__ import annotations

from typing import Any, Literal

from bayesnoise_reference.adapters.library import gaussian_of
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.attention import PROJECTIONS, Attention


def multi_head_attention(
    estimator: Literal["shared", "flipout"] = "flipout",
    *,
    dtype: Literal["float32", "float64"] = "float64",
    like: Any = None,
    **sizes: Any,
) -> LibraryTree:
    """Self-attention with a Gaussian prior, of width 0.5 unless it is given; `sizes` are fields of its description."""
    from bayesnoise import attention, divergences
    from bayesnoise.estimators import Flipout, Shared
    from bayesnoise.methods import compose

    d: Any = Attention(estimator=estimator, dtype=dtype, name="library:multi_head_attention", **{"prior": 0.5, **sizes})
    posterior, raw = gaussian_of(d.scale)
    law = Flipout() if estimator == "flipout" else Shared()

    def build(of: Any) -> Any:
        return compose(of, posterior, law, divergences.GaussianKL(d.prior))

    parameters: dict[str, str] = {}
    noise: dict[str, str] = {}
    for name in PROJECTIONS:
        parameters |= {f"{name}_mean": f"{name}.weight.mu", f"{name}_rho": f"{name}.weight.{raw}"}
        parameters[f"{name}_bias"] = f"{name}.bias.theta"
        noise[f"{name}_eps"] = f"{name}.weight.estimator.eps"
        if estimator == "flipout":
            noise |= {f"{name}_sign_{side}": f"{name}.weight.estimator.sign_{side}" for side in ("in", "out")}
    layer = attention.multi_head_attention(build, d.features, d.heads, causal=d.causal)
    return LibraryTree(layer, d, parameters, noise, like=like)
