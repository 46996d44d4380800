"""Flows: their volume against a numerical Jacobian, their inverse, and the bound on the divergence by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_backends.host import host_rng
from bayesnoise_reference import multiplicative_normalizing_flow as reference
from bayesnoise_reference import posteriors
from bayesnoise_reference._typing import Array
from bayesnoise_reference.divergences import log_normal_density
from bayesnoise_reference.numerics import complex_step, gauss_hermite_grid, gauss_legendre

from bayesnoise import maps, tree
from bayesnoise.divergences import ScaleMixture
from bayesnoise.flows import Flow, RealNVP
from bayesnoise.methods import multiplicative_normalizing_flow
from bayesnoise.multiplicative_flow import MultiplicativeFlow, MultiplicativeFlowNoise

DENSE = maps.Dense(3, 2)
PRIOR = 0.8
SIZES = [(1, 1), (1, 2), (2, 1), (3, 2), (4, 3)]


def flow_and_params(features: int, steps: int) -> tuple[Flow, Any]:
    flow = Flow(features, steps, hidden=3)
    return flow, random_params(flow, np.random.default_rng(features + 10 * steps))


def element(params: Any, i: int) -> Callable[[Array], Any]:
    return lambda point: reference.flow(point, params)[i]


@pytest.mark.parametrize(("features", "steps"), SIZES)
def test_log_determinant_is_that_of_a_numerical_jacobian(features: int, steps: int) -> None:
    flow, params = flow_and_params(features, steps)
    z = np.random.default_rng(0).standard_normal((5, features))
    _, log_det, _ = flow.forward(params, z)
    for row, got in zip(z, log_det, strict=True):
        jacobian = [complex_step(element(params, i), row) for i in range(features)]
        sign, want = np.linalg.slogdet(np.array(jacobian))
        assert sign == 1.0
        assert got == pytest.approx(want, rel=1e-12, abs=1e-14)
        assert float(reference.log_volume(row, params)) == pytest.approx(want, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(("features", "steps"), SIZES)
def test_the_inverse_undoes_the_flow(features: int, steps: int) -> None:
    flow, params = flow_and_params(features, steps)
    z = np.random.default_rng(1).standard_normal((20, features))
    assert np.allclose(flow.inverse(params, flow.forward(params, z)[0]), z, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("parity", [0, 1])
def test_a_step_moves_every_second_element_by_the_others(parity: int) -> None:
    step = RealNVP(4, 3, parity)
    params = random_params(step, np.random.default_rng(2))
    z = np.random.default_rng(3).standard_normal((6, 4))
    y, _, _ = step.forward(params, z)
    still = (np.arange(4) + parity) % 2 == 1
    assert np.array_equal(y[:, still], z[:, still])
    assert np.all(y[:, ~still] != z[:, ~still])


def test_a_gate_contracts_what_moves_and_a_shift_may_widen_it() -> None:
    """The first element moves: half as wide where the second is known, and wider over all of its values."""
    step = RealNVP(2, 1, 0)
    fresh = step.init(host_rng(0), like=np.zeros(()))
    params = fresh._replace(w_hidden=np.array([[0.0], [1.0]]), b_hidden=np.zeros(1), b_shift=np.zeros(2))
    params = params._replace(w_shift=np.array([[50.0, 0.0]]), w_gate=np.zeros((1, 2)), b_gate=np.zeros(2))
    z = np.array([[-0.1, -0.1], [0.1, -0.1], [-0.1, 0.1], [0.1, 0.1]])
    y = step.forward(params, z)[0]
    np.testing.assert_allclose([y[1, 0] - y[0, 0], y[3, 0] - y[2, 0]], 0.1, rtol=1e-14)
    np.testing.assert_array_equal(y[:, 1], z[:, 1])
    assert np.std(y[:, 0]) > 10 * np.std(z[:, 0])


@pytest.mark.parametrize("raw", [-1e4, -200.0, 200.0, 1e4])
def test_gates_far_out_are_finite(raw: float) -> None:
    flow = Flow(3, 2, 2)
    one = np.ones((1,), dtype=np.float32)
    params = tuple(p._replace(b_gate=np.full_like(p.b_gate, raw)) for p in flow.init(host_rng(0), like=one))
    y, log_det, residuals = flow.forward(params, np.ones((2, 3), dtype=np.float32))
    grads = flow.backward(residuals, np.ones_like(y), np.ones_like(log_det))
    assert all(np.all(np.isfinite(a)) for a in (y, log_det, *tree.leaves(grads)))
    assert np.all(log_det <= 0)
    assert np.allclose(log_det, 3 * min(raw, 0.0), rtol=1e-3)


def one_weight() -> tuple[MultiplicativeFlow, Any]:
    """One weight and one factor, whose flow has to be affine: then `z` is Gaussian."""
    layer: Any = multiplicative_normalizing_flow(maps.Dense(1, 1), prior_scale=PRIOR, steps=1, hidden=2, bias="none")
    params = random_params(layer, np.random.default_rng(4))
    return layer, tree.map(lambda leaf: 0.5 * leaf, params)


def law_of_factor(params: Any) -> tuple[float, float]:
    """Mean and standard deviation of `z`, from two of its values."""
    base = posteriors.gaussian_exp(*params.factor.base)
    at = [float(reference.factor(*base, params.factor.flow, np.array([eps]))[0]) for eps in (0.0, 1.0)]
    return at[0], at[1] - at[0]


class Densities(NamedTuple):
    """Logarithms of densities on a grid of `z` (rows) and `w` (columns), with the weights of its quadrature."""

    z_weights: Array
    w_weights: Array
    q: Array  # of z
    given: Array  # of w given z
    prior: Array  # of w
    r: Array  # of z given w


def densities(params: Any) -> Densities:
    """By their definitions, for one weight and one factor."""
    mean, scale = (float(a[0, 0]) for a in posteriors.gaussian_softplus(*params.weight))
    z_mean, z_scale = law_of_factor(params)
    z, z_weights = gauss_legendre(z_mean + 20 * np.linspace(-1, 1, 121), 20)
    reach = (abs(z_mean) + 10 * abs(z_scale)) * abs(mean) + 10 * scale
    w, w_weights = gauss_legendre(reach * np.linspace(-1, 1, 41), 20)
    contrast, shift, log_precision, steps = params.auxiliary
    a = np.tanh(contrast[0] * w)
    at = [float(reference.flow(np.array([point]), steps)[0]) for point in (0.0, 1.0)]
    moved = at[0] + (at[1] - at[0]) * z[:, None]
    log_r = log_normal_density(moved, a * shift[0], np.exp(-0.5 * a * log_precision[0])) + np.log(at[1] - at[0])
    return Densities(
        z_weights[:, None],
        w_weights,
        log_normal_density(z, z_mean, z_scale)[:, None],
        log_normal_density(w, z[:, None] * mean, scale),
        log_normal_density(w, 0.0, PRIOR),
        log_r,
    )


def bound(d: Densities) -> float:
    joint = d.z_weights * d.w_weights * np.exp(d.q + d.given)
    assert np.sum(joint) == pytest.approx(1.0, rel=1e-12)
    return float(np.sum(joint * (d.given - d.prior + d.q - d.r)))


def test_the_divergence_is_an_estimate_without_bias_of_the_bound() -> None:
    """Its mean, over a grid of both noises, is the double integral that defines the bound."""
    layer, params = one_weight()
    mean, none = 0.0, np.zeros((1, 1))
    for (eps, eta), weight in zip(*gauss_hermite_grid(40, 2), strict=True):
        noise = MultiplicativeFlowNoise(none, none, np.array([[eps]]), np.array([[eta]]))
        mean += weight * float(layer.kl(params, noise))
    assert mean == pytest.approx(bound(densities(params)), rel=1e-9)


def test_the_bound_exceeds_the_divergence_by_that_of_the_auxiliary_density() -> None:
    """`bound = KL(q(w) || p(w)) + E KL(q(z | w) || r(z | w))`, and r is a density: the second term is not negative."""
    _, params = one_weight()
    d = densities(params)
    assert np.allclose(np.sum(d.z_weights * np.exp(d.r), axis=0), 1.0, rtol=1e-9)
    marginal = np.sum(d.z_weights * np.exp(d.q + d.given), axis=0)
    exact = np.sum(d.w_weights * marginal * (np.log(marginal) - d.prior))
    joint = d.z_weights * d.w_weights * np.exp(d.q + d.given)
    gap = np.sum(joint * (d.q + d.given - np.log(marginal) - d.r))
    assert gap > 0.01
    assert bound(d) == pytest.approx(exact + gap, rel=1e-10)


def test_every_example_has_a_factor_of_its_own() -> None:
    layer: Any = multiplicative_normalizing_flow(maps.Dense(3, 2), hidden=2, bias="none")
    x = np.ones((4, 5, 3))
    params = layer.init(host_rng(0), like=x)
    noise = layer.draw(host_rng(1), params, x.shape, like=x)
    y, _ = layer.forward(params, noise._replace(zeta=np.zeros_like(noise.zeta)), x)
    assert np.all(y == y[:, :1])  # of one example, at every position
    assert len(np.unique(y[:, 0, 0])) == 4


def test_a_factor_a_channel_is_a_factor_an_input() -> None:
    """A convolution with a kernel of one element is a dense map at every position."""
    conv: Any = multiplicative_normalizing_flow(maps.Conv(3, 2, (1,)), unit="input", hidden=2, bias="none")
    dense: Any = multiplicative_normalizing_flow(maps.Dense(3, 2), hidden=2, bias="none")
    x = np.random.default_rng(5).standard_normal((2, 3, 4))
    params = random_params(dense, np.random.default_rng(6))
    noise = dense.draw(host_rng(7), params, (2, 4, 3), like=x)
    want, residuals = dense.forward(params, noise, np.swapaxes(x, 1, 2))
    turned = params._replace(weight=type(params.weight)(*(p.T[:, :, None] for p in params.weight)))
    got, conv_residuals = conv.forward(turned, noise._replace(zeta=np.swapaxes(noise.zeta, 1, 2)), x)
    assert np.allclose(got, np.swapaxes(want, 1, 2), rtol=1e-13)
    _, grads = dense.backward(residuals, want)
    _, conv_grads = conv.backward(conv_residuals, got)
    for a, b in zip(tree.leaves(grads.factor), tree.leaves(conv_grads.factor), strict=True):
        assert np.allclose(a, b, rtol=1e-11, atol=1e-13)
    assert float(conv.kl(turned, noise)) == pytest.approx(float(dense.kl(params, noise)), rel=1e-13)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: RealNVP(0, 1), ValueError, "features is 0"),
        (lambda: RealNVP(1, 1, parity=2), ValueError, "parity is 2, expected 0 or 1"),
        (lambda: Flow(2, steps=0), ValueError, "steps is 0"),
        (lambda: Flow(2, hidden=1.5), TypeError, "hidden is 1.5, expected an integer"),  # type: ignore[arg-type]
        (lambda: multiplicative_normalizing_flow(DENSE, hidden=0), ValueError, "hidden is 0"),
        (lambda: multiplicative_normalizing_flow(DENSE, unit="weight"), ValueError, "unit is 'weight', expected one"),  # type: ignore[arg-type]
        (lambda: multiplicative_normalizing_flow(DENSE, prior_scale=0.0), ValueError, "prior_scale"),
        (lambda: MultiplicativeFlow(DENSE, divergence=ScaleMixture()), ValueError, "expected one in closed form"),
        (
            lambda: multiplicative_normalizing_flow(maps.Conv(2, 2, (1,), groups=2), unit="input"),
            ValueError,
            "use 'output'",
        ),
    ],
)
def test_wrong_arguments_are_named(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_the_divergence_asks_for_its_noise() -> None:
    layer = MultiplicativeFlow(DENSE)
    params = layer.init(host_rng(0), like=np.ones(()))
    for ask in (layer.kl, layer.kl_grad):
        with pytest.raises(ValueError, match=r"noise is None, expected that of a draw: .*Monte Carlo"):
            ask(params)
