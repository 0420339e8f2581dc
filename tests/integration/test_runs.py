"""Runs of jobs with a lease, from the add to the end: real daemons, real workers."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from harness import ROOT, Kafka, Process, Redis, belfry, wait_for
from oracle_fold import instant_ms
from scenario import Scenario, every, group_on
from topics import create_topic, produce, read_all
from worker import Work, Worker

GROUP = "hands"
FIRST = 1 << 32  # the runnumber before the first one of a shard's first generation

# Takes a fire, and never says a word again.
MUTE = """
import sys, threading
sys.path.insert(0, sys.argv[3])
from worker import Worker
def handler(work):
    print("began", work.fire["runnumber"], flush=True)
    threading.Event().wait()
with Worker(sys.argv[1], sys.argv[2], "hands", handler, name="mute"):
    threading.Event().wait()
"""


def leased(group: str, name: str = "job", **more: Any) -> dict[str, Any]:
    return {"group": group, "id": name, "schedule": {"cron": "0 0 1 1 *"}, "lease": "10s",
            "workers": GROUP, **more}


def trigger(scene: Scenario, group: str) -> None:
    scene.call({"op": "trigger", "select": {"groups": [group]}})


def states(scene: Scenario) -> dict[str, dict[str, Any]]:
    """The newest record of each place of a run."""
    return {f"{record.partition}/{record.key!r}": record.json
            for record in read_all(scene.kafka.bootstrap, f"{scene.cluster}.state")
            if record.key is not None and record.key.startswith(b"run/")}


def is_open(scene: Scenario, state: str | None = None) -> bool:
    return any("free" not in record and state in (None, record["state"])
               for record in states(scene).values())


def wait_ended(scene: Scenario, deadline_s: float = 30) -> None:
    wait_for(lambda: states(scene) and not is_open(scene), deadline_s, "all runs have ended",
             every_s=0.2)


def wait_tries(scene: Scenario, count: int, deadline_s: float = 30) -> list[dict[str, Any]]:
    records = scene.fires.read_until(count, deadline_s)
    return [record.json for record in records]


def tries(scene: Scenario) -> list[tuple[int, int]]:
    return [(int(fire["runnumber"]) - FIRST, int(fire["try"])) for fire in
            (record.json for record in scene.fires.read_to_end())]


def test_a_run_ends_with_its_report_and_is_tried_again(kafka: Kafka, redis: Redis,
                                                       cluster: str) -> None:
    """A failure, then a success; one try at a time, of one run."""
    started: list[int] = []

    def handler(work: Work) -> dict[str, Any] | str:
        started.append(int(work.fire["runnumber"]) - FIRST)
        return "success" if work.fire["try"] > 1 else {"report": "failure", "exit_code": 3}

    with Scenario(kafka, redis, cluster, shards=2) as scene:
        scene.daemon().wait_live()
        group = group_on(1, 2)
        scene.call({"op": "add", "job": leased(group, retry={"attempts": 3, "initial": "1s"})})
        with Worker(kafka.bootstrap, cluster, GROUP, handler):
            trigger(scene, group)
            wait_tries(scene, 1)
            wait_ended(scene)
        assert tries(scene) == [(1, 1), (2, 2)] and started == [1, 2], (tries(scene), started)
        fires = [record.json for record in scene.fires.records]
        assert fires[0]["id"] == fires[1]["id"] and fires[0]["firekind"] == "trigger", fires
        assert not read_all(kafka.bootstrap, f"{cluster}.dead")


def test_open_runs_outlive_a_daemon(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """The daemon is killed while work is under way, twice: Redis has the run, and so has the log
    where Redis is empty; what was reported meanwhile is read."""
    go_on: list[bool] = []

    def handler(work: Work) -> str:
        wait_for(lambda: go_on or work.stop.is_set(), 60, "the test goes on")
        return "failure" if work.stop.is_set() else "success"

    with Scenario(kafka, redis, cluster, shards=1) as scene:
        daemon = scene.daemon().wait_live()
        scene.call({"op": "add", "job": leased("g")})
        with Worker(kafka.bootstrap, cluster, GROUP, handler):
            trigger(scene, "g")
            wait_tries(scene, 1)
            wait_for(lambda: is_open(scene, "claimed"), 60, "the claim is recorded", every_s=0.2)
            daemon.kill9()
            daemon.start().wait_live()
            time.sleep(2)
            assert is_open(scene, "claimed")
            daemon.kill9()
            go_on.append(True)
            time.sleep(1)
            redis.client().flushall()
            daemon.start().wait_live()
            wait_ended(scene)
        assert tries(scene) == [(1, 1)]


def test_a_dead_worker_is_noticed(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Killed at work: silence for a lease, the offset is committed, a tick is read back; the next
    try is another worker's."""
    with Scenario(kafka, redis, cluster, shards=1) as scene:
        scene.daemon().wait_live()
        scene.call({"op": "add", "job": leased("g", retry={"attempts": 2, "initial": "1s"})})
        mute = Process("mute", [sys.executable, "-c", MUTE, kafka.bootstrap, cluster,
                                ROOT / "tests/support"])
        mute.start()
        trigger(scene, "g")
        wait_for(lambda: "began" in mute.output(), 60, "it has begun")
        mute.kill9()
        with Worker(kafka.bootstrap, cluster, GROUP, lambda work: "success"):
            again_ms = instant_ms(wait_tries(scene, 2)[1]["time"])
            wait_ended(scene, 120)  # the group notices only after its session timeout
        records = read_all(kafka.bootstrap, f"{cluster}.runs")
        begun_ms = min(record.timestamp_ms for record in records
                       if record.json.get("report") == "started")
        assert again_ms - begun_ms > 11_500, "its lease, a second, and the delay of its retry"
        assert any("tick" in record.json for record in records)


def test_reports_that_go_astray(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """In another shard's partition, of no run, of no use: dead letters that say why."""
    with Scenario(kafka, redis, cluster, shards=2) as scene:
        scene.daemon().wait_live()
        group, other = group_on(0, 2), group_on(1, 2)
        scene.call({"op": "add", "job": leased(group)})
        trigger(scene, group)
        fire = wait_tries(scene, 1)[0]
        said = {"run": fire["id"], "runnumber": fire["runnumber"], "report": "success",
                "workers": GROUP}
        produce(kafka.bootstrap, f"{cluster}.runs", [
            (other, json.dumps(said), None, 0), (group, "[{}]", None, 0),
            (group, json.dumps({**said, "runnumber": str(FIRST + 77)}), None, 0)])
        letters = read_all(kafka.bootstrap, f"{cluster}.dead", 3)
        assert [letter.header("dlq_code") for letter in letters] == [
            "wrong_partition", "bad_report", "unknown_run"], letters
        assert is_open(scene)
        produce(kafka.bootstrap, f"{cluster}.runs", [(group, json.dumps(said), None, 0)])
        wait_ended(scene)


def test_a_new_generation_ends_what_is_open(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """After belfry recover nobody knows what became of the workers: a try is lost, and the next
    one has a higher runnumber."""
    with Scenario(kafka, redis, cluster, shards=1) as scene:
        daemon = scene.daemon().wait_live()
        scene.call({"op": "add", "job": leased("g", retry={"attempts": 2, "initial": "1s"})})
        trigger(scene, "g")
        wait_tries(scene, 1)
        daemon.terminate()
        belfry(kafka, redis, cluster, "recover", "--from", "kafka", "--yes", expect=0)
        daemon.start().wait_live()
        fires = wait_tries(scene, 2)
        assert fires[1]["id"] == fires[0]["id"] and fires[1]["try"] == 2, fires
        assert int(fires[1]["runnumber"]) - 2 * FIRST == 2, fires


def test_without_the_brokers_times_a_lease_is_refused(kafka: Kafka, redis: Redis,
                                                      cluster: str) -> None:
    """With the sender's nobody could say whether a claim came in time."""
    create_topic(kafka.bootstrap, f"{cluster}.runs", 1, {"message.timestamp.type": "CreateTime"})
    with Scenario(kafka, redis, cluster, shards=1) as scene:
        scene.daemon().wait_live()
        for asked in (leased("g"), every("g", "j", overlap="skip")):
            answer = scene.call({"op": "add", "job": asked}, "rejected")[0]
            assert answer["code"] == "not_supported", answer
        scene.call({"op": "add", "job": every("g", "j", overlap="allow")})
