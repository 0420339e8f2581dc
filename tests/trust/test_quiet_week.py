"""Retention that cuts the logs of commands to their very ends, as seven quiet days do: who takes a
shard over then reads on from what is left."""

from __future__ import annotations

from typing import Any

import confluent_kafka
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource)

from harness import Kafka, Redis, TopicReader, wait_for
from runner import limit
from scenario import Scenario, every, group_on
from topics import client_options, produce

SHARDS = 2
BROKER = {"log.retention.check.interval.ms": 500, "log.initial.task.delay.ms": 500}
QUIET_MS, KEPT_MS = 2000, 604_800_000


def bounds(scene: Scenario, topic: str, partition: int) -> tuple[int, int]:
    """The first offset kept, and the end, behind transaction markers, too."""
    reader = confluent_kafka.Consumer(client_options(scene.kafka.bootstrap, group_id="bounds"))
    try:
        place = confluent_kafka.TopicPartition(f"{scene.cluster}.{topic}", partition)
        first, end = reader.get_watermark_offsets(place, 10)
        return first, end
    finally:
        reader.close()


def retain(scene: Scenario, topic: str, keep_ms: int) -> None:
    """How long the topic keeps its records from now on."""
    entry = ConfigEntry("retention.ms", str(keep_ms),
                        incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, f"{scene.cluster}.{topic}",
                              incremental_configs=[entry])
    admin = AdminClient(client_options(scene.kafka.bootstrap))
    admin.incremental_alter_configs([resource])[resource].result(timeout=30)


def cut(scene: Scenario, topic: str) -> list[int]:
    """Lets retention cut all partitions to their ends; returns those."""
    retain(scene, topic, QUIET_MS)

    def gone() -> bool:
        found = [bounds(scene, topic, shard) for shard in range(scene.shards)]
        return all(first == end for first, end in found)

    wait_for(gone, 40, f"retention cuts {topic}", every_s=0.2)
    retain(scene, topic, KEPT_MS)
    return [bounds(scene, topic, shard)[1] for shard in range(scene.shards)]


def ready(scene: Scenario) -> Any:
    """A daemon with one job on each shard."""
    daemon = scene.daemon()
    daemon.wait_live()
    for shard in range(scene.shards):
        scene.call({"op": "add", "jobs": [every(group_on(shard, scene.shards), "j")]})
    return daemon


def goes_on(scene: Scenario, daemon: Any) -> None:
    """A new owner is live, its jobs fire, commands get through, the direct and the forwarded."""
    daemon.start().wait_live()
    for shard in range(scene.shards):
        group = group_on(shard, scene.shards)
        scene.wait_fires(1, matching=lambda fire, wanted=group: fire["jobgroup"] == wanted)
        for partition in range(scene.shards):
            scene.call({"op": "add", "jobs": [every(group, f"k{partition}")]},
                       partition=partition)
    assert not daemon.events("shard.failed"), daemon.tail()


def cuts_said(scene: Scenario) -> list[tuple[int, int]]:
    """(shard, count) of each event that says what could not be read."""
    with TopicReader(scene.kafka.bootstrap, f"{scene.cluster}.events") as reader:
        events = [record.json for record in reader.read_to_end()]
    return [(event["shard"], event["count"]) for event in events if event["event"] == "input_cut"]


@limit(120)
def test_logs_cut_to_the_markers_at_their_ends() -> None:
    """`forward` is written in transactions, `control` by a client that has some, too: the marker is
    the last thing in the log, and the daemon dies before its mark is behind it."""
    with Kafka(options=BROKER) as kafka, Redis() as redis, Scenario(
            kafka, redis, "quiet", SHARDS) as scene:
        daemon = ready(scene)
        group = group_on(0, SHARDS)
        scene.call({"op": "add", "jobs": [every(group_on(1, SHARDS), "astray")]}, partition=0)
        produce(kafka.bootstrap, "quiet.control",
                [(group, '{"op":"pause","command_id":"tx","select":{"ids":["none"]}}')],
                transaction="client")
        scene.client.results("tx")
        daemon.kill9()
        forward, control = cut(scene, "forward"), cut(scene, "control")
        assert (forward[1], control[0]) == (4, 4), (forward, control)
        goes_on(scene, daemon)


@limit(120)
def test_commands_deleted_before_they_were_read() -> None:
    """Nobody ran for longer than the topic keeps its commands: that is said, with how many."""
    with Kafka(options=BROKER) as kafka, Redis() as redis, Scenario(
            kafka, redis, "unread", SHARDS) as scene:
        daemon = ready(scene)
        daemon.kill9()
        for number in range(3):
            scene.send({"op": "pause", "select": {"ids": [f"none-{number}"]}}, partition=1)
        cut(scene, "control")
        goes_on(scene, daemon)
        line, = daemon.events("input.cut")
        assert (line["topic"], line["shard"], line["from"], line["to"]) == (
            "control", "1", "1", "3"), line
        assert cuts_said(scene) == [(1, 3)]
