"""A thread that calls foreign code, and can be left behind when it hangs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

TIMEOUT = TimeoutError()


class Worker:
    """A thread that outlives its calls, so that one that hangs can be left behind."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[BaseException | None, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            call = self._asked.get()
            try:
                self._answers.put((None, call()))
            except BaseException as error:  # anything a foreign layer may throw, SystemExit included
                self._answers.put((error, None))

    def run(self, call: Callable[[], Any], limit: float) -> tuple[BaseException | None, Any]:
        """The error or the answer of a call; `TIMEOUT` if it has taken longer than `limit` seconds."""
        self._asked.put(call)
        try:
            return self._answers.get(timeout=limit)
        except queue.Empty:
            return TIMEOUT, None
