"""Fixtures shared by all tests."""

from __future__ import annotations

import pytest
from namespaces import GPU_NAMESPACES, NAMESPACES, Namespace, why_no_gpu

ON_GPU = [pytest.param(name, marks=pytest.mark.gpu, id=name) for name in GPU_NAMESPACES]


@pytest.fixture(params=[*(pytest.param(n, id=n.name) for n in NAMESPACES), *ON_GPU])
def namespace(request: pytest.FixtureRequest) -> Namespace:
    """Each array namespace in turn; those of a GPU only for the tests marked `gpu`, and where there is one."""
    if isinstance(request.param, Namespace):
        return request.param
    reason = why_no_gpu(request.param)
    if reason is not None:
        pytest.skip(reason)
    return GPU_NAMESPACES[request.param]()
