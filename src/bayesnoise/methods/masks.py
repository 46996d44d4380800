"""Masks of a given rate that are no product of independent ones over the input."""

from __future__ import annotations

from bayesnoise import _checks
from bayesnoise._typing import Shape
from bayesnoise.affine import Affine
from bayesnoise.chain import Chain, chain
from bayesnoise.divergences import L2, Zero
from bayesnoise.estimators import Estimator, Shared
from bayesnoise.maps import Map
from bayesnoise.maps.conv import per_dimension
from bayesnoise.methods.compose import Bias, Method, compose
from bayesnoise.methods.dropouts import masked
from bayesnoise.methods.gaussian_weights import deterministic
from bayesnoise.methods.variational_dropouts import input_units
from bayesnoise.noise import Bernoulli, DropBlock, Multiply, Spatial
from bayesnoise.posteriors import DropConnect
from bayesnoise.stochastic import Stochastic


def spatial_dropout(
    map: Map, *, rate: float = 0.05, prior_scale: float | None = None, bias: Bias = "deterministic"
) -> Chain:
    """Bernoulli noise on the input of a map, one factor an example and channel; arguments as for `dropout`.

    Over a dense map a unit is a feature, with one factor an example: without positions that is dropout.
    """
    _checks.probability("rate", rate)
    return masked(map, Spatial(Bernoulli(rate), *input_units(map)), rate, prior_scale, bias)


def drop_block(map: Map, *, rate: float = 0.05, block: int | Shape = 2, bias: Bias = "deterministic") -> Chain:
    """Contiguous blocks of the input of a map are dropped, each channel its own.

    `block` is one size for all spatial dimensions, or one each. The input of a dense map has no space, and a block of
    one element is what dropout drops: there the noise is that of `dropout`. ValueError for sizes below 1.
    """
    _, positions = input_units(map)
    sizes = per_dimension("block", block, positions or 1, 1)
    noise = DropBlock(rate, sizes) if positions else Multiply(Bernoulli(rate))
    return chain(noise, deterministic(map, bias=bias))


def drop_connect(
    map: Map,
    *,
    rate: float = 0.5,
    prior_scale: float | None = None,
    estimator: Estimator | None = None,
    bias: Bias = "deterministic",
) -> Stochastic | Affine:
    """Bernoulli noise on each weight, under Shared unless another estimator is given: one mask a call.

    The paper's masks an example are `PerExample()`; at rate 1/2 `Flipout()` has them at the cost of two products;
    `Local(moment_matching=True)` is the normal output by which the paper predicts. `prior_scale` adds the penalty of
    such masks, as for `dropout`. ValueError unless 0 < rate < 1, and for an estimator that is wrong at this rate.
    """
    _checks.open_probability("rate", rate)
    penalty = Zero() if prior_scale is None else L2(prior_scale, 1.0 / (1.0 - rate))
    whole = None if prior_scale is None or bias == "random" else L2(prior_scale)  # a fixed bias is never dropped
    return compose(map, DropConnect(rate), estimator or Shared(), penalty, bias, whole)


ROWS = (
    Method(
        spatial_dropout,
        "Bernoulli noise a channel, point",
        "Tompson et al. 2015, Efficient Object Localization Using Convolutional Networks, arXiv 1411.4280",
    ),
    Method(
        drop_block,
        "blocks of Bernoulli noise, point",
        "Ghiasi, Lin, Le 2018, DropBlock: A regularization method for convolutional networks, arXiv 1810.12890",
    ),
    Method(
        drop_connect,
        "two-point weights, shared",
        "Wan et al. 2013, Regularization of Neural Networks using DropConnect, ICML",
    ),
)
