"""`bayesnoise verify`: the report is never lost, what it names can be listed, and each line of it asked again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import verified_layers
from bayesnoise_reference import reports
from bayesnoise_reference.verification import laws_for
from cli_runs import refused, run


def test_the_claims_are_listed_and_not_run() -> None:
    result = run("verify", "verified_layers:RAISES", "--list")
    assert (result.exit_code, result.stderr) == (0, "")
    listed = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert listed == laws_for(verified_layers.RAISES)
    assert {"dense.shared.weight-mean", "dense.shared.adapter.raises"} < listed.keys()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    for command in (("verify", "nowhere:LAYER"), ("judge", "nowhere")):
        said = refused(run(*command, "--junit", tmp_path / "r.xml"))
        assert said == f"--junit is {tmp_path / 'r.xml'}, and the folder {tmp_path} cannot be written: name another"


def test_the_verdict_is_printed_though_its_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    path = tmp_path / "r.json"
    result = run("verify", "verified_layers:NO_NOISE", "--only", "dense.shared.weight-variance", "--json", path)
    assert "Refuted: 1 claim does not hold" in " ".join(result.stdout.split())
    assert (result.exit_code, result.stderr) == (2, f"error: {path}: No space left on device\n")


def test_how_a_layer_behaves_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert run("verify", "verified_layers:RAISES", "--seed", 5, "--limit", 30, "--json", path).exit_code == 3
    (fault,) = reports.read(path).refuted
    assert fault.id == "dense.shared.adapter.raises"
    assert fault.replay == f"bayesnoise verify verified_layers:RAISES --tier pr --seed 5 --limit 30.0 --only {fault.id}"
    again = run(*shlex.split(fault.replay)[1:], "--json", path)
    (repeated,) = reports.read(path).claims
    assert (again.exit_code, repeated.sentence, repeated.n) == (3, fault.sentence, fault.n)


def test_a_failure_that_was_expected_and_did_not_come_is_said() -> None:
    result = run(
        "verify", "library:flipout", "--only", "dense.flipout.zero-row", "--expect", "dense.flipout.zero-row=x"
    )
    assert result.exit_code == 0
    assert "holds, though a failure was expected: x" in result.stdout


def test_a_constructor_whose_error_cannot_say_what_it_is() -> None:
    result = run("verify", "torch:verified_layers.Unspeakable")
    said = "raised UnspeakableError: UnspeakableError, whose __str__ raises RuntimeError"
    assert (result.exit_code, result.stderr) == (3, f"error: torch:verified_layers.Unspeakable {said}\n")
