"""The words of the pages are linked to the glossary, the README's numbers are measured ones, and
the bounds and limits of docs/http.md are the program's."""

from __future__ import annotations

import re
from typing import Iterator

import glossary
from harness import ROOT

README = ROOT / "README.md"
STORE = ROOT / "docs" / "store.md"
HTTP = ROOT / "docs" / "http.md"


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


def table(head: str) -> Iterator[list[str]]:
    """The rows of the one table of docs/http.md that begins so."""
    _, text = HTTP.read_text().split(head + "\n")
    for row in text.split("\n\n")[0].splitlines()[1:]:
        yield row.strip("| ").split(" | ")


def test_each_call_of_a_loop_is_late_after_what_its_row_says() -> None:
    header = (ROOT / "dispatcher" / "daemon" / "loop_watch.h").read_text()
    calls = re.findall(r'row\(\w+, "([^"]+)", (\d+), (\d+)\)', header)
    rows = list(table("| at | documented bound | late after |"))
    assert len(rows) == len(calls) > 5
    for (word, bound_ms, redis_limits), (at, _, late) in zip(calls, rows):
        assert at.startswith(word), (at, word)
        numbers = re.fullmatch(r"(\d+) s(?: and (\d+) × `time_limit`(?: of `\[redis\]`)?)?", late)
        assert numbers, late
        assert int(numbers[1]) * 1000 == int(bound_ms), at
        assert int(numbers[2] or 0) == int(redis_limits), at


def test_the_limits_of_http_are_those_of_its_header() -> None:
    header = (ROOT / "dispatcher" / "http" / "http_server.h").read_text()
    rows = {what: limit for what, limit, _ in table("| what | limit | then |")}
    assert "HTTP_CONNECTIONS_MAX = 64," in header and rows["connections"] == "64"
    assert "HTTP_LIMIT_MS = 10000," in header
    assert rows["a request with its answer, and a pause before it"].startswith("10 s together,")
    assert "HTTP_HEADERS_BYTES = 16 * 1024," in header
    assert rows["request line and headers"].startswith("16 KiB together,")
    assert "HTTP_TARGET_BYTES = 2048\n" in header and rows["target"] == "2 KiB"
