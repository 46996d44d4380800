"""A process that is asked a line at a time: it may die, hang, or write anything, and it is never left behind.

It runs in a session of its own, so that what it started itself ends with it, and it ends when the object goes, when the
interpreter exits, and when it has been silent for too long.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import signal
import subprocess
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import IO, Any

LONGEST = 64 * 2**20  # bytes of a line
_GRACE = 1.0  # seconds for what should not take any
_STEP = 0.25  # seconds after which a process that says nothing is looked at
_TAIL = 4096  # bytes of stderr that are kept
_SHOWN = 120  # characters of it in a sentence


class ProcessError(Exception):
    """A process that gave no answer: a sentence."""


class SilentProcessError(ProcessError):
    """A process that was silent for too long, and has been ended."""


class Process:
    """A process started from the words of a command. OSError if it cannot be."""

    def __init__(self, command: Sequence[str], limit: float) -> None:
        self.limit = limit
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,  # without locks that a thread which waits would hold
        )
        self._tail: deque[bytes] = deque(maxlen=16)
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=1)  # full: the process waits until it is read
        self._late = threading.Event()
        self._listener = threading.Thread(target=_listen, args=(self._process.stderr, self._tail), daemon=True)
        self._listener.start()
        reader = threading.Thread(target=_read, args=(self._process.stdout, self._lines), daemon=True)
        reader.start()
        self._end = weakref.finalize(self, _end, self._process, self._lines, reader)

    @property
    def alive(self) -> bool:
        """Whether it has not been ended, and has not ended by itself."""
        return self._end.alive and self._process.poll() is None

    def ask(self, line: str) -> str:
        """Write a line, and read the one that answers it. ProcessError if there is none; the process is then ended."""
        watch = threading.Timer(self.limit, _overdue, (self._late, self._process))
        watch.daemon = True
        watch.start()
        try:
            with contextlib.suppress(OSError, ValueError):  # it has died, or been ended: there will be no answer
                self._write(line.encode() + b"\n")
            answer = self._answer()
        finally:
            watch.cancel()
        if not answer.endswith(b"\n"):
            said = self._lost(answer)
            raise SilentProcessError(said) if self._late.is_set() else ProcessError(said)
        try:
            return answer.decode()
        except UnicodeDecodeError:
            self.end()
            raise ProcessError(f"answered with bytes that are no UTF-8: {answer[:40]!r}") from None

    def _answer(self) -> bytes:
        """The next line, or what there is of it when the process ends; nothing if there is no end to it either."""
        until = time.monotonic() + self.limit + _GRACE
        while time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                return self._lines.get(timeout=_STEP)
            if self._process.poll() is not None:
                _kill(self._process)  # what it has left behind, which may hold its output
                with contextlib.suppress(queue.Empty):
                    return self._lines.get(timeout=_GRACE)
                break
        return b""

    def _write(self, text: bytes) -> None:
        assert self._process.stdin is not None
        left = memoryview(text)
        while left:
            left = left[self._process.stdin.write(left) :]

    def end(self) -> None:
        """End it, and what it has started. It may have ended already."""
        self._end()

    def _lost(self, rest: bytes) -> str:
        """Why there is no answer."""
        if len(rest) > LONGEST:
            self.end()
            return f"wrote a line of more than {LONGEST} bytes"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_GRACE)
        code = self._process.returncode
        said = f"ended {_cause(code)}" if code is not None else "closed its output"
        if self._late.is_set():
            said = f"was silent for {self.limit:g} s, and was ended"
        self.end()
        self._listener.join(timeout=_GRACE)
        if rest:
            said += f" in the middle of a line: {rest[:40]!r}"
        last = b"".join(self._tail)[-_TAIL:].decode(errors="replace").split()
        return f"{said}; its stderr ends with: {' '.join(last)[-_SHOWN:]}" if last else said


def _cause(code: int) -> str:
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def _read(pipe: IO[bytes], lines: queue.Queue[bytes]) -> None:
    """The lines of the process one by one; at the end what has no line break, which may be nothing."""
    with io.BufferedReader(pipe) as stream:  # type: ignore[type-var]  # it is a raw one
        line = b"\n"
        while line.endswith(b"\n"):
            line = stream.readline(LONGEST + 1)
            lines.put(line)


def _listen(pipe: IO[bytes], tail: deque[bytes]) -> None:
    """Read stderr, so that the process never waits for it, and keep its end."""
    with pipe:
        while chunk := pipe.read(_TAIL):
            tail.append(chunk)


def _overdue(late: threading.Event, process: subprocess.Popen[bytes]) -> None:
    late.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process and what it has started."""
    kill: Any = getattr(os, "killpg", None)
    with contextlib.suppress(OSError):
        kill(process.pid, signal.SIGKILL) if kill is not None else process.kill()


def _end(process: subprocess.Popen[bytes], lines: queue.Queue[bytes], reader: threading.Thread) -> None:
    _kill(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_GRACE)
    assert process.stdin is not None
    process.stdin.close()
    until = time.monotonic() + _GRACE  # for what has left its session, and holds its output
    while reader.is_alive() and time.monotonic() < until:
        with contextlib.suppress(queue.Empty):  # lines that nobody wants any more
            lines.get(timeout=0.01)
