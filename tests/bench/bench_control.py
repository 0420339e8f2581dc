"""What the control plane does beside a bare consume-produce loop: make bench-control.

Single-job adds: as many commands as CONTROL_ADDS wait in the control topic when the daemon starts,
their rate is taken from the first result visible to the last. The loop passes the same records on,
one for one, between topics of the same broker, in turn with the daemon. Then the latency of a
result while little happens, and an import of 100,000 jobs by the command line. The last line is
for machines. docs/performance.md has the figures of one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import confluent_kafka  # noqa: E402 -- found through the line above
import harness  # noqa: E402
from bench import (JVM, TOOLS, Observer, describe_machine, drop, fields, say,  # noqa: E402
                   start_daemon)
from workload import Workload  # noqa: E402

PER_TRANSACTION = 2048  # of the loop: what a shard reads ahead, dispatcher/engine/intake.c
LARGE_TRANSACTION = 10_000
PAYLOAD = {"report": "invoice", "note": "x" * 60}


def single_adds(jobs: int, shards: int) -> Iterator[tuple[str, str]]:
    """(key, command): one job in each, over many groups of all shards."""
    groups = [name for names in Workload(1, shards, [{"every": "1h"}]).groups for name in names]
    for number in range(jobs):
        group = groups[number % len(groups)]
        yield group, json.dumps({"op": "add", "job": {
            "group": group, "id": f"invoice-{number:08d}", "schedule": {"cron": "30 2 * * *"},
            "payload": PAYLOAD}}, separators=(",", ":"))


def fill(kafka: harness.Kafka, topic: str, jobs: int, shards: int) -> None:
    producer = confluent_kafka.Producer(harness.client_options(
        kafka.bootstrap, partitioner="murmur2_random", linger_ms=5,
        queue_buffering_max_messages=1_000_000))
    for key, command in single_adds(jobs, shards):
        producer.produce(topic, command.encode(), key.encode())
        producer.poll(0)
    assert producer.flush(60) == 0, "commands were not delivered"


def seen_rate(seen: dict[str, int]) -> float:
    return seen["count"] / (seen["last_us"] - seen["first_us"]) * 1e6


def adds_round(kafka: harness.Kafka, redis: harness.Redis, number: int, jobs: int, shards: int
               ) -> tuple[float, float]:
    """Adds a second of the daemon, records a second of the loop."""
    cluster = f"adds{number}"
    daemon = start_daemon(kafka, redis, cluster, shards)
    daemon.terminate(30)
    fill(kafka, f"{cluster}.control", jobs, shards)
    observer = Observer(kafka, f"{cluster}.results", jobs, 60).ready()
    daemon.start()
    rate = seen_rate(observer.result(120))
    for end in ("from", "to", "to2"):
        harness.create_topic(kafka.bootstrap, f"{cluster}.{end}", shards)
    fill(kafka, f"{cluster}.from", jobs, shards)
    bare = loop_rate(kafka, f"{cluster}.from", f"{cluster}.to", jobs, PER_TRANSACTION)
    large = loop_rate(kafka, f"{cluster}.from", f"{cluster}.to2", jobs, LARGE_TRANSACTION)
    say(f"{jobs} single-job adds on {shards} shards: {rate:,.0f}/s; bare loop: {bare:,.0f}/s, "
        f"ratio {rate / bare:.2f}; with {LARGE_TRANSACTION} a transaction: {large:,.0f}/s")
    drop(kafka, redis, daemon)
    return rate, bare


def loop_rate(kafka: harness.Kafka, source: str, target: str, jobs: int, per_transaction: int
              ) -> float:
    """Records a second of the bare loop, to the last one visible."""
    observer = Observer(kafka, target, jobs, 60).ready()
    done = subprocess.run([TOOLS / "bare_loop", kafka.bootstrap, source, target, str(jobs),
                           str(per_transaction)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    begun_us = fields(done.stdout)["begun_us"]
    return jobs / (observer.result(90)["last_us"] - begun_us) * 1e6


def latency(kafka: harness.Kafka, redis: harness.Redis, count: int, shards: int) -> float:
    """Milliseconds from sending a command to its result being visible: p50."""
    cluster = "latency"
    daemon = start_daemon(kafka, redis, cluster, shards)
    commands = list(single_adds(count + 20, shards))
    observer = Observer(kafka, f"{cluster}.results", len(commands), 30, "--values").ready()
    producer = confluent_kafka.Producer(harness.client_options(
        kafka.bootstrap, partitioner="murmur2_random", linger_ms=0))
    sent_us: dict[str, float] = {}
    for number, (key, command) in enumerate(commands):
        named = command[:-1] + f',"command_id":"c-{number}"}}'
        sent_us[f"c-{number}"] = time.time() * 1e6
        producer.produce(f"{cluster}.control", named.encode(), key.encode())
        producer.flush(10)
        time.sleep(0.02)
    observer.process.wait_exit(60)
    took_ms = []
    for line in observer.process.output().splitlines():
        seen_us, _, value = line.partition(" ")
        if value.startswith("{"):
            result = json.loads(value)
            took_ms.append((int(seen_us) - sent_us[result["command_id"]]) / 1000)
    took_ms = sorted(took_ms[20:])  # the first ones find everything cold
    assert len(took_ms) >= count
    p50, p99 = (took_ms[int(len(took_ms) * part)] for part in (0.50, 0.99))
    say(f"{len(took_ms)} single commands: sent to result visible p50 {p50:.1f} ms, p99 "
        f"{p99:.1f} ms")
    drop(kafka, redis, daemon)
    return p50


def import_words(file: Path) -> list[Any]:
    """`belfry import` where there is one, else `belfry add`."""
    known = subprocess.run([harness.BUILD / "belfry", "import", "--help"], capture_output=True,
                           check=False).returncode == 0
    return ["import", "-f", file] if known else ["add", "-f", file, "--wait=60s"]


def import_jobs(kafka: harness.Kafka, redis: harness.Redis, jobs: int, shards: int) -> float:
    """Seconds the command line takes for a file of jobs, results received."""
    cluster = "import"
    daemon = start_daemon(kafka, redis, cluster, shards)
    file = harness.new_directory("import") / "jobs.ndjson"
    with open(file, "w", encoding="utf-8") as lines:
        for _, command in single_adds(jobs, shards):
            lines.write(json.dumps(json.loads(command)["job"]) + "\n")
    words = import_words(file)
    begun = time.monotonic()
    harness.belfry(kafka, redis, cluster, *words, expect=0, deadline_s=120)
    took_s = time.monotonic() - begun
    say(f"belfry {words[0]} of {jobs} jobs: {took_s:.1f} s")
    drop(kafka, redis, daemon)
    return took_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--adds", type=int, default=int(os.environ.get("CONTROL_ADDS", 100_000)))
    parser.add_argument("--only", default="adds,latency,import", metavar="NAME,…")
    options = parser.parse_args()
    parts = set(options.only.split(","))
    harness.install_signal_handlers()
    print(f"machine: {describe_machine()}")
    last = dict.fromkeys(("adds_per_second", "ratio", "result_p50_ms", "import_100k_s"), "-")
    with harness.Kafka(heap_mb=1024, jvm=JVM) as kafka, harness.Redis() as redis:
        if "adds" in parts:
            adds_round(kafka, redis, 0, options.adds, options.shards)  # the broker warms up
            rounds = [adds_round(kafka, redis, n, options.adds, options.shards)
                      for n in range(1, options.rounds + 1)]
            rate, bare = (statistics.median(column) for column in zip(*rounds))
            last |= {"adds_per_second": f"{rate:.0f}", "ratio": f"{rate / bare:.2f}"}
        if "latency" in parts:
            last["result_p50_ms"] = f"{latency(kafka, redis, 300, options.shards):.1f}"
        if "import" in parts:
            last["import_100k_s"] = f"{import_jobs(kafka, redis, 100_000, options.shards):.1f}"
    print(" ".join(f"{name}={value}" for name, value in last.items()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
