"""What is said of shards that do not move, and of partitions that are no shards."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka.admin import AdminClient, NewPartitions

from harness import Kafka, Redis, belfry, wait_for
from runner import limit
from scenario import Scenario, every, group_on


def shards(scene: Scenario) -> list[dict[str, Any]]:
    said = belfry(scene.kafka, scene.redis, scene.cluster, "shards", "-o", "json")
    return json.loads(said.stdout)


@limit(200)
def test_a_live_shard_that_stops_is_stuck(redis: Redis) -> None:
    """Kafka stands still: each shard, live as it calls itself, is named after ten seconds, in the
    log, by `belfry shards` and by `belfry doctor`."""
    with Kafka() as kafka, Scenario(kafka, redis, "stops") as scene:
        daemon = scene.daemon()
        daemon.wait_live()
        scene.call({"op": "add", "jobs": [every(group_on(0, scene.shards), "j")]})
        scene.wait_fires(2)
        wait_for(lambda: all(s.get("state") == "live" for s in shards(scene)), 30, "all live")
        for process in kafka.processes:
            process.sigstop()
        try:
            daemon.wait_event("shard.stuck", deadline_s=60, shard="0")
            wait_for(lambda: shards(scene)[0].get("state") == "stuck", 60, "stuck in Redis")
            assert shards(scene)[0]["still_ms"] >= 10_000
            assert "stuck" in belfry(kafka, redis, "stops", "shards").stdout
        finally:
            for process in kafka.processes:
                process.sigcont()
        scene.wait_fires(3, deadline_s=60)
        wait_for(lambda: all(s.get("state") == "live" for s in shards(scene)), 60, "all live")


@limit(120)
def test_partitions_added_while_running(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """They are named at once, and the shards there are go on."""
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        daemon.wait_live()
        scene.call({"op": "add", "jobs": [every(group_on(shard, scene.shards), "j")
                                          for shard in range(scene.shards)]})
        scene.wait_fires(4)
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        for change in admin.create_partitions(
                [NewPartitions(f"{cluster}.control", scene.shards + 2)]).values():
            change.result()
        said, *_ = daemon.wait_event("topic.partitions_added", deadline_s=60)
        assert (said["shards"], said["unread_here"]) == (str(scene.shards), "2"), said
        scene.wait_fires(8, deadline_s=60)
        assert daemon.running
