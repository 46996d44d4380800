"""A transposed convolution under local reparameterization: each output has its variance, and they are drawn apart.

The truth is an enumeration: weights `mean + scale * sign` over all sign vectors have the variance of Gaussian ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import random_params
from bayesnoise_reference import transposed_convolution
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import sign_vectors

from bayesnoise import maps
from bayesnoise.divergences import Zero
from bayesnoise.estimators import Local, LocalNoise
from bayesnoise.posteriors import Gaussian
from bayesnoise.stochastic import Stochastic, StochasticNoise

GEOMETRIES = [
    (maps.ConvTranspose(2, 1, (3,), stride=2, padding=1, output_padding=1), (2, 2, 3)),
    (maps.ConvTranspose(2, 2, (3,), groups=2, dilation=2), (1, 2, 3)),
    (maps.ConvTranspose(1, 2, (2, 2), stride=(1, 2)), (2, 1, 2, 2)),
]


def sampled(m: maps.ConvTranspose, mean: Array, scale: Array, x: Array) -> Array:
    """The outputs of all the weights, `(2^weights, n, ...)`."""
    given: Any = (m.stride, m.padding, m.output_padding, m.dilation, m.groups)
    weights = [mean + scale * signs.reshape(mean.shape) for signs in sign_vectors(mean.size)]
    return np.stack([[transposed_convolution.output(x_n, w, *given) for x_n in x] for w in weights])


@pytest.mark.parametrize(("m", "x_shape"), GEOMETRIES, ids=["strided", "groups", "two axes"])
def test_each_output_has_the_variance_of_sampled_weights(m: maps.ConvTranspose, x_shape: tuple[int, ...]) -> None:
    layer = Stochastic(m, Gaussian(), Local(), Zero())
    rng = np.random.default_rng(0)
    params, x = random_params(layer, rng), rng.standard_normal(x_shape)
    every = sampled(m, params.mu, np.log1p(np.exp(params.rho)), x)
    ones = np.ones(layer.output_shape(x_shape))
    up, down = (layer.forward(params, StochasticNoise(LocalNoise(s * ones), None), x)[0] for s in (1.0, -1.0))
    np.testing.assert_allclose((up + down) / 2, np.mean(every, axis=0), rtol=0, atol=1e-13)
    np.testing.assert_allclose(((up - down) / 2) ** 2, np.var(every, axis=0), rtol=1e-12, atol=1e-15)
    mean, variance = layer.moments(params, x)
    np.testing.assert_allclose(mean, np.mean(every, axis=0), rtol=0, atol=1e-13)
    np.testing.assert_allclose(variance, np.var(every, axis=0), rtol=1e-12, atol=1e-15)


def test_outputs_that_share_a_weight_lose_their_covariance() -> None:
    """What the marginals do not show: a kernel stamped at two positions moves both outputs as one."""
    m = maps.ConvTranspose(1, 1, (1,))
    layer = Stochastic(m, Gaussian(), Local(), Zero())
    params, x = random_params(layer, np.random.default_rng(1)), np.array([[[1.0, 1.0]]])
    every = sampled(m, params.mu, np.log1p(np.exp(params.rho)), x)[:, 0, 0]
    assert np.corrcoef(every.T)[0, 1] == pytest.approx(1.0, abs=1e-12)
    runs = [
        layer.forward(params, StochasticNoise(LocalNoise(z[None, None]), None), x)[0][0, 0] for z in sign_vectors(2)
    ]
    assert np.cov(np.stack(runs).T)[0, 1] == pytest.approx(0.0, abs=1e-12)
