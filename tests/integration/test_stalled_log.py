"""A log whose reader stands still: the work goes on, and a wish to end is met in time."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Callable, Iterable

from harness import (BUILD, Belfryd, CommandClient, Kafka, Process, Redis, TopicReader,
                     create_topic, parse_log_line, produce, wait_for)

PIPE_BYTES = 4096


class LogPipe:
    """A named pipe for a program's stderr, read until somebody says stop()."""

    def __init__(self, directory: Path):
        self.path = directory / "log.pipe"
        os.mkfifo(self.path)
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.text = ""
        self.reading = True
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while self.reading:
            self.drain()
            time.sleep(0.01)

    def drain(self) -> None:
        """Reads what there is."""
        while True:
            try:
                self.text += os.read(self.descriptor, 65536).decode(errors="replace")
            except BlockingIOError:
                return

    def events(self, name: str) -> list[dict[str, str]]:
        return [line for line in map(parse_log_line, self.text.splitlines())
                if line.get("event") == name]

    def stop(self) -> None:
        """The reader stands still; the pipe is full from now on, to the last byte."""
        self.reading = False
        self.thread.join()
        for size in (PIPE_BYTES, 1):
            try:
                while True:
                    os.write(self.descriptor, b"\n" * size)
            except BlockingIOError:
                pass

    def wrapper(self) -> tuple[str, ...]:
        """Words before a command whose stderr shall be the pipe."""
        return ("sh", "-c", f'exec "$@" 2>{self.path}', "sh")


def _seconds_to_end(process: Process) -> float:
    began = time.monotonic()
    process.send(signal.SIGTERM)
    assert process.wait_exit() == 0, process
    return time.monotonic() - began


def test_fires_go_on_and_the_daemon_ends_in_time(kafka: Kafka, redis: Redis, cluster: str,
                                                 tmp: Path) -> None:
    pipe = LogPipe(tmp)
    with Belfryd(kafka, redis, cluster, shards=2, args=["--log-level", "debug"],
                 wrapper=pipe.wrapper()) as daemon:
        wait_for(lambda: len(pipe.events("shard.live")) == 2, 60, "the shards are live")
        with CommandClient(kafka.bootstrap, cluster) as client:
            client.call({"op": "add", "job": {"group": "g", "id": "j",
                                              "schedule": {"every": "1s"}}}, outcome="applied")
        pipe.stop()
        fires = TopicReader(kafka.bootstrap, f"{cluster}.fires")
        seen = fires.read_to_end()
        fires.read_until(len(seen) + 5, 60)
        assert _seconds_to_end(daemon) < 15
        pipe.drain()
        fires.close()
    assert not pipe.events("daemon.stopped"), "the pipe took lines: this test tests nothing"


def _send(kafka: Kafka, cluster: str, numbers: Iterable[int]) -> None:
    fires = [{"specversion": "1.0", "type": "belfry.fire.v1", "source": "/belfry/belfry/0",
              "id": f"1795290000123-0.{n}.0@1795294674000", "subject": f"g/{n}",
              "time": "2026-11-21T20:57:54.012Z", "dueat": "2026-11-21T20:57:54.000Z",
              "jobgroup": "g", "jobid": f"{n}", "jobincarnation": f"1795290000123-0.{n}.0",
              "jobrevision": 1, "firekind": "schedule", "latenessms": 0, "missedcount": 0,
              "attempt": 1} for n in numbers]
    produce(kafka.bootstrap, f"{cluster}.fires",
            [("g", json.dumps(fire), [("content-type", b"application/cloudevents+json")])
             for fire in fires])


def test_the_worker_works_and_ends_in_time(kafka: Kafka, cluster: str, tmp: Path) -> None:
    create_topic(kafka.bootstrap, f"{cluster}.fires")
    pipe = LogPipe(tmp)
    with Process("worker", [*pipe.wrapper(), BUILD / "belfry-worker", "--kafka", kafka.bootstrap,
                            "--group-id", cluster, "--cluster", cluster, "--exec", "sh", "-c",
                            f"echo $BELFRY_JOB >> {tmp}/ran"]) as worker:
        ran: Callable[[], list[str]] = lambda: (
            (tmp / "ran").read_text().split() if (tmp / "ran").exists() else [])
        _send(kafka, cluster, [1])
        wait_for(lambda: pipe.events("program.ended"), 60, "the first program")
        pipe.stop()
        _send(kafka, cluster, range(2, 30))
        wait_for(lambda: len(ran()) == 29, 60, "29 programs ran")
        assert _seconds_to_end(worker) < 15
    assert not pipe.events("worker.ended"), "the pipe took lines: this test tests nothing"
