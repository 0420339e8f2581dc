"""What runs cost on a real Kafka and a real Redis: make bench-runs.

A worker of the benchmark's own reads fires as a member of a group and reports in arrays; it starts
nothing. Each part can be asked for by name. The last line is for machines; docs/performance.md has
the figures of one machine.

  rate      runs a second: a herd of jobs with a lease, from due to the last end that is counted
  free      a final report is appended: until the fire of the slot that waited for it is visible;
            in turn with a bare program that answers a record with a transaction of one
  memory    bytes of an open run, by malloc's books (test_run_table), and in resident memory: before
            a herd of fires that nobody takes, and after; and the daemon is killed and started
            again, with that many open runs and without
  lost      workers that are silent after the claim: from the end of the lease to what follows
  spread    as many runs fail at one instant: retries a second
  hostile   reports of strangers: what they change, what they take, how good ones fare beside them,
            and behind all of them in one partition, where a bare consumer reads as much
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import confluent_kafka  # noqa: E402 -- found through the line above
import harness  # noqa: E402
from bench import JVM, TOOLS, Observer, describe_machine, drop, say, settle  # noqa: E402
from bulk_worker import ARRAY, BulkWorker, Fire, shard_of_fire  # noqa: E402
from oracle_fold import instant_ms, instant_text  # noqa: E402
from workload import JOBS_PER_COMMAND, Workload, load  # noqa: E402

GROUP = "bench-workers"
COLD = 20  # the first ones of a kind find everything cold
WAITING_JOBS = 25


class Settings(NamedTuple):
    shards: int
    runs: int  # of a herd
    open_runs: int
    freed: int  # slots that wait one for another
    silent: int
    failing: int
    hostile: int


class Bench:
    """A daemon, and the worker beside it."""

    def __init__(self, kafka: harness.Kafka, redis: harness.Redis, cluster: str, shards: int):
        self.kafka, self.redis, self.cluster, self.shards = kafka, redis, cluster, shards
        self.port = harness.free_port()
        self.daemon = harness.Belfryd(kafka, redis, cluster, shards,
                                      env={"BELFRY_HTTP": f"127.0.0.1:{self.port}"}).start()
        self.daemon.wait_ready()
        self.daemon.wait_live()
        self.worker = BulkWorker(kafka.bootstrap, cluster, GROUP)

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.consumer.close()
        drop(self.kafka, self.redis, self.daemon)

    def metric(self, name: str) -> float:
        """The sum of its samples."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines
                   if line.startswith((f"{name} ", f"{name}{{")))

    def load(self, jobs: int, schedule: dict[str, Any], **terms: Any) -> float:
        return load(self.kafka, self.cluster, Workload(
            jobs, self.shards, [schedule], **{"lease": "10m", "workers": GROUP, **terms}))


def once_at(due_s: int) -> dict[str, Any]:
    at = time.gmtime(due_s)
    return {"cron": f"{at.tm_sec} {at.tm_min} {at.tm_hour} * * *", "zone": "UTC"}


def in_some_seconds(jobs: int) -> int:
    return int(time.time() + 15 + jobs / 2000 + (jobs < JOBS_PER_COMMAND) * jobs / 40)


def part_of(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


# ---- the parts ----


def rate(bench: Bench, settings: Settings) -> dict[str, str]:
    due_s = in_some_seconds(settings.runs)
    bench.load(settings.runs, once_at(due_s))
    assert time.time() < due_s - 1, "loading took too long"
    batch: list[Fire] = []
    for fire in bench.worker.fires(settings.runs, due_s - time.time() + 120):
        batch.append(fire)
        if len(batch) >= 5000:
            bench.worker.report(batch, "started", "success")
            batch = []
    bench.worker.report(batch, "started", "success")
    harness.wait_for(lambda: bench.metric("belfry_runs_ended_total") >= settings.runs, 120,
                     "all runs are over", every_s=0.05)
    took_s = time.time() - due_s
    bench.worker.commit()
    say(f"{settings.runs} runs, from due to the last end: {took_s:.2f} s, "
        f"{settings.runs / took_s:,.0f} runs/s")
    return {"runs_per_s": f"{settings.runs / took_s:.0f}"}


class Answers:
    """The peer of a slot that is freed: tests/bench/bare_loop.c answers each record."""

    def __init__(self, bench: Bench):
        self.worker = bench.worker
        self.asked, self.answered = (f"{bench.cluster}.{name}" for name in ("asked", "answered"))
        for topic in (self.asked, self.answered):
            harness.create_topic(bench.kafka.bootstrap, topic, 1,
                                 {"message.timestamp.type": "LogAppendTime"})
        self.process = harness.Process("bare-loop", [
            TOOLS / "bare_loop", bench.kafka.bootstrap, self.asked, self.answered, 10 ** 9, 1,
            "--answers"])
        self.process.start()
        self.consumer = confluent_kafka.Consumer(harness.client_options(
            bench.kafka.bootstrap, group_id="answers", enable_auto_commit=False,
            isolation_level="read_committed", fetch_wait_max_ms=10))
        self.consumer.assign([confluent_kafka.TopicPartition(self.answered, 0, 0)])

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close()
        self.process.close()

    def took_ms(self) -> float:
        """From a record's append to the answer that is visible."""
        self.worker.appended_ms.clear()
        self.worker.put(self.asked, b"x" * 400, 0)
        assert self.worker.producer.flush(30) == 0
        answer = None
        while answer is None or answer.error() is not None:
            answer = self.consumer.poll(0.2)
        return time.time() * 1000 - self.worker.appended_ms[-1]


def freed(bench: Bench, answers: Answers, fires: list[Fire], count: int, what: str
          ) -> tuple[float, float]:
    """Ends the oldest of the open runs, waits for what that lets go; p99, and its ratio."""
    took_ms: list[float] = []
    bare_ms: list[float] = []
    still = collections.deque(fires)
    for _ in range(count):
        bench.worker.appended_ms.clear()
        bench.worker.report([still.popleft()], "started", "success")
        freed_ms = bench.worker.appended_ms[-1]
        still.append(next(bench.worker.fires(1, 60)))
        took_ms.append(time.time() * 1000 - freed_ms)
        bare_ms.append(answers.took_ms())
    bench.worker.commit()
    p50, p99 = part_of(took_ms[COLD:], 0.5), part_of(took_ms[COLD:], 0.99)
    bare_p50, bare_p99 = part_of(bare_ms[COLD:], 0.5), part_of(bare_ms[COLD:], 0.99)
    say(f"{count - COLD} {what}: report appended to fire visible p50 {p50:.0f} ms, p99 {p99:.0f} "
        f"ms, max {max(took_ms[COLD:]):.0f} ms; bare answers p50 {bare_p50:.0f} ms, p99 "
        f"{bare_p99:.0f} ms: ratios {p50 / bare_p50:.2f}, {p99 / bare_p99:.2f}")
    return p99, p99 / bare_p99


def fill(bench: Bench, slots: int) -> Fire:
    """A backfill whose slots go one by one, and its first fire."""
    until_s = int(time.time()) // 3600 * 3600
    with harness.CommandClient(bench.kafka.bootstrap, bench.cluster) as client:
        client.call({"op": "add", "command_id": "free", "job": {
            "group": "free", "id": "one", "schedule": {"every": "1h", "anchor": "epoch"},
            "lease": "10m", "workers": GROUP, "overlap": "buffer_all"}}, "applied")
        client.call({"op": "backfill", "command_id": "fill", "select": {
            "groups": ["free"], "ids": ["one"]},
            "rate": 1000, "from": instant_text((until_s - slots * 3600) * 1000),
            "to": instant_text(until_s * 1000)}, "applied")
    return next(bench.worker.fires(1))


def free(bench: Bench, settings: Settings) -> dict[str, str]:
    """Slots that came due while a run was in their way; then those of a backfill."""
    bench.load(WAITING_JOBS, {"every": "1s"}, overlap="buffer_all", overlap_limit=1000)
    fires = list(bench.worker.fires(WAITING_JOBS))
    time.sleep(settings.freed / WAITING_JOBS + 3)
    with Answers(bench) as answers:
        p99, ratio = freed(bench, answers, fires, settings.freed, "slots that waited")
        filled_p99, _ = freed(bench, answers, [fill(bench, settings.freed + 1)], settings.freed,
                              "slots of a backfill")
    return {"free_to_fire_p99_ms": f"{p99:.0f}", "free_to_bare_p99_ratio": f"{ratio:.2f}",
            "backfill_p99_ms": f"{filled_p99:.0f}"}


def wait_open(bench: Bench, count: int) -> None:
    harness.wait_for(lambda: bench.metric("belfry_shard_runs_open") >= count, 120,
                     f"{count} runs are open", every_s=0.5)


def took_over_s(bench: Bench) -> tuple[float, float]:
    """From the assignment to the last shard that is live, after kill -9; and the processor time by
    then."""
    bench.daemon.kill9()
    bench.daemon.start()
    bench.daemon.wait_live()
    processor_s = bench.daemon.processor_s()
    assigned = bench.daemon.events("group.assigned")[-1]["ts"]
    live = bench.daemon.events("shard.live")[-1]["ts"]
    return (instant_ms(live) - instant_ms(assigned)) / 1000, processor_s


def by_the_books() -> str:
    """Bytes of an open run that a worker has claimed."""
    said = subprocess.run([harness.BUILD / "tests" / "unit" / "test_run_table"], check=True,
                          capture_output=True, text=True).stdout
    found = re.search(r"bytes_per_open_run=[0-9.]+ claimed=([0-9.]+)", said)
    assert found is not None, said
    return found[1]


def memory(bench: Bench, settings: Settings) -> dict[str, str]:
    due_s = in_some_seconds(settings.open_runs) + 30
    bench.load(settings.open_runs, once_at(due_s))
    settle(bench.daemon, bench.redis, settings.open_runs)
    without = [took_over_s(bench) for _ in range(3)]
    settle(bench.daemon, bench.redis, settings.open_runs)
    before_kib = bench.daemon.resident_kib()
    assert time.time() < due_s, "too slow for the instant chosen"
    wait_open(bench, settings.open_runs)
    time.sleep(15)  # the outbox gives its memory back
    settle(bench.daemon, bench.redis, settings.open_runs)
    herd_kib = bench.daemon.resident_kib()
    there = [took_over_s(bench) for _ in range(3)]
    settle(bench.daemon, bench.redis, settings.open_runs)
    after_kib = bench.daemon.resident_kib()
    each = (herd_kib - before_kib) * 1024 / settings.open_runs
    again = (after_kib - before_kib) * 1024 / settings.open_runs
    say(f"{settings.open_runs} open runs: {each:.0f} bytes each of resident memory behind the herd "
        f"that opened them, {again:.0f} after a take-over")
    for what, took in (("without", without), ("with", there)):
        say(f"take-over of {settings.shards} shards {what} them " +
            ", ".join(f"{one_s:.2f} s ({processor_s:.2f} s of processor time)"
                      for one_s, processor_s in took))
    more_s, more_processor_s = (statistics.median(there_s) - statistics.median(without_s)
                                for there_s, without_s in zip(zip(*there), zip(*without)))
    return {"bytes_per_open_run": by_the_books(),
            "takeover_more_s": f"{more_s:.2f}", "takeover_more_cpu_s": f"{more_processor_s:.2f}"}


def lost(bench: Bench, settings: Settings) -> dict[str, str]:
    """Claimed, committed and silent: what ends them is the retry that becomes visible."""
    lease_ms = 10_000
    due_s = in_some_seconds(settings.silent)
    bench.load(settings.silent, once_at(due_s), lease="10s",
               retry={"attempts": 2, "initial": "100ms", "max": "100ms"})
    fires = list(bench.worker.fires(settings.silent, due_s - time.time() + 60))
    bench.worker.appended_ms.clear()
    bench.worker.report(fires, "started")
    signed_ms = max(bench.worker.appended_ms)
    bench.worker.commit()
    retried_ms = {fire["id"]: instant_ms(fire["time"]) for fire in
                  bench.worker.fires(settings.silent, 60)}
    late_ms = [at_ms - signed_ms - lease_ms for at_ms in retried_ms.values()]
    say(f"{len(late_ms)} silent tries: decided {min(late_ms)} to {max(late_ms)} ms behind the end "
        f"of their lease (100 to 125 ms of it is the retry's delay)")
    return {"lost_decided_after_lease_ms": f"{max(late_ms)}"}


def spread(bench: Bench, settings: Settings) -> dict[str, str]:
    due_s = in_some_seconds(settings.failing)
    bench.load(settings.failing, once_at(due_s),
               retry={"attempts": 2, "initial": "40s", "max": "40s"})
    fires = list(bench.worker.fires(settings.failing, due_s - time.time() + 60))
    bench.worker.report(fires, "started", "failure")
    at_ms = [instant_ms(fire["time"]) for fire in bench.worker.fires(settings.failing, 90)]
    first_ms, last_ms = min(at_ms), max(at_ms)
    mean = len(at_ms) * 1000 / (last_ms - first_ms)
    most = max(collections.Counter((one - first_ms) // 1000 for one in at_ms).values())
    say(f"{len(at_ms)} retries within {(last_ms - first_ms) / 1000:.1f} s: {mean:.0f} a second, "
        f"{most} in the fullest: {most / mean:.2f} times as many")
    return {"retry_peak": f"{most / mean:.2f}"}


def strangers(bench: Bench, over: list[Fire], still: Fire) -> str:
    """A record of reports of runs that never were, of tries that are over, of another group."""
    changes = [{"runnumber": "99"}, {"run": "1-0.0.0@1"}, {}, {"report": "running"},
               {"workers": "others", "run": still["id"], "runnumber": still["runnumber"]}]
    return json.dumps([{**bench.worker.said(over[at % len(over)], "failure"),
                        **changes[at % len(changes)]} for at in range(ARRAY)])


def good_acts_s(bench: Bench, ended: float, since_s: float) -> float:
    harness.wait_for(lambda: bench.metric("belfry_runs_ended_total") > ended, 60,
                     "a good report acts", every_s=0.01)
    return time.monotonic() - since_s


def among_strangers(bench: Bench, settings: Settings, record: str, good: list[Fire]) -> list[float]:
    """Over all shards, some unreadable ones and the good ones among them."""
    good_s: list[float] = []
    every = settings.hostile // ARRAY // len(good)
    for turn in range(settings.hostile // ARRAY):
        if turn % 37 == 0:
            bench.worker.put(f"{bench.cluster}.runs", b"\xff{" * 100, turn % bench.shards)
        bench.worker.put(f"{bench.cluster}.runs", record, turn % bench.shards)
        if turn % every == every // 2 and len(good_s) < len(good):
            ended = bench.metric("belfry_runs_ended_total")
            bench.worker.report([good[len(good_s)]], "success")
            good_s.append(good_acts_s(bench, ended, time.monotonic()))
    assert bench.worker.producer.flush(120) == 0
    return good_s


def behind_strangers(bench: Bench, settings: Settings, record: str, good: Fire
                     ) -> tuple[float, float]:
    """All of them and then a good one in one partition, while the daemon is frozen: from its waking
    until the good one has acted, and the daemon's processor time meanwhile."""
    ended = bench.metric("belfry_runs_ended_total")
    frozen_s = time.monotonic()
    bench.daemon.sigstop()
    for _ in range(settings.hostile // ARRAY):
        bench.worker.put(f"{bench.cluster}.runs", record, shard_of_fire(good))
    bench.worker.report([good], "success")
    frozen_s = time.monotonic() - frozen_s
    before_s = bench.daemon.processor_s()
    bench.daemon.sigcont()
    woken_s = time.monotonic()
    assert frozen_s < 9, f"frozen for {frozen_s:.1f} s: the group has given its shards away"
    acted_s = good_acts_s(bench, ended, woken_s)
    return acted_s, bench.daemon.processor_s() - before_s


def hostile(bench: Bench, settings: Settings) -> dict[str, str]:
    due_s = in_some_seconds(100)
    bench.load(100, once_at(due_s))
    fires = list(bench.worker.fires(100, due_s - time.time() + 60))
    bench.worker.report(fires[:50], "started", "success")
    harness.wait_for(lambda: bench.metric("belfry_shard_runs_open") == 50, 30, "50 are over")
    record = strangers(bench, fires[:50], fires[60])
    began_kib = bench.daemon.resident_kib()
    began_s = time.monotonic()
    bench.worker.appended_ms.clear()
    good_s = among_strangers(bench, settings, record, fires[50:60])
    sent_s = time.monotonic() - began_s
    behind_s, processor_s = behind_strangers(bench, settings, record, fires[61])
    most_kib = bench.daemon.resident_kib() - began_kib
    seen = Observer(bench.kafka, f"{bench.cluster}.runs", len(bench.worker.appended_ms), 30,
                    "--all").result(120)
    bare_s = (seen["last_us"] - seen["first_us"]) / 2e6  # twice as many
    left = bench.metric("belfry_shard_runs_open")
    assert left == 39, f"{left} runs are open, not 39: strangers have ended some"
    say(f"{settings.hostile} hostile reports of {len(record) // ARRAY} bytes, sent within "
        f"{sent_s:.1f} s: 10 good ones among them acted within {max(good_s):.2f} s; {most_kib} KiB "
        f"more")
    say(f"a good one behind as many in its partition acted {behind_s:.2f} s after the daemon was "
        f"let go, {processor_s:.2f} s of its processor time; a bare consumer takes {bare_s:.2f} s "
        f"to read as many")
    return {"hostile_kib": f"{most_kib}", "good_within_s": f"{max(good_s):.2f}",
            "good_behind_s": f"{behind_s:.2f}", "bare_read_s": f"{bare_s:.2f}"}


PARTS: dict[str, Callable[[Bench, Settings], dict[str, str]]] = {
    "rate": rate, "free": free, "memory": memory, "lost": lost, "spread": spread,
    "hostile": hostile}
FIGURES = ("runs_per_s", "free_to_fire_p99_ms", "bytes_per_open_run", "lost_decided_after_lease_ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--only", default=",".join(PARTS), metavar="NAME,…",
                        help="only these parts: %(default)s")
    options = parser.parse_args()
    less = 10 if options.quick else 1
    settings = Settings(options.shards, 100_000 // less, 100_000 // less, 500 // less + 50,
                        2000 // less, 10_000 // less, 1_000_000 // less)
    harness.install_signal_handlers()
    print(f"machine: {describe_machine()}")
    figures: dict[str, str] = {}
    with harness.Kafka(heap_mb=1024, jvm=JVM) as kafka, harness.Redis() as redis:
        for name in options.only.split(","):
            with Bench(kafka, redis, f"runs-{name}", settings.shards) as bench:
                figures |= PARTS[name](bench, settings)
    print(" ".join(f"{name}={figures.pop(name, '-')}" for name in FIGURES) +
          "".join(f" {name}={figure}" for name, figure in figures.items()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
