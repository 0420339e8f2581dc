"""Exactly once under faults: kills at random moments and at fault points, zombies, lost Redis,
broker restarts, while commands keep coming; then the oracle looks at everything there is.

  CHAOS_SEED=N      repeats the choices of a run (the moments depend on the machine)
  CHAOS_SECONDS=N   how long faults go on at least; 100 by default, `make chaos` gives more
"""

from __future__ import annotations

import collections
import os
import random
import sys
import time
from pathlib import Path

from harness import Kafka, Redis, wait_for
from oracle import History, Oracle, stored_jobs
from runner import LOGS, limit

sys.path.insert(0, str(Path(__file__).resolve().parent))

from faults import KILLS_MIN, SHARDS, Chaos, say  # noqa: E402 -- found through the line above
from workload import Workload  # noqa: E402

JOBS = 220
SECONDS = float(os.environ.get("CHAOS_SECONDS", 100))
SETTLE_S = 90.0


def wait_accounted(history: History, until_ms: int) -> Oracle:
    """Reads until every slot up to `until_ms` is there, or the deadline is over."""
    end = time.monotonic() + SETTLE_S
    while True:
        oracle = Oracle(history.read())
        missing = oracle.missing(until_ms)
        if not missing or time.monotonic() > end:
            return oracle
        time.sleep(1)


def wait_answered(history: History, sent: int) -> None:
    """Waits until each record of the control topic has a result of every shard it concerns."""

    def answered() -> bool:
        history.read()
        shards: dict[tuple[int, int], set[int]] = collections.defaultdict(set)
        wanted: dict[tuple[int, int], int] = {}
        for _, result in history.results:
            place = (result["source"]["partition"], result["source"]["offset"])
            shards[place].add(result["shard"])
            wanted[place] = result["shards"]
        whole = all(len(shards[place]) >= count for place, count in wanted.items())
        return whole and len(shards) >= len(history.records("control")) >= sent

    wait_for(answered, SETTLE_S, "each command has its results", every_s=0.5)


@limit(SECONDS * 2 + 400)
def test_exactly_once_under_faults() -> None:
    seed = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))
    say(f"CHAOS_SEED={seed} CHAOS_SECONDS={SECONDS:g}")
    with Kafka() as kafka, Redis(appendonly=False) as redis:
        chaos = Chaos(kafka, redis, seed)
        for daemon in chaos.daemons:
            daemon.start()
        for daemon in chaos.daemons:
            daemon.wait_ready()
        workload = Workload(kafka.bootstrap, "belfry", seed, JOBS, per_second=8).start()
        chaos.run(SECONDS)
        say(f"{chaos.kills} kills, at fault points: {chaos.at_fault_points}; now it settles")
        chaos.settle()
        workload.stop()
        assert not workload.failed, workload.failed[:3]
        with History(kafka.bootstrap, "belfry", SHARDS) as history:
            # A pause still on its way to another shard would act behind the last resume.
            wait_answered(history, workload.sent)
            workload.finish()
            wait_answered(history, workload.sent)
            until_ms = time.time_ns() // 1_000_000
            wait_accounted(history, until_ms)
            for daemon in chaos.daemons:
                daemon.terminate()
            with redis.client() as client:
                stored = stored_jobs(client, "belfry", SHARDS)
            try:
                counts = Oracle(history.read()).check(until_ms, stored)
            except AssertionError:
                say(f"kept: {history.save(LOGS / f'chaos-{seed}.history')}")
                raise
        say(f"seed={seed} kills={chaos.kills} {counts}")
        assert chaos.kills >= KILLS_MIN
        assert counts["jobs"] >= 200
