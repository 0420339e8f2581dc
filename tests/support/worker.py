"""A worker that takes the tries of runs, in Python, for tests: it claims, renews, stops and reports
by the claim protocol, in the words of schemas/report.schema.json.

    with Worker(kafka.bootstrap, "belfry", "billing-workers", handler) as worker:
        ...

`handler(work)` runs in a thread of its own and returns the end: an outcome, or a dict with
`report` and what else a final report may carry. It looks at `work.stop`, which is set when the try
is to end: `work.reason` says why. All that is asked of its clients is asked in the one thread that
serves them; so a commit's answer and the loss of a partition never pass each other. Only the watch
over leases has a thread of its own: a commit waits for as long as Kafka is away.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import threading
import time
import uuid
from typing import Any, Callable

from confluent_kafka import (
    OFFSET_END, TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, Producer,
    TopicPartition)

from topics import client_options, partition_count

# Where a try is; up to LATE it is forgotten when its partition is taken away.
READ, SENT, ACKED, LATE, COMMITTED, WORKING, DONE = range(7)

# Answers to a commit that say neither yes nor no: it is asked for again.
UNKNOWN = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._WAIT_COORD,
           KafkaError.REQUEST_TIMED_OUT, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
           KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR,
           KafkaError.REBALANCE_IN_PROGRESS}


def clock_s() -> float:
    """A clock that never steps and runs while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) / 1e9


def instant_ms(text: str) -> int:
    parsed = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(parsed.timestamp() * 1000)


@dataclasses.dataclass(eq=False)
class Work:
    """One try in this worker's hands."""

    partition: int
    offset: int
    topic: str
    fire: dict[str, Any]
    token: str
    state: int = READ
    sent_s: float = 0.0  # when the newest acknowledged sign of life was sent
    renew_s: float = 0.0  # when the next one is to be sent
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    reason: str = ""  # why it is to stop: an outcome
    cursor: str | None = None  # for the next try; the next sign of life carries it
    end: dict[str, Any] | None = None  # what the handler said
    thread: threading.Thread | None = None

    @property
    def lease_s(self) -> float:
        return int(self.fire["leasems"]) / 1000

    @property
    def kill_s(self) -> float:
        """From here on it may be taken for lost."""
        return self.sent_s + self.lease_s - max(1.0, self.lease_s / 10)

    @property
    def term_s(self) -> float:
        return self.sent_s + self.lease_s * 2 / 3


def need_leases(client: Any) -> None:
    """Skips the test where belfryd does not take jobs with a lease."""
    [result] = client.call({"op": "add", "command_id": "need-leases", "dry_run": True, "job": {
        "group": "any", "id": "one", "schedule": {"every": "1h"}, "lease": "10s",
        "workers": "any"}})
    if result.get("code") == "not_supported":
        from runner import Skip  # workers in processes of their own do without it
        raise Skip("this belfryd refuses leases")


class Worker(threading.Thread):
    """A member of the consumer group `workers`."""

    def __init__(self, bootstrap: str, cluster: str, workers: str,
                 handler: Callable[[Work], dict[str, Any] | str], name: str = "worker-1",
                 **more: object):
        """`more` are options of the member of the group, librdkafka's with `_` for `.`."""
        super().__init__(name=name, daemon=True)
        self.cluster, self.workers, self.handler = cluster, workers, handler
        self.works: list[Work] = []
        self.refused: set[int] = set()  # partitions whose commits are no more ours
        self.ending = threading.Event()
        self.failure: BaseException | None = None
        # What it has to say waits for as long as Kafka is away.
        self.producer = Producer(client_options(bootstrap, linger_ms=0, acks="all",
                                                enable_idempotence=True, message_timeout_ms=0))
        self.fires = Consumer(client_options(
            bootstrap, group_id=workers, enable_auto_commit=False, auto_offset_reset="earliest",
            enable_auto_offset_store=False, isolation_level="read_committed",
            fetch_wait_max_ms=50, **more))
        self.fires.subscribe([f"{cluster}.fires"], on_revoke=self.forget, on_lost=self.forget)
        self.cancels = Consumer(client_options(
            bootstrap, group_id=f"{workers}.{uuid.uuid4()}", enable_auto_commit=False,
            isolation_level="read_committed", fetch_wait_max_ms=50))
        self.cancels.assign([TopicPartition(f"{cluster}.cancels", number, OFFSET_END) for number in
                             range(partition_count(self.cancels, f"{cluster}.cancels"))])

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.join(30)
        assert self.failure is None, self.failure

    def run(self) -> None:
        threading.Thread(target=self.watch, daemon=True).start()
        try:
            while not self.ending.is_set():
                self.read_fires(0.02)
                self.read_cancels()
                self.send_started()
                self.producer.poll(0)
                self.commit_claims()
                self.serve_work()
                self.works = [work for work in self.works if work.state != DONE]
        except BaseException as failure:  # said by whoever waits for this worker
            self.failure = failure
            raise
        finally:
            self.drain()

    def drain(self) -> None:
        """What is under way is handed back once its handler has stopped."""
        for work in self.works:
            if work.state == WORKING and work.thread is not None:
                work.reason = work.reason or "released"
                work.stop.set()
                work.thread.join(10)
                if not work.thread.is_alive():
                    self.report(work, **self.end_of(work))
        self.producer.flush(10)
        self.fires.close()
        self.cancels.close()

    # ---- reports ----

    def report(self, work: Work, report: str, **more: Any) -> None:
        """To the partition of the shard that fired, by number."""
        value = {"run": work.fire["id"], "runnumber": work.fire["runnumber"], "report": report,
                 "token": work.token, "worker": self.name, "workers": self.workers, **more}
        sent_s = clock_s()

        def delivered(error: Any, message: Any) -> None:
            self.delivered(work, report, sent_s, error, message)

        self.producer.produce(f"{self.cluster}.runs", json.dumps(value),
                              key=work.fire["jobgroup"], on_delivery=delivered,
                              partition=int(work.fire["source"].rpartition("/")[2]))

    def delivered(self, work: Work, report: str, sent_s: float, error: Any, message: Any) -> None:
        if report not in ("started", "running"):
            assert error is None, error
            return
        if error is not None:
            if report == "started" and work.state == SENT:
                work.state = READ
            return
        work.sent_s = max(work.sent_s, sent_s)
        if report == "started" and work.state == SENT:
            kind, appended_ms = message.timestamp()
            assert kind == TIMESTAMP_LOG_APPEND_TIME, f"no append time: {kind}"
            expiry = work.fire.get("expirytime")
            in_time = expiry is None or appended_ms < instant_ms(expiry)
            work.state = ACKED if in_time else LATE

    # ---- reading ----

    def forget(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        taken = {place.partition for place in partitions}
        self.refused -= taken
        for work in self.works:
            if work.partition in taken and work.state <= LATE:
                work.state = DONE

    def read_fires(self, wait_s: float) -> None:
        message = self.fires.poll(wait_s)
        while message is not None:
            if message.error() is None:
                fire = json.loads(message.value())
                if fire.get("workers") == self.workers:  # others are not ours to claim
                    self.works.append(Work(message.partition(), message.offset(), message.topic(),
                                           fire, uuid.uuid4().hex))
            message = self.fires.poll(0)

    def read_cancels(self) -> None:
        message = self.cancels.poll(0)
        while message is not None:
            if message.error() is None:
                asked = json.loads(message.value())
                for work in self.works:
                    if (work.fire["id"], work.fire["runnumber"]) == (asked["run"],
                                                                     asked["runnumber"]):
                        work.reason = work.reason or "cancelled"
                        work.stop.set()
            message = self.cancels.poll(0)

    # ---- the three steps of a claim ----

    def send_started(self) -> None:
        for work in self.works:
            if work.state == READ:
                work.state = SENT
                self.report(work, "started", topic=work.topic, partition=work.partition,
                            offset=work.offset)

    def claimed(self) -> dict[int, int]:
        """Of each partition, the offset behind what is claimed or passed over without a gap."""
        offsets: dict[int, int] = {}
        behind_a_gap = set(self.refused)
        for work in self.works:
            if work.state >= COMMITTED or work.partition in behind_a_gap:
                continue
            if work.state in (ACKED, LATE):
                offsets[work.partition] = work.offset + 1
            else:
                behind_a_gap.add(work.partition)
        return offsets

    def commit_claims(self) -> None:
        """While a commit waits for its answer no callback runs: what is taken away is forgotten
        before it or after it."""
        offsets = self.claimed()
        if not offsets:
            return
        topic = f"{self.cluster}.fires"
        places = [TopicPartition(topic, *place) for place in offsets.items()]
        try:
            answers = self.fires.commit(offsets=places, asynchronous=False) or []
            codes = {place.partition: place.error.code() if place.error else 0
                     for place in answers}
        except KafkaException as failure:
            codes = dict.fromkeys(offsets, failure.args[0].code())
        for partition, code in codes.items():
            if code in UNKNOWN:
                continue
            if code != 0:
                self.refused.add(partition)
            for work in self.works:
                if work.partition == partition and work.state <= LATE \
                        and work.offset < offsets[partition]:
                    self.answered(work, code == 0)

    def answered(self, work: Work, committed: bool) -> None:
        """Who gives up before the commit is known reports nothing: the try may be another's."""
        if not committed or work.state == LATE:
            work.state = DONE
        elif clock_s() >= work.kill_s:  # the third step: too long since `started` was sent
            work.state = DONE
            self.report(work, "released")
        else:
            work.state = WORKING
            work.renew_s = clock_s() + work.lease_s / 3
            work.thread = threading.Thread(target=self.handle, args=(work,), daemon=True)
            work.thread.start()

    # ---- work ----

    def handle(self, work: Work) -> None:
        try:
            said = self.handler(work)
            work.end = {"report": said} if isinstance(said, str) else said
        except Exception as failure:  # the handler's, and so its outcome
            work.end = {"report": "failure", "error": {"code": type(failure).__name__,
                                                       "message": str(failure)}}

    def end_of(self, work: Work) -> dict[str, Any]:
        """What was asked for goes before what the handler says of its stop, but for a success."""
        end = work.end or {"report": "failure"}
        if work.reason == "" or end["report"] == "success":
            return end
        return {"report": work.reason}

    def serve_work(self) -> None:
        for work in [work for work in self.works if work.state == WORKING]:
            assert work.thread is not None
            now_s = clock_s()
            if not work.thread.is_alive():
                work.state = DONE
                self.report(work, **self.end_of(work))
                continue
            if now_s >= work.renew_s and work.reason != "lost_lease":
                work.renew_s = now_s + work.lease_s / 3
                more = {} if work.cursor is None else {"cursor": work.cursor}
                self.report(work, "running", **more)

    def watch(self) -> None:
        """Tells handlers to stop when two thirds of their lease have passed in silence."""
        while not self.ending.wait(0.05):
            for work in self.works:
                if work.state == WORKING and clock_s() >= work.term_s:
                    work.reason = work.reason or "lost_lease"
                    work.stop.set()
