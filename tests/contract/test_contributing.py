"""The lists of CONTRIBUTING.md are true, and one that is not is named."""

from __future__ import annotations

import re

import page_lists

PAGE = page_lists.PAGE.read_text()


def test_the_lists_are_true() -> None:
    assert page_lists.faults() == []
    titles = [places.title for places in page_lists.lists(PAGE)]
    assert titles == ["… a command", "… a kind of schedule", "… a field of a job", "… an event",
                      "… a line of the log", "… a metric", "… a setting",
                      "… a figure of a shard for `belfry status` and `belfry top`",
                      "… a check of `belfry doctor`", "… a planted bug"]


def said(old: str, new: str) -> str:
    assert PAGE.count(old) == 1, old
    return "\n".join(page_lists.faults(PAGE.replace(old, new)))


def test_a_wrong_list_is_named() -> None:
    row = re.search(r"^\| `lib/model/output.h` .*`\"catchup_behind\"` \|\n", PAGE, re.MULTILINE)
    assert row is not None
    assert "lib/model/output.h has catchup_behind|CATCHUP_BEHIND, and is not listed" in \
        said(row.group(0), "")
    assert "… a planted bug: tests/simulation/planted_bugs does not have NO_SUCH_BUG:" in \
        said("`MISSED_NOT_SAID:`", "`NO_SUCH_BUG:`")
    assert "… a kind of schedule: dispatcher/shard/no_such.c is not there" in \
        said("`dispatcher/jobs/ledger_waiting.c`", "`dispatcher/shard/no_such.c`")
    assert "not a place" in said("| `dispatcher/engine/engine_settings.h` |",
                                 "| engine_settings.h |")
    assert "9 lists, at least 10" in said("<!-- places of MISSED_NOT_SAID", "<!-- MISSED_NOT_SAID")
