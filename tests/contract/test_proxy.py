#!/usr/bin/env python3
"""The frame-aware proxies do what they say: each fault is seen by counters that are not theirs.

Run by tests/support/runner.py.
"""

from __future__ import annotations

import time
from typing import Any

import confluent_kafka
import redis as redis_client

from harness import Kafka, Redis, client_options, create_topic, read_all, wait_for
from proxy import KafkaProxy, RedisProxy, Rule


def produce_through(proxy: KafkaProxy, topic: str, **more: object) -> None:
    """One record, in a request of its own, and its acknowledgement."""
    failed: list[Any] = []
    producer = confluent_kafka.Producer(client_options(
        proxy.bootstrap, linger_ms=0, acks="all", retry_backoff_ms=10, **more))
    producer.produce(topic, b"v", on_delivery=lambda error, _: error and failed.append(error))
    assert producer.flush(30) == 0 and not failed, failed


def test_kafka_requests_are_doubled_and_answers_lost(kafka: Kafka, cluster: str) -> None:
    """A producer without idempotence shows what arrived; one with it is the other way round."""
    for number, (direction, action, idempotent, records) in enumerate([
            ("request", "double", False, 2), ("request", "double", True, 1),
            ("answer", "cut", False, 2), ("answer", "cut", True, 1), ("request", "cut", False, 1),
            ("answer", "double", False, 1)]):
        topic = f"{cluster}.{number}"
        create_topic(kafka.bootstrap, topic)
        with KafkaProxy(kafka) as proxy:
            rule = proxy.add(Rule("Produce", direction, action))
            produce_through(proxy, topic, enable_idempotence=idempotent)
            assert rule.struck == 1, rule
            found = len(read_all(kafka.bootstrap, topic))
            assert found == records, (direction, action, idempotent, found)


def test_kafka_requests_are_swallowed_and_late(kafka: Kafka, cluster: str) -> None:
    create_topic(kafka.bootstrap, cluster)
    with KafkaProxy(kafka) as proxy:
        late = proxy.add(Rule("Produce", "request", "delay", seconds=2.0))
        begin = time.monotonic()
        produce_through(proxy, cluster)
        assert late.struck == 1 and time.monotonic() - begin >= 2.0
        for direction, records in (("request", 2), ("answer", 4)):
            lost = proxy.add(Rule("Produce", direction, "drop"))
            produce_through(proxy, cluster, enable_idempotence=False, socket_timeout_ms=1000,
                            request_timeout_ms=1000)
            assert lost.struck == 1, lost
            assert len(read_all(kafka.bootstrap, cluster)) == records, direction
        assert proxy.counts["Produce", "request"] >= 5 and proxy.counts["Metadata", "answer"] >= 3


def test_kafka_rules_look_at_the_frame_and_count(kafka: Kafka, cluster: str) -> None:
    """Three brokers' worth of kinds is one thing; the second one that fits is another."""
    create_topic(kafka.bootstrap, cluster)
    with KafkaProxy(kafka) as proxy:
        other = proxy.add(Rule("Produce", "request", "double", when=lambda f: b"nowhere" in f))
        second = proxy.add(Rule("Produce", "request", "double", after=1, times=1,
                                when=lambda f: cluster.encode() in f))
        for _ in range(3):
            produce_through(proxy, cluster, enable_idempotence=False)
        assert (other.seen, second.seen, second.struck) == (0, 3, 1)
        assert len(read_all(kafka.bootstrap, cluster)) == 4
        proxy.clear()
        produce_through(proxy, cluster, enable_idempotence=False)
        assert len(read_all(kafka.bootstrap, cluster)) == 5


def test_redis_commands(redis: Redis) -> None:
    direct = redis.client()
    with RedisProxy(redis) as proxy:
        for action, direction, value in (("double", "request", "2"), ("cut", "request", None),
                                         ("cut", "answer", "1"), ("drop", "request", None),
                                         ("drop", "answer", "1")):
            direct.delete("n")
            rule = proxy.add(Rule("INCRBY", direction, action))
            client = redis_client.Redis(port=proxy.port, socket_timeout=1, retry=None)
            try:
                client.incr("n")
                assert action == "double"
            except (redis_client.ConnectionError, redis_client.TimeoutError):
                assert action in ("cut", "drop"), (action, direction)
            client.close()
            assert rule.struck == 1, (rule, proxy.counts)
            wait_for(lambda: direct.get("n") == value, 10, f"{value} after {action} {direction}")
        rule = proxy.add(Rule("GET", "answer", "delay", seconds=0.5))
        client = redis_client.Redis(port=proxy.port, decode_responses=True)
        with client.pipeline(transaction=False) as line:  # answers stay with their questions
            line.set("a", "x" * 100_000).get("a").lrange("none", 0, -1).get("none").mget("a", "b")
            begin = time.monotonic()
            said = line.execute()
        assert time.monotonic() - begin >= 0.5 and rule.struck == 1
        assert said == [True, "x" * 100_000, [], None, ["x" * 100_000, None]]
        client.close()
