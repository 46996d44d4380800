"""The oracle, which says what each method is, and the kit on it, which says whether an implementation is right.

from bayesnoise_reference import verify
report = verify(adapter)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesnoise_reference.adapters.pytest_claims import parametrize_with_claims
    from bayesnoise_reference.verification import claims_for, verify

__all__ = ["claims_for", "parametrize_with_claims", "verify"]


def __getattr__(name: str) -> Any:
    # Only when asked for: the oracle by itself needs none of the claims, and the claims need no pytest.
    if name == "parametrize_with_claims":
        from bayesnoise_reference.adapters import pytest_claims

        return pytest_claims.parametrize_with_claims
    if name in __all__:
        from bayesnoise_reference import verification

        return getattr(verification, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
