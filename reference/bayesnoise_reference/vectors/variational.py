"""Variational dropout in its two types, and the sparse kind: noise with a learned scale, a log-uniform prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesnoise_reference import dense, divergences, sparse_variational_dropout, variational_dropout
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed, grad
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

_LOG_UNIFORM = (
    "KL to the prior 1 / |w|, exact, with the constant that makes it 0 at alpha = infinity: "
    "2 * integral of Dawson's function from 0 to sqrt(1 / (2 alpha)); the published fits miss it by up to 1e-2"
)


def _weights_cases(seed: int, raw: str, low: float, high: float, noise: str, shared: bool) -> tuple[Case, ...]:
    """Dense layers with `theta` and a raw scale; `shared` gives one of the latter an input."""
    rng = np.random.default_rng(seed)

    def make(n: int, i: int = 3, o: int = 2) -> Values:
        scale = np.round(64.0 * rng.uniform(low, high, (i,) if shared else (i, o))) / 64.0
        shape = (n, i) if noise == "input" else (n, o)
        return {
            "x": dyadic(rng, n, i),
            "grad_y": dyadic(rng, n, o),
            "theta": dyadic(rng, i, o) + 1.0 / 128.0,  # never 0
            raw: scale,
            "zeta": dyadic(rng, *shape),
        }

    dead, silent = make(2), make(2)
    dead["x"][0] = 0.0
    silent["zeta"] = np.zeros_like(silent["zeta"])
    return (
        Case("three examples", ("Ordinary",), make(3)),
        Case("two inputs, three outputs", ("Ordinary",), make(2, 2, 3)),
        Case("one example", ("BatchOfOne",), make(1)),
        Case("no example", ("EmptyBatch",), make(0)),
        Case("the first example is zero", ("ZeroRow",), dead),
        Case("no noise", ("NoNoise",), silent),
    )


def _no_output(v: Values) -> Array:
    return np.zeros((0, v["theta"].shape[1]))


def _of_alpha(log_alpha: Array) -> Any:
    """The log-uniform divergence, one term for each alpha: it depends on nothing else."""
    return divergences.log_uniform(np.ones(log_alpha.shape), np.sqrt(np.exp(log_alpha)))


def _kl_bugs(kl: Any, size: Callable[[Values], int]) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    return (
        ("KLMean", "The KL is a mean, not a sum.", {"kl": lambda v: kl(v) / size(v)}),
        ("KLSign", "The sign of the KL is that of the published formula for -KL.", {"kl": lambda v: -kl(v)}),
    )


def _local_bugs(raw: str, variance: Callable[[Values], Any]) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """Of a noise that is drawn at the output, with this variance of every weight, and gradients by hand."""

    def noisy(v: Values, sd: Any) -> Any:
        return dense.output(v["x"], v["theta"]) + sd * v["zeta"]

    def size(v: Values) -> Any:
        return v["x"] * np.sign(np.real(v["x"]))

    def squares(v: Values) -> Any:
        return dense.output(v["x"] * v["x"], variance(v))

    def at_zero(known: Values) -> Values:
        silent = ~np.any(known["x"] != 0.0, axis=1)
        return {f"grad_{name}": known[f"grad_{name}"] + (np.nan if np.any(silent) else 0.0) for name in ("theta", raw)}

    return (
        ("XNotSquared", "The variance is that of the sizes of x, not of its squares.", {
            "output": lambda v: noisy(v, np.sqrt(dense.output(size(v), variance(v))))
        }),
        ("VarianceNotRooted", "The variance of an output is used as its deviation.", {
            "output": lambda v: noisy(v, squares(v))
        }),
        ("InputGradientOfMeanAlone", "The gradient of x leaves out its part in the noise.", grad(
            "grad_x", lambda k: k["grad_y"] @ k["theta"].T
        )),
        ("RawGradientOfDeviation", "The stored logarithm is differentiated as that of a deviation.", grad(
            f"grad_{raw}", lambda k: 2.0 * k[f"grad_{raw}"]
        )),
        ("NaNAtZero", "The root of a variance of zero makes gradients NaN.", {
            "amend": lambda inputs, outputs: outputs | at_zero(inputs | outputs)
        }),
    )  # fmt: skip


def variational() -> Family:
    """Type A on the weights, type B on the inputs."""

    def type_a(v: Values) -> Any:
        given = v["x"], v["theta"], v["log_alpha"], v["zeta"]
        return variational_dropout.type_a(*given, dense.output) if len(v["x"]) else _no_output(v)

    def type_b(v: Values) -> Any:
        given = v["x"], v["theta"], v["log_alpha"], v["zeta"]
        return variational_dropout.type_b(*given, dense.output) if len(v["x"]) else _no_output(v)

    def additive(v: Values) -> Any:
        given = v["x"], v["theta"], v["log_alpha"], v["zeta"]
        return sparse_variational_dropout.output(*given, dense.output) if len(v["x"]) else _no_output(v)

    def kl(v: Values) -> Any:
        return _of_alpha(v["log_alpha"]) + 0.0 * np.sum(v["theta"])

    def log_sd(f: Any) -> dict[str, Any]:
        return {"output": lambda v: f(v | {"log_alpha": 2.0 * v["log_alpha"]})}

    a, b = (LayerDefinition(f, ("theta", "log_alpha"), kl) for f in (type_a, type_b))
    common = _kl_bugs(kl, lambda v: v["log_alpha"].size)
    of_weights = changed(
        a,
        ("LogAlphaAsLogSd", "sqrt(alpha) is taken to be exp(log_alpha).", log_sd(type_a)),
        ("AdditiveNoise", "The variance of a weight is alpha, not alpha theta^2.", {"output": additive}),
        ("ThetaGradientOfMeanAlone", "The gradient of theta leaves out its part in the noise.", grad(
            "grad_theta", lambda k: k["x"].T @ k["grad_y"]
        )),
        *_local_bugs("log_alpha", lambda v: np.exp(v["log_alpha"]) * v["theta"] ** 2),
        *common,
    )  # fmt: skip
    groups = (
        Group(
            "variational_dropout.a",
            {
                "y": "x theta + sqrt(x^2 (alpha theta^2)) * zeta, alpha = exp(log_alpha) for each weight, zeta like y",
                "kl": f"{_LOG_UNIFORM}; one term for each weight",
                "gradients": GRADIENTS,
                "bias": "none",
            },
            a,
            _weights_cases(5, "log_alpha", -6.0, 2.0, "output", False),
            of_weights,
        ),
        Group(
            "variational_dropout.b",
            {
                "y": "(x * (1 + sqrt(alpha) zeta)) theta, alpha = exp(log_alpha) for each input, zeta like x",
                "kl": f"{_LOG_UNIFORM}; one term for each input, not for each weight",
                "gradients": GRADIENTS,
                "bias": "none",
            },
            b,
            _weights_cases(6, "log_alpha", -6.0, 2.0, "input", True),
            changed(
                b,
                ("LogAlphaAsLogSd", "sqrt(alpha) is taken to be exp(log_alpha).", log_sd(type_b)),
                (
                    "KLPerWeight",
                    "The KL counts every weight, not every input.",
                    {"kl": lambda v: v["theta"].shape[1] * kl(v)},
                ),
                *common,
            ),
        ),
    )
    return Family("variational_dropout", "Kingma, Salimans, Welling 2015, arXiv 1506.02557", groups)


def sparse() -> Family:
    """Additive noise under a log-uniform prior."""

    def output(v: Values) -> Any:
        given = v["x"], v["theta"], v["log_sigma2"], v["zeta"]
        return sparse_variational_dropout.output(*given, dense.output) if len(v["x"]) else _no_output(v)

    def kl(v: Values) -> Any:
        return divergences.log_uniform(v["theta"], np.sqrt(np.exp(v["log_sigma2"])))

    def clipped(v: Values) -> Any:
        theta, log_sigma2 = v["theta"], v["log_sigma2"]
        size = 2.0 * np.log(np.maximum(np.abs(theta), 1e-30))  # its derivative is that of nothing that is clipped
        inside = np.abs(np.real(log_sigma2) - size) < 8.0
        far = np.where(np.real(log_sigma2) > size, 8.0, -8.0)
        return divergences.log_uniform(np.where(inside, theta, 1.0), np.sqrt(np.exp(np.where(inside, log_sigma2, far))))

    right = LayerDefinition(output, ("theta", "log_sigma2"), kl)
    bugs = changed(
        right,
        ("LogSigma2AsLogSigma", "sigma is taken to be exp(log_sigma2).", {
            "output": lambda v: output(v | {"log_sigma2": 2.0 * v["log_sigma2"]})
        }),
        ("MultiplicativeNoise", "The noise is multiplied by theta, as in the form with alpha.", {
            "output": lambda v: output(v | {"log_sigma2": v["log_sigma2"] + np.log(v["theta"] ** 2)})
        }),
        ("KLIgnoresTheta", "log alpha is held fixed when theta is differentiated.", grad(
            "kl_grad_theta", lambda k: 0.0 * k["theta"]
        )),
        ("KLGradientOfDeviation", "The gradient of the KL is by the logarithm of the deviation.", grad(
            "kl_grad_log_sigma2", lambda k: 2.0 * k["kl_grad_log_sigma2"]
        )),
        ("KLAlphaClipped", "The KL clips log alpha at 8.", {"kl": clipped}),
        *_local_bugs("log_sigma2", lambda v: np.exp(v["log_sigma2"])),
        *_kl_bugs(kl, lambda v: v["theta"].size),
    )  # fmt: skip
    conventions = {
        "y": "x theta + sqrt(x^2 sigma^2) * zeta, sigma^2 = exp(log_sigma2) for each weight, zeta like y",
        "kl": f"{_LOG_UNIFORM}; alpha = sigma^2 / theta^2, one term for each weight",
        "gradients": GRADIENTS,
        "bias": "none",
    }
    cases = list(_weights_cases(8, "log_sigma2", -5.0, 1.0, "output", False))
    zero, far = ({k: v.copy() for k, v in cases[0].inputs.items()} for _ in range(2))
    zero["theta"][0, 0] = 0.0
    far["log_sigma2"][::2], far["log_sigma2"][1::2] = 12.0, -15.0
    cases.append(Case("log alpha beyond where it is clipped in places", ("ExtremeScale",), far))
    cases.append(Case("a weight with theta = 0: its KL is 0, and so is the gradient", ("Ordinary",), zero))
    group = Group("sparse_variational_dropout", conventions, right, tuple(cases), bugs)
    return Family("sparse_variational_dropout", "Molchanov, Ashukha, Vetrov 2017, arXiv 1701.05369", (group,))
