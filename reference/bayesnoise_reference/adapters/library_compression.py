"""The layer of this library whose weights come in groups, each with a factor, as an adapter."""

from __future__ import annotations

from typing import Any, Literal

from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.compression import PAIRS, Compression


def bayesian_compression(
    *,
    inputs: int = 3,
    outputs: int = 4,
    prior: Literal["normal_jeffreys", "half_cauchy"] = "normal_jeffreys",
    factor_scale: float = 0.5,
    dtype: Literal["float32", "float64"] = "float64",
) -> LibraryTree:
    """A factor an input; `factor_scale` is that of half-Cauchy ones."""
    from bayesnoise import maps, methods

    sizes: Any = {"inputs": inputs, "outputs": outputs, "factor_scale": factor_scale, "dtype": dtype}
    what = Compression(kind=prior, name="library:bayesian_compression", **sizes)
    scale = None if prior == "normal_jeffreys" else factor_scale
    layer = methods.bayesian_compression(maps.Dense(inputs, outputs), prior=prior, factor_scale=scale, bias="none")
    paths, noise = {"mean": "1.mu", "rho": "1.rho"}, {"eps": "0.eps", "zeta": "1.estimator.zeta"}
    if prior == "normal_jeffreys":
        return LibraryTree(layer, what, paths | {name: f"0.{name}" for name in ("theta", "log_sigma2")}, noise)
    paths |= {f"{pair}_{name}": f"0.{pair}.{name}" for pair in PAIRS for name in ("mu", "log_sigma")}
    return LibraryTree(layer, what, paths, noise | {"shared_eps": "0.shared_eps"})
