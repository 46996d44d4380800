"""The golden vectors of weights with a structured law as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

from vector_given import Given

from bayesnoise import maps, methods, tree
from bayesnoise.estimators import FlipoutNoise, LocalNoise, SharedNoise
from bayesnoise.low_rank import LowRankNoise, LowRankParams
from bayesnoise.posteriors import GaussianParams, KTiedParams, LogSigmaParams, MatrixGaussianParams
from bayesnoise.stochastic import StochasticNoise

NAMES = {
    "k_tied_normal": ("mu", "log_u", "log_v"),
    "variational_matrix_gaussian": ("mu", "log_u", "log_v"),
    "low_rank_gaussian": ("mu", "log_sigma", "factor"),
    "radial": ("mu", "rho"),
}


def posterior(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    """Everything that a vector asks for."""
    build: Any = getattr(methods, kind)
    settings = {} if kind in ("variational_matrix_gaussian", "radial") else {"rank": 2}
    layer = build(maps.Dense(*v["mu"].shape), prior_scale=float(v["prior_scale"]), bias="none", **settings)
    params, noise = _taken(kind, layer, v)
    y, residuals = layer.forward(params, noise, v["x"])
    grad_x, grads = layer.backward(residuals, v["grad_y"])
    found = {"y": y, "grad_x": grad_x, "kl": layer.kl(params)}
    for prefix, of in (("grad_", grads), ("kl_grad_", layer.kl_grad(params))):
        found |= {prefix + name: leaf for name, leaf in zip(NAMES[kind], tree.leaves(of), strict=True)}
    return found


def _taken(kind: str, layer: Any, v: dict[str, Any]) -> tuple[Any, Any]:
    """The parameters and the noise."""
    if kind == "k_tied_normal":
        noise: Any = FlipoutNoise(v["eps"], v["sign_in"], v["sign_out"])
        return KTiedParams(v["mu"], v["log_u"], v["log_v"]), StochasticNoise(noise, None)
    if kind == "variational_matrix_gaussian":
        noise = LocalNoise(v["zeta"])
        return MatrixGaussianParams(v["mu"], v["log_u"], v["log_v"]), StochasticNoise(noise, None)
    if kind == "low_rank_gaussian":
        diagonal = StochasticNoise(LocalNoise(v["zeta"]), None)
        return LowRankParams(LogSigmaParams(v["mu"], v["log_sigma"]), v["factor"]), LowRankNoise(diagonal, v["e"])
    given: Any = Given(v["eps"], v["radius"])
    params = GaussianParams(v["mu"], v["rho"])
    drawn = layer.draw(given, params, tuple(v["x"].shape), like=v["x"])
    assert isinstance(drawn.estimator, SharedNoise)
    return params, drawn
