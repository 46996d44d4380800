"""Laws of the weights."""

from bayesnoise.posteriors.additive import Additive, AdditiveParams
from bayesnoise.posteriors.gaussian import Gaussian, GaussianParams, LogSigmaGaussian, LogSigmaParams
from bayesnoise.posteriors.law import Coordinates, Law, Posterior, Traits
from bayesnoise.posteriors.multiplicative import Multiplicative, MultiplicativeParams
from bayesnoise.posteriors.point import Point, PointParams

__all__ = [
    "Additive",
    "AdditiveParams",
    "Coordinates",
    "Gaussian",
    "GaussianParams",
    "Law",
    "LogSigmaGaussian",
    "LogSigmaParams",
    "Multiplicative",
    "MultiplicativeParams",
    "Point",
    "PointParams",
    "Posterior",
    "Traits",
]
