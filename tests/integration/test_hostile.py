"""100,000 malformed or hostile records on the control topic.

Each gets a result, and a dead letter when it is refused; the daemon neither crashes nor grows,
and good commands between the bad ones are applied within a second.
"""

from __future__ import annotations

import json
import os
import random
import time
from typing import Any, Callable, Iterator

import confluent_kafka

from harness import ROOT, WATCHED, DeadlineExceeded, TopicReader, wait_for
from runner import limit
from scenario import Scenario, every
from topics import client_options

SHARDS = 4
RECORDS = int(os.environ.get("HOSTILE_RECORDS", 100_000))
WARM = RECORDS // 5
GOOD_EVERY = 1000          # records between two good commands
GOOD_LIMIT_MS = 1000
GROWTH_MAX_KIB = 24 * 1024  # allowed between 20,000 and 100,000 records

Hostile = tuple[bytes | None, bytes | None, list[tuple[str, bytes]] | None]


def corpus() -> list[bytes]:
    """Every example of the contract, good and bad: the seeds of the mutations."""
    files = sorted((ROOT / "schemas" / "examples").rglob("*.json"))
    assert len(files) >= 80, "the corpus of the contract is not there"
    return [file.read_bytes() for file in files]


# ---- what a hostile client could think of ----------------------------------------------------


def _random_bytes(chance: random.Random, _seed: bytes) -> bytes:
    return chance.randbytes(chance.choice([0, 1, 7, 64, 900]))


def _flip(chance: random.Random, seed: bytes) -> bytes:
    found = bytearray(seed or b"{}")
    for _ in range(chance.randrange(1, 6)):
        found[chance.randrange(len(found))] = chance.randrange(256)
    return bytes(found)


def _cut(chance: random.Random, seed: bytes) -> bytes:
    return seed[:chance.randrange(len(seed) + 1)]


def _splice(chance: random.Random, seed: bytes) -> bytes:
    at = chance.randrange(len(seed) + 1)
    return seed[:at] + seed[chance.randrange(len(seed) + 1):]


def _deep(chance: random.Random, _seed: bytes) -> bytes:
    depth = chance.choice([31, 32, 33, 500, 5000])
    opening, closing = chance.choice([(b"[", b"]"), (b'{"a":', b"}")])
    inside = opening * depth + b"1" + closing * (depth if chance.random() < 0.5 else 0)
    return b'{"op":"put","job":{"group":"g","id":"j","payload":' + inside


def _nul(chance: random.Random, seed: bytes) -> bytes:
    at = chance.randrange(len(seed) + 1)
    return seed[:at] + chance.choice([b"\0", b"\\u0000"]) + seed[at:]


def _bad_utf8(chance: random.Random, seed: bytes) -> bytes:
    bad = [b"\xc3", b"\xe2\x82", b"\xf0\x9f\x92", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"\x80"]
    return seed.replace(b'"', b'"' + chance.choice(bad), 1)


def _duplicate_key(_chance: random.Random, _seed: bytes) -> bytes:
    return b'{"op":"ping","op":"delete","select":{"all":true}}'


def _wrong_types(chance: random.Random, _seed: bytes) -> bytes:
    odd = [None, True, -1, 1.5, 1e308, "x", [], {}, [[]], {"a": {}}, 2**63, "\u202e"]
    fields = ["op", "command_id", "jobs", "job", "select", "set", "mode", "expect", "until",
              "from", "v", "reason", "not_after", "dry_run", "reply_to"]
    command: dict[str, Any] = {"op": chance.choice(["add", "put", "update", "pause", "ping"])}
    for field in chance.sample(fields, 4):
        command[field] = chance.choice(odd)
    return json.dumps(command).encode()


def _many_members(chance: random.Random, _seed: bytes) -> bytes:
    count = chance.choice([1000, 1001, 3000])
    return json.dumps({f"k{number}": number for number in range(count)}).encode()


def _long_text(chance: random.Random, _seed: bytes) -> bytes:
    text = chance.choice(["9", "a", "\\", "\u00e9"]) * chance.choice([200, 2000, 20_000])
    return json.dumps({"op": "pause", "select": {"groups": [text]}, "reason": text}).encode()


def _hard_cron(chance: random.Random, _seed: bytes) -> bytes:
    cron = chance.choice(["0 0 30 2 *", "*/0 * * * *", "1-0 * * * *", ",".join(["1"] * 120),
                          "* * * * * * * *", "99999999999999999999 * * * *", "@every 1ns", "-"])
    return json.dumps({"op": "add", "job": {"group": "g", "id": "j",
                                            "schedule": {"cron": cron}}}).encode()


MUTATIONS: list[Callable[[random.Random, bytes], bytes]] = [
    _random_bytes, _flip, _flip, _flip, _cut, _splice, _deep, _nul, _bad_utf8, _duplicate_key,
    _wrong_types, _wrong_types, _many_members, _long_text, _hard_cron]


def hostile_headers(chance: random.Random) -> list[tuple[str, bytes]] | None:
    """Mostly none; else reserved, malformed, huge or very many headers."""
    kind = chance.random()
    if kind < 0.8:
        return None
    if kind < 0.85:
        return [(f"h{number}", b"x") for number in range(chance.choice([63, 64, 65, 400]))]
    if kind < 0.90:
        return [("belfry-origin", chance.choice([b"0/0", b"3/9", b"\xff", b"-1/-1", b""]))]
    if kind < 0.95:
        return [("content-type", chance.choice([b"application/cloudevents+json", b"\0\xff", b""]))]
    return [("ce_specversion", chance.choice([b"1.0", b"0.3", b""])),
            ("ce_id", chance.randbytes(chance.choice([0, 3, 200]))), ("ce_type", b"x")]


def hostile_records(seed: int, count: int) -> Iterator[Hostile]:
    """Every example as it is, then mutations; a few of the very large ones."""
    chance = random.Random(seed)
    seeds = corpus()
    for number in range(count):
        if number < len(seeds):
            value: bytes | None = seeds[number]
        elif number % 4999 == 0:
            size = chance.choice([900_000, 1_048_577, 1_500_000])
            value = b'{"op":"ping","reason":"' + b"x" * size
        elif number % 997 == 0:
            value = None
        else:
            value = chance.choice(MUTATIONS)(chance, chance.choice(seeds))
        key = chance.choice([None, b"g", b"\xff\0", b"k" * 300, b"billing"])
        yield key, value, hostile_headers(chance)


# ---- sending and counting --------------------------------------------------------------------


class Flood:
    """Sends hostile records and counts what the broker acknowledged, by place."""

    def __init__(self, bootstrap: str, topic: str):
        self.topic = topic
        self.places: dict[tuple[int, int], bytes] = {}  # the beginning of each value
        self.producer = confluent_kafka.Producer(client_options(
            bootstrap, linger_ms=5, message_max_bytes=1_900_000,
            partitioner="random"))

    def send(self, record: Hostile) -> None:
        key, value, headers = record
        while True:
            try:
                self.producer.produce(self.topic, value, key, headers=headers,
                                      on_delivery=self._delivered)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.producer.poll(0)

    def _delivered(self, error: Any, message: Any) -> None:
        assert error is None, error
        self.places[message.partition(), message.offset()] = (message.value() or b"")[:300]

    def flush(self) -> None:
        assert self.producer.flush(60) == 0


def good_command(scene: Scenario, number: int) -> float:
    """Applies one good command; returns how long that took, in milliseconds."""
    begin = time.monotonic()
    scene.call({"op": "put", "command_id": f"good-{number}",
                "jobs": [every("alpha", "good", "10s", payload=number)]})
    return (time.monotonic() - begin) * 1000


def answered_places(results: TopicReader) -> dict[tuple[int, int], int]:
    """How many results each record of the control topic has."""
    counts: dict[tuple[int, int], int] = {}
    for record in results.records:
        source = record.json["source"]
        place = (source["partition"], source["offset"])
        counts[place] = counts.get(place, 0) + 1
    return counts


@limit(700)
def test_hostile_records(kafka: Any, redis: Any, cluster: str) -> None:
    seed = int(os.environ.get("HOSTILE_SEED", 20261121))
    with Scenario(kafka, redis, cluster, shards=SHARDS) as scene:
        # The log line of each refusal is not what is measured here; nor is "ready" logged then.
        daemon = scene.daemon(start=False, args=["--log-level", "error"])
        daemon.start()
        good_command(scene, 0)
        flood = Flood(kafka.bootstrap, f"{cluster}.control")
        results = TopicReader(kafka.bootstrap, f"{cluster}.results")
        slow: list[float] = []
        warm_kib = 0
        begin = time.monotonic()
        for number, record in enumerate(hostile_records(seed, RECORDS)):
            flood.send(record)
            if number % GOOD_EVERY == GOOD_EVERY - 1:
                flood.flush()
                slow.append(good_command(scene, number))
                results.poll(0)
            if number == WARM:
                warm_kib = daemon.resident_kib()
        flood.flush()
        slow.append(good_command(scene, RECORDS))

        def all_answered() -> bool:
            assert daemon.running, daemon.tail()
            results.read_to_end()
            return not set(flood.places) - set(answered_places(results))

        try:
            wait_for(all_answered, 300, "each record has a result", every_s=0.5)
        except DeadlineExceeded:
            pass  # below it is said which have none
        counts = answered_places(results)
        grown_kib = daemon.resident_kib() - warm_kib
        took_s = time.monotonic() - begin
        outcomes: dict[str, int] = {}
        rejected = set()
        for record in results.records:
            result = record.json
            outcomes[result["outcome"]] = outcomes.get(result["outcome"], 0) + 1
            if result["outcome"] == "rejected":
                rejected.add(tuple(result["source"][part]
                                   for part in ("topic", "partition", "offset")))
        results.close()
        print(f"      {len(flood.places)} records in {took_s:.1f} s, outcomes {outcomes}, memory "
              f"{warm_kib} + {grown_kib} KiB, good commands at most {max(slow):.0f} ms",
              flush=True)
        unanswered = set(flood.places) - set(counts)
        examples = [(place, flood.places[place]) for place in sorted(unanswered)[:5]]
        assert not unanswered, f"{len(unanswered)} without a result: {examples}"
        assert outcomes.get("rejected", 0) > RECORDS // 2
        with TopicReader(kafka.bootstrap, f"{cluster}.dead") as dead:
            letters = [(record.header("dlq_topic"), int(record.header("dlq_partition") or -1),
                        int(record.header("dlq_offset") or -1), record.partition)
                       for record in dead.read_to_end(60)]
        assert len(letters) == len(set(letters)), "a shard wrote a dead letter twice"
        missing = rejected - {letter[:3] for letter in letters}
        assert not missing, f"{len(missing)} refused without a dead letter: {sorted(missing)[:5]}"
        if not WATCHED:
            assert grown_kib < GROWTH_MAX_KIB, f"grew by {grown_kib} KiB"
            usual = sorted(slow)[len(slow) * 95 // 100]  # the machine itself may stop for a moment
            assert usual < GOOD_LIMIT_MS, f"good commands took up to {usual:.0f} ms: {slow}"
        daemon.terminate()
