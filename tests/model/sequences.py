"""Random sequences of commands and of time passing, valid and invalid, for the model test."""

from __future__ import annotations

import random
from typing import Any, Callable, Iterator

from model import Json, text

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
IDS = ["a", "b", "c", "d/e"]
GROUPS = ["g", "h"]
SCHEDULES: list[Json] = [
    {"every": "20s"}, {"every": "1m"}, {"every": "1m", "anchor": "epoch"}, {"every": "7m"},
    {"every": "1h"}, {"cron": "* * * * *"}, {"cron": "*/5 * * * *"}, {"cron": "0,30 * * * *"},
    {"cron": "7 * * * *"}]
SCHEDULES[5] = {"cron": "*/1 * * * *"}
POLICIES: list[Json] = [{"policy": "all"}, {"policy": "none"}, {"policy": "latest"},
                        {"policy": "all", "limit": 3}, {"window": "1h"}]
ODD_JOBS: list[Any] = [
    7, {}, {"group": "g"}, {"group": "g h", "id": "a", "schedule": {"every": "1m"}},
    {"group": "g", "id": "a b", "schedule": {"every": "1m"}},
    {"group": "g", "id": "a", "schedule": {"cron": "99 * * * *"}},
    {"group": "g", "id": "a", "schedule": {"every": "1m"}, "color": "red"},
    {"group": "g", "id": "a", "schedule": {"every": "1m"}, "max_fires": 0},
    {"group": "g", "id": "a", "schedule": {"every": "1m"}, "start": "2026-02-01T00:00:00Z",
     "end": "2026-01-01T00:00:00Z"}, {"group": "h", "id": "c"}]


class Dice(random.Random):
    def one_in(self, sides: int) -> bool:
        return self.randrange(sides) == 0


def schedule(dice: Dice, now: int) -> Json:
    if dice.one_in(6):
        return {"at": text(now + dice.randrange(-600, 600) * 1000)}
    return dice.choice(SCHEDULES)


Fields = Callable[[Dice, int, bool], Json]


def fields(dice: Dice, now: int, everything: bool) -> Json:
    """Some fields of a job, in any order."""
    made: Json = {}
    if everything or dice.one_in(2):
        made["schedule"] = schedule(dice, now)
    if dice.one_in(3):
        made["payload"] = dice.randrange(3)
    if dice.one_in(5):
        made["super_group"] = dice.choice(["s", "t"])
    if dice.one_in(5):
        made["labels"] = {dice.choice("xy"): dice.choice("12")}
    if dice.one_in(5):
        made["catchup"] = dice.choice(POLICIES)
    if dice.one_in(6):
        made["max_fires"] = 1 + dice.randrange(3)
    if dice.one_in(8):
        made["start"] = text(now + dice.randrange(-100, 300) * 1000)
    if dice.one_in(8):
        made["end"] = text(now + dice.randrange(-100, 900) * 1000)
    if dice.one_in(6):
        made["keep_finished"] = dice.choice(["0s", "forever", "24h"])
    if dice.one_in(8):
        made["traceparent"] = f"00-{dice.choice('12') * 32}-{'a' * 16}-01"
    return made


def job(dice: Dice, now: int, some_fields: Fields) -> Any:
    if dice.one_in(12):
        return dice.choice(ODD_JOBS)
    made = {"group": dice.choice(GROUPS), "id": dice.choice(IDS), **some_fields(dice, now, True)}
    if dice.one_in(5):
        made["paused"] = True
    if dice.one_in(5):
        made["incarnation"] = incarnation(dice, made["group"], made["id"], now)
    return made


def incarnation(dice: Dice, group: str, name: str, now: int) -> str:
    """Nearly always the one that this name has in all sequences; another name's, of the future."""
    if dice.one_in(12):
        name = dice.choice(IDS)
    began = now + 3_600_000 if dice.one_in(16) else START_MS - 5000
    return f"{began}-0.{1_000_000 + GROUPS.index(group) * 10 + IDS.index(name)}.0"


def select(dice: Dice) -> Json:
    if dice.one_in(8):
        return {"all": True}
    made: Json = {}
    if dice.one_in(2):
        made["groups"] = dice.sample(GROUPS, 1 + dice.randrange(2))
    if dice.one_in(2):
        made["ids"] = dice.sample(IDS, 1 + dice.randrange(2))
    if dice.one_in(8):
        made["super_groups"] = ["s"]
    if dice.one_in(8):
        made["labels"] = {"x": "1"}
    if dice.one_in(8):
        made["paused"] = dice.one_in(2)
    return made


OPS = ["add", "add", "add", "put", "put", "update", "update", "pause", "resume", "resume",
       "delete", "trigger", "backfill", "cancel_backfill", "cancel", "requeue", "ping"]


def command(dice: Dice, now: int, some_fields: Fields = fields) -> Json:
    op = dice.choice(OPS)
    made: Json = {"op": op}
    if op in ("add", "put"):
        if dice.one_in(2):
            made["job"] = job(dice, now, some_fields)
        else:
            made["jobs"] = [job(dice, now, some_fields) for _ in range(1 + dice.randrange(4))]
        if op == "put" and dice.one_in(6):
            made["expected_revision"] = 1 + dice.randrange(3)
    elif op != "ping":
        made["select"] = select(dice)
        if dice.one_in(10):
            made["expected_revision"] = 1 + dice.randrange(4)
    if op == "update":
        made["set"] = some_fields(dice, now, False)
    if op == "pause" and dice.one_in(2):
        made["until"] = text(now + dice.randrange(-30, 600) * 1000)
    if op == "resume" and dice.one_in(2):
        some_time = text(now - dice.randrange(-30, 900) * 1000)
        made["from"] = dice.choice(["now", "paused_at", some_time])
    if op in ("backfill", "cancel_backfill"):
        made["backfill_id"] = dice.choice("uvwxyz")
    if op == "requeue" or (op == "cancel" and dice.one_in(2)):
        made["run"] = f"{START_MS}-0.{dice.randrange(4)}.0@{START_MS + 60_000}"
    if op == "requeue" and not dice.one_in(4):
        made["select"] = {"groups": [dice.choice(GROUPS)], "ids": [dice.choice(IDS)]}
    if op == "delete" and dice.one_in(4):
        made["cancel_runs"] = True
    if op == "backfill":
        made["from"] = text(now - dice.randrange(60, 7200) * 1000)
        if dice.one_in(2):
            made["to"] = text(now - dice.randrange(-30, 3600) * 1000)
            if made["to"] <= made["from"]:
                del made["to"]
    if op != "ping":
        if dice.one_in(3):
            made["mode"] = dice.choice(["atomic", "each"])
        if dice.one_in(8):
            made["expect"] = dice.randrange(4)
        if dice.one_in(20):
            made["dry_run"] = True
    if dice.one_in(5):
        made["command_id"] = f"c{dice.randrange(6)}"
    if dice.one_in(20):
        made["not_after"] = text(now + dice.randrange(-10, 10) * 1000)
    return made


def sequence(seed: int, some_fields: Fields = fields) -> Iterator[tuple[str, Any]]:
    """Steps: "open" outputs restarts, "command" at now {...}, "interrupted" the same,
    "advance" now, "restart", "jobs"."""
    dice = Dice(seed)
    yield "open", dice.choice([0, 0, 1, 2, 5]), int(dice.one_in(2))
    now = START_MS
    for _ in range(4 + dice.randrange(14)):
        # Within the grace of a late slot: what is late beyond it is the promise tests' matter.
        for _ in range(dice.choice([1, 1, 2, 10])):
            now += dice.randrange(1, 20_000)
            yield "advance", now
        at = now - dice.randrange(5000) if dice.one_in(4) else now
        kind = "interrupted" if dice.one_in(3) else "command"
        yield kind, at, now, command(dice, at, some_fields)
        yield "advance", now
        if dice.one_in(4):
            yield ("restart",)
        if dice.one_in(4):
            yield ("jobs",)
    yield ("jobs",)
