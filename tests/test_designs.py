"""What the claims compute with: the maps, their adjoints, readings, and the closed KL, against the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import convolution, dense, divergences
from bayesnoise_reference.adapters.adapter import Description
from bayesnoise_reference.claims import designs
from bayesnoise_reference.claims.divergence import terms
from bayesnoise_reference.claims.judge import size
from bayesnoise_reference.claims.weight_trial import log_sigma, raw, sigma, slope
from bayesnoise_reference.numerics import complex_step

DENSE = Description("dense", "shared", 5, 3, prior=0.5, prior_mean=0.25)
CONVOLUTIONS = [
    Description("convolution", "shared", 3, 4, kernel=(3,), padding=(1,)),
    Description("convolution", "shared", 4, 6, kernel=(3, 2), stride=(1, 2), padding=(1, 0), groups=2),
    Description("convolution", "shared", 2, 3, kernel=(3, 2), stride=(3, 2), dilation=(2, 1)),
    Description("convolution", "shared", 2, 2, kernel=(2, 3), stride=(7, 3), padding=(1, 2), dilation=(2, 1)),
]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("d", [DENSE, *CONVOLUTIONS])
def test_the_map_is_that_of_the_oracle(d: Description) -> None:
    x, w = rng().standard_normal(designs.input_shape(d, 2)), rng().standard_normal(d.weight_shape)
    y = designs.apply(d, x, w)
    if d.family == "dense":
        right = dense.output(x, w)
    else:
        right = np.stack([convolution.output(x_n, w, d.stride, d.padding, d.dilation, d.groups) for x_n in x])
    assert y.shape == right.shape
    assert np.allclose(y, right, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("d", [DENSE, *CONVOLUTIONS])
def test_the_adjoint_is_one(d: Description) -> None:
    x, w = rng().standard_normal(designs.input_shape(d, 2)), rng().standard_normal(d.weight_shape)
    y = designs.apply(d, x, w)
    g = np.asarray(rng().standard_normal(y.shape))
    assert np.sum(designs.adjoint(d, x, g) * w) == pytest.approx(np.sum(g * y), rel=1e-12)


@pytest.mark.parametrize("d", [DENSE, *CONVOLUTIONS])
def test_a_reading_sees_every_weight_once_and_alone(d: Description) -> None:
    seen = designs.reading(d)
    w = rng().standard_normal(d.weight_shape)
    assert np.array_equal(np.sort(seen.weight), np.arange(w.size))
    assert len(set(seen.at.tolist())) == len(seen.at)
    assert np.allclose(designs.apply(d, seen.x, w).ravel()[seen.at], w.ravel()[seen.weight], atol=1e-15)
    assert len(seen.x) <= d.inputs * np.prod(np.minimum(d.kernel, d.stride))  # no impulse is in vain


@pytest.mark.parametrize("d", CONVOLUTIONS)
def test_the_interior_has_two_positions_that_see_no_padding(d: Description) -> None:
    inside = designs.interior(d)
    assert len(inside) >= 2
    y = designs.apply(d, np.ones(designs.input_shape(d, 1)), rng().standard_normal(d.weight_shape))[0]
    assert np.ptp(y.reshape(d.outputs, -1)[:, inside], axis=1) == pytest.approx(0.0, abs=1e-14)


def test_the_closed_kl_is_the_quadrature() -> None:
    mean, rho = rng().standard_normal(4), np.asarray([-3.0, -1.0, 0.5, 2.0])
    right = divergences.gaussian(mean, sigma(DENSE, rho), DENSE.prior_mean, DENSE.prior_scale)
    assert np.sum(terms(DENSE, mean, rho, DENSE.prior_scale)) == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("scale", ["softplus", "exp", "log_variance", "identity"])
def test_scales_are_stored_and_read(scale: str) -> None:
    d = replace(DENSE, scale=scale)  # type: ignore[arg-type]
    for s in (1e-30, 0.01, 0.7, 3.0, 40.0):
        rho = raw(d, np.asarray(s))
        assert float(sigma(d, rho)) == pytest.approx(s, rel=1e-12)
        assert float(log_sigma(d, rho)) == pytest.approx(np.log(s), rel=1e-12, abs=1e-14)

        forward: dict[str, Callable[[Any], Any]] = {
            "softplus": lambda r: np.log(1 + np.exp(r)),
            "exp": np.exp,
            "log_variance": lambda r: np.exp(r / 2),
            "identity": lambda r: r,
        }
        assert float(slope(d, rho)) == pytest.approx(float(complex_step(forward[scale], float(rho))), rel=1e-9)


def test_sizes_of_normal_draws_are_normal_draws() -> None:
    z = np.linspace(-6.0, 6.0, 1001)
    assert np.array_equal(size(z), size(-z))
    middle = size(np.asarray([0.6744897501960817]))  # half of the draws are smaller
    assert middle == pytest.approx(0.0, abs=1e-12)
