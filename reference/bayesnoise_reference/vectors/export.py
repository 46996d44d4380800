"""The folder of vectors: a JSON and a text file for each family, the schema, and a README that explains it all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

from bayesnoise_reference import schema
from bayesnoise_reference.vectors.build import GENERATOR_VERSION, build
from bayesnoise_reference.vectors.families import FAMILIES
from bayesnoise_reference.vectors.flat import flat

_INLINE = 100  # a record of at most as many characters stands on one line, and every array does


def export(directory: str | PathLike[str], families: Iterable[str] | None = None) -> list[Path]:
    """Write the folder, made if it is not there; return the paths of the files.

    ValueError for a name that is no family, OSError where nothing can be written.
    """
    names = list(FAMILIES if families is None else families)
    for name in names:
        if name not in FAMILIES:
            raise ValueError(f"families holds {name!r}, expected one of {', '.join(FAMILIES)}")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {name: build(FAMILIES[name]()) for name in names}
    files = {
        "README.md": readme(contents),
        "bayesnoise-vectors-1.schema.json": schema.published("bayesnoise_reference.vectors", "schema.json"),
    }
    for name, content in contents.items():
        files[f"{name}.json"] = dumps(content) + "\n"
        files[f"{name}.txt"] = flat(content)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in files]


def dumps(value: Any, indent: str = "") -> str:
    """JSON for eyes: an object or list on one line where it is short or an array, else one item a line."""
    inline = json.dumps(value, allow_nan=False)
    is_array = isinstance(value, dict) and "data" in value
    if is_array or len(inline) <= _INLINE or not isinstance(value, dict | list):
        return inline
    deeper = f"{indent} "
    if isinstance(value, dict):
        items = [f"{deeper}{json.dumps(key)}: {dumps(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + dumps(item, deeper) for item in value) + f"\n{indent}]"


def readme(contents: dict[str, dict[str, Any]]) -> str:
    """The guide, with the conventions and flags of these families in the places it keeps for them."""
    guide = resources.files("bayesnoise_reference.vectors").joinpath("guide.md").read_text(encoding="utf-8")
    files = [f"| `{name}.json` | {c['numberOfTests']} | {c['source']} |" for name, c in contents.items()]
    conventions: dict[str, str] = {}
    notes: dict[str, dict[str, str]] = {}
    for content in contents.values():
        notes |= content["notes"]
        for group in content["testGroups"]:
            conventions[group["type"]] = _section(group)
    flags = {kind: _flags(notes, kind) for kind in ("special", "bug")}
    return (
        guide.replace("{version}", GENERATOR_VERSION)
        .replace("{files}", "\n".join(files))
        .replace("{conventions}", "\n\n".join(conventions.values()))
        .replace("{special}", flags["special"])
        .replace("{bugs}", flags["bug"])
    )


def _section(group: dict[str, Any]) -> str:
    """What is computed in one type of group, and from what."""
    first = group["tests"][0]
    lines = [f"### {group['type']}", "", f"Inputs: {', '.join(f'`{name}`' for name in first['inputs'])}. "]
    lines[-1] += f"Outputs: {', '.join(f'`{name}`' for name in first['outputs'])}."
    lines += ["", *(f"- {name}: {text}" for name, text in group["conventions"].items())]
    return "\n".join(lines)


def _flags(notes: dict[str, dict[str, str]], kind: str) -> str:
    chosen = {flag: note["description"] for flag, note in sorted(notes.items()) if note["kind"] == kind}
    return "\n".join(f"- `{flag}`: {text}" for flag, text in chosen.items())
