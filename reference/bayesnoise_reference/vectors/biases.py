"""Dense layers whose bias is Gaussian too, with a noise of its own: the bias under each estimator of the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference import bayes_by_backprop, local_reparameterization
from bayesnoise_reference import bias as biases
from bayesnoise_reference._typing import Array
from bayesnoise_reference.scales import log_sigma_of, sigma_of
from bayesnoise_reference.vectors import weights
from bayesnoise_reference.vectors.layers import LayerDefinition, changed, gaussian_kl, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic
from bayesnoise_reference.vectors.weight_cases import noise_of

_SHAPE = (3, 2)


def _bias(v: Values) -> Any:
    """The bias of every example: one draw for all, or the law of each output."""
    ones = np.ones((len(v["x"]), 1))
    if not len(ones):
        return np.zeros((0, len(v["bias_mu"])))

    def contract(x_n: Array, b: Array) -> Array:
        return biases.output(x_n, b, -1)

    law = v["bias_mu"], sigma_of(v["bias_rho"])
    if "bias_eps" in v:
        return bayes_by_backprop.output(ones, *law, v["bias_eps"], contract)
    return local_reparameterization.output(ones, *law, v["bias_zeta"], contract)


def _kl_of_bias(v: Values) -> Any:
    rho = v["bias_rho"]
    return gaussian_kl(v["bias_mu"], sigma_of(rho), log_sigma_of(rho), v["prior_mean"], v["prior_scale"])


def _kl(v: Values) -> Any:
    return weights.kl(v) + _kl_of_bias(v)


def _cases(estimator: str) -> tuple[Case, ...]:
    rng, (i, o) = np.random.default_rng(17), _SHAPE

    def make(n: int, **others: Any) -> Values:
        own = {"bias_eps": dyadic(rng, o)} if estimator == "shared" else {"bias_zeta": dyadic(rng, n, o)}
        values = {
            "x": dyadic(rng, n, i),
            "grad_y": dyadic(rng, n, o),
            "mu": dyadic(rng, i, o),
            "rho": dyadic(rng, i, o, spread=0.75) - 0.5,
            "bias_mu": dyadic(rng, o),
            "bias_rho": dyadic(rng, o, spread=0.75) - 0.5,
            **noise_of(rng, estimator, (i, o), (n, o), (n, i)),
            **own,
            "prior_mean": 0.0,
            "prior_scale": 0.5,
        }
        return {name: np.asarray(value, dtype=np.float64) for name, value in (values | others).items()}

    silent, dead = make(2), make(2)
    silent |= {k: np.zeros_like(silent[k]) for k in ("eps", "zeta", "bias_eps", "bias_zeta") if k in silent}
    dead["x"][0] = 0.0
    return (
        Case("three examples", ("Ordinary",), make(3)),
        Case("a prior with a mean", ("PriorMean",), make(2, prior_mean=-0.75, prior_scale=1.5)),
        Case("one example", ("BatchOfOne",), make(1)),
        Case("no example", ("EmptyBatch",), make(0)),
        Case("no noise", ("NoNoise",), silent),
        Case("the first example is zero", ("BiasAlone",), dead),
        Case("a bias whose scale underflows", ("ExtremeScale",), make(2, bias_rho=np.array([-1000.0, -20.0]))),
    )


def _law_bugs(estimator: str, output: Callable[[Values], Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Mistakes in the noise of the bias."""
    noise = "bias_eps" if estimator == "shared" else "bias_zeta"

    def other(**replaced: Callable[[Values], Any]) -> dict[str, Any]:
        return {"output": lambda v: output(v | {name: f(v) for name, f in replaced.items()})}

    def squared(v: Values) -> Any:
        return v["bias_mu"] + sigma_of(v["bias_rho"]) ** 2 * v[noise]

    def reused(v: Values) -> Any:
        if estimator == "local":
            return v["zeta"]
        return v["eps"][0] + 0.0 * v[noise]

    def term(of: Callable[[Values], Any]) -> dict[str, Any]:
        return {"output": lambda v: output(v) - _bias(v) + of(v)}

    bugs = [
        ("BiasNotRandom", "The bias has no noise.", other(**{noise: lambda v: 0.0 * v[noise]})),
        ("BiasMeanMissing", "The bias is its noise alone.", other(bias_mu=lambda v: 0.0 * v["bias_mu"])),
        ("BiasSigmaSquared", "The variance of the bias is used as its standard deviation.", term(squared)),
        ("BiasExpForSoftplus", "The scale of the bias is exp(bias_rho).", term(
            lambda v: v["bias_mu"] + np.exp(v["bias_rho"]) * v[noise]
        )),
        ("BiasNoiseReused", "The bias takes its noise from that of the weights.", other(**{noise: reused})),
    ]  # fmt: skip
    if estimator != "shared":
        sentence = "Every example has the noise of the first in its bias."
        bugs.append(("BiasNoiseShared", sentence, other(bias_zeta=lambda v: v["bias_zeta"][:1] + 0.0 * v["bias_zeta"])))
    if estimator == "flipout":
        sentence = "The output signs flip the bias, its mean too."
        bugs.append(("BiasFlipped", sentence, term(lambda v: v["sign_out"] * _bias(v))))
    return bugs


def random_bias(estimator: str) -> Family:
    """The bias has the law, the prior and the estimator of the weights; under flipout its noise is by example."""

    def output(v: Values) -> Any:
        return weights.output("dense", estimator, v) + _bias(v)

    def with_prior(**replaced: Callable[[Values], Any]) -> dict[str, Any]:
        return {"kl": lambda v: weights.kl(v) + _kl_of_bias(v | {name: f(v) for name, f in replaced.items()})}

    def of_sigma(k: Values) -> Any:
        return k["grad_bias_rho"] / np.exp(k["bias_rho"] - sigma_of(k["bias_rho"]))

    right = LayerDefinition(output, ("mu", "rho", "bias_mu", "bias_rho"), _kl)
    bugs = changed(
        right,
        *_law_bugs(estimator, output),
        ("BiasGradientIsMean", "The gradient of the bias is averaged over the batch.", grad(
            "grad_bias_mu", lambda k: k["grad_bias_mu"] / max(1, len(k["x"]))
        )),
        ("BiasScaleNotLearned", "No gradient reaches the scale of the bias.", grad(
            "grad_bias_rho", lambda k: 0.0 * k["bias_rho"]
        )),
        ("BiasSoftplusNotDifferentiated", "The gradient of bias_rho is that of its sigma.", grad(
            "grad_bias_rho", of_sigma
        )),
        ("BiasNotInKL", "The KL is that of the weights alone.", {"kl": lambda v: weights.kl(v) + 0.0 * _kl_of_bias(v)}),
        ("BiasKLPerExample", "The KL of the bias is counted once for each example.", {
            "kl": lambda v: weights.kl(v) + len(v["x"]) * _kl_of_bias(v)
        }),
        ("BiasPriorStandard", "The prior of the bias is standard normal, whatever that of the weights.", with_prior(
            prior_mean=lambda v: np.array(0.0), prior_scale=lambda v: np.array(1.0)
        )),
        ("BiasPriorMeanIgnored", "The mean of the prior is not that of the bias.", with_prior(
            prior_mean=lambda v: np.array(0.0)
        )),
        ("KLOfMeans", "The KL adds the mean over the weights and the mean over the biases.", {
            "kl": lambda v: weights.kl(v) / v["mu"].size + _kl_of_bias(v) / v["bias_mu"].size
        }),
    )  # fmt: skip
    own = "bias_eps (o,), one draw for the batch" if estimator == "shared" else "bias_zeta like y: a draw an example"
    name = "bias_eps" if estimator == "shared" else "bias_zeta"
    given = weights.conventions("dense", estimator)
    conventions = given | {
        "y": f"{given['y']}; to this is added the bias",
        "bias": f"bias_mu + log(1 + exp(bias_rho)) * {name}, {own}; it is added to rows of zeros too",
        "kl": f"{given['kl']}; the sum is over the biases too, under the same prior",
    }
    group = Group(f"random_bias.{estimator}", conventions, right, _cases(estimator), bugs)
    return Family(f"random_bias_{estimator}", weights.SOURCES[estimator], (group,))
