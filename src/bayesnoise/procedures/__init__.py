"""Ways to train: what one epoch does, what is kept of it, and how that predicts. `fit` runs one of them."""

from bayesnoise.procedures.closed_form import ClosedForm, ClosedFormParams
from bayesnoise.procedures.deep_ensemble import DeepEnsemble, adversarial_input
from bayesnoise.procedures.descent import Descent, descent_step
from bayesnoise.procedures.joint_gaussian import JointGaussian, JointLaw
from bayesnoise.procedures.procedure import (
    Begun,
    Draw,
    EpochFunction,
    Job,
    Passed,
    Predicts,
    Procedure,
    Schedule,
    Sources,
    Step,
    divergence,
    minibatches,
)
from bayesnoise.procedures.reestimated import Reestimated, reestimate
from bayesnoise.procedures.swag import Swag, SwagState
from bayesnoise.procedures.swag_law import SwagLaw, SwagNoise
from bayesnoise.procedures.variational import Variational

__all__ = [
    "Begun",
    "ClosedForm",
    "ClosedFormParams",
    "DeepEnsemble",
    "Descent",
    "Draw",
    "EpochFunction",
    "Job",
    "JointGaussian",
    "JointLaw",
    "Passed",
    "Predicts",
    "Procedure",
    "Reestimated",
    "Schedule",
    "Sources",
    "Step",
    "Swag",
    "SwagLaw",
    "SwagNoise",
    "SwagState",
    "Variational",
    "adversarial_input",
    "descent_step",
    "divergence",
    "minibatches",
    "reestimate",
]
