"""A command for all of very many jobs: one outcome, bounded transactions, kills in the middle.

LARGE_JOBS says how many jobs (50,000; the promise is made for 1,000,000).
"""

from __future__ import annotations

import collections
import json
import os
import time
from typing import Any, Iterator

from harness import Kafka, Redis, TopicReader, produce, wait_for
from runner import limit
from scenario import Scenario, every, group_on

JOBS = int(os.environ.get("LARGE_JOBS", 50_000))
PER_COMMAND = 2000
SHARDS = 2
LATE_MAX_MS = 2000  # of the other shard's fires while the command is written


def load(scene: Scenario, group: str) -> None:
    """JOBS jobs of one group, none of them due in the next years."""
    def commands() -> Iterator[tuple[str, str]]:
        for first in range(0, JOBS, PER_COMMAND):
            jobs = ",".join(f'{{"group":"{group}","id":"j{n}","schedule":{{"cron":"0 0 29 2 *"}}}}'
                            for n in range(first, min(first + PER_COMMAND, JOBS)))
            yield group, f'{{"op":"add","jobs":[{jobs}]}}'
    produce(scene.kafka.bootstrap, f"{scene.cluster}.control", commands(), deadline_s=300)
    with TopicReader(scene.kafka.bootstrap, f"{scene.cluster}.results") as results:
        wait_for(lambda: sum(r.json["changed"] for r in results.read_to_end()) >= JOBS, 300,
                 f"{JOBS} jobs", every_s=0.2)


def wait_in_command(reader: TopicReader) -> None:
    """Until the shard's mark says that a command is partly written."""
    def begun() -> bool:
        found = any(record.key == b"mark" and b'"in_command"' in (record.value or b"")
                    for record in reader.poll(0.01))
        reader.records.clear()
        return found
    wait_for(begun, 120, "a command partly written", every_s=0.0)


def pause_all(scene: Scenario, group: str, kill: bool) -> dict[str, Any]:
    """Pauses the group, with a kill in the middle; returns the result."""
    with TopicReader(scene.kafka.bootstrap, f"{scene.cluster}.state", from_end=True) as state:
        state.poll(0.1)
        sent = scene.send({"op": "pause", "command_id": "all", "select": {"groups": [group]}})
        wait_in_command(state)
    if kill:
        scene.daemons[0].kill9()
        scene.daemons[0].start().wait_ready()
    result, = scene.answers(sent, 180)
    return result


def pauses(scene: Scenario) -> collections.Counter[tuple[int, str, str]]:
    """Revisions and times of the paused jobs in Redis, once its checkpoint of shard 0 is whole."""
    key = f"{scene.cluster}:{{0}}:"
    found: collections.Counter[tuple[int, str, str]] = collections.Counter()
    with scene.redis.client() as client:
        def paused() -> int:
            found.clear()
            for _, text in client.hscan_iter(f"{key}jobs", count=5000):
                job = json.loads(text)
                if job["state"] == "paused":
                    found[job["revision"], job["paused_at"], job["updated_at"]] += 1
            return sum(found.values())

        wait_for(lambda: paused() == JOBS, 300, f"{JOBS} paused jobs in Redis", every_s=1.0)
    return found


@limit(900)
def test_pause_of_all_jobs_survives_kills(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Each job is paused once, as of one instant, and one result says so."""
    group = group_on(0, SHARDS, "large")
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        load(scene, group)
        result = pause_all(scene, group, kill=True)
        assert (result["outcome"], result["matched"], result["changed"]) == ("applied", JOBS, JOBS)
        assert pauses(scene) == {
            (2, result["effective_at"], result["effective_at"]): JOBS}
        time.sleep(1)
        scene.client.poll(0.5)
        assert len(scene.client.by_command["all"]) == 1


@limit(900)
def test_other_shards_do_not_feel_a_large_command(kafka: Kafka, redis: Redis, cluster: str
                                                  ) -> None:
    """A job of every second on the other shard goes on in time."""
    group, other = (group_on(shard, SHARDS, "large") for shard in range(SHARDS))
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        load(scene, group)
        scene.call({"op": "add", "job": every(other, "tick")})
        scene.wait_fires(2)
        begin = len(scene.fires.read_to_end())
        result = pause_all(scene, group, kill=False)
        assert result["changed"] == JOBS
        scene.wait_fires(2)
        fires = [record.json for record in scene.fires.read_to_end()[begin:]]
        assert fires and max(fire["latenessms"] for fire in fires) < LATE_MAX_MS, fires
