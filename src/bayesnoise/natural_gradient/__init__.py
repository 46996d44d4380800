"""Optimizers that fit a Gaussian law of the parameters by gradients at draws of it.

`fit` takes one in the place of an optimizer. For independent laws (`ivon`, `vadam`, `vogn`), `predictor` and
`posterior` then give the layer whose parameters are drawn from what was fitted, and its parameters.
"""

from bayesnoise.natural_gradient.ivon import Ivon, ivon
from bayesnoise.natural_gradient.optimizer import Moments, VariationalOptimizer
from bayesnoise.natural_gradient.per_example import gradients_of_examples
from bayesnoise.natural_gradient.precision import PrecisionState
from bayesnoise.natural_gradient.slang import Slang, SlangState, slang
from bayesnoise.natural_gradient.step import Step, posterior, predictor, variational_step
from bayesnoise.natural_gradient.vadam import Vadam, VadamState, vadam
from bayesnoise.natural_gradient.vogn import Vogn, vogn

__all__ = [
    "Ivon",
    "Moments",
    "PrecisionState",
    "Slang",
    "SlangState",
    "Step",
    "Vadam",
    "VadamState",
    "VariationalOptimizer",
    "Vogn",
    "gradients_of_examples",
    "ivon",
    "posterior",
    "predictor",
    "slang",
    "vadam",
    "variational_step",
    "vogn",
]
