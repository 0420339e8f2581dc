"""One bad fire never stops the others: missing topics, topics with a small limit, topics that are
deleted while they are in use, among thousands of good fires."""

from __future__ import annotations

import time
from typing import Any, Callable

import confluent_kafka.admin

from harness import Kafka, Redis, TopicReader, create_topic, read_all, wait_for
from oracle_fold import instant_ms, instant_text
from scenario import Scenario, every, group_on, job, now_ms
from topics import client_options, partition_count

GOOD = 2000
IN_TIME_MS = 6500  # message.timeout.ms of 5 s bounds how long a bad topic can hold a shard


def events_of(scene: Scenario, kind: str) -> list[dict[str, Any]]:
    with TopicReader(scene.kafka.bootstrap, f"{scene.cluster}.events") as reader:
        return [record.json for record in reader.read_to_end() if record.json["event"] == kind]


def wait_events(scene: Scenario, kind: str, matching: Callable[[dict[str, Any]], bool],
                deadline_s: float = 30.0) -> list[dict[str, Any]]:
    """Waits for events of a kind that match."""
    return wait_for(lambda: [e for e in events_of(scene, kind) if matching(e)], deadline_s,
                    f"event {kind}", every_s=0.3)


def herd_and(scene: Scenario, at_ms: int, bad: list[dict[str, Any]]) -> None:
    """Many good one-shots at one instant on one shard, the bad jobs in the middle of them."""
    group = group_on(0, scene.shards)
    good = [job(group, f"good{number:05d}", {"at": instant_text(at_ms)}) for number in range(GOOD)]
    for part, begin in enumerate(range(0, GOOD, 1000)):
        jobs = good[begin:begin + 500] + (bad if part == 0 else []) + good[begin + 500:begin + 1000]
        scene.call({"op": "add", "command_id": f"herd-{part}", "jobs": jobs})


def lateness(scene: Scenario, at_ms: int) -> list[int]:
    """How late each good fire of the herd became visible in the topic, by its own stamp."""
    return [record.timestamp_ms - at_ms for record in scene.fires.records
            if record.json["jobid"].startswith("good")]


def delete_topic(bootstrap: str, name: str) -> None:
    admin = confluent_kafka.admin.AdminClient(client_options(bootstrap))
    admin.delete_topics([name])[name].result(timeout=30)
    wait_for(lambda: partition_count(admin, name) == 0, 60, f"topic {name} is gone")


def test_missing_topic_among_thousands(kafka: Kafka, redis: Redis, cluster: str) -> None:
    topic = f"{cluster}-later"
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon(env={"BELFRY_FIRES_TOPICS": topic})
        at_ms = now_ms() // 1000 * 1000 + 5000
        group = group_on(0, scene.shards)
        bad = job(group, "bad", {"at": instant_text(at_ms)}, topic=topic)
        herd_and(scene, at_ms, [bad])
        scene.wait_fires(GOOD, matching=lambda fire: fire["jobid"].startswith("good"))
        assert max(lateness(scene, at_ms)) < IN_TIME_MS
        failed = wait_events(scene, "fire_failed", lambda event: event["id"] == "bad")
        assert failed[0]["reason"] == "topic_missing" and instant_ms(failed[0]["first"]) == at_ms
        scene.wait_stored(GOOD + 1)
        assert scene.stored()[f"{group}/bad"]["state"] == "failing"
        create_topic(kafka.bootstrap, topic, partitions=2)
        fire, = (r.json for r in read_all(kafka.bootstrap, topic, until=1, deadline_s=90))
        assert fire["firekind"] == "retry" and instant_ms(fire["dueat"]) == at_ms
        assert fire["id"] == f"{fire['jobincarnation']}@{at_ms}" and fire["attempt"] >= 2
        ended = wait_events(scene, "exhausted", lambda event: event["id"] == "bad")
        assert len(ended) == 1
        assert len([e for e in events_of(scene, "exhausted") if e["id"] == "bad"]) == 1


def test_slots_queue_behind_a_failing_one(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """All slots of a job whose topic comes late arrive in order, each once; also after a kill."""
    topic = f"{cluster}-later"
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon(env={"BELFRY_FIRES_TOPICS": topic})
        group = group_on(0, scene.shards)
        scene.call({"op": "add", "jobs": [every(group, "bad", topic=topic),
                                          every(group, "good")]})
        wait_events(scene, "fire_failed", lambda event: event["id"] == "bad")
        scene.wait_fires(3)
        daemon.kill9()
        daemon.start()
        scene.wait_fires(3)
        create_topic(kafka.bootstrap, topic, partitions=2)
        wanted_ms = now_ms()
        with TopicReader(kafka.bootstrap, topic) as reader:
            fires = reader.read_until(lambda records: any(
                instant_ms(record.json["dueat"]) >= wanted_ms for record in records), 90)
            slots = [instant_ms(record.json["dueat"]) for record in fires]
        first_ms = instant_ms(fires[0].json["dueat"])
        assert slots == list(range(first_ms, slots[-1] + 1, 1000)), slots
        assert fires[0].json["firekind"] == "retry"
        good = [instant_ms(r.json["dueat"]) for r in scene.fires.read_to_end()]
        assert good == list(range(good[0], good[-1] + 1, 1000))
        assert first_ms == good[0], "the first slot of both jobs is the same"


def test_too_large_for_its_topic_among_thousands(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """One fire is larger than its topic takes; the other's topic takes no whole batch."""
    topic = f"{cluster}-small"
    create_topic(kafka.bootstrap, topic, config={"max.message.bytes": "20000"})
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon(env={"BELFRY_FIRES_TOPICS": topic})
        at_ms = now_ms() // 1000 * 1000 + 5000
        group = group_on(0, scene.shards)
        bad = [job(group, "large", {"at": instant_text(at_ms)}, topic=topic, payload="x" * 60_000),
               job(group, "small", {"at": instant_text(at_ms)}, topic=topic, payload="x" * 100)]
        herd_and(scene, at_ms, bad)
        scene.wait_fires(GOOD, matching=lambda fire: fire["jobid"].startswith("good"))
        assert max(lateness(scene, at_ms)) < IN_TIME_MS
        for name, reason in (("large", "too_large"), ("small", "undeliverable")):
            failed = wait_events(scene, "fire_failed", lambda event: event["id"] == name)
            assert failed[0]["reason"] == reason and instant_ms(failed[0]["first"]) == at_ms
            assert "max.message.bytes" in failed[0]["detail"], failed[0]
        assert not [e for e in events_of(scene, "fire_failed") if e["id"].startswith("good")]
        scene.wait_stored(GOOD + 2)
        for name in ("large", "small"):
            assert scene.stored()[f"{group}/{name}"]["state"] == "failing"


def test_topic_deleted_after_warming(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """The topic goes away while it is in use: the others wait 5 s at most, nothing is lost."""
    topic = f"{cluster}-gone"
    create_topic(kafka.bootstrap, topic, partitions=2)
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon(env={"BELFRY_FIRES_TOPICS": topic})
        group = group_on(0, scene.shards)
        jobs = [every(group, f"good{number}") for number in range(20)]
        scene.call({"op": "add", "command_id": "all",
                    "jobs": [*jobs, every(group, "bad", topic=topic)]})
        before = read_all(kafka.bootstrap, topic, until=3)
        delete_topic(kafka.bootstrap, topic)
        gone_ms = now_ms()
        wait_events(scene, "fire_failed", lambda event: event["id"] == "bad", 60)
        fires = scene.wait_fires(200, deadline_s=60)
        late = [fire["latenessms"] for fire in fires if instant_ms(fire["dueat"]) > gone_ms]
        assert max(late) < 12_000, late
        settled = scene.wait_fires(60, deadline_s=60)
        assert max(fire["latenessms"] for fire in settled[-20:]) < 2000, "good fires go on"
        create_topic(kafka.bootstrap, topic, partitions=2)
        last_ms = max(instant_ms(record.json["dueat"]) for record in before)
        with TopicReader(kafka.bootstrap, topic) as reader:
            back = reader.read_until(lambda records: len(records) >= 10, 120)
        slots = [instant_ms(record.json["dueat"]) for record in back]
        assert slots == sorted(set(slots)) and slots[0] > last_ms - 1000, slots
        assert slots == list(range(slots[0], slots[-1] + 1, 1000)), slots
        by_job: dict[str, list[int]] = {}
        for record in scene.fires.read_to_end():
            by_job.setdefault(record.json["jobid"], []).append(instant_ms(record.json["dueat"]))
        for name, found in by_job.items():
            assert found == list(range(found[0], found[-1] + 1, 1000)), f"{name}: {found}"


def test_trigger_to_a_missing_topic_is_announced(kafka: Kafka, redis: Redis, cluster: str) -> None:
    topic = f"{cluster}-none"
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon(env={"BELFRY_FIRES_TOPICS": topic})
        group = group_on(0, scene.shards)
        at = instant_text(now_ms() + 3_600_000)
        scene.call({"op": "add", "jobs": [job(group, "bad", {"at": at}, topic=topic),
                                          every(group, "good")]})
        begin = time.monotonic()
        scene.call({"op": "trigger", "command_id": "t", "select": {"groups": [group]}})
        wait_events(scene, "fire_failed", lambda event: event["id"] == "bad")
        assert time.monotonic() - begin < 30
        triggered = scene.wait_fires(1)
        assert triggered[0]["jobid"] == "good"
