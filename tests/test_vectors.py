"""Golden vectors: the library matches every valid one and no invalid one, and so do programs in C and JavaScript."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference.vectors import FAMILIES, check, export, load_vectors
from bayesnoise_reference.vectors.build import excess
from bayesnoise_reference.vectors.decimals import decode, encode
from bayesnoise_reference.vectors.ranges import RANGES
from cli_runs import refused, run
from namespaces import NAMESPACES
from vector_library import compute

HERE = Path(__file__).parent / "vectors"
BACKENDS = ("numpy", "torch")
WRITTEN_IN_JAVASCRIPT = (
    "dense_local",
    "bernoulli_dropout",
    "ivon",
    "swag",
    "deep_ensemble",
    "adversarial_training",
    "mean_field_regression",
    "regression_bound",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every family, exported once."""
    where = tmp_path_factory.mktemp("vectors") / "new"
    export(where)
    return where


def library_outputs(content: dict[str, Any], backend: str) -> dict[str, Any]:
    """A file of outputs, computed by the library for every test, valid or not."""
    names = {n.name: n for n in NAMESPACES}
    tests = [
        {"tcId": t["tcId"], "outputs": compute(g["type"], t, names[f"{backend}-{g['dtype']}"])}
        for g in content["testGroups"]
        for t in g["tests"]
    ]
    return {"schema": "bayesnoise-outputs-1", "family": content["family"], "tests": tests}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # of 1 + exp, on the way to a finite sigmoid
def test_the_library_is_right(folder: Path, family: str, backend: str) -> None:
    content = load_vectors(folder / f"{family}.json")
    checked = check(content, library_outputs(content, backend))
    assert checked.mismatches == ()
    assert (checked.compared, checked.left_out) == (content["numberOfTests"], 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_invalid_vector_is_caught_and_named(folder: Path, family: str) -> None:
    """An implementation with the bug fails the valid vector with the same inputs, and the bug is named."""
    content = load_vectors(folder / f"{family}.json")
    tests = {t["tcId"]: t for g in content["testGroups"] for t in g["tests"]}
    for test in tests.values():
        if test["result"] == "invalid":
            data = {name: field["data"] for name, field in test["outputs"].items()}
            mine = [{"tcId": test["sameInputsAs"], "outputs": data}]
            outputs = {"schema": "bayesnoise-outputs-1", "family": family, "tests": mine}
            checked = check(content, outputs, partial=True)
            failure = next(m for m in checked.mismatches if m.tc_id == test["sameInputsAs"])
            assert set(failure.outputs) == set(test["affects"])
            assert any(bug.startswith(f"{test['flags'][-1]}: ") for bug in failure.likely_bugs)
            assert test["tcId"] in {m.tc_id for m in checked.mismatches}


def test_what_the_files_hold(folder: Path) -> None:
    """Both dtypes in every family, both results in those of layers, valid outputs finite, and numbers that survive."""
    for family in FAMILIES:
        content = json.loads((folder / f"{family}.json").read_text())
        groups = content["testGroups"]
        assert {g["dtype"] for g in groups} == {"float32", "float64"}
        if family.startswith(("dense", "conv")):
            for g in groups:
                assert sum(t["result"] == "invalid" for t in g["tests"]) >= 12
                flags = {flag for t in g["tests"] for flag in t["flags"]}
                assert {"ZeroRow", "EmptyBatch", "BatchOfOne", "ExtremeScale", "PriorMean"} <= flags
        for group in groups:
            for test in group["tests"]:
                for field in [*test["inputs"].values(), *test["outputs"].values()]:
                    array = decode(field, group["dtype"])
                    assert encode(array, group["dtype"])["data"] == field["data"]
                    assert test["result"] == "invalid" or np.all(np.isfinite(array))


def test_every_range_is_of_an_input_and_every_input_in_it(folder: Path) -> None:
    """No name is left over from an input that is gone; what is published is taken."""
    files = [load_vectors(folder / f"{family}.json") for family in FAMILIES]
    inputs = {name for content in files for g in content["testGroups"] for t in g["tests"] for name in t["inputs"]}
    assert set(RANGES) <= inputs


def test_the_same_vectors_every_time(folder: Path, tmp_path: Path) -> None:
    for path in export(tmp_path, ["dense_flipout", "losses"])[2:]:
        assert path.read_bytes() == (folder / path.name).read_bytes()
    with pytest.raises(ValueError, match="families holds 'flipuot', expected one of dense_shared"):
        export(tmp_path, ["flipuot"])


def test_the_readme_speaks_of_everything(folder: Path) -> None:
    readme = (folder / "README.md").read_text()
    for family in FAMILIES:
        content = load_vectors(folder / f"{family}.json")
        assert f"`{family}.json`" in readme
        for name in (*content["notes"], *(g["type"] for g in content["testGroups"])):
            assert name in readme
    assert not [word for word in ("{version}", "{files}", "{conventions}", "{special}", "{bugs}") if word in readme]


def test_the_rule_of_a_match() -> None:
    inf, nan = math.inf, math.nan
    got = np.array([1.0, 1.1, nan, 1.0, nan, inf, inf, -inf, 0.0, 1e-9, 2.0])
    want = np.array([1.0, 1.0, 1.0, nan, nan, inf, 1.0, inf, 0.0, 0.0, 2.1])
    match = excess(got, want, 0.05, 0.0) <= 1.0
    assert match.tolist() == [True, False, False, False, True, True, False, False, True, False, True]
    assert excess(np.array([0.25]), np.array([0.0]), 0.0, 0.5)[0] == 0.5
    assert excess(np.zeros((0, 3)), np.zeros((0, 3)), 0.0, 0.0).size == 0


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The consumer in C, compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: cc is not on the path")
    program = tmp_path_factory.mktemp("c") / "consumer"
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", program, HERE / "consumer.c", "-lm"], check=True, timeout=60)
    return program


def _run(*command: object) -> tuple[int, str]:
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""
    return result.returncode, result.stdout


def test_a_consumer_in_c(folder: Path, consumer: Path, tmp_path: Path) -> None:
    text = (folder / "dense_flipout.txt").read_text()
    assert _run(consumer, folder / "dense_flipout.txt") == (0, "dense_flipout: 62 tests, 0 failed\n")
    bugs = text.count(" invalid ")
    (tmp_path / "bugs.txt").write_text(text.replace(" invalid ", " valid "))
    code, said = _run(consumer, tmp_path / "bugs.txt")
    assert (code, said.count("valid vector not matched")) == (1, bugs)
    (tmp_path / "right.txt").write_text(text.replace(" valid ", " invalid "))
    code, said = _run(consumer, tmp_path / "right.txt")
    assert (code, said.count("invalid vector matched")) == (1, 62 - bugs)


@pytest.mark.parametrize("family", WRITTEN_IN_JAVASCRIPT)
def test_a_consumer_in_javascript(folder: Path, tmp_path: Path, family: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no JavaScript: node is not on the path")
    program, file = HERE / "consumer.mjs", folder / f"{family}.json"
    code, said = _run(node, program, file, "--outputs", tmp_path / "mine.json")
    count = load_vectors(file)["numberOfTests"]
    assert (code, said) == (0, f"{family}: {count} tests, 0 failed\n")
    result = run("vectors", "check", file, "--outputs", tmp_path / "mine.json")
    assert (result.exit_code, result.stdout) == (0, f"{family}: {count} tests compared: all match\n")
    (tmp_path / "bugs.json").write_text(file.read_text().replace('"result": "invalid"', '"result": "valid"'))
    code, said = _run(node, program, tmp_path / "bugs.json")
    assert (code, said.count("valid vector not matched")) == (1, file.read_text().count('"result": "invalid"'))


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesnoise.cli.vectors.export_vectors", lambda folder: export(folder, ["dense_flipout"]))
    result = run("vectors", "export", tmp_path / "out")
    assert result.exit_code == 0
    assert "wrote 4 files" in result.stdout
    file = tmp_path / "out" / "dense_flipout.json"
    content = load_vectors(file)
    outputs = library_outputs(content, "numpy")
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps(outputs))
    assert run("vectors", "check", file, "--outputs", mine).exit_code == 0
    for test in outputs["tests"]:
        test["outputs"]["kl"][0] /= len(test["outputs"]["kl_grad_mu"])
        test["outputs"] |= {k: [e / len(d) for e in d] for k, d in test["outputs"].items() if k.startswith("kl_grad")}
    mine.write_text(json.dumps(outputs))
    result = run("vectors", "check", file, "--outputs", mine)
    assert result.exit_code == 1
    assert "tcId 1 (three examples), kl, kl_grad_mu, kl_grad_rho: kl is " in result.stdout
    assert "likely bug: KLMean: The KL is a mean over the weights, not a sum." in result.stdout
    outputs["tests"] = outputs["tests"][:3]
    mine.write_text(json.dumps(outputs))
    assert "the test with tcId 4 is missing: --partial" in refused(run("vectors", "check", file, "--outputs", mine))
    result = run("vectors", "check", file, "--outputs", mine, "--partial")
    assert "tests or outputs not given: " in result.stdout
    (tmp_path / "old.json").write_text(file.read_text().replace("bayesnoise-vectors-1", "bayesnoise-vectors-0"))
    message = refused(run("vectors", "check", tmp_path / "old.json", "--outputs", mine))
    assert message.startswith('old.json: $.schema is "bayesnoise-vectors-0", expected "bayesnoise-vectors-1"')
    assert "No such file" in refused(run("vectors", "check", tmp_path / "none.json", "--outputs", mine))
