"""Negative log-likelihoods: what a network's outputs say about its targets."""

from bayesnoise.losses.bernoulli import Bernoulli
from bayesnoise.losses.categorical import Categorical
from bayesnoise.losses.gaussian import Gaussian, Heteroscedastic, LearnedGaussian, LearnedGaussianParams
from bayesnoise.losses.loss import Classification, Loss, Regression
from bayesnoise.losses.mixture import Mixture
from bayesnoise.losses.poisson import Poisson

__all__ = [
    "Bernoulli",
    "Categorical",
    "Classification",
    "Gaussian",
    "Heteroscedastic",
    "LearnedGaussian",
    "LearnedGaussianParams",
    "Loss",
    "Mixture",
    "Poisson",
    "Regression",
]
