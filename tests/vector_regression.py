"""The golden vectors of linear regression as the library computes them, on any namespace."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace
from bayesnoise_reference._typing import Array
from namespaces import to_numpy
from vector_given import Given

from bayesnoise import divergences, linear_law, losses, maps, posteriors
from bayesnoise.estimators import Local
from bayesnoise.layer import Empty
from bayesnoise.linear_gaussian import LinearGaussian
from bayesnoise.stochastic import Stochastic, StochasticNoise


def regression(kind: str, v: dict[str, Any]) -> dict[str, Any]:
    """Everything that a vector asks for."""
    prior = to_numpy(v["prior_scale"])
    if kind == "bound":
        return _bound(v, prior)
    model, xp = LinearGaussian(float(v["noise_scale"]), prior), array_namespace(v["x"])
    exact, data = kind == "posterior", (v["x"], v["y"])
    law = model.posterior(*data) if exact else model.mean_field(*data)
    covariance, ahead = linear_law.covariance(law), model.predict(law, v["new"])
    found = {"mean": law.mean, "predictive_variance": ahead.variance, "kl": linear_law.kl(law)}
    if exact:
        found |= {"covariance": covariance, "draw": linear_law.sample(law, v["eps"]), "predictive_mean": ahead.mean}
        return found | {"log_evidence": model.log_evidence(*data)}
    return found | {"scale": xp.sqrt(xp.linalg.diagonal(covariance)), **model.mean_field_gap(*data)._asdict()}


def _bound(v: dict[str, Any], prior: Array) -> dict[str, Any]:
    """By a layer of local noise: under a Gaussian loss the mean over noise of +1 and of -1 is the expectation."""
    xp, (n, _) = array_namespace(v["x"]), v["x"].shape
    layer = Stochastic(
        maps.Dense(*v["q_mean"].shape), posteriors.LogSigmaGaussian(), Local(), divergences.GaussianKL(prior[:, None])
    )
    params = posteriors.LogSigmaParams(v["q_mean"], xp.log(v["q_scale"]))
    x, y = xp.concat([v["x"], v["x"]]), xp.concat([v["y"], v["y"]])
    one = v["y"] * 0.0 + 1.0
    noise = StochasticNoise(Local().draw(Given(xp.concat([one, -one])), layer.map, x.shape, like=x), None)
    out, residuals = layer.forward(params, noise, x)
    nll, of_loss = losses.Gaussian(float(v["noise_scale"])).forward(Empty(), out, y)
    half = xp.zeros((2 * n,), dtype=nll.dtype) + 0.5
    _, grads = layer.backward(residuals, losses.Gaussian(float(v["noise_scale"])).backward(of_loss, half)[0])
    kl, slopes = layer.kl(params), layer.kl_grad(params)
    return {
        "elbo": -0.5 * xp.sum(nll) - kl,
        "kl": kl,
        "elbo_grad_q_mean": -grads.mu - slopes.mu,
        "elbo_grad_q_scale": -(grads.log_sigma + slopes.log_sigma) / v["q_scale"],
    }
