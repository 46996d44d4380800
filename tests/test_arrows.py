"""Who may import whom, read from the source: the library knows no framework, the oracle knows nothing but itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY, ORACLE, BACKENDS = "bayesnoise", "bayesnoise_reference", "bayesnoise_backends"
FOLDERS = {LIBRARY: ROOT / "src", ORACLE: ROOT / "reference", BACKENDS: ROOT / "backends"}
FRAMEWORKS = {"torch", "jax", "jaxlib", "flax", "cupy", "cupyx", "tensorflow", "keras", "mlx"}
LONGEST = 250


def files(package: str) -> list[Path]:
    return sorted((FOLDERS[package] / package).rglob("*.py"))


def imports(source: str) -> Iterator[str]:
    """The top-level package of every import, wherever it stands, by statement or by function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value).split(".")[0]


def violations(package: str, path: Path, source: str) -> set[str]:
    """What a file imports although it must not."""
    found = set(imports(source))
    inside = path.relative_to(FOLDERS[package] / package).parts
    if package == LIBRARY:
        allowed = {BACKENDS, ORACLE} if inside[0].startswith("cli") else set()
        return found & (FRAMEWORKS | {BACKENDS, ORACLE, "."}) - allowed
    if package == ORACLE:
        if inside[0] == "adapters":
            return found & {"."}
        return found - set(sys.stdlib_module_names) - {"numpy", "scipy", ORACLE}
    frameworks = found & FRAMEWORKS
    kinds = {name.replace("cupyx", "cupy").replace("jaxlib", "jax") for name in frameworks}
    others = found - FRAMEWORKS - set(sys.stdlib_module_names) - {LIBRARY, BACKENDS, "numpy", "array_api_compat"}
    return others | (frameworks if len(kinds) > 1 else set())


SOURCES = [
    pytest.param(package, path, id=str(path.relative_to(ROOT))) for package in FOLDERS for path in files(package)
]


@pytest.mark.parametrize(("package", "path"), SOURCES)
def test_arrows(package: str, path: Path) -> None:
    assert violations(package, path, path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "path", sorted({p for f in (*FOLDERS.values(), ROOT / "tests") for p in f.rglob("*.py")}), ids=str
)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize(
    ("package", "name", "source", "expected"),
    [
        (LIBRARY, "maps/dense.py", "import numpy as np\nfrom bayesnoise import tree", set()),
        (LIBRARY, "maps/dense.py", "def f():\n    import torch.nn", {"torch"}),
        (LIBRARY, "maps/dense.py", "import importlib\nimportlib.import_module('jax.numpy')", {"jax"}),
        (LIBRARY, "maps/dense.py", "from bayesnoise_reference.dense import output", {ORACLE}),
        (LIBRARY, "maps/dense.py", "from .map import Map", {"."}),
        (LIBRARY, "cli.py", "from bayesnoise_backends import rng", set()),
        (LIBRARY, "cli/vectors.py", "from bayesnoise_reference.vectors import check", set()),
        (LIBRARY, "cli/verify.py", "from bayesnoise_reference import verify", set()),
        (LIBRARY, "cli.py", "import torch", {"torch"}),
        (ORACLE, "dense.py", "import itertools\nimport scipy.special\nfrom bayesnoise_reference import bias", set()),
        (ORACLE, "dense.py", "from bayesnoise.maps import Dense", {LIBRARY}),
        (ORACLE, "dense.py", "import array_api_compat", {"array_api_compat"}),
        (ORACLE, "adapters/torch.py", "import torch", set()),
        (BACKENDS, "jax.py", "import jax\nimport numpy\nfrom bayesnoise.layer import Layer", set()),
        (BACKENDS, "cupy.py", "import cupy\nfrom cupyx import jit", set()),
        (BACKENDS, "jax.py", "import jax\nimport torch", {"jax", "torch"}),
        (BACKENDS, "jax.py", "import requests", {"requests"}),
    ],
)
def test_the_reader_of_arrows_sees(package: str, name: str, source: str, expected: set[str]) -> None:
    assert violations(package, FOLDERS[package] / package / name, source) == expected
