"""The golden vectors as the library computes them, on any namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from bayesnoise_reference.vectors.decimals import decode
from namespaces import Namespace, to_numpy
from vector_compression import compression
from vector_ensembles import ENSEMBLES, ensembles
from vector_factors import factors
from vector_flow import flow
from vector_given import Given
from vector_masks import KINDS as MASKS
from vector_masks import masks
from vector_optimizers import OPTIMIZERS, optimizers
from vector_posterior import posterior
from vector_regression import regression
from vector_sequences import SEQUENCES, sequences

from bayesnoise import activations, divergences, losses, maps, noise, posteriors, special, tree
from bayesnoise.affine import AffineNoise, AffineParams
from bayesnoise.estimators import Flipout, Local, LocalNoise, Shared, SharedNoise
from bayesnoise.layer import Empty
from bayesnoise.methods.compose import compose
from bayesnoise.noise import Gaussian, LearnedGaussian, Multiply
from bayesnoise.stochastic import Stochastic, StochasticNoise

ESTIMATORS: dict[str, Any] = {"shared": Shared(), "flipout": Flipout(), "local": Local()}
NOISE = {"shared": ("eps",), "flipout": ("eps", "sign_in", "sign_out"), "local": ("zeta",)}


def _layer(layer: Any, params: Any, noise: Any, v: dict[str, Any], names: tuple[str, ...], kl: bool) -> dict[str, Any]:
    """Everything that a vector of a layer asks for; `names` are those of the leaves of the parameters."""
    y, residuals = layer.forward(params, noise, v["x"])
    grad_x, grad = layer.backward(residuals, v["grad_y"])
    found = {"y": y, "grad_x": grad_x}
    found |= {f"grad_{name}": leaf for name, leaf in zip(names, tree.leaves(grad), strict=True)}
    if kl:
        found["kl"] = layer.kl(params)
        slopes = tree.leaves(layer.kl_grad(params))
        found |= {f"kl_grad_{name}": leaf for name, leaf in zip(names, slopes, strict=True)}
    return found


def _integers(v: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in to_numpy(v))


def _weights(kind: str, estimator: str, v: dict[str, Any]) -> dict[str, Any]:
    """Gaussian weights."""
    shape = tuple(v["mu"].shape)
    if kind == "dense":
        m: Any = maps.Dense(*shape)
    else:
        geometry: Any = {k: _integers(v[k]) for k in ("stride", "padding", "dilation", "output_padding") if k in v}
        first, second, *kernel = shape
        if kind == "conv":
            m = maps.Conv(second, first, tuple(kernel), **geometry)
        else:
            m = maps.ConvTranspose(first, second, tuple(kernel), **geometry)
    kl = divergences.GaussianKL(float(v["prior_scale"]), float(v["prior_mean"]))
    layer = Stochastic(m, posteriors.Gaussian(), ESTIMATORS[estimator], kl)
    given = ESTIMATORS[estimator].draw(
        Given(*(v[name] for name in NOISE[estimator])), m, tuple(v["x"].shape), like=v["x"]
    )
    params = posteriors.GaussianParams(v["mu"], v["rho"])
    return _layer(layer, params, StochasticNoise(given, None), v, ("mu", "rho"), True)


def _random_bias(estimator: str, v: dict[str, Any]) -> dict[str, Any]:
    """Gaussian weights and a Gaussian bias."""
    kl = divergences.GaussianKL(float(v["prior_scale"]), float(v["prior_mean"]))
    layer: Any = compose(maps.Dense(*v["mu"].shape), posteriors.Gaussian(), ESTIMATORS[estimator], kl, "random")
    of_weights = ESTIMATORS[estimator].draw(
        Given(*(v[name] for name in NOISE[estimator])), layer.weight.map, tuple(v["x"].shape), like=v["x"]
    )
    of_bias: Any = SharedNoise(v["bias_eps"]) if estimator == "shared" else LocalNoise(v["bias_zeta"])
    law = posteriors.GaussianParams
    params = AffineParams(law(v["mu"], v["rho"]), law(v["bias_mu"], v["bias_rho"]))
    noise = AffineNoise(StochasticNoise(of_weights, None), StochasticNoise(of_bias, None))
    return _layer(layer, params, noise, v, ("mu", "rho", "bias_mu", "bias_rho"), True)


def _scale_mixture(gradient: Any, v: dict[str, Any]) -> dict[str, Any]:
    """Shared weights, and a divergence at their draw."""
    prior = divergences.ScaleMixture(float(v["pi"]), float(v["scale1"]), float(v["scale2"]), gradient)
    layer = Stochastic(maps.Dense(*v["mu"].shape), posteriors.Gaussian(), Shared(), prior)
    params = posteriors.GaussianParams(v["mu"], v["rho"])
    drawn = layer.draw(Given(v["eps"], v["eps"]), params, tuple(v["x"].shape), like=v["x"])
    found = _layer(layer, params, drawn, v, ("mu", "rho"), False)
    slopes = layer.kl_grad(params, drawn)
    return found | {"kl": layer.kl(params, drawn), "kl_grad_mu": slopes.mu, "kl_grad_rho": slopes.rho}


def _alpha(v: dict[str, Any], posterior: Any, names: tuple[str, str]) -> dict[str, Any]:
    """Variational dropout on weights, in either parameterisation."""
    layer = Stochastic(maps.Dense(*v["theta"].shape), posterior, Local(), divergences.LogUniform())
    kind = posteriors.MultiplicativeParams if names[1] == "log_alpha" else posteriors.AdditiveParams
    noise = Local().draw(Given(v["zeta"]), layer.map, tuple(v["x"].shape), like=v["x"])
    return _layer(layer, kind(v["theta"], v[names[1]]), StochasticNoise(noise, None), v, names, True)


def _type_b(v: dict[str, Any]) -> dict[str, Any]:
    """A learned Gaussian on the inputs of a dense map."""
    units, _ = v["theta"].shape
    layer, params = LearnedGaussian(units), noise.LearnedGaussianParams(v["log_alpha"])
    h, residuals = layer.forward(params, noise.LearnedGaussianNoise(v["zeta"]), v["x"])
    m = maps.Dense(*v["theta"].shape)
    grad_x, grad = layer.backward(residuals, m.adjoint_x(v["grad_y"], v["theta"], h.shape))
    return {
        "y": m.apply(h, v["theta"]),
        "grad_x": grad_x,
        "grad_theta": m.adjoint_w(v["grad_y"], h, v["theta"].shape),
        "grad_log_alpha": grad.log_alpha,
        "kl": layer.kl(params),
        "kl_grad_theta": 0.0 * v["theta"],
        "kl_grad_log_alpha": layer.kl_grad(params).log_alpha,
    }


def _multiply(law: Any, multiplier: Any, v: dict[str, Any]) -> dict[str, Any]:
    return _layer(Multiply(law), Empty(), noise.MultiplyNoise(multiplier), v, (), False)


def _dropout(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    rate = float(v["rate"])
    if kind == "bernoulli":
        return _multiply(noise.Bernoulli(rate), v["kept"] / (1.0 - rate), v)
    law = Gaussian(rate / (1.0 - rate))
    return _multiply(law, 1.0 + law.alpha**0.5 * v["zeta"], v)


DIVERGENCES: dict[str, Callable[[dict[str, float]], Any]] = {
    "gaussian": lambda p: divergences.GaussianKL(p["prior_scale"], p["prior_mean"]),
    "laplace": lambda p: divergences.Laplace(p["prior_scale"]),
    "log_uniform": lambda p: divergences.LogUniform(),
    "ard": lambda p: divergences.ARD(),
    "molchanov": lambda p: divergences.Molchanov(),
    "scale_mixture": lambda p: divergences.ScaleMixture(p["pi"], p["scale1"], p["scale2"]),
}


def _divergence(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    divergence = DIVERGENCES[kind]({k: float(x) for k, x in v.items() if not x.shape})
    posterior, params = posteriors.LogSigmaGaussian(), posteriors.LogSigmaParams(v["mu"], v["log_sigma"])
    law, eps = posteriors.Law(posterior, params), v.get("eps")
    grad = posterior.pullback(params, divergence.grad(law, eps))
    return {"kl": divergence.value(law, eps), "grad_mu": grad.mu, "grad_log_sigma": grad.log_sigma}


def _activation(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    layer, empty = getattr(activations, kind)(), Empty()
    y, residuals = layer.forward(empty, empty, v["x"])
    return {"value": y, "slope": layer.backward(residuals, v["x"] * 0.0 + 1.0)[0]}


LOSSES: dict[str, Any] = {
    "gaussian": losses.Gaussian(0.25),
    "categorical": losses.Categorical(),
    "bernoulli": losses.Bernoulli(),
    "poisson": losses.Poisson(),
}


def _loss(kind: str, v: dict[str, Any], namespace: Namespace) -> dict[str, Any]:
    labels = np.asarray(to_numpy(v["target"]), dtype=np.int32)
    target = namespace.asarray(labels) if kind == "categorical" else v["target"]
    nll, residuals = LOSSES[kind].forward(Empty(), v["f"], target)
    return {"nll": nll, "grad_f": LOSSES[kind].backward(residuals, nll * 0.0 + 1.0)[0]}


def compute(type_: str, test: dict[str, Any], namespace: Namespace) -> dict[str, Any]:
    """The outputs of one test, flat, as a file of outputs holds them."""
    dtype = "float64" if namespace.double else "float32"
    v = {name: namespace.asarray(decode(field, dtype)) for name, field in test["inputs"].items()}
    kind, _, rest = type_.partition(".")
    if kind in ("dense", "conv", "conv_transpose"):
        found = _weights(kind, rest, v)
    elif kind == "scale_mixture":
        found = _scale_mixture(rest, v)
    elif kind == "random_bias":
        found = _random_bias(rest, v)
    elif kind == "dropout":
        found = _dropout(rest, v)
    elif type_ == "variational_dropout.b":
        found = _type_b(v)
    elif kind == "variational_dropout":
        found = _alpha(v, posteriors.Multiplicative(), ("theta", "log_alpha"))
    elif kind == "sparse_variational_dropout":
        found = _alpha(v, posteriors.Additive(), ("theta", "log_sigma2"))
    elif kind in SEQUENCES:
        found = sequences(kind, v, namespace)
    elif kind in MASKS:
        found = masks(kind, rest, v)
    elif kind == "factors":
        found = factors(rest, v)
    elif kind == "compression":
        found = compression(rest, v)
    elif kind == "flow":
        found = flow(v)
    elif kind == "posterior":
        found = posterior(rest, v)
    elif kind in ENSEMBLES:
        found = ensembles(kind, rest, v, namespace)
    elif kind == "linear_regression":
        found = regression(rest, v)
    elif kind in OPTIMIZERS:
        found = optimizers(kind, rest, v)
    elif kind == "divergence":
        found = _divergence(rest, v)
    elif kind == "activation":
        found = _activation(rest, v)
    elif kind == "loss":
        found = _loss(rest, v, namespace)
    else:
        found = {"value": getattr(special, rest)(v["x"]), "slope": SLOPES[rest](v["x"])}
    return {name: [words(x) for x in np.ravel(to_numpy(value))] for name, value in found.items()}


SLOPES: dict[str, Callable[[Any], Any]] = {
    "softplus": special.sigmoid,
    "log_softplus": special.dlog_softplus,
    "sigmoid": lambda x: special.sigmoid(x) * special.sigmoid(-x),
    "erf": lambda x: 2.0 / np.pi**0.5 * array_namespace(x).exp(-x * x),
    "dawson": lambda x: 1.0 - 2.0 * x * special.dawson(x),
    "log_uniform_kl": special.log_uniform_slope,
}


def words(x: Any) -> float | str:
    """An element as JSON holds it."""
    value = float(x)
    if np.isfinite(value):
        return value
    return "NaN" if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
