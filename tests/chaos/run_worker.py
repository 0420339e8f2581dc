#!/usr/bin/env python3
"""One process of workers of the chaos of runs: takes tries by the claim protocol
(tests/support/worker.py); each program that it starts writes its start and its end into the side
log, under flock, and works for as long as a draw says. What stands in `calm` ends at once."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from confluent_kafka import Consumer  # noqa: E402 -- found through the line above

from topics import client_options, partition_count  # noqa: E402
from worker import Work, Worker, clock_s  # noqa: E402


class Programs:
    """What the worker starts."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = settings
        self.calm = Path(settings["calm"])
        self.chance = random.Random(settings["seed"])
        self.side = os.open(settings["side"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, word: str, work: Work) -> None:
        line = json.dumps([time.time_ns() // 1_000_000, os.getpid(), word, work.fire["id"],
                           int(work.fire["runnumber"])])
        fcntl.flock(self.side, fcntl.LOCK_EX)
        os.write(self.side, line.encode() + b"\n")
        fcntl.flock(self.side, fcntl.LOCK_UN)

    def run(self, work: Work) -> dict[str, Any] | str:
        self.write("start", work)
        end_s = clock_s() + self.chance.choice(self.settings["work_s"])
        while clock_s() < end_s and not self.calm.exists():
            # A program does not outlive its lease by more than it takes to look at the clock.
            if clock_s() >= work.kill_s or work.stop.wait(0.02):
                break
        word = "success" if self.calm.exists() else self.chance.choices(
            ["success", "failure", "timeout", "released"], [14, 4, 1, 1])[0]
        self.write("end", work)
        if word == "failure":
            return {"report": word, "exit_code": self.chance.choice([1, 2, 78])}
        return word


def main() -> None:
    settings = json.loads(sys.argv[1])
    programs = Programs(settings)
    probe = Consumer(client_options(settings["bootstrap"], group_id="probe"))
    while partition_count(probe, f"{settings['cluster']}.cancels") == 0:
        time.sleep(0.2)  # the broker is away
    probe.close()
    worker = Worker(settings["bootstrap"], settings["cluster"], settings["workers"], programs.run,
                    name=settings["name"], session_timeout_ms=6000, heartbeat_interval_ms=1000)
    signal.signal(signal.SIGTERM, lambda *_: worker.ending.set())
    worker.start()
    print("ready", flush=True)
    worker.join()
    if worker.failure is not None:
        raise SystemExit(f"worker: {worker.failure!r}")


if __name__ == "__main__":
    main()
