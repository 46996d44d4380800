"""`bayesnoise doctor`: what this machine offers, and what to try."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from bayesnoise_backends import available
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bayesnoise import __version__

LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE")


def doctor() -> None:
    """Backends found, the BLAS in use, threads, and advice."""
    console = Console(highlight=False)
    found = available()
    libraries = _libraries()
    machine = f"Python {platform.python_version()}, {_processor()}, {_cores()} processors"
    console.print(f"bayesnoise {__version__}, {machine}")
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("backend", "version", "devices"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "devices")
    for entry in found:
        devices = escape(", ".join(entry.devices) or entry.problem or "")
        table.add_row(entry.name, entry.version or "not found", devices)
    console.print(table)
    console.print()
    for library in libraries:
        details = [str(library.get(name)) for name in ("version", "architecture") if library.get(name)]
        name = library.get("internal_api") or library.get("user_api")
        console.print(f"{name} {' '.join(details)}: {library.get('num_threads')} threads", markup=False)
    for name in LIMITS:
        if name in os.environ:
            console.print(f"{name}={os.environ[name]}", markup=False)
    for line in advice(libraries, _flags(), [entry.name for entry in found if entry.version is None]):
        console.print(f"[bold]advice[/bold] {escape(line)}")


def advice(libraries: list[dict[str, Any]], flags: set[str], missing: list[str]) -> list[str]:
    """What to try on a machine with these libraries, processor flags and missing backends."""
    lines = []
    kernels = {str(entry.get("architecture")) for entry in libraries if entry.get("internal_api") == "openblas"}
    if "avx512f" in flags and kernels & {"Haswell", "Zen"} and "OPENBLAS_CORETYPE" not in os.environ:
        lines.append(
            f"OpenBLAS uses its {' and '.join(sorted(kernels))} kernels on a processor with AVX-512: "
            "try OPENBLAS_CORETYPE=SkylakeX, set before Python starts, and time a fit both ways"
        )
    if not libraries:
        lines.append("no BLAS with adjustable threads was found: matrix products may be slow")
    if len(missing) == 3:
        lines.append("NumPy is the only backend here: torch, jax and cupy are extras of the package")
    return lines


def _libraries() -> list[dict[str, Any]]:
    import numpy as np
    from threadpoolctl import threadpool_info

    np.matmul(np.ones((2, 2)), np.ones((2, 2)))  # so that its BLAS is loaded
    return list(threadpool_info())


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _flags() -> set[str]:
    return set(_cpuinfo("flags").split())


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
