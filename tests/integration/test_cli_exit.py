"""Exit codes of the command line: what did not happen is said, and is never 0."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Iterator

from cli_cluster import SHARDS, CliCluster
from harness import BUILD, Kafka, Redis, belfry, end_offsets, produce, read_all, shard_of, wait_for

CLUSTER = "exit"
ENVIRONMENT = {"BELFRY_FIRES_TOPICS": "not.there", "BELFRY_MISFIRE_GRACE": "5m",
               "BELFRY_KEEP_FINISHED": "2h"}


class Cluster(CliCluster):
    """A running daemon and the command line on it."""

    def sent(self) -> dict[int, int]:
        return end_offsets(self.kafka.bootstrap, f"{CLUSTER}.control")


def setup() -> Iterator[Cluster]:
    """One daemon for the file, on servers of its own: the shared Redis is emptied by each test."""
    with Kafka() as kafka, Redis() as redis, Cluster(kafka, redis, CLUSTER, ENVIRONMENT) as cluster:
        yield cluster


def test_names_that_are_not_there_are_named(shared: Cluster) -> None:
    """One of two on one shard, and over two shards: partly done, and which one is missing."""
    first = next(f"here{n}" for n in range(99) if shard_of(f"here{n}", SHARDS) == 0)
    other = next(f"away{n}" for n in range(99) if shard_of(f"away{n}", SHARDS) == 1)
    shared("add", f"{first}/a", "--every", "1h", "--wait")
    for missing in (f"{first}/zzz", f"{other}/zzz"):
        for verb in ("pause", "resume", "trigger"):
            done = shared(verb, f"{first}/a", missing, missing, "--wait", expect=8)
            assert f"not found: {missing}\n" in done.stderr, done.stderr
        done = shared("pause", missing, "--wait", expect=3)
        assert f"not found: {missing}\n" in done.stderr, done.stderr
        done = shared("pause", f"{first}/a", missing, "--dry-run", expect=8)
        assert missing in done.stderr
    # What was paused already is no change, so no result lists it: either may be the missing one.
    shared("pause", f"{first}/a", "--wait")
    done = shared("pause", f"{first}/a", f"{first}/zzz", "--wait", expect=8)
    assert f"not found: 1 of these: {first}/a {first}/zzz\n" in done.stderr, done.stderr
    shared("delete", f"{first}/a", f"{first}/a", "--wait")


def test_what_is_wrong_in_itself_is_never_sent(shared: Cluster, tmp: Path) -> None:
    """Without --wait nobody would hear of it: zones, schedules, durations, instants, files."""
    bad = tmp / "bad.ndjson"
    bad.write_text('{"group":"r","id":"x","schedule":{"every":"1h"}}\n'
                   '{"group":"r","id":"y","schedule":{"cron":"61 * * * *"}}\n')
    command = tmp / "command.json"
    command.write_text('{"op":"pause","select":{"groups":["r"]},"until":"soon"}')
    before = shared.sent()
    for words, said in (
            (("add", "r/x", "--cron", "0 3 * * *", "--zone", "Europe/Berln"), "Europe/Berlin"),
            (("put", "r/x", "--every", "1hour"), "every"),
            (("add", "r/x", "--every", "1h", "--window", "1 day"), "window"),
            (("update", "r/x", "--cron", "61 * * * *"), "61 is above 59"),
            (("update", "r/x", "--cron", "0 3 * * *", "--zone", "Mars/Base"), "Mars/Base"),
            (("pause", "r/x", "--until", "+1h"), "until"),
            (("resume", "r/x", "--from", "yesterday"), "from"),
            (("backfill", "r/x", "--from", "yesterday"), "from"),
            (("pause", "r/x", "--not-after", "in 5 minutes"), "not_after"),
            (("add", "-f", bad), "r/y: minute"),
            (("put", "-f", bad), "r/y: minute"),
            (("pause", "-f", command), "until")):
        done = shared(*words, expect=1)
        assert said in done.stderr and done.stdout == "", (words, done)
    assert shared.sent() == before, "something was sent"
    done = shared("add", "-f", bad, "--mode", "each", expect=8)
    assert "r/y: minute" in done.stderr, done.stderr
    listed = ("list", "--group", "r", "-o", "name")
    wait_for(lambda: shared(*listed).stdout == "r/x\n", 60, "the good one is there")
    shared("delete", "r/x", "--wait")


def test_a_full_disk_is_no_success(shared: Cluster) -> None:
    """Every command whose stdout takes nothing says so and does not end with 0."""
    shared("add", "full/a", "--every", "1s", "--wait")
    fires = f"{CLUSTER}.fires"
    wait_for(lambda: read_all(shared.kafka.bootstrap, fires), 60, "a fire")
    produce(shared.kafka.bootstrap, f"{CLUSTER}.control", [("g", "garbage")])
    wait_for(lambda: read_all(shared.kafka.bootstrap, f"{CLUSTER}.dead"), 60, "a dead letter")
    whole = [
        ("--help",), ("--version",), ("help",), ("help", "list"), ("list", "--help"),
        ("add", "full/b", "--every", "1h"), ("put", "full/b", "--every", "1h", "--wait"),
        ("update", "full/b", "--every", "2h", "--wait", "-o", "json"),
        ("pause", "full/b"), ("resume", "full/b"), ("trigger", "full/b"), ("delete", "full/b"),
        ("list",), ("get", "full/a"), ("describe", "full/a"), ("export",), ("shards",), ("ping",),
        ("status",), ("top", "--once"), ("shards", "--watch", "-o", "json"),
        ("tail", "fires", "--from-beginning", "--no-follow"),
        ("tail", "fires", "--from-beginning"), ("dead", "list"), ("doctor",), ("verify",),
        ("next", "--every", "1h"), ("validate", "--every", "1h"), ("completion", "bash"),
        ("manual",), ("manual", "list")]
    for words in whole:
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [BUILD / "belfry", "--kafka", shared.kafka.bootstrap, "--redis", shared.redis.url,
                 "--cluster", CLUSTER, *words], stdout=full, stderr=subprocess.PIPE, text=True,
                timeout=60)
        assert done.returncode not in (0, -13) and "stdout" in done.stderr, (words, done)
    for program, words in (("belfryd", "--help"), ("belfryd", "--version"),
                           ("belfryd", "--check-config"), ("belfry-worker", "--help")):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BUILD / program, words], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60)
        assert done.returncode != 0 and "stdout" in done.stderr, (program, words, done)
    shared("delete", "full/a", "--wait")


def test_a_job_whose_topic_is_missing_is_described(shared: Cluster) -> None:
    shared("add", "lost/a", "--every", "1s", "--topic", "not.there", "--wait")
    wait_for(lambda: shared("get", "lost/a", "-o", "json").stdout.count("failing"), 60, "failing")
    done = shared("describe", "lost/a")
    assert "failing" in done.stdout and "fire_failed" in done.stdout, done.stdout
    assert "topic not.there" in done.stderr, done.stderr
    slot = json.loads(shared("get", "lost/a", "-o", "json").stdout)["failing"]["since"]
    why = json.loads(shared("describe", "lost/a", "--why", slot, "-o", "json").stdout)["why"]
    assert why["code"] in ("failing", "owed"), why
    shared("delete", "lost/a", "--wait")


def test_a_job_is_described_from_redis_while_kafka_is_away(shared: Cluster) -> None:
    shared("add", "alone/a", "--every", "1h", "--paused", "--wait")
    away = ("--kafka", "127.0.0.1:1", "--timeout", "2s")
    done = shared("describe", "alone/a", *away, expect=8)
    assert "paused" in done.stdout and "Kafka" in done.stderr, done
    soon = json.loads(shared("describe", "alone/a", "-o", "json").stdout)
    assert soon["job"]["paused_at"]
    why = shared("describe", "alone/a", "--why", "2099-01-01T00:00:00Z", "-o", "json", *away,
                 expect=8)
    assert json.loads(why.stdout)["why"]["code"] in ("paused", "not_due"), why.stdout
    shared("delete", "alone/a", "--wait")


def test_a_diff_shows_no_anchor_that_nobody_gave(shared: Cluster) -> None:
    shared("add", "anchor/a", "--every", "1h", "--wait")
    wanted = '{"group":"anchor","id":"a","schedule":{"every":"2h"}}'
    done = shared("diff", "-", stdin=wanted, expect=1)
    assert '-> {"every":"2h"}' in done.stdout and "1970" not in done.stdout, done.stdout
    done = shared("apply", "-f", "-", stdin=wanted)
    assert "1970" not in done.stdout + done.stderr, done
    assert shared("diff", "-", stdin=wanted).stdout == ""
    shared("delete", "anchor/a", "--wait")


def test_a_diff_goes_by_the_defaults_of_the_daemon(shared: Cluster) -> None:
    """What jobs get that do not say is the daemons' configuration: they publish it."""
    wanted = ('{"group":"default","id":"a","schedule":{"every":"1h"}}\n'
              '{"group":"default","id":"b","schedule":{"every":"1h"},"keep_finished":"24h",'
              '"catchup":{"misfire_grace":"30s"}}\n')
    shared("apply", "-f", "-", stdin=wanted)
    same = shared("diff", "-", stdin=wanted)
    assert same.stdout == "" and "2 equal" in same.stderr, same
    job = json.loads(shared("get", "default/a", "-o", "json").stdout)
    assert job["keep_finished"] == "2h" and job["catchup"]["misfire_grace"] == "5m", job
    meta = f"{CLUSTER}:meta"
    assert shared.redis.client().hget(meta, "misfire_grace_ms") == "300000"
    shared.redis.client().hdel(meta, "misfire_grace_ms", "keep_finished_ms")
    done = shared("diff", "-", stdin=wanted, expect=1)
    assert "no belfryd has published" in done.stderr, done.stderr
    shared.daemon.terminate()
    shared.daemon.start().wait_live()  # it publishes them when it finds Redis
    assert shared("diff", "-", stdin=wanted).stdout == ""
    shared("delete", "--group", "default", "--wait")
