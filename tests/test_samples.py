"""Verdicts on samples from elsewhere: designs that no output changes, right and wrong layers, both kinds of files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import samples, verify
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.samples import Design
from bayesnoise_reference.samples.design import _Definition
from cli_runs import refused, run
from planted.straightforward import Straightforward

DENSE = Description("dense", "flipout", 4, 8, bias="random", name="dense")
IMAGE = Description(
    "convolution", "shared", 2, 4, kernel=(3,), padding=(1,), layout="in_out", channels="last", dtype="float32"
)
DESIGN = samples.make(DENSE)


def sampled(design: Design, mistake: str = "") -> dict[str, Any]:
    """What a layer gives for a design, as any program would make it."""
    layer = Straightforward(design.description, mistake)
    layer.seed(11)
    found = {}
    for name, case in design.cases.items():
        layer.load({field: value.copy() for field, value in case.parameters.items()})
        found[name] = np.stack([layer.sample(x.copy()) for x in case.x])
    return found


@pytest.mark.parametrize("description", [DENSE, IMAGE, replace(DENSE, estimator="local", scale="exp")], ids=str)
def test_a_right_layer_holds(description: Description) -> None:
    design = samples.make(description, seed=3)
    report = samples.judge(design, sampled(design))
    assert report.exit_code == 0, report.refuted
    assert len([c for c in report.claims if c.status == "holds"]) >= 15
    assert not [c for c in report.claims if c.status == "holds" and ".adapter." in c.id]
    not_run = {c.sentence for c in report.claims if c.status == "not run"}
    assert not_run == {"samples do not show it"}


@pytest.mark.parametrize("mistake", ["signs-shared-across-batch", "scale-as-variance", "no-output-signs"])
def test_a_mistake_is_found_as_verify_finds_it(mistake: str) -> None:
    found = {c.id for c in samples.judge(DESIGN, sampled(DESIGN, mistake)).refuted}
    report = verify(Straightforward(DENSE, mistake))
    assert found
    assert found == {c.id for c in report.refuted} & {case.claim for case in DESIGN.cases.values()}


def test_no_output_changes_a_design() -> None:
    """Every claim asks the same of a right layer under other noise, and of wrong layers until it gives up on them."""

    class Watched(Straightforward):
        asked: list[bytes]

        def seed(self, seed: int) -> None:
            super().seed(seed + 1)
            self.asked = []

        def sample(self, x: Any) -> Any:
            self.asked.append(x.tobytes() + self.held["mean"].tobytes() + self.held["rho"].tobytes())
            return super().sample(x)

    for mistake in ("", "no-noise", "mean-shrunk", "signs-zero-one"):
        for calls in DESIGN.calls.values():
            name = DESIGN.cases[calls[0][0]].claim
            layer = Watched(DENSE, mistake)
            verify(layer, only=[name])
            designed = [
                DESIGN.cases[case].x[i].tobytes()
                + DESIGN.cases[case].parameters["mean"].tobytes()
                + DESIGN.cases[case].parameters["rho"].tobytes()
                for case, i in calls
            ]
            assert layer.asked == designed[: len(layer.asked)]
            assert mistake or len(layer.asked) == len(designed)


def test_the_layer_that_designs_are_recorded_from_holds() -> None:
    layer = _Definition(DENSE, np.random.default_rng(5))
    names = sorted({case.claim for case in DESIGN.cases.values()})
    assert not verify(layer, seed=8, only=names).refuted


def test_an_output_that_overflows_is_judged_where_it_may() -> None:
    made = sampled(DESIGN)
    wide = [name for name, case in DESIGN.cases.items() if case.claim.endswith("extreme-wide")]
    made[wide[0]] = np.full(DESIGN.cases[wide[0]].y_shape, np.nan)
    assert [c.id for c in samples.judge(DESIGN, made).refuted] == ["dense.flipout.extreme-wide"]
    inside = next(name for name, case in DESIGN.cases.items() if case.finite)
    made[inside][0, 0, 2] = np.inf
    with pytest.raises(ValueError, match=rf"{inside}/y\[0, 0, 2\] is inf, expected a finite number"):
        samples.judge(DESIGN, made)


def test_what_is_missing_is_refused_or_not_run() -> None:
    made = sampled(DESIGN)
    gone = next(iter(made))
    del made[gone]
    with pytest.raises(ValueError, match=f"{gone}/y is missing, one of 1: --partial judges"):
        samples.judge(DESIGN, made)
    report = samples.judge(DESIGN, made, partial=True)
    assert report.exit_code == 0
    lost = [c.id for c in report.claims if c.sentence == "no samples were given for it"]
    assert lost == [DESIGN.cases[gone].claim]
    with pytest.raises(ValueError, match="case000/y is missing, and so is every other case"):
        samples.judge(DESIGN, {}, partial=True)


def write_samples(path: Path, made: dict[str, Any]) -> None:
    """As a program of one's own would."""
    if path.suffix == ".npz":
        np.savez(path, allow_pickle=False, **{f"{name}/y": y for name, y in made.items()})
        return
    for name, y in made.items():
        (path / name).mkdir(parents=True, exist_ok=True)
        np.savetxt(path / name / "y.csv", y.reshape(-1, y.shape[-1]), fmt="%.17g", delimiter=",")


@pytest.mark.parametrize("kind", ["design", "design.npz"])
def test_both_kinds_of_files_from_the_command_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    words = ("--estimator", "flipout", "--in", 4, "--out", 8, "--bias", "random", "--seed", 2)
    result = run("design", path, *words)
    assert result.exit_code == 0
    assert "start with" in result.stdout
    design = samples.read(path)
    assert (design.seed, design.description.bias) == (2, "random")
    for mistake, code in (("", 0), ("no-output-signs", 1)):
        where = path if path.suffix != ".npz" else tmp_path / "samples.npz"
        write_samples(where, sampled(design, mistake))
        result = run("judge", path, *([where] if where != path else []), "--json", tmp_path / "r.json")
        assert result.exit_code == code
        assert json.loads((tmp_path / "r.json").read_text())["passed"] == (code == 0)
    assert f"bayesnoise judge {path}" in "".join(result.stdout.split("\n"))


def test_every_array_of_a_folder_is_the_one_of_the_design(tmp_path: Path) -> None:
    design = samples.make(IMAGE)
    samples.write(design, tmp_path / "d")
    for name, case in design.cases.items():
        for field, value in {**case.parameters, "x": case.x}.items():
            rows = np.loadtxt(tmp_path / "d" / name / f"{field}.csv", delimiter=",", ndmin=2)
            assert np.array_equal(rows.reshape(value.shape).astype(value.dtype), value)
    told = json.loads((tmp_path / "d" / "design.json").read_text())
    assert told["cases"].keys() == design.cases.keys()
    guide = (tmp_path / "d" / "README.md").read_text()
    assert f"{len(design.cases)} cases" in guide
    assert "{" not in guide


def test_a_description_in_a_file(tmp_path: Path) -> None:
    fields = {"family": "dense", "estimator": "shared", "inputs": 3, "outputs": 5, "scale_floor": 1e-3}
    (tmp_path / "what.json").write_text(json.dumps(fields))
    assert run("design", tmp_path / "d.npz", "--description", tmp_path / "what.json").exit_code == 0
    assert samples.read(tmp_path / "d.npz").description.scale_floor == 1e-3
    (tmp_path / "what.json").write_text("[")
    assert "what.json: Expecting value" in refused(
        run("design", tmp_path / "d.npz", "--description", tmp_path / "what.json")
    )
    assert "expected --estimator" in refused(run("design", tmp_path / "d.npz"))
    assert "scale" in refused(run("design", tmp_path / "d.npz", "--estimator", "shared", "--scale", "log"))
