"""The recurrent layers of this library as adapters."""

from __future__ import annotations

from typing import Any, Literal

from bayesnoise_reference.adapters.library import gaussian_of
from bayesnoise_reference.adapters.library_tree import LibraryTree
from bayesnoise_reference.families.recurrent import GRU, LSTM, Sequence


def _paths(kind: Sequence) -> tuple[dict[str, str], dict[str, str]]:
    """Where the names of the family are in the trees of the parameters and of the noise."""
    parameters: dict[str, str] = {}
    noise: dict[str, str] = {}
    flipout, raw = kind.estimator == "flipout", gaussian_of(kind.scale)[1]
    for name in ("input", "hidden"):
        parameters |= {f"{name}_mean": f"{name}.weight.mu", f"{name}_rho": f"{name}.weight.{raw}"}
        noise[f"{name}_eps"] = f"{name}.weight.estimator.eps"
        if flipout:
            noise |= {f"{name}_sign_{side}": f"{name}.weight.estimator.sign_{side}" for side in ("in", "out")}
        if kind.bias == "random":
            parameters |= {f"{name}_bias_mean": f"{name}.bias.mu", f"{name}_bias_rho": f"{name}.bias.{raw}"}
            noise[f"{name}_bias_eps"] = f"{name}.bias.estimator.{'zeta' if flipout else 'eps'}"
        else:
            parameters[f"{name}_bias"] = f"{name}.bias.theta"
    return parameters, noise


def library_recurrent(description: Any, like: Any = None) -> LibraryTree:
    """The library's layer of a description, an LSTM or a GRU; ValueError for a scale that it has no posterior for."""
    from bayesnoise import divergences, recurrent
    from bayesnoise.estimators import Flipout, Shared
    from bayesnoise.methods import compose

    d = description
    posterior, _ = gaussian_of(d.scale)
    divergence = divergences.Zero() if d.prior is None else divergences.GaussianKL(d.prior)
    estimator = Flipout() if d.estimator == "flipout" else Shared()

    def build(of: Any) -> Any:
        return compose(of, posterior, estimator, divergence, d.bias)

    make = recurrent.lstm if d.family == "lstm" else recurrent.gru
    return LibraryTree(make(build, d.inputs, d.units), d, *_paths(d), like=like)


def lstm(
    estimator: Literal["shared", "flipout"] = "flipout",
    *,
    dtype: Literal["float32", "float64"] = "float64",
    **sizes: Any,
) -> LibraryTree:
    """The LSTM, with a Gaussian prior, of width 0.5 unless it is given; `sizes` are fields of its description."""
    return library_recurrent(LSTM(estimator=estimator, dtype=dtype, name="library:lstm", **{"prior": 0.5, **sizes}))


def gru(
    estimator: Literal["shared", "flipout"] = "flipout",
    *,
    dtype: Literal["float32", "float64"] = "float64",
    **sizes: Any,
) -> LibraryTree:
    """The GRU, with a Gaussian prior, of width 0.5 unless it is given; `sizes` are fields of its description."""
    return library_recurrent(GRU(estimator=estimator, dtype=dtype, name="library:gru", **{"prior": 0.5, **sizes}))
