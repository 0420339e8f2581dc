#!/usr/bin/env python3
"""The table of docs/reliability.md against the files of tests/trust it is written from.

Run by tests/support/runner.py.
"""

from __future__ import annotations

from pathlib import Path

import trust_points


def test_the_files_are_well_formed() -> None:
    assert trust_points.faults() == []


def test_the_page_is_current() -> None:
    page = trust_points.PAGE.read_text(encoding="utf-8")
    assert page == trust_points.page_with_table(), "run make trust-table"


def test_a_bad_file_is_named(tmp: Path) -> None:
    """Each fault of the format is said; nothing of it is passed over."""
    path = tmp / "7-bad.txt"
    path.write_text("fault: a\nfault: b\nworlds: c\nnothing\nplanted: NO_SUCH_BUG\nslow: no\n"
                    "check: unit test_nothing\ncheck: python tests/unit/test_mark_json.c test_x\n"
                    "check: python tests/contract/test_trust.py test_not_there\n"
                    "check: magic wand\ncheck: mutant NO_SUCH_BUG\ncheck: story one two\n"
                    "check: stories no-such\n")
    said = "\n".join(trust_points.read_point(path).faults)
    for words in ("its name is not", "fault comes twice", "unknown key 'worlds'",
                  "no `key: value`: 'nothing'", "world is missing", "no planted bug NO_SUCH_BUG",
                  "slow is", "there is no tests/unit/test_nothing.c", "no such file tests/…",
                  "has no test_not_there", "magic wand: unknown kind",
                  "mutant NO_SUCH_BUG: there is no", "story one two: one name",
                  "there is no tests/stories/no-such.story"):
        assert words in said, f"{words!r} is not in:\n{said}"
    path = tmp / "08-good-one.txt"
    path.write_text("fault: a\n  and more\nworld: b\nplanted: none: it is a page\n"
                    "check: unit test_lane\ncheck: stories pauses\n")
    point = trust_points.read_point(path)
    assert not point.faults and point.fields["fault"] == "a and more" and not point.planted
    path.write_text("fault: a\nworld: b\nplanted: none\n")
    assert trust_points.read_point(path).faults == ["planted: none: and why", "no check"]
