"""After an outage, with more slots a second on one shard than catchup.rate: how long until it has
caught up, and how live fires fare meanwhile. A sample of the jobs has a key of its own, by which
the reader knows their fires without looking into the others."""

from __future__ import annotations

import json
import random
import time
from typing import Any, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from harness import Kafka, Redis
from runner import limit
from scenario import Scenario, group_on
from topics import client_options

SAMPLE = 50
BYSTANDERS = 20
PART = 1000
GRACE_S = 30
KEY = b"sample"


class Fire(NamedTuple):
    job: str
    kind: str
    late_ms: int
    seen_s: float


class Sample:
    """The fires of the sample and of the bystanders, as they become visible."""

    def __init__(self, kafka: Kafka, topic: str):
        self.fires: list[Fire] = []
        self.topic = topic
        self.consumer = Consumer(client_options(
            kafka.bootstrap, group_id="sample", isolation_level="read_committed",
            enable_auto_commit=False, fetch_wait_max_ms=50))
        self.consumer.assign([TopicPartition(topic, 0, 0)])

    def skip(self) -> None:
        """Reads what is there."""
        end = self.consumer.get_watermark_offsets(TopicPartition(self.topic, 0), timeout=10)[1]
        limit_s = time.monotonic() + 60
        while self.consumer.position([TopicPartition(self.topic, 0)])[0].offset < end - 2:
            self.poll()
            assert time.monotonic() < limit_s

    def poll(self) -> None:
        for message in self.consumer.consume(10000, timeout=0.1):
            if message.error() is None and message.key() == KEY:
                fire = json.loads(message.value())
                self.fires.append(Fire(fire["subject"].split("/")[-1], fire["firekind"],
                                       int(fire["latenessms"]), time.monotonic()))


def bulk(group: str, jobs: int, policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Commands that add so many jobs of each second, at all its milliseconds."""
    dice = random.Random(11)
    made = []
    for number in range(jobs):
        at = f"2026-01-01T00:00:00.{dice.randrange(1000):03d}Z"
        one: dict[str, Any] = {"group": group, "id": f"j{number}", "catchup": policy,
                               "schedule": {"every": "1s", "anchor": at}}
        if number < SAMPLE:
            one["key"] = KEY.decode()
        made.append(one)
    return [{"op": "add", "command_id": f"a{at}", "jobs": made[at:at + PART]}
            for at in range(0, jobs, PART)]


def bystanders(group: str) -> dict[str, Any]:
    return {"op": "add", "command_id": "by", "jobs": [
        {"group": group, "id": f"by{number}", "key": KEY.decode(),
         "schedule": {"every": "1s", "anchor": f"2026-01-01T00:00:00.{number * 50:03d}Z"}}
        for number in range(BYSTANDERS)]}


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else -1


def catch_up(kafka: Kafka, redis: Redis, cluster: str, jobs: int, away_s: int,
             policy: dict[str, Any], rate: int, bound_s: float) -> None:
    with Scenario(kafka, redis, cluster, shards=1) as scene:
        daemon = scene.daemon(env={"BELFRY_CATCHUP_RATE": str(rate)})
        daemon.wait_live()
        group = group_on(0, 1)
        for command in bulk(group, jobs, policy):
            scene.call(command)
        time.sleep(3)
        daemon.terminate(30)
        time.sleep(away_s)
        sample = Sample(kafka, f"{cluster}.fires")
        sample.skip()
        back = time.monotonic()
        before = len(sample.fires)
        daemon.start()
        daemon.wait_ready()
        scene.send(bystanders(group))
        caught_up = False
        while not caught_up and time.monotonic() - back < bound_s:
            sample.poll()
            recent = [f for f in sample.fires[before:] if f.job.startswith("j")
                      and f.seen_s > time.monotonic() - 5]
            caught_up = (time.monotonic() - back > 10 and len(recent) >= SAMPLE
                         and all(f.kind == "schedule" for f in recent))
        late = [f for f in sample.fires[before:]
                if f.job.startswith("j") and f.kind == "catchup"]
        took_s = max((f.seen_s for f in late), default=back) - back
        lateness = [f.late_ms for f in sample.fires if f.job.startswith("by")]
        settled = [f.late_ms for f in sample.fires[-SAMPLE * 3:] if f.job.startswith("j")]
        print(f"jobs={jobs} away_s={away_s} policy={policy['policy']} rate={rate} "
              f"caught_up={caught_up} after_s={took_s:.1f} sample_catchup_fires={len(late)} "
              f"bystanders: n={len(lateness)} p50={percentile(lateness, .5)} ms "
              f"p99={percentile(lateness, .99)} ms most={max(lateness, default=-1)} ms; "
              f"then p50={percentile(settled, .5)} ms", flush=True)
        assert caught_up
        assert percentile(lateness, .99) < 1000 * GRACE_S


LATEST = {"policy": "latest"}
ALL = {"policy": "all", "limit": 1000}


@limit(300)
def test_2000_a_second_after_a_minute_latest(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 2000, 60, LATEST, 1000, 60)


@limit(500)
def test_2000_a_second_after_a_minute_all(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 2000, 60, ALL, 1000, 240)


@limit(1200)
def test_2000_a_second_after_ten_minutes_latest(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 2000, 600, LATEST, 1000, 60)


@limit(2700)
def test_2000_a_second_after_ten_minutes_all(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 2000, 600, ALL, 1000, 1900)


@limit(400)
def test_10000_a_second_after_a_minute_latest(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 10000, 60, LATEST, 1000, 120)


@limit(1300)
def test_10000_a_second_after_a_minute_all(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 10000, 60, ALL, 1000, 1000)


@limit(600)
def test_50000_a_second_after_a_minute_latest(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 50000, 60, LATEST, 1000, 200)


@limit(1000)
def test_50000_a_second_after_a_minute_all(kafka: Kafka, redis: Redis, cluster: str) -> None:
    catch_up(kafka, redis, cluster, 50000, 60, ALL, 20000, 700)
