#!/usr/bin/env python3
"""Takes tries as worker.c does, on the client library that confluent_kafka carries, in classic
groups and in those of KIP-848 (`"protocol": "consumer"`)."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import random
import signal
import sys
import time
from typing import Any

from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, Producer, TopicPartition)

# Where a try is; up to LATE it is forgotten when its partition is taken away.
READ, SENT, ACKED, LATE, COMMITTED, WORKING, DONE = range(7)

# Answers to a commit that say neither yes nor no.
UNKNOWN = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._WAIT_COORD,
           KafkaError.REQUEST_TIMED_OUT, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
           KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR,
           KafkaError.REBALANCE_IN_PROGRESS}


def now_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


@dataclasses.dataclass(eq=False)
class Try:
    """One fire record in a worker's hands."""

    partition: int
    offset: int
    fire: dict[str, Any]
    token: str
    state: int = READ
    sent_ms: int = 0  # when the newest acknowledged sign of life was sent
    next_ms: int = 0  # when the next one is to be sent
    ends_ms: int = 0  # when the work is done

    @property
    def number(self) -> int:
        return int(self.fire["runnumber"])

    @property
    def stop_after_ms(self) -> int:
        lease_ms = int(self.fire["leasems"])
        return lease_ms - max(1000, lease_ms // 10)


class Worker:
    def __init__(self, settings: dict[str, Any]):
        self.settings = settings
        self.without = settings["without"]
        self.random = random.Random(settings["seed"])
        self.tries: list[Try] = []
        self.refused: set[int] = set()
        self.tokens = 0
        self.side_log = os.open(settings["side"], os.O_WRONLY | os.O_APPEND)
        common = {"bootstrap.servers": settings["bootstrap"], "log_level": 0}
        self.producer = Producer({**common, "acks": "all", "linger.ms": 0,
                                  "enable.idempotence": True})
        self.consumer = Consumer({**common, "enable.auto.commit": False, "fetch.wait.max.ms": 50,
                                  "enable.auto.offset.store": False, **self.membership(),
                                  "auto.offset.reset": "earliest",
                                  "isolation.level": "read_committed"})
        if self.without == "subscription":
            self.consumer.assign([TopicPartition(settings["fires"], number)
                                  for number in range(settings["partitions"])])
        else:
            self.consumer.subscribe([settings["fires"]], on_revoke=self.forget,
                                    on_lost=self.forget)

    def membership(self) -> dict[str, Any]:
        group, session_ms = self.settings["group"], self.settings["session_ms"]
        if self.settings["protocol"] == "consumer":  # the session is the broker's to say
            return {"group.id": group, "group.protocol": "consumer"}
        return {"group.id": group, "session.timeout.ms": session_ms,
                "heartbeat.interval.ms": session_ms // 5,
                "partition.assignment.strategy": "range"}

    def side(self, text: str) -> None:
        line = f"{now_ms()} {self.settings['name']} {os.getpid()} {text}\n".encode()
        fcntl.flock(self.side_log, fcntl.LOCK_EX)
        os.write(self.side_log, line)
        fcntl.flock(self.side_log, fcntl.LOCK_UN)

    # ---- reports ----

    def report(self, one: Try, kind: str) -> None:
        """Sends a report; of signs of life the delivery is awaited."""
        value = {"run": one.fire["id"], "runnumber": one.number, "report": kind,
                 "token": one.token, "worker": self.settings["name"],
                 "workers": self.settings["group"], "topic": self.settings["fires"],
                 "partition": one.partition, "offset": one.offset}
        sent_ms = now_ms()

        def delivered(error: Any, message: Any) -> None:
            self.delivered(one, kind, sent_ms, error, message)

        more = {"on_delivery": delivered} if kind in ("started", "running") else {}
        self.producer.produce(self.settings["runs"], json.dumps(value), partition=0, **more)

    def delivered(self, one: Try, kind: str, sent_ms: int, error: Any, message: Any) -> None:
        if error is not None:
            if kind == "started" and one.state == SENT:
                one.state = READ
            return
        one.sent_ms = max(one.sent_ms, sent_ms)
        if kind == "started" and one.state == SENT:
            type_, appended_ms = message.timestamp()
            assert type_ == TIMESTAMP_LOG_APPEND_TIME, f"no append time: {type_}"
            in_time = appended_ms < one.fire["expirytime"] or self.without == "append_time"
            one.state = ACKED if in_time else LATE

    # ---- reading ----

    def forget(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        taken = {place.partition for place in partitions}
        self.refused -= taken
        for one in self.tries:
            if one.partition in taken and one.state <= LATE and self.without != "revoke":
                one.state = DONE

    def read_fires(self, wait_s: float) -> None:
        for number in range(8):
            message = self.consumer.poll(wait_s if number == 0 else 0)
            if message is None:
                break
            if message.error() is None:
                self.tokens += 1
                token = f"{self.settings['name']}-{os.getpid()}-{self.tokens}"
                self.tries.append(Try(message.partition(), message.offset(),
                                      json.loads(message.value()), token))
        self.producer.poll(0)

    # ---- faults ----

    def fault(self, step: str) -> None:
        at = self.settings["at"]
        if at != step and (at != "any" or step == "hole"):
            return
        drawn = self.random.randrange(1000)
        kill, freeze, linger = (self.settings[name] for name in ("kill", "freeze", "linger"))
        if drawn < kill:
            self.side(f"fault {step} kill")
            os.kill(os.getpid(), signal.SIGKILL)
        elif drawn < kill + freeze:
            self.side(f"fault {step} freeze")
            os.kill(os.getpid(), signal.SIGSTOP)
        elif drawn < kill + freeze + linger:
            self.side(f"fault {step} linger")
            end_ms = now_ms() + self.random.randint(*self.settings["linger_ms"])
            while now_ms() < end_ms:  # slow, and alive
                self.read_fires(0.01)
                self.serve_work(may_fail=False)

    # ---- the three steps of a claim ----

    def send_started(self) -> None:
        if any(one.state == READ for one in self.tries):
            self.fault("read")
            for one in self.tries:
                if one.state == READ:
                    one.state = SENT
                    self.report(one, "started")
            self.fault("sent")

    def claimed(self) -> dict[int, int]:
        """Of each partition, the offset behind what is claimed or passed over without a gap."""
        offsets: dict[int, int] = {}
        behind_a_gap = set(self.refused)
        for one in self.tries:
            if one.state >= COMMITTED or one.partition in behind_a_gap:
                continue
            if one.state in (ACKED, LATE):
                offsets[one.partition] = one.offset + 1
            else:
                behind_a_gap.add(one.partition)
        return offsets

    def commit(self, offsets: dict[int, int], wait: bool) -> dict[int, int]:
        """The code of the answer for each partition; 0 is yes."""
        places = [TopicPartition(self.settings["fires"], *place) for place in offsets.items()]
        try:
            answers = self.consumer.commit(offsets=places, asynchronous=not wait) or []
        except KafkaException as failure:
            return {partition: failure.args[0].code() for partition in offsets}
        return {answer.partition: answer.error.code() if answer.error else 0 for answer in answers}

    def commit_claims(self) -> None:
        """While the commit waits for its answer no callback runs: what is taken away is forgotten
        before or after."""
        if not any(one.state in (ACKED, LATE) for one in self.tries):
            return
        self.fault("started")
        offsets = self.claimed()
        if not offsets:
            return
        before = self.without == "commit"
        codes = dict.fromkeys(offsets, 0) if before else self.commit(offsets, wait=True)
        for partition, code in codes.items():
            self.answered(partition, offsets[partition], code)
        if any(one.state == COMMITTED for one in self.tries):
            self.fault("committed")
            for one in [one for one in self.tries if one.state == COMMITTED]:
                self.begin(one)
        if before:
            self.commit(offsets, wait=False)

    def answered(self, partition: int, offset: int, code: int) -> None:
        """What the commit's answer means for the tries of one partition."""
        if code != 0 and self.without != "commit_answer":
            self.side(f"commit {KafkaError(code).name()}")
            if code in UNKNOWN:
                return
            self.refused.add(partition)
        refused = partition in self.refused
        for one in self.tries:
            if one.partition != partition or one.state > LATE or one.offset >= offset:
                continue
            if refused and self.without == "quiet_giving_up":
                self.report(one, "released")
            if one.state == LATE:
                self.side(f"late {one.number}")
            one.state = DONE if refused or one.state == LATE else COMMITTED

    def begin(self, one: Try) -> None:
        """Step 3: not too long since `started` was sent; only then the work begins."""
        now = now_ms()
        if now - one.sent_ms >= one.stop_after_ms and self.without != "lease_check":
            one.state = DONE
            self.side(f"given-back {one.number}")
            self.report(one, "released")
            return
        self.fault("hole")
        self.side(f"starting {one.number} {one.token}")
        if now_ms() - now > 500:
            self.side(f"hole {one.number}")
        one.state = WORKING
        one.ends_ms = now + one.fire["workms"]
        one.next_ms = now + one.fire["leasems"] // 3
        self.fault("starting")

    # ---- work ----

    def serve_work(self, may_fail: bool) -> None:
        for one in [one for one in self.tries if one.state == WORKING]:
            now = now_ms()
            if now - one.sent_ms >= one.stop_after_ms and self.without != "lease_check":
                one.state = DONE
                self.side(f"stopped {one.number}")
                self.report(one, "lost_lease")
            elif now >= one.ends_ms:
                one.state = DONE
                self.side(f"ended {one.number}")
                if may_fail:
                    self.fault("ended")
                self.report(one, "success")
                if may_fail:
                    self.fault("reported")
            elif now >= one.next_ms:
                one.next_ms = now + one.fire["leasems"] // 3
                self.report(one, "running")

    def run(self) -> None:
        while True:
            self.read_fires(0.01)
            self.send_started()
            self.producer.poll(0)
            self.commit_claims()
            self.serve_work(may_fail=True)
            self.tries = [one for one in self.tries if one.state != DONE]


if __name__ == "__main__":
    Worker(json.loads(sys.argv[1])).run()
