"""The lists of places in CONTRIBUTING.md: what is wrong with them, for lint and a contract test.

A list is a table of `place`, what it holds, and what of the example stands there. The comment
before it names a pattern and folders: every file there that has it is one of the places.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
LISTS_LEAST = 10
SUFFIXES = {".c", ".h", ".json", ".md", ".py"}
# Written from the others, or pages about something else; examples and stories are data.
PASSED_OVER = ("docs/reference.md", "schemas/examples/", "tests/simulation/regressions/")
LIST = re.compile(r"^### (.+)\n(?:(?!^#).*\n)*?<!-- places of (.+) in ([a-z/ ]+) -->\n"
                  r"((?:\|.*\n)+)", re.MULTILINE)
ROW = re.compile(r"^\| `([^`]+)` \| [^|]+ \| (`` `.+` ``|`[^`]+`) \|$")


class Places(NamedTuple):
    """One list of the page."""

    title: str
    pattern: str
    folders: list[str]
    rows: list[str]


def lists(text: str) -> list[Places]:
    return [Places(title, pattern, folders.split(), table.splitlines()[2:])
            for title, pattern, folders, table in LIST.findall(text)]


def holding(pattern: str, folders: list[str]) -> Iterator[str]:
    """The files below the folders in which the pattern is."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            name = str(path.relative_to(ROOT))
            if path.suffix in SUFFIXES and not name.startswith(PASSED_OVER) and \
                    re.search(pattern, path.read_text(errors="replace")):
                yield name


def faults_of(places: Places) -> Iterator[str]:
    listed = set()
    for line in places.rows:
        row = ROW.match(line)
        if row is None:
            yield f"{places.title}: not a place, what it holds, the example: {line}"
            continue
        place, example = row.group(1), row.group(2).strip("`").strip()
        listed.add(place)
        if not (ROOT / place).is_file():
            yield f"{places.title}: {place} is not there"
        elif example not in (ROOT / place).read_text(errors="replace"):
            yield f"{places.title}: {place} does not have {example}"
    for name in holding(places.pattern, places.folders):
        if name not in listed:
            yield f"{places.title}: {name} has {places.pattern}, and is not listed"


def faults(text: str | None = None) -> list[str]:
    found = lists(PAGE.read_text() if text is None else text)
    wrong = [fault for places in found for fault in faults_of(places)]
    if len(found) < LISTS_LEAST:
        wrong.append(f"{len(found)} lists, at least {LISTS_LEAST}")
    return [f"CONTRIBUTING.md: {fault}" for fault in wrong]
