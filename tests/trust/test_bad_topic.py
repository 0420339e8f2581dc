"""Many jobs whose topic does not take their fires, beside one on the same shard that fires each
second: it is on time, and when the topic is mended all the others come out."""

from __future__ import annotations

import time

from harness import Kafka, Redis, create_topic, read_all
from oracle_fold import instant_text
from runner import limit
from scenario import Scenario, every, group_on, job, now_ms

JOBS = 1000
WATCHED_S = 25


@limit(240)
def test_many_failing_jobs_hold_nobody(kafka: Kafka, redis: Redis, cluster: str) -> None:
    topic = f"{cluster}-missing"
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon(env={"BELFRY_FIRES_TOPICS": topic}).wait_live()
        group = group_on(0, scene.shards)
        scene.call({"op": "add", "job": every(group, "good")})
        at_ms = now_ms() // 1000 * 1000 + 6000
        scene.call({"op": "add", "jobs": [
            job(group, f"bad{number}", {"at": instant_text(at_ms)}, topic=topic)
            for number in range(JOBS)]})
        time.sleep((at_ms - now_ms()) / 1000 + 2)
        begin_ms = now_ms()
        time.sleep(WATCHED_S)
        late = sorted(record.json["latenessms"] for record in scene.fires.read_to_end()
                      if record.timestamp_ms >= begin_ms)
        assert len(late) > WATCHED_S * 0.8 and late[len(late) // 2] < 500, late
        create_topic(kafka.bootstrap, topic)
        fires = read_all(kafka.bootstrap, topic, until=JOBS, deadline_s=120)
        assert len({record.json["id"] for record in fires}) == len(fires) == JOBS
