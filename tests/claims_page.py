"""What the kit claims, as Markdown: a page of every claim, and the table of families in docs/verify.md.

    python tests/claims_page.py

writes both from the code. A test says so where they differ from it.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args, get_type_hints

from bayesnoise_reference.adapters import adapter, described
from bayesnoise_reference.adapters.library_methods import library_names
from bayesnoise_reference.verification import all_claims

DOCS = Path(__file__).parents[1] / "docs"
PAGE, GUIDE = DOCS / "claims.md", DOCS / "verify.md"
START, END = "<!-- families: python tests/claims_page.py -->\n", "<!-- end of families -->\n"
HEAD = """# Every claim of the kit

Made from the code by `python tests/claims_page.py`. A report has a claim under its family, its kind and its name, like
`dense.flipout.signs-per-example`. Where a claim is about some kinds alone, they stand behind its law. Beside `load` and
`sample` it may need other methods of the [adapter](verify.md#what-can-be-asked). Each claim is put only to layers that
it is about: those of a prior need a description that has one, those of a bias a bias.
"""
WEIGHTS = {"dense": "A dense layer of random weights.", "convolution": "A convolution with random kernels."}


def families() -> dict[str, list[type]]:
    """The classes that describe each family: those of random weights first."""
    found = described._families()
    return {name: found[name] for name in [*WEIGHTS, *sorted(set(found) - set(WEIGHTS))]}


def kinds(family: str) -> list[str]:
    """The kinds of a family, in the order of its claims."""
    of_claims = {kind: None for claim in all_claims() if family in claim.families for kind in claim.kinds}
    allowed = set()
    for made in families()[family]:
        hints = get_type_hints(made)
        allowed |= set(get_args(hints.get("kind", hints.get("estimator"))) or of_claims)
    return [kind for kind in of_claims if kind in allowed]


def said(family: str) -> list[str]:
    """The documentation of a family, once for each file that describes it."""
    if family in WEIGHTS:
        return [WEIGHTS[family], "Parameters and gradients go by name:\n\n" + _names()]
    files = dict.fromkeys(inspect.getmodule(made) for made in families()[family])
    return [inspect.cleandoc(file.__doc__ or "") for file in files if file is not None]


def _names() -> str:
    return "\n".join(line for line in (adapter.__doc__ or "").splitlines() if line.startswith("    "))


def cell(text: str) -> str:
    """As it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def page() -> str:
    """Every claim."""
    parts = [HEAD]
    for family in families():
        parts += [f"## {family}\n", *(f"{text}\n" for text in said(family))]
        rows = ["| claim | law | needs |", "|---|---|---|"]
        every = kinds(family)
        for claim in all_claims():
            if family in claim.families:
                some = [kind for kind in every if kind in claim.kinds]
                of = f" ({', '.join(some)})" if some != every else ""
                needs = ", ".join(f"`{need}`" for need in claim.needs if need not in ("load", "sample"))
                rows.append(f"| {claim.topic} | {cell(claim.law)}{of} | {needs} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def table() -> str:
    """The families, in a row each."""
    of_library: dict[str, list[str]] = {}
    for name, made in library_names().items():
        of_library.setdefault(made().description.family, []).append(f"`{name}`")
    rows = ["| family | what it is | kinds | claims | of this library |", "|---|---|---|---|---|"]
    for family in families():
        first = re.split(r"(?<=[.:])\s", said(family)[0], maxsplit=1)[0].rstrip(".:")
        count = sum(family in claim.families for claim in all_claims())
        there = ", ".join(of_library.get(family, []))
        link = f"[{family}](claims.md#{family})"
        rows.append(f"| {link} | {cell(first)} | {', '.join(kinds(family))} | {count} | {there} |")
    return "\n".join(rows) + "\n"


def guide(text: str) -> str:
    """A page with the table of families in its place."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


def main() -> None:
    """Write both."""
    PAGE.write_text(page(), encoding="utf-8")
    GUIDE.write_text(guide(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
