"""What Belfry does on a real Kafka and a real Redis, beside what a bare producer does: make bench.

Herds of cron jobs due at one instant against one bare transactional librdkafka producer that sends
the same records to the same broker, in turn; one-shots; single fires; memory; take-over. A herd's
time, and the peer's, ends when a foreign read_committed consumer has been handed the last record.
The last line is for machines. docs/performance.md has the figures of one machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import confluent_kafka.admin  # noqa: E402 -- found through the line above
import harness  # noqa: E402
from workload import JOBS_PER_COMMAND, Workload, load  # noqa: E402

JVM = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:-UsePerfData", "-Xshare:auto")
TOOLS = harness.BUILD / "tests" / "bench"
SAMPLE = 100_000  # fires the peer sends again and again
WARM_UP = 500_000  # records before anything counts: the broker compiles its code while it runs


class Settings(NamedTuple):
    shards: int
    rounds: int
    herds: tuple[int, ...]
    one_shots: int
    singles: int
    takeover_jobs: int


class HerdFigures(NamedTuple):
    rate: float
    bare_10k: float
    bare_100k: float

    @property
    def ratio(self) -> float:
        return self.rate / self.bare_10k


def say(text: str) -> None:
    load_average = os.getloadavg()[0]
    print(f"[{time.strftime('%H:%M:%S')} load {load_average:.1f}] {text}", flush=True)


def fields(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in (word.split("=") for word in text.split())}


class Observer:
    """A running fire_observer; ready() before what it is to see, result() after."""

    def __init__(self, kafka: harness.Kafka, topic: str, count: int, limit_s: int, *more: str):
        self.process = harness.Process("observer", [
            TOOLS / "fire_observer", kafka.bootstrap, topic, count, limit_s, *more])
        self.process.start()

    def ready(self) -> "Observer":
        self.process.wait_until(lambda: "ready" in self.process.output(), 30, "observer is ready")
        return self

    def result(self, limit_s: float) -> dict[str, int]:
        code = self.process.wait_exit(limit_s)
        found = fields(self.process.output().strip().splitlines()[-1])
        assert code == 0, f"the observer saw only {found['count']} records"
        return found


def bare(kafka: harness.Kafka, topic: str, sample: Path, count: int, per_transaction: int,
         *more: str) -> float:
    """Records a second of the bare producer, to the last one visible."""
    observer = Observer(kafka, topic, count, 60).ready()
    done = subprocess.run([TOOLS / "bare_producer", kafka.bootstrap, topic, sample, str(count),
                           str(per_transaction), *more], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    begun_us = fields(done.stdout)["begun_us"]
    return count / (observer.result(90)["last_us"] - begun_us) * 1e6


class Herds:
    """When herds are due: each 20 seconds from `begins_s` on, for some minutes; a cron schedule."""

    every_s = 20

    def __init__(self, begins_s: float, minutes: int):
        first = int(begins_s) // 60 + 1
        self.minutes = [(first + i) % 60 for i in range(minutes)]
        self.schedule = {"cron": f"*/{self.every_s} {','.join(map(str, self.minutes))} * * * *"}

    def next(self, lead_s: float) -> float:
        """The next one that is at least lead_s away."""
        at = (int(time.time() + lead_s) // self.every_s + 1) * self.every_s
        while time.gmtime(at).tm_min not in self.minutes:
            at += self.every_s
        return float(at)

    def wait_for_quiet(self, needed_s: float) -> None:
        """Lets one that is due within needed_s pass first: it would disturb the peer."""
        due = self.next(0)
        if due - time.time() < needed_s:
            time.sleep(due - time.time() + needed_s)


def checkpointed(redis: harness.Redis, cluster: str, shards: int) -> int:
    """Jobs in the snapshots of all shards."""
    with redis.client() as client:
        return sum(int(client.hget(f"{cluster}:{{{shard}}}:snapshot", "job_count") or 0)
                   for shard in range(shards))


def settle(daemon: harness.Belfryd, redis: harness.Redis, jobs: int) -> None:
    """Waits until Redis has all jobs and the daemon's memory stands still."""
    harness.wait_for(lambda: checkpointed(redis, daemon.cluster, daemon.shards) == jobs, 300,
                     f"{jobs} jobs in Redis", every_s=0.5)
    seen = [daemon.resident_kib()]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (len(seen) < 5 or max(seen[-5:]) - min(seen[-5:]) > 64):
        time.sleep(0.5)  # a sample each half second, until five are equal
        seen.append(daemon.resident_kib())


def start_daemon(kafka: harness.Kafka, redis: harness.Redis, cluster: str, shards: int
                 ) -> harness.Belfryd:
    daemon = harness.Belfryd(kafka, redis, cluster, shards)
    daemon.start()
    daemon.wait_ready()
    daemon.wait_live()
    return daemon


def drop(kafka: harness.Kafka, redis: harness.Redis, daemon: harness.Belfryd) -> None:
    """Ends the daemon and gives its topics' disk back."""
    daemon.terminate(30)
    admin = confluent_kafka.admin.AdminClient(harness.client_options(kafka.bootstrap))
    topics = [name for name in admin.list_topics(timeout=10).topics
              if name.startswith(f"{daemon.cluster}.")]
    for done in admin.delete_topics(topics).values():
        done.result(30)
    with redis.client() as client:
        client.flushall()


# --- herds ----------------------------------------------------------------------------------------


def herd(kafka: harness.Kafka, redis: harness.Redis, jobs: int, settings: Settings
         ) -> tuple[HerdFigures, float]:
    """A herd each minute, in turn with the bare producer; and the bytes a job takes."""
    cluster = f"herd{jobs}"
    daemon = start_daemon(kafka, redis, cluster, settings.shards)
    empty_kib = daemon.resident_kib()
    herds = Herds(time.time() + 20 + jobs / 8000, 2 * settings.rounds + 6)
    say(f"{jobs} cron jobs on {settings.shards} shards: loading")
    workload = Workload(jobs, settings.shards, [herds.schedule])
    took_s = load(kafka, cluster, workload)
    say(f"loaded in {took_s:.1f} s ({jobs / took_s:.0f} jobs/s, results received)")
    peak_kib = daemon.resident_kib()
    settle(daemon, redis, jobs)
    loaded_kib = daemon.resident_kib()
    bytes_per_job = (loaded_kib - empty_kib) * 1024 / jobs - workload.payload_bytes
    say(f"memory: empty {empty_kib / 1024:.1f} MiB, right after loading {peak_kib / 1024:.1f} "
        f"MiB, settled {loaded_kib / 1024:.1f} MiB: {bytes_per_job:.0f} bytes a job and its "
        f"payload of {workload.payload_bytes}; remembered command ids: "
        f"{-(-jobs // JOBS_PER_COMMAND)} of about 64 bytes")
    topic = f"{cluster}.bare"
    harness.create_topic(kafka.bootstrap, topic, settings.shards)
    sample = harness.new_directory("sample") / "fires"
    say("herd to warm up, not counted:")
    one_herd(kafka, cluster, jobs, herds)
    Observer(kafka, f"{cluster}.fires", min(SAMPLE, jobs), 30, "--save", str(sample)).result(60)
    bare(kafka, topic, sample, max(jobs, WARM_UP), 10_000)
    rates, bare_10k, bare_100k = [], [], []
    while len(rates) < settings.rounds:
        rates.append(one_herd(kafka, cluster, jobs, herds))
        for rate, per_transaction in ((bare_10k, 10_000), (bare_100k, 100_000)):
            herds.wait_for_quiet(3 + jobs / 150_000)
            rate.append(bare(kafka, topic, sample, jobs, per_transaction))
            say(f"bare producer, {per_transaction} a transaction: {rate[-1]:,.0f}/s")
    herds.wait_for_quiet(3 + jobs / 150_000)
    plain = bare(kafka, topic, sample, jobs, 10_000, "--no-header")
    say(f"bare producer, 10000 a transaction, without the fire's header: {plain:,.0f}/s")
    say(f"memory after the herds: {daemon.resident_kib() / 1024:.1f} MiB")
    drop(kafka, redis, daemon)
    return HerdFigures(*map(statistics.median, (rates, bare_10k, bare_100k))), bytes_per_job


def one_herd(kafka: harness.Kafka, cluster: str, jobs: int, herds: Herds) -> float:
    """Waits for the next herd; fires a second, from due to the last one visible."""
    due = herds.next(2)
    time.sleep(max(0.0, due - 8 - time.time()))  # the one before has been seen
    observer = Observer(kafka, f"{cluster}.fires", jobs, int(due - time.time()) + 60).ready()
    seen = observer.result(due - time.time() + 200)
    took_s = seen["last_us"] / 1e6 - due
    say(f"herd: first visible {seen['first_us'] / 1e3 - due * 1e3:.0f} ms, last "
        f"{took_s * 1e3:.0f} ms after due: {jobs / took_s:,.0f} fires/s")
    return jobs / took_s


def one_shots(kafka: harness.Kafka, redis: harness.Redis, jobs: int, settings: Settings) -> float:
    """Fires a second of one-shots due at one instant, which also end their jobs."""
    cluster = "oneshots"
    daemon = start_daemon(kafka, redis, cluster, settings.shards)
    due = int(time.time() + 15 + jobs / 8000)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due))
    say(f"{jobs} one-shots at {at}: loading")
    load(kafka, cluster, Workload(jobs, settings.shards, [{"at": at}], keep_finished="0s"))
    observer = Observer(kafka, f"{cluster}.fires", jobs, int(due - time.time()) + 60).ready()
    assert time.time() < due - 1, "loading took too long for the instant chosen"
    took_s = observer.result(due - time.time() + 120)["last_us"] / 1e6 - due
    say(f"one-shots: last visible {took_s * 1e3:.0f} ms after due: {jobs / took_s:,.0f} fires/s")
    drop(kafka, redis, daemon)
    return jobs / took_s


# --- single fires ---------------------------------------------------------------------------------


def singles(kafka: harness.Kafka, redis: harness.Redis, settings: Settings) -> tuple[float, float]:
    """Milliseconds from due to visible, one fire at a time: p50 and p99."""
    cluster = "singles"
    daemon = start_daemon(kafka, redis, cluster, settings.shards)
    start = int(time.time()) + 4
    schedules = [{"every": "1s", "anchor": f"{_instant(start)}.{i * 1000 // 8:03d}Z"}
                 for i in range(8)]
    load(kafka, cluster, Workload(8, settings.shards, schedules))
    observer = Observer(kafka, f"{cluster}.fires", settings.singles + 16, 30, "--values").ready()
    observer.process.wait_exit(60 + settings.singles / 4)
    late_ms = [_late_ms(line) for line in observer.process.output().splitlines() if "dueat" in line]
    late_ms = sorted(late_ms[16:])  # the first ones find everything cold
    assert len(late_ms) >= settings.singles
    p50, p99 = (late_ms[int(len(late_ms) * part)] for part in (0.50, 0.99))
    say(f"{len(late_ms)} single fires: due to visible p50 {p50:.1f} ms, p90 "
        f"{late_ms[int(len(late_ms) * 0.9)]:.1f} ms, p99 {p99:.1f} ms, max {late_ms[-1]:.1f} ms")
    drop(kafka, redis, daemon)
    return p50, p99


def _instant(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def _late_ms(line: str) -> float:
    """From a line "<us> <fire>"."""
    seen_us, _, value = line.partition(" ")
    text = value.split('"dueat":"', 1)[1][:24]
    whole = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    due_ms = (time.mktime(whole) - time.timezone) * 1000 + int(text[20:23])
    return int(seen_us) / 1000 - due_ms


# --- take-over ------------------------------------------------------------------------------------


def takeover(kafka: harness.Kafka, redis: harness.Redis, settings: Settings) -> float:
    """Seconds from the assignment to live, after kill -9, of one shard with many jobs."""
    cluster = "takeover"
    daemon = start_daemon(kafka, redis, cluster, 1)
    load(kafka, cluster, Workload(settings.takeover_jobs, 1, [{"cron": "0 0 1 1 *"}]))
    settle(daemon, redis, settings.takeover_jobs)
    took = [_take_again(daemon) for _ in range(settings.rounds)]
    say(f"take-over of {settings.takeover_jobs} jobs with the checkpoint in Redis: "
        f"{', '.join(f'{one:.2f}' for one in took)} s")
    with redis.client() as client:
        client.flushall()
    daemon.kill9()
    daemon.start()
    daemon.wait_live()
    say(f"take-over from the state log alone, Redis empty: {_taken_s(daemon):.2f} s")
    drop(kafka, redis, daemon)
    return statistics.median(took)


def _take_again(daemon: harness.Belfryd) -> float:
    daemon.kill9()
    daemon.start()
    daemon.wait_live()
    return _taken_s(daemon)


def _taken_s(daemon: harness.Belfryd) -> float:
    """From the line that names the shard as assigned to the one that says live."""
    assigned = [line["ts"] for line in daemon.events("group.assigned", shards=1)]
    live = [line["ts"] for line in daemon.events("shard.live")]
    return _seconds(live[-1]) - _seconds(assigned[-1])


def _seconds(text: str) -> float:
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + int(text[20:23]) / 1000


# --- all of it ------------------------------------------------------------------------------------


def describe_machine() -> str:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    return (f"{os.cpu_count()} x {model}, {memory:.0f} GiB, {platform.system()} "
            f"{platform.release()}, librdkafka {confluent_kafka.libversion()[0]} in the loader")


def chosen_settings() -> tuple[Settings, set[str]]:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round each, a smaller herd")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--only", default="herd_100k,herd_1m,one_shots,singles,takeover",
                        metavar="NAME,…", help="only these parts: %(default)s")
    options = parser.parse_args()
    herds = (100_000, 200_000 if options.quick else 1_000_000)
    settings = Settings(options.shards, 1 if options.quick else 3, herds,
                        20_000 if options.quick else 100_000, 100 if options.quick else 320,
                        20_000 if options.quick else 100_000)
    return settings, set(options.only.split(","))


def main() -> int:
    settings, parts = chosen_settings()
    harness.install_signal_handlers()
    print(f"machine: {describe_machine()}")
    rows: list[tuple[str, str]] = []
    last: dict[str, str] = {}
    with harness.Kafka(heap_mb=1024, jvm=JVM) as kafka, harness.Redis() as redis:
        for label, jobs in zip(("100k", "1m"), settings.herds):
            if f"herd_{label}" not in parts:
                continue
            figures, bytes_per_job = herd(kafka, redis, jobs, settings)
            rows.append((f"herd of {jobs:,} cron jobs", f"{figures.rate:,.0f} fires/s, "
                         f"{jobs / figures.rate:.2f} s"))
            rows.append(("  bare producer, 10,000 a transaction",
                         f"{figures.bare_10k:,.0f}/s: ratio {figures.ratio:.2f}"))
            rows.append(("  bare producer, 100,000 a transaction",
                         f"{figures.bare_100k:,.0f}/s: ratio "
                         f"{figures.rate / figures.bare_100k:.2f}"))
            rows.append(("  memory of a job, without its payload", f"{bytes_per_job:.0f} bytes"))
            last[f"herd_{label}_ratio"] = f"{figures.ratio:.2f}"
            last["bytes_per_job"] = f"{bytes_per_job:.0f}"
        if "one_shots" in parts:
            rate = one_shots(kafka, redis, settings.one_shots, settings)
            rows.append((f"{settings.one_shots:,} one-shots at one instant",
                         f"{rate:,.0f} fires/s"))
        if "singles" in parts:
            p50, p99 = singles(kafka, redis, settings)
            rows.append(("single fire, due to visible", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"))
            last |= {"single_p50_ms": f"{p50:.1f}", "single_p99_ms": f"{p99:.1f}"}
        if "takeover" in parts:
            took_s = takeover(kafka, redis, settings)
            rows.append((f"take-over of a shard with {settings.takeover_jobs:,} jobs",
                         f"{took_s:.2f} s"))
            last["takeover_s"] = f"{took_s:.2f}"
    print(f"\n{'':45} {settings.shards} shards, median of {settings.rounds}")
    for name, figure in rows:
        print(f"{name:<45} {figure}")
    names = ("herd_100k_ratio", "herd_1m_ratio", "single_p50_ms", "single_p99_ms",
             "bytes_per_job", "takeover_s")
    print(" ".join(f"{name}={last.get(name, '-')}" for name in names), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
