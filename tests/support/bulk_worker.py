"""A worker that starts nothing: it reads the fires of its group, and reports of thousands of tries
in arrays. For figures and for outages; the claim protocol is in worker.py."""

from __future__ import annotations

import collections
import json
import time
from typing import Any, Iterator

import confluent_kafka

import harness

ARRAY = 500  # reports of one record
Fire = dict[str, Any]


def shard_of_fire(fire: Fire) -> int:
    return int(fire["source"].rpartition("/")[2])


class BulkWorker:
    """A member of the group `workers`."""

    def __init__(self, bootstrap: str, cluster: str, workers: str):
        self.cluster, self.workers = cluster, workers
        self.appended_ms: list[int] = []  # of the records that were sent, as acknowledged
        self.producer = confluent_kafka.Producer(harness.client_options(
            bootstrap, linger_ms=0, acks="all", queue_buffering_max_messages=2_000_000))
        self.consumer = confluent_kafka.Consumer(harness.client_options(
            bootstrap, group_id=workers, enable_auto_commit=False, auto_offset_reset="earliest",
            isolation_level="read_committed", fetch_wait_max_ms=10))
        self.consumer.subscribe([f"{cluster}.fires"])
        self.waiting: list[Any] = []
        harness.wait_for(self._joined, 30, "the worker has joined")

    def _joined(self) -> bool:
        message = self.consumer.poll(0.1)
        if message is not None and message.error() is None:
            self.waiting.append(message)
        return bool(self.consumer.assignment())

    def __enter__(self) -> "BulkWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close()

    def fires(self, count: int, deadline_s: float = 120) -> Iterator[Fire]:
        """The next ones, as they become visible, with the place at which each stands in `at`."""
        end_s = time.monotonic() + deadline_s
        while count > 0:
            assert time.monotonic() < end_s, f"{count} fires have not come"
            messages, self.waiting = self.waiting, []
            if not messages:
                first = self.consumer.poll(0.2)
                messages = [first] if first is not None else []
                if messages and count > 1:
                    messages += self.consumer.consume(min(count - 1, 5000), 0)
            for message in messages:
                if message.error() is None:
                    count -= 1
                    yield {**json.loads(message.value()),
                           "at": (message.topic(), message.partition(), message.offset())}

    def commit(self) -> None:
        self.consumer.commit(asynchronous=False)

    def said(self, fire: Fire, word: str) -> dict[str, Any]:
        place = dict(zip(("topic", "partition", "offset"), fire["at"])) if word == "started" else {}
        return {"run": fire["id"], "runnumber": fire["runnumber"], "report": word, "token": "t",
                "worker": "bulk", "workers": self.workers, **place}

    def _acknowledged(self, error: Any, message: Any) -> None:
        assert error is None, error
        self.appended_ms.append(message.timestamp()[1])

    def put(self, topic: str, value: bytes | str, partition: int) -> None:
        self.producer.produce(topic, value, partition=partition, on_delivery=self._acknowledged)
        self.producer.poll(0)

    def send(self, reports: list[dict[str, Any]], shard: int) -> None:
        for at in range(0, len(reports), ARRAY):
            self.put(f"{self.cluster}.runs", json.dumps(reports[at:at + ARRAY]), shard)

    def report(self, fires: list[Fire], *words: str) -> None:
        """Every word of every fire, in this order, to its shard; waits until all are there."""
        shards: dict[int, list[dict[str, Any]]] = collections.defaultdict(list)
        for fire in fires:
            for word in words:
                shards[shard_of_fire(fire)].append(self.said(fire, word))
        for shard, reports in shards.items():
            self.send(reports, shard)
        assert self.producer.flush(300) == 0
