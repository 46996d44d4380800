"""Interrupted writes: the old file or the new one, and nothing beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesnoise.checkpoints import save


class _HalfWritten:
    """A file whose disk fills up half way through a write."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def __enter__(self) -> _HalfWritten:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def write(self, content: bytes) -> None:
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        raise OSError(28, "No space left on device")


def _full_disk(monkeypatch: pytest.MonkeyPatch) -> type[BaseException]:
    monkeypatch.setattr("builtins.open", lambda *a, _open=open, **k: _HalfWritten(_open(*a, **k)))
    return OSError


def _interrupt_before_the_move(monkeypatch: pytest.MonkeyPatch) -> type[BaseException]:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    return KeyboardInterrupt


def _failing_sync(monkeypatch: pytest.MonkeyPatch) -> type[BaseException]:
    def fail(*args: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    return OSError


@pytest.mark.parametrize("failure", [_full_disk, _interrupt_before_the_move, _failing_sync])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: Any) -> None:
    path = tmp_path / "x"
    save(path, (np.zeros(1000),))
    before = path.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        error = failure(patch)
        with pytest.raises(error):
            save(path, (np.ones(1000),))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_content_is_on_the_disk_before_it_takes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    def recorded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            events.append(name)
            return function(*args)

        return call

    monkeypatch.setattr(os, "fsync", recorded("sync", os.fsync))
    monkeypatch.setattr(os, "replace", recorded("move", os.replace))
    save(tmp_path / "x", (np.zeros(3),))
    assert events == ["sync", "move", "sync"]


def test_a_link_keeps_pointing_and_modes_are_those_of_ordinary_files(tmp_path: Path) -> None:
    (tmp_path / "ordinary").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    save(tmp_path / "link", (np.zeros(1),))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").stat().st_mode == (tmp_path / "ordinary").stat().st_mode
