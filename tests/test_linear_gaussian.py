"""Linear regression in closed form, on every namespace, against the joint law of weights and data written out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from bayesnoise_reference import gaussian_vectors
from bayesnoise_reference import linear_regression as oracle
from bayesnoise_reference._typing import Array
from bayesnoise_reference.numerics import complex_step
from cases import representable
from closeness import assert_close, assert_untouched, largest
from namespaces import Namespace, to_numpy

from bayesnoise import linear_law
from bayesnoise.linear_gaussian import LinearGaussian

NOISE = 0.5
PRIORS: dict[str, Any] = {"one prior": 1.5, "a prior a feature": np.array([0.5, 1.0, 2.0, 0.25])}


class Data(NamedTuple):
    x: Array
    y: Array
    new: Array


def _data(n: int, d: int = 4, k: int = 2, seed: int = 0) -> Data:
    rng = np.random.default_rng(seed)
    return Data(representable(rng, (n, d)), representable(rng, (n, k)), representable(rng, (3, d)))


def _repeated() -> Data:
    """Two equal columns, a column of zeros and a row of zeros: rank 2 of 4."""
    data = _data(6)
    x = data.x * np.array([1.0, 1.0, 1.0, 0.0]) * (np.arange(6) != 2)[:, None]
    x[:, 1] = x[:, 0]
    return data._replace(x=x)


DATA = {
    "more rows": _data(7),
    "more columns": _data(2),
    "square": _data(4),
    "one row": _data(1, k=1),
    "no rows": _data(0),
    "deficient": _repeated(),
}
each_data = pytest.mark.parametrize("data", DATA.values(), ids=list(DATA))
each_prior = pytest.mark.parametrize("prior", PRIORS.values(), ids=list(PRIORS))


def _scales(prior: Any) -> Array:
    return np.broadcast_to(prior, (4,)).astype(np.float64)


def _best_independent(x: Array, prior: Array) -> Array:
    """The variances that no other independent law beats: of each weight, given the data and all other weights."""
    _, d = x.shape
    joint = oracle.joint(x, NOISE, prior)
    return np.array([_given_the_others(joint, i) for i in range(d)])


def _given_the_others(joint: Array, i: int) -> float:
    others = [j for j in range(len(joint)) if j != i]
    return float(gaussian_vectors.conditional(np.zeros(len(joint)), joint, others, np.zeros(len(others)))[1][0, 0])


@each_data
@each_prior
def test_everything_equals_the_oracle(namespace: Namespace, data: Data, prior: Any) -> None:
    model, scales = LinearGaussian(NOISE, prior), _scales(prior)

    def everything(x: Any, y: Any, new: Any) -> Any:
        law, best = model.posterior(x, y), model.mean_field(x, y)
        return (
            (law.mean, linear_law.covariance(law), best.mean, linear_law.covariance(best)),
            (*model.predict(law, new), *model.predict(best, new)),
            (model.log_evidence(x, y), model.elbo(law, x, y), *model.mean_field_gap(x, y)),
        )

    arrays = tuple(map(namespace.asarray, data))
    laws, predictions, numbers = namespace.run(everything, *arrays)
    assert_untouched(arrays, data)

    columns = [oracle.weights_given_data(data.x, y, NOISE, scales) for y in data.y.T]
    mean, covariance = np.stack([m for m, _ in columns], axis=1), columns[0][1]
    variances = _best_independent(data.x, scales)
    evidence = sum(float(oracle.log_density_of_data(data.x, y, NOISE, scales)) for y in data.y.T)
    gap = sum(float(gaussian_vectors.divergence(m, np.diag(variances), m, c)) for m, c in columns)

    # Condition numbers here stay below 1e3: the bounds are those of a few rounded products of matrices.
    tolerance = 1e-12 if namespace.double else 128 * namespace.eps
    for got, want in zip(laws, (mean, covariance, mean, np.diag(variances)), strict=True):
        assert_close(got, want, tolerance, namespace, size=largest(want))
    ahead = [oracle.new_data_given_data(data.x, y, data.new, NOISE, scales) for y in data.y.T]
    want_mean, want_variance = np.stack([m for m, _ in ahead], axis=1), np.diag(ahead[0][1])
    spread = NOISE**2 + data.new**2 @ variances
    for got, want in zip(predictions, (want_mean, want_variance, want_mean, spread), strict=True):
        assert_close(got, want, tolerance, namespace, size=largest(want))
    size = 10.0 + abs(evidence)
    for got, number in zip(numbers, (evidence, evidence, evidence, evidence - gap, gap), strict=True):
        assert_close(got, np.asarray(number), tolerance, namespace, size=size)


@each_data
def test_a_draw_is_linear_in_its_noise_and_has_the_covariance(data: Data) -> None:
    """The matrix of the draw, column by column: its square is the covariance that the law says."""
    model = LinearGaussian(NOISE, PRIORS["a prior a feature"])
    for law in (model.posterior(data.x, data.y), model.mean_field(data.x, data.y)):
        k = law.mean.shape[1]
        root = np.stack([(linear_law.sample(law, np.tile(e[:, None], k)) - law.mean)[:, 0] for e in np.eye(4)], axis=1)
        np.testing.assert_allclose(root @ root.T, linear_law.covariance(law), rtol=0, atol=1e-14)
        np.testing.assert_allclose(linear_law.variance(law, data.new), np.sum((data.new @ root) ** 2, axis=1))


@each_data
def test_the_divergence_of_a_law_is_that_of_its_moments(data: Data) -> None:
    prior = _scales(PRIORS["a prior a feature"])
    model = LinearGaussian(NOISE, prior)
    for law in (model.posterior(data.x, data.y), model.mean_field(data.x, data.y)):
        covariance, at_prior = linear_law.covariance(law), (np.zeros(4), np.diag(prior**2))
        want = sum(gaussian_vectors.divergence(m, covariance, *at_prior) for m in law.mean.T)
        assert float(linear_law.kl(law)) == pytest.approx(float(want), rel=1e-12, abs=1e-13)


def test_no_other_law_has_so_large_a_bound() -> None:
    """The posterior is above every law near it, and the best independent one above every independent law near it."""
    data, model = DATA["more rows"], LinearGaussian(NOISE, 1.5)
    rng = np.random.default_rng(5)
    for law in (model.posterior(data.x, data.y), model.mean_field(data.x, data.y)):
        best = float(model.elbo(law, data.x, data.y))
        for size in (1e-3, 0.1):
            shifted = law._replace(mean=law.mean + size * rng.standard_normal(law.mean.shape))
            wider = law._replace(signal=law.signal * np.exp(size * rng.standard_normal(law.signal.shape)))
            assert float(model.elbo(shifted, data.x, data.y)) < best
            assert float(model.elbo(wider, data.x, data.y)) < best


def test_orthogonal_features_have_no_gap() -> None:
    x = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 3)))[0] * np.array([1.0, 2.0, 3.0])
    gap = LinearGaussian(NOISE).mean_field_gap(x, np.ones((6, 1)))
    assert abs(float(gap.gap)) < 1e-14
    correlated = LinearGaussian(NOISE).mean_field_gap(x + x[:, :1], np.ones((6, 1)))
    assert float(correlated.gap) > 0.1


def test_a_prior_of_each_feature_is_a_scale_of_its_column() -> None:
    data, prior = DATA["more rows"], PRIORS["a prior a feature"]
    given, scaled = LinearGaussian(NOISE, prior), LinearGaussian(NOISE)
    law, unit = given.posterior(data.x, data.y), scaled.posterior(data.x * prior, data.y)
    np.testing.assert_allclose(law.mean, prior[:, None] * unit.mean, rtol=1e-13)
    assert float(given.log_evidence(data.x, data.y)) == pytest.approx(
        float(scaled.log_evidence(data.x * prior, data.y)), rel=1e-14
    )


def test_what_the_data_do_not_see_keeps_its_prior() -> None:
    """In float32, with noise of 1e-3 and two equal columns: their sum is known to 1e-3, their difference not at all.

    The precision matrix has the condition number 3e7, the reciprocal of the rounding of float32.
    """
    rng = np.random.default_rng(2)
    column = rng.standard_normal((30, 1)).astype(np.float32)
    x, y = np.concatenate([column, column], axis=1), 3.0 * column
    law = LinearGaussian(1e-3, 1.0).posterior(x, y)
    n_signal = 2.0 * float(np.sum(column.astype(np.float64) ** 2)) / 1e-6
    along, across = np.array([[1, 1], [1, -1]], dtype=np.float32) / np.float32(np.sqrt(2.0))
    np.testing.assert_allclose(linear_law.variance(law, along[None]), [1.0 / (1.0 + n_signal)], rtol=1e-5)
    np.testing.assert_allclose(linear_law.variance(law, across[None]), [1.0], rtol=1e-6)
    np.testing.assert_allclose(law.mean[:, 0], [1.5, 1.5], rtol=1e-5)
    eps = rng.standard_normal((2, 1)).astype(np.float32)
    drawn = (linear_law.sample(law, eps) - law.mean)[:, 0]
    assert float(along @ drawn) == pytest.approx(float(along @ eps[:, 0]) / np.sqrt(1 + n_signal), rel=1e-2, abs=1e-6)


@pytest.mark.parametrize("prior", [0.3, np.array([0.1, 0.2, 0.4, 0.8])], ids=["number", "array"])
def test_steps_raise_the_evidence_to_where_it_is_flat(prior: Any) -> None:
    """Its slopes in the logarithms of the noise and of the common factor of the prior, by complex step."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((30, 4))
    y = x @ rng.standard_normal((4, 2)) + 0.3 * rng.standard_normal((30, 2))
    model, values = LinearGaussian(2.0, prior), []
    for _ in range(300):
        values.append(float(model.log_evidence(x, y)))
        model = model.raised(x, y)
    assert np.all(np.diff(values) > -1e-11)
    ratio = _scales(prior) / _scales(prior)[0]
    first = model.prior_scale if isinstance(prior, float) else model.prior_scale.host[0]

    def evidence(logs: Any) -> Any:
        noise, factor = np.exp(logs)
        return sum(oracle.log_density_of_data(x, column, noise, factor * ratio) for column in y.T)

    slopes = complex_step(evidence, np.log([model.noise_scale, first]))
    np.testing.assert_allclose(slopes, [0.0, 0.0], atol=1e-8)


X, Y = DATA["more rows"].x, DATA["more rows"].y
BAD: list[tuple[Any, type[Exception], str]] = [
    (lambda: LinearGaussian(0.0), ValueError, "noise_scale is 0.0, expected a finite number above 0"),
    (lambda: LinearGaussian(float("nan")), ValueError, "noise_scale is nan"),
    (lambda: LinearGaussian(1.0, -1.0), ValueError, "prior_scale is -1.0, expected a finite number above 0"),
    (lambda: LinearGaussian(1.0, np.array([1.0, 0.0])), ValueError, r"prior_scale\[1\] is 0.0"),
    (lambda: LinearGaussian(1.0, np.ones(3)).posterior(X, Y), ValueError, r"prior_scale has shape \(3,\), .* \(4,\)"),
    (lambda: LinearGaussian().posterior(X, Y[:, 0]), ValueError, r"y has shape \(7,\), expected two axes"),
    (lambda: LinearGaussian().log_evidence(X[0], Y), ValueError, r"x has shape \(4,\), expected two axes"),
    (lambda: LinearGaussian().log_evidence(X[1:], Y), ValueError, "x has 6 rows and y 7"),
    (lambda: LinearGaussian().posterior(X * np.nan, Y), ValueError, "x holds NaN or infinity"),
    (lambda: LinearGaussian().mean_field_gap(X, Y / 0.0), ValueError, "y holds NaN or infinity"),
    (lambda: LinearGaussian().posterior(X, Y.astype(np.float32)), TypeError, "y has dtype float32 and x float64"),
    (lambda: LinearGaussian().posterior(X.astype(int), Y), TypeError, "x has dtype int64, expected real floating"),
    (lambda: LinearGaussian().posterior([[1.0]], Y), TypeError, "x is a list, expected an array"),
    (lambda: LinearGaussian().raised(X[:0], Y[:0]), ValueError, r"y has shape \(0, 2\), expected at least one target"),
]


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_wrong_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_it_is_a_record() -> None:
    assert LinearGaussian(1.0, np.ones(2)) == LinearGaussian(1.0, np.ones(2))
    assert hash(LinearGaussian(1.0, np.ones(2))) == hash(LinearGaussian(1.0, np.ones(2)))
    assert to_numpy(LinearGaussian().posterior(X, Y).mean).shape == (4, 2)
