"""Put every claim that is about a layer to it, under one error budget, and report.

    report = verify(adapter, tier="pr", seed=0)

The budget `alpha` is that of the whole run: each claim that is declared has the same share of it, whether it can be run
or not, and exact claims need none of theirs (Bonferroni; it holds under any dependence). A claim lives in a file that
lists its claims as `CLAIMS`: of `bayesnoise_reference.claims` if it is about random weights, of
`bayesnoise_reference.families` if it is about anything else. To add a topic or a family is to add a file.
"""

from __future__ import annotations

import json
import platform
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal, TypeAlias

import numpy as np

from bayesnoise_reference import claims as claims_package
from bayesnoise_reference import families as families_package
from bayesnoise_reference.adapters._answers import KINDS, UNSEEN, raised
from bayesnoise_reference.adapters.adapter import Loadable
from bayesnoise_reference.adapters.guard import AdapterError, Guard
from bayesnoise_reference.adapters.worker import check_limit
from bayesnoise_reference.claims.claim import Claim, Finding
from bayesnoise_reference.claims.explanation import likely
from bayesnoise_reference.claims.outcome import SUITE, Outcome, Report

Tier: TypeAlias = Literal["pr", "nightly", "release"]
CALLS = {"pr": 64, "nightly": 1600, "release": 64000}  # samples a statistical claim asks for


@cache
def _modules() -> tuple[ModuleType, ...]:
    """The files that have claims, in their order."""
    packages = (claims_package, families_package)
    return tuple(
        import_module(name)
        for package in packages
        for name in sorted(f"{package.__name__}.{module.name}" for module in iter_modules(package.__path__))
    )


@cache
def all_claims() -> tuple[Claim, ...]:
    """Every claim there is."""
    return tuple(claim for module in _modules() for claim in getattr(module, "CLAIMS", ()))


@cache
def all_causes() -> Mapping[str, str]:
    """Every mistake that is known, and its sentence."""
    found: dict[str, str] = {}
    for module in _modules():
        found |= getattr(module, "CAUSES", {})
    return found


def claims_for(adapter: Loadable) -> tuple[Claim, ...]:
    """The claims that are about this layer: its family, its estimator, its bias and its prior."""
    return tuple(claim for claim in all_claims() if claim.about(adapter.description))


def laws_for(adapter: Loadable) -> dict[str, str]:
    """What is claimed about this layer, by the ids of a report: the claims, then one for each kind of misbehaviour."""
    description = adapter.description
    laws = {claim.id(description): claim.law for claim in claims_for(adapter)}
    return laws | {_behaviour_id(adapter, kind): sentence for kind, sentence in KINDS.items()}


def verify(
    adapter: Loadable,
    tier: Tier = "pr",
    alpha: float = 1e-6,
    seed: int = 0,
    expected_failures: Mapping[str, str] | None = None,
    only: Iterable[str] | None = None,
    limit: float = 60.0,
) -> Report:
    """A report on the adapter's layer: of a correct one it refutes anything with a probability of at most `alpha`.

    `expected_failures` gives, by the id of a claim, why it is known to be refuted; `only` are ids to run alone, with
    the draws and the share of the error that they have in a full run. If those are about nothing but how the layer
    behaves, every claim is put, for its calls. `limit` is the time a call may take, in seconds. Raises ValueError for
    an unknown tier or id, for an alpha outside (0, 1), and for a limit that is no time.
    """
    if tier not in CALLS:
        raise ValueError(f"tier is {tier!r}, expected one of {', '.join(map(repr, CALLS))}")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is {alpha}, expected a probability of error above 0 and below 1")
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected 0 or more")
    check_limit(limit)
    started = time.perf_counter()
    only = None if only is None else frozenset(only)
    declared = claims_for(adapter)
    description = adapter.description
    ids = laws_for(adapter)
    for name, given in (("expected_failures", expected_failures or {}), ("only", only or ())):
        unknown = sorted(set(given) - ids.keys())
        if unknown:
            raise ValueError(f"{name} has {unknown[0]!r}, which is no claim about this layer: see laws_for")
    share = alpha / max(1, len(declared))
    asked = tuple(c for c in declared if only is None or c.id(description) in only)
    chosen = asked if asked or not only else declared  # how a layer behaves shows in the calls of all claims
    guard = Guard(adapter, limit)
    again = partial(_replay, tier, alpha, seed)
    outcomes = [_put(claim, guard, tier, share, again([claim.id(description)]), seed) for claim in chosen]
    refuted, held = (
        frozenset(c.topic for c, o in zip(chosen, outcomes, strict=True) if o.status == status)
        for status in ("refuted", "holds")
    )
    causes = likely(description, declared, refuted, held, all_causes())
    outcomes = [
        o._replace(likely_causes=causes.get(c.topic, ())) if o.status == "refuted" else o
        for c, o in zip(chosen, outcomes, strict=True)
    ]
    outcomes = (outcomes if asked else []) + _behaviour(guard, only, again)
    return Report(
        SUITE,
        description.name,
        tier,
        alpha,
        seed,
        tuple(outcomes),
        {**_versions(), **getattr(adapter, "versions", {})},
        time.perf_counter() - started,
        dict(expected_failures or {}),
        getattr(description, "summary", ""),
    )


def _replay(tier: Tier, alpha: float, seed: int, only: Iterable[str]) -> str:
    """The call that puts these claims again."""
    return f'verify(adapter, tier="{tier}", alpha={alpha!r}, seed={seed}, only={json.dumps(sorted(only))})'


def _put(claim: Claim, guard: Guard, tier: Tier, share: float, replay: str, seed: int) -> Outcome:
    name = claim.id(guard.description)
    missing = [method for method in claim.needs if not guard.can(method)]
    if missing:
        return Outcome(name, "not run", f"the adapter has no {' and no '.join(missing)}", alpha=share, replay=replay)
    rng = np.random.default_rng([seed, zlib.crc32(claim.topic.encode())])
    trial = claim.trial(guard, rng, share, CALLS[tier])

    def work() -> Finding:
        guard.begin()
        guard.seed(int(rng.integers(2**31)))
        with np.errstate(all="ignore"):
            return claim.check(trial)

    try:
        found = guard.watch(work)
    except AdapterError as wrong:
        guard.manners.fault(wrong.kind, wrong.sentence)
        return Outcome(name, "not run", f"it could not be judged: {wrong.sentence}", alpha=share, replay=replay)
    except Exception as error:  # numbers that no statistic can take: a verdict on the others must not be lost
        said = f"it could not be computed from what the layer returned: {raised(error)}"
        return Outcome(name, "not run", said, alpha=share, replay=replay)
    return _outcome(name, found, share, replay)


def _outcome(name: str, found: Finding, share: float, replay: str) -> Outcome:
    refuted = found.refuted or (found.p is not None and found.p <= share)
    refuted = refuted or (found.e is not None and found.e >= 1.0 / share)
    status: Any = "not run" if found.evidence == "none" else "refuted" if refuted else "holds"
    seen = found.seen, found.expected
    return Outcome(
        name,
        status,
        found.sentence,
        found.evidence,
        found.p,
        found.e,
        share,
        found.n,
        found.detects,
        (),
        replay,
        *seen,
    )


def _behaviour_id(adapter: Loadable, kind: str) -> str:
    d = adapter.description
    return f"{d.family}.{d.estimator}.adapter.{kind}"


def _behaviour(guard: Guard, only: frozenset[str] | None, again: Callable[[Iterable[str]], str]) -> list[Outcome]:
    """What every call showed of the layer's manners: a claim for each kind of fault."""
    manners, found = guard.manners, []
    for kind, sentence in KINDS.items():
        name = _behaviour_id(guard.adapter, kind)
        if only is not None and name not in only and kind not in manners.faults:
            continue
        replay = again({name, *(only or ())})
        if not manners.seen[kind]:
            said = UNSEEN[kind] if guard.calls else "no call was made"
            found.append(Outcome(name, "not run", said, replay=replay))
            continue
        status: Any = "refuted" if kind in manners.faults else "holds"
        said, n = manners.faults.get(kind, sentence), manners.seen[kind]
        found.append(Outcome(name, status, said, "exact", n=n, detects="one call that does it", replay=replay))
    return found


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("bayesnoise", "numpy", "scipy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
