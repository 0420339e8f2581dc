"""A running daemon that is led to the Redis of another installation, and back."""

from __future__ import annotations

import time

from harness import Kafka, Redis
from scenario import Scenario, every, group_on

SHARDS = 2


def test_a_running_daemon_refuses_another_clusters_redis(kafka: Kafka, redis: Redis, cluster: str
                                                         ) -> None:
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        daemon = scene.daemon().wait_live()
        group = group_on(1, SHARDS)
        scene.call({"op": "add", "jobs": [every(group, "tick", "1s"), every(group, "b", "1h")]})
        scene.wait_stored(2)
        client = redis.client()
        key = f"{cluster}:{{1}}"
        ours = client.hget(f"{cluster}:meta", "kafka_cluster_id")
        client.hset(f"{cluster}:meta", "kafka_cluster_id", "theirs")
        foreign = {name: client.dump(f"{key}:{name}") for name in ("jobs", "snapshot", "writer")}
        for hours in (2, 3, 4):  # from the first moment on, also while jobs change
            scene.call({"op": "put", "jobs": [every(group, "b", f"{hours}h")]})
            time.sleep(0.3)
        daemon.wait_event("redis.refused", 60)
        assert "theirs" in daemon.events("redis.refused", level="error")[0]["message"]
        scene.wait_fires(2, matching=lambda fire: fire["jobid"] == "tick")
        assert daemon.running
        assert foreign == {name: client.dump(f"{key}:{name}") for name in foreign}, "written to"
        client.hset(f"{cluster}:meta", "kafka_cluster_id", ours)
        daemon.wait_event("redis.claimed", 60, count=2)
        daemon.wait_event("checkpoint.caught_up", 60, shard=1)
        assert client.dump(f"{key}:snapshot") != foreign["snapshot"]
        scene.verify()
