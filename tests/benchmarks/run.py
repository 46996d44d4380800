"""Every backend, method and size, each in a process of its own, as one table. `make bench` runs it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SIZES = ((128, 784, 400), (128, 1024, 1024), (512, 2048, 2048), (100, 784, 300))
METHODS = ("flipout", "local_reparameterization")


def one(backend: str, method: str, size: tuple[int, ...]) -> dict[str, Any]:
    """The record of one measurement, in a fresh process: two libraries in one steal each other's cores."""
    command = [sys.executable, str(Path(__file__).with_name("step.py")), backend, method, *map(str, size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip().splitlines()[-1]}")
    record = json.loads(done.stdout)
    assert isinstance(record, dict)
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", default="numpy,torch,jax")
    parser.add_argument("--json", type=Path, help="where to write the records")
    options = parser.parse_args()
    table = Table(title="Training step against its six products alone, float32")
    for heading in ("backend", "method", "batch, in, out", "step ms", "GEMM6 ms", "ratio", "peak of a step MiB"):
        table.add_column(heading, justify="left" if heading in ("backend", "method") else "right")
    records = []
    for size in SIZES:
        for method in METHODS:
            for backend in options.backends.split(","):
                record = one(backend, method, size)
                records.append(record)
                peak = f"{record['peak_mib']:.1f}" if "peak_mib" in record else f"rss {record['peak_rss_mib']:.0f}"
                row = (f"{record['step_ms']:.2f}", f"{record['gemm6_ms']:.2f}", f"{record['ratio']:.2f}", peak)
                table.add_row(backend, method, ", ".join(map(str, size)), *row)
    Console(width=120).print(table)
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
