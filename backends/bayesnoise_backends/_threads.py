"""Work in parts, over as many threads as the process may use.

NumPy releases the interpreter's lock inside its loops and its generators, so parts of a few thousand elements run side
by side. `OMP_NUM_THREADS` limits the threads, as it does those of the matrix products.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


def count() -> int:
    """The number of threads: the processors of this process, or `OMP_NUM_THREADS` where that is less."""
    affinity = getattr(os, "sched_getaffinity", None)
    available = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(available, int(limit)) if limit.isdigit() and int(limit) > 0 else available


@lru_cache(maxsize=1)
def _pool(process: int, workers: int) -> ThreadPoolExecutor:
    """One pool a process: the threads of a pool do not survive a fork."""
    return ThreadPoolExecutor(workers, thread_name_prefix="bayesnoise")


def run(function: Callable[[int], None], parts: int) -> None:
    """Call `function(0)` to `function(parts - 1)`, in any order and side by side."""
    workers = min(count(), parts)
    if workers <= 1:
        for part in range(parts):
            function(part)
        return

    def every(first: int) -> None:
        for part in range(first, parts, workers):
            function(part)

    others = [_pool(os.getpid(), count()).submit(every, first) for first in range(1, workers)]
    every(0)
    for other in others:
        other.result()
