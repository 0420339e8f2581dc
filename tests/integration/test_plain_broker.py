"""The promises on a broker with the settings it is delivered with.

The other tests make Kafka fast, and hide with that what happens while a group waits 3 s for its
members, or while fifty coordinators' partitions are loaded.
"""

from __future__ import annotations

from confluent_kafka.admin import AdminClient, ConfigResource

from harness import Kafka, Redis, client_options
from scenario import Scenario, every

GROUPS = ["alpha", "beta", "gamma", "delta"]


def add_jobs(scene: Scenario, count: int = 12) -> None:
    jobs = [every(GROUPS[number % len(GROUPS)], f"j{number}") for number in range(count)]
    scene.call({"op": "add", "command_id": "add", "jobs": jobs})


def test_the_broker_is_as_delivered(plain_kafka: Kafka) -> None:
    """What these tests are for: that nobody made it fast."""
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    admin = AdminClient(client_options(plain_kafka.bootstrap))
    settings = admin.describe_configs([broker])[broker].result(30)
    wanted = {"group.initial.rebalance.delay.ms": "3000", "log.retention.hours": "168",
              "compression.type": "producer", "auto.create.topics.enable": "true",
              "transaction.state.log.num.partitions": "50", "offsets.topic.num.partitions": "50"}
    assert {name: settings[name].value for name in wanted} == wanted


def test_killed_and_handed_over(plain_kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A longer one, with a freeze and a stop in the midst of it, is in tests/trust."""
    with Scenario(plain_kafka, redis, cluster) as scene:
        first, second = scene.daemon(), scene.daemon()
        add_jobs(scene)
        scene.wait_fires(12)
        first.kill9()
        first.start().wait_ready()
        second.terminate()
        first.wait_live(4)
        scene.wait_fires(24)
        scene.verify()
