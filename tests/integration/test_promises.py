"""The promises of docs/guarantees.md one by one, on a real Kafka and a real Redis.

Each test does one thing to a running cluster and lets the oracle look at all that came of it.
"""

from __future__ import annotations

import shutil
import signal
import time
from typing import Any

from harness import Kafka, Redis, TopicReader, produce
from scenario import Scenario, every, group_on, job, now_ms

GROUPS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]


def add_jobs(scene: Scenario, count: int = 12) -> None:
    """Jobs of every second over several groups, added by one command."""
    jobs = [every(GROUPS[number % len(GROUPS)], f"j{number}") for number in range(count)]
    scene.call({"op": "add", "command_id": f"add-{count}", "jobs": jobs})


def sleep_until(moment_ms: int) -> None:
    time.sleep(max(0.0, (moment_ms - now_ms()) / 1000))


# ---- 2: a command acts at its log time -------------------------------------------------------


def test_pause_sent_while_down_stops_the_slots_after_it(kafka: Kafka, redis: Redis, cluster: str
                                                       ) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        scene.wait_fires(24)
        daemon.kill9()
        sleep_until(now_ms() + 2500)
        sent = scene.send({"op": "pause", "command_id": "p", "select": {"groups": ["alpha"]}})
        sleep_until(now_ms() + 2500)
        daemon.start()
        paused = scene.client.results(sent)[0]
        assert paused["changed"] == 2
        scene.wait_fires(24, matching=lambda fire: fire["jobgroup"] != "alpha")
        scene.verify()


def test_commands_sent_while_down_act_in_their_order(kafka: Kafka, redis: Redis, cluster: str
                                                     ) -> None:
    """An update, a pause, a resume and a delete of the same jobs, seconds apart, all read late."""
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        scene.wait_fires(12)
        daemon.terminate()
        for number, command in enumerate([
                {"op": "update", "select": {"groups": ["alpha"]}, "set": {"payload": "new"}},
                {"op": "pause", "select": {"groups": ["beta"]}},
                {"op": "update", "select": {"groups": ["gamma"]},
                 "set": {"schedule": {"every": "700ms"}}},
                {"op": "resume", "select": {"groups": ["beta"]}},
                {"op": "delete", "select": {"groups": ["delta"]}}]):
            if command.get("set", {}).get("schedule"):
                command["set"]["schedule"] = {"every": "2s"}
            scene.send({**command, "command_id": f"late-{number}"})
            sleep_until(now_ms() + 1200)
        daemon.start()
        scene.wait_fires(24)
        scene.verify()


def test_frozen_daemon_reads_commands_before_it_fires(kafka: Kafka, redis: Redis, cluster: str
                                                      ) -> None:
    """Frozen for less than the session: nobody took over, and the pause still acts in time."""
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        for number in range(3):
            scene.wait_fires(12)
            daemon.sigstop()
            sleep_until(now_ms() + 1500)
            scene.send({"op": "pause" if number % 2 == 0 else "resume",
                        "command_id": f"frozen-{number}", "select": {"all": True}}, key="alpha")
            scene.send({"op": "update", "command_id": f"u-{number}",
                        "select": {"groups": ["beta"]}, "set": {"payload": number}})
            if number % 2 == 0:
                scene.send({"op": "resume", "command_id": f"again-{number}",
                            "select": {"groups": ["gamma"]}})
            sleep_until(now_ms() + 3000)
            daemon.sigcont()
            if number % 2 == 0:
                scene.call({"op": "resume", "command_id": f"on-{number}",
                            "select": {"all": True}}, outcome=None, key="alpha")
        scene.verify()


def test_add_sent_before_the_first_start(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Jobs count from their log time, also when no daemon has ever run on this cluster."""
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon().terminate()
        add_jobs(scene_after(scene), 6)
        scene.verify()


def scene_after(scene: Scenario) -> Scenario:
    """Sends nothing itself: starts the daemon a moment after the next command was sent."""
    send = scene.client.send

    def later(*words: Any, **more: Any) -> Any:
        sent = send(*words, **more)
        sleep_until(now_ms() + 2500)
        scene.daemons[0].start()
        scene.client.send = send  # type: ignore[method-assign]
        return sent

    scene.client.send = later  # type: ignore[method-assign]
    return scene


# ---- 3: order --------------------------------------------------------------------------------


def test_order_of_groups_and_of_one_instant(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Jobs of one group due at the same instant fire in the order in which they were added."""
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        names = [f"j{number:03d}" for number in range(200)]
        scene.call({"op": "add", "command_id": "many",
                    "jobs": [every("alpha", name, "2s" if number % 3 else "1s")
                             for number, name in enumerate(names)]})
        scene.wait_fires(400)
        daemon.kill9()
        sleep_until(now_ms() + 1500)
        daemon.start()
        scene.wait_fires(400)
        by_instant: dict[str, list[str]] = {}
        for record in scene.fires.records:
            fire = record.json
            by_instant.setdefault(fire["dueat"], []).append(fire["jobid"])
        for instant, fired in by_instant.items():
            assert fired == sorted(fired), f"{instant}: {fired}"
        scene.verify()


# ---- 5: Redis --------------------------------------------------------------------------------


def test_start_without_redis(kafka: Kafka, cluster: str) -> None:
    """The state log is enough; Redis is written when it comes, though it comes empty."""
    with Redis(appendonly=False) as redis, Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        scene.wait_fires(12)
        daemon.terminate()
        redis.kill9()
        daemon.start()
        scene.wait_fires(36)
        scene.call({"op": "update", "command_id": "u", "select": {"groups": ["alpha"]},
                    "set": {"payload": 1}})
        redis.start()
        scene.wait_stored(12)
        scene.verify()


def test_redis_away_delays_no_fire(kafka: Kafka, cluster: str) -> None:
    with Redis() as redis, Scenario(kafka, redis, cluster) as scene:
        scene.daemon()
        add_jobs(scene)
        scene.wait_stored(12)
        redis.kill9()
        late = scene.wait_fires(60)
        assert max(fire["latenessms"] for fire in late) < 1500, late
        scene.call({"op": "delete", "command_id": "d", "select": {"groups": ["beta"]}})
        more = [every("omega", f"o{number}") for number in range(5)]
        scene.call({"op": "add", "command_id": "more", "jobs": more})
        redis.start()
        scene.wait_stored(15)
        scene.verify()


def test_frozen_redis_delays_no_fire(kafka: Kafka, cluster: str) -> None:
    """Redis that takes connections and does not answer."""
    with Redis() as redis, Scenario(kafka, redis, cluster) as scene:
        scene.daemon()
        add_jobs(scene)
        scene.wait_stored(12)
        redis.sigstop()
        scene.call({"op": "update", "command_id": "u", "select": {"groups": ["alpha"]},
                    "set": {"payload": 1}})
        late = scene.wait_fires(72)
        assert max(fire["latenessms"] for fire in late) < 1500, late
        redis.sigcont()
        scene.verify()


def test_flushall_mends_by_itself(kafka: Kafka, cluster: str) -> None:
    with Redis() as redis, Scenario(kafka, redis, cluster) as scene:
        scene.daemon()
        add_jobs(scene)
        scene.wait_stored(12)
        with redis.client() as client:
            client.flushall()
        scene.call({"op": "update", "command_id": "u", "select": {"groups": ["alpha"]},
                    "set": {"payload": 1}})
        scene.wait_stored(12)
        scene.verify()


def test_rolled_back_redis_mends_by_itself(kafka: Kafka, cluster: str) -> None:
    """Redis comes back with the data of a minute ago: the writer and a take-over both notice."""
    with Redis() as redis, Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        scene.wait_stored(12)
        redis.stop()
        old = redis.directory / "old"
        shutil.copytree(redis.directory / "appendonlydir", old)
        redis.start()
        scene.call({"op": "delete", "command_id": "d", "select": {"groups": ["beta"]}})
        scene.call({"op": "update", "command_id": "u", "select": {"groups": ["alpha"]},
                    "set": {"schedule": {"every": "2s"}}})
        scene.wait_stored(10)
        for kill in (False, True):
            redis.stop()
            redis.erase()
            if kill:
                daemon.kill9()
            shutil.copytree(old, redis.directory / "appendonlydir")
            redis.start()
            if kill:
                daemon.start()
            scene.wait_fires(12)
            scene.wait_stored(10)
        scene.verify()


def test_restart_from_kafka_alone(kafka: Kafka, cluster: str) -> None:
    with Redis(appendonly=False) as redis, Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene, 300)
        scene.call({"op": "pause", "command_id": "p", "select": {"groups": ["alpha"]}})
        scene.call({"op": "delete", "command_id": "d", "select": {"groups": ["beta"]}})
        daemon.kill9()
        redis.restart(empty=True)
        daemon.start()
        again = scene.call({"op": "pause", "command_id": "p", "select": {"groups": ["alpha"]}},
                           outcome="duplicate")
        assert [result["changed"] for result in again] == [0]
        scene.wait_stored(250)
        scene.verify()


# ---- hand-over, ends -------------------------------------------------------------------------


def test_graceful_hand_over_between_two_daemons(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        first = scene.daemon()
        add_jobs(scene, 48)
        scene.wait_fires(48)
        second = scene.daemon()
        second.wait_live(2)
        scene.wait_fires(96)
        first.terminate()
        second.wait_live(4)
        scene.wait_fires(96)
        first.start().wait_live(2)
        scene.wait_fires(96)
        scene.verify()


def test_sigterm_ends_with_0_within_10_seconds(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene, 200)
        for _ in range(3):
            scene.wait_fires(200)
            daemon.terminate(deadline_s=15, expect=0)
            daemon.start()
        scene.wait_fires(200)
        daemon.terminate(deadline_s=15, expect=0)
        with scene.redis.client() as client:  # the checkpoint is that of the end
            sequences = [client.hget(f"{cluster}:{{{shard}}}:snapshot", "sequence")
                         for shard in range(scene.shards)]
        drained = {line["shard"]: line for line in daemon.events("shard.drained")}
        for shard, sequence in enumerate(sequences):
            assert drained[str(shard)]["sequence"] == sequence, (drained, sequences)
        daemon.start()  # what came due since it ended is to be judged, too
        scene.verify()


def test_second_sigterm_ends_at_once(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        scene.wait_fires(12)
        daemon.send(signal.SIGTERM)
        daemon.send(signal.SIGTERM)
        daemon.wait_exit(8)
        daemon.start()
        scene.wait_fires(24)
        scene.verify()


def test_sigterm_without_kafka(redis: Redis) -> None:
    """The broker is gone: the daemon still ends within 10 s, and nothing is lost."""
    with Kafka() as kafka, Scenario(kafka, redis, "belfry") as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        scene.wait_fires(12)
        kafka.kill9()
        time.sleep(1)
        daemon.terminate(deadline_s=15, expect=0)
        kafka.start()
        daemon.start().wait_live()
        scene.wait_fires(24)
        scene.verify()


def test_death_at_every_fault_point(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Killed right before and right after each produce, commit, checkpoint and init."""
    with Scenario(kafka, redis, cluster, shards=2) as scene:
        daemon = scene.daemon()
        add_jobs(scene, 6)
        for point in ("init.before:1", "init.after:1", "begin.before:4", "produce.before:7",
                      "produce.after:9", "produce.after:40", "commit.before:1", "commit.before:6",
                      "commit.after:1", "commit.after:6", "checkpoint.before:2",
                      "checkpoint.after:2"):
            daemon.kill9()
            daemon.fault = point
            daemon.start()
            scene.send({"op": "update", "command_id": f"at-{point}",
                        "select": {"groups": ["alpha"]}, "set": {"payload": point}})
            assert daemon.wait_exit() == -signal.SIGKILL, f"{point}\n{daemon.tail()}"
            daemon.fault = None
            daemon.start()
            scene.wait_fires(6)
        scene.verify()


# ---- 6: every command has its answer ---------------------------------------------------------


def test_command_id_sent_twice_acts_once(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        add_jobs(scene)
        trigger = {"op": "trigger", "command_id": "once", "select": {"groups": ["alpha"]}}
        scene.call(trigger)
        sent = [scene.send(trigger)]
        daemon.kill9()
        sent.append(scene.send(trigger))
        daemon.start()
        sent.append(scene.send(trigger))
        for place in sent:
            answer, = scene.answers(place)
            assert answer["outcome"] == "duplicate" and answer["first_outcome"] == "applied"
        triggered = [r.json for r in scene.fires.read_to_end() if r.json["firekind"] == "trigger"]
        assert len(triggered) == 2
        scene.verify()


def test_aborted_transaction_of_a_client_is_no_command(kafka: Kafka, redis: Redis, cluster: str
                                                       ) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon()
        add_jobs(scene)
        control = f"{cluster}.control"
        gone = b'{"op":"delete","command_id":"gone","select":{"groups":["alpha"]}}'
        kept = b'{"op":"delete","command_id":"kept","select":{"groups":["beta"]}}'
        produce(kafka.bootstrap, control, [("alpha", gone)], transaction="foreign", commit=False)
        produce(kafka.bootstrap, control, [("beta", kept)], transaction="foreign")
        assert scene.client.results("kept")[0]["changed"] == 2
        scene.call({"op": "ping", "command_id": "after"}, outcome=None, key="alpha")
        assert "gone" not in scene.client.by_command
        scene.verify()


def test_forged_forward_is_a_dead_letter(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        scene.daemon()
        add_jobs(scene)
        command = b'{"op":"delete","command_id":"forged","select":{"groups":["%s"]}}'
        group = group_on(1, scene.shards)
        records = [("x", command % b"alpha", None, 0),
                   ("x", command % group.encode(), [("belfry-origin", b"2/1")], 0),
                   ("x", command % group.encode(), [("belfry-origin", b"-1/x")], 1)]
        produce(kafka.bootstrap, f"{cluster}.forward", records)
        with TopicReader(kafka.bootstrap, f"{cluster}.dead") as dead:
            assert len(dead.read_until(3)) == 3
        scene.call({"op": "update", "command_id": "after", "select": {"groups": ["alpha"]},
                    "set": {"payload": 1}})
        assert "forged" not in scene.client.by_command
        scene.verify()


# ---- schedules, live -------------------------------------------------------------------------


def test_ends_counts_and_one_shots(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """start, end, max_fires and `at` to the slot, also across a kill."""
    from oracle_fold import instant_text as text

    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        base = (now_ms() // 1000 + 2) * 1000
        jobs = [every("alpha", "start", start=text(base + 2000)),
                every("alpha", "end", end=text(base + 4000)),
                every("beta", "both", start=text(base + 1000), end=text(base + 3001)),
                every("beta", "three", max_fires=3),
                job("gamma", "at", {"at": text(base + 2500)}),
                job("gamma", "past", {"at": text(base - 60_000)}),
                job("delta", "cron", {"cron": "*/2 * * * * *"}),
                job("delta", "gone", {"at": text(base + 1500)}, keep_finished="0s")]
        scene.call({"op": "add", "command_id": "ends", "jobs": jobs})
        scene.wait_fires(3)
        daemon.kill9()
        daemon.start()
        sleep_until(base + 6000)
        scene.wait_fires(3)
        counts: dict[str, int] = {}
        for record in scene.fires.records:
            counts[record.json["jobid"]] = counts.get(record.json["jobid"], 0) + 1
        wanted = {"end": counts.get("end"), "both": 3, "three": 3, "at": 1, "past": 1, "gone": 1}
        assert {name: counts.get(name) for name in wanted} == wanted, counts
        with TopicReader(kafka.bootstrap, f"{cluster}.events") as reader:
            events = [record.json for record in reader.read_to_end()]
        exhausted = sorted(e["id"] for e in events if e["event"] == "exhausted")
        assert exhausted == ["at", "both", "end", "gone", "past", "three"], exhausted
        scene.verify(in_redis=False)
