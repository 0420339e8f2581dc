#!/usr/bin/env python3
"""Formats C by .clang-format: make format; with --check it only names what would change.

What people set by hand stays: macros and initialisers of several lines (tables of rows), and how
far trailing comments are indented. The folders of FOLDERS are formatted so far, and make lint
checks them where clang-format is the one of Debian 12; other versions set some lines otherwise.
"""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator

from comment_words import PIECES  # comments and strings of C

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("consumer", "lib", "schemas", "store")
VERSION = "14."
TRAILING = re.compile(r"(?<=\S) +(?=/\*)")


def program() -> str | None:
    """The clang-format whose word counts; None: it is not here."""
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path is None:
            continue
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        if f" {VERSION}" in said.stdout:
            return path
    return None


def by_hand(text: str) -> set[int]:
    """The lines (from 0) of macros and initialisers that take more than one."""
    found: set[int] = set()
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.endswith("\\"):
            found |= {number, number + 1}
    plain = PIECES.sub(lambda piece: re.sub(r"[^\n]", " ", piece.group(0)), text)
    open_braces: list[int] = []  # where it began, of each that is open; -1: no initialiser
    for place, symbol in enumerate(plain):
        if symbol == "{":
            before = plain[:place][-2:]
            inside = bool(open_braces) and open_braces[-1] >= 0
            begins = inside or before == "= " or before.endswith(")")
            open_braces.append(plain.count("\n", 0, place) if begins else -1)
        elif symbol == "}" and open_braces:
            begin, end = open_braces.pop(), plain.count("\n", 0, place)
            if 0 <= begin < end:
                found |= set(range(begin, end + 1))
    return found


def ranges(text: str) -> Iterator[str]:
    """What is to be formatted, as --lines has it."""
    hand = by_hand(text)
    first = 0
    for number in [*sorted(hand), text.count("\n")]:
        if first < number:
            yield f"--lines={first + 1}:{number}"
        first = number + 1


def formatted(clang_format: str, path: Path) -> str:
    text = path.read_text()
    ours = text.splitlines()
    done = subprocess.run([clang_format, *ranges(text), path], cwd=ROOT, capture_output=True,
                          text=True, check=True)
    theirs = done.stdout.splitlines()
    match = difflib.SequenceMatcher(None, [TRAILING.sub(" ", line) for line in ours],
                                    [TRAILING.sub(" ", line) for line in theirs], autojunk=False)
    result: list[str] = []
    for kind, begin, end, their_begin, their_end in match.get_opcodes():
        result += ours[begin:end] if kind == "equal" else theirs[their_begin:their_end]
    return "\n".join(result) + "\n"


def changed(clang_format: str) -> Iterator[tuple[Path, str]]:
    """The files that are not as .clang-format says, with the text that would be."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            text = formatted(clang_format, path)
            if text != path.read_text():
                yield path, text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if it would")
    options = parser.parse_args()
    clang_format = program()
    if clang_format is None:
        print(f"format: no clang-format {VERSION}x here")
        return 0 if options.check else 1
    found = 0
    for path, text in changed(clang_format):
        found += 1
        print(f"{path.relative_to(ROOT)}: not as .clang-format says; make format mends it")
        if not options.check:
            path.write_text(text)
    return 1 if options.check and found else 0


if __name__ == "__main__":
    sys.exit(main())
