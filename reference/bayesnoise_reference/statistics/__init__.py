"""Tests that are exact at finite n: each says how sure it is, and how small an effect it would have found."""

from bayesnoise_reference.statistics.binomial import binomial, coin, sign_test
from bayesnoise_reference.statistics.bounded import bennett_mean, bounded_mean
from bayesnoise_reference.statistics.catoni import CatoniProcess, catoni
from bayesnoise_reference.statistics.correlation import correlation
from bayesnoise_reference.statistics.counts import cell_counts
from bayesnoise_reference.statistics.equality_of_laws import equality_of_laws
from bayesnoise_reference.statistics.law import law, normal_law, uniform_law
from bayesnoise_reference.statistics.normal_mean import normal_mean
from bayesnoise_reference.statistics.normal_variance import normal_variance
from bayesnoise_reference.statistics.verdict import MISS, Verdict

__all__ = [
    "MISS",
    "CatoniProcess",
    "Verdict",
    "bennett_mean",
    "binomial",
    "bounded_mean",
    "catoni",
    "cell_counts",
    "coin",
    "correlation",
    "equality_of_laws",
    "law",
    "normal_law",
    "normal_mean",
    "normal_variance",
    "sign_test",
    "uniform_law",
]
