"""What a claim judged can be seen: each claim with a p-value leaves shares of what it saw, and those of its law."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from bayesnoise_reference import radial, reports, verify
from bayesnoise_reference.claims import pictured
from bayesnoise_reference.claims.outcome import Outcome
from bayesnoise_reference.numerics import gauss_legendre
from bayesnoise_reference.reports import pictures
from bayesnoise_reference.verification import claims_for
from planted import PLANTED

# Means of heavy-tailed numbers, by an e-value: their mean and a bound on their variance are known, not their law.
WITHOUT = (
    "dense.shared.kl-draws-mean",  # a sum of squares of normal numbers, each with a weight and a shift of its own
    "divergence.scale_mixture.estimates-mean",  # a sum of logarithms of mixtures
    "posterior.radial.divergence-drawn",  # a quadratic form in a direction of the sphere, times a square
    "evolution.antithetic.unbiased",  # products of noise and values of an objective
    "evolution.baseline.unbiased",
)


def _is_drawn(claim: Outcome) -> None:
    seen, expected = claim.seen["shares"], claim.expected["shares"]
    assert 2 <= len(seen) == len(expected) <= pictured.BINS
    for shares in (seen, expected):
        assert sum(shares) == pytest.approx(1.0, abs=0.5e-6 * len(shares))  # each is rounded to six decimals
    for data in (claim.seen, claim.expected):
        axis = data.get("labels") or data["edges"]
        assert len(set(axis)) == len(axis) == len(seen) + ("edges" in data)
        assert len(data.get("unit", "")) <= 60  # a longer one would be cut
        assert all(len(name) <= 24 for name in data.get("labels", ()))
    ET.fromstring(pictures.law(claim.seen, claim.expected))


@pytest.mark.parametrize("kind", PLANTED)
def test_a_claim_with_a_law_shows_it(kind: str) -> None:
    planted = PLANTED[kind]
    report = verify(planted.adapter(planted.description, ""))
    page = reports.page(report)
    for claim in report.claims:
        if claim.status == "not run":
            continue
        told = page.split(f"<h3>{claim.id}</h3>")[1].split("</article>")[0]
        if claim.id in WITHOUT:
            assert claim.seen is claim.expected is None
            assert claim.evidence == "e-value"
            assert "the mean is known, and not the law" in told
        elif claim.evidence == "exact":
            assert "Exact: there is no chance in this" in told
            assert "<svg" not in told
        else:
            _is_drawn(claim)
            assert told.count("<svg") == 2  # the law, and the p-value or the e-value


def test_what_has_no_picture_is_a_claim() -> None:
    claims = {c.id(p.description) for p in PLANTED.values() for c in claims_for(p.adapter(p.description, ""))}
    assert set(WITHOUT) <= claims


def test_a_mistake_stands_out() -> None:
    planted = PLANTED["dense.flipout"]
    ids = ["dense.flipout.signs-per-example", "dense.flipout.output-sign-pairs", "dense.flipout.draw-pairs"]
    found = verify(planted.adapter(planted.description, "no-noise"), only=ids)
    for claim in found.refuted:
        _is_drawn(claim)
        off = np.abs(np.subtract(claim.seen["shares"], claim.expected["shares"]))
        assert np.sum(off) / 2 >= 0.5  # the distance of the two laws, where signs are right it is a few per cent
    assert len(found.refuted) == 3


def test_the_outer_bins_are_open() -> None:
    seen, expected = pictured.normals(np.array([-99.0, 99.0]))
    assert (seen["shares"][0], seen["shares"][-1]) == (0.5, 0.5)
    assert expected["shares"] == expected["shares"][::-1]
    assert expected["shares"][20] == round(math.erf(0.25 / math.sqrt(2.0)) / 2.0, 6)  # from 0 to a quarter of one


def test_the_correlation_of_four_pairs_is_uniform() -> None:
    picture = pictured.correlations(np.array([-1.0, 1.0]), 4)
    assert picture.expected["shares"] == [1.0 / pictured.BINS] * pictured.BINS


def test_the_law_of_many_coins_is_binomial() -> None:
    few = pictured.tosses(np.array([0, 3, 3, 3]), 3)
    assert few.seen["shares"] == [0.25, 0.0, 0.0, 0.75]
    assert few.expected["shares"] == [0.125, 0.375, 0.375, 0.125]
    n, rate = 400, 0.3
    many = pictured.tosses(np.array([120]), n, rate)
    pmf = [math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)]
    edges = np.array(many.expected["edges"]) * n / 100.0
    of_bins = np.digitize(np.arange(n + 1), edges[1:-1])
    assert np.allclose(np.bincount(of_bins, weights=pmf), many.expected["shares"], rtol=0, atol=1e-6)
    assert of_bins[120] == np.argmax(many.seen["shares"])


def test_the_chi_square_law_of_two_degrees_is_exponential() -> None:
    law = pictured.chi_squares(np.ones(3), 2).expected
    inner = np.exp(-0.5 * np.array(law["edges"][1:-1]))
    assert np.allclose(law["shares"], -np.diff(np.concatenate([[1.0], inner, [0.0]])), rtol=0, atol=2e-6)


def test_pairs_are_on_the_same_side_if_they_are_copies() -> None:
    z = np.array([-2.0, 1.0, 0.5, -0.1])
    assert pictured.sides(z, z).seen["shares"] == [1.0, 0.0]
    assert pictured.sides(z, -z).seen["shares"] == [0.0, 1.0]
    assert pictured.sides(z, -z).expected["shares"] == [0.5, 0.5]


@pytest.mark.parametrize("n", [2, 3, 24])
def test_the_radial_law_along_a_direction_has_its_moments(n: int) -> None:
    v, width = gauss_legendre(np.concatenate([[0.0], 0.5 ** np.arange(30)[::-1], np.linspace(1.0, 12.0, 12)[1:]]))
    beyond = 2.0 * (1.0 - radial.probability_along(v, n))
    assert 2.0 * np.sum(width * v * beyond) == pytest.approx(1.0 / n, rel=1e-6)
    assert radial.probability_along(np.zeros(1), n) == pytest.approx(0.5)
    size = math.gamma(n / 2) / (math.gamma((n + 1) / 2) * math.sqrt(math.pi))  # of the cosine, on average
    assert np.sum(width * beyond) == pytest.approx(size * math.sqrt(2.0 / math.pi), rel=1e-6)
