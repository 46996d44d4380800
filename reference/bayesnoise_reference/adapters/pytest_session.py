"""pytest: one error budget for the session, what it was spent on, and a generator whose seed is fixed for each test.

Nothing is printed by a session without stochastic assertions, and nothing imported but the budget, which is plain
Python. Under pytest-xdist each worker has an equal part of the budget.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import pytest

from bayesnoise_reference.testing.budget import ALPHA, ErrorBudget, Spent, enter, leave, summary

_BUDGET = pytest.StashKey[ErrorBudget]()
_WORKERS = pytest.StashKey[list[Any]]()
_SHOWN = 20  # assertions of a session, unless more are asked for


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options."""
    group = parser.getgroup("bayesnoise", "stochastic assertions")
    group.addoption(
        "--bayesnoise-alpha",
        type=float,
        default=ALPHA,
        metavar="ALPHA",
        help="probability that a correct program fails anywhere in the session (default: %(default)s)",
    )
    group.addoption(
        "--bayesnoise-seed",
        default="0",
        metavar="SEED",
        help="seed of the bayesnoise_rng fixture: a whole number, or 'random' for a fresh one (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Open the budget of the session."""
    alpha, seed = float(config.option.bayesnoise_alpha), str(config.option.bayesnoise_seed)
    if not 0 < alpha < 1:
        raise pytest.UsageError(f"--bayesnoise-alpha is {alpha}, expected a number above 0 and below 1")
    if seed == "random":
        seed = str(secrets.randbits(32))
        config.option.bayesnoise_seed = seed  # before xdist copies the options to its workers
    if not seed.isdecimal():
        raise pytest.UsageError(f"--bayesnoise-seed is {seed!r}, expected a whole number or 'random'")
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    budget = ErrorBudget(alpha / int(worker["workercount"]) if worker else alpha)
    config.stash[_BUDGET], config.stash[_WORKERS] = budget, []
    enter(budget)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close it."""
    budget = config.stash.get(_BUDGET, None)
    if budget is not None:
        leave(budget)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker of pytest-xdist: send what was spent to the main process."""
    budget = session.config.stash[_BUDGET]
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None and budget.records:
        output["bayesnoise"] = {"spent": budget.spent, "records": [list(record) for record in budget.records]}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the main process of pytest-xdist: keep what a worker has sent."""
    output = getattr(node, "workeroutput", {}).get("bayesnoise")
    if output is not None:
        node.config.stash[_WORKERS].append(output)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was spent, if anything was, and what assertions could detect: of all with -v, of none with -q."""
    budget, workers = config.stash[_BUDGET], config.stash[_WORKERS]
    records = budget.records + [Spent(*record) for worker in workers for record in worker["records"]]
    spent = budget.spent + sum(worker["spent"] for worker in workers)
    verbosity = terminalreporter.verbosity
    lines = summary(records, spent, budget.alpha, None if verbosity > 0 else _SHOWN if verbosity == 0 else 0)
    if lines:
        terminalreporter.section("stochastic assertions")
        for line in [*lines, f"seed {config.option.bayesnoise_seed}"]:
            terminalreporter.write_line(line)


@pytest.fixture
def bayesnoise_seed(request: pytest.FixtureRequest) -> int:
    """A seed of this test's own: the same in every run and in every order, another one under `--bayesnoise-seed`."""
    text = f"{int(request.config.option.bayesnoise_seed)} {request.node.nodeid}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@pytest.fixture
def bayesnoise_rng(bayesnoise_seed: int) -> Any:
    """A NumPy generator with that seed."""
    import numpy as np

    return np.random.default_rng(bayesnoise_seed)
