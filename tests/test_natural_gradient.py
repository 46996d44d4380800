"""Optimizers of a law: whole runs equal to the papers' algorithms on every namespace, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from bayesnoise_reference import natural_gradient as definitions
from bayesnoise_reference._typing import Array
from cases import public, representable
from closeness import assert_close, assert_untouched, largest
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import NUMPY64, Namespace, to_numpy

from bayesnoise import natural_gradient, tree
from bayesnoise.natural_gradient import Moments, VariationalOptimizer, Vogn, ivon, vadam, vogn

EXAMPLES = 8.0
PRIOR = 0.5
SHARES = (0.25, 1.0, 2.5)  # of the examples of a batch, in the gradient


class Pair(NamedTuple):
    bend: Any  # (2, 3)
    shift: Any  # (3,)


class Case(NamedTuple):
    build: Callable[..., VariationalOptimizer]
    definition: Callable[..., definitions.Law]
    constants: dict[str, float]

    def optimizer(self, samples: int) -> VariationalOptimizer:
        return self.build(prior_scale=PRIOR, samples=samples, **self.constants)

    def oracle(self, start: Array, noise: Array, rates: list[float]) -> definitions.Law:
        constants = {"beta1": 0.9, "beta2": 0.999, "initial_precision": 1.0} | self.constants
        first = constants.pop("initial_precision")
        of = gradients if self.definition is definitions.vogn else gradient
        return self.definition(start, of, noise, rates, EXAMPLES, PRIOR**-2, first_precision=first, **constants)


CASES = {
    "ivon": [
        Case(ivon, definitions.ivon, {}),
        Case(ivon, definitions.ivon, {"beta1": 0.5, "beta2": 0.75, "initial_precision": 4.0}),
        Case(ivon, definitions.ivon, {"beta1": 0.0, "beta2": 0.0}),
    ],
    "vadam": [
        Case(vadam, definitions.vadam, {}),
        Case(vadam, definitions.vadam, {"beta1": 0.5, "beta2": 0.75, "initial_precision": 4.0}),
        Case(vadam, definitions.vadam, {"beta1": 0.0}),
    ],
    "vogn": [
        Case(vogn, definitions.vogn, {}),
        Case(vogn, definitions.vogn, {"beta1": 0.5, "beta2": 0.75, "initial_precision": 4.0}),
        Case(vogn, definitions.vogn, {"beta1": 0.0, "beta2": 0.0}),
    ],
}
ALL = [pytest.param(case, id=f"{name}-{i}") for name, cases in CASES.items() for i, case in enumerate(cases)]


def test_every_public_optimizer_has_a_case() -> None:
    built = {type(case.optimizer(1)) for cases in CASES.values() for case in cases}
    assert built == public(natural_gradient, "scale")


def gradient(w: Any, t: int) -> Any:
    """That of `sum (w^2 / 2 + w^4 / 4) (1 + t mod 3)`, elementwise: a curvature that is not constant."""
    return (1.0 + t % 3) * (w + w * w * w)


def gradients(w: Any, t: int) -> Any:
    """Those of the examples, a row each."""
    return np.stack([share * gradient(w, t) for share in SHARES])


def moments(w: Any, t: int) -> Moments:
    """The mean over examples of the gradient and of its square, at a tree of weights."""
    mean, square = sum(SHARES) / len(SHARES), sum(share * share for share in SHARES) / len(SHARES)
    at = tree.map(lambda leaf: gradient(leaf, t), w)
    return Moments(tree.map(lambda g: mean * g, at), tree.map(lambda g: square * (g * g), at))


def split(x: Array) -> Pair:
    return Pair(x[:6].reshape(2, 3), x[6:])


def run(
    case: Case, namespace: Namespace, start: Array, noise: Array, rates: list[float], state: Any = None
) -> tuple[Any, Any, Any]:
    """Means, state and standard deviations after as many steps as there are rates; noise is `(steps, samples, 9)`."""
    optimizer = case.optimizer(noise.shape[1])
    params = tree.map(namespace.asarray, split(start))
    state = optimizer.init(params) if state is None else state

    def step(params: Any, eps: Any, state: Any, rate: Any, t: int) -> Any:
        at = [optimizer.perturb(params, state, e, 1.0 / EXAMPLES) for e in eps]
        if isinstance(optimizer, Vogn):
            grads: Any = tuple(moments(w, t) for w in at)
        else:
            grads = tuple(tree.map(lambda w: gradient(w, t), w) for w in at)
        return optimizer.step(params, grads, state, eps, 1.0 / EXAMPLES, rate)

    for t, rate in enumerate(rates):
        eps = tuple(tree.map(namespace.asarray, split(e)) for e in noise[t])
        before = tree.map(to_numpy, (params, eps, state))
        after = namespace.run(partial(step, t=t), params, eps, state, namespace.asarray(rate))
        assert_untouched((params, eps, state), before)
        params, state = after
        assert all(namespace.owns(leaf) for leaf in tree.leaves(state))
    return params, state, optimizer.scale(state)


@pytest.mark.parametrize("case", ALL)
def test_a_run_on_every_namespace(namespace: Namespace, case: Case) -> None:
    host, rates = np.random.default_rng(1), [0.5, 0.25, 0.125]
    start, noise = representable(host, (9,)), representable(host, (3, 2, 9))
    want = case.oracle(start, noise, rates)
    params, _, scale = run(case, namespace, start, noise, rates)
    assert type(params) is Pair
    assert type(scale) is Pair
    tolerance = 1e-12 if namespace.double else 256 * namespace.eps
    for got, wanted in ((params, want.mean), (scale, want.scale)):
        for leaf, whole in zip(got, split(wanted), strict=True):
            assert_close(leaf, whole, tolerance, namespace, 1.0 + largest(start))


@pytest.mark.parametrize("case", ALL)
def test_any_run_is_that_of_the_paper(case: Case) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(st.lists(st.floats(1e-4, 0.2), min_size=1, max_size=6), st.integers(1, 3), st.integers(0, 2**32 - 1))
    def any_run(rates: list[float], samples: int, seed: int) -> None:
        host = np.random.default_rng(seed)
        start, noise = 0.5 * host.standard_normal(9), host.standard_normal((len(rates), samples, 9))
        want = case.oracle(start, noise, rates)
        params, _, scale = run(case, NUMPY64, start, noise, rates)
        for got, wanted in ((params, want.mean), (scale, want.scale)):
            flat = np.concatenate([leaf.ravel() for leaf in got])
            assert_close(flat, wanted, 1e-9, NUMPY64, largest(wanted))

    any_run()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(-1e6, 1e6), st.floats(0.0, 0.999), st.integers(0, 2**32 - 1))
def test_the_precision_of_ivon_keeps_half_of_itself(size: float, beta2: float, seed: int) -> None:
    """`s (1 + u + u^2 / 2)` with any u: a gradient against its noise cannot make a variance negative."""
    optimizer = ivon(prior_scale=1.0, beta2=beta2)
    params, eps = (np.ones(4),), (np.random.default_rng(seed).standard_normal(4),)
    state = optimizer.init(params)
    _, after = optimizer.step(params, ((size * eps[0],),), state, (eps,), 0.01)
    assert np.all(after.precision[0] >= 0.4999999 * state.precision[0])


@pytest.mark.parametrize("build", [ivon, vadam, vogn])
@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number above 0"),
        ({"prior_scale": -1.0}, "prior_scale is -1.0"),
        ({"initial_precision": float("nan")}, "initial_precision is nan"),
        ({"beta1": 1.0}, r"beta1 is 1.0, expected a probability in \[0, 1\)"),
        ({"beta2": 1.0}, "beta2 is 1.0"),
        ({"samples": 0}, "samples is 0, expected at least 1"),
    ],
)
def test_constants_out_of_range(build: Any, constants: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**constants)
    with pytest.raises(ValueError, match="without any learned array"):
        build().init((None, ()))
