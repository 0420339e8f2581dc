"""Random sequences of jobs with leases: what the shard says, and how its jobs and runs stand, is
after every step what the reference model says. Each overlap policy together with pauses, updates,
deletes, triggers, backfills, catch-up, max_fires, jitter and ends; reports, silence, owners.

MODEL_SEQUENCES says how many (make model: 100,000), MODEL_SEED where to begin.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import BUILD  # noqa: E402 -- found through the line above
from model import instant
from runner import limit
from shard_sequences import Sequence

SEQUENCES = int(os.environ.get("MODEL_SEQUENCES", 1000))
SEED = int(os.environ.get("MODEL_SEED", 1))
TOGETHER = 200
TOLD = {"run_failed", "auto_paused"}  # whose `detail` is a word
WHEN = ("first", "last", "from", "to")


class Heard:
    """What the driver says, in the words of the model."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.fires: dict[str, int] = {}
        self.newest = 0

    def label(self, number: str) -> str:
        return self.labels.get(number, number)

    def line(self, line: str) -> str:
        kind, _, rest = line.partition(" ")
        if kind == "event":
            return "event " + json.dumps(self.event(json.loads(rest)), sort_keys=True)
        if kind == "result":
            result = json.loads(rest)
            return (f"result {result['op']} {result['outcome']} {result.get('code', '')} "
                    f"{result['matched']}/{result['changed']}")
        if kind == "question":
            return f"question {self.label(rest)}"
        words = line.split(" ")
        for at, word in enumerate(words):
            name, is_named, number = word.partition("=")
            if is_named and name in ("run", "number"):
                if kind == "fire":
                    self.name_try(words[1], number)
                words[at] = f"{name}={self.label(number)}"
        return " ".join(words)

    def name_try(self, run: str, number: str) -> None:
        assert int(number) > self.newest, f"the number {number} is not above {self.newest}"
        self.newest = int(number)
        self.fires[run] = self.fires.get(run, 0) + 1
        self.labels[number] = f"{run}#{self.fires[run]}"

    def event(self, event: dict) -> dict:  # type: ignore[type-arg]
        made = {name: value for name, value in event.items() if name not in ("at", "shard")}
        if event["event"] not in TOLD:
            made.pop("detail", None)
        for name in WHEN:
            if name in made:
                made[name] = instant(made[name])
        if "runnumber" in made:
            made["runnumber"] = self.label(str(made["runnumber"]))
        return made


def together(lines: list[str], any_generation: bool) -> list[str]:
    """Slots that leave the window at one moment: how many events name them is not compared. Nor is
    which of the runs that end at one moment pauses their job."""
    made, left = [], []
    if any_generation:  # two tries may share the place where it is kept when they were answered
        lines = [line for line in lines if not line.startswith("cancel / ")]
    events = [json.loads(line[6:]) if line.startswith("event ") else {} for line in lines]
    ended = [event["id"] for event in events if event.get("event") == "run_failed"]
    for line, event in zip(lines, events):
        if event.get("event") == "auto_paused" and ended.count(event["id"]) > 1:
            line = f"auto_paused {event['id']} {event['count']}"
        if event.get("event") == "missed" and event["reason"] == "window":
            left.append(event)
        else:
            made.append(line)
    for name in sorted({event["id"] for event in left}):
        of = [event for event in left if event["id"] == name]
        made.append(f"left the window: {name} {min(event['first'] for event in of)} "
                    f"{max(event['last'] for event in of)} {sum(event['count'] for event in of)}")
    return sorted(made)


class Finished:
    """When a backfill or a catch-up is said to be finished: when its last slot has been fired, or
    later, with the next thing of its job that can go out; once."""

    def __init__(self) -> None:
        self.left: list[str] = []  # to be said
        self.early: list[str] = []

    def check(self, want: list[str], got: list[str], spent: set[str]) -> None:
        """`spent`: backfills that have fired all, and are not finished for the model."""
        for line in [line for line in want if "_finished" in line]:
            (self.early.remove if line in self.early else self.left.append)(line)
        for line in [line for line in got if "_finished" in line]:
            assert line in [*self.left, *(spent - {*self.early})], f"too early, or twice: {line}"
            (self.left.remove if line in self.left else self.early.append)(line)
        want[:] = [line for line in want if "_finished" not in line]
        got[:] = [line for line in got if "_finished" not in line]


def check(seeds: range) -> int:
    plays = {seed: Sequence(seed) for seed in seeds}
    orders = [order for play in plays.values() for order in play.orders]
    done = subprocess.run([BUILD / "tests" / "model" / "shard_driver"], input="\n".join(orders),
                          capture_output=True, text=True, check=False)
    told = iter(done.stdout.splitlines())
    count = 0
    for seed, play in plays.items():
        heard, finished = Heard(), Finished()
        renewed = any(order.startswith("recover") for order in play.orders)
        for place, answer in enumerate(play.answers):
            so_far = [f"seed {seed}: after", *play.orders[:place + 1]]
            try:
                got = [heard.line(line) for line in iter(lambda: next(told), ".")]
            except StopIteration:
                raise AssertionError("\n  ".join(
                    [*so_far, f"the driver ended: {done.stderr[-2000:]}"])) from None
            count += len(got)
            try:
                finished.check(answer, got, play.spent[place] | play.spent[max(place - 1, 0)])
            except AssertionError as failed:
                raise AssertionError("\n  ".join([*so_far, str(failed)])) from None
            compare(together(answer, renewed), together(got, renewed), so_far)
    assert done.returncode == 0, f"seeds {seeds}: {done.returncode}: {done.stderr[-2000:]}"
    return count


def compare(want: list[str], got: list[str], so_far: list[str]) -> None:
    if want == got:
        return
    missing = [f"- {line}" for line in want if line not in got]
    extra = [f"+ {line}" for line in got if line not in want]
    raise AssertionError("\n  ".join([*so_far, "the model (-) and the shard (+) say", *missing,
                                      *extra]) + "\n")


@limit(3600)
def test_shard_with_runs_agrees_with_the_model() -> None:
    count = 0
    for first in range(SEED, SEED + SEQUENCES, TOGETHER):
        count += check(range(first, min(first + TOGETHER, SEED + SEQUENCES)))
    print(f"{SEQUENCES} sequences from seed {SEED}: {count} lines agree")
    assert count > 50 * SEQUENCES
