"""Take-overs that cannot finish, on a broker with its default rebalance delay: `make trust`."""

from __future__ import annotations

import time

import confluent_kafka

from harness import Kafka, Redis, wait_for
from runner import limit
from scenario import Scenario, every, group_on
from topics import client_options

JOBS = 20
SESSION_S = 13.0  # longer than the group waits for a member


def _fence(scene: Scenario) -> None:
    """Another producer with the shard's id: what the daemon's own has open is of no more use."""
    for shard in range(scene.shards):
        producer = confluent_kafka.Producer(client_options(
            scene.kafka.bootstrap, transactional_id=f"{scene.cluster}-{shard}"))
        producer.init_transactions(10)


def _stored(scene: Scenario) -> list[int]:
    with scene.redis.client() as client:
        return [client.hlen(f"{scene.cluster}:{{{shard}}}:jobs") for shard in range(scene.shards)]


def _stop_in_a_takeover(kafka: Kafka, redis: Redis, cluster: str, after_s: float) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        daemon.env.pop("BELFRY_GROUP_INSTANCE_ID", None)
        daemon.wait_live()
        for shard in range(scene.shards):
            group = group_on(shard, scene.shards)
            scene.call({"op": "add", "jobs": [every(group, f"j{i}") for i in range(JOBS)]})
        scene.wait_stored(JOBS * scene.shards)
        daemon.sigstop()
        time.sleep(SESSION_S)
        _fence(scene)
        daemon.sigcont()
        time.sleep(after_s)
        daemon.terminate()
        assert _stored(scene) == [JOBS] * scene.shards, (_stored(scene), daemon.tail())
        daemon.start().wait_live(deadline_s=60)
        scene.wait_fires(JOBS * scene.shards, 30)
        assert all(line["jobs"] == str(JOBS) for line in daemon.events("shard.restored")[-4:])


@limit(240)
def test_a_stop_in_a_takeover_leaves_redis_alone() -> None:
    """Frozen past its session, fenced, woken, and asked to end while the group rebalances."""
    with Kafka(options={"group.initial.rebalance.delay.ms": 3000}) as kafka, Redis() as redis:
        wait_for(lambda: redis.running, 10, "Redis runs")
        _stop_in_a_takeover(kafka, redis, "stop", 1.0)
