"""Negative log-likelihoods of one example, each minus the log of the density or probability that defines it."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from scipy import special

from bayesnoise_reference._typing import Array
from bayesnoise_reference.activations import softplus

Number: TypeAlias = Any  # float, or complex when a complex step passes through


def _minus_log_normal(y: Number, mean: Number, sd: Number) -> Number:
    return (y - mean) ** 2 / (2 * sd**2) + np.log(sd) + np.log(2 * np.pi) / 2


def gaussian(f: Array, target: Array, scale: Number) -> Number:
    """`(k,), (k,)`: a product of normal densities with one standard deviation."""
    return sum(_minus_log_normal(target[k], f[k], scale) for k in range(len(target)))


def heteroscedastic_variance(raw: Array, minimum_variance: float) -> Array:
    return np.array([softplus(complex(r)) + minimum_variance for r in raw])


def heteroscedastic(f: Array, target: Array, minimum_variance: float) -> Number:
    """`(2k,), (k,)`: the same with a variance for each target, raw ones following the means in `f`."""
    k = len(target)
    variance = heteroscedastic_variance(f[k:], minimum_variance)
    return sum(_minus_log_normal(target[i], f[i], np.sqrt(variance[i])) for i in range(k))


def log_probability(f: Array, label: int) -> Number:
    """`(k,)`: with probabilities proportional to exp(f), that of one label is `1 / sum_j exp(f_j - f_label)`."""
    return -special.log1p(sum(np.exp(f[j] - f[label]) for j in range(len(f)) if j != label))


def categorical(f: Array, label: int) -> Number:
    """`(k,)` and one label."""
    return -log_probability(f, label)


def bernoulli(f: Array, target: Array) -> Number:
    """`(k,), (k,)` of zeros and ones: a product of probabilities of two classes, with logits 0 and f."""
    return sum(-log_probability(np.array([0.0, logit]), int(y)) for logit, y in zip(f, target, strict=True))


def poisson(f: Array, target: Array) -> Number:
    """`(k,), (k,)` of counts: a product of `rate^y exp(-rate) / y!`, the factorials as whole numbers."""
    total: Number = 0.0
    for log_rate, y in zip(f, target, strict=True):
        total -= int(y) * log_rate - np.exp(log_rate) - math.log(math.factorial(int(y)))
    return total
