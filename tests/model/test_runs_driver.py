"""Random sequences of reports, losses, pauses and take-overs: the open runs of the shard do with
tries and retries what the reference model does, line by line.

MODEL_SEQUENCES says how many (make model: 100,000), MODEL_SEED where to begin.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import BUILD  # noqa: E402 -- found through the line above
from model import Json
from runner import limit
from runs_model import RunsJob

SEQUENCES = int(os.environ.get("MODEL_SEQUENCES", 2000))
SEED = int(os.environ.get("MODEL_SEED", 1))
TOGETHER = 500
BEGIN_MS = 1_780_000_000_000  # of the driver
OUTCOMES = ["success", "failure", "timeout", "cancelled", "refused", "lost_lease", "lost",
            "not_started"]
STEPS = 40


def terms(dice: random.Random) -> tuple[str, Json]:
    """Of a job's retries: as the driver reads them, and as the model."""
    attempts, first = dice.choice([1, 2, 3, 6]), dice.choice([1, 10, 60])
    most, factor = first * dice.choice([1, 3, 100]), dice.choice([1, 1.5, 2, 10])
    within, poison = dice.choice([None, None, 30, 300]), dice.choice([1, 2, 3])
    on = [word for word in ("failure", "timeout", "refused", "lost", "not_started")
          if dice.random() < 0.8]
    not_on = dice.choice([0, 0, 2])
    bits = sum(1 << OUTCOMES.index(word) for word in on) + ((1 << 5) if "lost" in on else 0)
    order = (f"new {attempts} {first * 1000} {most * 1000} {round(factor * 100)} "
             f"{(within or 0) * 1000} {bits} {poison} {not_on}")
    return order, {"attempts": attempts, "initial": f"{first}s", "max": f"{most}s", "on": on,
                   "factor": factor, "within": within and f"{within}s", "poison_after": poison,
                   "not_on_exit": [not_on] if not_on else []}


class Twin:
    """The model, with the orders that the driver gets for the same steps."""

    def __init__(self, seed: int):
        self.dice = random.Random(seed)
        self.orders: list[str] = []
        self.answers: list[list[str]] = []
        self.said: list[str] = []
        self.now = self.opened = 0
        self.of: dict[int, str] = {}     # a try's number: its run
        self.losing = self.dice.random() < 0.3  # most of its tries are lost
        self.told: set[int] = set()      # late successes that have been told
        order, retry = terms(self.dice)
        never = {"every": "9999h", "anchor": "2030-01-01T00:00:00Z"}
        self.job = RunsJob({"schedule": never, "incarnation": "1-0.0.0", "retry": retry,
                            "lease": "24h", "start_within": "7d"}, BEGIN_MS, self.hear)
        self.end(order)
        for _ in range(STEPS):
            self.step()

    def hear(self, what: str, said: Json) -> None:
        if what == "fire":
            run = said["id"].split("@")[1]
            self.of[said["number"]] = run
            self.said.append(f"fire {run} #{said['number']} try {said['try']}")
        elif what == "run":
            self.said.append(f"run {said['run'].name} {said['outcome']} {said['tries']} ok")
        elif said.get("event") == "run_failed":  # right behind its run
            self.said[-1] = self.said[-1].removesuffix(" ok") + " failed"
        elif said.get("event") == "late_success":
            self.said.append(f"late_success {said['run'].name}")

    def end(self, order: str) -> None:
        self.orders.append(order)
        self.answers.append(self.said)
        self.said = []

    def step(self) -> None:
        dice, job = self.dice, self.job
        luck = dice.randrange(16)
        if luck < 4:
            self.now += dice.choice([1, 999, 1000, 10_000, 20_000, 300_000])
            job.advance(BEGIN_MS + self.now)
            self.end(f"at {self.now}")
        elif luck < 6 and job.exists:
            self.opened += 1
            name = BEGIN_MS + (self.opened - 1) * 1000
            job.open_run(str(name), "schedule", name)
            self.end("open")
        elif luck < 13 and self.of:
            self.report()
        elif luck == 13 and job.exists:
            self.pause_or_resume()
        elif luck == 14 and self.of:
            self.cancel(dice.choice([*self.of.values()]))
        elif luck == 15 and dice.random() < 0.5:
            self.end("take_over")
        elif luck == 15 and job.exists and dice.random() < 0.2:
            job.delete()
            self.end("delete")

    def report(self) -> None:
        dice = self.dice
        number = dice.choice([*self.of][-3 if self.losing else -6:])
        word = "lost" if self.losing else dice.choice([*OUTCOMES[:-1], "released", "lost"])
        if self.job.tried.get(number, (None, ""))[1] == "lost":
            word = dice.choice(["lost_lease", "success", word])
        if word == "success" and not any(run.number == number for run in self.job.runs):
            if number in self.told:
                return  # of a late one the event is told once, but for a take-over
            self.told.add(number)
        exit_code = dice.choice([None, 1, 2]) if word == "failure" else None
        after = dice.choice([None, None, 0, 5000]) if word not in ("lost", "released") else None
        self.job.report(number, word, exit_code, after)
        if word == "lost":
            self.end(f"lost {self.of[number]} {number}")
        else:
            self.end(f"report {self.of[number]} {number} {word} "
                     f"{-1 if exit_code is None else exit_code} {-1 if after is None else after}")

    def pause_or_resume(self) -> None:
        if self.job.paused_at is None:
            self.job.pause()
            self.end("pause")
        else:
            self.job.resume()
            self.job.act(self.job.now)
            self.end("resume")

    def cancel(self, name: str) -> None:
        for run in list(self.job.runs):
            if run.name == name:
                self.job.ask_to_stop(run)
        self.end(f"cancel {name}")


def unnumbered(said: list[str]) -> list[str]:
    return sorted(re.sub("#[0-9]+", "#", line) for line in said)


def check(seeds: range) -> int:
    twins = {seed: Twin(seed) for seed in seeds}
    orders = [order for twin in twins.values() for order in twin.orders]
    done = subprocess.run([BUILD / "tests" / "model" / "runs_driver"], input="\n".join(orders),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"seeds {seeds}: {done.returncode}: {done.stderr[-2000:]}"
    heard = iter(done.stdout.splitlines())
    count = 0
    for seed, twin in twins.items():
        told = [list(iter(lambda: next(heard), ".")) for _ in twin.orders]
        for place, (want, got) in enumerate(zip(twin.answers, told)):
            count += len(got)
            if sorted(want) != sorted(got) and unnumbered(want) == unnumbered(got):
                break  # retries due in one millisecond, whose order is nobody's promise
            assert sorted(want) == sorted(got), "\n  ".join(
                [f"seed {seed}: the model says {sorted(want)}, the shard {sorted(got)} after",
                 *twin.orders[:place + 1]])
    return count


@limit(3600)
def test_open_runs_agree_with_the_model() -> None:
    count = 0
    for first in range(SEED, SEED + SEQUENCES, TOGETHER):
        count += check(range(first, min(first + TOGETHER, SEED + SEQUENCES)))
    print(f"{SEQUENCES} sequences from seed {SEED}: {count} lines agree")
    assert count > 6 * SEQUENCES
