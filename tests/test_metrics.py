"""Scores against their literal definitions, closed forms on exact quantile grids, and refusals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bayesnoise import metrics


def exactly(x: float) -> Any:
    return pytest.approx(x, rel=1e-12, abs=1e-12)


seeds = st.integers(0, 2**32 - 1)
tied_scores = st.lists(st.integers(-3, 3).map(lambda i: 0.1 * i), min_size=1, max_size=25).map(np.asarray)


def _rows(rng: np.random.Generator, *shape: int, coarse: bool = False) -> Any:
    """Probabilities along the last axis; coarse ones are ninths, with zeros and many ties."""
    if coarse:
        return rng.multinomial(9, [1 / shape[-1]] * shape[-1], size=shape[:-1]) / 9
    return rng.dirichlet([0.5] * shape[-1], size=shape[:-1])


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 6), st.integers(1, 5), st.integers(1, 3))
def test_regression_scores(seed: int, t: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    means, targets = rng.normal(size=(t, n, k)), rng.normal(size=(n, k))
    variances, scale = rng.uniform(0.1, 3.0, size=(t, n, k)), rng.uniform(0.2, 5.0, size=k)
    expected = oracle.mean_log_likelihood(means, variances, targets, scale)
    assert metrics.mean_log_likelihood(means, variances, targets, target_scale=scale) == exactly(expected)
    expected = oracle.rmse(means[0], targets, scale)
    assert metrics.rmse(means[0], targets, target_scale=scale) == exactly(expected)


def test_one_output_may_leave_out_its_axis() -> None:
    rng = np.random.default_rng(0)
    means, variances, targets = rng.normal(size=(4, 5)), rng.uniform(0.5, 1, size=(4, 5)), rng.normal(size=5)
    flat = metrics.mean_log_likelihood(means, variances, targets, target_scale=2.0)
    assert flat == metrics.mean_log_likelihood(
        means[..., None], variances[..., None], targets[:, None], target_scale=[2.0]
    )
    assert metrics.rmse(means[0], targets) == metrics.rmse(means[0][:, None], targets[:, None])
    one = metrics.mean_log_likelihood(means, 0.7, targets)
    assert one == metrics.mean_log_likelihood(means, np.full_like(means, 0.7), targets)


def test_standardising_the_targets_does_not_change_the_score() -> None:
    rng = np.random.default_rng(1)
    means, variances, targets = rng.normal(size=(4, 9)), rng.uniform(0.5, 1, size=(4, 9)), rng.normal(size=9)
    own = metrics.mean_log_likelihood(7 + 3 * means, 9 * variances, 7 + 3 * targets)
    assert metrics.mean_log_likelihood(means, variances, targets, target_scale=3.0) == exactly(own)


def test_a_target_far_from_every_pass_has_a_finite_log_density() -> None:
    far = metrics.mean_log_likelihood([[0.0], [1.0]], 1.0, [1e4])  # exp underflows: the mean must be of logarithms
    nearest = -0.5 * (1e4 - 1) ** 2 - 0.5 * math.log(2 * math.pi) - math.log(2)
    assert far == pytest.approx(nearest, rel=1e-15)
    assert metrics.mean_log_likelihood([[0.0]], 1e-300, [1e10]) == -math.inf


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 5), st.integers(1, 12), st.integers(1, 4), st.booleans())
def test_classification_scores(seed: int, t: int, n: int, k: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    p, labels = _rows(rng, n, k, coarse=coarse), rng.integers(0, k, n)
    assert metrics.accuracy(p, labels) == oracle.accuracy(p, labels)
    assert metrics.brier(p, labels) == exactly(oracle.brier(p, labels))
    sampled = _rows(rng, t, n, k) * (1 - 1e-3) + 1e-3 / k
    assert metrics.nll(np.log(sampled), labels) == exactly(oracle.nll(sampled, labels))


def test_nll_is_of_the_mean_probability() -> None:
    log_p = np.log([[[0.9, 0.1]], [[0.1, 0.9]]])
    assert metrics.nll(log_p, [0]) == exactly(math.log(2))
    with np.errstate(divide="ignore"):
        certain = np.log([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert metrics.nll(certain, [0]) == exactly(math.log(2))
    assert metrics.nll(certain[:1], [1]) == math.inf


def test_brier_is_between_0_and_2() -> None:
    assert metrics.brier([[1.0, 0.0]], [0]) == 0
    assert metrics.brier([[1.0, 0.0]], [1]) == 2


@settings(deadline=None, max_examples=80)
@given(seeds, st.integers(1, 30), st.integers(1, 4), st.integers(1, 15), st.booleans())
def test_calibration_error(seed: int, n: int, k: int, bins: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    p, labels = _rows(rng, n, k, coarse=coarse), rng.integers(0, k, n)
    expected = oracle.expected_calibration_error(p, labels, bins)
    assert metrics.expected_calibration_error(p, labels, bins=bins) == exactly(expected)


def test_reliability_table_on_its_own_edges() -> None:
    top = np.arange(8, 16) / 15  # confidences on the upper edges of bins 7 to 14
    p = np.stack([top, 1 - top], axis=-1)
    table = metrics.reliability_table(p, np.zeros(8, dtype=int))
    np.testing.assert_array_equal(table.examples, [0] * 7 + [1] * 8)
    np.testing.assert_array_equal(table.confidence[7:], top)
    np.testing.assert_array_equal(table.accuracy[7:], 1.0)
    np.testing.assert_array_equal(np.stack([table.accuracy, table.confidence])[:, :7], np.nan)
    np.testing.assert_array_equal(table.upper[:-1], table.lower[1:])


def test_a_confidence_of_just_above_1_is_in_the_last_bin() -> None:
    table = metrics.reliability_table([[1.0 + 1e-6, 0.0]], [0])  # to the rounding of a lower precision
    assert table.examples[14] == np.sum(table.examples) == 1


def test_a_calibrated_table_has_no_error() -> None:
    p = np.tile([[0.75, 0.25]], (4, 1))
    assert metrics.expected_calibration_error(p, [0, 0, 0, 1]) == 0
    assert metrics.expected_calibration_error(p, [0, 0, 0, 0]) == 0.25


def test_interval_coverage_counts_both_ends() -> None:
    assert metrics.interval_coverage([0.0, 0, 0, 0], [1.0, 1, 1, 1], [0.0, 1, 2, 0.5]) == 0.75


@settings(deadline=None, max_examples=150)
@given(tied_scores, tied_scores)
def test_out_of_distribution_scores(inside: Any, outside: Any) -> None:
    assert metrics.auroc(inside, outside) == oracle.auroc(inside, outside)
    assert metrics.aupr_in(inside, outside) == exactly(oracle.average_precision(inside, outside))
    assert metrics.aupr_out(inside, outside) == exactly(oracle.average_precision(-outside, -inside))
    assert metrics.fpr_at_95_tpr(inside, outside) == oracle.fpr_at_95_tpr(inside, outside)
    assert metrics.detection_error(inside, outside) == exactly(oracle.detection_error(inside, outside))


@settings(deadline=None, max_examples=40)
@given(tied_scores, tied_scores)
def test_out_of_distribution_scores_agree_with_scikit_learn(inside: Any, outside: Any) -> None:
    scikit = pytest.importorskip("sklearn.metrics", reason="a third way, only where scikit-learn is installed")
    scores = np.concatenate([inside, outside])
    is_in = np.repeat([1, 0], [inside.size, outside.size])
    assert metrics.auroc(inside, outside) == exactly(scikit.roc_auc_score(is_in, scores))
    assert metrics.aupr_in(inside, outside) == exactly(scikit.average_precision_score(is_in, scores))
    assert metrics.aupr_out(inside, outside) == exactly(scikit.average_precision_score(1 - is_in, -scores))


def test_exactly_95_of_100_is_enough() -> None:
    inside = np.concatenate([np.full(95, 2.0), np.zeros(5)])
    assert metrics.fpr_at_95_tpr(inside, [1.0, 3.0]) == 0.5
    assert metrics.fpr_at_95_tpr(inside[1:], [1.0, 3.0]) == 1.0  # 94 of 99 is not


def test_scores_that_tell_nothing_and_everything() -> None:
    same = np.zeros(4)
    assert (metrics.auroc(same, same), metrics.detection_error(same, same), metrics.aupr_in(same, same)) == (0.5,) * 3
    assert metrics.detection_error([0.0], [1.0]) == 0.5  # worse than chance: reject everything instead
    apart = np.asarray([1.0, 2.0]), np.asarray([-1.0])
    assert metrics.auroc(*apart) == metrics.aupr_in(*apart) == metrics.aupr_out(*apart) == 1
    assert metrics.detection_error(*apart) == metrics.fpr_at_95_tpr(*apart) == 0


@pytest.mark.parametrize("d", [0.5, 1.0, 2.5])
def test_normal_scores_have_their_closed_forms(d: float) -> None:
    """The grid of n mid-quantiles has a CDF within 1/(2n) of the normal one, so every rate is within 1/n."""
    n = 100_000
    grid = norm.ppf((np.arange(n) + 0.5) / n)
    assert metrics.auroc(grid + d, grid) == pytest.approx(norm.cdf(d / math.sqrt(2)), rel=0, abs=1 / n)
    assert metrics.detection_error(grid + d, grid) == pytest.approx(norm.cdf(-d / 2), rel=0, abs=1 / n)
    # At the threshold z with TPR .95 to 1/n: the FPR moves by at most phi(z) / phi(z - d) times that.
    z = norm.ppf(0.05) + d
    slack = float(1 + norm.pdf(z) / norm.pdf(z - d)) / n
    assert metrics.fpr_at_95_tpr(grid + d, grid) == pytest.approx(norm.sf(z), rel=0, abs=1.01 * slack)


REFUSED: list[tuple[str, Callable[[], float], type[Exception]]] = [
    ("mean", lambda: metrics.rmse([[[1.0]]], [[[1.0]]]), ValueError),
    ("mean", lambda: metrics.rmse(["a"], [1.0]), TypeError),
    ("mean", lambda: metrics.rmse([1j], [1.0]), TypeError),
    ("mean", lambda: metrics.rmse([], []), ValueError),
    ("targets", lambda: metrics.rmse([1.0], [1.0, 2.0]), ValueError),
    (r"targets\[1\] is nan", lambda: metrics.rmse([1.0, 2.0], [1.0, math.nan]), ValueError),
    ("target_scale", lambda: metrics.rmse([1.0], [1.0], target_scale=0.0), ValueError),
    ("target_scale", lambda: metrics.rmse([1.0], [1.0], target_scale=[1.0, 2.0]), ValueError),
    ("means", lambda: metrics.mean_log_likelihood([1.0], [1.0], [1.0]), ValueError),
    ("variances", lambda: metrics.mean_log_likelihood([[1.0]], [[0.0]], [1.0]), ValueError),
    ("variances", lambda: metrics.mean_log_likelihood([[1.0]], [1.0], [1.0]), ValueError),
    ("targets", lambda: metrics.mean_log_likelihood([[1.0]], [[1.0]], [[1.0]]), ValueError),
    ("log_probabilities", lambda: metrics.nll([[0.0]], [0]), ValueError),
    (r"log_probabilities\[0, 0, 1\] is nan", lambda: metrics.nll([[[0.0, math.nan]]], [0]), ValueError),
    ("log-softmax", lambda: metrics.nll([[[2.0, -1.0]]], [0]), ValueError),
    ("log-softmax", lambda: metrics.nll([[[-1.0, -1.0]]], [0]), ValueError),
    ("labels has shape", lambda: metrics.nll([[[0.0]]], [[0]]), ValueError),
    ("labels", lambda: metrics.accuracy([[0.5, 0.5]], [0.0]), TypeError),
    (r"labels\[0\] is 2", lambda: metrics.accuracy([[0.5, 0.5]], [2]), ValueError),
    (r"labels\[0\] is -1", lambda: metrics.brier([[0.5, 0.5]], [-1]), ValueError),
    ("sum over classes", lambda: metrics.brier([[0.5, 0.6]], [0]), ValueError),
    (r"probabilities\[0, 1\] is -0.1", lambda: metrics.accuracy([[1.0, -0.1]], [0]), ValueError),
    ("bins", lambda: metrics.expected_calibration_error([[1.0]], [0], bins=0), ValueError),
    (r"lower\[0\]", lambda: metrics.interval_coverage([1.0], [0.0], [0.0]), ValueError),
    ("upper", lambda: metrics.interval_coverage([1.0], [2.0, 3.0], [0.0]), ValueError),
    ("in_scores", lambda: metrics.auroc([], [1.0]), ValueError),
    ("out_scores", lambda: metrics.aupr_in([1.0], [math.nan]), ValueError),
    ("out_scores", lambda: metrics.aupr_out([1.0], [[1.0]]), ValueError),
    ("in_scores", lambda: metrics.fpr_at_95_tpr([math.inf], [1.0]), ValueError),
    ("in_scores", lambda: metrics.detection_error(1.0, [1.0]), ValueError),
]


@pytest.mark.parametrize(("words", "call", "error"), REFUSED)
def test_refusals_name_the_argument(words: str, call: Callable[[], float], error: type[Exception]) -> None:
    with pytest.raises(error, match=words):
        call()


def test_inputs_of_other_precisions_are_scored_in_double_and_left_alone() -> None:
    p = np.asarray([[0.7, 0.3], [0.2, 0.8]], dtype=np.float32)
    p.flags.writeable = False
    assert metrics.brier(p, np.asarray([0, 1], dtype=np.uint8)) == oracle.brier(
        p.astype(np.float64), np.asarray([0, 1])
    )
