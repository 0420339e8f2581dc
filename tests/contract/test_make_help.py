"""`make help` has a line for every target that is no file, and none for one that is not there."""

from __future__ import annotations

import re
import subprocess

from harness import ROOT

MAKEFILES = (ROOT / "Makefile", *sorted((ROOT / "tests" / "support").glob("*.mk")))


def targets() -> set[str]:
    """What the makefiles declare to be no file."""
    return {name for page in MAKEFILES
            for names in re.findall(r"^\.PHONY: (.*)", page.read_text(), re.MULTILINE)
            for name in names.split()}


def test_each_target_has_a_line() -> None:
    said = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout
    lines = dict(re.findall(r"^make (\S+) +(\S.*)$", said, re.MULTILINE))
    assert len(targets()) > 30
    assert set(lines) == targets() | {"test-%"}
