"""The documents are true: their code runs, their links resolve, their commands parse, what they name exists."""

from __future__ import annotations

import builtins
import importlib
import re
import runpy
import shlex
import types
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import typer.main

import bayesnoise as bn
from bayesnoise.cli.app import app

ROOT = Path(__file__).parents[1]
METHODS = ROOT / "docs" / "methods"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HEADINGS = [
    "What is random",
    "The formula",
    "The gradient",
    "Its KL",
    "When to use it, and when not",
    "Traps",
    "Use",
    "Source",
]
PACKAGES = ("bayesnoise", "bayesnoise_backends", "bayesnoise_reference")
_FENCE = re.compile(r"(?:<!-- *([^\n]*?) *-->\n)?```(\w*)\n(.*?)^```", re.M | re.S)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


class Block(NamedTuple):
    mark: str  # of the comment on the line before
    language: str
    code: str
    line: int  # of the fence, from 1


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(m[1] or "", m[2], m[3], text[: m.start(3)].count("\n")) for m in _FENCE.finditer(text)]


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def without_cupy(name: str, *args: Any, **kwargs: Any) -> Any:
    """`__import__` with NumPy in the place of CuPy, for the code of a block alone: the library sees no such module."""
    if name != "cupy":
        return builtins.__import__(name, *args, **kwargs)
    stub = types.ModuleType("cupy")
    stub.__getattr__ = lambda attribute: getattr(np, attribute)  # type: ignore[method-assign]
    return stub


@every_page
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        if block.language == "python":
            stubbed = vars(builtins) | {"__import__": without_cupy}
            namespace["__builtins__"] = stubbed if block.mark == "needs cupy" else builtins
            source = "\n" * block.line + block.code  # a failure then names the line of the page
            exec(compile(source, str(page), "exec"), namespace)


@every_page
def test_blocks_say_what_they_are(page: Path) -> None:
    languages = {block.language for block in blocks(page)}
    assert languages <= {"python", "console", "text", ""}
    assert page.read_text(encoding="utf-8").count("```") == 2 * len(blocks(page))


def test_the_ten_lines_differ_in_one() -> None:
    here, there = [b.code.splitlines() for b in blocks(ROOT / "README.md") if "linspace(-3, 3, 500" in b.code]
    assert [(a, b) for a, b in zip(here, there, strict=True) if a != b] == [("import numpy as xp", "import cupy as xp")]
    assert sum(bool(line.strip()) for line in here) == 10


def test_the_picture_is_what_its_script_draws() -> None:
    images = ROOT / "docs" / "images"
    drawn = runpy.run_path(str(images / "algebra.py"))["picture"]()
    assert (images / "algebra.svg").read_text(encoding="utf-8") == drawn


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@every_page
def test_links_resolve(page: Path) -> None:
    text = prose(page)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    for target in targets:
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.M)
            assert anchor in map(slug, headings), target


def commands(page: Path) -> list[list[str]]:
    """The words of every `bayesnoise` command in the console blocks, continuation lines joined."""
    found = []
    for block in blocks(page):
        if block.language == "console":
            lines = block.code.replace("\\\n", " ").splitlines()
            words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines if line.startswith("$ ")]
            found += [w[1:] for w in words if w and w[0].rpartition("/")[2] == "bayesnoise"]
    return found


def check_command(words: list[str]) -> None:
    """Raise AssertionError unless the real command line takes these words."""
    group: Any = typer.main.get_command(app)
    assert words[0] in group.commands, words
    try:
        context = group.commands[words[0]].make_context(words[0], words[1:])
    except Exception as error:  # Typer carries a Click of its own, whose UsageError has no public place
        raise AssertionError(f"{' '.join(words)}: {error}") from error
    if "method" in context.params:
        bn.method(context.params["method"])


@every_page
def test_commands_parse(page: Path) -> None:
    for words in commands(page):
        check_command(words)


def test_make_targets_exist() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    named = {name for page in PAGES for name in re.findall(r"\bmake ([a-z-]+)`", page.read_text(encoding="utf-8"))}
    named |= {
        name
        for page in PAGES
        for block in blocks(page)
        if block.language == "console"
        for name in re.findall(r"^\$ make ([\w-]+)", block.code, re.M)
    }
    assert {"demo", "test"} <= named <= set(targets)


@pytest.mark.parametrize("method", bn.METHODS, ids=lambda m: m.name)
def test_every_method_has_its_page(method: Any) -> None:
    page = METHODS / f"{method.name}.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# {method.name}"
    assert [line[3:] for line in lines if line.startswith("## ")] == HEADINGS
    assert f"bn.{method.name}" in "".join(b.code for b in blocks(page) if b.language == "python")
    assert "For any map B" in page.read_text(encoding="utf-8")


def test_the_index_links_every_method_and_no_page_is_left_over() -> None:
    linked = re.findall(r"\]\((\w+)\.md\)", (METHODS / "index.md").read_text(encoding="utf-8"))
    names = {m.name for m in bn.METHODS}
    assert set(linked) == names
    assert {p.stem for p in METHODS.glob("*.md")} == names | {"index"}


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one, of the three packages."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            if not hasattr(value, attribute):
                return False
            value = getattr(value, attribute)
        return True
    return False


def names(page: Path) -> set[str]:
    """Every dotted name of the library in the inline code of a page, in full."""
    modules = {p.stem for p in (ROOT / "src" / "bayesnoise").iterdir() if not p.stem.startswith("_")}
    modules -= {"layer"}  # in these pages a variable of the examples
    found = set()
    for code in re.findall(r"`([^`\n]+)`", prose(page)):
        for name in re.findall(r"(?<![\w./])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?![\w/])", code):
            first = name.split(".")[0]
            if name.endswith((".py", ".md")):
                continue
            if first == "bn":
                found.add("bayesnoise" + name[2:])
            elif first in PACKAGES:
                found.add(name)
            elif first in modules:
                found.add(f"bayesnoise.{name}")
    return found


@every_page
def test_names_exist(page: Path) -> None:
    missing = {name for name in names(page) if not resolves(name)}
    assert not missing


@every_page
def test_files_named_exist(page: Path) -> None:
    places = (ROOT, ROOT / "src" / "bayesnoise", page.parent)
    paths = re.findall(r"`([\w./-]+\.(?:py|md|svg|toml))`", prose(page))
    assert not [path for path in paths if not any((place / path).exists() for place in places)]


def test_a_wrong_command_and_a_wrong_name_are_seen() -> None:
    with pytest.raises(AssertionError, match="--no-such-option"):
        check_command(["methods", "--no-such-option"])
    with pytest.raises(AssertionError, match="no-such-command"):
        check_command(["no-such-command"])
    assert not resolves("bayesnoise.maps.NoSuchMap")
    assert resolves("bayesnoise.maps.Dense")
