"""`compare`: tables, choices, processes, interrupts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_runs import FAST, refused, run

from bayesnoise.cli import trials
from bayesnoise.cli.settings import Settings
from bayesnoise.methods import METHODS


def test_compare_shows_a_row_a_method_and_dumps_every_run(tmp_path: Path) -> None:
    out = tmp_path / "runs.json"
    options = ("--methods", "flipout,dropout,deterministic", "--splits", "0-1", "--epochs", "2", "--jobs", 1)
    result = run("compare", "sklearn:diabetes", *options, "--json", out, *FAST)
    assert result.exit_code == 0, result.output
    dump = json.loads(out.read_text())
    assert [(r["method"], r["split"]) for r in dump["runs"]] == [
        (m, k) for m in ("flipout", "dropout", "deterministic") for k in (0, 1)
    ]
    for name in ("flipout", "dropout", "deterministic"):
        values = [r["metrics"]["rmse"] for r in dump["runs"] if r["method"] == name]
        assert dump["summary"][name]["rmse"]["mean"] == pytest.approx(np.mean(values))
        assert dump["summary"][name]["rmse"]["standard_error"] == pytest.approx(np.std(values, ddof=1) / np.sqrt(2))
        assert f"{np.mean(values):.3f} ±" in result.stdout


def test_compare_chooses_on_a_validation_split(tmp_path: Path) -> None:
    out = tmp_path / "runs.json"
    choices = ("--prior-scale", "0.001,1", "--kl-weight", "0.1,1", "--rate", "0.05,0.9")
    options = ("--methods", "flipout,dropout", "--epochs", "5", "--jobs", 1, "--learning-rate", "0.05")
    assert run("compare", "sklearn:diabetes", *options, *choices, "--json", out, *FAST).exit_code == 0
    flipout, dropout = json.loads(out.read_text())["runs"]
    assert [set(v) for v in flipout["validation"]] == [{"prior_scale", "kl_weight", "log_likelihood"}] * 4
    assert [set(v) for v in dropout["validation"]] == [{"prior_scale", "kl_weight", "rate", "log_likelihood"}] * 8
    for record in (flipout, dropout):
        best = max(record["validation"], key=lambda v: v["log_likelihood"])
        assert record["chosen"] == {name: value for name, value in best.items() if name != "log_likelihood"}


def test_choices_that_make_no_difference_are_left_out() -> None:
    choices: trials.Choices = {"kl_weight": (0.1, 1.0), "rate": (0.1, 0.2)}
    base = Settings(data="sklearn:diabetes")
    counts = {m.name: len(trials.plan(base, [m.name], [0], choices)[0].candidates) for m in METHODS}
    assert counts["deterministic"] == 1
    assert counts["dropout"] == counts["gaussian_dropout"] == 2  # the rate alone: without a prior there is no KL
    assert counts["flipout"] == counts["sparse_variational_dropout"] == 2  # the KL weight alone
    assert (
        counts["ivon"] == counts["slang"] == counts["vadam"] == counts["vogn"] == 2
    )  # whose layers have no KL: their procedure has


def test_compare_in_processes_gives_the_same_numbers(tmp_path: Path) -> None:
    dumps = []
    for jobs in (1, 2):
        out = tmp_path / f"{jobs}.json"
        options = ("--methods", "flipout", "--splits", "0-1", "--epochs", "2", "--jobs", jobs, "--dtype", "float64")
        assert run("compare", "sklearn:diabetes", *options, "--json", out, *FAST).exit_code == 0
        dumps.append(sorted(json.loads(out.read_text())["runs"], key=lambda r: r["split"]))
    for a, b in zip(*dumps, strict=True):
        assert a["metrics"] == pytest.approx(b["metrics"], rel=1e-9)


def test_compare_interrupted_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trials.run

    def interrupt(trial: trials.Trial) -> trials.Result:
        if trial.settings.split == 1:
            raise KeyboardInterrupt
        return whole(trial)

    monkeypatch.setattr(trials, "run", interrupt)
    out = tmp_path / "runs.json"
    options = ("--methods", "flipout", "--splits", "0-2", "--epochs", "1", "--jobs", 1)
    result = run("compare", "sklearn:diabetes", *options, "--json", out, *FAST)
    assert result.exit_code == 130
    assert "interrupted after 1 of 3 runs" in result.stderr
    assert len(json.loads(out.read_text())["runs"]) == 1


def test_compare_goes_on_after_a_run_that_fails(tmp_path: Path) -> None:
    out = tmp_path / "runs.json"
    options = ("--methods", "flipout,deterministic", "--learning-rate", "1e30", "--epochs", "5", "--jobs", 1)
    with np.errstate(all="ignore"):
        assert run("compare", "sklearn:diabetes", *options, "--json", out, *FAST).exit_code == 0
    runs = json.loads(out.read_text())["runs"]
    assert ["lower the learning rate" in (r["error"] or "") for r in runs] == [True, True]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--splits", "all"), "splits is 'all', and the data state none"),
        (("--splits", "a-b"), "splits is 'a-b', expected all, or numbers"),
        (("--splits", "3-1"), "splits is '3-1', which names none"),
        (("--methods", "flipout,dropuot"), "did you mean dropout"),
        (("--prior-scale", "1,,2"), "prior_scale is '1,,2', expected numbers"),
        (
            ("--methods", "flipout,swag", "--members", "2,3"),
            "members is 2,3, which none of the methods flipout, swag takes",
        ),
        (("--methods", "deep_ensemble", "--members", "2,0"), "members is 0, expected at least 1"),
        (("--members", "2.5"), "members is '2.5', expected integers"),
        (("--epochs", "0"), "epochs is 0, expected at least 1"),
        (("--prior-scale", "1,-1"), "prior_scale is -1.0, expected a finite number above 0"),
    ],
)
def test_bad_comparisons_are_one_line(options: tuple[str, ...], expected: str) -> None:
    assert expected in refused(run("compare", "sklearn:diabetes", "--epochs", "1", *options))
