"""Three brokers, each record on all of them and acknowledged by two: killed one at a time, two at
once (then nothing can be committed), and all at once. The oracle judges every slot."""

from __future__ import annotations

import shutil
import time

from confluent_kafka.admin import AdminClient, ConfigResource

from harness import Kafka, Redis, client_options, wait_for
from runner import LOGS, limit
from scenario import Scenario, every

GROUPS = ["alpha", "beta", "gamma", "delta"]


def wait_in_sync(admin: AdminClient, copies: int = 3) -> None:
    """Waits until every partition has all its copies: the next loss must be the only one."""

    def all_there() -> bool:
        topics = admin.list_topics(timeout=10).topics.values()
        return all(len(partition.isrs) == copies
                   for topic in topics for partition in topic.partitions.values())

    wait_for(all_there, 120, "all copies are in sync", every_s=0.5)


def check_is_safe(admin: AdminClient, cluster: str) -> None:
    """The topics are what this test is for: three copies, two of which acknowledge."""
    topic = ConfigResource(ConfigResource.Type.TOPIC, f"{cluster}.state")
    settings = admin.describe_configs([topic])[topic].result(30)
    assert settings["min.insync.replicas"].value == "2", settings["min.insync.replicas"]
    partitions = admin.list_topics(timeout=10).topics[f"{cluster}.state"].partitions
    assert all(len(partition.replicas) == 3 for partition in partitions.values())


def keep_logs(kafka: Kafka, cluster: str) -> None:
    """What the brokers have of this cluster and of its transactions, for finding out whose fault a
    wrong slot is."""
    kafka.kill9()
    for broker in kafka.brokers:
        target = LOGS / "three-brokers" / broker.name
        shutil.rmtree(target, ignore_errors=True)
        for pattern in (f"{cluster}.*", "__transaction_state-*"):
            for folder in (broker.directory / "data").glob(pattern):
                shutil.copytree(folder, target / folder.name)
    print(f"      the brokers' logs: {LOGS / 'three-brokers'}")


@limit(900)
def test_brokers_are_killed(redis: Redis, cluster: str) -> None:
    with Kafka(nodes=3) as kafka, Scenario(kafka, redis, cluster) as scene:
        first, second = scene.daemon(), scene.daemon()
        admin = AdminClient(client_options(kafka.bootstrap))
        check_is_safe(admin, cluster)
        scene.call({"op": "add", "command_id": "add", "jobs": [
            every(GROUPS[number % 4], f"j{number}") for number in range(12)]})
        scene.wait_fires(12)
        for nodes in ((1,), (2,), (3,), (1, 2), (2, 3), (1, 2, 3), (3, 1), (1, 2, 3)):
            for node in nodes:
                kafka.kill9(node)
            if len(nodes) == 1:  # the other two go on by themselves
                scene.wait_fires(24, deadline_s=90)
            else:
                time.sleep(2)
            if len(nodes) == 3:
                first.kill9()
            kafka.start(deadline_s=120)
            if not first.running:
                first.start()
            if not second.running:
                # A static member can be fenced by its own new membership, in the client library.
                assert "FENCED_INSTANCE_ID" in second.output(), second.tail()
                second.start()
            wait_in_sync(admin)
            scene.wait_fires(24, deadline_s=120)
        try:
            print(f"      {scene.verify(deadline_s=120)}")
        except AssertionError:
            keep_logs(kafka, cluster)
            raise
