"""The glossary: each word is linked where a page first uses it. For lint and a contract test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
WRITTEN = ROOT / "docs" / "reference.md"  # from the schemas
# These also have an everyday meaning, which no pattern tells apart: a link is the writer's to put.
EVERYDAY = {"job", "group", "fire", "command", "result", "event", "mark", "trigger", "grace",
            "seed", "story", "failing", "suspect", "sequence", "owner", "rewrite", "selector",
            "revision", "snapshot", "run", "try", "lease", "claim"}
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


def misplaced(page: Path, text: str, word: str) -> str | None:
    """What is wrong with the page's link to the word; None: nothing."""
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


def faults_of(page: Path, text: str) -> Iterator[str]:
    for word in words():
        if (found := misplaced(page, text, word)) is not None:
            yield found
    for target in re.findall(r"\]\([^)#]*glossary\.md#([^)]*)\)", text):
        if target not in map(anchor, words()):
            yield f"{page.name}: the glossary has no #{target}"


def faults() -> list[str]:
    found = [fault for page in pages() for fault in faults_of(page, page.read_text())]
    everything = "\n".join(page.read_text() for page in pages())
    for word in words():
        if words().count(word) > 1:
            found.append(f"glossary.md: {word} is there twice")
        if not pattern(word).search(everything):
            found.append(f"glossary.md: no page uses {word}")
    for target in re.findall(r"\]\(#([^)]*)\)", GLOSSARY.read_text()):
        if target not in map(anchor, words()):
            found.append(f"glossary.md: the glossary has no #{target}")
    return found
