"""Noise on the input or the output of a map whose strength is learned, by a rate or by a network of its own."""

from __future__ import annotations

from typing import Literal

from bayesnoise import _checks
from bayesnoise.affine import Biased
from bayesnoise.concrete import ConcreteDropout
from bayesnoise.divergences import L2, Zero
from bayesnoise.estimators import Plain
from bayesnoise.information import InformationDropout
from bayesnoise.maps import Map
from bayesnoise.maps.map import check_numbers
from bayesnoise.methods.compose import Bias, Method, compose
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.methods.variational_dropouts import input_units
from bayesnoise.posteriors import Point
from bayesnoise.stochastic import Stochastic


def concrete_dropout(
    map: Map,
    *,
    rate: float = 0.1,
    temperature: float = 0.1,
    prior_scale: float = 1.0,
    bias: Bias = "deterministic",
) -> ConcreteDropout | Biased:
    """A relaxed mask on the input of a map, one value an example and unit, with a learned rate that starts at `rate`.

    Over a convolution a unit is a channel, at every position the same. ValueError unless 0 < rate < 1 and the rest is
    above 0.
    """
    _checks.open_probability("rate", rate)
    input_units(map)  # which refuses a map without units
    weight = ConcreteDropout(map, rate, temperature, prior_scale)
    plain = compose(map, Point(), Plain(), Zero(), bias, L2(prior_scale))
    return weight if isinstance(plain, Stochastic) else Biased(weight, plain.bias)


def information_dropout(
    map: Map,
    *,
    prior: Literal["log_uniform", "log_normal"] = "log_uniform",
    beta: float = 0.01,
    bias: Bias = "deterministic",
) -> InformationDropout:
    """A map, its activation, and log-normal noise on that, as strong as a second map of the same input says.

    The activation is ReLU under the log-uniform prior and softplus under the log-normal one; outputs are not negative,
    and another ReLU behind them changes nothing. In the last place of `networks.mlp` and `conv_net` the map stands
    alone. `beta` weighs the divergence of an example beside its likelihood; ValueError if it is below 0,
    TypeError for a map of integers.
    """
    check_numbers(map)
    return InformationDropout(deterministic(map, bias=bias), deterministic(map, bias=bias), prior, beta)


ROWS = (
    Method(
        concrete_dropout,
        "relaxed Bernoulli noise with a learned rate, point",
        "Gal, Hron, Kendall 2017, Concrete Dropout, arXiv 1705.07832",
    ),
    Method(
        information_dropout,
        "point, log-normal noise of learned strength on the output",
        "Achille, Soatto 2018, Information Dropout, arXiv 1611.01353",
    ),
)
