"""The pages: words are linked to the glossary, and the README's numbers are measured ones."""

from __future__ import annotations

import re
from pathlib import Path

from harness import ROOT

README = ROOT / "README.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
WRITTEN = ROOT / "docs" / "reference.md"  # from the schemas
# These also have an everyday meaning, which no pattern tells apart: a link is the writer's to put.
EVERYDAY = {"job", "group", "fire", "command", "result", "event", "mark", "trigger", "grace", "seed",
            "story", "failing", "suspect", "sequence", "owner", "rewrite", "selector", "revision",
            "snapshot"}
# What is not running text: fenced blocks, tables written by a program, headings, code, links.
NOT_PROSE = re.compile(r"^```.*?^```|<!-- written by.*?<!-- end[^>]*>|^#[^\n]*|^(?: {4}|\t)[^\n]*"
                       r"|`[^`\n]*(?:\n[^`\n]+)?`|!?\[(?:[^\]\[]|\n)*\]\([^)]*\)",
                       re.MULTILINE | re.DOTALL)


def words() -> list[str]:
    return re.findall(r"^### (.*)$", GLOSSARY.read_text(), re.MULTILINE)


def anchor(word: str) -> str:
    return word.replace(" ", "-")


def pages() -> list[Path]:
    return [README, *(page for page in sorted((ROOT / "docs").glob("*.md"))
                      if page not in (GLOSSARY, WRITTEN))]


def address(page: Path, word: str) -> str:
    return f"{'docs/' if page == README else ''}glossary.md#{anchor(word)}"


def pattern(word: str) -> re.Pattern[str]:
    """The word and its plural, not inside a longer one of the glossary (`super group`)."""
    longer = [other[:-len(word)] for other in words() if other.endswith(f" {word}")]
    before = "".join(rf"(?<!{re.escape(prefix)})" for prefix in longer)
    spaced = word.replace(" ", "[ \\n]")
    return re.compile(rf"{before}\b{spaced}(?:e?s)?\b", re.IGNORECASE)


def prose(text: str) -> str:
    """The page with everything else blanked; what is left stands where it stood."""
    return NOT_PROSE.sub(lambda found: re.sub(r"[^\n]", "\0", found.group(0)), text)


def misplaced(page: Path, word: str) -> str | None:
    """What is wrong with the page's link to the word; None: nothing."""
    text = page.read_text()
    links = [found.start() for found in
             re.finditer(rf"\[[^\]]+\]\({re.escape(address(page, word))}\)", text)]
    if len(links) > 1:
        return f"{page.name}: {word} is linked {len(links)} times"
    if word in EVERYDAY:
        return None
    first = pattern(word).search(prose(text))
    if first is None or links and links[0] < first.start():
        return None
    line = text.count("\n", 0, first.start()) + 1
    return f"{page.name}:{line}: {first.group(0)!r} comes before a link to the glossary"


def test_each_word_is_in_the_glossary_once_and_in_the_pages() -> None:
    found = words()
    assert len(found) > 40 and len(set(found)) == len(found)
    everything = "\n".join(page.read_text() for page in pages())
    for word in found:
        assert pattern(word).search(everything), f"no page uses {word}"


def test_words_are_linked_where_a_page_first_uses_them() -> None:
    wrong = [found for page in pages() for word in words()
             if (found := misplaced(page, word)) is not None]
    assert not wrong, "\n".join(wrong)


def test_links_to_the_glossary_lead_to_a_word() -> None:
    known = {anchor(word) for word in words()}
    for page in (*pages(), ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\([^)#]*glossary\.md#([^)]*)\)", page.read_text()):
            assert target in known, f"{page.name}: {target}"
    for target in re.findall(r"\]\(#([^)]*)\)", GLOSSARY.read_text()):
        assert target in known, target


def test_the_numbers_of_the_readme_are_those_of_the_page_on_performance() -> None:
    table = README.read_text().split("| | measured | shown by |\n|---|---|---|\n")[1].split("\n\n")[0]
    measured = (ROOT / "docs" / "performance.md").read_text()
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    assert len(rows) >= 5
    for what, figures, command in rows:
        assert re.fullmatch(r"`make bench[a-z-]*`", command), command
        for figure in re.findall(r"\d[\d,.]*\d", figures):
            assert re.search(rf"(?<![\d,.]){re.escape(figure)}(?![\d,.]*\d)", measured), figure
