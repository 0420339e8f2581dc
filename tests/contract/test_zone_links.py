"""The old names of time zones in docs/time.md: each has the clocks of the name beside it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from harness import ROOT

ZONEINFO = Path("/usr/share/zoneinfo")


def same_clocks(old: str, new: str) -> bool:
    """Since 1970, the years that count."""
    if (ZONEINFO / old).read_bytes() == (ZONEINFO / new).read_bytes():
        return True
    days = [datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(days=n) for n in range(25_000)]
    first, second = ZoneInfo(old), ZoneInfo(new)
    return all(day.astimezone(first).utcoffset() == day.astimezone(second).utcoffset()
               for day in days)


def test_old_names_have_the_clocks_of_the_new() -> None:
    page = (ROOT / "docs" / "time.md").read_text()
    table = page.split("### Names that have another name now")[1].split("\n##")[0]
    pairs = [pair for line in table.splitlines() if line.startswith("| `")
             for pair in re.findall(r"`([^`]+)` \| `([^`]+)`", line)]
    assert len(pairs) > 80 and len({old for old, _ in pairs}) == len(pairs)
    assert ("US/Pacific", "America/Los_Angeles") in pairs
    for old, new in pairs:
        assert (ZONEINFO / new).exists(), new
        if (ZONEINFO / old).exists():
            assert same_clocks(old, new), (old, new)
