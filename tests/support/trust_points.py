"""The files tests/trust/NN-short-name.txt: one fault that was found, and what finds it now.

    fault: one sentence: what went wrong
    world: what now finds it, in words
    planted: NAME_OF_A_PLANTED_BUG, ANOTHER     (or: none: why)
    check: unit test_lane
    check: stories catch-up
    check: contract test_store_redis
    check: python tests/integration/test_x.py test_name
    check: story some_regression
    check: mutant NAME_OF_A_PLANTED_BUG
    check: fuzz fuzz_command
    slow: yes

A line that begins with space goes on with the one before; one that begins with # is a comment.
`slow` is for points whose checks take more than a minute together.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Iterator

import planted_bugs

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "trust"
PAGE = ROOT / "docs" / "reliability.md"
TABLE_BEGIN = "<!-- written by make trust-table from tests/trust; do not edit -->"
TABLE_END = "<!-- end of the table -->"
NAME = re.compile(r"(\d\d)-[a-z0-9-]+\.txt")
ONCE = ("fault", "world", "planted")


@dataclasses.dataclass(frozen=True)
class Check:
    """One line `check: kind words`."""

    kind: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.kind, *self.words))


@dataclasses.dataclass
class Point:
    """One file."""

    path: Path
    fields: dict[str, str] = dataclasses.field(default_factory=dict)
    checks: list[Check] = dataclasses.field(default_factory=list)
    faults: list[str] = dataclasses.field(default_factory=list)

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @property
    def title(self) -> str:
        return self.path.stem[3:].replace("-", " ")

    @property
    def slow(self) -> bool:
        return self.fields.get("slow") == "yes"

    @property
    def planted(self) -> list[str]:
        """The names of the planted bugs; none where the text says why not."""
        text = self.fields.get("planted", "")
        return [] if text.startswith("none") else [name.strip() for name in text.split(",")]


def read_point(path: Path) -> Point:
    """Reads one file; what is wrong with it is in `faults`."""
    point = Point(path)
    if NAME.fullmatch(path.name) is None:
        point.faults.append("its name is not NN-short-name.txt")
    for key, value in _lines(point):
        if key == "check":
            words = value.split()
            point.checks.append(Check(words[0] if words else "", tuple(words[1:])))
        elif key not in (*ONCE, "slow"):
            point.faults.append(f"unknown key {key!r}")
        elif key in point.fields:
            point.faults.append(f"{key} comes twice")
        else:
            point.fields[key] = value
    _judge(point)
    return point


def read_all() -> list[Point]:
    """All files by number; what belongs together but has different checks shares one."""
    return [read_point(path) for path in sorted(FOLDER.glob("*.txt"))]


def _lines(point: Point) -> Iterator[tuple[str, str]]:
    """(key, value) with continued lines joined."""
    found: list[list[str]] = []
    for line in point.path.read_text(encoding="utf-8").splitlines():
        key, colon, value = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace() and found:
            found[-1][1] = f"{found[-1][1]} {line.strip()}".strip()
        elif colon:
            found.append([key.strip(), value.strip()])
        else:
            point.faults.append(f"no `key: value`: {line!r}")
    yield from ((key, value) for key, value in found)


def _judge(point: Point) -> None:
    say = point.faults.append
    for key in ONCE:
        if not point.fields.get(key):
            say(f"{key} is missing")
    if point.fields.get("slow", "yes") != "yes":
        say("slow is `yes` or left out")
    if re.fullmatch(r"none(: *)?", point.fields.get("planted", "")):
        say("planted: none: and why")
    for name in point.planted:
        if name not in planted_bugs.names():
            say(f"there is no planted bug {name} in tests/simulation/planted_bugs")
    if not point.checks:
        say("no check")
    for check in point.checks:
        wrong = judge_check(check)
        if wrong:
            say(f"check: {check}: {wrong}")


def judge_check(check: Check) -> str:
    """What is wrong with a check, or nothing."""
    homes = {"unit": "tests/unit/{}.c", "contract": "tests/contract/{}.c",
             "stories": "tests/stories/{}.story", "story": "tests/simulation/regressions/{}.sim",
             "fuzz": "tests/fuzz/{}.c"}
    if check.kind not in (*homes, "python", "mutant"):
        return "unknown kind"
    if len(check.words) != (2 if check.kind == "python" else 1):
        return "a file and the name of one test" if check.kind == "python" else "one name"
    if check.kind == "mutant":
        return "" if check.words[0] in planted_bugs.names() else "there is no such planted bug"
    if check.kind == "python":
        return _judge_python(*check.words)
    home = homes[check.kind].format(check.words[0])
    return "" if (ROOT / home).is_file() else f"there is no {home}"


def _judge_python(file: str, name: str) -> str:
    path = ROOT / file
    if not re.fullmatch(r"tests/\w+/test_\w+\.py", file) or not path.is_file():
        return "there is no such file tests/…/test_….py"
    if len(list(ROOT.glob(f"tests/*/{path.name}"))) > 1:
        return f"two files are called {path.name}: the runner tells tests by it"
    found = re.search(rf"^def {re.escape(name)}\(", path.read_text(), re.MULTILINE)
    return "" if found and name.startswith("test_") else f"{file} has no {name}"


# --- the table of the page ------------------------------------------------------------------------


def table() -> str:
    """The table fault | world | planted bug of docs/reliability.md."""
    rows = ["| | fault | what finds it now | planted bug |", "|---|---|---|---|"]
    for point in read_all():
        fault, world, planted = (point.fields.get(key, "") for key in ONCE)
        planted = ", ".join(f"`{name}`" for name in point.planted) or planted
        cells = (point.number, fault, world, planted)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def page_with_table() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    begin, end = text.index(TABLE_BEGIN) + len(TABLE_BEGIN), text.index(TABLE_END)
    return f"{text[:begin]}\n{table()}\n{text[end:]}"


def faults() -> list[str]:
    """All that is wrong with the files."""
    return [f"tests/trust/{point.path.name}: {fault}"
            for point in read_all() for fault in point.faults]
