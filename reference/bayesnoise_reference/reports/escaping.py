"""Names and sentences from elsewhere, made harmless in each form that a report takes.

A name may hold markup, a terminal's escape sequences, a pipe that ends a table's cell, half of a surrogate pair, or
marks that turn the direction of the text around. Nothing is removed: what has no shape of its own is shown as its code,
`\\x1b`.
"""

from __future__ import annotations

import html as _html
import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#|~&!$])")
_SHAPELESS = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}  # controls, formats, surrogates, unassigned, line separators


def visible(text: str) -> str:
    """One line, every character of which is seen."""
    return "".join(_shown(c) for c in text).strip()


def visible_lines(text: str) -> str:
    """The same for several lines: a line break remains one."""
    return "\n".join("".join(_shown(c) for c in line).rstrip() for line in text.split("\n"))


def _shown(c: str) -> str:
    if c in "\n\r\t":
        return " "
    if unicodedata.category(c) not in _SHAPELESS:
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def html(text: str) -> str:
    """For the text of an element or a quoted attribute."""
    return _html.escape(visible(text), quote=True)


def html_lines(text: str) -> str:
    """For the text of a `pre` element."""
    return _html.escape(visible_lines(text), quote=True)


def markdown(text: str) -> str:
    """For the text of a paragraph, a heading or a cell: no markup, no link, nobody mentioned."""
    text = _MARKDOWN.sub(r"\\\1", visible(text))
    text = re.sub(r"(?i)\bwww\.", lambda m: m[0][:-1] + "\\.", text.replace("://", "\\://"))
    return text.replace("@", "@\u200b")  # GitHub reads the rendered text for names to notify: a backslash would not do


def markdown_code(text: str) -> str:
    """A span of code, for a paragraph or a cell."""
    text = visible(text).replace("|", "\\|")
    fence = "`" * (_longest(text) + 1)
    return f"{fence} {text} {fence}" if "`" in text or not text else f"{fence}{text}{fence}"


def markdown_block(text: str) -> str:
    """A fenced block of code."""
    text = visible_lines(text)
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
