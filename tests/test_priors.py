"""Scales and priors at their edges: what is finite, what is refused, and what compares equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from divergence_cases import CASES, DIVERGENCES, PRIOR_MEAN, PRIOR_SCALE, Case, each_case, layer_of, noise_of
from hypothesis import given, settings
from hypothesis import strategies as st
from namespaces import Namespace, to_numpy

from bayesnoise import tree
from bayesnoise.divergences import L2, Divergence, GaussianKL, Laplace, ScaleMixture
from bayesnoise.posteriors import Gaussian, GaussianParams, Law, LogSigmaGaussian, LogSigmaParams

PATHS: Any = "paths"


@each_case
def test_scales_from_minus_to_plus_1e4(namespace: Namespace, case: Case) -> None:
    """With softplus the scale goes from 0 in every precision to the largest; nothing overflows and nothing is NaN."""
    mean = namespace.asarray(np.array([[0.0, 0.5], [-2.0, 1e-6], [min(1e3, case.largest), -1e-20]]))
    layer, noise = layer_of(Gaussian(), case.divergence), noise_of(namespace)

    def both(rho: Any) -> Any:
        params = GaussianParams(mean, rho)
        return layer.kl(params, noise), layer.kl_grad(params, noise)

    for rho in (-1e4, -500.0, -100.0, min(100.0, case.largest), case.largest):
        for leaf in tree.leaves(namespace.run(both, namespace.asarray(np.full((3, 2), rho)))):
            assert np.all(np.isfinite(to_numpy(leaf)))


@pytest.mark.parametrize("divergence", [GaussianKL(), Laplace(), ScaleMixture()], ids=repr)
def test_the_pull_on_a_vanishing_scale(namespace: Namespace, divergence: Divergence) -> None:
    """As the scale goes to 0 the divergence is `-log scale`, whose slope by rho is -1."""
    params = GaussianParams(namespace.asarray(np.zeros((3, 2))), namespace.asarray(np.full((3, 2), -1e4)))
    layer = layer_of(Gaussian(), divergence)
    grad = namespace.run(layer.kl_grad, params, noise_of(namespace))
    assert np.array_equal(to_numpy(grad.rho), -np.ones((3, 2)))


@settings(deadline=None)
@given(st.floats(1e-9, 1e-3))
def test_the_gaussian_divergence_vanishes_as_a_square(shift: float) -> None:
    """Near the prior no digits are lost to the difference of `s^2 - 1` and `log s^2`."""
    law = Law(LogSigmaGaussian(), LogSigmaParams(np.array(0.0), np.array(shift)))
    exact = (mpmath.expm1(2 * mpmath.mpf(shift)) - 2 * mpmath.mpf(shift)) / 2
    assert abs(GaussianKL().value(law) - exact) <= 1e-15 * shift
    slope: Any = GaussianKL().grad(law).log_scale
    assert math.isclose(slope, mpmath.expm1(2 * mpmath.mpf(shift)), rel_tol=1e-15)


def test_a_prior_given_as_an_array_is_kept_by_value(namespace: Namespace) -> None:
    writable = np.array(PRIOR_SCALE)
    divergence = GaussianKL(writable, namespace.asarray(PRIOR_MEAN))
    writable[:] = 7.0
    assert divergence == CASES[2].divergence
    assert hash(divergence) == hash(CASES[2].divergence)
    assert divergence != GaussianKL(writable, PRIOR_MEAN)
    assert repr(divergence).startswith("GaussianKL(prior_scale=<array of shape (3, 2) of ")
    assert GaussianKL(namespace.asarray(np.array(0.5))) == GaussianKL(0.5) == GaussianKL(np.float32(0.5))


@each_case
def test_divergences_compare_and_hash_by_value(case: Case) -> None:
    fields = case.divergence.__dataclass_fields__  # type: ignore[attr-defined]
    again = type(case.divergence)(**{name: getattr(case.divergence, name) for name in fields})
    assert again == case.divergence
    assert hash(again) == hash(case.divergence)
    assert repr(again).startswith(f"{type(again).__name__}(")
    assert sum(d == case.divergence for d in DIVERGENCES) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianKL(0.0), "prior_scale is 0.0, expected a finite number above 0"),
        (lambda: GaussianKL(math.nan), "prior_scale is nan, expected a finite number above 0"),
        (lambda: GaussianKL(1.0, math.inf), "prior_mean is inf, expected a finite number"),
        (lambda: GaussianKL(np.array([1.0, -2.0])), r"prior_scale\[1\] is -2.0, expected a finite number above 0"),
        (lambda: GaussianKL(1.0, np.array([[math.nan]])), r"prior_mean\[0, 0\] is nan, expected a finite number"),
        (lambda: Laplace(-1.0), "prior_scale is -1.0"),
        (lambda: L2(0.0), "prior_scale is 0.0"),
        (lambda: L2(1.0, 0.0), "keep is 0.0"),
        (lambda: ScaleMixture(1.0), "pi is 1.0, expected a number strictly between 0 and 1"),
        (lambda: ScaleMixture(0.5, 0.1, 1.0), "scale1 is 0.1, expected a number above scale2 = 1.0"),
        (lambda: ScaleMixture(0.5, 1.0, 0.0), "scale2 is 0.0"),
        (lambda: ScaleMixture(gradient=PATHS), "gradient is 'paths', expected one of total, path; did you mean path"),
    ],
)
def test_priors_that_are_none(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_prior_of_the_wrong_type_or_shape() -> None:
    with pytest.raises(TypeError, match="prior_scale is 'wide', expected a number or an array"):
        GaussianKL("wide")
    law = Law(Gaussian(), GaussianParams(np.zeros((3, 2)), np.zeros((3, 2))))
    for shape in ((2, 3), (3,), (4, 3, 2), (5,)):
        with pytest.raises(ValueError, match=r"prior_mean has shape .* expected that of the weights, \(3, 2\)"):
            GaussianKL(1.0, np.zeros(shape)).value(law)
