"""Scores and uncertainties by their definitions: a loop over examples, passes, pairs, bins and thresholds."""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import norm

from bayesnoise_reference._typing import Array


def rmse(mean: Array, targets: Array, target_scale: Array) -> float:
    """The root of the mean squared error in the target's own units: `(n, k), (n, k), (k,)`."""
    squares = []
    for row, target in zip(mean, targets, strict=True):
        for f, y, scale in zip(row, target, target_scale, strict=True):
            squares.append((scale * y - scale * f) ** 2)
    return math.sqrt(math.fsum(squares) / len(squares))


def mean_log_likelihood(means: Array, variances: Array, targets: Array, target_scale: Array) -> float:
    """The mean log-density of `scale * y` under the mixture of `N(scale * f_t, (scale * s_t)^2)`.

    `(t, n, k), (t, n, k), (n, k), (k,)`; one mixture an example and output.
    """
    t, n, k = means.shape
    scores = []
    for i in range(n):
        for j in range(k):
            c = float(target_scale[j])
            densities = [
                norm.pdf(c * targets[i, j], loc=c * means[s, i, j], scale=c * math.sqrt(variances[s, i, j]))
                for s in range(t)
            ]
            scores.append(math.log(math.fsum(densities) / t))
    return math.fsum(scores) / len(scores)


def nll(probabilities: Array, labels: Array) -> float:
    """The mean of `-log` of the mean over passes of the probability of the label: `(t, n, k), (n,)`."""
    t = len(probabilities)
    scores = [-math.log(math.fsum(probabilities[s, i, label] for s in range(t)) / t) for i, label in enumerate(labels)]
    return math.fsum(scores) / len(scores)


def accuracy(probabilities: Array, labels: Array) -> float:
    """The share of rows whose first largest entry is the label's: `(n, k), (n,)`."""
    hits = 0
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        hits += row.index(max(row)) == int(label)
    return hits / len(labels)


def brier(probabilities: Array, labels: Array) -> float:
    """The mean squared distance to the corner of the simplex at the label: `(n, k), (n,)`."""
    distances = []
    for row, label in zip(probabilities, labels, strict=True):
        distances.append(math.fsum((p - (1.0 if c == label else 0.0)) ** 2 for c, p in enumerate(row)))
    return math.fsum(distances) / len(distances)


def expected_calibration_error(probabilities: Array, labels: Array, bins: int) -> float:
    """The mean over examples of the gap of their bin (b/bins, (b+1)/bins]; confidence 0 is in the first."""
    n = len(labels)
    total = 0.0
    for b in range(bins):
        inside = []
        for row, label in zip(probabilities, labels, strict=True):
            confidence = max(row)
            if b / bins < confidence <= (b + 1) / bins or (b == 0 and confidence == 0):
                first = next(c for c, p in enumerate(row) if p == confidence)
                inside.append((confidence, 1.0 if first == label else 0.0))
        if inside:
            mean_confidence = math.fsum(c for c, _ in inside) / len(inside)
            mean_accuracy = math.fsum(a for _, a in inside) / len(inside)
            total += len(inside) / n * abs(mean_accuracy - mean_confidence)
    return total


def auroc(in_scores: Array, out_scores: Array) -> float:
    """Wins of "in" over all pairs, a tie counting half."""
    wins = 0.0
    for a in in_scores:
        for b in out_scores:
            wins += 1.0 if a > b else 0.5 if a == b else 0.0
    return wins / (len(in_scores) * len(out_scores))


def rates(in_scores: Array, out_scores: Array) -> list[tuple[int, int]]:
    """How many of "in" and of "out" score at least s, for every score s from the highest to the lowest."""
    thresholds = sorted({float(s) for s in [*in_scores, *out_scores]}, reverse=True)
    return [(sum(a >= s for a in in_scores), sum(b >= s for b in out_scores)) for s in thresholds]


def average_precision(positive: Array, negative: Array) -> float:
    """The sum over thresholds of precision times the recall gained."""
    area, earlier = 0.0, 0.0
    for true, false in rates(positive, negative):
        recall = true / len(positive)
        area += (recall - earlier) * (true / (true + false))
        earlier = recall
    return area


def fpr_at_95_tpr(in_scores: Array, out_scores: Array) -> float:
    """The false positive rate at the first threshold with at least 19 of 20 of "in" accepted."""
    return next(
        false / len(out_scores) for true, false in rates(in_scores, out_scores) if 20 * true >= 19 * len(in_scores)
    )


def detection_error(in_scores: Array, out_scores: Array) -> float:
    """The least error of a threshold when "in" and "out" are equally likely; rejecting all is a threshold too."""
    n, m = len(in_scores), len(out_scores)
    return min(0.5 * (1 - true / n) + 0.5 * false / m for true, false in [(0, 0), *rates(in_scores, out_scores)])


def mixture_cdf(x: float, means: Array, scales: Array) -> float:
    """`P(y <= x)` of an equal mixture of Gaussians: `(t,), (t,)`."""
    return float(sum(norm.cdf(x, loc=m, scale=s) for m, s in zip(means, scales, strict=True)) / len(means))


def mixture_moments(means: Array, scales: Array) -> tuple[float, float]:
    """Mean and variance of an equal mixture of Gaussians, by Gauss-Hermite nodes: `(t,), (t,)`."""
    nodes, weights = hermegauss(8)
    points = [(m + s * z, w) for m, s in zip(means, scales, strict=True) for z, w in zip(nodes, weights, strict=True)]
    mass = math.fsum(w for _, w in points)
    mean = math.fsum(w * y for y, w in points) / mass
    return mean, math.fsum(w * (y - mean) ** 2 for y, w in points) / mass


def entropy(probabilities: Array) -> float:
    """`-sum p log p` in nats over the classes that occur: `(k,)`."""
    return -math.fsum(p * math.log(p) for p in probabilities if p > 0)


def mutual_information(probabilities: Array) -> float:
    """Of the class and the pass, from their joint law `p_t(c) / t`: `(t, k)`."""
    t = len(probabilities)
    joint = np.asarray(probabilities) / t
    of_class, of_pass = joint.sum(axis=0), joint.sum(axis=1)
    return math.fsum(
        joint[s, c] * math.log(joint[s, c] / (of_class[c] * of_pass[s]))
        for s in range(t)
        for c in range(joint.shape[1])
        if joint[s, c] > 0
    )
