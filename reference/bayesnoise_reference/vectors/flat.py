"""The same vectors as words between white space, for languages without a JSON reader: `fscanf` is enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def flat(content: dict[str, Any]) -> str:
    """The text form of a family's file."""
    return "\n".join(_lines(content)) + "\n"


def _lines(content: dict[str, Any]) -> Iterator[str]:
    yield f"{content['schema']} {content['family']} {content['numberOfTests']}"
    for group in content["testGroups"]:
        for test in group["tests"]:
            sizes = f"{len(test['inputs'])} {len(test['outputs'])}"
            yield (
                f"test {test['tcId']} {group['type']} {group['dtype']} {group['tolerance']!r} {test['result']} {sizes}"
            )
            for name, field in test["inputs"].items():
                yield f"input {name} {_array(field)}"
            for name, field in test["outputs"].items():
                compared = int(name in test.get("affects", test["outputs"]))
                yield f"output {name} {compared} {field['absolute']!r} {_array(field)}"


def _array(field: dict[str, Any]) -> str:
    """The number of axes, the length of each, and the elements."""
    words = [len(field["shape"]), *field["shape"], *field["data"]]
    return " ".join(w if isinstance(w, str) else repr(w) for w in words)
