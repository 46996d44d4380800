"""What `bayesnoise verify` can be pointed at: an adapter by its name, a class, a method of the library, a program."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from bayesnoise.cli.errors import sentence


class Asked(NamedTuple):
    """What is told of a layer that the command line makes itself."""

    name: str  # what follows the colon
    inputs: int | None
    outputs: int | None
    kernel: tuple[int, ...]
    given: list[str] | None
    parameter: list[str] | None
    kl: str | None
    described: dict[str, Any]


def _of_library(asked: Asked) -> Any:
    if asked.parameter or asked.kl is not None:
        raise ValueError("--parameter and --kl are for torch: and keras: targets; a method of the library needs none")
    from bayesnoise_reference.adapters.library_methods import library_method

    kernel = {"kernel": asked.kernel} if asked.kernel else {}
    return library_method(asked.name, asked.inputs, asked.outputs, **kernel, **asked.described, **_settings(asked))


def _of_torch(asked: Asked) -> Any:
    from bayesnoise_reference.adapters.torch_conventions import conventional

    return _conventional(conventional, asked, "torch", "parameters")


def _of_keras(asked: Asked) -> Any:
    from bayesnoise_reference.adapters.keras_conventions import conventional_keras

    return _conventional(conventional_keras, asked, "keras", "variables")


def _conventional(make: Callable[..., Any], asked: Asked, kind: str, names: str) -> Any:
    module, _, class_name = asked.name.replace(":", ".").rpartition(".")
    return make(
        named(f"{module}:{class_name}"),
        8 if asked.inputs is None else asked.inputs,
        64 if asked.outputs is None else asked.outputs,
        kernel=asked.kernel,
        arguments=_settings(asked),
        kl=named(asked.kl) if asked.kl is not None else None,
        name=f"{kind}:{asked.name}",
        **{names: pairs("--parameter", asked.parameter) or None},
        **asked.described,
    )


SHORTCUTS: Mapping[str, Callable[[Asked], Any]] = {"torch": _of_torch, "keras": _of_keras, "library": _of_library}
WITH_CLASSES = "torch:, keras: and library:"


def program(command: str, limit: float) -> Any:
    """The adapter of a program, which says itself what its layer is, and has so many seconds for each answer."""
    from bayesnoise_reference.adapters.subprocess import Subprocess

    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"the command {command!r} cannot be read: {error}") from None
    if not words:
        raise ValueError("exec: names no program, expected a command after it, like exec:./my_layer")
    return Subprocess(words, limit=limit)


def named(target: str) -> Any:
    """What `package.module:name` names. ValueError if there is no such thing."""
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(
            f"{target!r} names nothing, expected package.module:NAME, torch:package.Class, keras:package.Class, "
            "library:METHOD or exec:COMMAND"
        )
    sys.path.insert(0, "") if "" not in sys.path else None  # like `python -m`: modules of the current folder
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{target!r} cannot be imported: {sentence(error)}") from None
    return found


def adapter(target: str) -> Any:
    """The adapter of that name, or what a function of that name returns."""
    found = named(target)
    if not hasattr(found, "description") and callable(found):
        found = found()
    if not all(hasattr(found, name) for name in ("description", "load", "sample")):
        raise ValueError(f"{target!r} is a {type(found).__name__} without description, load and sample: no adapter")
    return found


def pairs(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    """What is given as NAME=VALUE. ValueError for what has no two parts."""
    split = [text.partition("=") for text in texts or ()]
    wrong = [name for name, equals, _ in split if not equals or not name]
    if wrong:
        raise ValueError(f"{option} is {wrong[0]!r}, expected two parts with = between")
    return {name: value for name, _, value in split}


def _settings(asked: Asked) -> dict[str, Any]:
    return {name: _value(text) for name, text in pairs("--set", asked.given).items()}


def _value(text: str) -> Any:
    """A number, true, a list; anything else is the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
