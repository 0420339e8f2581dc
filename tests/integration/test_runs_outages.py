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
from worker import READ, Work, Worker, clock_s, need_leases

OUTAGE_S = float(os.environ.get("BELFRY_OUTAGE_S", "20"))
LEASES = int(os.environ.get("BELFRY_OPEN_LEASES", "200"))
LENGTHS_S = [10.0, 30.0, max(10.0, OUTAGE_S / 2), max(10.0, OUTAGE_S * 1.2)]
WORKERS = "night-shift"
SILENT = 5  # of each length say nothing any more
DONE = 5  # and so many end while no daemon is there
JOBS = 5  # of each kind beside an outage of Kafka
FIRST_S = 15.0  # Kafka is away twice: so long, then for OUTAGE_S
BACK_S = 300.0  # until all that ended in an outage is at work again


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


class Signs(threading.Thread):
    """Shows life for tries, of each length of lease every third of it."""

    def __init__(self, worker: BulkWorker, tries: dict[float, list[Fire]]):
        super().__init__(daemon=True)
        self.worker, self.tries = worker, tries
        self.leave = threading.Event()
        self.longest_s = dict.fromkeys(tries, 0.0)  # from one sign to when the next one was there

    def run(self) -> None:
        shown_s = dict.fromkeys(self.tries, time.monotonic())
        while not self.leave.wait(0.1):
            for lease_s, fires in self.tries.items():
                began_s = time.monotonic()
                if began_s - shown_s[lease_s] < lease_s / 3:
                    continue
                self.worker.report(fires, "running")
                silence_s = time.monotonic() - shown_s[lease_s]
                self.longest_s[lease_s] = max(self.longest_s[lease_s], silence_s)
                shown_s[lease_s] = began_s

    def end(self) -> None:
        """Who has shown life too late was taken for lost rightly: then this tests nothing."""
        self.leave.set()
        self.join()
        late = {lease_s: longest_s for lease_s, longest_s in self.longest_s.items()
                if longest_s > lease_s}
        assert not late, f"signs of life came too late, of {late}"


def by_length(fires: list[Fire]) -> dict[float, list[Fire]]:
    found: dict[float, list[Fire]] = collections.defaultdict(list)
    for fire in fires:
        found[int(fire["leasems"]) / 1000].append(fire)
    return found


@limit(OUTAGE_S * 4 + 400)
def test_daemons_away_beside_open_leases(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Workers renew leases shorter and longer than the outage, some end their work, nobody reads
    it. When a daemon is back, no run whose worker shows life or has ended is given up, and those
    whose worker is silent are, all of them."""
    daemon, client = begin(kafka, redis, cluster)
    due_s = time.time() + 8 + LEASES / 2000
    for at, lease_s in enumerate(LENGTHS_S):
        names = [f"job-{number}" for number in range(at, LEASES, len(LENGTHS_S))]
        add(client, names, lease_s, due_s)
    with BulkWorker(kafka.bootstrap, cluster, WORKERS) as worker, \
            TopicReader(kafka.bootstrap, f"{cluster}.events") as events:
        fires = list(worker.fires(LEASES, due_s - time.time() + 60))
        worker.report(fires, "started", "running")
        worker.commit()
        lengths = by_length(fires)
        silent = {fire["id"] for found in lengths.values() for fire in found[:SILENT]}
        done = [fire for found in lengths.values() for fire in found[SILENT:SILENT + DONE]]
        signs = Signs(worker, {lease_s: found[SILENT + DONE:] for lease_s, found in
                               lengths.items()})
        signs.start()
        daemon.kill9()
        time.sleep(OUTAGE_S / 2)
        worker.report(done, "success")
        time.sleep(OUTAGE_S / 2)
        daemon.start()
        daemon.wait_live()
        wait_for(lambda: len(ends(events)) >= len(silent), max(LENGTHS_S) + 120,
                 "the silent ones are given up", every_s=0.2)
        signs.end()
        given_up(events, silent)
        worker.report([fire for found in signs.tries.values() for fire in found], "success")
        wait_for(lambda: open_runs(kafka, cluster) == 0, 120, "no run is open", every_s=1)
        given_up(events, silent)
    daemon.terminate()


def given_up(events: TopicReader, silent: set[str]) -> None:
    found = ends(events)
    alive, missing = sorted(found.keys() - silent), sorted(silent - found.keys())
    assert not alive and not missing, (
        f"given up though alive: {len(alive)} {alive[:3]}, not given up: {len(missing)} "
        f"{missing[:3]}")
    assert set(found.values()) == {"lost"}, found


def open_runs(kafka: Kafka, cluster: str) -> int:
    """By the newest records of the state log."""
    newest = {(record.partition, record.key): record for record in
              harness.read_all(kafka.bootstrap, f"{cluster}.state", deadline_s=60)
              if (record.key or b"").startswith(b"run/")}
    return sum(1 for record in newest.values() if record.value and not record.json.get("free"))


class Programs:
    """What the worker starts: it works until it is to stop; what is streamed ends at once."""

    def __init__(self) -> None:
        self.begun: dict[str, list[int]] = collections.defaultdict(list)  # of a job, runnumbers
        self.spans: dict[str, list[tuple[int, float, float]]] = collections.defaultdict(list)
        self.lock, self.leave = threading.Lock(), threading.Event()

    def __call__(self, work: Work) -> str:
        name, number, began_s = work.fire["jobid"], int(work.fire["runnumber"]), clock_s()
        with self.lock:
            self.begun[name].append(number)
        while name != "stream" and not self.leave.is_set() and not work.stop.wait(0.05):
            pass
        with self.lock:
            self.spans[name].append((number, began_s, clock_s()))
        return "success" if name == "stream" or self.leave.is_set() else "failure"

    def at_work(self, kind: str, tries: int) -> bool:
        """The jobs of that name have each begun so many tries at least."""
        return sum(name.startswith(kind) and len(numbers) >= tries
                   for name, numbers in list(self.begun.items())) == JOBS


class LateWorker(Worker):
    """That it stopped the jobs late-… it says when their next try is there: too late."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.kept: list[Work] = []

    def report(self, work: Work, report: str, **more: Any) -> None:
        if report == "lost_lease" and work.fire["jobid"].startswith("late"):
            self.kept.append(work)
        else:
            super().report(work, report, **more)

    def send_started(self) -> None:
        come = {work.fire["id"] for work in self.works if work.state == READ}
        for work in [work for work in self.kept if work.fire["id"] in come]:
            self.kept.remove(work)
            super().report(work, "lost_lease")
        super().send_started()


def stand_still(kafka: Kafka, for_s: float) -> float:
    """Kafka stands still; returns when that began."""
    began_s = clock_s()
    for broker in kafka.processes:
        broker.sigstop()
    time.sleep(for_s)
    for broker in kafka.processes:
        broker.sigcont()
    return began_s


@limit(OUTAGE_S * 2 + 1000)
def test_kafka_away_beside_leases_above_it_and_below(redis: Redis) -> None:
    """Twice. A run whose lease is longer than the outage goes on; one with a shorter lease is
    stopped by its worker in time, and comes again, whether its worker says so before its owner
    gives it up or behind that. None is started twice, and none is taken for poison, which two
    losses in a row are."""
    short_s, long_s = 10.0, max(60.0, OUTAGE_S * 3)
    programs = Programs()
    with Kafka() as kafka:
        daemon, client = begin(kafka, redis, "away")
        due_s = time.time() + 5
        terms = {"retry": {"attempts": 20, "initial": "100ms", "max": "100ms", "poison_after": 2}}
        for kind, lease_s in (("short", short_s), ("late", short_s), ("long", long_s)):
            add(client, [f"{kind}-{number}" for number in range(JOBS)], lease_s, due_s, **terms)
        client.call({"op": "add", "command_id": "stream", "job": {
            "group": "g", "id": "stream", "schedule": {"every": "1s"}, "lease": f"{short_s:g}s",
            "workers": WORKERS, "catchup": {"policy": "none"}, **terms}}, "applied")
        with LateWorker(kafka.bootstrap, "away", WORKERS, programs) as worker, \
                TopicReader(kafka.bootstrap, "away.events") as events:

            def at_work(tries: int) -> bool:
                """All of them, and none was given up for good."""
                assert ends(events) == {}, ends(events)
                return programs.at_work("long", 1) and all(
                    programs.at_work(kind, tries) for kind in ("short", "late"))

            stopped_s = []
            for outages, away_s in enumerate((FIRST_S, OUTAGE_S), 1):
                wait_for(lambda: at_work(outages), BACK_S, f"all programs run, outage {outages}",
                         every_s=0.5)
                stopped_s.append(stand_still(kafka, away_s))
            wait_for(lambda: at_work(3), BACK_S, "the short ones are tried again", every_s=0.5)
            stopped = [name for name in programs.spans if name.startswith("long")]
            assert not stopped, f"they did not live on: {stopped}"
            client.call({"op": "delete", "command_id": "dry", "select": {"groups": ["g"],
                                                                        "ids": ["stream"]}})
            programs.leave.set()
            wait_for(lambda: not worker.works and not worker.kept, 120, "all have ended")
            assert ends(events) == {}, "none is poison, none is lost for good"
        judge(programs, stopped_s, short_s)
        wait_for(lambda: open_runs(kafka, "away") == 0, 120, "no run is open", every_s=1)
        print(f"      tries ended, by the state log: {outcomes(kafka, 'away')}")
        assert outcomes(kafka, "away")["lost"] >= 2 * JOBS, "no loss was told of too late"
        daemon.terminate()


def judge(programs: Programs, stopped_s: list[float], short_s: float) -> None:
    """By what the programs did themselves."""
    for name, numbers in programs.begun.items():
        assert len(set(numbers)) == len(numbers), f"{name} was started twice: {numbers}"
    for name, found in programs.spans.items():
        ordered = sorted(found)
        if name.startswith("long"):
            assert len(found) == 1, f"{name} did not live on: {found}"
        elif name != "stream":
            assert all(later[1] > earlier[2] for earlier, later in zip(ordered, ordered[1:])), found
            for began_s in stopped_s:  # what was at work then
                assert all(span[2] - began_s < short_s for span in found
                           if span[1] < began_s < span[2]), f"{name} went on: {found} {stopped_s}"


def outcomes(kafka: Kafka, cluster: str) -> collections.Counter[str]:
    """What tries ended as, by the records of their runs."""
    tries = {(record.partition, one["runnumber"], one.get("outcome", "released"))
             for record in harness.read_all(kafka.bootstrap, f"{cluster}.state", deadline_s=60)
             if (record.key or b"").startswith(b"run/") and record.value
             for one in record.json.get("tries", [])}
    return collections.Counter(outcome for *_, outcome in tries)
