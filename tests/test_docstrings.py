"""Everything public says what it is.

A public module, class, function or method has a docstring, with exceptions that can be checked:

- a member of a protocol of these packages keeps its meaning wherever it is written out, and so does a class with every
  member of one: the description stands once, with the protocol, which has a docstring;
- a name that the docstring of its class explains in backticks;
- a body of one `return`: the formula is the description;
- a NamedTuple: a record. Each of its arrays has a comment that gives the shape or the meaning, unless the class has a
  docstring, or an earlier record of the file has said so under the same name; `x` is always the input.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("src/bayesnoise", "reference/bayesnoise_reference", "backends/bayesnoise_backends")
FILES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef


class Thing(NamedTuple):
    """A public definition, and where it stands."""

    owner: ast.Module | ast.ClassDef
    node: Definition


def bases(node: ast.ClassDef) -> set[str]:
    """The last names of the classes that it names as its own."""
    return {ast.unparse(base).split("[")[0].rpartition(".")[2] for base in node.bases}


def members(owner: ast.Module | ast.ClassDef) -> set[str]:
    """The names that a class or a module defines: functions, assignments, and fields."""
    names = set()
    for node in owner.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
PROTOCOLS = {
    node.name: node
    for tree in TREES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.ClassDef) and "Protocol" in bases(node)
}


def public(owner: ast.Module | ast.ClassDef) -> Iterator[Thing]:
    """The public definitions in a module or class, and in its public classes."""
    for node in owner.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield Thing(owner, node)
            if isinstance(node, ast.ClassDef):
                yield from public(node)


VOCABULARY = {name for protocol in PROTOCOLS.values() for name in members(protocol)}


def is_formula(node: Definition) -> bool:
    return isinstance(node, ast.FunctionDef) and len(node.body) == 1 and isinstance(node.body[0], ast.Return)


def is_record(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and "NamedTuple" in bases(node)


def excused(thing: Thing) -> bool:
    owner, node = thing
    if isinstance(node, ast.ClassDef):
        return is_record(node) or any(members(protocol) <= members(node) for protocol in PROTOCOLS.values())
    explained = isinstance(owner, ast.ClassDef) and f"`{node.name}`" in (ast.get_docstring(owner) or "")
    return explained or is_formula(node) or node.name in VOCABULARY


def undocumented(tree: ast.Module) -> list[str]:
    return [t.node.name for t in public(tree) if ast.get_docstring(t.node) is None and not excused(t)]


def silent_fields(tree: ast.Module, source: str) -> list[str]:
    """Arrays of records without a comment, a docstring or an earlier field of that name."""
    lines, said, silent = source.splitlines(), {"x"}, []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.ClassDef) and is_record(node)):
            continue
        for field in node.body:
            if not isinstance(field, ast.AnnAssign):
                continue
            name = ast.unparse(field.target)
            if "#" in lines[field.lineno - 1]:
                said.add(name)
            elif "Array" in ast.unparse(field.annotation) and name not in said and ast.get_docstring(node) is None:
                silent.append(f"{node.name}.{name}")
    return silent


every_file = pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))


@every_file
def test_public_things_are_documented(file: Path) -> None:
    tree = TREES[file]
    assert not tree.body or ast.get_docstring(tree), "the module has no docstring"
    assert not undocumented(tree)


@every_file
def test_arrays_of_records_are_described(file: Path) -> None:
    assert not silent_fields(TREES[file], file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_protocols_are_documented(name: str) -> None:
    assert ast.get_docstring(PROTOCOLS[name])


def test_what_is_not_documented_is_seen() -> None:
    source = "class A:\n  def go(self):\n    y = 1\n    return y\nclass B(NamedTuple):\n  x: Array\n  z: Array\n"
    tree = ast.parse(source)
    assert undocumented(tree) == ["A", "go"]
    assert silent_fields(tree, source) == ["B.z"]
    assert {"Layer", "Map", "Posterior", "Estimator", "Divergence"} <= set(PROTOCOLS)
