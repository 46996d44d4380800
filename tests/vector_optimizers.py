"""The golden vectors of optimizers and procedures as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from bayesnoise import natural_gradient
from bayesnoise.evolution import Base, FlipES
from bayesnoise.natural_gradient import Moments, PrecisionState, SlangState, VadamState
from bayesnoise.objective import ModelParams
from bayesnoise.posteriors.point import PointParams
from bayesnoise.procedures.swag_law import SwagLaw, SwagNoise, empty, sample_parameters, take_in

OPTIMIZERS = ("optimizer", "procedure", "evolution")


def _tree(vector: Any) -> ModelParams:
    """The parameters of a network whose weights are a vector."""
    return ModelParams(PointParams(vector), ())


def _settings(v: dict[str, Any], *names: str) -> dict[str, float]:
    return {name: float(v[name]) for name in ("learning_rate", "prior_scale", *names)}


def optimizers(family: str, kind: str, v: dict[str, Any]) -> dict[str, Any]:
    """Everything that a vector asks for."""
    if family == "evolution":
        return _evolution(kind, v)
    if kind in ("slang", "swag"):
        return _slang(v) if kind == "slang" else _swag(v)
    return _independent(kind, v)


def _independent(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    build: Any = getattr(natural_gradient, kind)
    draws = v["eps"].shape[0]
    fresh = {"initial_precision": float(v["first_precision"])} if kind == "vadam" else {}
    rule = build(samples=draws, **_settings(v, "beta1", "beta2"), **fresh)
    kl_scale = 1.0 / v["examples"]
    delta = kl_scale / v["prior_scale"] ** 2
    state: Any = VadamState(v["count"], kl_scale, _tree(v["first"]), _tree(v["curvature"]))
    if kind != "vadam":
        state = PrecisionState(v["count"], kl_scale, _tree(v["first"]), _tree(v["curvature"] + delta))
    mean, noise = _tree(v["mean"]), tuple(_tree(v["eps"][s, :]) for s in range(draws))
    drawn = [rule.perturb(mean, state, eps, kl_scale).layer.theta for eps in noise]
    after, state = rule.step(
        mean, tuple(_gradient(kind, v["grad"][s, ...]) for s in range(draws)), state, noise, kl_scale
    )
    kept = state.second.layer.theta if kind == "vadam" else state.precision.layer.theta - delta
    return {
        "draw": array_namespace(v["mean"]).stack(drawn),
        "next_mean": after.layer.theta,
        "next_first": state.first.layer.theta,
        "next_curvature": kept,
        "next_scale": rule.scale(state).layer.theta,
    }


def _gradient(kind: str, grad: Any) -> Any:
    """At one draw; VOGN takes the moments of those of single examples."""
    if kind != "vogn":
        return _tree(grad)
    xp = array_namespace(grad)
    return Moments(_tree(xp.mean(grad, axis=0)), _tree(xp.mean(grad * grad, axis=0)))


def _slang(v: dict[str, Any]) -> dict[str, Any]:
    """A draw, the covariance from the draws of unit vectors, and a step."""
    xp, (n, rank) = array_namespace(v["mean"]), v["factor"].shape
    rule = natural_gradient.slang(rank=rank, **_settings(v, "beta"))
    kl_scale = 1.0 / v["examples"]
    state, mean = SlangState(kl_scale, v["factor"], v["diagonal"]), _tree(v["mean"])

    def at(eps: Any) -> Any:
        return rule.perturb(mean, state, eps, kl_scale).layer.theta

    unit = xp.eye(n, dtype=v["mean"].dtype)
    nowhere = _tree(0.0 * v["mean"])
    root = xp.stack([rule.perturb(nowhere, state, unit[i, :], kl_scale).layer.theta for i in range(n)], axis=1)
    after, following = rule.step(mean, v["grad"], state, kl_scale)
    return {
        "draw": at(v["eps"]),
        "covariance": root @ root.T,
        "kl": rule.kl(mean, state),
        "next_mean": after.layer.theta,
        "next_low_rank": following.factor @ following.factor.T,
        "next_diagonal": following.diagonal,
    }


def _swag(v: dict[str, Any]) -> dict[str, Any]:
    """The moments of the iterates, taken in one by one, and a draw."""
    xp, count = array_namespace(v["iterates"]), v["iterates"].shape[0]
    rank, used = int(v["rank"]), v["z2"].shape[0]
    law: SwagLaw = empty(_tree(v["iterates"][0, :]), rank)
    for t in range(count):
        law = take_in(law, _tree(v["iterates"][t, :]))
    z2 = xp.concat([xp.zeros((rank - used,), dtype=v["z2"].dtype), v["z2"]])
    noise = SwagNoise(_tree(v["z1"]), z2)
    return {
        "mean": law.mean.layer.theta,
        "variance": law.squares.layer.theta / count,
        "deviations": law.deviations.layer.theta[rank - used :, :],
        "draw": sample_parameters(law, noise).layer.theta,
    }


def _evolution(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    """The parameters of every member, and the estimate from given values."""
    xp, (bases, members) = array_namespace(v["values"]), v["values"].shape
    rule = FlipES(float(v["scale"]), members, bases, antithetic=kind != "baseline")
    outs = v.get("sign_out")
    noise = tuple(
        Base((v["eps"][b, ...],), (v["sign_in"][b, ...],), (None if outs is None else outs[b, ...],))
        for b in range(bases)
    )
    moved = xp.stack([weights for (weights,) in rule.perturb((v["theta"],), noise)])
    (estimate,) = rule.gradient(noise, xp.reshape(v["values"], (bases * members,)))
    return {"members": xp.reshape(moved, (bases, members, *v["theta"].shape)), "grad_theta": estimate}
