"""Every source of random arrays: reproducible, split into different streams, of the right law, for the array given."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import bayesnoise_backends
import jax
import numpy as np
import pytest
import torch
from bayesnoise_backends import _host_draws, _threads
from bayesnoise_backends._seed import Seed
from namespaces import NAMESPACES, NUMPY64, Namespace, to_numpy
from scipy.stats import binom

from bayesnoise._typing import Rng

DRAWS = ("normal", "uniform", "rademacher")
ERROR = 1e-9  # the chance that a correct generator fails one count, over all seeds
BY_KIND = [n for n in NAMESPACES if n.name in ("numpy-float32", "numpy-float64", "jax-float32", "jax-float64")]


def draw(source: Rng, kind: str, shape: tuple[int, ...], namespace: Namespace) -> Any:
    return getattr(source, kind)(shape, like=namespace.asarray(0.0))


def fair(hits: Any, p: float = 0.5) -> bool:
    """Whether independent events of probability p came up a plausible number of times."""
    low, high = binom.ppf([ERROR / 2, 1 - ERROR / 2], hits.size, p)
    return bool(low <= np.sum(hits) <= high)


@pytest.mark.parametrize("kind", DRAWS)
def test_draw_follows_the_seed_the_shape_and_the_array(namespace: Namespace, kind: str) -> None:
    like = namespace.asarray(0.0)
    for shape in ((), (0, 3), (7,), (5, 3)):
        x = draw(bayesnoise_backends.rng(1, like=like), kind, shape, namespace)
        assert tuple(x.shape) == shape
        assert namespace.owns(x)
        again = draw(bayesnoise_backends.rng(1, like=like), kind, shape, namespace)
        assert np.array_equal(to_numpy(x), to_numpy(again))


@pytest.mark.parametrize("kind", DRAWS)
def test_split_streams_differ_from_each_other_and_from_their_parent(namespace: Namespace, kind: str) -> None:
    source = bayesnoise_backends.rng(3, like=namespace.asarray(0.0))
    family = [source, *source.split(20)]
    for _ in range(20):  # as a training loop splits
        family += (source := family[-1]).split(2)
    rows = {to_numpy(draw(member, kind, (96,), namespace)).tobytes() for member in family}
    assert len(rows) == len(family)


def test_seeds_that_agree_in_32_bits_differ(namespace: Namespace) -> None:
    like = namespace.asarray(0.0)
    rows = {
        to_numpy(draw(bayesnoise_backends.rng(seed, like=like), "normal", (8,), namespace)).tobytes()
        for seed in (1, 1 + 2**32, 1 + 2**64, 1 + 2**128)
    }
    assert len(rows) == 4


def test_the_children_of_a_seed_have_all_its_128_bits() -> None:
    used = 0
    for child in Seed(0).split(128):  # a bit that is drawn is 0 in all of them once in 2^128 seeds
        used |= child.entropy
    assert used == 2**128 - 1


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_no_number_comes_twice_across_streams_and_steps(kind: str) -> None:
    source, rows = bayesnoise_backends.rng(0, like=np.zeros(())), []
    for _ in range(30):
        source, child = source.split(2)
        rows.append(getattr(child, kind)((1000,), like=np.zeros(())))
    assert np.unique(np.stack(rows)).size == 30_000


@pytest.mark.parametrize("n", BY_KIND, ids=lambda n: n.name)
def test_uniform_numbers_have_the_uniform_law(n: Namespace) -> None:
    u = to_numpy(draw(bayesnoise_backends.rng(5, like=n.asarray(0.0)), "uniform", (300_001,), n))
    assert np.min(u) >= 0
    assert np.max(u) < 1
    for edge in (2**-10, 0.25, 0.5, 0.75, 1 - 2**-10):
        assert fair(u < edge, edge)


@pytest.mark.parametrize("n", BY_KIND, ids=lambda n: n.name)
def test_normal_numbers_have_the_normal_law(n: Namespace) -> None:
    z = to_numpy(draw(bayesnoise_backends.rng(6, like=n.asarray(0.0)), "normal", (300_001,), n)).astype(np.float64)
    for quantile in (-4.0, -2.0, -1.0, -0.1, 0.0, 0.1, 1.0, 2.0, 4.0):
        assert fair(z < quantile, NormalDist().cdf(quantile))


@pytest.mark.parametrize("n", BY_KIND, ids=lambda n: n.name)
def test_normal_numbers_are_independent_at_the_lags_of_their_blocks(n: Namespace) -> None:
    z = to_numpy(draw(bayesnoise_backends.rng(7, like=n.asarray(0.0)), "normal", (4 * _host_draws.PART,), n))
    large = np.abs(z) > NormalDist().inv_cdf(0.75)
    for lag in (1, 2, 8, 1 << 13, 1 << 14, 1 << 15, 1 << 16, _host_draws.PART):
        pairs = slice(0, z.size // (2 * lag) * 2 * lag)  # disjoint, so that the products are independent coins
        for coin in (z > 0, large):
            first, second = coin[pairs].reshape(-1, 2, lag).transpose(1, 0, 2)
            assert fair(first == second)


@pytest.mark.parametrize("n", BY_KIND, ids=lambda n: n.name)
def test_signs_are_fair_and_independent(n: Namespace) -> None:
    signs = to_numpy(draw(bayesnoise_backends.rng(8, like=n.asarray(0.0)), "rademacher", (300_001,), n))
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert fair(signs > 0)
    for lag in (1, 8, 64):
        first, second = signs[: signs.size // (2 * lag) * 2 * lag].reshape(-1, 2, lag).transpose(1, 0, 2)
        assert fair(first == second)
    for place in range(8):  # each bit of the byte that a table turns into signs
        assert fair(signs[place::8] > 0)


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_host_draws_do_not_depend_on_the_number_of_threads(
    kind: str, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    function: Callable[..., Any] = getattr(_host_draws, kind)
    rows = []
    for threads in ("1", "3"):
        monkeypatch.setattr(_threads, "count", lambda threads=threads: int(threads))
        rows.append(function(Seed(0), (3 * _host_draws.PART + 5,), dtype))
    assert np.array_equal(*rows)
    assert rows[0].dtype == dtype


def test_threads_are_limited_by_the_environment_and_pass_errors_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert _threads.count() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert _threads.count() >= 1
    monkeypatch.setattr(_threads, "count", lambda: 2)
    done: list[int] = []
    _threads.run(done.append, 5)
    assert sorted(done) == [0, 1, 2, 3, 4]

    def fail(part: int) -> None:
        if part == 3:
            raise RuntimeError("part 3")

    with pytest.raises(RuntimeError, match="part 3"):
        _threads.run(fail, 4)


@pytest.mark.parametrize("kind", DRAWS)
def test_torch_on_the_host_draws_what_numpy_draws(kind: str) -> None:
    for dtype in ("float32", "float64"):
        theirs = bayesnoise_backends.rng(4, like=torch.zeros((), dtype=getattr(torch, dtype)))
        ours = bayesnoise_backends.rng(4, like=np.zeros((), dtype=dtype))
        y = getattr(theirs, kind)((50, 3), like=torch.zeros((), dtype=getattr(torch, dtype)))
        x = getattr(ours, kind)((50, 3), like=np.zeros((), dtype=dtype))
        assert np.array_equal(to_numpy(y), x)


@pytest.mark.parametrize(
    "like", [np.zeros((), np.float16), torch.zeros((), dtype=torch.float16)], ids=["numpy", "torch"]
)
def test_half_precision_uniform_numbers_stay_below_one(like: Any) -> None:
    u = to_numpy(bayesnoise_backends.rng(0, like=like).uniform((200_000,), like=like))
    assert u.dtype == np.float16
    assert float(u.max()) == 1 - 2**-11
    assert fair(u < 0.5)


def test_bfloat16_uniform_numbers_stay_below_one() -> None:
    like = torch.zeros((), dtype=torch.bfloat16)
    u = bayesnoise_backends.rng(0, like=like).uniform((20_000,), like=like)
    assert u.dtype == torch.bfloat16
    assert float(u.max()) == 1 - 2**-8


@pytest.mark.parametrize("kind", DRAWS)
def test_jax_source_passes_through_jit(kind: str) -> None:
    like = jax.numpy.zeros((), dtype="float32")
    source = bayesnoise_backends.rng(2, like=like)

    def both(source: Rng, like: Any) -> Any:
        first, second = source.split(2)
        return getattr(first, kind)((4, 3), like=like), getattr(second, kind)((5,), like=like)

    for x, y in zip(both(source, like), jax.jit(both)(source, like), strict=True):
        assert np.allclose(x, y, rtol=1e-6, atol=0)  # a compiler may fuse the last rounding away


@pytest.mark.parametrize("like", [np.zeros(()), torch.zeros(()), jax.numpy.zeros(())], ids=["numpy", "torch", "jax"])
def test_seed_is_checked(like: Any) -> None:
    with pytest.raises(ValueError, match=r"seed is -1, expected a non-negative integer"):
        bayesnoise_backends.rng(-1, like=like)
    with pytest.raises(TypeError, match=r"seed is 1\.5, expected a non-negative integer"):
        bayesnoise_backends.rng(1.5, like=like)  # type: ignore[arg-type]
    x = bayesnoise_backends.rng(np.int64(3), like=like).normal((2,), like=like)  # type: ignore[arg-type]
    assert np.array_equal(to_numpy(x), to_numpy(bayesnoise_backends.rng(3, like=like).normal((2,), like=like)))


def test_rng_wants_an_array_to_be_like() -> None:
    with pytest.raises(TypeError, match="array is a list, expected one of NumPy"):
        bayesnoise_backends.rng(0, like=[1.0])
    assert bayesnoise_backends.rng(0, like=NUMPY64.asarray(0.0)).split(0) == ()
