"""The words of the pages are linked to the glossary, and the README's numbers are measured ones."""

from __future__ import annotations

import re

import glossary
from harness import ROOT

README = ROOT / "README.md"
STORE = ROOT / "docs" / "store.md"


def test_words_are_linked_where_a_page_first_uses_them() -> None:
    assert len(glossary.words()) > 40
    assert glossary.faults() == []


def test_a_word_without_its_link_is_named() -> None:
    text = STORE.read_text()
    link = "[shard](glossary.md#shard)"
    assert text.count(link) == 1
    for changed, said in ((text.replace(link, "shard"), "'shard' comes before a link"),
                          (text + f"\n{link}\n", "shard is linked 2 times"),
                          (text + "\n[x](glossary.md#no-such-word)\n", "no #no-such-word")):
        found = list(glossary.faults_of(STORE, changed))
        assert len(found) == 1 and said in found[0], found


def test_the_numbers_of_the_readme_are_those_of_the_page_on_performance() -> None:
    head = "| | measured | shown by |\n|---|---|---|\n"
    table = README.read_text().split(head)[1].split("\n\n")[0]
    measured = (ROOT / "docs" / "performance.md").read_text()
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    assert len(rows) >= 5
    for what, figures, command in rows:
        assert re.fullmatch(r"`make bench[a-z-]*`", command), command
        for figure in re.findall(r"\d[\d,.]*\d", figures):
            assert re.search(rf"(?<![\d,.]){re.escape(figure)}(?![\d,.]*\d)", measured), figure
