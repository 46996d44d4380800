"""The linear regression of this library: its law in closed form, and the weights that a pass of a prediction has."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.families.regression import Regression


class LibraryRegression:
    """`LinearGaussian` for the numbers, and the layer with its procedure `ClosedForm` for the draws."""

    def __init__(self, description: Regression) -> None:
        from bayesnoise import linear_regression, maps
        from bayesnoise.procedures import ClosedForm

        d = self.description = description
        self._layer: Any = linear_regression(maps.Dense(d.inputs, d.outputs), bias="none")
        self._procedure = ClosedForm(mean_field=d.kind == "mean_field")
        self.seed(0)

    @property
    def abilities(self) -> frozenset[str]:
        """All but the gap of a law that has none."""
        able = {"seed", "load", "sample", "evaluate", "sample_with_noise", "kl"}
        able |= {"predictive_variance", "covariance", "log_evidence", "elbo"}
        return frozenset(able | {"gap"} if self.description.kind == "mean_field" else able)

    def seed(self, seed: int) -> None:
        """Take a fresh source of random arrays."""
        from bayesnoise_backends import rng

        self._rng = rng(seed, like=np.zeros((), dtype=self.description.dtype))

    def _fresh(self) -> Any:
        self._rng, now = self._rng.split(2)
        return now

    def load(self, parameters: dict[str, Array]) -> None:
        """Find the law."""
        from bayesnoise.linear_gaussian import LinearGaussian

        prior = parameters["prior_scale"]
        scales = prior.copy() if self.description.prior_scales == "each" else float(prior[0])
        self._model = LinearGaussian(float(parameters["noise_scale"][0]), scales)
        self._data = parameters["x"].copy(), parameters["y"].copy()
        law = self._model.mean_field if self.description.kind == "mean_field" else self._model.posterior
        self._law = law(*self._data)

    def _shown(self) -> Any:
        """What predicts."""
        from bayesnoise.objective import ModelParams
        from bayesnoise.posteriors.point import PointParams
        from bayesnoise.procedures.closed_form import ClosedFormParams

        return ClosedFormParams(ModelParams(PointParams(self._law.mean), ()), self._law)

    def _pass(self, params: Any, source: Any, x: Array) -> Array:
        noise = self._layer.draw(source, params, x.shape, like=x)
        return np.array(self._layer.forward(params, noise, x)[0])

    def sample(self, x: Array) -> Array:
        """One pass of a prediction."""
        ((params, source),) = self._procedure.draws(self._shown(), self._fresh(), 1)
        return self._pass(params.layer, source, x)

    def evaluate(self, x: Array) -> Array:
        """The layer at the mean of the law."""
        return np.array(self._layer.predict(self._shown().params.layer, x))

    def sample_with_noise(self, x: Array, noise: dict[str, Array]) -> Array:
        """The layer at the weights of given noise."""
        from bayesnoise import linear_law
        from bayesnoise.posteriors.point import PointParams

        return self._pass(PointParams(linear_law.sample(self._law, noise["eps"])), self._fresh(), x)

    def predictive_variance(self, x: Array) -> Array:
        """Of new targets."""
        return np.asarray(self._model.predict(self._law, x).variance)

    def covariance(self) -> Array:
        """Of the weights."""
        from bayesnoise import linear_law

        return np.asarray(linear_law.covariance(self._law))

    def log_evidence(self) -> Array:
        """Of the data."""
        return np.asarray(self._model.log_evidence(*self._data))

    def elbo(self) -> Array:
        """Of the law."""
        return np.asarray(self._model.elbo(self._law, *self._data))

    def gap(self) -> Array:
        """From the best law of independent weights to the posterior."""
        return np.asarray(self._model.mean_field_gap(*self._data).gap)

    def kl(self) -> float:
        """That which a fit reports."""
        return self._procedure.kl(self._layer, self._shown(), self._data[0], self._fresh())


def linear_regression(
    *,
    kind: Literal["exact", "mean_field"] = "exact",
    inputs: int = 3,
    outputs: int = 2,
    prior_scales: Literal["one", "each"] = "each",
    dtype: Literal["float32", "float64"] = "float64",
) -> LibraryRegression:
    """The method and `bayesnoise.linear_gaussian`, with the posterior or with the best independent law."""
    sizes = {"inputs": inputs, "outputs": outputs}
    what = Regression(kind=kind, prior_scales=prior_scales, dtype=dtype, name="library:linear_regression", **sizes)
    return LibraryRegression(what)
