"""The divergences of the library hold every claim about divergences, and a wrong one is told apart in a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.library_divergence import LibraryDivergence, library_divergence
from bayesnoise_reference.families.divergence import Divergence
from bayesnoise_reference.families.divergence_estimate import MixtureEstimate

from bayesnoise.divergences import Molchanov

KINDS = ("gaussian", "laplace", "log_uniform", "ard", "scale_mixture")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_library_holds(kind: Any, dtype: Any) -> None:
    report = verify(library_divergence(kind, dtype=dtype))
    waits = {c.id.rpartition(".")[2]: c.status for c in report.claims if c.status != "holds"}
    assert waits == dict.fromkeys(("nan", "dtype", "same-array", "changes-inputs"), "not run")  # without an output


def test_an_approximation_holds_with_its_error_and_not_without() -> None:
    exact = Divergence(kind="log_uniform")
    assert "divergence.log_uniform.value" in {c.id for c in verify(LibraryDivergence(Molchanov(), exact)).refuted}
    value = ["divergence.log_uniform.value"]
    assert verify(LibraryDivergence(Molchanov(), replace(exact, error=0.0094)), only=value).passed


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Divergence(kind="student"), "kind is 'student', expected one of 'gaussian'"),  # type: ignore[arg-type]
        (lambda: Divergence(kind="ard", size=0), "size is 0, expected at least 1"),
        (lambda: Divergence(kind="gaussian", prior=-1.0), "prior is -1.0, expected a finite number above 0"),
        (lambda: Divergence(kind="laplace", prior_mean=1.0), "prior_mean is 1.0, expected 0: a laplace prior"),
        (lambda: MixtureEstimate(share=1.0), "share is 1.0, expected a share above 0 and below 1"),
        (lambda: MixtureEstimate(narrow=2.0), r"narrow is 2.0 and wide 1.5, expected 0 < narrow < wide"),
        (lambda: MixtureEstimate(size=0), "size is 0"),
    ],
)
def test_descriptions_of_what_cannot_be(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
