"""Options of what trains a method: they reach the procedure, and fits, predictions and comparisons keep them."""

from __future__ import annotations

import json
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from cli_runs import arrays, fit, refused, rows, run

from bayesnoise import progress
from bayesnoise.cli import store, trials
from bayesnoise.cli.settings import FOR_LAYERS, FOR_METHODS, FOR_NOISE, FOR_PROCEDURES, Settings, procedure_of, takes
from bayesnoise.methods import METHODS
from bayesnoise.procedures import DeepEnsemble, JointGaussian, Swag, Variational

GIVEN: dict[str, dict[str, Any]] = {
    "deep_ensemble": {"members": 2, "adversarial": 0.1, "prior_scale": 2.0},
    "swag": {"rank": 3, "begin": 0.25},
    "ivon": {"prior_scale": 0.5},
    "slang": {"prior_scale": 0.5, "rank": 2},
    "vadam": {"prior_scale": 0.5},
    "vogn": {"prior_scale": 0.5},
}


def words(method: str) -> tuple[str, ...]:
    given = GIVEN[method].items()
    return (
        "--method",
        method,
        *(word for name, value in given for word in (f"--{name.replace('_', '-')}", f"{value}")),
    )


def test_an_option_reaches_the_builder_or_the_procedure_and_never_both() -> None:
    for entry in METHODS:
        for option in FOR_LAYERS + FOR_PROCEDURES:
            by_layers = option in FOR_LAYERS and option in signature(entry.build).parameters
            by_procedure = option in FOR_PROCEDURES and option in signature(entry.procedure).parameters
            assert takes(entry.name, option) == (by_layers or by_procedure)
            assert not (by_layers and by_procedure), f"{entry.name} would count {option} twice"
    assert all(any(takes(entry.name, option) for entry in METHODS) for option in FOR_METHODS)


def test_the_procedure_has_the_options_that_were_given() -> None:
    def made(method: str) -> Any:
        return procedure_of(Settings(data="", method=method, **GIVEN[method]))

    assert made("deep_ensemble") == DeepEnsemble(2, adversarial=0.1)
    assert made("swag") == Swag(3, begin=0.25)
    for name, rest in (("ivon", {}), ("slang", {"rank": 2}), ("vadam", {}), ("vogn", {})):
        plain: Any = procedure_of(Settings("", method=name))
        assert isinstance(made(name), Variational | JointGaussian)
        assert made(name).optimizer == replace(plain.optimizer, prior_scale=0.5, **rest)


@pytest.mark.parametrize("method", GIVEN)
def test_a_fit_keeps_its_options_for_predictions_and_for_going_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert fit(whole, *words(method), epochs=4).exit_code == 0
    assert GIVEN[method].items() <= json.loads((whole / "report.json").read_text())["settings"].items()
    network = store.restore(whole).network
    assert network.procedure == procedure_of(Settings("", method=method, **GIVEN[method]))
    assert run("predict", whole, "sklearn:iris", "--samples", 4, "--out", tmp_path / "p.csv").exit_code == 0
    assert len(rows(tmp_path / "p.csv")) == 150

    def interrupt(self: Any, state: Any) -> None:
        if len(state.history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(progress.FitProgress, "update", interrupt)
        assert fit(parts, *words(method), epochs=4).exit_code == 130
    option = next(name for name in FOR_METHODS if name in GIVEN[method])
    message = refused(fit(parts, "--method", method, "--resume", epochs=4))
    assert message.startswith(f"{option} is None, and {GIVEN[method][option]!r} in the checkpoint")
    assert fit(parts, *words(method), "--resume", epochs=4).exit_code == 0
    assert arrays(parts) == arrays(whole)


def test_members_are_as_many_as_asked_for(tmp_path: Path) -> None:
    assert fit(tmp_path, "--method", "deep_ensemble", "--members", 3, epochs=1).exit_code == 0
    assert len(store.restore(tmp_path).state.params) == 3


def test_a_model_that_was_saved_before_an_option_existed_has_its_default(tmp_path: Path) -> None:
    settings = Settings("sklearn:iris", method="deep_ensemble").as_dict()
    for name in ("rank", "members", "adversarial", "begin", "train_samples"):
        del settings[name]
    assert procedure_of(Settings(**settings)) == DeepEnsemble()


def test_compare_chooses_among_options_of_a_procedure(tmp_path: Path) -> None:
    out = tmp_path / "runs.json"
    options = ("--methods", "deep_ensemble,deterministic", "--members", "1,2", "--epochs", "2", "--jobs", 1)
    assert run("compare", "sklearn:iris", *options, "--hidden", "4", "--samples", 2, "--json", out).exit_code == 0
    ensemble, single = json.loads(out.read_text())["runs"]
    assert [v["members"] for v in ensemble["validation"]] == [1, 2]
    assert set(ensemble["chosen"]) == {"members"}
    assert single["validation"] == []


def test_choices_of_a_procedure_are_left_out_where_they_make_no_difference() -> None:
    choices: trials.Choices = {"members": (2, 3), "rank": (2, 3), "begin": (0.2, 0.5), "prior_scale": (0.5, 1.0)}
    base = Settings(data="sklearn:diabetes")
    counts = {m.name: len(trials.plan(base, [m.name], [0], choices)[0].candidates) for m in METHODS}
    assert counts["deep_ensemble"] == 4
    assert counts["swag"] == 8
    assert counts["slang"] == 4
    assert counts["ivon"] == counts["vadam"] == counts["flipout"] == 2
    assert counts["drop_block"] == 1


def test_methods_says_what_each_takes() -> None:
    shown = " ".join(run("methods").stdout.split())
    assert "takes --prior-scale, --members and --adversarial" in shown
    assert "takes --prior-scale, --rank and --begin" in shown
    assert "takes --prior-scale and --train-samples" in shown


def test_samples_of_a_step_are_for_methods_that_draw_noise() -> None:
    without = {m.name for m in METHODS if not takes(m.name, "train_samples")}
    assert FOR_NOISE == ("train_samples",)
    assert without == {"deterministic", "ivon", "slang", "vadam", "vogn", "linear_regression", "deep_ensemble", "swag"}


def test_samples_of_a_step_reach_the_fit(tmp_path: Path) -> None:
    """One is the ordinary objective, two another; going on wants the same number."""
    plain, one, two = (tmp_path / name for name in ("plain", "one", "two"))
    assert fit(plain).exit_code == 0
    assert fit(one, "--train-samples", 1).exit_code == 0
    assert fit(two, "--train-samples", 2).exit_code == 0
    assert arrays(plain) == arrays(one)
    assert arrays(plain) != arrays(two)
    assert store.restore(two).network.model.settings.train_samples == 2
    message = refused(fit(two, "--resume"))
    assert message == "train_samples is None, and 2 in the checkpoint: --resume goes on with the same options"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--train-samples", "0"), "train_samples is 0, expected at least 1"),
        (
            ("--method", "swag", "--train-samples", "2"),
            "train_samples is 2, which the method swag does not take: its layers draw no noise, so leave it out",
        ),
    ],
)
def test_samples_of_a_step_that_cannot_be(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    assert refused(fit(tmp_path, *options)) == message


def test_compare_chooses_among_samples_of_a_step(tmp_path: Path) -> None:
    out = tmp_path / "runs.json"
    options = ("--methods", "dropout,deterministic", "--train-samples", "1,3", "--epochs", "1", "--jobs", 1)
    assert run("compare", "sklearn:iris", *options, "--hidden", "4", "--samples", 2, "--json", out).exit_code == 0
    noisy, still = json.loads(out.read_text())["runs"]
    assert [v["train_samples"] for v in noisy["validation"]] == [1, 3]
    assert still["validation"] == []
    message = refused(run("compare", "sklearn:iris", "--methods", "deterministic,swag", "--train-samples", 2))
    assert message == "train_samples is 2, which none of the methods deterministic, swag takes"
