"""The entry point of pytest: the hooks and fixtures of the adapter for it."""

from bayesnoise_reference.adapters.pytest_session import (
    bayesnoise_rng,
    bayesnoise_seed,
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
    pytest_unconfigure,
)

__all__ = [
    "bayesnoise_rng",
    "bayesnoise_seed",
    "pytest_addoption",
    "pytest_configure",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "pytest_unconfigure",
]
