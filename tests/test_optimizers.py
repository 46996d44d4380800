"""Every optimizer: whole runs equal to the printed algorithm and to torch's, states that jit and resume bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from bayesnoise_reference import optimizers as definitions
from bayesnoise_reference._typing import Array
from cases import public, representable
from closeness import assert_close, assert_untouched, largest
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import NUMPY64, Namespace, to_numpy

from bayesnoise import optimizers, tree
from bayesnoise.normalisation import BatchNormParams
from bayesnoise.optimizers import Optimizer, adam, adamw, clipped, sgd

Run = Callable[[Array, definitions.Gradient, Sequence[float]], Array]


class Pair(NamedTuple):
    bend: Any  # (2, 3)
    shift: Any  # (3,)


class Case(NamedTuple):
    optimizer: Optimizer
    definition: Run


def _clipped_sgd(start: Array, gradient: definitions.Gradient, rates: Sequence[float]) -> Array:
    return definitions.sgd(start, definitions.clipped(gradient, 2.0), rates, 0.9, False)


def _adamw(**constants: float) -> Run:
    defaults: dict[str, Any] = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}
    return partial(definitions.adamw, **(defaults | constants))


RATE = 0.1
CASES: dict[str, list[Case]] = {
    "sgd": [
        Case(sgd(RATE), partial(definitions.sgd, momentum=0.0, nesterov=False)),
        Case(sgd(RATE, momentum=0.75), partial(definitions.sgd, momentum=0.75, nesterov=False)),
        Case(sgd(RATE, momentum=0.75, nesterov=True), partial(definitions.sgd, momentum=0.75, nesterov=True)),
    ],
    "adam": [
        Case(adam(RATE), _adamw()),
        Case(adam(RATE, beta1=0.5, beta2=0.75, epsilon=0.25), _adamw(beta1=0.5, beta2=0.75, epsilon=0.25)),
        Case(adam(RATE, beta1=0.0, beta2=0.0, epsilon=0.5), _adamw(beta1=0.0, beta2=0.0, epsilon=0.5)),
    ],
    "adamw": [
        Case(adamw(RATE), _adamw(weight_decay=0.01)),
        Case(adamw(RATE, beta1=0.5, weight_decay=0.5), _adamw(beta1=0.5, weight_decay=0.5)),
    ],
    "clipped": [Case(clipped(sgd(RATE, momentum=0.9), 2.0), _clipped_sgd)],
}
ALL = [pytest.param(case, id=f"{name}-{i}") for name, cases in CASES.items() for i, case in enumerate(cases)]


def test_every_public_name_has_a_case() -> None:
    functions = {n for n in optimizers.__all__ if not isinstance(getattr(optimizers, n), type)}
    assert set(CASES) == functions
    assert {type(case.optimizer) for cases in CASES.values() for case in cases} == public(optimizers, "step")


def flat(params: Any) -> Array:
    return np.concatenate([to_numpy(leaf).ravel() for leaf in tree.leaves(params)])


def split(x: Array) -> Pair:
    return Pair(x[:6].reshape(2, 3), x[6:])


def gradient(x: Any, t: int) -> Any:
    """That of `sum (x - 1)^2 (1 + t mod 3) / 2`, elementwise."""
    return (1.0 + t % 3) * (x - 1.0)


def run(case: Case, namespace: Namespace, start: Array, rates: Sequence[float], given: bool) -> Any:
    """The parameters after as many steps as there are rates, from a tree of two arrays."""
    params = tree.map(namespace.asarray, split(start))
    state = case.optimizer.init(params)

    def step(params: Any, grads: Any, state: Any, rate: Any) -> Any:
        return case.optimizer.step(params, grads, state, rate)

    for t, rate in enumerate(rates):
        grads = tree.map(lambda p, t=t: gradient(p, t), params)
        before = tree.map(to_numpy, (params, grads, state))
        after = namespace.run(step, params, grads, state, namespace.asarray(rate) if given else None)
        assert_untouched((params, grads, state), before)
        params, state = after
        assert type(state) is type(case.optimizer.init(params))
        assert all(namespace.owns(leaf) for leaf in tree.leaves(state))
    return params


@pytest.mark.parametrize("case", ALL)
def test_a_run_with_a_schedule_on_every_namespace(namespace: Namespace, case: Case) -> None:
    start, rates = representable(np.random.default_rng(1), (9,)), [0.5, 0.25, 0.125, 0.0625]
    want = split(case.definition(start, gradient, rates))
    params = run(case, namespace, start, rates, given=True)
    assert type(params) is Pair
    tolerance = 1e-12 if namespace.double else 64 * namespace.eps
    for got, wanted in zip(params, want, strict=True):
        assert_close(got, wanted, tolerance, namespace, 1.0 + largest(start))


@pytest.mark.parametrize("case", ALL)
def test_any_run(case: Case) -> None:
    rates = st.lists(st.floats(1e-4, 0.5), max_size=12)

    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(rates, st.integers(-10, 10), st.integers(0, 2**32 - 1))
    def any_run(rates: list[float], exponent: int, seed: int) -> None:
        start = np.random.default_rng(seed).standard_normal(9) * 2.0**exponent
        want = case.definition(start, gradient, rates)
        # Steps of up to 1.5 times the distance amplify what is rounded off, by at most 4 each.
        size = (1.0 + largest(start)) * 4.0 ** len(rates)
        assert_close(flat(run(case, NUMPY64, start, rates, given=True)), want, 1e-14, NUMPY64, size)

    any_run()


TORCH: list[tuple[Callable[..., Any], Case]] = [
    (partial(torch.optim.SGD, lr=RATE), CASES["sgd"][0]),
    (partial(torch.optim.SGD, lr=RATE, momentum=0.75), CASES["sgd"][1]),
    (partial(torch.optim.SGD, lr=RATE, momentum=0.75, nesterov=True), CASES["sgd"][2]),
    (partial(torch.optim.Adam, lr=RATE), CASES["adam"][0]),
    (partial(torch.optim.Adam, lr=RATE, betas=(0.5, 0.75), eps=0.25), CASES["adam"][1]),
    (partial(torch.optim.AdamW, lr=RATE), CASES["adamw"][0]),
    (partial(torch.optim.AdamW, lr=RATE, betas=(0.5, 0.999), weight_decay=0.5), CASES["adamw"][1]),
]


@pytest.mark.parametrize(("theirs", "case"), TORCH)
def test_a_third_implementation_agrees(theirs: Callable[..., Any], case: Case) -> None:
    start = np.random.default_rng(2).standard_normal(9)
    x = torch.tensor(start, requires_grad=True)
    optimizer = theirs([x])
    for t in range(25):
        x.grad = gradient(x.detach(), t)
        optimizer.step()
    ours = flat(run(case, NUMPY64, start, [RATE] * 25, given=False))
    assert_close(ours, to_numpy(x), 1e-12, NUMPY64, 1.0)
    assert_close(case.definition(start, gradient, [RATE] * 25), to_numpy(x), 1e-12, NUMPY64, 1.0)


@pytest.mark.parametrize("case", ALL)
def test_a_run_that_is_resumed_gives_the_same_bits(case: Case) -> None:
    def on(params: Any, state: Any, steps: range) -> Any:
        for t in steps:
            grads = tree.map(lambda p, t=t: gradient(p, t), params)
            params, state = case.optimizer.step(params, grads, state)
        return params, state

    start = split(np.random.default_rng(3).standard_normal(9))
    whole = on(start, case.optimizer.init(start), range(8))
    params, state = on(start, case.optimizer.init(start), range(3))
    saved = {name: np.array(leaf) for name, leaf in tree.paths((params, state))}
    restored: Any = tree.unflatten((params, state), iter([saved[name] for name, _ in tree.paths((params, state))]))
    for got, want in zip(tree.leaves(on(restored[0], restored[1], range(3, 8))), tree.leaves(whole), strict=True):
        assert np.array_equal(got, want)


def test_first_steps_of_adam_keep_their_digits_in_float32() -> None:
    """The first step is the rate times the sign of the gradient, which 1 - 0.999 in float32 would miss by 2e-5."""
    params = Pair(np.zeros((2, 3), dtype=np.float32), np.zeros(3, dtype=np.float32))
    grads = tree.map(lambda p: p + np.float32(0.7), params)
    optimizer = adam(RATE, beta2=0.9999, epsilon=1e-12)
    after, _ = optimizer.step(params, grads, optimizer.init(params))
    assert flat(after) == pytest.approx(-RATE, rel=1e-6)


def test_weight_decay_leaves_running_statistics_alone() -> None:
    ones = np.ones(2)
    params = (BatchNormParams(ones, ones, ones, ones),)
    zeros = tree.map(np.zeros_like, params)
    for decays, kept in (
        (None, [False, False, True, True]),
        (lambda name: name == "0.shift", [True, False, True, True]),
    ):
        optimizer = adamw(RATE, weight_decay=0.5) if decays is None else adamw(RATE, weight_decay=0.5, decays=decays)
        (after,), _ = optimizer.step(params, zeros, optimizer.init(params))
        assert [np.array_equal(leaf, ones) for leaf in after] == kept
        assert np.array_equal(after.shift, ones - RATE * 0.5 * ones)


def test_absent_parameters_stay_absent() -> None:
    params = (None, (), np.ones(2))
    some: list[Optimizer] = [sgd(RATE, momentum=0.5), adam(RATE), clipped(sgd(RATE), 1.0)]
    for optimizer in some:
        after, _ = optimizer.step(params, params, optimizer.init(params))
        assert after[:2] == (None, ())


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 1e30])
def test_global_norm_neither_overflows_nor_underflows(namespace: Namespace, scale: float) -> None:
    grads = tree.map(namespace.asarray, Pair(np.full((2, 3), scale), np.array([0.0, -scale, 3 * scale])))
    norm = namespace.run(optimizers.global_norm, (grads, None))
    assert_close(norm, 4.0 * np.asarray(scale), 8 * namespace.eps, namespace)


def test_clipping_leaves_short_gradients_bit_for_bit() -> None:
    params, grads = (np.zeros(3),), (np.array([0.1, -0.7, 0.3]),)
    got, _ = clipped(sgd(RATE), 0.8).step(params, grads, sgd(RATE).init(params))
    want, _ = sgd(RATE).step(params, grads, sgd(RATE).init(params))
    assert np.array_equal(got[0], want[0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_clipping_does_not_hide_what_is_not_finite(bad: float) -> None:
    params, optimizer = (np.zeros(2),), clipped(sgd(RATE), 1.0)
    with np.errstate(invalid="ignore"):
        after, _ = optimizer.step(params, (np.array([bad, 1.0]),), optimizer.init(params))
    assert np.isnan(after[0][0])


def test_optimizers_compare_and_hash() -> None:
    assert adamw(RATE) == adamw(RATE) != adam(RATE)
    assert hash(clipped(adam(), 1.0)) == hash(clipped(adam(), 1.0))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: sgd(0.0), "learning_rate is 0.0, expected a finite number above 0"),
        (lambda: sgd(0.1, momentum=1.0), r"momentum is 1.0, expected a probability in \[0, 1\)"),
        (lambda: sgd(0.1, nesterov=True), "nesterov is True with momentum 0"),
        (lambda: adam(float("nan")), "learning_rate is nan"),
        (lambda: adam(beta1=-0.1), "beta1 is -0.1"),
        (lambda: adam(beta2=1.0), "beta2 is 1.0"),
        (lambda: adam(epsilon=0.0), "epsilon is 0.0"),
        (lambda: adamw(weight_decay=-1.0), "weight_decay is -1.0, expected a finite number of at least 0"),
        (lambda: clipped(adam(), 0.0), "max_norm is 0.0"),
        (lambda: adam().init((None,)), "without any array"),
        (lambda: optimizers.global_norm((np.zeros((0, 2)),)), "without any number"),
    ],
)
def test_constants_out_of_range(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
