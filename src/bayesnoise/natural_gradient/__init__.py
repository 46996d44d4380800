"""Optimizers that fit a Gaussian law of the parameters by gradients at draws of it.

`fit` takes one in the place of an optimizer. For independent laws (`ivon`, `vadam`), `predictor` and `posterior` then
give the layer whose parameters are drawn from what was fitted, and its parameters.
"""

from bayesnoise.natural_gradient.ivon import Ivon, IvonState, ivon
from bayesnoise.natural_gradient.optimizer import VariationalOptimizer
from bayesnoise.natural_gradient.per_example import gradients_of_examples
from bayesnoise.natural_gradient.slang import Slang, SlangState, slang
from bayesnoise.natural_gradient.step import Step, posterior, predictor, variational_step
from bayesnoise.natural_gradient.vadam import Vadam, VadamState, vadam

__all__ = [
    "Ivon",
    "IvonState",
    "Slang",
    "SlangState",
    "Step",
    "Vadam",
    "VadamState",
    "VariationalOptimizer",
    "gradients_of_examples",
    "ivon",
    "posterior",
    "predictor",
    "slang",
    "vadam",
    "variational_step",
]
