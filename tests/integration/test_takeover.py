"""What a daemon that takes a shard over believes, and what it refuses."""

from __future__ import annotations

from harness import Kafka, Redis, belfry, wait_for
from scenario import Scenario, every
from topics import produce


def test_redis_that_lacks_a_job_is_not_believed(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A job is gone and the snapshot's counts fit: the mark in the log knows better."""
    with Scenario(kafka, redis, cluster, shards=1) as scene:
        daemon = scene.daemon().wait_live()
        scene.call({"op": "add", "jobs": [every("g", f"j{i}") for i in range(5)]})
        scene.wait_stored(5)
        daemon.terminate()
        with redis.client() as client:
            assert client.hdel(f"{cluster}:{{0}}:jobs", "g/j3") == 1
            client.zrem(f"{cluster}:{{0}}:groups", "g/j3")
            for count in ("job_count", "held_jobs"):
                client.hset(f"{cluster}:{{0}}:snapshot", count, 4)
        daemon.start().wait_live()
        ignored = daemon.events("store.ignored")[-1]
        assert ignored["reason"] == "not_whole", ignored
        assert "4 jobs" in ignored["message"] and "says 5" in ignored["message"], ignored
        scene.wait_fires(1, matching=lambda fire: fire["jobid"] == "j3")
        scene.wait_stored(5)


def test_a_log_that_lacks_a_job_is_refused(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A stranger deletes a record of the state log, and Redis is empty: both numbers are named."""
    with Scenario(kafka, redis, cluster, shards=1) as scene:
        daemon = scene.daemon().wait_live()
        scene.call({"op": "add", "jobs": [every("g", f"j{i}") for i in range(5)]})
        daemon.terminate()
        produce(kafka.bootstrap, f"{cluster}.state", [("job/g/j3", None)])
        redis.client().flushall()
        daemon.start()
        wait_for(lambda: daemon.events("shard.failed"), 60, "the shard is refused")
        message = daemon.events("shard.failed")[0]["message"]
        assert "log_not_whole: 4 jobs were restored, the last mark says 5" in message, message
        daemon.kill9()
        belfry(kafka, redis, cluster, "recover", "--from", "kafka", "--yes", expect=0)
        daemon.start().wait_live()
        scene.wait_fires(4)
