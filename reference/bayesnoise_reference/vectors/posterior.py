"""Dense layers whose weights have a law with a structure: scales of low rank, correlations, a radius for all."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import dense, k_tied, local_reparameterization, low_rank_gaussian, matrix_gaussian, radial
from bayesnoise_reference import flipout as flipped
from bayesnoise_reference._typing import Array
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed, gaussian_kl, grad
from bayesnoise_reference.vectors.records import Bug, Case, Family, Group, Values, dyadic, signs

PRIOR, RANK, SHAPE = 0.5, 2, (3, 2)
_KL = "of the law of all weights to independent N(0, prior_scale^2); counted once, not divided by anything"


def _cases(seed: int, parameters: Values, noise: dict[str, tuple[Any, ...]]) -> tuple[Case, ...]:
    """The same parameters in every case; a noise has the given shape, "n" standing for the number of examples."""
    rng, (i, o) = np.random.default_rng(seed), SHAPE

    def make(n: int) -> Values:
        drawn = {}
        for name, shape in noise.items():
            sizes = tuple(n if size == "n" else size for size in shape)
            drawn[name] = signs(rng, *sizes) if name.startswith("sign") else dyadic(rng, *sizes)
        given = {"x": dyadic(rng, n, i), "grad_y": dyadic(rng, n, o), **drawn}
        return given | parameters | {"prior_scale": np.array(PRIOR)}

    dead, silent = make(2), make(2)
    dead["x"][0] = 0.0
    for name in noise:  # a direction of length 0 is none: there the radius is 0
        if not name.startswith("sign") and not (name == "eps" and "radius" in noise):
            silent[name] = np.zeros_like(silent[name])
    return (
        Case("two examples", ("Ordinary",), make(2)),
        Case("one example", ("BatchOfOne",), make(1)),
        Case("no example", ("EmptyBatch",), make(0)),
        Case("the first example is zero", ("ZeroRow",), dead),
        Case("no noise", ("NoNoise",), silent),
    )


def _family(
    name: str, source: str, conventions: dict[str, str], right: LayerDefinition, cases: tuple[Case, ...], bugs: Any
) -> Family:
    kl: Any = right.kl
    common: tuple[Bug, ...] = changed(
        right,
        ("KLMean", "The KL is a mean, not a sum.", {"kl": lambda v: kl(v) / v["mu"].size}),
        ("KLSign", "The KL has the wrong sign.", {"kl": lambda v: -kl(v)}),
        ("KLPriorVarianceAsScale", "The prior's scale is used as its variance.", {
            "kl": lambda v: kl(v | {"prior_scale": np.sqrt(v["prior_scale"])})
        }),
        ("NoiseNotInBackward", "The gradient of the input is that of the mean weights.",
            grad("grad_x", lambda k: k["grad_y"] @ k["mu"].T)),
    )  # fmt: skip
    given = {**conventions, "kl": conventions.get("kl", _KL), "gradients": GRADIENTS, "bias": "none"}
    return Family(name, source, (Group(f"posterior.{name}", given, right, cases, (*changed(right, *bugs), *common)),))


def _none(v: Values) -> Array:
    return np.zeros((0, SHAPE[1]))


def _flipped(v: Values, scale: Array) -> Any:
    noise = v["eps"], v["sign_in"], v["sign_out"]
    return flipped.output(v["x"], v["mu"], scale, *noise, dense.output) if len(v["x"]) else _none(v)


def _local(v: Values, scale: Array) -> Any:
    return local_reparameterization.output(v["x"], v["mu"], scale, v["zeta"], dense.output) if len(v["x"]) else _none(v)


def _independent_kl(v: Values, scale: Array) -> Any:
    return gaussian_kl(v["mu"], scale, np.log(scale), np.array(0.0), v["prior_scale"])


def tied() -> Family:
    """Scales that are sums of products, under flipout."""
    rng = np.random.default_rng(21)
    names = {"mu": SHAPE, "log_u": (SHAPE[0], RANK), "log_v": (SHAPE[1], RANK)}
    parameters = {name: dyadic(rng, *shape, spread=0.5) for name, shape in names.items()}

    def scale(v: Values) -> Array:
        return k_tied.law(v["mu"], v["log_u"], v["log_v"])[1]

    def of(function: Any) -> dict[str, Any]:
        return {"output": lambda v: _flipped(v, function(v)), "kl": lambda v: _independent_kl(v, function(v))}

    right = LayerDefinition(lambda v: _flipped(v, scale(v)), tuple(names), lambda v: _independent_kl(v, scale(v)))
    bugs = (
        ("FirstProduct", "Only the first of the products makes the scale.", of(
            lambda v: np.exp(v["log_u"][:, :1]) @ np.exp(v["log_v"][:, :1]).T
        )),
        ("ProductsAveraged", "The products are averaged, not added.", of(lambda v: scale(v) / RANK)),
        ("SumAsVariance", "The sum of the products is used as a variance.", of(lambda v: np.sqrt(scale(v)))),
        ("SquaresAdded", "The squares of the products are added.", of(
            lambda v: np.sqrt(np.exp(2.0 * v["log_u"]) @ np.exp(2.0 * v["log_v"]).T)
        )),
        ("GradientByValue", "The gradient is by u, not by its logarithm.", grad(
            "grad_log_u", lambda k: k["grad_log_u"] / np.exp(k["log_u"])
        )),
    )  # fmt: skip
    conventions = {
        "y": "x mu + sign_out * ((sign_in * x) (sigma eps)), eps (i, o) is shared by the batch",
        "sigma": "sigma[i, o] = sum_k exp(log_u[i, k] + log_v[o, k]), a standard deviation",
    }
    cases = _cases(3, parameters, {"eps": SHAPE, "sign_in": ("n", SHAPE[0]), "sign_out": ("n", SHAPE[1])})
    return _family("k_tied_normal", "Swiatkowski et al. 2020, arXiv 2002.02655", conventions, right, cases, bugs)


def rows_and_columns() -> Family:
    """A variance a row and a variance a column, drawn at the output."""
    rng = np.random.default_rng(22)
    names = {"mu": SHAPE, "log_u": SHAPE[:1], "log_v": SHAPE[1:]}
    parameters = {name: dyadic(rng, *shape) for name, shape in names.items()}

    def scale(v: Values) -> Array:
        return matrix_gaussian.law(v["mu"], v["log_u"], v["log_v"])[1]

    def of(function: Any) -> dict[str, Any]:
        return {"output": lambda v: _local(v, function(v)), "kl": lambda v: _independent_kl(v, function(v))}

    def swapped(v: Values) -> Any:
        i, o = SHAPE
        return right_kl(v) + 0.5 * (o - i) * (np.sum(v["log_u"]) - np.sum(v["log_v"]))

    def right_kl(v: Values) -> Any:
        return _independent_kl(v, scale(v))

    right = LayerDefinition(lambda v: _local(v, scale(v)), tuple(names), right_kl)
    bugs = (
        ("VarianceAsDeviation", "The product of row and column is used as a deviation.", of(lambda v: scale(v) ** 2)),
        ("VariancesAdded", "The variances of row and column are added.", of(
            lambda v: np.sqrt(np.exp(v["log_u"])[:, None] + np.exp(v["log_v"])[None, :])
        )),
        ("RowsOnly", "The variances of the columns are not used.", of(
            lambda v: np.exp(0.5 * v["log_u"])[:, None] + 0.0 * v["mu"] * v["log_v"]
        )),
        ("DeterminantsSwapped", "The determinant of the rows counts once an input.", {"kl": swapped}),
        ("RootNotDifferentiated", "The gradient lacks the 1/2 of the root.", grad(
            "grad_log_u", lambda k: 2.0 * k["grad_log_u"]
        )),
    )  # fmt: skip
    conventions = {
        "y": "x mu + sqrt(x^2 sigma^2) * zeta, zeta like y",
        "sigma": "sigma[i, o]^2 = exp(log_u[i] + log_v[o])",
    }
    cases = _cases(4, parameters, {"zeta": ("n", SHAPE[1])})
    source = "Louizos, Welling 2016, arXiv 1603.04733"
    return _family("variational_matrix_gaussian", source, conventions, right, cases, bugs)


def low_rank() -> Family:
    """A diagonal and a factor, drawn at the output."""
    rng = np.random.default_rng(23)
    names = {"mu": SHAPE, "log_sigma": SHAPE, "factor": (RANK, *SHAPE)}
    parameters = {name: dyadic(rng, *shape, spread=0.75) for name, shape in names.items()}

    def output(v: Values, share: float = 1.0, own: float = 1.0) -> Any:
        if not len(v["x"]):
            return _none(v)
        given = v["mu"], own * v["log_sigma"], share * v["factor"], v["zeta"], v["e"]
        return low_rank_gaussian.output(v["x"], *given, dense.output)

    def kl(v: Values) -> Any:
        return low_rank_gaussian.kl(v["mu"], v["log_sigma"], v["factor"], float(v["prior_scale"]))

    def of_diagonal(v: Values, factor: float) -> Any:
        scale = np.exp(v["log_sigma"])
        return _independent_kl(v, scale) + factor * np.sum(v["factor"] ** 2) / (2.0 * v["prior_scale"] ** 2)

    right = LayerDefinition(output, tuple(names), kl)
    bugs = (
        ("FactorDividedByRoot", "The factor is divided by the root of the rank.", {
            "output": lambda v: output(v, RANK**-0.5),
            "kl": lambda v: kl(v | {"factor": v["factor"] * RANK**-0.5}),
        }),
        ("FactorMissing", "The factor adds nothing to the output.", {"output": lambda v: output(v, 0.0)}),
        ("SigmaAsVariance", "sigma is used as a variance.", {"output": lambda v: output(v, 1.0, 0.5)}),
        ("OneNumber", "All ranks share the first number of an example.", {
            "output": lambda v: output(v | {"e": v["e"][:, :1] + 0.0 * v["e"]})
        }),
        ("DeterminantOfDiagonal", "The determinant in the KL is that of the diagonal.", {
            "kl": lambda v: of_diagonal(v, 1.0)
        }),
        ("FactorNotInKL", "The KL is that of the diagonal alone.", {
            "kl": lambda v: of_diagonal(v, 0.0)
        }),
        ("FactorNotDifferentiated", "No gradient reaches the factor.", grad(
            "grad_factor", lambda k: 0.0 * k["factor"]
        )),
    )  # fmt: skip
    conventions = {
        "y": "x mu + sum_k e[n, k] (x factor[k]) + sqrt(x^2 sigma^2) * zeta, e (n, rank), zeta like y",
        "sigma": "exp(log_sigma); the weights have the covariance diag(sigma^2) + sum_k factor[k] factor[k]'",
    }
    cases = _cases(5, parameters, {"zeta": ("n", SHAPE[1]), "e": ("n", RANK)})
    source = "Tomczak, Swaroop, Turner 2020, Efficient Low Rank Gaussian Variational Inference for Neural Networks"
    return _family("low_rank_gaussian", source, conventions, right, cases, bugs)


def radials() -> Family:
    """A uniform direction and one radius, one draw a call."""
    rng = np.random.default_rng(24)
    parameters = {name: dyadic(rng, *SHAPE, spread=0.75) for name in ("mu", "rho")}
    n = SHAPE[0] * SHAPE[1]

    def output(v: Values, length: float = 1.0, rho: str = "rho") -> Any:
        if not len(v["x"]):
            return _none(v)
        w = radial.weights(v["mu"], v[rho], v["eps"], length * v["radius"][0])
        return np.stack([dense.output(x_n, w) for x_n in v["x"]])

    def unnormalised(v: Values) -> Any:
        return output(v, float(np.linalg.norm(v["eps"])))

    def kl(v: Values) -> Any:
        return radial.kl(v["mu"], v["rho"], float(v["prior_scale"]))

    def gaussian(v: Values) -> Any:
        return _independent_kl(v, np.log1p(np.exp(v["rho"])))

    right = LayerDefinition(output, ("mu", "rho"), kl)
    bugs = (
        ("NotNormalised", "The direction is not divided by its length.", {"output": unnormalised}),
        ("UnitVariance", "The direction is multiplied by the root of the number of weights.", {
            "output": lambda v: output(v, n**0.5)
        }),
        ("RadiusMissing", "Every draw is at distance 1.", {
            "output": lambda v: output(v | {"radius": np.ones(1)})
        }),
        ("KLGaussian", "The KL is that of independent Gaussian weights of the same sigma.", {"kl": gaussian}),
        ("KLWithoutConstant", "The KL lacks the constant of the entropy.", {
            "kl": lambda v: kl(v) + radial.entropy(n)
        }),
        ("SoftplusNotDifferentiated", "The gradient is by sigma, not by rho.", grad(
            "grad_rho", lambda k: k["grad_rho"] * (1.0 + np.exp(-k["rho"]))
        )),
    )  # fmt: skip
    conventions = {
        "y": "x w, w = mu + sigma * eps / |eps| * radius, |eps| over all weights, one draw for the batch",
        "sigma": "log(1 + exp(rho))",
        "kl": f"{_KL}; in closed form, with its constant: the expectations of log q(w) and of log p(w) are both known",
    }
    cases = _cases(6, parameters, {"eps": SHAPE, "radius": (1,)})
    source = "Farquhar, Osborne, Gal 2020, arXiv 1907.00865"
    return _family("radial", source, conventions, right, cases, bugs)
