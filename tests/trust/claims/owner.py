"""Stands for the owner of one shard: fires runs, reads what workers report, and decides `lost` and
`not_started` in the order of docs/runs.md: lapse, what the coordinator says, a tick read back."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from topics import client_options

SLACK_S = 1.0  # what the owner waits beyond the lease
TICK_EVERY_S = 1.0
ASK_EVERY_S = 0.5


class SideLog:
    """What really happened, in one order: a line is written under flock, as the workers do."""

    def __init__(self, path: Path):
        self.path = path
        self.file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self.lock = threading.Lock()  # flock is of the open file, not of the thread

    def write(self, name: str, pid: int, text: str) -> None:
        at_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        with self.lock:
            fcntl.flock(self.file, fcntl.LOCK_EX)
            os.write(self.file, f"{at_ms} {name} {pid} {text}\n".encode())
            fcntl.flock(self.file, fcntl.LOCK_UN)


@dataclasses.dataclass
class Terms:
    """What the runs of a group look like."""

    lease_ms: tuple[int, ...] = (3000, 6000)
    start_within_ms: tuple[int, ...] = (3000, 15000)
    work_ms: tuple[int, ...] = (30, 100, 300, 300, 5000)
    open_runs: int = 12


@dataclasses.dataclass
class OpenTry:
    """A try without an end."""

    run: str
    attempt: int
    number: int
    lease_ms: int
    expiry_ms: int
    sign_s: float | None = None  # when the newest sign of life was read
    place: tuple[str, int, int] = ("", 0, 0)  # where its fire is, by `started`
    asked_s: float = 0.0
    committed: bool | None = None  # what the coordinator said after the lapse; None: no answer
    tick_of_loss: int = 0  # the first tick that may prove `lost`, 0: none yet
    tick_of_expiry: int = 0  # the first tick that may prove `not_started` behind a lapse

    def lapsed(self, now_s: float) -> bool:
        return self.sign_s is not None and now_s >= self.sign_s + self.lease_ms / 1000 + SLACK_S


class Owner(threading.Thread):
    """One shard's owner. `without` names a rule that is left out."""

    def __init__(self, bootstrap: str, group: str, partitions: int, number: int, side: SideLog,
                 terms: Terms, without: str):
        super().__init__(name=f"owner-{group}", daemon=True)
        self.group, self.fires, self.runs = group, f"{group}.fires", f"{group}.runs"
        self.partitions, self.side, self.terms, self.without = partitions, side, terms, without
        self.random = random.Random(number)
        self.next_number = (number + 1) << 32
        self.next_run = 0
        self.open: dict[int, OpenTry] = {}
        self.ends: dict[str, int] = {}  # how many tries ended how
        self.tick_sent = self.tick_read = 0
        self.ticked_s = 0.0
        self.tick_append_ms = 0
        self.read_to = 0
        self.feeding = True
        self.stopping = False
        self.failure: BaseException | None = None
        # A client of the workers' group that never joins it. The admin client's question ends the
        # process where the coordinator is loading or has moved (librdkafka 2.0.2 to 2.16.0).
        self.asker = Consumer(client_options(bootstrap, group_id=group, enable_auto_commit=False))
        self.producer = Producer(client_options(bootstrap, linger_ms=0, acks="all",
                                                enable_idempotence=True))
        self.reader = Consumer(client_options(
            bootstrap, group_id=f"{group}.owner", isolation_level="read_committed",
            enable_auto_commit=False, enable_partition_eof=True, auto_offset_reset="error",
            fetch_wait_max_ms=50))
        self.reader.assign([TopicPartition(self.runs, 0, 0)])

    def run(self) -> None:
        try:
            while not self.stopping:
                for message in self.reader.consume(200, 0.05):
                    self.read(message)
                self.producer.poll(0)
                self.judge()
                while self.feeding and len(self.open) < self.terms.open_runs:
                    self.next_run += 1
                    self.fire(f"{self.group}/r{self.next_run}", 1)
        except BaseException as failure:  # said by whoever waits for this owner
            self.failure = failure
            raise
        finally:
            self.reader.close()
            self.asker.close()

    def fire(self, run: str, attempt: int) -> None:
        self.next_number += 1
        draw = self.random.choice
        one = OpenTry(run, attempt, self.next_number, draw(self.terms.lease_ms),
                      int(time.time() * 1000) + draw(self.terms.start_within_ms))
        self.open[one.number] = one
        value = {"id": run, "runnumber": one.number, "try": attempt, "leasems": one.lease_ms,
                 "expirytime": one.expiry_ms, "workers": self.group,
                 "workms": draw(self.terms.work_ms)}
        self.producer.produce(self.fires, json.dumps(value),
                              partition=self.random.randrange(self.partitions))

    def close(self, one: OpenTry, outcome: str) -> None:
        """A try's one end; what is not done is fired again under a new number."""
        self.side.write("owner", 0, f"closed {one.number} {outcome}")
        del self.open[one.number]
        self.ends[outcome] = self.ends.get(outcome, 0) + 1
        if outcome != "success":
            self.fire(one.run, one.attempt + 1)

    # ---- what is read ----

    def read(self, message: Any) -> None:
        error = message.error()
        self.read_to = max(self.read_to, (message.offset() or 0) + (0 if error else 1))
        if error is not None:  # an end, or a broker that is away
            return
        value = json.loads(message.value())
        if "tick" in value:
            self.read_tick(value["tick"], message.timestamp()[1])
        elif value.get("workers") == self.group and value.get("runnumber") in self.open:
            self.read_report(self.open[value["runnumber"]], value, message.timestamp()[1])

    def read_report(self, one: OpenTry, value: dict[str, Any], appended_ms: int) -> None:
        kind = value["report"]
        if kind == "started" and appended_ms >= one.expiry_ms:
            return
        if kind in ("started", "running"):
            one.sign_s = time.monotonic()
            one.place = (value["topic"], value["partition"], value["offset"])
            one.committed, one.tick_of_loss, one.tick_of_expiry = None, 0, 0
        else:
            self.close(one, kind)

    def read_tick(self, number: int, appended_ms: int) -> None:
        self.tick_read, self.tick_append_ms = number, appended_ms
        for one in list(self.open.values()):
            expired = appended_ms >= one.expiry_ms + 1000
            if 0 < one.tick_of_loss <= number:
                self.close(one, "lost")
            elif expired and one.sign_s is None:
                self.close(one, "not_started")
            elif expired and 0 < one.tick_of_expiry <= number:
                # Not committed when the lease was over: whoever has it can only give it back.
                self.close(one, "lost" if one.committed is None else "not_started")

    # ---- what time says ----

    def judge(self) -> None:
        now_s, now_ms = time.monotonic(), time.time() * 1000
        lapsed = [one for one in self.open.values() if one.lapsed(now_s)]
        self.ask([one for one in lapsed
                  if not one.committed and now_s >= one.asked_s + ASK_EVERY_S], now_s)
        wanted = False
        for one in lapsed:
            if one.committed and one.tick_of_loss == 0:
                one.tick_of_loss = self.tick_sent + 1
            if now_ms >= one.expiry_ms + 1000 and one.tick_of_expiry == 0:
                one.tick_of_expiry = self.tick_sent + 1
            wanted |= max(one.tick_of_loss, one.tick_of_expiry) > 0
        wanted |= any(one.sign_s is None and now_ms >= one.expiry_ms + 1000
                      for one in self.open.values())
        if self.without == "tick":
            self.judge_by_end(now_ms)
        elif wanted and now_s >= self.ticked_s + TICK_EVERY_S:
            self.ticked_s = now_s
            self.tick_sent += 1
            self.producer.produce(self.runs, json.dumps({"tick": self.tick_sent}), partition=0)

    def judge_by_end(self, now_ms: float) -> None:
        """In place of the tick: all is read up to the end of the partition, as a reader of
        committed records is told it."""
        due = [(one, "lost") for one in self.open.values() if one.tick_of_loss]
        due += [(one, "not_started") for one in self.open.values()
                if one.sign_s is None and now_ms >= one.expiry_ms + 1000]
        if due:
            end = self.reader.get_watermark_offsets(TopicPartition(self.runs, 0), 5)[1]
            if self.read_to >= end:
                for one, outcome in due:
                    self.close(one, outcome)

    def ask(self, tries: list[OpenTry], now_s: float) -> None:
        """What the group has committed, one request for all."""
        if not tries:
            return
        offsets: dict[int, int] = {}
        if self.without != "coordinator":
            places = [TopicPartition(self.fires, partition)
                      for partition in sorted({one.place[1] for one in tries})]
            try:
                found = self.asker.committed(places, timeout=5)
            except KafkaException:
                found = []
            offsets = {place.partition: place.offset for place in found if place.error is None}
        for one in tries:
            one.asked_s = now_s
            if self.without == "coordinator":
                one.committed = True
            elif one.place[1] in offsets:
                one.committed = offsets[one.place[1]] > one.place[2]
