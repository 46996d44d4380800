"""Gaussian weights under the three estimators, over a dense map, a convolution and its transpose: nine families.

Each output is computed with the weights of its own example, as the paper defines it, or from the law of the output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bayesnoise_reference import (
    bayes_by_backprop,
    convolution,
    dense,
    flipout,
    local_reparameterization,
    transposed_convolution,
)
from bayesnoise_reference._typing import Array, Contract
from bayesnoise_reference.scales import log_sigma_of, sigma_of
from bayesnoise_reference.vectors.layers import LayerDefinition, gaussian_kl
from bayesnoise_reference.vectors.records import Bug, Family, Group, Values
from bayesnoise_reference.vectors.weight_bugs import Right, bugs_of
from bayesnoise_reference.vectors.weight_cases import conv_cases, dense_cases, transposed_cases

SOURCES = {
    "shared": "Blundell, Cornebise, Kavukcuoglu, Wierstra 2015, arXiv 1505.05424",
    "flipout": "Wen, Vicol, Ba, Tran, Grosse 2018, arXiv 1803.04386",
    "local": "Kingma, Salimans, Welling 2015, arXiv 1506.02557",
}
_OUTPUT = {
    "shared": "y = B(x, mu + sigma eps), one weight sample for the whole batch",
    "flipout": "y = B(x, mu) + sign_out * B(sign_in * x, sigma eps): example n has the weights "
    "mu + sigma eps (sign_in_n sign_out_n'), eps is shared by the batch",
    "local": "y = B(x, mu) + sqrt(B(x^2, sigma^2)) * zeta, with zeta of the shape of y",
}
_MAPS = {
    "dense": "B(x, w)[n, o] = sum_i x[n, i] w[i, o]: x is (n, i), w is (i, o)",
    "conv": "B(x, w)[n, o, p, q] = sum over c, k, l of w[o, c, k, l] x[n, c, p stride[0] - padding[0] + "
    "k dilation[0], q stride[1] - padding[1] + l dilation[1]] (cross-correlation, zeros outside): x is "
    "(n, c, height, width), w is (o, c, k, l), the shape of grad_y is that of the result",
    "conv_transpose": "every x[n, c, p, q] w[c, o, k, l] is added to B(x, w)[n, o, p stride[0] + k dilation[0] - "
    "padding[0], q stride[1] + l dilation[1] - padding[1]]; what falls outside is dropped: x is (n, c, height, width), "
    "w is (c, o, k, l), and the result, like grad_y, has (height - 1) stride[0] + (k - 1) dilation[0] + 1 + "
    "output_padding[0] - 2 padding[0] rows, and columns alike",
}
_COMMON = {
    "sigma": "log(1 + exp(rho)), elementwise",
    "kl": "sum over all weights of KL(N(mu, sigma^2) || N(prior_mean, prior_scale^2)), which is log(prior_scale / "
    "sigma) + (sigma^2 + (mu - prior_mean)^2) / (2 prior_scale^2) - 1/2; prior_scale is a standard deviation; counted "
    "once, not divided by anything; log(sigma) tends to rho where sigma underflows",
    "gradients": "grad_* are those of sum(grad_y * y) with the noise held fixed, kl_grad_* are those of kl",
    "bias": "none",
}


def contract_of(kind: str, inputs: Values) -> Contract:
    """One example's input and weights to its output."""
    if kind == "dense":
        return dense.output
    stride, padding, dilation = (tuple(int(n) for n in inputs[k]) for k in ("stride", "padding", "dilation"))
    if kind == "conv_transpose":
        beyond = tuple(int(n) for n in inputs["output_padding"])
        return lambda x, w: transposed_convolution.output(x, w, stride, padding, beyond, dilation)
    return lambda x, w: convolution.output(x, w, stride, padding, dilation)


def pattern_of(kind: str, inputs: Values) -> Callable[[Array, Array], Array]:
    """How the signs of an example lie on the weights."""
    if kind == "dense":
        return dense.sign_pattern
    kernel = inputs["mu"].shape[2:]
    if kind == "conv_transpose":
        return lambda r, s: transposed_convolution.sign_pattern(r, s, kernel)
    return lambda r, s: convolution.sign_pattern(r, s, kernel)


def output(kind: str, estimator: str, inputs: Values, scale: Array | None = None) -> Any:
    """The output by its definition; `scale` in the place of sigma is for bugs."""
    x, mean = inputs["x"], inputs["mu"]
    sigma = sigma_of(inputs["rho"]) if scale is None else scale
    contract = contract_of(kind, inputs)
    if not len(x):
        return np.zeros((0, *contract(np.zeros(x.shape[1:]), np.real(mean)).shape))
    if estimator == "shared":
        return bayes_by_backprop.output(x, mean, sigma, inputs["eps"], contract)
    if estimator == "flipout":
        noise = inputs["eps"], inputs["sign_in"], inputs["sign_out"]
        return flipout.output(x, mean, sigma, *noise, contract, pattern_of(kind, inputs))
    return local_reparameterization.output(x, mean, sigma, inputs["zeta"], contract)


def kl(inputs: Values) -> Any:
    """To the Gaussian prior."""
    rho = inputs["rho"]
    return gaussian_kl(inputs["mu"], sigma_of(rho), log_sigma_of(rho), inputs["prior_mean"], inputs["prior_scale"])


def definition(kind: str, estimator: str) -> LayerDefinition:
    """The layer, right."""
    return LayerDefinition(lambda inputs: output(kind, estimator, inputs), ("mu", "rho"), kl)


def conventions(kind: str, estimator: str) -> dict[str, str]:
    """What a reader must know of the layer."""
    return {"y": _OUTPUT[estimator], "B": _MAPS[kind], **_COMMON}


def family(kind: str, estimator: str) -> Family:
    """One of the nine."""
    right = definition(kind, estimator)
    changes = bugs_of(Right(kind, estimator, output, kl, contract_of))
    bugs = tuple(Bug(flag, sentence, replace(right, **change)) for flag, sentence, change in changes)
    cases = {"dense": dense_cases, "conv": conv_cases, "conv_transpose": transposed_cases}[kind](estimator)
    group = Group(f"{kind}.{estimator}", conventions(kind, estimator), right, cases, bugs)
    return Family(f"{kind}_{estimator}", SOURCES[estimator], (group,))
