"""CuPy: its kernels compiled as C and run on the host, and everything else on a CUDA device where there is one."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

import bayesnoise_backends
import numpy as np
import pytest
from bayesnoise_backends import _cuda_random
from bayesnoise_backends._seed import Seed
from bayesnoise_backends.host import host_rng
from namespaces import NUMPY64
from test_backends_layers import ALL, LAYERS, assert_close, everything, inputs
from test_backends_rng import DRAWS, fair

from bayesnoise import tree

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

# What CUDA has and C has not: one thread after the other stands for the grid.
PREAMBLE = r"""
#include <math.h>
#define __device__ static
#define __global__
struct dim { unsigned int x; };
static struct dim blockIdx, blockDim, threadIdx;
static float cospif(float x) { return (float)cos(M_PI * (double)x); }
static float sinpif(float x) { return (float)sin(M_PI * (double)x); }
static double cospi(double x) { return cos(M_PI * x); }
static double sinpi(double x) { return sin(M_PI * x); }
"""
GRID = r"""
#define RUN(NAME, T) \
    void run_##NAME(unsigned int blocks, unsigned int threads, T* out, words n, word a, word b, word c, word d) { \
        blockDim.x = threads; \
        for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) \
            for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x) NAME(out, n, a, b, c, d); \
    }
RUN(normal_float32, float) RUN(normal_float64, double)
RUN(uniform_float32, float) RUN(uniform_float64, double)
RUN(rademacher_float32, float) RUN(rademacher_float64, double)
void known_answer(word* c, word key0, word key1) { philox(c, key0, key1); }
"""


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if COMPILER is None:
        pytest.skip("no C compiler here: the CUDA kernels are checked where there is cc, gcc or clang")
    folder: Path = tmp_path_factory.mktemp("kernels")
    source = PREAMBLE + _cuda_random.SOURCE.replace('extern "C"', "") + GRID
    (folder / "kernels.c").write_text(source)
    command = [COMPILER, "-O1", "-std=gnu11", "-shared", "-fPIC", "-o", "kernels.so", "kernels.c", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "kernels.so"))


def run(kernels: ctypes.CDLL, kind: str, dtype: str, n: int, seed: int = 0) -> Any:
    """`n` numbers as CuPy would launch them, with a guard after the end."""
    out = np.full(n + 8, -7.0, dtype=dtype)
    blocks = -(-n // (_cuda_random.PER_THREAD[dtype] * _cuda_random.THREADS))
    words = [ctypes.c_uint32(int(w)) for w in Seed(seed).words(4)]
    place = out.ctypes.data_as(ctypes.c_void_p)
    getattr(kernels, f"run_{kind}_{dtype}")(blocks, _cuda_random.THREADS, place, ctypes.c_uint64(n), *words)
    assert np.all(out[n:] == -7.0)
    assert np.all(out[:n] != -7.0)
    return out[:n]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(
    kernels: ctypes.CDLL, counter: tuple[int, ...], key: tuple[int, int], expected: tuple[int, ...]
) -> None:
    words = (ctypes.c_uint32 * 4)(*counter)
    kernels.known_answer(words, ctypes.c_uint32(key[0]), ctypes.c_uint32(key[1]))
    assert tuple(words) == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels_have_the_laws_of_their_names(kernels: ctypes.CDLL, dtype: str) -> None:
    from statistics import NormalDist

    for n in (1, 2, 3, 4, 5, 1023, 1025):
        for kind in DRAWS:
            run(kernels, kind, dtype, n)
    z, u, signs = (run(kernels, kind, dtype, 200_001) for kind in DRAWS)
    for quantile in (-4.0, -2.0, -1.0, 0.0, 0.1, 1.0, 2.0, 4.0):
        assert fair(z < quantile, NormalDist().cdf(quantile))
    assert fair((z[:-1:2] > 0) == (z[1::2] > 0))
    large = np.abs(z) > NormalDist().inv_cdf(0.75)
    assert fair(large[:-1:2] == large[1::2])
    assert u.min() >= 0
    assert u.max() < 1
    for edge in (2**-10, 0.25, 0.5, 1 - 2**-10):
        assert fair(u < edge, edge)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert fair(signs > 0)


def test_kernels_repeat_for_a_seed_and_for_no_other(kernels: ctypes.CDLL) -> None:
    rows = [run(kernels, "uniform", "float64", 3000, seed) for seed in (0, 1, 2**32, 2**64)]
    assert np.array_equal(rows[0], run(kernels, "uniform", "float64", 3000, 0))
    assert np.unique(np.stack(rows)).size == 12_000


def cupy_or_skip() -> Any:
    if importlib.util.find_spec("cupy") is None:
        pytest.skip('CuPy is not installed: pip install "bayesnoise[cuda12]" on a machine with a CUDA device')
    found = bayesnoise_backends.available()[1]
    if not found.devices:
        pytest.skip(str(found.problem))
    return bayesnoise_backends.backend("cupy")


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", DRAWS)
def test_cupy_draws_follow_the_seed_the_shape_and_the_array(kind: str, dtype: str) -> None:
    backend = cupy_or_skip()
    like = backend.asarray(np.zeros(()), dtype)
    for shape in ((), (0, 3), (7,), (5, 3)):
        x = getattr(bayesnoise_backends.rng(1, like=like), kind)(shape, like=like)
        assert (x.shape, x.dtype, x.device) == (shape, like.dtype, like.device)
        again = getattr(bayesnoise_backends.rng(1, like=like), kind)(shape, like=like)
        assert np.array_equal(backend.to_host(x), backend.to_host(again))
    family = [bayesnoise_backends.rng(1, like=like)]
    family += family[0].split(20)
    rows = {backend.to_host(getattr(member, kind)((96,), like=like)).tobytes() for member in family}
    assert len(rows) == len(family)
    if kind == "uniform":
        u = backend.to_host(family[1].uniform((300_001,), like=like))
        assert u.min() >= 0
        assert u.max() < 1
        assert fair(u < 0.25, 0.25)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", DRAWS)
def test_cupy_draws_what_its_kernels_draw_on_the_host(kernels: ctypes.CDLL, kind: str, dtype: str) -> None:
    backend = cupy_or_skip()
    like = backend.asarray(np.zeros(()), dtype)
    x = backend.to_host(getattr(backend.rng(3), kind)((3001,), like=like))
    expected = run(kernels, kind, dtype, 3001, 3)
    if kind == "normal":  # other roundings of log and cos
        assert np.max(np.abs(x - expected)) <= 64 * np.finfo(dtype).eps
    else:
        assert np.array_equal(x, expected)


@pytest.mark.gpu
@ALL
def test_cupy_computes_what_numpy_does(name: str) -> None:
    backend = cupy_or_skip()
    layer, *arguments = inputs(name, NUMPY64)
    there = [tree.map(lambda a: backend.asarray(a, "float64"), argument) for argument in arguments]
    expected = everything(layer, *arguments)
    for made in (layer, backend.accelerate(layer)):
        here = tree.map(lambda a: bayesnoise_backends.to_host(a), everything(made, *there))
        assert_close(here, expected, NUMPY64.eps)


@pytest.mark.gpu
def test_cupy_edge() -> None:
    backend = cupy_or_skip()
    like = backend.asarray(np.zeros(()))
    host = np.arange(6.0).reshape(2, 3)
    there = bayesnoise_backends.from_host(host, like=like)
    assert there.dtype == np.float32
    assert np.array_equal(bayesnoise_backends.to_host(there), host)
    assert backend.asarray(host, "float64", "cuda:0").dtype == np.float64
    assert bayesnoise_backends.backend_of(like) is backend
    with pytest.raises(TypeError, match="on CuPy, which does not differentiate"):
        backend.differentiable(LAYERS["dense-local"][0])
    noise = host_rng(0).normal((3, 2), like=like)
    assert noise.device == like.device


@pytest.mark.gpu
@pytest.mark.parametrize("kind", DRAWS)
def test_torch_draws_on_the_device(kind: str) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device here")
    like = torch.zeros((), device="cuda")
    source = bayesnoise_backends.rng(1, like=like)
    x = getattr(source, kind)((300_001,), like=like)
    assert (x.dtype, x.device) == (like.dtype, like.device)
    assert torch.equal(x, getattr(bayesnoise_backends.rng(1, like=like), kind)((300_001,), like=like))
    host = bayesnoise_backends.to_host(x)
    if kind == "rademacher":
        assert set(np.unique(host)) == {-1.0, 1.0}
    assert fair(host > (0.5 if kind == "uniform" else 0.0))
    first, second = source.split(2)
    assert not torch.equal(getattr(first, kind)((96,), like=like), getattr(second, kind)((96,), like=like))
