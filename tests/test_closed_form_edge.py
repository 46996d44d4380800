"""What linear regression by `fit` is not for, what it says of wrong arguments, and how the command line runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_runs import FAST, refused, run
from linear_fits import LAYER, X, Y, fitted

import bayesnoise as bn
from bayesnoise.drawn import Drawn
from bayesnoise.losses import Categorical, Gaussian, Heteroscedastic, LearnedGaussian
from bayesnoise.maps import Conv, Dense
from bayesnoise.procedures import ClosedForm

ONE_LAYER = "one dense layer of ordinary weights"


@pytest.mark.parametrize(
    ("layer", "loss", "reason"),
    [
        (bn.networks.mlp(bn.linear_regression, (3, 4, 1)), Gaussian(), ONE_LAYER),
        (bn.dropout(Dense(3, 1), rate=0.2), Gaussian(), ONE_LAYER),
        (bn.flipout(Dense(3, 1)), Gaussian(), ONE_LAYER),
        (bn.linear_regression(Conv(3, 1, (1,))), Gaussian(), ONE_LAYER),
        (Drawn(LAYER), Gaussian(), ONE_LAYER),
        (LAYER, Heteroscedastic(), r"the loss is Heteroscedastic\("),
        (LAYER, Categorical(), r"the loss is Categorical\(\)"),
    ],
)
def test_what_it_is_not_for(layer: Any, loss: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"procedure is ClosedForm\(.*wrong for this network and loss: .*{reason}"):
        fitted(loss=loss, layer=layer)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ClosedForm(0.0), ValueError, "prior_scale is 0.0, expected a finite number above 0"),
        (lambda: fitted(kl_weight=0.0), ValueError, "kl_weight is 0.0, expected a finite number above 0"),
        (lambda: fitted(y=Y[:, [0, 0]]), ValueError, r"y has shape \(20, 2\), expected \(20, 1\)"),
        (lambda: fitted(x=X[:, :2]), ValueError, r"x has shape \(20, 2\), expected \(n, ..., 3\)"),
        (lambda: fitted(x=X[:, None, :], y=Y[:, :, None]), ValueError, r"x has shape \(20, 1, 4\), expected two axes"),
        (
            lambda: fitted(loss=LearnedGaussian(), y=0.0 * Y),
            FloatingPointError,
            "the noise learned by epoch 1 has the scale .* give its scale, with the loss Gaussian",
        ),
    ],
)
def test_wrong_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_the_command_line_compares_it(tmp_path: Path) -> None:
    """On regression it has no hidden layer, whatever the others have; for classes it is left out with the reason."""
    options = ("--methods", "linear_regression,deterministic", "--epochs", "3", "--jobs", "1")
    out = tmp_path / "runs.json"
    choices = ("--prior-scale", "0.01,1", "--json", out)
    result = run("compare", "sklearn:diabetes", *options, *FAST, *choices)
    assert result.exit_code == 0, result.output
    runs = {r["method"]: r for r in json.loads(out.read_text())["runs"]}
    assert runs["linear_regression"]["chosen"] == {"prior_scale": 1.0}  # 0.01 keeps the weights near 0
    assert 0 < runs["linear_regression"]["metrics"]["rmse"] < 70  # the targets have the standard deviation 77
    left = run("compare", "sklearn:iris", *options, *FAST)
    assert left.exit_code == 0
    assert "linear_regression split 0: left out: linear_regression is not for this: it is regression" in left.stdout
    alone = run("fit", "sklearn:iris", "--method", "linear_regression")
    assert "it is regression with Gaussian noise" in refused(alone)


def test_a_model_in_a_folder_predicts(tmp_path: Path) -> None:
    options = ("--method", "linear_regression", "--epochs", "3", "--out", tmp_path, *FAST)
    assert run("fit", "sklearn:diabetes", *options).exit_code == 0
    assert json.loads((tmp_path / "report.json").read_text())["settings"]["hidden"] == []
    result = run("predict", tmp_path, "sklearn:diabetes", "--backend", "torch", "--out", tmp_path / "p.csv")
    assert result.exit_code == 0, result.output
