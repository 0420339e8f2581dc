"""What operators are told: the rows of dispatcher/engine/observed.h, the calls that tell them, and
the table of docs/operation.md say the same."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from harness import ROOT

AS_SAID = "as it is"
LEVELS = {"DEBUG": "debug", "INFO": "info", "WARN": "warn", "ERROR": "error", "AS_SAID": AS_SAID}
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
TELLERS = ("observe", "observe_at")


class Row(NamedTuple):
    name: str
    level: str
    keys: list[str]


def rows() -> tuple[dict[str, Row], dict[str, str]]:
    """The events by their kind; the form of each key."""
    table = (ROOT / "dispatcher/engine/observed.h").read_text().replace("\\\n", " ")
    forms = {member: form for form, key, member in
             re.findall(r"\b(NUMBER|ANSWER|WORD|TEXT)\((\w+), (\w+)\)", table)
             if key == member.upper()}
    events = {}
    for kind, name, level, keys in re.findall(r'\bEVENT\((\w+), "([^"]+)", (\w+), ([\w, ]+)\)',
                                              table):
        members = [key.lower() for key in re.findall(r"KEY_(\w+)", keys) if key != "NONE"]
        assert kind == name.replace(".", "_").upper(), name
        assert kind not in events and set(members) <= set(forms), name
        events[kind] = Row(name, LEVELS[level], members)
    assert len(events) > 60 and len(events) == table.count("EVENT(") - 1  # but for the macro
    return events, forms


def page_rows(page: str) -> Iterator[tuple[str, str]]:
    """(event, level); the last level of a row holds for all that follow."""
    table = page.split("| event | level | meaning |\n")[1].split("\n\n")[0]
    for line in table.splitlines()[1:]:
        events, levels, _ = (cell.strip() for cell in line.strip("|").split(" | ", 2))
        named = levels.split(", ")
        for number, event in enumerate(re.findall(r"`([^`]+)`", events)):
            yield event, named[min(number, len(named) - 1)]


def test_the_page_on_operation_has_every_event_with_its_level() -> None:
    events, _ = rows()
    page = (ROOT / "docs/operation.md").read_text()
    documented = list(page_rows(page))
    assert len(dict(documented)) == len(documented), "an event stands twice"
    assert dict(documented) == {row.name: row.level for row in events.values()}
    alarms = page.split("Worth an alarm:")[1].split("\n\n")[0]
    assert set(re.findall(r"`([^`]+)`", alarms)) <= set(dict(documented))


def calls(text: str, function: str) -> Iterator[str]:
    """What stands in the parentheses of each call of a function; text has no strings."""
    for found in re.finditer(rf"\b{function}\(", text):
        depth, end = 1, found.end()
        while depth > 0:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[found.end():end - 1]


def said(call: str) -> list[str]:
    return re.findall(r"(?<=[{,\s])\.(\w+)\s*=(?!=)", call)


def told() -> Iterator[tuple[str, list[str]]]:
    """(kind, keys that are set), for each call that tells an event, also by a helper with a
    parameter `kind`."""
    sources = {path: STRING.sub('""', path.read_text())
               for path in sorted((ROOT / "dispatcher").rglob("*.c"))
               if path.name not in ("observer.c", "log.c", "metrics.c")}
    helpers: dict[str, list[str]] = {}
    for text in sources.values():
        for function, body in re.findall(
                r"^\w[\w ]*[ *](\w+)\([^;{]*?enum observed_kind kind[^;{]*\)\n\{\n(.*?)^\}", text,
                re.MULTILINE | re.DOTALL):
            (call,) = [call for teller in TELLERS for call in calls(body, teller)]
            assert re.search(r"\bkind, ", call), function
            helpers[function] = said(call)
    assert len(helpers) == 3, sorted(helpers)
    for path, text in sources.items():
        for function in (*TELLERS, *helpers):
            for call in calls(text, function):
                kinds = re.findall(r"\bOBSERVED_(\w+)", call)
                assert kinds or re.search(r"\bkind, ", call) or "observed_kind" in call, \
                    (path.name, call)
                for kind in kinds:
                    yield kind, helpers.get(function, said(call))


def test_each_call_says_the_keys_of_its_row() -> None:
    """A number that is not set would be 0 in the line; a word or a text is then left out."""
    events, forms = rows()
    seen = {"LOG_DROPPED"}  # by the log itself
    used = {"count"}
    for kind, keys in told():
        row = events[kind]
        seen.add(kind)
        used |= set(keys)
        assert set(keys) <= set(row.keys) and len(set(keys)) == len(keys), (row, keys)
        left_out = {key for key in row.keys if forms[key] in ("NUMBER", "ANSWER")} - set(keys)
        assert not left_out, (row, left_out)
    assert seen == set(events), "an event is told by nobody"
    assert used == set(forms), "a key is said by nobody"
