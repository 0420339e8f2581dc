"""The metrics of a daemon, beside what a read_committed consumer of the topics counts: through
kills and an outage of Kafka. Both parsers read the page each time it is asked for."""

from __future__ import annotations

import json
import time
from typing import Any

from harness import Belfryd, Kafka, Redis, belfry, wait_for
from http_client import Asker
from metrics_count import Life, Numbers, differences, fence, jobs_by_state, scrape
from oracle_fold import instant_text
from runner import limit
from scenario import Scenario, every, job, now_ms

SHARDS = 2
GRACE_MS = 500
AWAY_S = 3.0
NOBODY = "127.0.0.1:1"  # no Kafka listens there


def test_before_kafka_answers_the_page_is_whole(redis: Redis, cluster: str) -> None:
    with Belfryd(NOBODY, redis, cluster, args=("--http", "127.0.0.1:0")) as daemon:
        numbers, exemplars = scrape(Asker(daemon))
        assert numbers["belfry_ready",] == numbers["belfry_kafka_silence_seconds",] == 0
        assert numbers["belfry_shards_configured",] == 4
        assert numbers["belfry_log_events_total", "daemon.starting"] == 1
        assert not any("belfry_shard_live" in key for key in numbers) and exemplars == {}
        assert numbers["process_start_time_seconds",] > time.time() - 3600
        assert 0 < numbers["process_resident_memory_bytes",] < 2**32


class Counting(Scenario):
    """One daemon after the other, and what each has committed."""

    def live(self) -> tuple[Asker, Life]:
        """A new life, alone."""
        for daemon in self.daemons:
            daemon.kill9()
        fence(self.kafka.bootstrap, self.cluster, self.shards)
        life = Life(self.kafka.bootstrap, self.cluster)
        time.sleep(AWAY_S)  # what comes due meanwhile is late, and some of it is missed
        return self.born(), life

    def born(self) -> Asker:
        daemon = self.daemon(args=("--http", "127.0.0.1:0"), env={
            "BELFRY_MISFIRE_GRACE": f"{GRACE_MS}ms", "BELFRY_FIRES_TOPICS": "nobody-made-it",
            "BELFRY_GROUP_INSTANCE_ID": "always-the-same"})
        daemon.wait_live()
        return Asker(daemon)

    def agree(self, asker: Asker, life: Life) -> Numbers:
        """At rest the two say the same. Marks of the clock may come between: then again."""
        self.call({"op": "pause", "select": {"all": True}}, outcome=None)
        told = ["nothing was compared"]

        def compared() -> Numbers | None:
            before, _ = scrape(asker)
            told[0] = differences(life.count(GRACE_MS), before)
            return before if told[0] == "" else None

        try:
            numbers = wait_for(compared, 120, "metrics and topics agree")
        except Exception as error:
            raise AssertionError(f"counted and said: {told[0]}") from error
        self.status_agrees(asker)
        by_group = sum(value for key, value in numbers.items()
                       if key[0] == "belfry_group_lateness_seconds_count")
        assert by_group == numbers["belfry_fire_lateness_seconds_count",]
        self.call({"op": "resume", "select": {"all": True}}, outcome=None)
        return numbers

    def status_agrees(self, asker: Asker) -> None:
        """belfry status says the same, two seconds later at most; so do the topics."""

        def compared() -> bool:
            said = json.loads(belfry(self.kafka, self.redis, self.cluster, "status", "-o", "json",
                                     expect=None).stdout)
            numbers, _ = scrape(asker)
            counted = jobs_by_state(self.kafka.bootstrap, self.cluster)
            told[0] = f"{said['jobs']} {said['owed']} {counted}"
            return (all(said["jobs"][state] == numbers["belfry_jobs", state] == count
                        for state, count in counted.items()) and
                    said["jobs"]["total"] == sum(counted.values()) and
                    said["owed"]["jobs"] == numbers["belfry_jobs_owing",] and
                    said["jobs"]["due_in_an_hour"] == numbers["belfry_jobs_due_next_hour",] and
                    said["shards"]["live"] == self.shards)

        told = ["nothing was compared"]
        try:
            wait_for(compared, 120, "belfry status agrees", every_s=0.3)
        except Exception as error:
            raise AssertionError(f"status and topics: {told[0]}") from error

    def work(self) -> None:
        """Something of each kind."""
        at = instant_text(now_ms() + 300)
        jobs = [every(f"g{i}", "each", catchup={"policy": "all"}) for i in range(6)]
        jobs += [every("none", "each", catchup={"policy": "none", "misfire_grace": "1s"}),
                 every("latest", "each", catchup={"policy": "latest", "misfire_grace": "1s"}),
                 job("bad", "to-nobody", {"at": at}, topic="nobody-made-it")]
        for one in jobs:
            self.call({"op": "put", "job": one}, outcome=None)
        self.call({"op": "add", "job": jobs[0]}, outcome="conflict")
        self.call({"op": "trigger", "select": {"all": True}}, outcome=None)
        self.call({"op": "pause", "select": {"groups": ["g0", "g1"]}}, outcome=None)
        self.call({"op": "delete", "select": {"groups": ["g1"]}}, outcome=None)
        self.call({"op": "backfill", "select": {"groups": ["g2"]}, "rate": 100,
                   "from": instant_text(now_ms() - 10000)}, outcome=None)
        self.client.send("not json")
        self.client.send('{"op":"fly"}')


def settled(asker: Asker, *key: str) -> Any:
    return wait_for(lambda: scrape(asker)[0][key], 60, f"{key} is above 0")


@limit(600)
def test_metrics_and_topics_agree_through_kills_and_an_outage(redis: Redis, cluster: str) -> None:
    with Kafka() as kafka, Counting(kafka, redis, cluster, SHARDS) as scene:
        scene.born()
        scene.work()  # of a life that nobody asks
        scene.wait_fires(20)
        asker, life = scene.live()  # killed amid its work, and a while away
        settled(asker, "belfry_fires_total", "catchup")
        assert settled(asker, "belfry_jobs", "failing") == 1
        scene.work()
        numbers = scene.agree(asker, life)
        for key in (("belfry_fires_late_total",), ("belfry_slots_missed_total", "policy_none"),
                    ("belfry_fires_total", "trigger"),
                    ("belfry_fires_total", "backfill"), ("belfry_dead_letters_total",),
                    ("belfry_commands_forwarded_total",),
                    ("belfry_commands_total", "add", "conflict"),
                    ("belfry_commands_total", "unreadable", "rejected"),
                    ("belfry_takeover_duration_seconds_count",)):
            assert numbers[key] > 0, key
        _, exemplars = scrape(asker)
        assert exemplars["belfry_fires_late_total",] in life.fire_ids()
        assert {key[0] for key in exemplars} == {
            "belfry_fires_late_total", "belfry_slots_missed_total", "belfry_fires_failed_total"}
        kafka.kill9()
        wait_for(lambda: min(value for key, value in scrape(asker)[0].items()
                             if key[0] == "belfry_shard_still_seconds") > 3, 60,
                 "time stands still on all shards")
        kafka.restart()
        fires = numbers["belfry_fires_total", "schedule"]
        wait_for(lambda: scrape(asker)[0]["belfry_fires_total", "schedule"] > fires, 90, "it fires")
        scene.agree(asker, life)
        asker, life = scene.live()
        scene.work()
        scene.agree(asker, life)
