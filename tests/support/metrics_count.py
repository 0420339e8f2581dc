"""What a daemon's metrics should say: counted from the topics, by a consumer that is not Belfry's.

A life is what one process commits: it begins behind all that was committed before, once nobody else
can commit any more (the test takes the shards' transactional ids, as the next owner will).
"""

from __future__ import annotations

import json
from collections import Counter

import confluent_kafka
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families

import prometheus
from http_client import Asker
from topics import Record, TopicReader, client_options, end_offsets, read_all

Key = tuple[str, ...]  # the name of a sample, and the values of its labels in their order
Numbers = Counter[Key]

TOPICS = ("fires", "events", "results", "dead", "forward", "state")
COUNTED = ("belfry_fires_total", "belfry_fires_late_total", "belfry_fires_failed_total",
           "belfry_slots_missed_total", "belfry_slots_skipped_total", "belfry_events_total",
           "belfry_fire_lateness_seconds_count", "belfry_commands_total",
           "belfry_commands_forwarded_total", "belfry_dead_letters_total")
COMMITTED = ("belfry_transactions_total", "committed")


def scrape(asker: Asker) -> tuple[Numbers, dict[Key, str]]:
    """The page by two parsers that are not ours: its numbers, and the fires of its exemplars."""
    text = asker.ask("/metrics", accept="text/plain;version=0.0.4")
    assert text.status == 200, text
    said = prometheus.check_metrics(text.body.encode())
    assert said == "", f"promtool: {said}"
    page = asker.ask("/metrics", accept="application/openmetrics-text;version=1.0.0")
    assert page.headers["content-type"].startswith("application/openmetrics-text"), page.headers
    numbers: Numbers = Counter()
    exemplars = {}
    for family in open_families(page.body):
        for sample in family.samples:
            key = (sample.name, *sample.labels.values())
            numbers[key] = sample.value
            if sample.exemplar:
                exemplars[key] = sample.exemplar.labels["fire_id"]
    return numbers, exemplars


def fence(bootstrap: str, cluster: str, shards: int) -> None:
    """From here on no producer of a daemon before commits anything."""
    for shard in range(shards):
        options = client_options(bootstrap, transactional_id=f"{cluster}-{shard}")
        confluent_kafka.Producer(options).init_transactions(30)


class Life:
    """What is committed from now on."""

    def __init__(self, bootstrap: str, cluster: str):
        self.bootstrap = bootstrap
        self.topics = {name: f"{cluster}.{name}" for name in TOPICS}
        self.since = {name: end_offsets(bootstrap, topic) for name, topic in self.topics.items()}

    def _records(self, name: str) -> list[Record]:
        with TopicReader(self.bootstrap, self.topics[name]) as reader:
            return [record for record in reader.read_to_end()
                    if record.offset >= self.since[name][record.partition]]

    def fire_ids(self) -> set[str]:
        return {record.json["id"] for record in self._records("fires")}

    def count(self, late_ms: int) -> Numbers:
        """As the metrics should have it, by now."""
        numbers: Numbers = Counter()
        for record in self._records("fires"):
            fire = record.json
            numbers["belfry_fires_total", fire["firekind"]] += 1
            numbers["belfry_fire_lateness_seconds_count",] += 1
            numbers["belfry_fires_late_total",] += fire["latenessms"] > late_ms
        for record in self._records("events"):
            event = record.json
            numbers["belfry_events_total", event["event"]] += 1
            if event["event"] in ("missed", "skipped"):
                numbers[f"belfry_slots_{event['event']}_total", event["reason"]] += \
                    event.get("count", 0)
            if event["event"] == "fire_failed":
                numbers["belfry_fires_failed_total", event["reason"]] += 1
        for record in self._records("results"):
            result = record.json
            numbers["belfry_commands_total", result.get("op", "unreadable"),
                    result["outcome"]] += 1
        numbers["belfry_dead_letters_total",] += len(self._records("dead"))
        numbers["belfry_commands_forwarded_total",] += len(self._records("forward"))
        numbers[COMMITTED] += sum(record.key == b"mark" for record in self._records("state"))
        return numbers


def jobs_by_state(bootstrap: str, cluster: str) -> dict[str, int]:
    """As the last record of each job in the state log says."""
    last: dict[bytes | str | None, str] = {}
    for record in read_all(bootstrap, f"{cluster}.state"):
        if not record.value:
            last.pop(record.key, None)
        elif "schedule" in record.json:
            last[record.key] = record.json["state"]
    return {state: list(last.values()).count(state)
            for state in ("active", "paused", "finished", "failing")}


def differences(counted: Numbers, said: Numbers) -> str:
    """Where the metrics do not say what was counted; "": nowhere."""
    keys = {key for key in said if key[0] in COUNTED} | set(counted)
    return json.dumps({" ".join(key): [counted[key], said[key]] for key in sorted(keys)
                       if counted[key] != said[key]})  if any(
                           counted[key] != said[key] for key in keys) else ""
