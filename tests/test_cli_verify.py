"""`bayesnoise verify`: verdicts, exit codes, what is written, and what is refused."""

from __future__ import annotations

import json
import shlex
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from bayesnoise_reference import reports
from cli_runs import refused, run


def refutations(result: Any) -> set[str]:
    """The topics of the claims that the table says are refuted."""
    lines = [line.split() for line in result.stdout.splitlines() if line.startswith("refuted ")]
    return {words[1].split(".", 2)[2] for words in lines}


@pytest.mark.parametrize("method", ["flipout", "bayes_by_backprop", "local_reparameterization"])
def test_the_methods_of_the_library_hold(method: str) -> None:
    result = run("verify", f"library:{method}", "--in", 4, "--out", 32)
    assert result.exit_code == 0
    assert "No claim is refuted" in result.stdout
    assert not refutations(result)


def test_a_convolution_of_the_library_holds() -> None:
    result = run("verify", "library:flipout", "--in", 3, "--out", 16, "--kernel", "3,3", "--bias", "none")
    assert result.exit_code == 0
    assert "convolution.flipout.signs-per-channel" in result.stdout


def test_a_conventional_torch_module_needs_one_command(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    result = run("verify", "torch:verified_layers.Flipout", "--in", 4, "--out", 32, "--json", path)
    assert (result.exit_code, refutations(result)) == (0, set())
    report = reports.read(path)
    not_run = {c.id.rpartition(".")[2]: c.sentence for c in report.claims if c.status == "not run"}
    assert not_run.pop("replay") == "the adapter has no sample_with_noise"
    assert not_run.keys() == {"evaluation-repeats", "evaluation-mean", "kl-nested", "kl-shared"}
    assert "torch" in report.versions
    assert next(c for c in report.claims if c.id == "dense.flipout.kl-value").status == "holds"


def test_a_mistake_is_found_written_and_replayed(tmp_path: Path) -> None:
    files = {flag: tmp_path / f"r.{flag}" for flag in ("json", "junit", "html", "md")}
    options = [word for flag, path in files.items() for word in (f"--{flag}", path)]
    result = run("verify", "torch:verified_layers.SharedSigns", "--estimator", "flipout", "--seed", 7, *options)
    assert result.exit_code == 1
    assert "signs-per-example" in refutations(result)
    report = reports.read(files["json"])
    signs = next(c for c in report.claims if c.id == "dense.flipout.signs-per-example")
    assert "100.0 % of draws; 50 % is right" in signs.sentence
    assert int(ET.parse(files["junit"]).getroot().attrib["failures"]) == len(report.refuted)
    assert signs.sentence in files["html"].read_text()
    assert "signs-per-example" in files["md"].read_text()

    again = run(*shlex.split(signs.replay)[1:], "--json", files["json"])
    assert again.exit_code == 1
    repeated = next(c for c in reports.read(files["json"]).claims if c.id == signs.id)
    assert (repeated.sentence, repeated.p, repeated.seen) == (signs.sentence, signs.p, signs.seen)


def test_an_expected_failure_does_not_count() -> None:
    first = run("verify", "torch:verified_layers.SharedSigns", "--estimator", "flipout")
    known = [word for topic in sorted(refutations(first)) for word in ("--expect", f"dense.flipout.{topic}=issue 12")]
    result = run("verify", "torch:verified_layers.SharedSigns", "--estimator", "flipout", *known)
    assert result.exit_code == 0
    assert "expected: issue 12" in result.stdout
    assert "did not count" in result.stdout


@pytest.mark.parametrize("target", ["verified_layers:NO_NOISE", "verified_layers:made"])
def test_an_adapter_is_found_by_its_name(target: str) -> None:
    result = run("verify", target)
    assert result.exit_code == 1
    assert "weight-variance" in refutations(result)


def test_an_adapter_that_raises_is_three(tmp_path: Path) -> None:
    result = run("verify", "verified_layers:RAISES", "--html", tmp_path / "r.html")
    assert result.exit_code == 3
    assert "Traceback" not in result.output
    assert "there is no verdict on the layer" in " ".join(result.stdout.split())
    page = (tmp_path / "r.html").read_text()
    assert "<b>mine" not in page
    assert "&lt;b&gt;no such thing" in page
    result = run("verify", "torch:verified_layers.Silent", "--estimator", "flipout", "--set", "flavour=bitter")
    assert result.exit_code == 3
    assert result.stderr == "error: torch:verified_layers.Silent raised RuntimeError: too bitter\n"


def test_nothing_that_could_be_run_is_four(tmp_path: Path) -> None:
    """The only claim asked for needs what the adapter has not."""
    result = run("verify", "verified_layers:NO_NOISE", "--only", "dense.shared.replay", "--json", tmp_path / "r.json")
    assert result.exit_code == 4
    assert "Nothing could be run" in result.stdout
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 4


def test_a_module_without_a_kl_is_not_accused_of_a_wrong_one() -> None:
    result = run(
        "verify", "torch:verified_layers.Silent", "--estimator", "flipout", "--set", "flavour=sweet", "--prior", 2
    )
    assert result.exit_code == 0
    assert "not run   dense.flipout.kl-value" in result.stdout


PROGRAMS = Path(__file__).parent / "programs"


def program(name: str, *words: object) -> str:
    """A program of the tests as a target."""
    return "exec:" + shlex.join([sys.executable, str(PROGRAMS / f"{name}.py"), *map(str, words)])


def test_a_program_is_verified_and_replayed(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert run("verify", program("flipout")).exit_code == 0
    result = run("verify", program("flipout", "--shared-signs"), "--json", path)
    assert (result.exit_code, "signs-per-example" in refutations(result)) == (1, True)
    signs = next(c for c in reports.read(path).refuted if c.id == "dense.flipout.signs-per-example")
    assert run(*shlex.split(signs.replay)[1:]).exit_code == 1


def test_a_program_that_dies_is_three() -> None:
    result = run("verify", program("misbehaving", "dies"))
    assert result.exit_code == 3
    assert "its stderr ends with: loading the weights out of luck" in " ".join(result.stdout.split())
    result = run("verify", program("misbehaving", "never begins"), "--limit", 1)
    assert (result.exit_code, result.stderr.split("SilentProcessError: ")[1]) == (
        3,
        "asked for describe, the program was silent for 1 s, and was ended\n",
    )
    result = run("verify", f"exec:{sys.executable} -c 'raise SystemExit(9)'")
    assert result.exit_code == 3
    assert result.stderr.endswith("raised ProcessError: asked for describe, the program ended with exit code 9\n")


REFUSED = {
    "no such module": (("torch:nowhere.Layer",), "'nowhere:Layer' cannot be imported: No module named 'nowhere'"),
    "no such name": (("verified_layers:NOTHING",), "has no attribute 'NOTHING'"),
    "no name": (("verified_layers",), "expected package.module:NAME"),
    "no adapter": (("verified_layers:NO_ADAPTER",), "is a ndarray without description, load and sample: no adapter"),
    "no such method": (("library:flipuot",), "did you mean flipout"),
    "no claims": (("library:deterministic",), "there are no claims about deterministic; there are about "),
    "no such size": (("library:dropout", "--kernel", "3"), "kernel cannot be given for dropout, only rate, inputs"),
    "no output size": (("library:dropout", "--out", "3"), "outputs cannot be given for dropout, only rate, inputs"),
    "no such setting": (("library:lstm", "--set", "gates=4"), "gates cannot be given for lstm, only estimator, dtype"),
    "a size twice": (("library:dropout", "--in", "3", "--set", "units=4"), "inputs is given twice for dropout: it is"),
    "a setting of no number": (("library:dropout", "--set", "rate=half"), 'rate is "half", expected a finite number'),
    "a setting out of range": (("library:dropout", "--set", "rate=1"), "rate is 1.0, expected a probability above 0"),
    "for classes": (("library:flipout", "--parameter", "mean=mu"), "--parameter and --kl are for torch: and keras:"),
    "tier": (("library:flipout", "--tier", "daily"), "tier is 'daily', expected one of"),
    "alpha": (("library:flipout", "--alpha", "0"), "alpha is 0.0, expected"),
    "only": (
        ("library:flipout", "--prior", "2", "--only", "x"),
        "--only has 'x', which is no claim about this layer: bayesnoise verify library:flipout --prior 2.0 --list",
    ),
    "expected": (("library:flipout", "--expect", "x=y"), "--expect has 'x', which is no claim about this layer: "),
    "no time": (("library:flipout", "--limit", "0"), "limit is 0, expected seconds above 0 and at most "),
    "a time that is no number": (("library:flipout", "--limit", "nan"), "limit is nan, expected seconds above 0"),
    "no time for a program": (("exec:./layer", "--limit", "inf"), "limit is inf, expected seconds above 0"),
    "no folder": (
        ("nowhere:LAYER", "--json", "/nonexistent/x.json"),
        "--json is /nonexistent/x.json, and there is no ",
    ),
    "no folder of a page": (("nowhere:LAYER", "--html", "/nonexistent/x"), "there is no folder /nonexistent: make it"),
    "a file twice": (("nowhere:LAYER", "--md", "x", "--junit", "./x"), "--junit and --md are both x, expected a file"),
    "a name of no meaning": (
        ("torch:verified_layers.Nameless",),
        "none of them is mean: name it in parameters, or on the command line by --parameter mean=NAME",
    ),
    "expect": (("library:flipout", "--expect", "x"), "--expect is 'x', expected two parts with = between"),
    "kernel": (("library:flipout", "--kernel", "a"), "kernel is 'a', expected integers"),
    "bias": (("library:flipout", "--bias", "some"), 'bias is "some", expected one of'),
    "described": (("verified_layers:NO_NOISE", "--bias", "none"), "--bias is for torch:, keras: and library: targets"),
    "an argument missing": (("torch:verified_layers.Silent",), "Silent needs the argument 'flavour'"),
    "an argument unknown": (("torch:verified_layers.Flipout", "--set", "colour=1"), "has no argument 'colour'"),
    "a parameter unknown": (("torch:verified_layers.Flipout", "--parameter", "mean=w"), "names 'w', which is none of"),
    "no program": (("exec:/no/such/program --flag",), "/no/such/program: No such file or directory"),
    "no command": (("exec:",), "exec: names no program"),
    "a quote that is open": (("exec:./layer 'x",), 'the command "./layer \'x" cannot be read: No closing quotation'),
    "described by itself": (("exec:./layer", "--bias", "none"), "the adapter exec:./layer says itself what its layer"),
    "sizes that it lacks": (("torch:verified_layers.SharedSigns", "--kernel", "3"), "takes no kernel_size"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_usage_errors_are_one_line(name: str) -> None:
    words, expected = REFUSED[name]
    assert expected in refused(run("verify", *words))
