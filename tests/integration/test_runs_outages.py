"""Outages beside open leases: the daemons are away, Kafka stands still.

BELFRY_OUTAGE_S (20): for how long; BELFRY_OPEN_LEASES (200): of how many tries. The ten-minute form
is `TRUST=61 make trust` (tests/trust/test_long_outages.py).
"""

from __future__ import annotations

import collections
import os
import threading
import time
from typing import Any

import harness
from bulk_worker import BulkWorker, Fire
from harness import Belfryd, CommandClient, Kafka, Redis, TopicReader, wait_for
from oracle_fold import instant_text
from runner import limit
from worker import Work, Worker, clock_s, need_leases

OUTAGE_S = float(os.environ.get("BELFRY_OUTAGE_S", "20"))
LEASES = int(os.environ.get("BELFRY_OPEN_LEASES", "200"))
WORKERS = "night-shift"
SILENT = 20  # of them say nothing any more


def begin(kafka: Kafka, redis: Redis, cluster: str) -> tuple[Belfryd, CommandClient]:
    daemon = Belfryd(kafka, redis, cluster, shards=2).start()
    daemon.wait_ready()
    daemon.wait_live()
    client = CommandClient(kafka.bootstrap, cluster)
    need_leases(client)
    return daemon, client


def add(client: CommandClient, names: list[str], lease_s: float, due_s: float,
        **terms: Any) -> None:
    """One slot, at due_s."""
    for first in range(0, len(names), 1000):
        client.call({"op": "add", "command_id": f"add-{names[first]}", "jobs": [
            {"group": f"g{number % 8}", "id": names[number],
             "schedule": {"at": instant_text(int(due_s * 1000))}, "lease": f"{lease_s:g}s",
             "workers": WORKERS, **terms}
            for number in range(first, min(first + 1000, len(names)))]}, deadline_s=60)


def ends(reader: TopicReader) -> dict[str, str]:
    """Of each run that failed, what is said of it."""
    reader.read_to_end()
    return {record.json["run"]: record.json.get("detail", "") for record in reader.records
            if record.json["event"] == "run_failed"}


@limit(OUTAGE_S * 2 + 240)
def test_daemons_away_beside_open_leases(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Workers renew, nobody reads it. When a daemon is back, no run whose worker shows life is
    given up, and those whose worker is silent are, all of them."""
    daemon, client = begin(kafka, redis, cluster)
    lease_s = max(10.0, min(60.0, OUTAGE_S / 2))
    due_s = time.time() + 8 + LEASES / 2000
    add(client, [f"job-{number}" for number in range(LEASES)], lease_s, due_s)
    with BulkWorker(kafka.bootstrap, cluster, WORKERS) as worker, \
            TopicReader(kafka.bootstrap, f"{cluster}.events") as events:
        fires = list(worker.fires(LEASES, due_s - time.time() + 60))
        worker.report(fires, "started", "running")
        worker.commit()
        silent, lively = fires[:SILENT], fires[SILENT:]
        daemon.kill9()
        end_s, renew_s = time.monotonic() + OUTAGE_S, 0.0
        while time.monotonic() < end_s:
            renew_s = renew(worker, lively, renew_s, lease_s)
            time.sleep(0.1)
        daemon.start()
        daemon.wait_live()

        def silent_ended() -> bool:
            nonlocal renew_s
            renew_s = renew(worker, lively, renew_s, lease_s)
            return len(ends(events)) >= SILENT

        wait_for(silent_ended, lease_s + 60, "the silent ones are given up", every_s=0.2)
        assert set(ends(events)) == {fire["id"] for fire in silent}
        worker.report(lively, "success")
        wait_for(lambda: open_runs(kafka, cluster) == 0, 60, "no run is open", every_s=1)
        assert len(ends(events)) == SILENT, ends(events)
    daemon.terminate()


def renew(worker: BulkWorker, fires: list[Fire], renew_s: float, lease_s: float) -> float:
    if time.monotonic() < renew_s:
        return renew_s
    worker.report(fires, "running")
    return time.monotonic() + lease_s / 3


def open_runs(kafka: Kafka, cluster: str) -> int:
    """By the newest records of the state log."""
    newest = {(record.partition, record.key): record for record in
              harness.read_all(kafka.bootstrap, f"{cluster}.state", deadline_s=60)
              if (record.key or b"").startswith(b"run/")}
    return sum(1 for record in newest.values() if record.value and not record.json.get("free"))


@limit(OUTAGE_S * 3 + 300)
def test_kafka_away_beside_leases_above_it_and_below(redis: Redis) -> None:
    """A run whose lease is longer than the outage goes on; one with a shorter lease is stopped by
    its worker in time. None is started twice, and none of it is taken for poison."""
    short_s, long_s = 10.0, max(60.0, OUTAGE_S * 3)
    spans: dict[str, list[tuple[int, float, float]]] = collections.defaultdict(list)
    lock, leave = threading.Lock(), threading.Event()

    def handler(work: Work) -> str:
        began_s = clock_s()
        while not leave.is_set() and not work.stop.wait(0.05):
            pass
        with lock:
            spans[work.fire["jobid"]].append((int(work.fire["runnumber"]), began_s, clock_s()))
        return "success" if leave.is_set() else "failure"

    with Kafka() as kafka:
        daemon, client = begin(kafka, redis, "away")
        due_s = time.time() + 5
        retry = {"attempts": 5, "initial": "100ms", "max": "100ms", "poison_after": 1}
        add(client, [f"short-{number}" for number in range(5)], short_s, due_s, retry=retry)
        add(client, [f"long-{number}" for number in range(5)], long_s, due_s, retry=retry)
        with Worker(kafka.bootstrap, "away", WORKERS, handler) as worker:
            wait_for(lambda: len([work for work in worker.works if work.thread]) == 10, 60,
                     "ten programs run")
            for broker in kafka.processes:
                broker.sigstop()
            stopped_s = clock_s()
            time.sleep(OUTAGE_S)
            for broker in kafka.processes:
                broker.sigcont()
            # The short ones were stopped by their worker, and come again; the long ones go on.
            wait_for(lambda: sum(work.fire["jobid"].startswith("short") and work.fire["try"] > 1
                                 for work in list(worker.works) if work.thread) == 5, 90,
                     "the short ones are tried again")
            assert not [name for name in spans if name.startswith("long")], spans
            leave.set()
            wait_for(lambda: len(spans) == 10 and not worker.works, 60, "all have ended")
        for name, found in spans.items():
            assert len({number for number, *_ in found}) == len(found), f"{name} twice: {found}"
            if name.startswith("short"):
                first = min(found)
                assert first[2] - stopped_s < short_s, f"{name} went on for {first}"
                assert all(later[1] > first[2] for later in found if later != first), found
        with TopicReader(kafka.bootstrap, "away.events") as events:
            assert ends(events) == {}, "none is poison, none is lost for good"
        wait_for(lambda: open_runs(kafka, "away") == 0, 60, "no run is open", every_s=1)
        daemon.terminate()
