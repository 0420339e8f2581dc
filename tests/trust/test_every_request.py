"""Every kind of request that a daemon sends to Kafka and to Redis is lost, its answer is lost, it
comes twice, it is late, it is never answered; the oracle judges every slot."""

from __future__ import annotations

import itertools

from harness import Kafka, Redis
from proxy import KafkaProxy, RedisProxy, Rule
from runner import limit
from scenario import Scenario, endure, every

JOBS = [every(group, group) for group in ("alpha", "beta", "gamma", "delta")]
FAULTS = [("request", "cut"), ("answer", "cut"), ("request", "double"), ("answer", "double"),
          ("answer", "delay")]

# Kinds of requests, and whether they come at a start only.
KAFKA_KINDS = {"Produce": False, "AddPartitionsToTxn": False, "EndTxn": False, "Fetch": False,
               "Heartbeat": False, "InitProducerId": True, "FindCoordinator": True,
               "JoinGroup": True, "SyncGroup": True, "OffsetCommit": True, "ListOffsets": True,
               "Metadata": True, "ApiVersions": True, "DescribeConfigs": True}
NEVER_ANSWERED = ["EndTxn", "Produce", "AddPartitionsToTxn", "OffsetCommit", "InitProducerId"]


def run(scene: Scenario, proxy: KafkaProxy, kinds: list[str]) -> None:
    scene.daemon()
    scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
    for kind, (direction, action) in itertools.product(kinds, FAULTS):
        rule = Rule(kind, direction, action, seconds=2.0)
        endure(scene, proxy, rule, restart=KAFKA_KINDS[kind])
    print(f"      {len(kinds) * len(FAULTS)} faults, {scene.restarts} restarts, {scene.verify()}")


def through_kafka(kafka: Kafka, redis: Redis, cluster: str, kinds: list[str]) -> None:
    with KafkaProxy(kafka) as proxy, \
            Scenario(kafka, redis, cluster, through=(proxy.bootstrap, None)) as scene:
        run(scene, proxy, kinds)


@limit(900)
def test_requests_while_it_runs(kafka: Kafka, redis: Redis, cluster: str) -> None:
    through_kafka(kafka, redis, cluster,
                  [kind for kind, at_start in KAFKA_KINDS.items() if not at_start])


@limit(1500)
def test_requests_of_a_start(kafka: Kafka, redis: Redis, cluster: str) -> None:
    through_kafka(kafka, redis, cluster,
                  [kind for kind, at_start in KAFKA_KINDS.items() if at_start])


@limit(900)
def test_answers_that_never_come(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """The connection stays and is silent about one request."""
    with KafkaProxy(kafka) as proxy, \
            Scenario(kafka, redis, cluster, through=(proxy.bootstrap, None)) as scene:
        scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        for kind in NEVER_ANSWERED:
            endure(scene, proxy, Rule(kind, "answer", "drop"), restart=KAFKA_KINDS[kind])
        print(f"      {scene.verify()}")


@limit(900)
def test_each_answer_of_redis(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """The first thirty frames of a start, one after the other, each way; then the checkpoints."""
    with RedisProxy(redis) as proxy, \
            Scenario(kafka, redis, cluster, through=(None, proxy.url)) as scene:
        scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        for after, direction in itertools.product(range(0, 30, 2), ("request", "answer")):
            endure(scene, proxy, Rule("*", direction, "cut", after=after), restart=True, fires=1)
        for direction, action in [*FAULTS, ("answer", "drop")]:
            endure(scene, proxy, Rule("EVALSHA", direction, action, times=3, seconds=0.5), False)
        scene.wait_stored(len(JOBS))
        print(f"      {scene.verify()}")
