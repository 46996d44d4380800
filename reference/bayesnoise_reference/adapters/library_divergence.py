"""The divergences of this library as adapters: of a posterior whose parameters are a mean and a log scale."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from bayesnoise_reference._typing import Array
from bayesnoise_reference.families.divergence import Divergence, Kind
from bayesnoise_reference.families.divergence_estimate import MixtureEstimate


class LibraryDivergence:
    """A divergence at the Gaussian posterior with parameters `mu` and `log_sigma`."""

    def __init__(self, divergence: Any, description: Divergence | MixtureEstimate) -> None:
        self.divergence, self.description = divergence, description
        self._law: Any = None
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Take a fresh source of random arrays."""
        from bayesnoise_backends import rng

        self._rng = rng(seed, like=np.zeros((), dtype=self.description.dtype))

    def load(self, parameters: dict[str, Array]) -> None:
        """Make a law of the mean and the scale."""
        from bayesnoise.posteriors import LogSigmaGaussian, LogSigmaParams
        from bayesnoise.posteriors.law import Law

        self._law = Law(LogSigmaGaussian(), LogSigmaParams(parameters["mean"], np.log(parameters["scale"])))

    def _eps(self) -> Array | None:
        if not self.divergence.monte_carlo:
            return None
        self._rng, now = self._rng.split(2)
        return np.asarray(now.normal(self._law.mean.shape, like=self._law.mean))

    def kl(self) -> float:
        return float(self.divergence.value(self._law, self._eps()))

    def kl_gradients(self) -> dict[str, Array]:
        """By the mean, and by the scale through its logarithm."""
        by_mean, by_log = self._law.posterior.pullback(self._law.params, self.divergence.grad(self._law, self._eps()))
        return {"mean": by_mean, "scale": by_log / self._law.scale}


def library_divergence(
    kind: Kind | Literal["scale_mixture"], *, dtype: Literal["float32", "float64"] = "float64"
) -> LibraryDivergence:
    """The divergence of a kind, with the numbers that its description has."""
    from bayesnoise import divergences

    if kind == "scale_mixture":
        of = MixtureEstimate(dtype=dtype)
        return LibraryDivergence(divergences.ScaleMixture(of.share, of.wide, of.narrow), of)
    d = Divergence(kind=kind, prior_mean=0.25 if kind == "gaussian" else 0.0, dtype=dtype, name=f"library:{kind}")
    made: dict[str, Any] = {
        "gaussian": divergences.GaussianKL(d.prior, d.prior_mean),
        "laplace": divergences.Laplace(d.prior),
        "log_uniform": divergences.LogUniform(),
        "ard": divergences.ARD(),
    }
    return LibraryDivergence(made[kind], d)
