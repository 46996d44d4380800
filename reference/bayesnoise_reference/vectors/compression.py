"""Bayesian compression: dense layers whose weights come in groups, one an input, each times a random factor."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import bayesian_compression as oracle
from bayesnoise_reference import dense
from bayesnoise_reference._typing import Array
from bayesnoise_reference.families.compression import PAIRS, laws
from bayesnoise_reference.scales import log_sigma_of, sigma_of
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed, gaussian_kl, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

INPUTS, OUTPUTS, FACTOR_SCALE = 2, 3, 0.5
_COMMON = {
    "y": "(x z) mean + sqrt((x z)^2 scale^2) * zeta, z (n, i) one factor an example and input, scale = "
    "log(1 + exp(rho)), zeta like y",
    "gradients": GRADIENTS,
    "bias": "none",
}
_WEIGHTS = "the sum over weights of KL(N(mean, scale^2) || N(0, 1)), plus"


def _cases(seed: int, parameters: Values, noise: tuple[str, ...]) -> tuple[Case, ...]:
    """The same parameters in every case."""
    rng = np.random.default_rng(seed)
    sizes = {"x": INPUTS, "grad_y": OUTPUTS, "eps": INPUTS, "shared_eps": 1, "zeta": OUTPUTS}

    def make(n: int) -> Values:
        return {name: dyadic(rng, n, sizes[name]) for name in ("x", "grad_y", *noise)} | parameters

    dead = make(2)
    dead["x"][0] = 0.0
    return (
        Case("two examples", ("Ordinary",), make(2)),
        Case("one example", ("BatchOfOne",), make(1)),
        Case("no example", ("EmptyBatch",), make(0)),
        Case("the first example is zero", ("ZeroRow",), dead),
    )


def _output(v: Values, z: Any) -> Any:
    if not len(v["x"]):
        return np.zeros((0, OUTPUTS))
    return oracle.of_inputs(v["x"], z(v), v["mean"], sigma_of(v["rho"]), v["zeta"], dense.output)


def _in_mean_alone(v: Values, z: Any) -> Any:
    """The noise is that of weights without factors."""
    if not len(v["x"]):
        return _output(v, z)
    return _output(v, lambda v: np.ones(v["x"].shape)) + (v["x"] * (z(v) - 1.0)) @ v["mean"]


def _weights_kl(v: Values) -> Any:
    scale, log_scale = sigma_of(v["rho"]), log_sigma_of(v["rho"])
    return gaussian_kl(v["mean"], scale, log_scale, np.array(0.0), np.array(1.0))


def _group(
    kind: str,
    conventions: dict[str, str],
    parameters: Values,
    z: Any,
    factors_kl: Any,
    noise: tuple[str, ...],
    own: Any,
) -> Group:
    def kl(v: Values) -> Any:
        return _weights_kl(v) + factors_kl(v)

    right = LayerDefinition(lambda v: _output(v, z), tuple(parameters), kl)
    bugs = changed(
        right,
        ("FactorsShared", "All examples have the factors of the first.", {
            "output": lambda v: _output(v, lambda v: z(v)[:1] + 0.0 * z(v))
        }),
        ("FactorNotInNoise", "The factor does not multiply the noise of its weights.", {
            "output": lambda v: _in_mean_alone(v, z)
        }),
        ("NoiseNotInBackward", "The gradient of the input is that of the mean weights.",
            grad("grad_x", lambda k: k["grad_y"] @ k["mean"].T)),
        ("KLOfFactorsPerWeight", "The KL of a factor counts once for each of its weights.", {
            "kl": lambda v: _weights_kl(v) + OUTPUTS * factors_kl(v)
        }),
        *own,
    )  # fmt: skip
    return Group(f"compression.{kind}", {**_COMMON, **conventions}, right, _cases(9, parameters, noise), bugs)


def _jeffreys(parameters: Values) -> Group:
    parameters = parameters | {"theta": np.array([0.75, -1.25]), "log_sigma2": np.array([-2.0, -0.5])}

    def z(v: Values) -> Array:
        return oracle.gaussian_factor(v["theta"], v["log_sigma2"], v["eps"])

    def multiplied(v: Values) -> Array:
        return np.asarray(v["theta"] * (1.0 + np.exp(0.5 * v["log_sigma2"]) * v["eps"]))

    own = (
        ("LogSigma2AsLogSigma", "sigma is taken to be exp(log_sigma2).", {
            "output": lambda v: _output(v | {"log_sigma2": 2.0 * v["log_sigma2"]}, z)
        }),
        ("MultiplicativeNoise", "The noise of the factor is multiplied by theta.", {
            "output": lambda v: _output(v, multiplied)
        }),
    )  # fmt: skip
    conventions = {
        "z": "theta + exp(log_sigma2 / 2) eps, eps (n, i)",
        "kl": f"{_WEIGHTS} that of each factor to the prior 1 / |z|, exact, with the constant that makes it 0 at alpha "
        "= infinity, alpha = exp(log_sigma2) / theta^2: twice the integral of Dawson's function from 0 to "
        "sqrt(1 / (2 alpha))",
    }

    def kl(v: Values) -> Any:
        return oracle.gaussian_factor_kl(v["theta"], v["log_sigma2"])

    return _group("normal_jeffreys", conventions, parameters, z, kl, ("eps", "zeta"), own)


def _half_cauchy(parameters: Values) -> Group:
    rng = np.random.default_rng(41)
    names = [f"{pair}_{name}" for pair in PAIRS for name in ("mu", "log_sigma")]
    sizes = {name: 1 if name.startswith("shared") else INPUTS for name in names}
    parameters = parameters | {name: dyadic(rng, size, spread=0.5) - 0.25 for name, size in sizes.items()}

    def z(v: Values) -> Array:
        return oracle.horseshoe_factor(*laws(v), v["shared_eps"], v["eps"])

    def kl(v: Values) -> Any:
        return np.sum(oracle.horseshoe_factor_kl(*laws(v), FACTOR_SCALE))

    def kl_at(factor_scale: float) -> Any:
        return lambda v: _weights_kl(v) + np.sum(oracle.horseshoe_factor_kl(*laws(v), factor_scale))

    own = (
        ("RootMissing", "The factor lacks its square root.", {"output": lambda v: _output(v, lambda v: z(v) ** 2)}),
        ("SharedFactorMissing", "The factor that all units share has no noise.", {
            "output": lambda v: _output(v | {"shared_eps": 0.0 * v["shared_eps"]}, z)
        }),
        ("ScaleNotSquared", "factor_scale is used where its square belongs.", {"kl": kl_at(FACTOR_SCALE**0.5)}),
    )  # fmt: skip
    conventions = {
        "z": "sqrt(s_a s_b a_i b_i): log(s_a s_b) = shared_gamma_mu + shared_inverse_mu + sqrt(exp(2 "
        "shared_gamma_log_sigma) + exp(2 shared_inverse_log_sigma)) shared_eps, shared_eps (n, 1), and log(a b) the "
        "same of gamma_*, inverse_* and eps (n, i)",
        "kl": f"{_WEIGHTS} those of the log-normal s_a to Gamma(1/2, scale {FACTOR_SCALE}^2), of s_b to "
        "InverseGamma(1/2, 1), of each a_i to Gamma(1/2, 1) and of each b_i to InverseGamma(1/2, 1)",
    }
    return _group("half_cauchy", conventions, parameters, z, kl, ("eps", "shared_eps", "zeta"), own)


def groups() -> Family:
    """Both priors."""
    rng = np.random.default_rng(40)
    parameters = {name: dyadic(rng, INPUTS, OUTPUTS, spread=0.75) for name in ("mean", "rho")}
    source = "Louizos, Ullrich, Welling 2017, arXiv 1705.08665"
    return Family("bayesian_compression", source, (_jeffreys(parameters), _half_cauchy(parameters)))
