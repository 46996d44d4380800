"""Factors that a flow makes: how the noise behind factors and outputs is read off the outputs."""

from __future__ import annotations

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.families._factored import Readings, around_outputs, behind_factors, pairs
from bayesnoise_reference.families.flow import NARROW, FlowTrial, of_flow


def _factors(trial: FlowTrial) -> Array:
    """Where the weights have no noise."""
    held, found = trial.load(rho=NARROW), []
    for _ in range(trial.calls):
        x = pairs(trial)
        found.append(trial.eps(held, x, trial.guard.sample(x)))
    return np.stack(found)


def _outputs(trial: FlowTrial) -> Array:
    """Where the factors have no noise."""
    held, found = trial.load(base_log_sigma=NARROW), []
    for _ in range(trial.calls):
        x = pairs(trial)
        found.append(trial.zeta(held, x, trial.guard.sample(x)))
    return np.stack(found)


_READ = Readings(_factors, _factors, _outputs)
_CATCHES = {
    "factors-variance": ("no-noise", "flow-base-variance"),
    "factors-shape": ("no-noise", "flow-same-parity", "flow-gate-swapped", "flow-shift-ungated"),
    "factors-tails": ("no-noise", "uniform-noise"),
    "units-apart": ("flow-one-scalar",),
    "examples-apart": ("flow-shared-across-batch",),
    "noise-variance": ("no-noise", "scale-exp-for-softplus"),
    "noise-tails": ("no-noise", "uniform-noise"),
    "noise-apart": ("zeta-shared-across-batch",),
    "outputs-apart": ("zeta-shared-across-outputs",),
}

CLAIMS = (*behind_factors(of_flow, _READ, "the flow", _CATCHES), *around_outputs(of_flow, _READ, _CATCHES))
