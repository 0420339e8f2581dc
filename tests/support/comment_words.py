"""Comments of C files name nothing that is gone: for lint and a contract test.

What a comment calls by a name that only a program has (a file, a call, a word with an underscore,
a struct) must stand somewhere: in the code, a schema, a script or a page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("cli", "consumer", "dispatcher", "lib", "schemas", "store", "tests")
OTHERS = ("docs/*.md", "schemas/*.json", "store/**/*.lua", "tests/**/*.py", "tests/**/*.mk",
          "tests/**/*.ini", "Makefile")
PIECES = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
WORD = re.compile(r"[A-Za-z_]\w*")
NAMED = (
    ("file", re.compile(r"(?<![\w/.*-])((?:[\w-]+/)*[\w-]+\.(?:c|h|py|lua|mk))\b")),
    ("call", re.compile(r"\b([a-z]\w+)\(\)")),
    ("struct", re.compile(r"\b(?:struct|enum)\s+([a-z]\w+)")),
    ("word", re.compile(r"\b([A-Za-z]+_\w*[A-Za-z0-9])\b(?!\.\w|[*/-])")),
)
# What is not ours: other libraries' calls, and how words are written.
OUTSIDE = re.compile(r"rd_kafka_\w+|snake_case")


def sources() -> dict[str, str]:
    """The C files by name."""
    return {str(path.relative_to(ROOT)): path.read_text() for folder in FOLDERS
            for path in sorted((ROOT / folder).rglob("*.[ch]"))}


def comments(text: str) -> Iterator[tuple[int, str]]:
    for piece in PIECES.finditer(text):
        if piece.group(0).startswith("/"):
            yield text.count("\n", 0, piece.start()) + 1, piece.group(0)


def without_comments(text: str) -> str:
    return PIECES.sub(lambda piece: " " if piece.group(0)[0] == "/" else piece.group(0), text)


def known_words(texts: dict[str, str]) -> set[str]:
    known: set[str] = set()
    for text in texts.values():
        known.update(WORD.findall(without_comments(text)))
    for pattern in OTHERS:
        for path in ROOT.glob(pattern):
            known.update(WORD.findall(path.read_text(errors="replace")))
    return known


def is_file(named: str, names: set[str]) -> bool:
    return any(name == named or name.endswith(f"/{named}") for name in names)


def faults(changed: dict[str, str] | None = None) -> list[str]:
    """What comments name and nothing has; `changed` files have other texts, for the test."""
    texts = sources() | (changed or {})
    known = known_words(texts)
    names = set(texts) | {str(path.relative_to(ROOT)) for folder in FOLDERS
                          for path in (ROOT / folder).rglob("*") if path.is_file()}
    found: dict[tuple[str, int, str], str] = {}
    for name, text in texts.items():
        for line, comment in comments(text):
            for kind, pattern in NAMED:
                for named in pattern.findall(comment):
                    there = is_file(named, names) if kind == "file" else named in known
                    if not there and OUTSIDE.fullmatch(named) is None:
                        found.setdefault((name, line, named), kind)
    return [f"{name}:{line}: the comment names the {kind} {named}, which is not there"
            for (name, line, named), kind in found.items()]
