"""The wheel, installed where nothing else is: the command line, the pytest plugin, and the files beside the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import numpy as np
from bayesnoise_reference import parametrize_with_claims
from bayesnoise_reference.adapters.library_methods import library_method
from bayesnoise_reference.testing import assert_mean


@parametrize_with_claims([library_method("flipout", 3, 16)])
def test_claim(check):
    check()


def test_fixture(bayesnoise_rng, bayesnoise_seed):
    assert bayesnoise_rng.normal() == np.random.default_rng(bayesnoise_seed).normal()


def test_mean(bayesnoise_rng):
    assert_mean(bayesnoise_rng.random(500), 0.5, if_between=(0.0, 1.0))
"""


def run(*command: object, cwd: Path) -> str:
    """The output of a command that succeeds."""
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=cwd, check=False)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, its command line and pytest."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("bayesnoise-*.whl")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    run(programs / "python", "-m", "pip", "install", "--quiet", f"{wheel}[cli]", "pytest", cwd=folder)
    return programs


@pytest.mark.slow
def test_pytest_finds_the_plugin(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    said = run(environment / "python", "-m", "pytest", "-W", "error", tmp_path, cwd=tmp_path)
    assert "of an error budget of 1e-06 for the session" in said
    assert " failed" not in said


@pytest.mark.slow
def test_the_command_line_verifies(environment: Path, tmp_path: Path) -> None:
    program = environment / "bayesnoise"
    said = run(program, "verify", "library:flipout", "--in", 3, "--out", 16, "--html", "r.html", cwd=tmp_path)
    assert "No claim is refuted" in " ".join(said.split())
    assert (tmp_path / "r.html").stat().st_size > 0
    flipout = ROOT / "tests" / "programs" / "flipout.py"
    run(program, "verify", f"exec:{sys.executable} {flipout}", cwd=tmp_path)
    run(program, "design", "d", "--estimator", "shared", "--in", 2, "--out", 3, cwd=tmp_path)
    run(program, "vectors", "export", "vectors", cwd=tmp_path)
