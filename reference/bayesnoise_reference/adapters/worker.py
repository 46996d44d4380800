"""A thread that calls foreign code, and can be left behind when it hangs.

It is handed a call at a time, or a whole piece of work whose calls are then timed one by one: to hand over thousands of
calls costs more than to make them, where threads must wait for a processor.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

TIMEOUT = TimeoutError()
_GRACE = 2.0  # seconds for closing


def check_limit(limit: float) -> None:
    """ValueError for what is no time that a call may take."""
    if not 0.0 < limit <= threading.TIMEOUT_MAX:
        raise ValueError(f"limit is {limit:g}, expected seconds above 0 and at most {threading.TIMEOUT_MAX:.0f}")


class Worker:
    """A thread that outlives its calls, so that one that hangs can be left behind."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[BaseException | None, Any]] = queue.SimpleQueue()
        self._began: float | None = None  # when the call began that is being made
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while True:
            call = self._asked.get()
            try:
                self._answers.put((None, call()))
            except BaseException as error:  # anything a foreign layer may throw, SystemExit included
                self._answers.put((error, None))

    def run(self, call: Callable[[], Any], limit: float) -> tuple[BaseException | None, Any]:
        """The error or the answer of a call; `TIMEOUT` if it has taken longer than `limit` seconds."""
        if threading.current_thread() is self._thread:
            return self._timed(call)
        self._asked.put(call)
        try:
            return self._answers.get(timeout=limit)
        except queue.Empty:
            return TIMEOUT, None

    def _timed(self, call: Callable[[], Any]) -> tuple[BaseException | None, Any]:
        self._began = time.monotonic()
        try:
            return None, call()
        except BaseException as error:
            return error, None
        finally:
            self._began = None

    def watch(self, work: Callable[[], Any], limit: float) -> tuple[BaseException | None, Any]:
        """The same of work that may take any time itself, but for each call that it makes by `run`."""
        self._asked.put(work)
        wait = limit
        while wait > 0.0:
            with contextlib.suppress(queue.Empty):
                return self._answers.get(timeout=wait)
            began = self._began
            wait = limit if began is None else began + limit - time.monotonic()
        return TIMEOUT, None


def close(adapter: object) -> None:
    """Have an adapter end what it has running, if it can, in a thread of its own: the other one is still busy."""
    Worker().run(getattr(adapter, "close", lambda: None), _GRACE)
