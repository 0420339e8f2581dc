"""The promises through proxies that lose, double and delay single requests and answers.

The worst of them here; all kinds of requests are gone through in tests/trust/test_every_request.py.
"""

from __future__ import annotations

from harness import Kafka, Redis
from proxy import KafkaProxy, RedisProxy, Rule
from scenario import Scenario, endure, every

JOBS = [every(group, group) for group in ("alpha", "beta", "gamma", "delta")]

# (kind, direction, what happens, in a start of the daemon)
KAFKA_FAULTS = [
    ("EndTxn", "answer", "cut", False),           # a commit whose outcome is not known
    ("EndTxn", "request", "double", False),       # and one that is asked for twice
    ("Produce", "answer", "cut", False),
    ("AddPartitionsToTxn", "request", "cut", False),
]
REDIS_FAULTS = [
    ("EVALSHA", "answer", "cut", False),          # a checkpoint that arrived, and nobody knows it
    ("EVALSHA", "request", "cut", False),
    ("EVALSHA", "request", "double", False),
    ("HGETALL", "answer", "cut", True),           # a snapshot that is half read
]


def test_single_requests_of_kafka(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with KafkaProxy(kafka) as proxy, \
            Scenario(kafka, redis, cluster, through=(proxy.bootstrap, None)) as scene:
        scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        for kind, direction, action, restart in KAFKA_FAULTS:
            endure(scene, proxy, Rule(kind, direction, action), restart)
        scene.verify()


def test_single_requests_of_redis(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with RedisProxy(redis) as proxy, \
            Scenario(kafka, redis, cluster, through=(None, proxy.url)) as scene:
        scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        for kind, direction, action, restart in REDIS_FAULTS:
            endure(scene, proxy, Rule(kind, direction, action), restart)
        scene.wait_stored(len(JOBS))
        scene.verify()
