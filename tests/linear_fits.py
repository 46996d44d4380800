"""Correlated features, targets linear in them, and the fit of a linear regression to both."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_backends import host_rng
from bayesnoise_reference._typing import Array

import bayesnoise as bn
from bayesnoise.losses import Gaussian
from bayesnoise.maps import Dense
from bayesnoise.procedures import ClosedForm
from bayesnoise.training import State, fit

NOISE, PRIOR = 0.4, 1.5
_HOST = np.random.default_rng(3)
X = _HOST.standard_normal((20, 3)) @ np.array([[1.0, 0.6, 0.0], [0.0, 1.0, -0.3], [0.2, 0.0, 0.8]])
Y = (X @ np.array([0.5, -1.0, 2.0]) + 0.7 + NOISE * _HOST.standard_normal(20))[:, None]
WITH_ONES = np.concatenate([X, np.ones((20, 1))], axis=1)
LAYER = bn.linear_regression(Dense(3, 1))


def fitted(
    procedure: ClosedForm = ClosedForm(PRIOR),  # noqa: B008 - frozen, without state
    loss: Any = Gaussian(NOISE),  # noqa: B008
    layer: Any = LAYER,
    epochs: int = 1,
    x: Array = X,
    y: Array = Y,
    **given: Any,
) -> State:
    common: dict[str, Any] = {"rng": host_rng(0), "optimizer": bn.optimizers.adam(1e-3), "batch_size": 7}
    return fit(layer, loss, x, y, epochs=epochs, procedure=procedure, **common | given)
