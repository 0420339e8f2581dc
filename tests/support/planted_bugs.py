"""The planted bugs of tests/simulation/planted_bugs: for the hunt, lint and a contract test.

`tests/simulation/hunt --help` tells how a bug is written down.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "simulation" / "planted_bugs"
HEAD = re.compile(r"([A-Z0-9_]+): (.+)")
FOUND = re.compile(r"found by (seed|runs|story) (\S+)")


class Wrong(Exception):
    """The table and the code do not fit; the text says where."""


@dataclasses.dataclass
class Change:
    """Lines of one file, and what stands in their place."""

    path: str
    old: list[str] = dataclasses.field(default_factory=list)
    new: list[str] = dataclasses.field(default_factory=list)

    def apply(self, text: str) -> str:
        old = "".join(f"{line}\n" for line in self.old)
        places = [m.start() for m in re.finditer(f"^{re.escape(old)}", text, re.MULTILINE)]
        if len(places) != 1:
            raise Wrong(f"{self.path} has these lines {len(places)} times, not once:\n{old}")
        begin, end = places[0], places[0] + len(old)
        return text[:begin] + "".join(f"{line}\n" for line in self.new) + text[end:]


@dataclasses.dataclass
class Bug:
    """One bug of the table."""

    name: str
    what: str
    found_by: tuple[str, str] | None = None
    changes: list[Change] = dataclasses.field(default_factory=list)

    def files(self) -> dict[str, str]:
        """Each file of the code that differs, with the bug in it."""
        texts: dict[str, str] = {}
        for change in self.changes:
            text = texts.get(change.path) or (ROOT / change.path).read_text(encoding="utf-8")
            texts[change.path] = change.apply(text)
        return texts


def names() -> set[str]:
    """Those of all bugs, whether their lines are well formed or not."""
    heads = map(HEAD.fullmatch, TABLE.read_text(encoding="utf-8").splitlines())
    return {head[1] for head in heads if head is not None}


def read_table(table: Path = TABLE) -> list[Bug]:
    bugs: list[Bug] = []
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        head, found = HEAD.fullmatch(line), FOUND.fullmatch(line)
        if head is not None:
            bugs.append(Bug(head[1], head[2]))
        elif not line or line.startswith("#"):
            continue
        elif bugs and found is not None:
            bugs[-1].found_by = (found[1], found[2])
        elif bugs and line.startswith("in "):
            bugs[-1].changes.append(Change(line[3:]))
        elif bugs and bugs[-1].changes and line[:2] in ("- ", "+ ", "  "):
            change = bugs[-1].changes[-1]
            if line[0] != "+":
                change.old.append(line[2:])
            if line[0] != "-":
                change.new.append(line[2:])
        else:
            raise Wrong(f"{table.name}:{number}: not a line of the table: {line!r}")
    known = [bug.name for bug in bugs]
    twice = {name for name in known if known.count(name) > 1}
    if twice:
        raise Wrong(f"{table.name}: twice: {', '.join(sorted(twice))}")
    return bugs


def faults(table: Path = TABLE) -> list[str]:
    """What does not fit: each text is to be there, exactly once."""
    wrong = []
    try:
        bugs = read_table(table)
    except Wrong as error:
        return [str(error)]
    for bug in bugs:
        try:
            if not bug.changes:
                raise Wrong("it changes nothing")
            for change in bug.changes:
                if not change.path.endswith(".c"):
                    raise Wrong(f"{change.path} is no .c file: who includes it is not built anew")
            bug.files()
        except (Wrong, OSError) as error:
            wrong.append(f"planted bug {bug.name}: {error}")
    return wrong
