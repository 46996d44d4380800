"""FlipES: each member by its definition, estimates on every namespace, and unbiasedness by enumeration."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from bayesnoise_backends import host_rng, rng
from bayesnoise_reference import evolution as definition
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step, gauss_hermite_grid, sign_vectors
from cases import representable
from closeness import assert_close, assert_untouched, largest
from namespaces import Namespace, to_numpy

from bayesnoise import estimators, evolution, maps, tree
from bayesnoise.estimators.estimator import Operands
from bayesnoise.estimators.flipout import FlipoutNoise
from bayesnoise.evolution import Base, FlipES, relative_to_the_others


class Params(NamedTuple):
    weight: Any  # (3, 2)
    kernel: Any  # (2, 3, 2)
    bias: Any  # (2,)
    level: Any  # ()


SHAPES = {"weight": (3, 2), "kernel": (2, 3, 2), "bias": (2,), "level": ()}
STRATEGIES = [FlipES(0.25, 4, 2), FlipES(0.5, 3, antithetic=False)]
each = pytest.mark.parametrize("strategy", STRATEGIES, ids=["pairs", "others"])


def params(seed: int = 0) -> Params:
    host = np.random.default_rng(seed)
    return Params(**{name: representable(host, shape) for name, shape in SHAPES.items()})


def noise_of(strategy: FlipES, at: Params) -> tuple[Base, ...]:
    """Noise that float32 holds exactly."""
    drawn = strategy.draw(host_rng(1), tree.map(lambda p: p.astype(np.float32), at))
    return tree.map(lambda leaf: leaf.astype(np.float64), drawn)  # type: ignore[no-any-return]


def flips(base: Base, name: str, n: int) -> Array:
    """The perturbation of member n by the definition."""
    out = getattr(base.sign_out, name)
    return definition.perturbation(
        getattr(base.eps, name), getattr(base.sign_in, name)[n], None if out is None else out[n]
    )


@each
def test_members_and_estimate_on_every_namespace(namespace: Namespace, strategy: FlipES) -> None:
    at = params()
    noise, values = (
        noise_of(strategy, at),
        representable(np.random.default_rng(2), (strategy.bases * strategy.members,)),
    )
    given = tree.map(namespace.asarray, (at, noise, values))
    before = tree.map(to_numpy, given)
    members = namespace.run(strategy.perturb, *given[:2])
    estimate = namespace.run(strategy.gradient, *given[1:])
    assert_untouched(given, before)
    assert len(members) == len(values)
    tolerance = 1e-12 if namespace.double else 64 * namespace.eps
    by_base = values.reshape(strategy.bases, strategy.members)
    for name in Params._fields:
        theta, estimates = getattr(at, name), []
        for b, base in enumerate(noise):
            moves = [flips(base, name, n) for n in range(strategy.members)]
            for n, want in enumerate(definition.members(theta, moves, strategy.scale)):
                got = getattr(members[b * strategy.members + n], name)
                assert_close(got, want, tolerance, namespace, 1.0)
            others = [0.0] * strategy.members if strategy.antithetic else definition.of_the_others(by_base[b])
            estimates.append(definition.gradient(moves, by_base[b], strategy.scale, others))
        size = largest(values) * 8 / strategy.scale
        assert_close(getattr(estimate, name), np.mean(estimates, axis=0), tolerance, namespace, size)


def test_pairs_are_opposite_and_a_constant_cancels() -> None:
    strategy, at = FlipES(0.5, 6), params()
    noise = noise_of(strategy, at)
    members = strategy.perturb(at, noise)
    for n in range(3):
        for theta, plus, minus in zip(at, members[n], members[n + 3], strict=True):
            np.testing.assert_allclose(plus - theta, theta - minus, rtol=1e-12, atol=1e-15)
    assert all(np.all(np.abs(leaf) < 1e-12) for leaf in strategy.gradient(noise, np.full(6, 1e3)))


def test_a_constant_is_gone_without_pairs_as_well() -> None:
    strategy = FlipES(0.5, 5, antithetic=False)
    noise = noise_of(strategy, params())
    assert all(np.all(leaf == 0) for leaf in strategy.gradient(noise, np.full(5, 1e3)))
    values = np.array([1.0, 2.0, 6.0])
    np.testing.assert_allclose(relative_to_the_others(values), values - np.array(definition.of_the_others(values)))


def cubic(w: Array) -> Any:
    """A polynomial that no antithetic pair makes easy: even and odd terms, and a product of weights."""
    a, b = w.ravel()
    return 3.0 + a - 2.0 * b + a * b + 0.5 * a**2 + a**3 - a * b**2


def enumerated(strategy: FlipES, theta: Array, estimate: Callable[[tuple[Base, ...], Array], Array]) -> Array:
    """The expectation of an estimate: all signs, and eps by quadrature that is exact for the degree at hand."""
    nodes, weights = gauss_hermite_grid(4, 2)
    free = strategy.members // 2 if strategy.antithetic else strategy.members
    rows, columns = theta.shape
    total = np.zeros_like(theta)
    signs_in, signs_out = sign_vectors(free * rows), sign_vectors(free * columns)
    for (node, weight), r, s in product(zip(nodes, weights, strict=True), signs_in, signs_out):
        sign_in, sign_out = r.reshape(free, rows), s.reshape(free, columns)
        if strategy.antithetic:
            sign_in, sign_out = np.concatenate([sign_in, -sign_in]), np.concatenate([sign_out, sign_out])
        noise = (Base((node.reshape(theta.shape),), (sign_in,), (sign_out,)),)
        values = np.array([cubic(w) for (w,) in strategy.perturb((theta,), noise)])
        total += weight * estimate(noise, values)
    return np.asarray(total / (len(signs_in) * len(signs_out)))


def gradient_of_the_mean(theta: Array, scale: float) -> Array:
    """That of `E F(theta + scale eps)`."""
    nodes, weights = gauss_hermite_grid(4, 2)
    return complex_step(lambda t: definition.smoothed(cubic, t, scale, nodes, weights), theta)


@pytest.mark.parametrize("shape", [(2, 1), (1, 2)])
@pytest.mark.parametrize("strategy", [FlipES(0.5, 2), FlipES(0.5, 2, antithetic=False)], ids=["pairs", "others"])
def test_the_estimate_is_unbiased(strategy: FlipES, shape: tuple[int, int]) -> None:
    theta = np.array([0.7, -0.3]).reshape(shape)
    got = enumerated(strategy, theta, lambda noise, values: strategy.gradient(noise, values)[0])
    np.testing.assert_allclose(got, gradient_of_the_mean(theta, 0.5), rtol=0, atol=1e-12)


def test_a_baseline_of_all_members_makes_the_estimate_too_short() -> None:
    """By `(members - 1) / members`, which is why each member is compared with the others alone."""
    strategy, theta = FlipES(0.5, 2, antithetic=False), np.array([[0.7], [-0.3]])

    def with_all(noise: tuple[Base, ...], values: Array) -> Array:
        (base,) = noise
        signs = zip(base.sign_in[0], base.sign_out[0], strict=True)
        moves = [definition.perturbation(base.eps[0], *pair) for pair in signs]
        return definition.gradient(moves, values, 0.5, np.full(2, np.mean(values)))

    got = enumerated(strategy, theta, with_all)
    np.testing.assert_allclose(got, 0.5 * gradient_of_the_mean(theta, 0.5), rtol=0, atol=1e-12)


def test_a_population_of_a_dense_map_is_one_batch_of_flipout() -> None:
    strategy, host = FlipES(0.5, 4), np.random.default_rng(3)
    theta, x = host.standard_normal((3, 2)), host.standard_normal((4, 3))
    (base,) = strategy.draw(rng(1, like=x), (theta,))
    operands = Operands(theta, perturbation=strategy.scale * base.eps[0])
    noise = FlipoutNoise(base.eps[0], base.sign_in[0], base.sign_out[0])
    y, _ = estimators.Flipout().contract(maps.Dense(3, 2), x, operands, noise)
    want = [x_n @ w for x_n, (w,) in zip(x, strategy.perturb((theta,), (base,)), strict=True)]
    np.testing.assert_allclose(y, want, rtol=1e-12, atol=1e-14)


def test_noise_is_fresh_for_each_base_and_repeats_with_its_source() -> None:
    strategy, at = FlipES(0.5, 4, 3), params()
    noise = strategy.draw(rng(1, like=at.weight), at)
    assert len({base.eps.weight.tobytes() for base in noise}) == 3
    again = strategy.draw(rng(1, like=at.weight), at)
    assert all(np.array_equal(a, b) for a, b in zip(tree.leaves(noise), tree.leaves(again), strict=True))
    for leaf in tree.leaves(tuple((base.sign_in, base.sign_out) for base in noise)):
        assert np.all(np.abs(leaf) == 1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: FlipES(0.0), "scale is 0.0, expected a finite number above 0"),
        (lambda: FlipES(members=3), "members is 3, expected an even number"),
        (lambda: FlipES(members=1, antithetic=False), "members is 1, expected at least 2"),
        (lambda: FlipES(bases=0), "bases is 0, expected at least 1"),
        (lambda: FlipES().draw(host_rng(0), (None,)), "without any array"),
        (lambda: FlipES(members=2).gradient((), np.zeros(3)), r"values has shape \(3,\), expected \(2,\)"),
    ],
)
def test_what_is_refused(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
    with pytest.raises(TypeError, match="values has dtype int64, expected real floating point"):
        FlipES(members=2).gradient((), np.zeros(2, dtype=np.int64))
    assert evolution.FlipES() == FlipES()


def test_values_that_are_not_finite_are_counted(namespace: Namespace) -> None:
    strategy = FlipES(members=4)
    for wrong in ([np.nan], [np.inf, -np.inf], [np.nan] * 4):
        values = namespace.asarray(np.array([*wrong, 1.0, 2.0, 3.0][:4]))
        with pytest.raises(ValueError, match=rf"values has {len(wrong)} of 4 that are not finite, expected a number"):
            strategy.gradient((), values)
