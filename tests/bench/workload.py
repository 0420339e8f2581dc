"""The jobs of a benchmark, and how they are loaded."""

from __future__ import annotations

import json
import time
from typing import Any, Iterator

import confluent_kafka

import harness

JOBS_PER_COMMAND = 2000
GROUPS_PER_SHARD = 50


class Workload:
    """`jobs` jobs spread evenly over the shards; job n has the schedule n modulo their number."""

    payload_bytes = 100

    def __init__(self, jobs: int, shards: int, schedules: list[dict[str, Any]], **options: Any):
        self.jobs = jobs
        self.shards = shards
        self.schedules = [json.dumps(schedule) for schedule in schedules]
        self.options = "".join(f",{json.dumps(name)}:{json.dumps(value)}"
                               for name, value in options.items())
        self.groups = self._groups()

    def _groups(self) -> list[list[str]]:
        """Names of groups for each shard."""
        groups: list[list[str]] = [[] for _ in range(self.shards)]
        number = 0
        while any(len(names) < GROUPS_PER_SHARD for names in groups):
            name = f"tenant-{number:04d}"
            names = groups[harness.shard_of(name, self.shards)]
            if len(names) < GROUPS_PER_SHARD:
                names.append(name)
            number += 1
        return groups

    def _job(self, number: int, group: str) -> str:
        payload = f'{{"report":"invoice","customer":"c-{number:08d}","note":"'
        payload += "x" * (self.payload_bytes - len(payload) - 2) + '"}'
        return (f'{{"group":"{group}","id":"invoice-{number:08d}","schedule":'
                f'{self.schedules[number % len(self.schedules)]},"payload":{payload}'
                f'{self.options}}}')

    def commands(self) -> Iterator[tuple[str, str]]:
        """(key, command), each for one shard, in turn."""
        number = 0
        while number < self.jobs:
            groups = self.groups[number // JOBS_PER_COMMAND % self.shards]
            if self.jobs < JOBS_PER_COMMAND:  # a few: one command each, over all shards
                groups, until = self.groups[number % self.shards], number + 1
            else:
                until = min(number + JOBS_PER_COMMAND, self.jobs)
            jobs = ",".join(self._job(n, groups[n % len(groups)]) for n in range(number, until))
            yield groups[0], f'{{"op":"add","command_id":"load-{number}","jobs":[{jobs}]}}'
            number = until


def load(kafka: harness.Kafka, cluster: str, workload: Workload, deadline_s: float = 600) -> float:
    """Sends all commands and waits for their results; seconds from the first one sent."""
    producer = confluent_kafka.Producer(harness.client_options(
        kafka.bootstrap, partitioner="murmur2_random", linger_ms=5, compression_type="lz4"))
    begun = time.monotonic()
    changed = 0
    with harness.TopicReader(kafka.bootstrap, f"{cluster}.results", from_end=True) as reader:
        for key, command in workload.commands():
            producer.produce(f"{cluster}.control", command.encode(), key.encode())
            producer.poll(0)
            changed += _changed(reader, 0.0)
        assert producer.flush(60) == 0, "commands were not delivered"
        while changed < workload.jobs:
            assert time.monotonic() - begun < deadline_s, f"only {changed} jobs were added"
            changed += _changed(reader, 0.05)
    return time.monotonic() - begun


def _changed(reader: harness.TopicReader, wait_s: float) -> int:
    """Jobs added as the results that are there now say."""
    results = [record.json for record in reader.poll(wait_s)]
    reader.records.clear()
    for result in results:
        assert result["outcome"] == "applied", result
    return sum(result["changed"] for result in results)
