"""Scores of predictions, on the host and in float64."""

from bayesnoise.metrics.calibration import (
    ReliabilityTable,
    expected_calibration_error,
    interval_coverage,
    reliability_table,
)
from bayesnoise.metrics.classification import accuracy, brier, nll
from bayesnoise.metrics.out_of_distribution import aupr_in, aupr_out, auroc, detection_error, fpr_at_95_tpr
from bayesnoise.metrics.regression import mean_log_likelihood, rmse

__all__ = [
    "ReliabilityTable",
    "accuracy",
    "aupr_in",
    "aupr_out",
    "auroc",
    "brier",
    "detection_error",
    "expected_calibration_error",
    "fpr_at_95_tpr",
    "interval_coverage",
    "mean_log_likelihood",
    "nll",
    "reliability_table",
    "rmse",
]
