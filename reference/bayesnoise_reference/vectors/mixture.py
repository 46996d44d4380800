"""A dense layer under one draw of its weights, and its divergence to a scale mixture estimated at that same draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bayesnoise_reference import divergences
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from bayesnoise_reference.scales import log_sigma_of, sigma_of
from bayesnoise_reference.vectors import weights
from bayesnoise_reference.vectors.layers import LayerDefinition, changed, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

_SHAPE = (3, 2)
_PRIOR = ("pi", "scale1", "scale2")


def _prior(v: Values) -> tuple[float, ...]:
    return tuple(float(v[name]) for name in _PRIOR)


def _log_q(v: Values) -> Any:
    """Of the weights under their own law: there `(w - mu) / sigma` is eps, even where sigma underflows."""
    return -log_sigma_of(v["rho"]) - 0.5 * v["eps"] ** 2 - 0.5 * np.log(2.0 * np.pi)


def _drawn(v: Values) -> Any:
    return v["mu"] + sigma_of(v["rho"]) * v["eps"]


def _log_p(v: Values) -> Any:
    return divergences.log_mixture_density(_drawn(v), *_prior(v))


def _kl(v: Values) -> Any:
    return np.sum(_log_q(v) - _log_p(v))


def _path(inputs: Values, outputs: Values) -> Values:
    """The parameters of q held fixed: the gradient through the weights alone."""
    mean, scale = inputs["mu"], sigma_of(inputs["rho"])

    def through(name: str) -> Array:
        def estimate(value: Any) -> Any:
            moved = inputs | {name: value}
            here = moved["mu"], sigma_of(moved["rho"])
            return divergences.scale_mixture_draw(*here, mean, scale, inputs["eps"], *_prior(inputs))

        return complex_step(estimate, inputs[name])

    return outputs | {f"kl_grad_{name}": through(name) for name in ("mu", "rho")}


def _cases(extreme: bool) -> tuple[Case, ...]:
    rng, (i, o) = np.random.default_rng(19), _SHAPE

    def make(n: int, **others: Any) -> Values:
        values = {
            "x": dyadic(rng, n, i),
            "grad_y": dyadic(rng, n, o),
            "mu": dyadic(rng, i, o),
            "rho": dyadic(rng, i, o, spread=0.75) - 0.5,
            "eps": dyadic(rng, i, o),
            "pi": 0.25,
            "scale1": 1.5,
            "scale2": 0.125,
        }
        return {name: np.asarray(value, dtype=np.float64) for name, value in (values | others).items()}

    near = make(2, scale2=0.5)
    near |= {"mu": near["mu"] / 4.0, "rho": near["rho"] - 1.5}
    far = make(2)
    far["mu"] = np.array([[6.0, -8.0], [12.0, 1.0], [-10.0, 7.0]])
    small = make(2)
    small["rho"] = np.array([[-1000.0, -100.0], [-20.0, 0.0], [1.0, -1.0]])
    cases = (
        Case("two examples", ("Ordinary",), make(2)),
        Case("weights where both components count", ("Ordinary",), near),
        Case("one example", ("BatchOfOne",), make(1)),
        Case("no example", ("EmptyBatch",), make(0)),
        Case("no noise", ("NoNoise",), make(2, eps=np.zeros(_SHAPE))),
        Case("weights at which the density of the narrow component underflows", ("NarrowUnderflows",), far),
    )
    if not extreme:
        return cases
    return (*cases, Case("standard deviations that underflow; their logarithm does not", ("ExtremeScale",), small))


def _estimates() -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """Mistakes in the estimate; their gradients follow."""

    def of(**replaced: Callable[[Values], Any]) -> dict[str, Any]:
        return {"kl": lambda v: _kl(v | {name: f(v) for name, f in replaced.items()})}

    def normal(v: Values, scale: str) -> Any:
        return divergences.log_normal_density(_drawn(v), 0.0, v[scale])

    def mean_of_logs(v: Values) -> Any:
        return np.sum(_log_q(v) - v["pi"] * normal(v, "scale1") - (1.0 - v["pi"]) * normal(v, "scale2"))

    def unnormalised(v: Values) -> Any:
        components = ((v["pi"], v["scale1"]), (1.0 - v["pi"], v["scale2"]))
        return np.log(sum(share * np.exp(-0.5 * (_drawn(v) / scale) ** 2) for share, scale in components))

    def naive(v: Values) -> Any:
        odds = np.log(v["pi"] / (1.0 - v["pi"])) + normal(v, "scale1") - normal(v, "scale2")
        return np.sum(_log_q(v) - np.log(1.0 - v["pi"]) - normal(v, "scale2") - np.log(1.0 + np.exp(odds)))

    return (
        ("SharesSwapped", "pi is the share of the narrow component.", of(pi=lambda v: 1.0 - v["pi"])),
        ("MeanOfLogs", "The logarithms of the two components are averaged, not their densities.", {
            "kl": mean_of_logs
        }),
        ("WideOnly", "The narrow component is left out.", {
            "kl": lambda v: np.sum(_log_q(v) - np.log(v["pi"]) - normal(v, "scale1"))
        }),
        ("ScalesAsVariances", "The scales of the mixture are used as variances.", of(
            scale1=lambda v: np.sqrt(v["scale1"]), scale2=lambda v: np.sqrt(v["scale2"])
        )),
        ("ComponentsUnnormalised", "The densities of the components lack their 1 / scale.", {
            "kl": lambda v: np.sum(_log_q(v) + 0.5 * np.log(2.0 * np.pi) - unnormalised(v))
        }),
        ("PosteriorMissing", "log q is missing from the estimate.", {"kl": lambda v: -np.sum(_log_p(v))}),
        ("EntropyExact", "log q is replaced by its mean: the estimate is another, and unbiased too.", {
            "kl": lambda v: np.sum(-log_sigma_of(v["rho"]) - 0.5 - 0.5 * np.log(2.0 * np.pi) - _log_p(v))
        }),
        ("PriorMissing", "log p is missing from the estimate.", {"kl": lambda v: np.sum(_log_q(v)) + 0.0 * _kl(v)}),
        ("KLMean", "The KL is a mean over the weights, not a sum.", {"kl": lambda v: _kl(v) / v["mu"].size}),
        ("KLSign", "The KL has the wrong sign.", {"kl": lambda v: -_kl(v)}),
        ("KLPerExample", "The KL is counted once for each example.", {"kl": lambda v: len(v["x"]) * _kl(v)}),
        ("KLAtMean", "The densities are taken at the mean, without a draw.", of(eps=lambda v: 0.0 * v["eps"])),
        ("KLAtOtherDraw", "The KL has a draw of its own, not that of the output.", of(
            eps=lambda v: -v["eps"][::-1]
        )),
        ("OneNumberInKL", "All weights share one number in the KL.", of(eps=lambda v: v["eps"][0, 0] + 0.0 * v["eps"])),
        ("NaiveMixture", "The odds of the wide component overflow where the narrow one underflows.", {"kl": naive}),
    )  # fmt: skip


def scale_mixture() -> Family:
    """The two gradients of one estimate."""
    total = LayerDefinition(lambda v: weights.output("dense", "shared", v), ("mu", "rho"), _kl)
    path = replace(total, amend=_path)
    by_path = {"amend": _path}

    def draw_held(k: Values) -> Any:
        return complex_step(lambda rho: np.sum(-log_sigma_of(rho)), k["rho"])

    of_total = changed(
        total,
        *_estimates(),
        ("PathGradient", "The gradient lacks what goes through the parameters of q (the other group).", by_path),
        ("DrawHeldFixed", "The gradient lacks what goes through the weights.", grad("kl_grad_rho", draw_held)),
        ("DrawNotInMean", "No gradient of the KL reaches the means.", grad("kl_grad_mu", lambda k: 0.0 * k["mu"])),
    )
    of_path = changed(
        path,
        ("TotalGradient", "The gradient goes through the parameters of q too (the other group).", {
            "amend": lambda inputs, outputs: outputs
        }),
        ("PriorAlone", "The gradient is that of log p alone.", grad(
            "kl_grad_mu", lambda k: complex_step(lambda mu: -np.sum(_log_p(k | {"mu": mu})), k["mu"])
        )),
    )  # fmt: skip
    gradients = "grad_* are those of sum(grad_y * y) with the noise held fixed; kl_grad_* are those of kl, "
    common = {
        "y": "x w with w = mu + sigma eps, one draw for the whole batch",
        "sigma": "log(1 + exp(rho)), elementwise",
        "kl": "estimated at the same w: sum over weights of log q(w) - log p(w), with every constant, q = N(mu, "
        "sigma^2), p(w) = pi N(w; 0, scale1^2) + (1 - pi) N(w; 0, scale2^2), scales being standard deviations; it may "
        "be below zero; log(sigma) tends to rho where sigma underflows",
        "bias": "none",
    }
    groups = (
        Group(
            "scale_mixture.total",
            common | {"gradients": f"{gradients}through w and through the parameters of q"},
            total,
            _cases(True),
            of_total,
        ),
        Group(
            "scale_mixture.path",
            common | {"gradients": f"{gradients}through w alone, the mu and sigma in log q(w) held fixed"},
            path,
            _cases(False),
            of_path,
        ),
    )
    source = "Blundell et al. 2015, arXiv 1505.05424, section 3.3; path: Roeder, Wu, Duvenaud 2017, arXiv 1703.09194"
    return Family("scale_mixture", source, groups)
