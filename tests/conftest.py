"""Fixtures shared by all tests."""

from __future__ import annotations

import pytest
from namespaces import NAMESPACES, Namespace


@pytest.fixture(params=NAMESPACES, ids=lambda n: n.name)
def namespace(request: pytest.FixtureRequest) -> Namespace:
    """Each array namespace in turn."""
    assert isinstance(request.param, Namespace)
    return request.param
