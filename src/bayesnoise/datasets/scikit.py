"""The real data sets that scikit-learn carries."""

from __future__ import annotations

import numpy as np

from bayesnoise import _checks
from bayesnoise.datasets.raw import Column, Inputs, Raw

NAMES = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def read_sklearn(name: str) -> Raw:
    """A data set by its name; ValueError, with the nearest names, if there is none."""
    _checks.one_of("the name after sklearn:", name, NAMES)
    try:
        from sklearn import datasets
    except ModuleNotFoundError:
        raise ValueError("sklearn: data need scikit-learn, which is not installed: pip install scikit-learn") from None
    bunch = getattr(datasets, f"load_{name}")()
    columns = tuple(Column(str(feature)) for feature in bunch.feature_names)
    target, names = np.asarray(bunch.target), getattr(bunch, "target_names", None)
    if names is not None:
        target = np.asarray(names)[target]
    image_shape = (1, *bunch.images.shape[1:]) if name == "digits" else None
    return Raw(Inputs(np.asarray(bunch.data, dtype=np.float64), columns, image_shape), target, "target")
