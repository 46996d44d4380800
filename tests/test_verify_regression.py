"""The library's linear regression holds every claim about it, in both precisions; the truth of the claims is one."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bayesnoise_reference import gaussian_vectors, linear_regression, rational, verify
from bayesnoise_reference.adapters import library_regression
from bayesnoise_reference.adapters.guard import Guard
from bayesnoise_reference.adapters.subprocess import Subprocess
from bayesnoise_reference.families.regression import Regression, RegressionTrial
from planted.regression import Linear

PROGRAM = [sys.executable, str(Path(__file__).parent / "programs" / "regression.py")]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", ["exact", "mean_field"])
def test_the_library_holds(kind: Any, dtype: Any) -> None:
    report = verify(library_regression.linear_regression(kind=kind, dtype=dtype))
    assert [c.sentence for c in report.claims if c.status != "holds"] == []


@pytest.mark.parametrize("kind", ["exact", "mean_field"])
@pytest.mark.parametrize(
    "settings", [{"outputs": 1, "prior_scales": "one"}, {"inputs": 2}, {"inputs": 5, "outputs": 3}]
)
def test_other_sizes_hold(settings: Any, kind: Any) -> None:
    for made in (
        library_regression.linear_regression(kind=kind, **settings),
        Linear(Regression(kind=kind, **settings)),
    ):
        report = verify(made)
        assert [c.sentence for c in report.claims if c.status != "holds"] == []


def test_a_program_is_asked_what_the_family_alone_has() -> None:
    """Without arrays and with them, and answered with arrays and with a number."""
    with Subprocess(PROGRAM) as adapter:
        report = verify(adapter)
    waits = {c.id.rpartition(".")[2] for c in report.claims if c.status != "holds"}
    # It has no elbo, no kl and no seed, and does not say what parameters it holds.
    assert waits == {"elbo", "elbo-tight", "kl", "kl-without-data", "fresh", "changes-parameters"}
    assert report.exit_code == 0
    with Subprocess([*PROGRAM, "--no-noise"]) as adapter:
        (claim,) = verify(adapter, only=["regression.exact.noise-once"]).refuted
    assert claim.sentence == "at an input of zero the variance is 0 times that of the noise; 1 is right"


@pytest.mark.parametrize("rows", [0, 1, 8])
@pytest.mark.parametrize("prior_scales", ["one", "each"])
@pytest.mark.parametrize("kind", ["exact", "mean_field"])
def test_the_truth_in_fractions_is_that_in_floats(kind: Any, prior_scales: Any, rows: int) -> None:
    """By other ways: the posterior of each target in floats, the divergences of its moments, the evidence by them."""
    d = Regression(kind=kind, outputs=2, prior_scales=prior_scales)
    held, true = RegressionTrial(Guard(Linear(d)), np.random.default_rng(rows), 1e-6, 1).load(rows)
    noise, prior = float(held["noise_scale"][0]), np.resize(held["prior_scale"], d.inputs)
    found = [linear_regression.weights_given_data(held["x"], y, noise, prior) for y in held["y"].T]
    posterior = found[0][1]
    law = posterior if kind == "exact" else np.diag(1.0 / np.diag(np.linalg.inv(posterior)))
    np.testing.assert_allclose(true.mean, np.stack([m for m, _ in found], axis=1), rtol=0, atol=1e-13)
    np.testing.assert_allclose(true.posterior, posterior, rtol=0, atol=1e-14)
    np.testing.assert_allclose(true.covariance, law, rtol=0, atol=1e-14)
    evidence = [linear_regression.log_density_of_data(held["x"], y, noise, prior) for y in held["y"].T]
    kl = [gaussian_vectors.divergence(m, law, np.zeros(d.inputs), np.diag(prior**2)) for m, _ in found]
    gap = [gaussian_vectors.divergence(m, law, m, c) for m, c in found]
    assert true.log_evidence == pytest.approx(sum(evidence), rel=1e-12, abs=1e-12)
    assert true.kl == pytest.approx(sum(kl), rel=1e-12, abs=1e-12)
    assert true.gap == pytest.approx(sum(gap), rel=1e-12, abs=1e-12)
    assert true.elbo == pytest.approx(sum(evidence) - sum(gap), rel=1e-12, abs=1e-12)


def test_fractions_do_not_round() -> None:
    """The Hilbert matrix of order 12, whose condition number is 1e16, times its inverse; its determinant is known."""
    n = 12
    hilbert = np.array([[Fraction(1, i + j + 1) for j in range(n)] for i in range(n)])
    found, determinant = rational.inverse(hilbert)
    assert np.array_equal(rational.product(hilbert, found), rational.fractions(np.eye(n)))
    by_corners = Fraction(1)
    for k in range(1, n):  # the ratio of the leading minors of order k + 1 and k is 1 / ((2k + 1) C(2k, k)^2)
        choose = Fraction(1)
        for i in range(k):
            choose = choose * (2 * k - i) / (i + 1)
        by_corners /= (2 * k + 1) * choose**2
    assert determinant == by_corners
    assert np.array_equal(rational.floats(rational.fractions([0.1, -3.0])), [0.1, -3.0])
    assert rational.product(np.zeros((2, 0), dtype=object), np.zeros((0, 1), dtype=object)).tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "full"}, "kind is 'full', expected one of 'exact', 'mean_field'"),
        ({"kind": "exact", "prior_scales": "two"}, "prior_scales is 'two', expected one of 'one', 'each'"),
        ({"kind": "exact", "inputs": 1}, "inputs is 1, expected at least 2"),
        ({"kind": "mean_field", "outputs": 0}, "outputs is 0, expected at least 1"),
    ],
)
def test_descriptions_that_cannot_be(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Regression(**given)
