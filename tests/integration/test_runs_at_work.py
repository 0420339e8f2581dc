"""Runs on a real Kafka: what other schedulers call SkipIfStillRunning and DelayIfStillRunning, what
the metrics say of runs, and how many records a short one costs."""

from __future__ import annotations

import collections
import threading
import time
from typing import Any, Iterator

from harness import Belfryd, CommandClient, Kafka, Redis, read_all, wait_for
from http_client import Asker
from metrics_count import scrape
from oracle_fold import instant_ms
from worker import Work, Worker, need_leases

WORKERS = "night-shift"


class Runs:
    """A daemon, and jobs that are there for one test."""

    def __init__(self, kafka: Kafka, redis: Redis):
        self.bootstrap, self.cluster = kafka.bootstrap, "runs"
        self.daemon = Belfryd(kafka, redis, self.cluster, shards=2,
                              env={"BELFRY_HTTP": "127.0.0.1:0"}).start()
        self.daemon.wait_ready()
        self.daemon.wait_live()
        self.client = CommandClient(self.bootstrap, self.cluster)
        need_leases(self.client)

    def add(self, name: str, **terms: Any) -> None:
        """One slot each second."""
        self.client.call({"op": "add", "command_id": f"add-{name}", "job": {
            "group": "runs", "id": name, "schedule": {"every": "1s", "anchor": "epoch"},
            "lease": "10s", "workers": WORKERS, **terms}}, "applied")

    def delete(self, name: str) -> None:
        self.client.call({"op": "delete", "command_id": f"delete-{name}", "select": {
            "groups": ["runs"], "ids": [name]}}, "applied")

    def records(self, topic: str, name: str) -> list[dict[str, Any]]:
        """Of the job, as they stand in its partition."""
        values = [record.json for record in
                  read_all(self.bootstrap, f"{self.cluster}.{topic}") if record.value]
        return [value for value in values if name in (value.get("jobid"), value.get("id"))]


def setup(kafka: Kafka, redis: Redis) -> Iterator[Runs]:
    runs = Runs(kafka, redis)
    yield runs
    runs.daemon.terminate()


class Programs:
    """What the worker starts: each takes so long; when each began and ended is kept."""

    def __init__(self, work_s: float):
        self.work_s = work_s
        self.spans: list[tuple[str, float, float]] = []  # run, from, to
        self.lock = threading.Lock()

    def __call__(self, work: Work) -> str:
        began_s = time.monotonic()
        work.stop.wait(self.work_s)
        with self.lock:
            self.spans.append((work.fire["id"], began_s, time.monotonic()))
        return "success"

    def overlapping(self) -> int:
        ordered = sorted(span[1:] for span in self.spans)
        return sum(1 for first, second in zip(ordered, ordered[1:]) if second[0] < first[1])


def slot_of(run: str) -> int:
    return int(run.rpartition("@")[2])


def test_skip_if_still_running(shared: Runs) -> None:
    """`overlap: skip`: a slot that comes due while the work of an earlier one goes on is left out,
    and named with the run in its way."""
    programs = Programs(2.4)
    shared.add("skipped", overlap="skip")
    with Worker(shared.bootstrap, shared.cluster, WORKERS, programs):
        wait_for(lambda: len(programs.spans) >= 3, 60, "three runs have ended")
        shared.delete("skipped")
    assert programs.overlapping() == 0, programs.spans
    fired = {slot_of(fire["id"]) for fire in shared.records("fires", "skipped")}
    events = [event for event in shared.records("events", "skipped")
              if event["event"] == "skipped" and event["reason"] == "overlap"]
    assert events
    for event in events:
        left_out = range(instant_ms(event["first"]), instant_ms(event["last"]) + 1, 1000)
        assert len(left_out) == event["count"] and not fired & set(left_out), event
        assert slot_of(event["run"]) in fired and slot_of(event["run"]) < left_out[0], event


def test_delay_if_still_running(shared: Runs) -> None:
    """`overlap: buffer_all`: such a slot waits until the work before it has ended; each comes, one
    by one, in their order."""
    programs = Programs(1.6)
    shared.add("delayed", overlap="buffer_all")
    with Worker(shared.bootstrap, shared.cluster, WORKERS, programs):
        wait_for(lambda: len(programs.spans) >= 5, 60, "five runs have ended")
        shared.delete("delayed")
    assert programs.overlapping() == 0, programs.spans
    slots = [slot_of(run) for run, _, _ in sorted(programs.spans, key=lambda span: span[1])]
    assert slots[:5] == list(range(slots[0], slots[0] + 5000, 1000)), slots


def test_a_silent_worker_is_given_up_and_its_work_tried_again(shared: Runs) -> None:
    """On a real Kafka, with its coordinator's answer and a tick: not before the lease is over, and
    within three seconds behind it."""
    silent = threading.Event()

    def handler(work: Work) -> str:
        if work.fire["try"] > 1:
            return "success"
        silent.set()
        work.renew_s = float("inf")  # no sign of life any more
        time.sleep(16)
        return "failure"

    shared.add("silent", overlap="skip", retry={"attempts": 2, "initial": "100ms", "max": "100ms"})
    worker = Worker(shared.bootstrap, shared.cluster, WORKERS, handler)
    worker.start()
    assert silent.wait(30)

    def tries() -> dict[int, dict[str, Any]]:
        first = min(slot_of(fire["id"]) for fire in shared.records("fires", "silent"))
        return {fire["try"]: fire for fire in shared.records("fires", "silent")
                if slot_of(fire["id"]) == first}

    wait_for(lambda: 2 in tries(), 60, "the second try is fired", every_s=0.2)
    shared.delete("silent")
    started = [record for record in read_all(shared.bootstrap, f"{shared.cluster}.runs")
               if record.json.get("run") == tries()[1]["id"] and
               record.json.get("runnumber") == tries()[1]["runnumber"]]
    waited_ms = instant_ms(tries()[2]["time"]) - started[0].timestamp_ms
    print(f"      tried again {waited_ms - 10_000} ms behind the end of its lease")
    assert waited_ms > 11_000, waited_ms  # and at most 14,000 on an idle machine
    assert int(tries()[2]["runnumber"]) > int(tries()[1]["runnumber"])
    worker.ending.set()
    worker.join(40)


def test_the_metrics_say_what_the_topics_say(shared: Runs) -> None:
    """Runs that succeed, fail once and for good: by the page, and by the topics."""
    words = collections.Counter[str]()

    def handler(work: Work) -> dict[str, Any] | str:
        slot = slot_of(work.fire["id"]) // 1000
        word = "success" if slot % 2 or (slot % 4 and work.fire["try"] > 1) else "failure"
        words[word] += 1
        return word

    asker = Asker(shared.daemon)

    def open_runs() -> float:
        page, _ = scrape(asker)
        return page["belfry_shard_runs_open", "0"] + page["belfry_shard_runs_open", "1"]

    before, _ = scrape(asker)
    shared.add("counted", retry={"attempts": 2, "initial": "100ms", "max": "100ms"})
    with Worker(shared.bootstrap, shared.cluster, WORKERS, handler):
        wait_for(lambda: words.total() >= 12, 60, "twelve tries")
        shared.delete("counted")  # what waits for a retry ends, what is at work goes on to its end
        wait_for(lambda: open_runs() == 0, 60, "all runs are over", every_s=0.3)
    fires = shared.records("fires", "counted")
    failed = [event for event in shared.records("events", "counted")
              if event["event"] == "run_failed"]

    def counted() -> collections.Counter[Any]:
        now, _ = scrape(asker)
        now.subtract(before)
        return now

    wait_for(lambda: counted()["belfry_run_tries_ended_total", "failure"] == words["failure"], 60,
             "the page has all", every_s=0.3)
    page = counted()
    assert page["belfry_runs_opened_total",] == len({fire["id"] for fire in fires}), page
    assert page["belfry_run_retries_total",] == sum(fire["try"] > 1 for fire in fires), page
    assert page["belfry_run_tries_ended_total", "success"] == words["success"], page
    assert page["belfry_runs_ended_total", "failure"] == len(failed), page
    assert page["belfry_run_reports_unknown_total",] == 0, page


def test_a_short_run_is_two_records(shared: Runs) -> None:
    """Opened and ended: its claim is no record, and its place is used again."""
    with Worker(shared.bootstrap, shared.cluster, WORKERS, lambda _work: "success"):
        shared.add("short", overlap="skip")  # one open at a time, however late its worker is
        wait_for(lambda: len(shared.records("fires", "short")) >= 6, 60, "six runs")
        shared.delete("short")
    runs = len(shared.records("fires", "short"))
    records = [record for record in read_all(shared.bootstrap, f"{shared.cluster}.state")
               if (record.key or b"").startswith(b"run/")]
    own = [record for record in records if record.json.get("id") == "short"]
    assert len(own) == runs, f"{len(own)} records of {runs} open runs"
    assert len({record.key for record in own}) <= 2
