"""The layers of methods whose law is fitted around them: ordinary weights, one product an example."""

from __future__ import annotations

from typing import Any

import numpy as np
from bayesnoise_reference import dense
from bayesnoise_reference._typing import Array

from bayesnoise import maps, methods
from layer_cases.case import LayerCase


def _plain(params: Any, x: Array) -> Array:
    return np.stack([dense.output(x_n, params.weight.theta) + params.bias.theta for x_n in x])


CASES = {
    name: LayerCase(
        getattr(methods, name)(maps.Dense(2, 3)),
        (3, 2),
        output=lambda params, noise, x: _plain(params, x),
        predict=_plain,
        moments=lambda params, x: (_plain(params, x), np.zeros((len(x), 3))),
    )
    for name in ("ivon", "linear_regression", "slang", "vadam", "vogn")
}
