"""Restart after days of downtime.

The days are real for Belfry: Kafka and the daemon first run with their wall clocks days in the
past (clock_shift.c, preloaded; elapsed time runs as ever), so that the log times of commands and
marks are from then; both are stopped and started again with the true time.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Iterator

from clocks import shift_library
from harness import Belfryd, Kafka, Redis, wait_for
from oracle import History, Oracle
from oracle_fold import DAY, HOUR, MINUTE, SECOND, instant_ms, instant_text
from scenario import ALL, Scenario, job, now_ms

SETTLE_S = 90


def shifted(days: int) -> dict[str, str]:
    """Environment of a broker whose wall clock is so many days behind."""
    return {"LD_PRELOAD": str(shift_library()), "CLOCK_SHIFT_S": str(-days * DAY // 1000)}


def shifted_daemon(days: int) -> dict[str, str]:
    """The same for a daemon: without librdkafka, which stamps records with the true time."""
    return {**shifted(days), "CLOCK_SHIFT_MAIN": "1"}


@contextlib.contextmanager
def kafka_in_the_past(days: int) -> Iterator[Kafka]:
    """A broker whose clock is so many days behind until to_the_present()."""
    # Producers' stamps may be days ahead of the broker's clock.
    kafka = Kafka(options={"log.message.timestamp.after.max.ms": 2**62})
    for broker in kafka.brokers:
        broker.env.update(shifted(days))
    try:
        yield kafka.start()
    finally:
        kafka.close()


def to_the_present(kafka: Kafka, daemons: list[Belfryd]) -> None:
    """Everything stops and starts with the true time; daemons are left stopped."""
    kafka.stop()
    for process in [*kafka.brokers, *daemons]:
        for name in shifted_daemon(0):
            process.env.pop(name, None)
    kafka.start(120)


def hourly(name: str, policy: str, **more: Any) -> dict[str, Any]:
    catchup = {"policy": policy, **more.pop("catchup", {})}
    return job("hourly", name, {"cron": "0 * * * *"}, **{"catchup": catchup, **more})


def jobs_before(then_ms: int, days: int) -> list[dict[str, Any]]:
    """The jobs of the first days, with every kind of policy, window and limit."""
    once = {"at": instant_text(then_ms + days * DAY // 2)}
    recent = {"at": instant_text(then_ms + days * DAY - HOUR)}
    every_minute = {"every": "1m", "anchor": "epoch"}
    return [
        hourly("none", "none"), hourly("latest", "latest"), hourly("all", "all"),
        hourly("window", "all", catchup={"window": "5h"}),
        hourly("limit", "all", catchup={"window": "30d", "limit": 7}),
        hourly("everything", "all", catchup={"window": "30d", "limit": 1_000_000}),
        hourly("no-window", "latest", catchup={"window": "1s", "misfire_grace": "0s"}),
        hourly("paused", "all", paused=True),
        hourly("ended", "all", catchup={"window": "30d"}, end=instant_text(then_ms + DAY)),
        hourly("three", "all", catchup={"window": "30d"}, max_fires=3),
        job("minutes", "all", every_minute, catchup={"policy": "all", "window": "2h"}),
        job("minutes", "limit", every_minute, catchup={"policy": "all", "limit": 100}),
        job("minutes", "edited", every_minute, catchup=ALL),
        job("minutes", "stopped", every_minute, catchup={"policy": "all", "window": "30d"}),
        job("minutes", "deleted", every_minute, catchup=ALL),
        job("seconds", "latest", {"every": "5s", "anchor": "epoch"}, catchup={"policy": "latest"}),
        job("once", "none", once, catchup={"policy": "none"}),
        job("once", "too-old", once, catchup={"policy": "latest", "window": "2h"}),
        job("once", "fires", once, catchup={"policy": "latest", "window": "30d"}),
        job("once", "recent", recent, catchup={"policy": "all"}),
    ]


def caught_up(fires: list[dict[str, Any]], group: str, name: str) -> list[dict[str, Any]]:
    return [fire for fire in fires if (fire["jobgroup"], fire["jobid"]) == (group, name)
            and fire["firekind"] == "catchup"]


def check_policies(history: History, decided_ms: int) -> None:
    """Said once more, apart from the oracle: what each policy, window and limit lets through."""
    fires = [fire for _record, fire in history.fires]
    missed = {(e["group"], e["id"]): e for e in history.events if e["event"] == "missed"}

    def count(group: str, name: str) -> int:
        return len(caught_up(fires, group, name))

    def reason(group: str, name: str) -> str | None:
        return missed.get((group, name), {}).get("reason")

    hour_ms = decided_ms // HOUR * HOUR
    in_grace = decided_ms - hour_ms < MINUTE  # the slot of this hour just fires
    assert count("hourly", "none") <= in_grace and reason("hourly", "none") == "policy_none"
    latest, = caught_up(fires, "hourly", "latest")
    assert instant_ms(latest["dueat"]) == hour_ms and reason("hourly", "latest") == "superseded"
    assert latest["missedcount"] == missed["hourly", "latest"]["count"]
    assert count("hourly", "all") in (24, 25) and reason("hourly", "all") == "window"
    assert count("hourly", "window") in (5, 6) and reason("hourly", "window") == "window"
    assert count("hourly", "limit") == 7 and reason("hourly", "limit") == "limit"
    assert reason("hourly", "everything") is None and count("hourly", "everything") >= 71
    assert count("hourly", "no-window") == 0 and reason("hourly", "no-window") == "window"
    assert count("hourly", "paused") == 0 and reason("hourly", "paused") is None
    assert count("hourly", "ended") == 24 and reason("hourly", "ended") is None
    assert count("hourly", "three") == 3
    assert 119 <= count("minutes", "all") <= 122 and reason("minutes", "all") == "window"
    assert 100 <= count("minutes", "limit") <= 102 and reason("minutes", "limit") == "limit"
    second, = caught_up(fires, "seconds", "latest")
    assert second["missedcount"] == missed["seconds", "latest"]["count"] > 2 * DAY // (5 * SECOND)
    assert count("once", "none") == 0 and count("once", "too-old") == 0
    assert count("once", "fires") == 1 and count("once", "recent") == 1
    for name in ("none", "too-old"):
        assert missed["once", name]["count"] == 1
    started = [e for e in history.events if e["event"] == "catchup_started"]
    finished = [e for e in history.events if e["event"] == "catchup_finished"]
    began, ended = ({(e["group"], e["id"]) for e in events} for events in (started, finished))
    assert began >= {("hourly", "all"), ("minutes", "all")}
    assert began == ended, (sorted(began - ended), sorted(ended - began))


def late_commands(scene: Scenario) -> Iterator[dict[str, Any]]:
    """Sent when the daemon is down, days before it reads them: they act at their log time."""
    yield {"op": "pause", "command_id": "late-pause",
           "select": {"groups": ["minutes"], "ids": ["stopped"]}}
    yield {"op": "update", "command_id": "late-update",
           "select": {"groups": ["minutes"], "ids": ["edited"]},
           "set": {"schedule": {"every": "2h"}}}
    yield {"op": "delete", "command_id": "late-delete",
           "select": {"groups": ["minutes"], "ids": ["deleted"]}}
    yield {"op": "add", "command_id": "late-add",
           "jobs": [job("late", "added", {"every": "1h"}, catchup=ALL)]}


def wait_accounted(scene: Scenario, until_ms: int) -> None:
    """Until every slot is fired or named."""
    with History(scene.kafka.bootstrap, scene.cluster, scene.shards) as history:
        wait_for(lambda: not Oracle(history.read()).missing(until_ms), SETTLE_S,
                 "each slot is fired or named", every_s=0.5)


def test_three_days_of_downtime() -> None:
    days = 3
    with kafka_in_the_past(days) as kafka, Redis() as redis:
        with Scenario(kafka, redis, "belfry") as scene:
            daemon = scene.daemon(env=shifted_daemon(days))
            then_ms = now_ms() - days * DAY
            added = scene.call({"op": "add", "command_id": "first",
                                "jobs": jobs_before(then_ms, days)})
            for result in added:
                assert abs(instant_ms(result["effective_at"]) - then_ms) < MINUTE, result
            scene.wait_fires(3)
            daemon.terminate()
            for command in late_commands(scene):
                scene.send(command)
            to_the_present(kafka, scene.daemons)
            sent = scene.send({"op": "update", "command_id": "present",
                               "select": {"groups": ["hourly"], "ids": ["latest"]},
                               "set": {"labels": {"seen": "yes"}}})
            begin = time.monotonic()
            daemon.start().wait_live()
            decided_ms = now_ms()
            assert scene.answers(sent)[0]["outcome"] == "applied"
            wait_accounted(scene, decided_ms)
            print(f"      caught up in {time.monotonic() - begin:.1f} s", flush=True)
            with History(kafka.bootstrap, "belfry", scene.shards) as history:
                check_policies(history.read(), decided_ms)
            print(f"      {scene.verify()}", flush=True)


def test_ten_days_of_downtime() -> None:
    """Longer than transactional ids, tombstones and the checkpoint in Redis are good for."""
    days = 10
    with kafka_in_the_past(days) as kafka, Redis() as redis:
        with Scenario(kafka, redis, "belfry") as scene:
            daemon = scene.daemon(env=shifted_daemon(days))
            then_ms = now_ms() - days * DAY
            scene.call({"op": "add", "command_id": "first", "jobs": jobs_before(then_ms, days)})
            scene.call({"op": "delete", "command_id": "gone", "select": {"groups": ["minutes"]}})
            scene.wait_fires(3)
            daemon.terminate()
            to_the_present(kafka, scene.daemons)
            daemon.start().wait_live()
            ignored = daemon.events("store.ignored", reason="too_old")
            assert len(ignored) == scene.shards, daemon.tail()
            wait_accounted(scene, now_ms())
            scene.verify()


def test_clock_ahead_of_the_broker_fires_nothing() -> None:
    """The daemon's clock is a day ahead: no day of fires is swallowed or brought forward."""
    with kafka_in_the_past(1) as kafka, Redis() as redis:
        with Scenario(kafka, redis, "belfry") as scene:
            daemon = scene.daemon(env=shifted_daemon(1))
            scene.call({"op": "add", "command_id": "first", "jobs": [
                job("a", f"j{number}", {"every": "1s", "anchor": "epoch"})
                for number in range(5)]})
            scene.wait_fires(10)
            daemon.kill9()
            right = dict(daemon.env)
            for name in shifted_daemon(1):
                daemon.env.pop(name)
            daemon.start().wait_event("clock.ahead", action="nothing_fires")
            before = len(scene.fires.read_to_end())
            time.sleep(3)
            assert len(scene.fires.read_to_end()) == before, "fires although the clock is wrong"
            daemon.terminate()
            daemon.env = right
            daemon.start()
            scene.wait_fires(30)
            until_ms = now_ms() - DAY
            with History(kafka.bootstrap, "belfry", scene.shards) as history:
                wait_for(lambda: not Oracle(history.read()).missing(until_ms), 60, "all slots")
                daemon.terminate()
                Oracle(history.read()).check(until_ms)
