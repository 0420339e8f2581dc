"""Open runs while Redis is emptied, loses one of them and is away: the daemon's runs are those of
before, and Redis gets them again."""

from __future__ import annotations

from typing import Any

from harness import Kafka, Redis, belfry, wait_for
from runner import limit
from scenario import Scenario
from topics import read_all

JOBS = 5


def trigger(scene: Scenario) -> None:
    scene.call({"op": "trigger", "select": {"groups": ["g"]}})


def in_log(scene: Scenario) -> dict[str, int]:
    """Which run is open at which place, by the state log."""
    newest: dict[str, Any] = {}
    for record in read_all(scene.kafka.bootstrap, f"{scene.cluster}.state"):
        if record.key is not None and record.key.startswith(b"run/"):
            newest[record.key[4:].decode()] = record.json
    return {k: run["runnumber"] for k, run in newest.items() if "free" not in run}


def verified(scene: Scenario, redis: Redis) -> bool:
    done = belfry(scene.kafka, redis, scene.cluster, "verify", expect=None, deadline_s=60)
    return done.returncode == 0


def wait_same(scene: Scenario, redis: Redis, before: dict[str, int]) -> None:
    """Redis has all runs, and they are those of before."""
    key = f"{scene.cluster}:{{0}}:runs"
    wait_for(lambda: len(redis.client().hkeys(key)) == len(before), 60, "all runs are in Redis",
             every_s=0.2)
    assert in_log(scene) == before
    wait_for(lambda: verified(scene, redis), 60, "verify finds them the same", every_s=0.5)


@limit(600)
def test_open_runs_over_what_befalls_redis(kafka: Kafka, redis: Redis, cluster: str) -> None:
    key = f"{cluster}:{{0}}:runs"
    with Scenario(kafka, redis, cluster, shards=1) as scene:
        daemon = scene.daemon().wait_live()
        for number in range(JOBS):
            scene.call({"op": "add", "job": {
                "group": "g", "id": f"j{number}", "schedule": {"cron": "0 0 1 1 *"},
                "lease": "1m", "workers": "nobody"}})
        trigger(scene)
        scene.fires.read_until(JOBS, 60)
        before = in_log(scene)
        assert len(before) == JOBS
        wait_same(scene, redis, before)
        redis.client().flushall()
        wait_same(scene, redis, before)
        assert redis.client().hdel(key, sorted(before)[2]) == 1
        wait_same(scene, redis, before)
        redis.client().hdel(key, sorted(before)[0])  # and now there is nobody to see it
        daemon.kill9()
        daemon.start().wait_live()
        wait_same(scene, redis, before)
        redis.stop()
        trigger(scene)
        scene.fires.read_until(2 * JOBS, 60)
        daemon.kill9()
        redis.start()
        daemon.start().wait_live()
        after = in_log(scene)
        assert len(after) == 2 * JOBS and before.items() <= after.items()
        wait_same(scene, redis, after)
        assert len(scene.fires.read_to_end()) == 2 * JOBS
