"""Time and memory of one training step against its matrix products alone, for one backend, in this process.

A step is noise, forward, backward to the parameters and to `x`, KL gradient and Adam. Its floor, timed in the same run
with the same library, is its products alone: GEMM6 for flipout and local reparameterization. The two are interleaved
and compared by medians. Run `make bench`; alone, `python step.py numpy flipout 128 1024 1024` prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import bayesnoise_backends
import numpy as np
from array_api_compat import array_namespace

from bayesnoise import maps, tree
from bayesnoise.methods import method
from bayesnoise.optimizers import adam


def training_step(backend: Any, name: str, batch: int, inputs: int, outputs: int) -> tuple[Callable[[], Any], Any]:
    """The step as a function without arguments that advances its own state, and the parameters at the start."""
    host = np.random.default_rng(0)
    x = backend.asarray(host.standard_normal((batch, inputs)), dtype="float32")
    grad_y = backend.asarray(host.standard_normal((batch, outputs)) / batch, dtype="float32")
    layer = backend.accelerate(method(name).build(maps.Dense(inputs, outputs), bias="none"))
    optimizer = adam(1e-3)
    init_rng, run_rng = backend.rng(0, like=x).split(2)
    params = layer.init(init_rng, like=x)
    state = optimizer.init(params)

    def step(params: Any, state: Any, rng: Any, x: Any, grad_y: Any) -> Any:
        noise = layer.draw(rng, params, x.shape, like=x)
        _, residuals = layer.forward(params, noise, x)
        grad_x, grads = layer.backward(residuals, grad_y)
        grads = tree.map(lambda g, k: g + 1e-4 * k, grads, layer.kl_grad(params, noise))
        return *optimizer.step(params, grads, state), grad_x

    compiled = backend.compile(step)
    holder: list[Any] = [params, state, run_rng]

    def advance() -> Any:
        rng, holder[2] = holder[2].split(2)
        holder[0], holder[1], grad_x = compiled(holder[0], holder[1], rng, x, grad_y)
        return holder[0], grad_x

    return advance, params


def products(backend: Any, batch: int, inputs: int, outputs: int) -> Callable[[], Any]:
    """The six products of flipout: two forward, two to the input, two to the weights."""
    host = np.random.default_rng(0)
    x, g, w = (
        backend.asarray(host.standard_normal(shape), dtype="float32")
        for shape in ((batch, inputs), (batch, outputs), (inputs, outputs))
    )
    xp = array_namespace(x)

    def once(x: Any, g: Any, w: Any) -> Any:
        return [(xp.matmul(x, w), xp.matmul(g, w.T), xp.matmul(x.T, g)) for x, g in ((x, g), (2.0 * x, 2.0 * g))]

    compiled = backend.compile(once)
    return lambda: compiled(x, g, w)


def wait(result: Any) -> None:
    """Until a lazy backend has finished."""
    for leaf in result if isinstance(result, list | tuple) else [result]:
        if isinstance(leaf, list | tuple):
            wait(leaf)
        elif hasattr(leaf, "block_until_ready"):
            leaf.block_until_ready()
        elif type(leaf).__module__.startswith("torch") and leaf.is_cuda:
            bayesnoise_backends.to_host(leaf.reshape(-1)[:1])
        elif type(leaf).__module__.startswith("cupy"):
            leaf.device.synchronize()


def milliseconds(function: Callable[[], Any]) -> float:
    began = time.perf_counter()
    wait(function())
    return 1e3 * (time.perf_counter() - began)


def measure(name: str, kind: str, batch: int, inputs: int, outputs: int, repeats: int = 30) -> dict[str, Any]:
    """Medians of the interleaved runs, and the memory of a step."""
    backend = bayesnoise_backends.backend(name)
    step, params = training_step(backend, kind, batch, inputs, outputs)
    floor = products(backend, batch, inputs, outputs)
    for _ in range(3):
        wait(step())
        wait(floor())
    times = [(milliseconds(step), milliseconds(floor)) for _ in range(repeats)]
    record: dict[str, Any] = {
        "backend": name,
        "method": kind,
        "size": [batch, inputs, outputs],
        "step_ms": statistics.median(s for s, _ in times),
        "gemm6_ms": statistics.median(f for _, f in times),
        "ratio": statistics.median(s / f for s, f in times),
        "weight_mib": 4 * inputs * outputs / 2**20,
        "state_mib": 3 * sum(leaf.nbytes for leaf in tree.leaves(params)) / 2**20,  # parameters and Adam's moments
    }
    if name == "numpy":  # tracemalloc sees NumPy's buffers; elsewhere the resident set is all there is
        tracemalloc.start()
        wait(step())
        record["peak_mib"] = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    record["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return record


if __name__ == "__main__":
    backend_name, method_name, *size = sys.argv[1:]
    print(json.dumps(measure(backend_name, method_name, *map(int, size))))
