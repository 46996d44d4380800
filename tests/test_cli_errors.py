"""What the command line refuses: one line, exit code 2, no traceback."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_runs import fit, refused, run
from tables import BAD_TABLES

from bayesnoise import checkpoints


def test_resuming_something_else_is_refused(tmp_path: Path) -> None:
    assert "holds no model.safetensors" in refused(fit(tmp_path / "none", "--resume"))
    table = tmp_path / "t.csv"
    table.write_text("a,t\n" + "".join(f"{i},{i}.5\n" for i in range(20)))
    assert fit(tmp_path / "run", "--target", "t", data=str(table)).exit_code == 0
    message = refused(fit(tmp_path / "run", "--target", "t", "--batch", 3, "--resume", data=str(table)))
    assert message == "batch is 3, and 32 in the checkpoint: --resume goes on with the same options"
    table.write_text("a,t\n" + "".join(f"{i},{i}.25\n" for i in range(20)))
    assert "has changed since the checkpoint" in refused(
        fit(tmp_path / "run", "--target", "t", "--resume", data=str(table))
    )


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables_are_one_line(tmp_path: Path, name: str) -> None:
    text, expected = BAD_TABLES[name]
    path = tmp_path / "table.csv"
    path.write_text(text)
    assert re.search(expected, refused(fit(tmp_path / "run", "--target", "t", data=str(path))))


BAD_OPTIONS = {
    "method": (("--method", "flipuot"), "did you mean flipout?"),
    "hidden": (("--hidden", "5,x"), "hidden is '5,x', expected integers"),
    "negative hidden": (("--hidden", "-5"), "hidden is -5, expected at least 1"),
    "prior": (("--prior-scale", "-1"), "prior_scale is -1.0, expected a finite number above 0"),
    "rate": (("--method", "dropout", "--rate", "1"), "rate is 1.0, expected a probability in [0, 1)"),
    "wrong rate": (("--rate", "0.1"), "rate is 0.1, which the method flipout does not take"),
    "wrong members": (("--members", "3"), "members is 3, which the method flipout does not take"),
    "wrong rank": (("--method", "deep_ensemble", "--rank", "3"), "rank is 3, which the method deep_ensemble does not"),
    "members": (("--method", "deep_ensemble", "--members", "0"), "members is 0, expected at least 1"),
    "rank": (("--method", "swag", "--rank", "1"), "rank is 1, expected at least 2"),
    "rank of a joint law": (
        ("--method", "slang", "--hidden", "0", "--rank", "16"),
        "rank is 16, expected at most 15, the largest rank for the joint law of 15 parameters",
    ),
    "begin": (("--method", "swag", "--begin", "1"), "begin is 1.0, expected a probability in [0, 1)"),
    "adversarial": (("--method", "deep_ensemble", "--adversarial", "-1"), "adversarial is -1.0, expected a finite"),
    "prior of a procedure": (
        ("--method", "ivon", "--prior-scale", "0"),
        "prior_scale is 0.0, expected a finite number",
    ),
    "learning rate": (("--learning-rate", "nan"), "learning_rate is nan"),
    "backend": (
        ("--backend", "nunpy"),
        "backend is 'nunpy', expected one of numpy, cupy, torch, jax; did you mean numpy or cupy?",
    ),
    "likelihood": (("--likelihood", "learned"), "likelihood is 'learned', which is not for classification"),
    "noise": (("--likelihood", "fixed"), "takes a noise scale"),
    "patience": (("--patience", "3"), "patience is given without validation"),
    "validation": (("--validation", "1"), "validation is 1.0, expected a probability in [0, 1)"),
    "dtype": (("--dtype", "float16"), "dtype is 'float16', expected one of float32, float64"),
    "split": (("--task", "regression"), "expected numbers for regression"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_options_are_one_line(tmp_path: Path, name: str) -> None:
    options, expected = BAD_OPTIONS[name]
    assert expected in refused(run("fit", "sklearn:iris", "--epochs", 1, "--out", tmp_path, *options))


def test_a_learned_rate_is_named_as_the_option(tmp_path: Path) -> None:
    message = refused(fit(tmp_path, "--method", "concrete_dropout", "--rate", "1"))
    assert message == "rate is 1.0, expected a probability strictly between 0 and 1"


def test_a_lost_loss_is_one_line(tmp_path: Path) -> None:
    with np.errstate(all="ignore"):
        result = fit(tmp_path, "--learning-rate", "1e30", data="sklearn:diabetes", epochs=5)
    assert "lower the learning rate" in refused(result)


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty", "other"])
def test_damaged_models_are_refused(tmp_path: Path, damage: str) -> None:
    assert fit(tmp_path).exit_code == 0
    path = tmp_path / "model.safetensors"
    content = path.read_bytes()
    if damage == "other":
        checkpoints.save(path, (np.ones(3),), {"made": "by hand"})
    else:
        path.write_bytes({"truncated": content[:-7], "foreign": b"not a model", "empty": b""}[damage])
    assert "model.safetensors" in refused(run("predict", tmp_path, "sklearn:iris", "--out", tmp_path / "p.csv"))
    assert not (tmp_path / "p.csv").exists()


def test_predicting_from_other_columns_is_refused(tmp_path: Path) -> None:
    assert "holds no model.safetensors" in refused(run("predict", tmp_path, "sklearn:iris"))
    assert fit(tmp_path).exit_code == 0
    assert "has 13 features, expected 4" in refused(run("predict", tmp_path, "sklearn:wine"))


def test_usage_errors_exit_with_two() -> None:
    for arguments in (("fit",), ("fit", "sklearn:iris", "--bogus"), ("fit", "sklearn:iris", "--epochs", "0"), ("fat",)):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "Traceback" not in result.output


def test_a_subprocess_ends_with_one_line_and_two() -> None:
    command = [sys.executable, "-m", "bayesnoise", "fit", "sklearn:digit"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "error: the name after sklearn: is 'digit', expected one of breast_cancer, diabetes, digits, iris, wine; "
        "did you mean digits?\n"
    )
