"""The oracle itself: what the other tests rely on to see a fire that is lost, doubled or wrong."""

from __future__ import annotations

import json

from harness import Kafka, Redis, produce
from oracle import History, Oracle
from scenario import Scenario, every

JOBS = [every(group, group) for group in ("alpha", "beta", "gamma", "delta")]


def said(history: History, until_ms: int) -> str:
    """What the oracle complains of, "" when nothing."""
    try:
        Oracle(history).check(until_ms)
    except AssertionError as wrong:
        return str(wrong)
    return ""


def test_what_is_planted_is_found(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        scene.wait_fires(8)
        assert scene.verify()["fires"] >= 8
        with History(kafka.bootstrap, cluster, scene.shards) as history:
            lost = history.read().records("fires").pop(0)
            assert "was not fired and is named by 0 events" in said(history, scene.verified_ms)
        with History(kafka.bootstrap, cluster, scene.shards) as history:
            assert said(history.read(), scene.verified_ms) == ""
            topic, place = f"{cluster}.fires", (None, lost.partition)
            produce(kafka.bootstrap, topic, [(lost.key, lost.value, *place)])
            assert "came twice" in said(history.read(), scene.verified_ms)
            fire = {**lost.json, "id": "made up", "jobincarnation": "nobody"}
            produce(kafka.bootstrap, topic, [(lost.key, json.dumps(fire), *place)])
            assert "a job that nobody added" in said(history.read(), scene.verified_ms)
