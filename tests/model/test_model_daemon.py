"""Random commands to a running daemon that is killed meanwhile, against the reference model.

What the daemon said is read from its topics; each command's effective time is taken from its
result, since only the daemon knows when it read it, and everything else is compared: results,
events, fires and the jobs in Redis. MODEL_COMMANDS says how many commands.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from commands import Control  # noqa: E402 -- found through the line above
from harness import Kafka, Redis, read_all, wait_for
from model import Json, instant, text
from runner import limit
from scenario import Scenario, now_ms
from sequences import Dice, command
from test_model import comparable, job_of, job_said, without_times

COMMANDS = int(os.environ.get("MODEL_COMMANDS", 250))
SEED = int(os.environ.get("MODEL_SEED", 1))
KILLS = max(2, COMMANDS // 200)


def quiet(made: Json) -> Json:
    """Without schedules that come due meanwhile: what fires when is the oracle's matter."""
    jobs = [*made.get("jobs", []), made.get("job"), made.get("set")]
    for job in jobs:
        if isinstance(job, dict):
            for name in ("start", "end"):
                job.pop(name, None)
            schedule = job.get("schedule")
            if isinstance(schedule, dict) and schedule.get("cron") != "99 * * * *":
                schedule = {"every": "1000h"} if "every" in schedule else \
                    {"at": "2099-01-01T00:00:00.000Z"}
                job["schedule"] = schedule
    if made["op"] == "backfill":
        made["from"] = text(instant(made["from"]) - 5000 * 3_600_000)
        made["rate"] = 1000
    if "until" in made and instant(made["until"]) > now_ms() - 1000:
        made["until"] = text(instant(made["until"]) + 86_400_000)
    return made


def compare(scene: Scenario, commands: list[tuple[int, Json]], results: dict[int, Json]) -> int:
    """Plays the commands to the model, each at the time the daemon says; compares all of it."""
    said: list[tuple[str, Any]] = []
    first = instant(results[commands[0][0]]["effective_at"])
    model = Control(first - 1, lambda kind, what: said.append((kind, what)))
    for offset, made in commands:
        result = results[offset]
        model.offset = offset
        begin = len(said)
        effective = instant(result["effective_at"])
        model.command(effective, effective, made)
        want = comparable([entry for entry in said[begin:] if entry[0] == "result"], False)
        got = comparable([("result", dict(result))], False)
        assert want == got, f"{json.dumps(made)}\nthe model says {want}\nthe daemon says {got}"
        model.lane(effective)
    fires = [("fire", (r.json["id"], r.json["firekind"])) for r in read_all(
        scene.kafka.bootstrap, f"{scene.cluster}.fires")]
    events = [("event", r.json) for r in read_all(scene.kafka.bootstrap,
                                                  f"{scene.cluster}.events")
              if "group" in r.json]
    want = without_times(comparable([entry for entry in said if entry[0] != "result"], False))
    got = without_times(comparable(fires + events, False))
    assert want == got, (f"only the model: {[line for line in want if line not in got][:5]}\n"
                         f"only the daemon: {[line for line in got if line not in want][:5]}")
    stored = scene.stored()
    for job in model.in_order():
        assert job_said(stored.pop(job.name)) == {**job_of(job)}, job.name
    assert not stored, stored
    return len(want) + len(commands)


@limit(1800)
def test_commands_agree_with_the_model_through_kills(kafka: Kafka, redis: Redis, cluster: str
                                                     ) -> None:
    dice = Dice(SEED)
    with Scenario(kafka, redis, cluster, 1) as scene:
        daemon = scene.daemon()
        sent: list[tuple[int, Json]] = []
        kills = sorted(random.Random(SEED).sample(range(10, COMMANDS - 10), KILLS))
        for number in range(COMMANDS):
            made = quiet(command(dice, now_ms()))
            made.pop("not_after", None)
            sent.append((scene.client.send(made, key="g").offset, made))
            if made["op"] in ("backfill", "pause", "delete", "cancel_backfill"):
                time.sleep(0.15)  # so that a backfill ends before the next command
            if kills and number == kills[0]:
                kills.pop(0)
                daemon.kill9()
                daemon.start().wait_ready()
        results: dict[int, Json] = {}

        def complete() -> bool:
            scene.client.poll(0.05)
            for found in scene.client.by_command.values():
                for result in found:
                    results[result["source"]["offset"]] = result
            return len(results) == len(sent)

        wait_for(complete, 60, "a result of each command", every_s=0.0)
        wait_for(lambda: daemon.running, 5, "the daemon is there")
        time.sleep(1)
        daemon.terminate()
        count = compare(scene, sent, results)
        total = sum(map(len, scene.client.by_command.values()))
        assert total == len(sent), f"{total} results for {len(sent)} commands"
        print(f"{COMMANDS} commands, {KILLS} kills: {count} lines agree")
