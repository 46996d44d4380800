"""The library's attention and embedding before the kit, and descriptions that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from bayesnoise_reference import verify
from bayesnoise_reference.adapters.library_attention import multi_head_attention
from bayesnoise_reference.adapters.library_embedding import embedding
from bayesnoise_reference.families.attention import Attention
from bayesnoise_reference.families.embedding import Embedding


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("estimator", "causal", "heads"), [("shared", True, 1), ("flipout", False, 2)])
def test_the_attention_of_the_library_holds(estimator: Any, causal: bool, heads: int, dtype: Any) -> None:
    report = verify(multi_head_attention(estimator, dtype=dtype, causal=causal, heads=heads))
    assert not report.refuted, [c.sentence for c in report.refuted]
    assert not [c.id for c in report.claims if c.status == "not run"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("estimator", ["shared", "flipout", "local"])
def test_the_embedding_of_the_library_holds(estimator: Any, dtype: Any) -> None:
    report = verify(embedding(estimator, dtype=dtype, rows=7, features=5))
    assert not report.refuted, [c.sentence for c in report.refuted]
    assert not [c.id for c in report.claims if c.status == "not run"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Attention(estimator="local"), "estimator is 'local', expected 'shared' or 'flipout': one that draws"),  # type: ignore[arg-type]
        (lambda: Attention(heads=4), "heads is 4, expected a divisor of 4 that leaves 2 or more each"),
        (lambda: Attention(prior=-1.0), "prior is -1.0"),
        (lambda: Attention(scale="sqrt"), "scale is 'sqrt'"),  # type: ignore[arg-type]
        (lambda: Embedding(estimator="plain"), "estimator is 'plain', expected one of 'shared'"),  # type: ignore[arg-type]
        (lambda: Embedding(rows=2), "rows is 2, expected at least 3"),
        (lambda: Embedding(prior=0.0), "prior is 0.0"),
        (lambda: Embedding(scale="sqrt"), "scale is 'sqrt'"),  # type: ignore[arg-type]
    ],
)
def test_descriptions_that_cannot_be_are_named(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
