"""How a law of the weights reaches the output."""

from bayesnoise.estimators.estimator import Estimator, Operands
from bayesnoise.estimators.flipout import Flipout, FlipoutNoise
from bayesnoise.estimators.local import Local, LocalNoise
from bayesnoise.estimators.per_example import PerExample, PerExampleNoise
from bayesnoise.estimators.plain import Plain
from bayesnoise.estimators.shared import Shared, SharedNoise

__all__ = [
    "Estimator",
    "Flipout",
    "FlipoutNoise",
    "Local",
    "LocalNoise",
    "Operands",
    "PerExample",
    "PerExampleNoise",
    "Plain",
    "Shared",
    "SharedNoise",
]
