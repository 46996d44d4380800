"""Which mistakes explain a report best: those that nothing speaks against, and of these the ones that explain most.

A mistake refutes every claim that names it. So a claim that holds rules out the mistakes that it names, and one that
was not run says nothing. A claim that is refuted has one vote, in equal parts for the mistakes that it names. The
mistake with most votes is found first, then any whose refuted claims are all still without an explanation: a layer may
have several. Below a claim stands the one of these that it names, then that with most votes, because a mistake may
refute more claims than those that name it, and then the others that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum

from bayesnoise_reference.adapters.subject import Subject
from bayesnoise_reference.claims.claim import Claim

MOST = 3  # causes that are shown


def likely(
    description: Subject,
    claims: tuple[Claim, ...],
    refuted: frozenset[str],
    held: frozenset[str],
    causes: Mapping[str, str],
) -> dict[str, tuple[str, ...]]:
    """For each refuted topic at most `MOST` causes: of the mistakes that explain the report, and of rivals that fit.

    `held` are the topics that hold. A mistake that one of them rules out is shown where no other is possible.
    """
    about = [c for c in claims if c.about(description)]
    shows = {name: frozenset(c.topic for c in about if name in c.catches) for name in causes}
    names = {topic: sum(topic in topics for topics in shows.values()) for topic in refuted}

    def votes(name: str) -> float:
        return fsum(1.0 / names[topic] for topic in shows[name] & refuted)

    named = sorted((name for name in causes if shows[name] & refuted), key=votes, reverse=True)
    possible = [name for name in named if not shows[name] & held]
    found = []
    left = refuted
    for name in possible:
        if shows[name] & refuted <= left:
            found.append(name)
            left -= shows[name]

    def of(topic: str) -> list[str]:
        own = [name for name in named if topic in shows[name]]
        first = [name for name in found if name in own]
        rivals = [name for name in own if name in possible]
        return list(dict.fromkeys([*first, *found[:1], *rivals])) or own

    return {topic: tuple(causes[name] for name in of(topic)[:MOST]) for topic in refuted}
