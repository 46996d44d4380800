"""Statistics met again over the data: right to the rounding of their own numbers, however large these are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bayesnoise_backends.host import host_rng
from namespaces import Namespace, to_numpy

import bayesnoise as bn
from bayesnoise import tree
from bayesnoise.layer import absorb
from bayesnoise.multi_sample import MultiSample
from bayesnoise.normalisation import BatchNorm
from bayesnoise.procedures import reestimate

ROWS, BATCHES = 64, 4
SINGLE = float(np.finfo(np.float32).eps)
# (mean, sd) of the data; the last variance is 1e30
SIZES = [(0.0, 1e-4), (0.0, 1.0), (0.0, 1e3), (0.0, 1e4), (1e4, 1e2), (1e6, 1.0), (1e6, 1e3), (1e6, 1e6), (0.0, 1e15)]


@pytest.mark.parametrize("momentum", [1e-4, 0.1, 1.0])
@pytest.mark.parametrize(("mean", "sd"), SIZES)
def test_single_precision_is_right_to_rounding_at_every_size(mean: float, sd: float, momentum: float) -> None:
    """A sum of n numbers is off by n roundings of their size at most; the variance, by those of the squares."""
    x = (mean + sd * np.random.default_rng(0).standard_normal((ROWS * BATCHES, 3))).astype(np.float32)
    layer = BatchNorm(3, momentum=momentum)
    params = layer.init(host_rng(0), like=x)
    got = reestimate(layer, params, x, rng=host_rng(0), batch_size=ROWS)
    exact = x.astype(np.float64)
    variance = np.mean([part.var(axis=0, ddof=1) for part in np.split(exact, BATCHES)], axis=0)
    assert got.running_mean.dtype == np.float32
    np.testing.assert_allclose(got.running_mean, exact.mean(axis=0), rtol=0, atol=8 * SINGLE * (abs(mean) + sd))
    np.testing.assert_allclose(got.running_variance, variance, rtol=ROWS * SINGLE)


def test_nothing_is_left_of_the_statistics_before(namespace: Namespace) -> None:
    """Not even of those that are not finite."""
    layer = BatchNorm(2)
    x = namespace.asarray(np.random.default_rng(1).standard_normal((12, 2)))
    params = layer.init(host_rng(0), like=x)
    spoilt = params._replace(running_variance=params.running_variance * namespace.asarray([np.inf, np.nan]))

    def again(params: Any) -> Any:
        return reestimate(layer, params, x, rng=host_rng(0), batch_size=5)

    for got, want in zip(tree.leaves(again(spoilt)), tree.leaves(again(params)), strict=True):
        assert np.array_equal(to_numpy(got), to_numpy(want))


def test_the_mean_of_many_values_is_right_to_rounding() -> None:
    """10,000 rows at 1e6 in single precision, added row by row, miss their mean by more than a deviation."""
    x = (1e6 + np.random.default_rng(2).standard_normal((10_000, 2))).astype(np.float32)
    layer = BatchNorm(2)
    got = reestimate(layer, layer.init(host_rng(0), like=x), x, rng=host_rng(0), batch_size=10_000)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(got.running_mean, exact.mean(axis=0), rtol=2 * SINGLE)
    np.testing.assert_allclose(got.running_variance, exact.var(axis=0, ddof=1), rtol=1e-3)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_calls_of_several_samples_have_equal_parts_of_a_share(share: float) -> None:
    layer = bn.chain(bn.deterministic(bn.maps.Dense(2, 3)), bn.gaussian_dropout(bn.maps.Dense(3, 3)), BatchNorm(3))
    several, x = MultiSample(layer, 3), np.random.default_rng(3).standard_normal((5, 2))
    params = several.init(host_rng(0), like=x)
    _, residuals = several.forward(params, several.draw(host_rng(1), params, x.shape, like=x), x)
    alone = [absorb(layer, params, one, 1.0)[2] for one in residuals.calls]
    got = absorb(several, params, residuals, share)[2]
    for name in ("running_mean", "running_variance"):
        met = np.mean([getattr(one, name) for one in alone], axis=0)
        want = (1 - share) * getattr(params[2], name) + share * met
        np.testing.assert_allclose(getattr(got, name), want, rtol=1e-13, atol=1e-15)
