"""The page of metrics for those who are not us: two parsers take both forms of it, in the states
that test_metrics writes, and docs/metrics.md has every metric with its type."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as text_families

import prometheus
from harness import BUILD, ROOT

STATES = ("before-kafka", "all-states")


def pages(folder: Path) -> None:
    subprocess.run([BUILD / "tests/unit/test_metrics", "--pages", folder], check=True, timeout=60)


def families(text: str) -> dict[str, str]:
    """Names as they stand in 0.0.4, with their types."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def test_two_parsers_take_the_page() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages(folder)
        for state in STATES:
            text = (folder / f"{state}.text").read_bytes()
            said = prometheus.check_metrics(text)
            assert said == "", f"promtool about {state}: {said}"
            old = {family.name: family for family in text_families(text.decode())}
            new = {family.name: family for family in
                   open_families((folder / f"{state}.openmetrics").read_text())}
            assert len(new) > 40 and set(new) == {
                re.sub(r"_info$", "", name) if family.type == "gauge" else name
                for name, family in old.items()}
            assert {sample.exemplar.labels["fire_id"] for family in new.values()
                    for sample in family.samples if sample.exemplar} == (
                        {"1-0.1.0@5", "1-0.1.0@6"} if state == "all-states" else set())


def test_nothing_is_labelled_by_a_job() -> None:
    with tempfile.TemporaryDirectory() as name:
        pages(Path(name))
        text = (Path(name) / "all-states.openmetrics").read_text()
        samples = re.sub(r" # \{.*", "", text)  # without exemplars
        labels = set(re.findall(r'[{,](\w+)="', samples))
        assert labels == {"kind", "reason", "le", "group", "operation", "outcome", "event", "state",
                          "shard", "input", "version", "librdkafka"}
        groups = set(re.findall(r'_count\{group="([^"]+)"', samples))
        assert len(groups) == 201 and "other" in groups


def page_rows() -> Iterator[tuple[str, str]]:
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        row = re.match(r"\| `(\w+)` \| (\w+) \| \S.* \|", line)
        if row:
            yield row.group(1), row.group(2)


def test_each_metric_is_on_the_page_about_them() -> None:
    with tempfile.TemporaryDirectory() as name:
        pages(Path(name))
        served = families((Path(name) / "all-states.text").read_text())
    documented = list(page_rows())
    assert len(documented) == len(dict(documented)) > 40, "a metric stands twice"
    assert {name: "gauge" if kind == "info" else kind for name, kind in documented} == served
