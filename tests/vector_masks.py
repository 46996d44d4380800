"""The golden vectors of masks and of noise of learned strength as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from bayesnoise import maps, methods, noise, posteriors
from bayesnoise.concrete import ConcreteDropout, ConcreteNoise, ConcreteParams
from bayesnoise.divergences import Zero
from bayesnoise.estimators import PerExample, PerExampleNoise
from bayesnoise.information import InformationParams
from bayesnoise.layer import Empty
from bayesnoise.stochastic import Stochastic, StochasticNoise

KINDS = ("spatial_dropout", "drop_block", "drop_connect", "concrete_dropout", "information_dropout")


def masks(kind: str, rest: str, v: dict[str, Any]) -> dict[str, Any]:
    """Everything that a vector asks for."""
    if kind == "drop_block":
        return _blocks(rest, v)
    if kind == "information_dropout":
        return _information(rest, v)
    return {"spatial_dropout": _spatial, "drop_connect": _connections, "concrete_dropout": _concrete}[kind](v)


def _called(layer: Any, params: Any, drawn: Any, v: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    y, residuals = layer.forward(params, drawn, v["x"])
    grad_x, grad = layer.backward(residuals, v["grad_y"])
    return {"y": y, "grad_x": grad_x}, grad


def _spatial(v: dict[str, Any]) -> dict[str, Any]:
    x, rate = v["x"], float(v["rate"])
    layer = noise.Multiply(noise.Spatial(noise.Bernoulli(rate), x.shape[1], x.ndim - 2))
    laid = array_namespace(x).reshape(v["kept"], (*x.shape[:2], *(1,) * (x.ndim - 2)))
    return _called(layer, Empty(), noise.MultiplyNoise(laid / (1.0 - rate)), v)[0]


def _blocks(scale_by: Any, v: dict[str, Any]) -> dict[str, Any]:
    layer = noise.DropBlock(0.1, (2,) * (v["x"].ndim - 2), scale_by)
    return _called(layer, Empty(), noise.DropBlockNoise(v["blocks"]), v)[0]


def _connections(v: dict[str, Any]) -> dict[str, Any]:
    law = posteriors.DropConnect(float(v["rate"]))
    deviation = posteriors.TwoPoint(law.rate).deviation
    eps = v["kept"] * deviation - (1.0 - v["kept"]) / deviation
    layer = Stochastic(maps.Dense(*v["theta"].shape), law, PerExample(), Zero())
    drawn = StochasticNoise(PerExampleNoise(eps), None)
    found, grad = _called(layer, posteriors.PointParams(v["theta"]), drawn, v)
    return found | {"grad_theta": grad.theta}


def _concrete(v: dict[str, Any]) -> dict[str, Any]:
    layer = ConcreteDropout(maps.Dense(*v["theta"].shape), temperature=float(v["temperature"]), prior_scale=0.5)
    params = ConcreteParams(v["theta"], v["logit"])
    found, grad = _called(layer, params, ConcreteNoise(v["u"]), v)
    kl_grad = layer.kl_grad(params)
    return found | {
        "grad_theta": grad.theta,
        "grad_logit": grad.logit,
        "kl": layer.kl(params),
        "kl_grad_theta": kl_grad.theta,
        "kl_grad_logit": kl_grad.logit,
    }


def _information(prior: Any, v: dict[str, Any]) -> dict[str, Any]:
    xp, x = array_namespace(v["x"]), v["x"]
    layer = methods.information_dropout(maps.Dense(*v["theta"].shape), prior=prior, beta=1.0, bias="none")
    params = InformationParams(posteriors.PointParams(v["theta"]), posteriors.PointParams(v["theta_alpha"]))
    like = layer.draw(_Zeros(), params, x.shape, like=x)
    drawn = like._replace(zeta=v["zeta"])
    found, grad = _called(layer, params, drawn, v)
    _, residuals = layer.forward(params, drawn, x)
    _, kl_grad = layer.backward_with_kl(residuals, 0.0 * v["grad_y"], xp.ones_like(x[:, 0]))
    for prefix, tree in (("grad_", grad), ("kl_grad_", kl_grad)):
        found |= {f"{prefix}theta": tree.value.theta, f"{prefix}theta_alpha": tree.spread.theta}
    return found | {"kl": xp.sum(layer.example_kl(residuals))}


class _Zeros:
    """A generator of nothing random, for the types of a draw alone."""

    def normal(self, shape: Any, *, like: Any) -> Any:
        return array_namespace(like).zeros(shape, dtype=like.dtype)

    uniform = rademacher = normal

    def split(self, n: int) -> tuple[_Zeros, ...]:
        return (self,) * n
