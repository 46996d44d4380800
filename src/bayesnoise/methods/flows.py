"""Weights whose means are multiplied by a random factor with a flow for its law."""

from __future__ import annotations

from typing import Literal

from bayesnoise.affine import Biased
from bayesnoise.divergences import GaussianKL
from bayesnoise.estimators import Local
from bayesnoise.maps import Dense, Map
from bayesnoise.methods.compose import Bias, Method, Scale, compose
from bayesnoise.multiplicative_flow import MultiplicativeFlow
from bayesnoise.posteriors import Gaussian
from bayesnoise.stochastic import Stochastic


def multiplicative_normalizing_flow(
    map: Map,
    *,
    unit: Literal["input", "output"] | None = None,
    prior_scale: Scale = 1.0,
    initial_scale: float = 0.05,
    steps: int = 2,
    hidden: int = 50,
    bias: Bias = "deterministic",
) -> MultiplicativeFlow | Biased:
    """Gaussian weights given a factor a unit, which a flow makes: an input of a dense map, else an output.

    `steps` and `hidden` are the sizes of the flow, and of that of the auxiliary density.
    """
    posterior, divergence = Gaussian(initial_scale), GaussianKL(prior_scale)
    where = unit or ("input" if isinstance(map, Dense) else "output")
    weight = MultiplicativeFlow(map, where, posterior, divergence, steps, hidden)
    plain = compose(map, posterior, Local(), divergence, bias)
    return weight if isinstance(plain, Stochastic) else Biased(weight, plain.bias)


ROWS = (
    Method(
        multiplicative_normalizing_flow,
        "Gaussian times a flow, local, bound on the KL",
        "Louizos, Welling 2017, Multiplicative Normalizing Flows for Variational Bayesian Neural Networks, "
        "arXiv 1703.01961",
    ),
)
