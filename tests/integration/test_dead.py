"""Dead letters of runs on a real Kafka: listed, shown, acknowledged, counted. They are written by
a foreign client, as a daemon writes them."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Iterator

from confluent_kafka import Producer

from cli_cluster import SHARDS, CliCluster
from harness import CommandClient, Kafka, Redis, read_all, shard_of

CLUSTER = "dead"
ENDED = "2026-11-21T21:03:20.000Z"


def letter(group: str, number: int, outcome: str = "failure", **more: Any) -> dict[str, Any]:
    run = f"1795290000123-3.10422.{number}@1795294674000"
    return {"run": run, "runnumber": str(4294967301 + number), "group": group, "id": f"job{number}",
            "outcome": outcome, "ended_at": ENDED, **more,
            "record": {"layout": 2, "state": "claimed", "group": group, "id": f"job{number}",
                       "try": 2, "counted": 2, "due": "2026-11-21T20:57:54.000Z",
                       "claim": {"worker": "host-1/4242"},
                       "tries": [{"runnumber": 4294967297, "try": 1, "outcome": "lost",
                                  "ended_at": "2026-11-21T21:00:54.012Z"},
                                 {"runnumber": 4294967298, "released": True,
                                  "ended_at": "2026-11-21T21:00:58.001Z"},
                                 {"runnumber": 4294967299, "try": 2, "outcome": "failure",
                                  "ended_at": "2026-11-21T21:01:54.012Z", "exit_code": 7,
                                  "error_code": "E7", "message": "no disk"}]}}


class Dead(CliCluster):
    def write(self, *letters: dict[str, Any]) -> None:
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "linger.ms": 20})
        for value in letters:
            producer.produce(f"{CLUSTER}.dead", json.dumps(value).encode(),
                             value["group"].encode(), shard_of(value["group"], SHARDS),
                             headers={"dlq_code": "run_failed"})
        assert producer.flush(30) == 0

    def names(self, *args: object) -> list[str]:
        return self("dead", "list", "-o", "name", *args).stdout.split()


def setup() -> Iterator[Dead]:
    with Kafka() as kafka, Redis() as redis, Dead(kafka, redis, CLUSTER) as cluster:
        yield cluster


def test_runs_are_listed_by_job_outcome_and_age(shared: Dead) -> None:
    fault = {"code": "E42", "message": "no\u202e table"}
    shared.write(letter("listed", 1, exit_code=2, error=fault),
                 letter("listed", 2, "lost"), letter("unlisted", 3))
    rows = shared("dead", "list", "--group", "listed").stdout.splitlines()
    assert [row.split()[:1] + row.split()[2:5] for row in rows[1:]] == [
        [rows[1].split()[0], "run", "listed/job1", "failure"],
        [rows[2].split()[0], "run", "listed/job2", "lost"]], rows
    assert "exit code 2: E42: no\\u202e table" in rows[1] and "worker host-1/4242" in rows[2], rows
    assert len(shared.names("--group", "listed", "--code", "lost")) == 1
    assert len(shared.names("--group", "listed", "--id", "job1", "--newer", "1h")) == 1
    assert shared.names("--group", "listed", "--older", "1h") == []
    assert len(shared.names("--group", "listed", "-n", 1)) == 1
    records = shared("dead", "list", "--kind", "run", "--group", "listed", "-o", "json").stdout
    assert [json.loads(json.loads(line)["value"])["id"] for line in records.splitlines()] == [
        "job1", "job2"]


def test_a_run_is_shown_with_its_tries_and_output(shared: Dead) -> None:
    shared.write(letter("shown", 1, exit_code=3, output="one\nt\x1bwo\n", result={"rows": 7},
                        error={"message": "broken"}))
    place = shared.names("--group", "shown")[0]
    shown = shared("dead", "show", place).stdout
    for words in ("run  ", "shown", "exit code         3\n", "broken", '{"rows":7}', "host-1/4242",
                  "4294967297", "lost", "released", "exit code 7, E7: no disk", "  | one\n",
                  "  | t\\x1bwo\n"):
        assert words in shown, (words, shown)
    shared("dead", "show", "0/99999999", expect=3)
    shared("dead", "show", expect=2)


def test_what_is_dealt_with_is_listed_no_more(shared: Dead) -> None:
    shared.write(*(letter("dealt", number) for number in range(5)))
    with CommandClient(shared.kafka.bootstrap, CLUSTER) as client:
        client.call("no JSON", outcome="rejected", key="dealt")
    places = shared.names("--group", "dealt")
    assert len(places) == 6
    planned = shared("dead", "ack", places[1], places[2], "--dry-run")
    assert sorted(planned.stdout.split()) == sorted(places[1:3])
    assert shared.names("--group", "dealt") == places, "a dry run marks nothing"
    done = shared("dead", "ack", places[1], places[2], "--actor", "me", "--reason", "seen")
    assert "2 dead letters are acknowledged" in done.stderr
    assert shared.names("--group", "dealt") == places[:1] + places[3:]
    assert shared.names("--group", "dealt", "--acknowledged") == places
    value = next(record.json for record in read_all(shared.kafka.bootstrap, f"{CLUSTER}.dead")
                 if b'"acknowledged"' in (record.value or b""))
    assert value["actor"] == "me" and value["reason"] == "seen", value
    shared("dead", "ack", "--group", "dealt", "--kind", "run")
    assert shared.names("--group", "dealt") == places[5:]
    letters = shared("dead", "show", places[0], places[-1]).stderr
    assert letters.splitlines() == [
        f"belfry: again: belfry dead requeue {places[-1]}; dealt with: belfry dead ack "
        f"{places[-1]}"], "of what is dealt with nothing more is advised"
    shared("dead", "ack", places[1], expect=3)
    shared("dead", "ack", expect=2)


def test_doctor_counts_what_is_left(shared: Dead) -> None:
    def finding() -> dict[str, str]:
        checks = json.loads(shared("doctor", "-o", "json", expect=None).stdout)
        checks = checks["checks"] if isinstance(checks, dict) else checks
        return next(check for check in checks if check["check"] == "dead letters")
    shared("dead", "ack", "--all")
    shared.write(letter("counted", 1), letter("counted", 2))
    with CommandClient(shared.kafka.bootstrap, CLUSTER) as client:
        client.call("no JSON", outcome="rejected", key="counted")
    assert "3 that nobody has dealt with, 2 of them runs" in str(finding()), finding()
    shared("dead", "ack", "--all")
    assert finding()["message"] == "none that nobody has dealt with", finding()
    shared.write(*(letter("counted", number) for number in range(10001)))
    assert "at least 10000 that nobody has dealt with" in str(finding()), finding()
    shared("dead", "ack", "--all")
    assert "among the newest 10000 records of each partition" in str(finding()), finding()


def test_a_hundred_thousand_are_listed(shared: Dead) -> None:
    text = "x" * 700
    for part in range(4):  # a producer holds no more than 100,000
        shared.write(*(letter("crowd", part * 25000 + at, output=text) for at in range(25000)))
    before, begun = os.times(), time.monotonic()
    rows = shared("dead", "list", "--group", "crowd").stdout.count("\n")
    took_s, after = time.monotonic() - begun, os.times()
    used_s = (after.children_user + after.children_system
              - before.children_user - before.children_system)
    print(f"100,000 dead runs listed: {took_s:.2f} s, {used_s:.2f} s of processor time")
    assert rows == 100001 and took_s < 30, (rows, took_s)
    shared("dead", "ack", "--group", "crowd")
    assert shared.names("--group", "crowd") == []


def test_a_run_is_planned_as_one_command(shared: Dead) -> None:
    shared.write(letter("planned", 1))
    place = shared.names("--group", "planned")[0]
    planned = json.loads(shared("dead", "requeue", place, "--dry-run", "--actor", "me").stdout)
    assert planned == {"op": "requeue", "command_id": f"requeue-{place.replace('/', '-')}",
                       "select": {"groups": ["planned"], "ids": ["job1"]},
                       "run": "1795290000123-3.10422.1@1795294674000", "actor": "me"}
    shared("dead", "requeue", place, "--overlap", "skip", expect=2)
