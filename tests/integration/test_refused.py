"""Records that Kafka does not take never stop a shard: keys and headers beyond any use, reply
topics that refuse, topics of ours that refuse. A good job on the same shard fires on."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import confluent_kafka
import confluent_kafka.admin

from harness import Kafka, Redis, TopicReader, create_topic, wait_for
from oracle_fold import instant_ms
from scenario import Scenario, every, group_on, job, now_ms
from topics import client_options

HEADERS = 50


def send_raw(kafka: Kafka, topic: str, partition: int, value: bytes, key: bytes | None = None,
             headers: list[tuple[str, bytes]] | None = None) -> None:
    """A record as no client of ours would send it."""
    producer = confluent_kafka.Producer(client_options(
        kafka.bootstrap, message_max_bytes=20_000_000, compression_type="gzip", acks="all"))
    failures: list[Any] = []
    producer.produce(topic, value, key=key, partition=partition, headers=headers or [],
                     on_delivery=lambda error, message: failures.append(error))
    producer.flush(30)
    assert failures == [None], failures


def set_topic(kafka: Kafka, topic: str, name: str, value: str) -> None:
    """Changes one setting of a topic."""
    entry = confluent_kafka.admin.ConfigEntry(
        name, value, incremental_operation=confluent_kafka.admin.AlterConfigOpType.SET)
    resource = confluent_kafka.admin.ConfigResource(
        confluent_kafka.admin.ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin = confluent_kafka.admin.AdminClient(client_options(kafka.bootstrap))
    admin.incremental_alter_configs([resource])[resource].result(timeout=30)


def dead_letters(scene: Scenario, count: int) -> list[Any]:
    with TopicReader(scene.kafka.bootstrap, f"{scene.cluster}.dead") as reader:
        return reader.read_until(lambda records: len(records) >= count, 60)


def fires_on_all_shards(scene: Scenario, **options: Any) -> Any:
    """A daemon, and a good job for each shard."""
    daemon = scene.daemon(**options)
    daemon.wait_live()
    for shard in range(scene.shards):
        scene.call({"op": "add", "job": every(group_on(shard, scene.shards), "good")})
    return daemon


def must_go_on(scene: Scenario, daemon: Any) -> None:
    """Every shard's good job goes on firing, and no shard has failed."""
    begin_ms = now_ms()
    wait_for(lambda: len({fire["jobgroup"] for fire in (r.json for r in scene.fires.read_to_end())
                          if instant_ms(fire["dueat"]) > begin_ms}) == scene.shards, 60,
             "all shards fire")
    assert not [line for line in daemon.events() if line.get("event") == "shard.failed"]


def test_key_and_headers_have_bounds(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        daemon = fires_on_all_shards(scene)
        control = f"{scene.cluster}.control"
        set_topic(kafka, control, "compression.type", "producer")
        pause = json.dumps({"op": "pause", "command_id": "far", "select": {"ids": ["other"]}})
        send_raw(kafka, control, 0, b"not json", key=b"k" * 3_000_000)
        send_raw(kafka, control, 1, pause.encode(), key=b"x",
                 headers=[(f"h{number}", b"v" * 60_000) for number in range(HEADERS)])
        letters = dead_letters(scene, 2)
        by_key = {letter.key[:1]: letter for letter in letters}
        assert len(by_key[b"k"].key) == 4096
        assert by_key[b"k"].header("dlq_key_cut") == "3000000"
        assert by_key[b"k"].header("dlq_code") == "too_large"
        assert by_key[b"x"].header("dlq_code") == "too_large"
        assert "65536" in by_key[b"x"].header("dlq_message")
        assert by_key[b"x"].header("dlq_headers_cut") == str(HEADERS - 1)
        result, = scene.client.results("far")
        assert (result["outcome"], result["code"]) == ("rejected", "too_large")
        must_go_on(scene, daemon)


def test_reply_topic_that_refuses(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """It exists and takes no record: the result is in our own topic. When it is mended, the replies
    come back to it."""
    topic = f"{cluster}-replies"
    create_topic(kafka.bootstrap, topic, config={"max.message.bytes": "10"})
    with Scenario(kafka, redis, cluster) as scene:
        daemon = fires_on_all_shards(scene, env={"BELFRY_RESULTS_TOPICS": topic})
        scene.call({"op": "ping", "command_id": "refused", "reply_to": topic})
        moved = [line for line in daemon.events() if line.get("event") == "reply.moved"]
        assert len(moved) == 1 and moved[0]["results"] in (1, "1"), moved
        must_go_on(scene, daemon)
        set_topic(kafka, topic, "max.message.bytes", "1048588")
        with TopicReader(kafka.bootstrap, topic) as replies:

            def answered() -> bool:
                scene.send({"op": "ping", "reply_to": topic})
                return bool(replies.poll(1.0))

            wait_for(answered, 100, "a reply in the mended topic", every_s=1.0)


def test_own_topic_that_takes_small_records(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Somebody has lowered the limit of our results: a large result comes without its lists."""
    with Scenario(kafka, redis, cluster) as scene:
        daemon = fires_on_all_shards(scene)
        set_topic(kafka, f"{scene.cluster}.results", "max.message.bytes", "2500")
        group = group_on(0, scene.shards)
        names = [hashlib.sha512(str(number).encode()).hexdigest() for number in range(100)]
        jobs = [job(group, name, {"cron": "0 0 1 1 *"}) for name in names]
        sent = scene.send({"op": "add", "command_id": "large", "jobs": jobs})
        result, = scene.answers(sent, 60)
        assert (result["outcome"], result["changed"]) == ("applied", 100)
        assert "jobs" not in result
        assert [warning["code"] for warning in result["warnings"]] == ["too_large"]
        must_go_on(scene, daemon)
        failed = [line for line in daemon.events() if line.get("event") == "commit.failed"]
        assert any("max.message.bytes" in line["message"] for line in failed), failed


def test_a_bomb_does_not_get_in(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """10 MB that pack into 10 kB: refused by the topic that the daemon made. One made by hand
    is a warning, with the command that mends it."""
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        daemon.wait_live()
        producer = confluent_kafka.Producer(client_options(
            kafka.bootstrap, message_max_bytes=20_000_000, compression_type="gzip", acks="all"))
        failures: list[Any] = []
        producer.produce(f"{scene.cluster}.control", b" " * 10_000_000, partition=0,
                         on_delivery=lambda error, message: failures.append(error))
        producer.flush(60)
        assert failures and failures[0] is not None, "it got in"
        assert failures[0].code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE, failures
        daemon.terminate()
        set_topic(kafka, f"{scene.cluster}.control", "compression.type", "producer")
        daemon.start()
        daemon.wait_live()
        assert any("--add-config compression.type=uncompressed" in str(line)
                   for line in daemon.events()), "no warning"
