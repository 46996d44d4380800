"""Functions of arrays: divergences of Gaussian weights, special functions, activations, and losses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from bayesnoise_reference import activations, divergences, losses
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from bayesnoise_reference.scales import log_sigma_of, sigma_of
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic

_KL_OF_ALPHA = "alpha = exp(2 log_sigma) / mu^2, the sum over weights"
_KL_BUGS: tuple[tuple[str, str, Callable[[Any, int], Any]], ...] = (
    ("KLMean", "The KL is a mean over the weights, not a sum.", lambda value, n: value / n),
    ("KLSign", "The sign is reversed.", lambda value, n: -value),
)


def _divergence(name: str, formula: str, value: Callable[[Values, Any, Any], Any], **prior: float) -> Group:
    """`value` takes the inputs, the means and the standard deviations."""

    def definition(v: Values, change: Callable[[Any, int], Any] = lambda value, n: value) -> Values:
        def kl(mu: Any, log_sigma: Any) -> Any:
            return change(value(v, mu, np.exp(log_sigma)), v["mu"].size)

        return {
            "kl": np.asarray(kl(v["mu"], v["log_sigma"])),
            "grad_mu": complex_step(lambda mu: kl(mu, v["log_sigma"]), v["mu"]),
            "grad_log_sigma": complex_step(lambda log_sigma: kl(v["mu"], log_sigma), v["log_sigma"]),
        }

    rng = np.random.default_rng(21)
    cases = []
    for comment, shape in (("four weights", (2, 2)), ("six weights", (6,)), ("one weight", (1,))):
        given = {"mu": dyadic(rng, *shape) + 1.0 / 128.0, "log_sigma": dyadic(rng, *shape, spread=0.5) - 0.5}
        if name in ("molchanov", "kingma"):
            given["log_sigma"] -= 1.5  # alpha below 1, where the second is meant to be used
            given["mu"] = np.sign(given["mu"]) * (np.abs(given["mu"]) + 0.5)
        if name == "scale_mixture":
            given["eps"] = dyadic(rng, *shape)
        cases.append(Case(comment, ("Ordinary",), given | {k: np.array(p) for k, p in prior.items()}))
    bugs = tuple(Bug(flag, text, partial(definition, change=change)) for flag, text, change in _KL_BUGS)
    conventions = {
        "posterior": "independent Gaussian weights, mean mu, standard deviation exp(log_sigma)",
        "kl": formula,
        "gradients": "grad_mu and grad_log_sigma are those of kl",
    }
    return Group(f"divergence.{name}", conventions, definition, tuple(cases), bugs)


def divergence_family() -> Family:
    """Each closed form, two published fits, and one Monte Carlo estimate with its noise."""

    def gaussian(v: Values, mean: Any, scale: Any) -> Any:
        prior = (v["prior_mean"] + 0 * v["mu"], v["prior_scale"] + 0 * v["mu"])
        return divergences.gaussian(mean, scale, *prior)

    def mixture(v: Values, mean: Any, scale: Any) -> Any:
        prior = (float(v[k]) for k in ("pi", "scale1", "scale2"))
        return divergences.scale_mixture_draw(mean, scale, mean, scale, v["eps"], *prior)

    groups = (
        _divergence("gaussian", "sum KL to N(prior_mean, prior_scale^2)", gaussian, prior_mean=0.25, prior_scale=1.5),
        _divergence(
            "laplace",
            "sum KL to the density exp(-|w| / b) / (2 b), b = prior_scale",
            lambda v, m, s: divergences.laplace(m, s, float(v["prior_scale"])),
            prior_scale=0.75,
        ),
        _divergence(
            "log_uniform",
            f"2 * integral of Dawson's function from 0 to sqrt(1 / (2 alpha)), {_KL_OF_ALPHA}",
            lambda v, m, s: divergences.log_uniform(m, s),
        ),
        _divergence("ard", f"log(1 + 1 / alpha) / 2, {_KL_OF_ALPHA}", lambda v, m, s: divergences.ard(m, s)),
        _divergence(
            "molchanov",
            "k1 - k1 sigmoid(k2 + k3 log alpha) + log(1 + 1 / alpha) / 2, k = (0.63576, 1.87320, 1.48695), "
            + _KL_OF_ALPHA,
            lambda v, m, s: divergences.molchanov(m, s),
        ),
        _divergence(
            "scale_mixture",
            "one draw: sum log q(w) - log p(w) at w = mu + sigma eps, p = pi N(0, scale1^2) + (1 - pi) N(0, scale2^2); "
            "the gradients are total, through w as well as through the parameters of q",
            mixture,
            pi=0.25,
            scale1=1.5,
            scale2=0.125,
        ),
    )
    return Family("divergences", "each group names its formula", groups)


def _elementwise(name: str, formula: str, f: Callable[[Any], Any], cases: tuple[Case, ...], exact: bool) -> Group:
    def definition(v: Values) -> Values:
        slope = [complex_step(f, x) for x in v["x"].ravel()]
        return {"value": np.real(f(v["x"])), "slope": np.reshape(np.array(slope), v["x"].shape)}

    conventions = {"value": formula, "slope": "its derivative, elementwise"}
    return Group(name, conventions, definition, cases, elementwise=exact)


def special_family() -> Family:
    """The functions that the formulas of the field need, each element held to its own size."""
    near = Case("near zero", ("Ordinary",), {"x": np.array([-3.0, -1.5, -0.25, -0.015625, 0.5, 1.0, 2.25, 4.0])})
    far = Case("far out", ("LargeInput",), {"x": np.array([-80.0, -30.0, -12.0, 12.0, 30.0, 80.0, 800.0])})
    tiny = {"float64": np.array([-740.0, -735.0]), "float32": np.array([-100.0, -90.0])}
    under = tuple(Case("the value is subnormal", ("Subnormal",), {"x": x}, (t,)) for t, x in tiny.items())
    under = under[1:]  # the reference rounds the other to 0
    some = Case("on both sides", ("Ordinary",), {"x": np.array([-4.0, -1.0, -0.125, 0.03125, 0.75, 2.0, 5.5])})
    alphas = Case("log alpha", ("Ordinary",), {"x": np.array([-10.0, -6.0, -3.5, -2.25, -1.0, 0.0, 0.5, 1.0, 2.5])})
    each = activations.each

    def log_uniform(log_alpha: Any) -> Any:
        one = [divergences.log_uniform(np.ones(1), np.sqrt(np.exp(np.reshape(a, 1)))) for a in np.ravel(log_alpha)]
        return np.reshape(np.array(one), np.shape(log_alpha))

    groups = (
        _elementwise("special.softplus", "log(1 + exp(x))", sigma_of, (near, far, *under), True),
        _elementwise("special.log_softplus", "log(log(1 + exp(x)))", log_sigma_of, (near, far), True),
        _elementwise("special.sigmoid", "1 / (1 + exp(-x))", partial(each, activations.sigmoid), (near, far), True),
        _elementwise("special.erf", "2 / sqrt(pi) * integral of exp(-t^2) from 0 to x", special.erf, (some,), True),
        _elementwise("special.dawson", "exp(-x^2) * integral of exp(t^2) from 0 to x", special.dawsn, (some,), True),
        _elementwise(
            "special.log_uniform_kl",
            "2 * integral of Dawson's function from 0 to sqrt(1 / (2 alpha)), x = log alpha",
            log_uniform,
            (alphas,),
            True,
        ),
    )
    return Family("special_functions", "each group names its formula", groups)


def activation_family() -> Family:
    """Values and slopes."""
    points = np.array([-6.0, -2.5, -1.0, -0.25, 0.125, 0.75, 1.5, 3.0, 7.0])
    near = Case("both sides of zero", ("Ordinary",), {"x": points})
    far = Case("far out", ("LargeInput",), {"x": np.array([-1000.0, -200.0, 200.0, 1000.0])})
    phi = "x * (1 + erf(x / sqrt(2))) / 2"
    table: tuple[tuple[str, str, Callable[[complex], complex]], ...] = (
        ("relu", "max(x, 0)", activations.relu),
        ("leaky_relu", "x above 0, else 0.01 x", lambda x: activations.leaky_relu(x, 0.01)),
        ("elu", "x above 0, else exp(x) - 1", lambda x: activations.elu(x, 1.0)),
        ("gelu", phi, activations.gelu),
        ("silu", "x / (1 + exp(-x))", activations.silu),
        ("tanh", "tanh(x)", activations.tanh),
        ("sigmoid", "1 / (1 + exp(-x))", activations.sigmoid),
        ("softplus", "log(1 + exp(x))", activations.softplus),
    )
    groups = [
        _elementwise(f"activation.{name}", formula, partial(activations.each, f), (near, far), False)
        for name, formula, f in table
    ]
    return Family("activations", "each group names its formula", tuple(groups))


def _loss(name: str, formula: str, one: Callable[[Array, Any], Any], features: int, targets: Any) -> Group:
    """`one` is the loss of one example; `targets` draws those of n."""

    def definition(v: Values) -> Values:
        values = [one(f, t) for f, t in zip(v["f"], v["target"], strict=True)]
        slopes = [complex_step(partial(one_of, t), f) for f, t in zip(v["f"], v["target"], strict=True)]
        shape = v["f"].shape
        return {"nll": np.real(np.array(values)).reshape(shape[0]), "grad_f": np.array(slopes).reshape(shape)}

    def one_of(target: Any, f: Array) -> Any:
        return one(f, target)

    rng = np.random.default_rng(31)
    sizes = (("three examples", "Ordinary", 3), ("one example", "BatchOfOne", 1), ("no example", "EmptyBatch", 0))
    cases = [Case(text, (flag,), {"f": dyadic(rng, n, features), "target": targets(rng, n)}) for text, flag, n in sizes]
    return Group(f"loss.{name}", {"nll": formula, "grad_f": "of the sum of nll"}, definition, tuple(cases))


def loss_family() -> Family:
    """Negative log-likelihoods, one number an example, every constant included."""

    def counts(rng: Any, n: int) -> Array:
        return np.asarray(rng.poisson(3.0, (n, 2)), dtype=np.float64)

    groups = (
        _loss(
            "gaussian",
            "sum over columns of (f - target)^2 / (2 s^2) + log s + log(2 pi) / 2, s = 1/4",
            lambda f, t: losses.gaussian(f, t, 0.25),
            2,
            lambda rng, n: dyadic(rng, n, 2),
        ),
        _loss(
            "categorical",
            "log sum exp f - f[target], target is the number of a column",
            lambda f, t: losses.categorical(f, int(t)),
            3,
            lambda rng, n: rng.integers(0, 3, n).astype(np.float64),
        ),
        _loss(
            "bernoulli",
            "sum over columns of log(1 + exp f) - target f",
            losses.bernoulli,
            2,
            lambda rng, n: rng.integers(0, 2, (n, 2)).astype(np.float64),
        ),
        _loss("poisson", "sum over columns of exp f - target f + log target!", losses.poisson, 2, counts),
    )
    return Family("losses", "each group names its formula", groups)
