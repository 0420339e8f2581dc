"""tests/simulation/hunt: what does not fit the code is named, before anything is built."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from harness import ROOT

HUNT = ROOT / "tests" / "simulation" / "hunt"


def load() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("hunt", str(HUNT))
    spec = importlib.util.spec_from_loader("hunt", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hunt"] = module
    loader.exec_module(module)
    return module


def wrong_with(tmp: Path, *lines: str) -> str:
    """What is said of a table of these lines."""
    hunt = load()
    hunt.TABLE = tmp / "table"
    hunt.TABLE.write_text("".join(f"{line}\n" for line in lines))
    try:
        return "\n".join(hunt.check(hunt.read_table()))
    except hunt.Wrong as error:
        return str(error)


def test_the_table_fits_the_code() -> None:
    done = subprocess.run([str(HUNT), "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "", done


def test_what_does_not_fit_is_named(tmp: Path) -> None:
    place = "in dispatcher/engine/step_aside.c"
    assert wrong_with(tmp, "GOOD: x", place, "-     aside->assigned++;") == ""
    assert "BAD: dispatcher/engine/step_aside.c has these lines 0 times" in \
        wrong_with(tmp, "BAD: x", place, "-     aside->assigned--;")
    assert "times, not once:\n}\n\n" in wrong_with(tmp, "BAD: x", place, "- }", "- ")
    assert "BAD: it changes nothing" in wrong_with(tmp, "BAD: x")
    assert "no_such.c" in wrong_with(tmp, "BAD: x", "in dispatcher/no_such.c", "- x")
    assert "table:2: not a line of the table: 'what?'" in wrong_with(tmp, "BAD: x", "what?")
    assert "twice: GOOD" in wrong_with(tmp, "GOOD: x", place, "- }", "GOOD: y")


def test_lines_around_are_kept(tmp: Path) -> None:
    hunt = load()
    change = hunt.Change("x.c", ["a", "b", "c"], ["a", "B", "c"])
    assert change.apply("b\na\nb\nc\n") == "b\na\nB\nc\n"
