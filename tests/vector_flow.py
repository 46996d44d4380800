"""The golden vectors of factors that a flow makes as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace
from bayesnoise_reference.families.flow import STEP

from bayesnoise import maps, methods
from bayesnoise.flows import AuxiliaryParams, FactorParams, MultiplicativeFlowParams, RealNVPParams
from bayesnoise.multiplicative_flow import MultiplicativeFlowNoise
from bayesnoise.posteriors import GaussianParams, LogSigmaParams


def flow(v: dict[str, Any]) -> dict[str, Any]:
    """Everything that a vector asks for."""
    layer: Any = methods.multiplicative_normalizing_flow(
        maps.Dense(*v["mean"].shape), prior_scale=float(v["prior_scale"]), steps=2, hidden=1, bias="none"
    )
    row = {name: array_namespace(v[name]).reshape(v[name], (1, -1)) for name in (*_ROWS, "kl_eps", "kl_eta")}
    params = MultiplicativeFlowParams(
        GaussianParams(v["mean"], v["rho"]),
        FactorParams(LogSigmaParams(v["base_mean"], v["base_log_sigma"]), _steps(v, "")),
        AuxiliaryParams(row["contrast"], row["shift"], row["log_precision"], _steps(v, "r_")),
    )
    noise = MultiplicativeFlowNoise(v["eps"], v["zeta"], row["kl_eps"], row["kl_eta"])
    y, residuals = layer.forward(params, noise, v["x"])
    grad_x, grads = layer.backward(residuals, v["grad_y"])
    found = {"y": y, "grad_x": grad_x, "kl": layer.kl(params, noise)}
    for prefix, of in (("grad_", grads), ("kl_grad_", layer.kl_grad(params, noise))):
        found |= {prefix + name: leaf for name, leaf in _named(of).items()}
    return found


_ROWS = ("contrast", "shift", "log_precision")


def _steps(v: dict[str, Any], before: str) -> tuple[RealNVPParams, ...]:
    return tuple(RealNVPParams(*(v[f"{before}{name}_{t}"] for name in STEP)) for t in (1, 2))


def _named(params: MultiplicativeFlowParams) -> dict[str, Any]:
    """The leaves by their names in the vectors."""
    found = {"mean": params.weight.mu, "rho": params.weight.rho}
    found |= {"base_mean": params.factor.base.mu, "base_log_sigma": params.factor.base.log_sigma}
    found |= {name: getattr(params.auxiliary, name) for name in _ROWS}
    for before, steps in (("", params.factor.flow), ("r_", params.auxiliary.flow)):
        for t, step in enumerate(steps, 1):
            found |= {f"{before}{name}_{t}": leaf for name, leaf in zip(STEP, step, strict=True)}
    return found
