"""One draw of a layer's weights, used at several steps: what the steps share is computed once, and pulled back once.

With `y_t = B(x_t, w)` and one `w` for all t, the gradient of `w` is the sum over t of the gradients at each step. So
the operands of the contractions are made before the first step, their gradients are summed over the steps, and the
pullback to the parameters comes last: no rule of an estimator is written twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from bayesnoise import _checks
from bayesnoise._typing import Array, Noise, Params, Residuals, Shape
from bayesnoise.affine import Affine, AffineParams, one_per_example
from bayesnoise.composite import Composite, outline
from bayesnoise.estimators import Operands
from bayesnoise.noise import Multiply
from bayesnoise.posteriors.law import Coordinates
from bayesnoise.stochastic import Stochastic

Weights: TypeAlias = Stochastic | Affine

_APART = (
    "deterministic, with the noise apart: as input_noise and hidden_noise of a recurrent layer, or as noise.Multiply "
    "before an attention"
)


class Reused(NamedTuple):
    """A draw of the weights and of the bias, one for all steps."""

    params: Params  # of the weights
    scale: Array | None  # like the weights
    noise: Noise  # of the estimator
    operands: Operands
    bias: Array | None  # (n, o), each example's own
    bias_residuals: Residuals


def check_reuse(name: str, layer: Any) -> None:
    """Raise TypeError or ValueError unless one draw of the layer may meet several inputs, with the reason."""
    if not isinstance(layer, Weights):
        masked = isinstance(layer, Composite) and any(isinstance(part, Multiply) for _, part in layer.parts)
        use = _APART if masked else "flipout or bayes_by_backprop"
        raise TypeError(
            f"{name} is {outline(layer)}, expected a layer of one map, of which one draw of the weights meets every "
            f"step or position: use {use}"
        )
    weight = weight_of(layer)
    reason = weight.estimator.reuse_refusal()
    if reason is not None:
        raise ValueError(f"{name} has estimator {weight.estimator}, wrong for weights that are used again: {reason}")


def weight_of(layer: Weights) -> Stochastic:
    """The term in the weights."""
    return layer.weight if isinstance(layer, Affine) else layer


def reuse(layer: Weights, params: Params, noise: Noise, x: Array) -> Reused:
    """The draw, for inputs shaped like `x`, the first of them."""
    bias, bias_residuals = None, None
    if isinstance(layer, Affine):
        bias, bias_residuals = layer.bias.forward(params.bias, noise.bias, one_per_example(x))
        params, noise = params.weight, noise.weight
    weight = weight_of(layer)
    _checks.noise(noise.estimator, weight.estimator.noise_shapes(weight.map, x.shape))
    mean = weight.posterior.mean(params)
    scale = weight.posterior.scale(params) if weight.posterior.traits.random else None
    operands = weight.estimator.operands(mean, scale, noise.estimator)
    return Reused(params, scale, noise.estimator, operands, bias, bias_residuals)


def step(layer: Weights, reused: Reused, x: Array) -> tuple[Array, Residuals]:
    """The output for one more input."""
    weight = weight_of(layer)
    y, residuals = weight.estimator.contract(weight.map, x, reused.operands, reused.noise)
    return (y if reused.bias is None else y + reused.bias), residuals


def step_backward(layer: Weights, residuals: Residuals, grad_y: Array) -> tuple[Array | None, Operands]:
    """The gradients of that input and of the operands."""
    weight = weight_of(layer)
    return weight.estimator.contract_backward(weight.map, residuals, grad_y)


def reuse_backward(layer: Weights, reused: Reused, grad: Operands, grad_bias: Array) -> Params:
    """The gradient of the parameters, from the sums over steps of those of the operands and of the output."""
    weight = weight_of(layer)
    grad_mean, grad_scale = weight.estimator.operands_backward(reused.scale, reused.noise, grad)
    grad_weight = weight.posterior.pullback(reused.params, Coordinates(mean=grad_mean, scale=grad_scale))
    if not isinstance(layer, Affine):
        return grad_weight
    return AffineParams(grad_weight, layer.bias.backward(reused.bias_residuals, grad_bias, input_grad=False)[1])


def check_sizes(name: str, layer: Weights, x_shape: Shape, features: int) -> None:
    """Raise ValueError unless the layer takes such an input to that many features."""
    y_shape = layer.output_shape(x_shape)
    if y_shape[-1] != features:
        raise ValueError(f"{name} has {y_shape[-1]} outputs, expected {features}, for {layer}")


def check_dense(name: str, layer: Any) -> None:
    """Raise TypeError or ValueError unless the layer is of a dense map and one draw of it may meet several inputs."""
    check_reuse(name, layer)
    if len(weight_of(layer).map.weight_shape) != 2:
        raise TypeError(f"{name} has map {weight_of(layer).map}, expected maps.Dense")


def inputs_of(layer: Weights) -> int:
    """The number of features that a layer of a dense map takes."""
    return int(weight_of(layer).map.weight_shape[0])
