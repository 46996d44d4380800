"""A dense layer whose factors a normalizing flow makes, one an input, with the bound on its divergence."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesnoise_reference import dense, posteriors
from bayesnoise_reference import multiplicative_normalizing_flow as oracle
from bayesnoise_reference._typing import Array
from bayesnoise_reference.families.flow import STEP, Flow, moved
from bayesnoise_reference.vectors.layers import GRADIENTS, LayerDefinition, changed
from bayesnoise_reference.vectors.records import Case, Family, Group, Values, dyadic

LAYER = Flow(kind="input", inputs=2, outputs=3, steps=2, hidden=1)
UNIT = (LAYER.inputs, 1)


def _steps(v: Values, before: str = "") -> list[oracle.Step]:
    return [oracle.Step(*(v[f"{before}{name}_{t}"] for name in STEP)) for t in (1, 2)]


def _base(v: Values) -> tuple[Array, Array]:
    return v["base_mean"], np.exp(v["base_log_sigma"])


def _output(v: Values) -> Any:
    if not len(v["x"]):
        return np.zeros((0, LAYER.outputs))
    z = np.stack([oracle.factor(*_base(v), _steps(v), eps) for eps in v["eps"]])
    return oracle.output(v["x"], z, *posteriors.gaussian_softplus(v["mean"], v["rho"]), v["zeta"], dense.output, UNIT)


def _auxiliary(v: Values) -> oracle.Auxiliary:
    return oracle.Auxiliary(v["contrast"], v["shift"], v["log_precision"], _steps(v, "r_"))


def _bound(v: Values) -> Any:
    law = posteriors.gaussian_softplus(v["mean"], v["rho"])
    noise = v["kl_eps"], v["kl_eta"]
    return oracle.bound(*law, _base(v), _steps(v), _auxiliary(v), *noise, UNIT, float(v["prior_scale"]))


def _log_det(v: Values) -> Any:
    """Of the flow, at the draw of the divergence."""
    mean, scale = _base(v)
    return moved(LAYER, v, (mean + scale * v["kl_eps"])[None])[1][0]


def _more(v: Values) -> Any:
    """The determinant of the flow of the auxiliary density."""
    mean, scale = _base(v)
    z, _ = moved(LAYER, v, (mean + scale * v["kl_eps"])[None])
    return moved(LAYER, v, z, "r_")[1][0]


def _gates_negated(v: Values) -> Values:
    return v | {name: -value for name, value in v.items() if name.startswith(("w_gate", "b_gate"))}


def _factor_everywhere(v: Values) -> Any:
    """With factors of the whole weights, their noise included."""
    if not len(v["x"]):
        return _output(v)
    z = np.stack([oracle.factor(*_base(v), _steps(v), eps) for eps in v["eps"]])
    law = posteriors.gaussian_softplus(v["mean"], v["rho"])
    return oracle.output(v["x"] * z, np.ones(z.shape), *law, v["zeta"], dense.output, UNIT)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(31)
    parameters = {name: dyadic(rng, *shape, spread=0.5) for name, shape in LAYER.shapes().items()}
    parameters |= {"kl_eps": dyadic(rng, 2), "kl_eta": dyadic(rng, 3), "prior_scale": np.array(LAYER.prior)}

    def make(n: int) -> Values:
        sizes = {"x": LAYER.inputs, "grad_y": LAYER.outputs, "eps": LAYER.units, "zeta": LAYER.outputs}
        return {name: dyadic(rng, n, size) for name, size in sizes.items()} | parameters

    dead = make(2)
    dead["x"][0] = 0.0
    return (
        Case("two examples", ("Ordinary",), make(2)),
        Case("no example", ("EmptyBatch",), make(0)),
        Case("the first example is zero", ("ZeroRow",), dead),
    )


def flows() -> Family:
    """One family."""
    right = LayerDefinition(_output, tuple(LAYER.shapes()), _bound)
    bugs = changed(
        right,
        ("GateSwapped", "The gate weighs the shift, and its complement the element.", {
            "output": lambda v: _output(_gates_negated(v))
        }),
        ("FactorsShared", "All examples have the factors of the first.", {
            "output": lambda v: _output(v | {"eps": v["eps"][:1] + 0.0 * v["eps"]})
        }),
        ("FactorInNoise", "The noise is multiplied by the factors too.", {"output": _factor_everywhere}),
        ("LogDeterminantSign", "The flow's determinant has the wrong sign.", {
            "kl": lambda v: _bound(v) + 2.0 * _log_det(v)
        }),
        ("AuxiliaryDeterminantMissing", "The auxiliary density lacks the determinant of its flow.", {
            "kl": lambda v: _bound(v) + _more(v)
        }),
    )  # fmt: skip
    conventions = {
        "y": "(x z) mean + sqrt(x^2 scale^2) * zeta, z (n, i), scale = log(1 + exp(rho)), zeta like y",
        "z": "f(base_mean + exp(base_log_sigma) eps), eps (n, i), f the steps t = 1, 2: elements j (from 0) with j + t "
        "odd become s z + (1 - s) (h w_shift_t + b_shift_t), s = sigmoid(h w_gate_t + b_gate_t), h = "
        "tanh(z' w_hidden_t + b_hidden_t), z' being z with 0 at those elements; the others stay",
        "kl": "at z = f(base_mean + exp(base_log_sigma) kl_eps): the sum over weights of KL(N(z mean, scale^2) || N(0, "
        "prior_scale^2)), plus log q(z) = log N(f^-1(z); base_mean, exp(base_log_sigma)^2) - log |det df|, minus "
        "log r(z) = log N(g(z); a shift, exp(-a log_precision)) + log |det dg|, g like f with the parameters r_*, "
        "exp(-a log_precision) a variance",
        "a": "the mean over outputs of tanh(u), u = sum_i contrast_i z_i mean_i + sqrt(sum_i contrast_i^2 scale_i^2) "
        "kl_eta",
        "gradients": GRADIENTS,
        "bias": "none",
    }
    group = Group("flow.input", conventions, right, _cases(), bugs)
    return Family("multiplicative_normalizing_flow", "Louizos, Welling 2017, arXiv 1703.01961", (group,))
