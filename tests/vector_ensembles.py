"""The golden vectors of deep ensembles as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace
from bayesnoise_backends import host_rng
from namespaces import Namespace, to_numpy

from bayesnoise import losses, maps, metrics
from bayesnoise.affine import AffineParams
from bayesnoise.layer import Empty
from bayesnoise.methods import deep_ensemble
from bayesnoise.objective import ModelParams
from bayesnoise.posteriors.point import PointParams
from bayesnoise.procedures import adversarial_input
from bayesnoise.procedures.deep_ensemble import adversarial_step
from bayesnoise.uncertainty import classification_uncertainty, regression_uncertainty

ENSEMBLES = ("ensemble", "adversarial")


def ensembles(family: str, kind: str, v: dict[str, Any], namespace: Namespace) -> dict[str, Any]:
    """Everything that a vector asks for."""
    if family == "adversarial":
        return _adversarial(kind, v, namespace)
    return _regression(v) if kind == "regression" else _classification(v, namespace)


def _labels(target: Any, namespace: Namespace) -> Any:
    return namespace.asarray(np.asarray(to_numpy(target), dtype=np.int32))


def _regression(v: dict[str, Any]) -> dict[str, Any]:
    """The summary of passes, and the score of each example by itself."""
    means, variances, target = (to_numpy(v[name]) for name in ("means", "variances", "target"))
    u = regression_uncertainty(means, variances)
    each = [slice(i, i + 1) for i in range(len(target))]
    return {
        "mean": u.mean,
        "aleatoric_variance": u.aleatoric_variance,
        "epistemic_variance": u.epistemic_variance,
        "variance": u.total_variance,
        "log_density": np.array([metrics.mean_log_likelihood(means[:, i], variances[:, i], target[i]) for i in each]),
    }


def _classification(v: dict[str, Any], namespace: Namespace) -> dict[str, Any]:
    """The summary of passes, and the loss of their mixture."""
    loss, xp = losses.Categorical(), array_namespace(v["logits"])
    members = range(v["logits"].shape[0])
    log_p = xp.stack([loss.log_probabilities(Empty(), v["logits"][m, ...]) for m in members])
    u = classification_uncertainty(np.exp(to_numpy(log_p)))
    nll, _ = losses.Mixture(loss).forward(Empty(), v["logits"], _labels(v["target"], namespace))
    return {**u._asdict(), "log_density": -nll}


class _Gradients:
    """In the place of an optimizer: what it is given for a step."""

    def init(self, params: Any) -> Any:
        return ()

    def step(self, params: Any, grads: Any, state: Any, learning_rate: Any = None) -> Any:
        return grads, state


def _adversarial(kind: str, v: dict[str, Any], namespace: Namespace) -> dict[str, Any]:
    """A step of training on inputs that are divided by their widths, so that one epsilon does for all."""
    xp, width, epsilon = array_namespace(v["x"]), v["width"], float(v["epsilon"])
    layer: Any = deep_ensemble(maps.Dense(*v["weight"].shape))
    loss: Any = losses.Categorical()
    target = _labels(v["target"], namespace) if kind == "categorical" else v["target"][:, None]
    if kind == "gaussian":
        loss = losses.Heteroscedastic(float(v["minimum_variance"]))
    scales = xp.expand_dims(width, axis=1)
    params = ModelParams(AffineParams(PointParams(scales * v["weight"]), PointParams(v["bias"])), Empty())
    x, source = v["x"] / width, host_rng(0)
    noise = layer.draw(source, params.layer, x.shape, like=x)

    def losses_at(at: Any) -> Any:
        f, residuals = layer.forward(params.layer, noise, at)
        nll, of_loss = loss.forward(params.loss, f, target)
        return nll, layer.backward(residuals, loss.backward(of_loss, xp.ones_like(nll))[0])[0]

    nll, grad_x = losses_at(x)
    moved = adversarial_input(layer, loss, params, noise, x, target, epsilon)
    rest: Any = (params, (), source, x, target, 0.0, None)
    grads = adversarial_step(layer, loss, _Gradients(), epsilon, *rest)[0]
    return {
        "nll": nll,
        "grad_x": grad_x / width,
        "adversarial": moved * width,
        "adversarial_nll": losses_at(moved)[0],
        "grad_weight": scales * grads.layer.weight.theta,
        "grad_bias": grads.layer.bias.theta,
    }
