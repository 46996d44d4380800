"""The golden vectors of weights in groups as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

from bayesnoise_reference.families.compression import PAIRS
from bayesnoise_reference.vectors.compression import FACTOR_SCALE

from bayesnoise import maps, methods, tree
from bayesnoise.estimators import LocalNoise
from bayesnoise.noise import HalfCauchyNoise, HalfCauchyParams, NormalJeffreysNoise
from bayesnoise.posteriors import AdditiveParams, GaussianParams, LogSigmaParams
from bayesnoise.stochastic import StochasticNoise


def compression(kind: Any, v: dict[str, Any]) -> dict[str, Any]:
    """Everything that a vector asks for."""
    scale = FACTOR_SCALE if kind == "half_cauchy" else None
    layer = methods.bayesian_compression(maps.Dense(*v["mean"].shape), prior=kind, factor_scale=scale, bias="none")
    if kind == "half_cauchy":
        names = [f"{pair}_{name}" for pair in PAIRS for name in ("mu", "log_sigma")]
        factors: Any = HalfCauchyParams(*(LogSigmaParams(v[f"{p}_mu"], v[f"{p}_log_sigma"]) for p in PAIRS))
        drawn: Any = HalfCauchyNoise(v["eps"], v["shared_eps"])
    else:
        names = ["theta", "log_sigma2"]
        factors, drawn = AdditiveParams(v["theta"], v["log_sigma2"]), NormalJeffreysNoise(v["eps"])
    params = (factors, GaussianParams(v["mean"], v["rho"]))
    noise = (drawn, StochasticNoise(LocalNoise(v["zeta"]), None))
    y, residuals = layer.forward(params, noise, v["x"])
    grad_x, grads = layer.backward(residuals, v["grad_y"])
    found = {"y": y, "grad_x": grad_x, "kl": layer.kl(params)}
    for prefix, of in (("grad_", grads), ("kl_grad_", layer.kl_grad(params))):
        found |= {prefix + name: leaf for name, leaf in zip([*names, "mean", "rho"], tree.leaves(of), strict=True)}
    return found
