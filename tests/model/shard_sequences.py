"""Random sequences for jobs with leases: commands, reports good and forged, silence, ticks that are
slow, owners that come and go. The model goes along, so that what is sent is about what is there.
"""

from __future__ import annotations

import json
from typing import Any

from model import Json, text
from runs_shard import RunsShard
from runs_tries import Run
from sequences import START_MS, Dice

ENDS = ["success", "success", "failure", "failure", "timeout", "refused", "cancelled", "lost_lease"]
POLICIES = ["allow", "skip", "buffer_one", "buffer_all", "cancel_other"]
SCHEDULES: list[Json] = [{"every": "20s", "anchor": "epoch"}, {"every": "1m", "anchor": "epoch"},
                         {"every": "5m", "anchor": "epoch"}, {"cron": "*/1 * * * *"},
                         {"cron": "*/5 * * * *"}]
STEPS = 45


def retry(dice: Dice) -> Json:
    made: Json = {"attempts": dice.choice([1, 2, 3, 6])}
    if dice.one_in(2):
        made["initial"], made["max"] = dice.choice([("1s", "1s"), ("10s", "40s"), ("2s", "1h")])
    if dice.one_in(3):
        made["factor"] = dice.choice([1, 1.5, 3])
    if dice.one_in(3):
        made["within"] = dice.choice(["15s", "1m", "10m"])
    if dice.one_in(3):
        words = ["failure", "timeout", "lost", "not_started", "refused"]
        made["on"] = dice.sample(words, 1 + dice.randrange(5))
    if dice.one_in(4) and "failure" in made.get("on", ["failure"]):
        made["not_on_exit"] = [2]
    if dice.one_in(3):
        made["poison_after"] = dice.choice([1, 2, 4])
    if made.get("within") == "15s" and made.get("initial") is None:
        made["initial"] = "5s"
    return made


def terms(dice: Dice) -> Json:
    """What a job says of its runs."""
    if dice.one_in(12):
        return {"lease_mode": "none"} if dice.one_in(2) else {}
    made: Json = {"lease": dice.choice(["10s", "30s", "1m", "5m"]), "workers": "w"}
    if dice.one_in(5):
        made["lease_mode"] = "fixed"
    elif dice.one_in(2):
        made["start_within"] = dice.choice(["10s", "30s", "2m"])
    if not dice.one_in(6):
        made["overlap"] = dice.choice(POLICIES)
    if made.get("overlap") == "buffer_all":  # a hundred would be more debts than there is room for
        made["overlap_limit"] = dice.choice([1, 2, 3, 8])
    if not dice.one_in(3):
        made["retry"] = retry(dice)
    if dice.one_in(4):
        made["pause_after_failures"] = dice.choice([1, 2, 3])
    return made


def catchup(dice: Dice) -> Json:
    made: Json = {"policy": dice.choice(["all", "all", "latest", "none"])}
    if dice.one_in(2):
        made["limit"] = dice.choice([1, 3])
    if dice.one_in(2):
        made["window"] = dice.choice(["1m", "10m"])
    if dice.one_in(4):
        made["misfire_grace"] = dice.choice(["1s", "2m"])
    return made


def fields(dice: Dice, now: int) -> Json:
    made: Json = {"schedule": dice.choice(SCHEDULES), **terms(dice)}
    if dice.one_in(4):
        made["max_fires"] = 1 + dice.randrange(4)
    if dice.one_in(5):
        made["end"] = text(now + dice.randrange(30, 900) * 1000)
    if not dice.one_in(3):
        made["catchup"] = catchup(dice)
    if dice.one_in(4):
        made["keep_finished"] = dice.choice(["0s", "1m", "forever"])
    if dice.one_in(5):
        made["jitter"] = dice.choice(["15s", "50s", "4m"])
    return made


def change(dice: Dice, said: Json, now: int) -> Json:
    """Of an update."""
    made: Json = {}
    if dice.one_in(3):
        made["payload"] = dice.randrange(3)
    if dice.one_in(4) and "jitter" not in said:
        made["schedule"] = dice.choice(SCHEDULES)
    if dice.one_in(4):
        made["max_fires"] = dice.choice([None, 1, 2, 6])
    if dice.one_in(6) and "jitter" not in said:
        made["end"] = dice.choice([None, text(now + dice.randrange(1, 600) * 1000)])
    if dice.one_in(4):
        made["keep_finished"] = dice.choice([None, "0s", "5m"])
    if dice.one_in(3):
        new = terms(dice)
        for name in ("lease", "workers", "lease_mode", "start_within", "overlap", "overlap_limit",
                     "retry", "pause_after_failures"):
            made[name] = new.get(name)
    elif dice.one_in(3):
        made["overlap"] = dice.choice(POLICIES)
        made["overlap_limit"] = 2 if made["overlap"] == "buffer_all" else None
    elif dice.one_in(3):
        made["retry"] = dice.choice([None, {"attempts": dice.choice([1, 5])}])
    elif dice.one_in(3):
        made["pause_after_failures"] = dice.choice([None, 1, 4])
    return made or {"payload": dice.randrange(3)}


class Sequence:
    """The model, with the orders that the driver gets for the same steps."""

    def __init__(self, seed: int):
        self.dice = Dice(seed)
        self.shard = RunsShard(START_MS)
        self.orders: list[str] = []
        self.answers: list[list[str]] = []
        self.spent: list[set[str]] = []
        self.commands = 0
        self.appended: set[int] = set()
        self.careful = self.dice.random()  # how much of what workers do is what they should
        # Where a transaction is full decides which of several runs that end pauses the job.
        self.outputs = self.dice.choice([0, 0, 1, 2, 5])
        self.end(f"open {START_MS} {self.outputs}")
        self.add("a")
        if self.dice.one_in(3):
            self.add("b")
        for _ in range(STEPS):
            self.step()

    def end(self, order: str) -> None:
        self.orders.append(order)
        self.answers.append(self.shard.lines + self.shard.standing())
        self.spent.append(self.shard.spent())
        self.shard.lines = []

    def later(self) -> int:
        return self.shard.now + 1 + self.dice.randrange(999)

    def step(self) -> None:
        luck = self.dice.randrange(40)
        if luck < 13:
            self.pass_time()
        elif luck < 28:
            self.report()
        elif luck < 36:
            self.command()
        elif luck == 36:
            self.shard.coordinator = self.dice.choice(["yes", "yes", "no", "silent"])
            self.end(f"coordinator {self.shard.coordinator}")
        elif luck == 37:
            self.slow_ticks()
        else:
            self.owner()

    def pass_time(self) -> None:
        dice = self.dice
        ahead = dice.choice([1, 700, 3_000, 10_000, 20_000, 40_000, 65_000, 130_000])
        if dice.one_in(40):
            ahead = 3_700_000
        if self.shard.ticks_slow:  # one more is sent each second
            ahead = min(ahead, 20_000)
        to = self.shard.now + ahead + dice.randrange(1000)
        self.shard.advance(to)
        self.end(f"at {to}")

    # ---- workers ----

    def report(self) -> None:
        tries = [run for _, run in self.shard.open_tries()]
        if not self.shard.fires:
            return
        if not tries or self.dice.one_in(12):
            self.forge()
            return
        run = self.dice.choice(tries)
        word = self.word(run)
        token = self.dice.choice(["t1", "t1", "t1", "t2"])
        self.send(run.id, self.shard.labels[run.newest], word, token, run.terms["workers"])

    def word(self, run: Run) -> str:
        dice = self.dice
        if run.claim is None and not dice.one_in(4):
            return "started"
        if run.claim is not None and dice.random() < 0.5 * self.careful:
            return "running"
        return "released" if dice.one_in(6) else dice.choice(ENDS)

    def forge(self) -> None:
        """About a try that is closed, never was, is another run's, or for another group."""
        dice, shard = self.dice, self.shard
        run = dice.choice([*shard.fires])
        of = dice.choice([label for label in shard.labels.values()
                          if label.split("@")[0] == run.split("@")[0]])
        workers = dice.choice(["w", "w", "w", "strangers"])
        last = f"{run}#{shard.fires[run]}"
        if not dice.one_in(3) or shard.fired_at[of] == shard.fired_at[last]:  # in either order
            of = f"{run}#{1 + dice.randrange(shard.fires[run])}"
        if dice.one_in(6):
            of = f"{run}#0"
        if dice.one_in(6):
            run = f"{START_MS}-0.77.0@{START_MS}"
        word = dice.choice(["started", "running", "released", "success", "lost_lease", "failure"])
        self.send(run, of, word, "t3", workers)

    def send(self, run: str, of: str, word: str, token: str, workers: str) -> None:
        dice, now = self.dice, self.later()
        appended = now + dice.choice([0, 0, 0, -2000, 1500])
        while appended in self.appended:
            appended += 1
        self.appended.add(appended)
        final = word not in ("started", "running", "released")
        exit_code = dice.choice([None, 1, 2]) if word == "failure" else None
        after = dice.choice([None, None, None, 0, 5000]) if final else None
        cursor = f"c{dice.randrange(9)}" if word != "started" and dice.one_in(4) else None
        self.shard.report(now, {"run": run, "of": of, "word": word, "token": token,
                                "workers": workers, "exit": exit_code, "after": after,
                                "cursor": cursor, "appended": appended})
        name, nth = of.split("#")
        self.end(f"report {now} {appended} {run} {name} {nth} {word} {token} {workers} "
                 f"{-1 if exit_code is None else exit_code} {-1 if after is None else after} "
                 f"{cursor or '-'}")

    # ---- commands ----

    def send_command(self, command: Json) -> None:
        now = self.later()
        command["command_id"] = f"c{self.commands}"
        self.commands += 1
        self.shard.command(now, command)
        self.end(f"command {now} {json.dumps(command)}")

    def add(self, name: str) -> None:
        said = fields(self.dice, self.shard.now)
        if self.outputs > 0:
            said.pop("pause_after_failures", None)
        if self.dice.one_in(30):
            said.pop("lease", None)
        self.send_command({"op": "add", "job": {"group": "g", "id": name, **said}})

    def command(self) -> None:
        dice, shard = self.dice, self.shard
        living = [name for name, job in shard.jobs.items() if job.exists]
        if not living or dice.one_in(15):
            self.add(dice.choice("ab"))
            return
        name = dice.choice(living)
        job = shard.jobs[name]
        op = dice.choice(["update", "update", "update", "pause", "resume", "resume", "delete",
                          "trigger", "trigger", "backfill", "cancel", "requeue"])
        if job.paused_at is not None and dice.one_in(2):
            op = "resume"
        ids = ["a", "b"] if dice.one_in(8) and op != "requeue" else [name[2:]]
        made: Json = {"op": op, "select": {"groups": ["g"], "ids": ids}}
        said = {key: value for each in ids if f"g/{each}" in shard.jobs
                for key, value in shard.jobs[f"g/{each}"].said.items()}
        made.update(self.own_fields(op, said))
        if len(ids) > 1 and dice.one_in(2):
            made["mode"] = "each"
        self.send_command(made)

    def own_fields(self, op: str, said: Json) -> Json:
        dice, now = self.dice, self.shard.now
        if op == "update":
            made = change(dice, said, now)
            if self.outputs > 0 and "pause_after_failures" in made:
                made["pause_after_failures"] = None
            return {"set": made}
        if op == "pause" and dice.one_in(2):
            return {"until": text(now + 1000 + dice.randrange(1, 300) * 1000)}
        if op == "resume":
            return {"from": dice.choice(["now", "paused_at"])}
        if op == "delete" and dice.one_in(2):
            return {"cancel_runs": True}
        if op == "trigger" and dice.one_in(2):
            return {"overlap": "allow"}
        if op == "backfill":
            return {"backfill_id": f"x{dice.randrange(6)}", "rate": 1,
                    "from": text(now - dice.randrange(10, 400) * 1000)}
        if op == "cancel" and dice.one_in(2):
            return {"run": self.some_run()}
        if op == "requeue":
            allow = {"overlap": "allow"} if dice.one_in(2) else {}
            return {"run": self.some_run(), **allow}
        return {}

    def some_run(self) -> str:
        if not self.shard.fires or self.dice.one_in(12):
            return f"{START_MS}-0.77.0@{START_MS}"
        return self.dice.choice([*self.shard.fires][-6:])

    # ---- owners ----

    def slow_ticks(self) -> None:
        shard = self.shard
        shard.ticks_slow = not shard.ticks_slow
        if not shard.ticks_slow:
            shard.bring_ticks_back()
        shard.advance(shard.now)
        self.end(f"ticks {'slow' if shard.ticks_slow else 'through'}")

    def owner(self) -> None:
        dice, shard = self.dice, self.shard
        if dice.one_in(8):
            shard.reports_lost()
            self.end("lost")
        elif dice.one_in(8):
            shard.log.append(None)
            self.end("stale_tick")
        else:
            gap = dice.choice([50, 1000, 20_000, 50_000, 200_000, 900_000])
            to = shard.now + gap + dice.randrange(1000)
            is_generation = dice.one_in(6)
            shard.take_over(to, is_generation)
            self.end(f"{'recover' if is_generation else 'take_over'} {to}")
            for _ in range(dice.choice([0, 0, 1, 3])):
                self.step_unread()
            shard.caught_up()
            self.end("caught_up")

    def step_unread(self) -> None:
        if self.dice.one_in(2):
            self.report()
        elif self.dice.one_in(3):
            self.command()
        else:
            self.pass_time()
