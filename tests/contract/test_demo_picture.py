"""docs/demo.svg shows what tests/support/demo says today, and the fires of its jobs."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from harness import ROOT

PICTURE = ROOT / "docs" / "demo.svg"
BYTES_MAX = 20_000


def shown() -> list[str]:
    return ["".join(row.itertext()) for row in ElementTree.parse(PICTURE).iter()
            if row.tag.endswith("}text")]


def test_the_picture_has_every_word_of_the_demo() -> None:
    script = (ROOT / "tests" / "support" / "demo").read_text()
    headings = re.findall(r"^ *say '(.*)'$", script, re.MULTILINE)
    commands = re.findall(r"<<HELP\n(.*?)^HELP$", script, re.MULTILINE | re.DOTALL)[0]
    said = shown()
    assert len(headings) == 5 and len(commands.splitlines()) == 8
    for heading in headings:
        assert f"== {heading}" in said, heading
    for command in commands.splitlines():
        wanted = command.replace("\\$", "$").replace("$directory", "~/belfry/build/demo")
        assert wanted.replace("$programs", "~/belfry/build") in said, wanted


def test_the_picture_shows_fires_and_is_small() -> None:
    said = "\n".join(shown())
    for job in ("demo/heartbeat", "demo/once"):
        assert re.search(rf"^\d\d:\d\d:\d\d  {job}  due \S+  schedule$", said, re.MULTILINE), job
    assert PICTURE.stat().st_size < BYTES_MAX
    assert "http" not in PICTURE.read_text().replace("http://www.w3.org/2000/svg", "")
