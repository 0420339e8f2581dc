"""docs/top.svg shows what belfry top draws today: make top-picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from harness import ROOT

PICTURE = ROOT / "docs" / "top.svg"
BYTES_MAX = 10_000


def test_the_picture_is_of_today() -> None:
    """Each heading of a column, and the beginning of each line that is always there."""
    said = ["".join(row.itertext()) for row in ElementTree.parse(PICTURE).iter()
            if row.tag.endswith("}text")]
    source = (ROOT / "cli" / "operate" / "top_screen.c").read_text()
    tables = re.findall(r"struct table_column columns\[\] = \{(.*?)\};", source, re.DOTALL)
    headings = [re.findall(r'\{"([^"]+)"', table) for table in tables]
    assert len(headings) == 2
    for row in headings:
        assert any(line.split() == " ".join(row).split() for line in said), row
    for word in ("shards  ", "jobs    ", "rates   ", "taken   "):
        assert f'"{word}' in source and any(line.startswith(word) for line in said), word
    assert said[0].startswith("belfry top  belfry  20")
    assert len(said) <= 24 and all(len(line) <= 80 for line in said), said


def test_the_picture_is_small() -> None:
    assert PICTURE.stat().st_size < BYTES_MAX
    assert "http" not in PICTURE.read_text().replace("http://www.w3.org/2000/svg", "")
