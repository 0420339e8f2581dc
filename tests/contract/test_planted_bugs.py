"""The table of planted bugs fits the code, and what does not is named before anything is built."""

from __future__ import annotations

from pathlib import Path

import planted_bugs


def wrong_with(tmp: Path, *lines: str) -> str:
    """What is said of a table of these lines."""
    table = tmp / "table"
    table.write_text("".join(f"{line}\n" for line in lines))
    return "\n".join(planted_bugs.faults(table))


def test_the_table_fits_the_code() -> None:
    assert planted_bugs.faults() == []


def test_what_does_not_fit_is_named(tmp: Path) -> None:
    place = "in dispatcher/engine/step_aside.c"
    assert wrong_with(tmp, "GOOD: x", place, "-     aside->assigned++;") == ""
    assert "BAD: dispatcher/engine/step_aside.c has these lines 0 times" in \
        wrong_with(tmp, "BAD: x", place, "-     aside->assigned--;")
    assert "times, not once:\n}\n\n" in wrong_with(tmp, "BAD: x", place, "- }", "- ")
    assert "BAD: it changes nothing" in wrong_with(tmp, "BAD: x")
    assert "no_such.c" in wrong_with(tmp, "BAD: x", "in dispatcher/no_such.c", "- x")
    assert "step_aside.h is no .c file" in \
        wrong_with(tmp, "BAD: x", "in dispatcher/engine/step_aside.h", "- #ifndef X")
    assert "table:2: not a line of the table: 'what?'" in wrong_with(tmp, "BAD: x", "what?")
    assert "twice: GOOD" in wrong_with(tmp, "GOOD: x", place, "- }", "GOOD: y")


def test_lines_around_are_kept(tmp: Path) -> None:
    change = planted_bugs.Change("x.c", ["a", "b", "c"], ["a", "B", "c"])
    assert change.apply("b\na\nb\nc\n") == "b\na\nB\nc\n"
