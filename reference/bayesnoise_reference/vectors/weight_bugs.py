"""Mistakes in layers with Gaussian weights, each as the change that it makes to the right definition.

A mistake in the output brings its gradients with it; others are in a gradient alone, or in the divergence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bayesnoise_reference import local_reparameterization
from bayesnoise_reference._typing import Array, Contract
from bayesnoise_reference.numerics import complex_step
from bayesnoise_reference.scales import sigma_of
from bayesnoise_reference.vectors.layers import gaussian_kl
from bayesnoise_reference.vectors.records import Values

Change: TypeAlias = tuple[str, str, dict[str, Any]]  # flag, sentence, fields of the definition
Replaced: TypeAlias = Callable[[Values], Array]


@dataclass(frozen=True)
class Right:
    """What is right, to be changed."""

    kind: str
    estimator: str
    layer: Callable[..., Any]  # kind, estimator, inputs, and a scale in the place of sigma
    kl: Callable[[Values], Any]
    contract_of: Callable[[str, Values], Contract]

    def output(self, inputs: Values, scale: Array | None = None) -> Any:
        return self.layer(self.kind, self.estimator, inputs, scale)

    def moments(self, v: Values) -> tuple[Array, Array]:
        """Mean and variance of the output; in an empty batch, arrays without elements."""
        if not len(v["x"]):
            return v["zeta"], v["zeta"]
        contract = self.contract_of(self.kind, v)
        return local_reparameterization.moments(v["x"], v["mu"], sigma_of(v["rho"]), contract)

    def other(self, **replaced: Replaced) -> dict[str, Any]:
        """The output of other inputs."""
        return {"output": lambda v: self.output(v | {name: f(v) for name, f in replaced.items()})}

    def scaled(self, scale: Replaced) -> dict[str, Any]:
        """The output with another standard deviation."""
        return {"output": lambda v: self.output(v, scale(v))}


def amended(**replaced: Replaced) -> dict[str, Any]:
    """Other gradients, each a function of inputs and right outputs."""
    return {
        "amend": lambda inputs, outputs: outputs | {k: np.asarray(f(inputs | outputs)) for k, f in replaced.items()}
    }


def bugs_of(right: Right) -> Iterator[Change]:
    """Every bug of a family."""
    yield (
        "SigmaSquared",
        "The variance is used as the standard deviation.",
        right.scaled(lambda v: sigma_of(v["rho"]) ** 2),
    )
    yield "ExpForSoftplus", "sigma is exp(rho), not log(1 + exp(rho)).", right.scaled(lambda v: np.exp(v["rho"]))
    if right.estimator == "flipout":
        yield from _flipout_bugs(right)
    if right.estimator == "local":
        yield from _local_bugs(right)
    yield from _gradient_bugs(right)
    if right.kind != "dense":
        of_weights = ("mu", "rho", *(() if right.estimator == "local" else ("eps",)))
        sentence = "A true convolution: the kernel is read backwards."
        if right.kind == "conv_transpose":
            sentence = "The kernel is read backwards."
            yield (
                "ChannelsExchanged",
                "The weights are read as if their first axis counted the channels of the output.",
                right.other(**{name: _exchanged(name) for name in of_weights}),
            )
        yield "KernelFlipped", sentence, right.other(**{name: _flipped(name) for name in of_weights})
    yield from _kl_bugs(right.kl)


def _flipped(name: str) -> Replaced:
    return lambda v: v[name][..., ::-1, ::-1]


def _exchanged(name: str) -> Replaced:
    """The channels of input and output in each other's place, where there are as many of both."""
    return lambda v: np.swapaxes(v[name], 0, 1) if v[name].shape[0] == v[name].shape[1] else v[name]


def _of_first(name: str) -> Replaced:
    """Every example has what the first has."""
    return lambda v: v[name][:1] + 0.0 * v[name]


def _flipout_bugs(right: Right) -> Iterator[Change]:
    shared = {name: _of_first(name) for name in ("sign_in", "sign_out")}
    yield "SignsSharedAcrossBatch", "Every example has the signs of the first.", right.other(**shared)
    yield "InputSignsMissing", "The input signs are left out.", right.other(sign_in=lambda v: np.abs(v["sign_in"]))
    yield "OutputSignsMissing", "The output signs are left out.", right.other(sign_out=lambda v: np.abs(v["sign_out"]))
    yield (
        "SignsZeroOne",
        "Signs come from {0, 1}, not from {-1, 1}.",
        right.other(sign_in=lambda v: 0.5 * (v["sign_in"] + 1.0), sign_out=lambda v: 0.5 * (v["sign_out"] + 1.0)),
    )
    yield (
        "OneSign",
        "One sign an example, that of its first input, for all of its weights.",
        right.other(
            sign_in=lambda v: np.ones_like(v["sign_in"]), sign_out=lambda v: v["sign_in"][:, :1] + 0.0 * v["sign_out"]
        ),
    )

    def whole(v: Values) -> Any:
        return v["sign_out"] * right.layer(right.kind, "shared", v | {"x": v["x"] * v["sign_in"]})

    yield "WholeWeightFlipped", "The signs flip the mean as well as the perturbation.", {"output": whole}


def _local_bugs(right: Right) -> Iterator[Change]:
    def with_factor(factor: Callable[[Array], Array]) -> dict[str, Any]:
        def output(v: Values) -> Any:
            mean, variance = right.moments(v)
            return mean + factor(variance) * v["zeta"]

        return {"output": output}

    def mean_gradient(known: Values) -> Array:
        silent = known | {"zeta": np.zeros_like(known["zeta"])}
        return complex_step(lambda x: np.sum(known["grad_y"] * right.output(silent | {"x": x})), known["x"])

    def nan_at_zero(known: Values) -> Array:
        dead = np.array([not np.any(row) for row in known["x"]], dtype=bool)
        return np.where(np.any(dead), np.nan, known["grad_rho"])

    yield "SquareRootMissing", "The noise is multiplied by the variance of the output.", with_factor(lambda v: v)
    yield (
        "EpsilonUnderRoot",
        "1e-8 is added under the root: an example of zeros has noise.",
        with_factor(lambda v: np.sqrt(v + 1e-8)),
    )
    yield "NoiseSharedAcrossBatch", "Every example has the noise of the first.", right.other(zeta=_of_first("zeta"))
    yield (
        "SigmaNotSquared",
        "The contraction for the variance takes sigma, not its square.",
        right.scaled(lambda v: np.sqrt(sigma_of(v["rho"]))),
    )
    yield (
        "NaNAtZeroRow",
        "The square root is differentiated at 0, and 0 times infinity is NaN.",
        amended(grad_rho=nan_at_zero),
    )
    yield "VarianceIgnoresInput", "The gradient of x passes through the mean alone.", amended(grad_x=mean_gradient)


def _gradient_bugs(right: Right) -> Iterator[Change]:
    def by_sigma(name: str) -> Replaced:
        return lambda k: k[name] / np.exp(k["rho"] - sigma_of(k["rho"]))

    def averaged(name: str) -> Replaced:
        return lambda k: k[name] / max(1, len(k["x"]))

    noise = "zeta" if right.estimator == "local" else "eps"
    redrawn = right.other(**{noise: lambda v: -v[noise][..., ::-1]})["output"]
    yield (
        "SoftplusDerivativeMissing",
        "The gradient of rho is that of sigma.",
        amended(grad_rho=by_sigma("grad_rho"), kl_grad_rho=by_sigma("kl_grad_rho")),
    )
    yield (
        "GradientIsMean",
        "The gradients of the parameters are averaged over the batch.",
        amended(grad_mu=averaged("grad_mu"), grad_rho=averaged("grad_rho")),
    )
    yield "NoiseRedrawn", "The backward pass uses other noise than the forward pass.", {"backward_output": redrawn}


def _kl_bugs(kl: Callable[[Values], Any]) -> Iterator[Change]:
    def reverse(v: Values) -> Any:
        mean, scale = v["prior_mean"] + 0.0 * v["mu"], v["prior_scale"] + 0.0 * v["mu"]
        return gaussian_kl(mean, scale, np.log(scale), v["mu"], sigma_of(v["rho"]))

    def naive(v: Values) -> Any:
        sigma = np.log(1.0 + np.exp(v["rho"]))
        return gaussian_kl(v["mu"], sigma, np.log(sigma), v["prior_mean"], v["prior_scale"])

    def with_prior(**replaced: Replaced) -> dict[str, Any]:
        return {"kl": lambda v: kl(v | {name: f(v) for name, f in replaced.items()})}

    yield "KLMean", "The KL is a mean over the weights, not a sum.", {"kl": lambda v: kl(v) / v["mu"].size}
    yield "KLReversed", "KL(prior || posterior) in the place of KL(posterior || prior).", {"kl": reverse}
    yield (
        "PriorScaleAsVariance",
        "prior_scale is used as a variance.",
        with_prior(prior_scale=lambda v: np.sqrt(v["prior_scale"])),
    )
    yield (
        "PriorScaleSquared",
        "prior_scale is squared once too often.",
        with_prior(prior_scale=lambda v: v["prior_scale"] ** 2),
    )
    yield "KLHalfMissing", "The factor 1/2 is missing.", {"kl": lambda v: 2.0 * kl(v)}
    yield "KLPerExample", "The KL is counted once for each example.", {"kl": lambda v: len(v["x"]) * kl(v)}
    yield (
        "PriorMeanIgnored",
        "The mean of the prior is taken to be 0.",
        with_prior(prior_mean=lambda v: 0.0 * v["prior_mean"]),
    )
    yield "NaiveSoftplus", "log(1 + exp(rho)) overflows, or its logarithm is that of 0.", {"kl": naive}
