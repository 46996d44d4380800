"""Laws of the weights."""

from bayesnoise.posteriors.additive import Additive, AdditiveParams
from bayesnoise.posteriors.drop_connect import DropConnect
from bayesnoise.posteriors.gaussian import Gaussian, GaussianParams, LogSigmaGaussian, LogSigmaParams
from bayesnoise.posteriors.k_tied import KTied, KTiedParams
from bayesnoise.posteriors.law import Coordinates, Law, Posterior, Traits
from bayesnoise.posteriors.matrix_gaussian import MatrixGaussian, MatrixGaussianParams
from bayesnoise.posteriors.multiplicative import Multiplicative, MultiplicativeParams
from bayesnoise.posteriors.point import Point, PointParams
from bayesnoise.posteriors.radial import Radial, RadialNoise
from bayesnoise.posteriors.standard import Normal, Standard, TwoPoint

__all__ = [
    "Additive",
    "AdditiveParams",
    "Coordinates",
    "DropConnect",
    "Gaussian",
    "GaussianParams",
    "KTied",
    "KTiedParams",
    "Law",
    "LogSigmaGaussian",
    "LogSigmaParams",
    "MatrixGaussian",
    "MatrixGaussianParams",
    "Multiplicative",
    "MultiplicativeParams",
    "Normal",
    "Point",
    "PointParams",
    "Posterior",
    "Radial",
    "RadialNoise",
    "Standard",
    "Traits",
    "TwoPoint",
]
