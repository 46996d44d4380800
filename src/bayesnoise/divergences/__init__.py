"""From the law of the weights to their prior."""

from bayesnoise.divergences.alpha_divergence import AlphaDivergence
from bayesnoise.divergences.ard import ARD
from bayesnoise.divergences.divergence import Divergence
from bayesnoise.divergences.gaussian import GaussianKL
from bayesnoise.divergences.kingma import Kingma
from bayesnoise.divergences.l2 import L2
from bayesnoise.divergences.laplace import Laplace
from bayesnoise.divergences.log_normal_gamma import LogNormalGamma
from bayesnoise.divergences.log_uniform import LogUniform
from bayesnoise.divergences.molchanov import Molchanov
from bayesnoise.divergences.multivariate_gaussian import (
    MultivariateGaussianGrad,
    multivariate_gaussian_kl,
    multivariate_gaussian_kl_grad,
)
from bayesnoise.divergences.radial import RadialKL
from bayesnoise.divergences.scale_mixture import ScaleMixture
from bayesnoise.divergences.zero import Zero

__all__ = [
    "ARD",
    "L2",
    "AlphaDivergence",
    "Divergence",
    "GaussianKL",
    "Kingma",
    "Laplace",
    "LogNormalGamma",
    "LogUniform",
    "Molchanov",
    "MultivariateGaussianGrad",
    "RadialKL",
    "ScaleMixture",
    "Zero",
    "multivariate_gaussian_kl",
    "multivariate_gaussian_kl_grad",
]
