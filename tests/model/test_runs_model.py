"""The reference model of overlap and retries, by concrete sequences: what is done, what is said."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).resolve().parent))

from model import Json  # noqa: E402 -- found through the line above
from runs_model import RunsJob
from runs_tries import retry_delay, siphash
from sequences import START_MS

SEQUENCES = min(int(os.environ.get("MODEL_SEQUENCES", 300)), 20_000)
MINUTELY: Json = {"schedule": {"every": "1m", "anchor": "2026-01-01T00:00:00Z"},
                  "lease": "5m", "incarnation": f"{START_MS}-0.5.0"}
QUIET = {"resumed", "catchup_started", "catchup_finished", "backfill_started", "backfill_finished"}


def seconds(ms: Any) -> str:
    return f"{(int(ms) - START_MS) / 1000:g}"


def name(run: str) -> str:
    """Of a run, short: its due time in seconds, or what it is of."""
    return run if run[:2] == "t:" else \
        run[2:].split(":")[0] + "/" + seconds(run.split(":")[2]) if run[:2] == "b:" else \
        seconds(run)


def line(what: str, said: Json) -> str:
    if what == "fire":
        again = f" try {said['try']}" if said["try"] > 1 else ""
        return f"fire {name(said['id'].split('@')[1])} {said['kind']} #{said['number']}{again}"
    if what == "run":
        return f"run {name(said['run'].name)} {said['outcome']} {said['tries']}"
    if what == "cancel":
        return f"cancel {name(said['run'].name)} #{said['number']}"
    if what == "answer":
        return " ".join([said["outcome"]] + ([name(said["run"].name)] if "run" in said else []))
    words = [said["event"]]
    if "first" in said:
        words += [f"{seconds(said['first'])}..{seconds(said['last'])} {said['count']}"]
    words += [str(said[each]) for each in ("reason", "detail") if each in said]
    return " ".join(words + ([f"of {name(said['run'].name)}"] if "run" in said else []))


def play(job: Json, steps: str) -> list[str]:
    """What is said, step by step; of a step that says nothing there is nothing."""
    heard: list[str] = []
    said = {**MINUTELY, **job}
    def hear(what: str, more: Json) -> None:
        if more.get("event") not in QUIET:
            heard.append(line(what, more))

    shard = RunsJob(said, START_MS, hear)
    for step in steps.split("; "):
        word, *rest = step.split(" ", 1)
        act(shard, said, word, rest[0] if rest else "")
        shard.act(shard.now)
        heard.append(f"after {step}")
    return heard


def act(shard: RunsJob, said: Json, word: str, rest: str) -> None:
    plain: dict[str, Callable[[], None]] = {
        "to": lambda: shard.advance(START_MS + round(float(rest) * 1000)),
        "down": lambda: shard.advance(START_MS + int(rest) * 1000, down=True),
        "pause": shard.pause, "resume": lambda: shard.resume(rest or "now"),
        "delete": lambda: shard.delete(rest == "cancel_runs"), "add": lambda: shard.add(said),
        "update": lambda: shard.update(json.loads(rest)),
        "trigger": lambda: shard.trigger(rest.split()[0], rest.endswith(" allow")),
        "backfill": lambda: shard.backfill(rest.split()[0], *(
            START_MS + int(at) * 1000 for at in rest.split()[1:]))}
    if word in plain:
        plain[word]()
        return
    words = rest.split()
    exit_code = int(words[2]) if "exit" in words else None
    retry_after = int(words[2]) if "after" in words else None
    shard.report(int(word[1:]), words[0], exit_code, retry_after)


def said(heard: list[str]) -> list[str]:
    return [each for each in heard if not each.startswith("after ")]


SKIP: Json = {"overlap": "skip"}
ONE: Json = {"overlap": "buffer_one"}
ALL: Json = {"overlap": "buffer_all", "overlap_limit": 2}
OTHER: Json = {"overlap": "cancel_other"}
AGAIN: Json = {"retry": {"attempts": 3, "initial": "10s"}, "max_fires": 1}

# What it shows, the job's fields beside MINUTELY, what happens, what is said.
OVERLAPS: list[tuple[str, Json, str, list[str]]] = [
    ("allow: runs are not in each other's way", {}, "to 120; #1 success",
     ["fire 60 schedule #1", "fire 120 schedule #2", "run 60 success 1"]),
    ("skip: left out and named when the run ends", SKIP, "to 190; #1 success; to 240",
     ["fire 60 schedule #1", "run 60 success 1", "skipped 120..180 2 overlap of 60",
      "fire 240 schedule #2"]),
    ("skip: named each hour", SKIP, "to 3720",
     ["fire 60 schedule #1", "skipped 120..3660 60 overlap of 60"]),
    ("buffer_one keeps the first", ONE, "to 250; #1 success; #2 success",
     ["fire 60 schedule #1", "run 60 success 1", "skipped 180..240 2 overlap of 60",
      "fire 120 catchup #2", "run 120 success 1"]),
    ("buffer_all keeps all in order up to its limit, then leaves the newest out", ALL,
     "to 250; #1 failure; #2 success; #3 success",
     ["fire 60 schedule #1", "run 60 failure 1", "run_failed failure of 60",
      "skipped 240..240 1 buffer_full of 60", "fire 120 catchup #2", "run 120 success 1",
      "fire 180 catchup #3", "run 180 success 1"]),
    ("cancel_other asks once, and the newest fires", OTHER, "to 190; #1 cancelled",
     ["fire 60 schedule #1", "cancel 60 #1", "run 60 cancelled 1",
      "skipped 120..120 1 overlap of 60", "fire 180 catchup #2"]),
    ("what was asked to stop is not tried again, and is no failure",
     {**OTHER, "retry": {"attempts": 5}, "pause_after_failures": 1},
     "to 190; #1 failure; to 240; #2 success",
     ["fire 60 schedule #1", "cancel 60 #1", "run 60 failure 1",
      "skipped 120..120 1 overlap of 60", "fire 180 catchup #2", "cancel 180 #2",
      "run 180 success 1", "fire 240 catchup #3"]),
    ("cancel_other ends a run that waits for its retry",
     {**OTHER, "retry": {"attempts": 5, "initial": "5m"}}, "to 70; #1 failure; to 120",
     ["fire 60 schedule #1", "run 60 cancelled 1", "fire 120 catchup #2"]),
    ("a retry that waits is in the way", {**SKIP, "retry": {"attempts": 2, "initial": "2m"}},
     "to 70; #1 failure; to 230; #2 success",
     ["fire 60 schedule #1", "fire 60 schedule #2 try 2", "run 60 success 2",
      "skipped 120..180 2 overlap of 60"]),
    ("a pause keeps what waits and says what was left out", ONE,
     "to 190; pause; #1 success; to 400; resume; #2 success",
     ["fire 60 schedule #1", "skipped 180..180 1 overlap of 60", "run 60 success 1",
      "fire 120 catchup #2", "run 120 success 1"]),
    ("resume from paused_at: what the policy keeps is never skipped, and waits",
     {**SKIP, "catchup": {"policy": "all"}},
     "to 70; pause; to 190; resume paused_at; #1 success; #2 success; #3 success; to 240",
     ["fire 60 schedule #1", "run 60 success 1", "fire 120 catchup #2", "run 120 success 1",
      "fire 180 catchup #3", "run 180 success 1", "fire 240 schedule #4"]),
    ("catch-up latest behind an open run: one waits, one missed by each policy", SKIP,
     "to 70; down 200; #1 success",
     ["fire 60 schedule #1", "missed 120..120 1 superseded", "run 60 success 1",
      "fire 180 catchup #2"]),
    ("what waits longer than the window is missed", {**ONE, "catchup": {"window": "5m"}},
     "to 130; to 600; #1 success",
     ["fire 60 schedule #1", "run 60 success 1", "skipped 180..600 8 overlap of 60",
      "missed 120..120 1 window"]),
    ("an update leaves the open try and what waits alone, and says what was left out", ONE,
     'to 190; update {"payload":2}; #1 success',
     ["fire 60 schedule #1", "skipped 180..180 1 overlap of 60", "run 60 success 1",
      "fire 120 catchup #2"]),
    ("an update to allow sets free what waits", ALL, 'to 190; update {"overlap":"allow"}',
     ["fire 60 schedule #1", "fire 120 catchup #2", "fire 180 catchup #3"]),
    ("another schedule: what waits stays", ONE,
     'to 130; update {"schedule":{"every":"1h"}}; to 200; #1 success; #2 success',
     ["fire 60 schedule #1", "run 60 success 1", "fire 120 catchup #2", "run 120 success 1"]),
    ("a delete drops what waits, follows the try, does not try again",
     {**ALL, "retry": {"attempts": 5}}, "to 190; delete; #1 failure; to 900",
     ["fire 60 schedule #1", "skipped 120..180 2 deleted", "run 60 failure 1",
      "run_failed failure of 60"]),
    ("a delete with cancel_runs asks", {}, "to 130; delete cancel_runs; #2 cancelled",
     ["fire 60 schedule #1", "fire 120 schedule #2", "cancel 60 #1", "cancel 120 #2",
      "run 120 cancelled 1"]),
    ("a delete ends a run whose retry waits", {"retry": {"attempts": 5}},
     "to 70; #1 failure; delete; to 900",
     ["fire 60 schedule #1", "run 60 failure 1", "run_failed failure of 60"]),
    ("a try handed back after the delete is not fired again", {},
     "to 70; delete; #1 released; to 900", ["fire 60 schedule #1", "run 60 cancelled 0"]),
    ("added again, it finds the old run in its way", SKIP, "to 70; delete; add; to 130; #1 success",
     ["fire 60 schedule #1", "run 60 success 1", "skipped 120..120 1 overlap of 60"]),
    ("a trigger meets a conflict, or allows", SKIP,
     "to 70; trigger x; trigger y allow; #1 success; trigger z; #2 success; trigger u",
     ["fire 60 schedule #1", "conflict 60", "applied", "fire t:y trigger #2", "run 60 success 1",
      "conflict t:y", "run t:y success 1", "applied", "fire t:u trigger #3"]),
    ("a trigger's run is in the way of slots", SKIP, "trigger x; to 60; #1 success; to 120",
     ["applied", "fire t:x trigger #1", "run t:x success 1", "skipped 60..60 1 overlap of t:x",
      "fire 120 schedule #2"]),
    ("a backfill waits, one by one, behind what waits", ONE,
     "to 130; backfill b 60 180; #1 success; #2 success; #3 success",
     ["fire 60 schedule #1", "run 60 success 1", "fire 120 catchup #2", "run 120 success 1",
      "fire b/60 backfill #3", "run b/60 success 1", "fire b/120 backfill #4"]),
    ("max_fires counts runs, and forgets what waits beyond it", {**ALL, "max_fires": 2},
     "to 190; #1 failure; #2 success",
     ["fire 60 schedule #1", "run 60 failure 1", "run_failed failure of 60",
      "fire 120 catchup #2", "exhausted", "run 120 success 1"]),
    ("behind its end what waits still fires", {**ONE, "end": "2026-01-01T00:02:30Z"},
     "to 190; #1 success",
     ["fire 60 schedule #1", "run 60 success 1", "fire 120 catchup #2", "exhausted"]),
    ("its last slot left out: exhausted when the run in the way ends",
     {**SKIP, "end": "2026-01-01T00:02:30Z"}, "to 190; #1 success",
     ["fire 60 schedule #1", "run 60 success 1", "skipped 120..120 1 overlap of 60", "exhausted"]),
]

RETRIES: list[tuple[str, Json, str, list[str]]] = [
    ("after the delay, with the run's id and kind", AGAIN,
     "to 60; #1 failure; to 71.501; to 71.502; #2 success",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2", "run 60 success 2"]),
    ("tries that count are at most attempts", AGAIN,
     "to 60; #1 failure; to 100; #2 timeout; to 200; #3 refused; to 900",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2",
      "fire 60 schedule #3 try 3", "run 60 refused 3", "run_failed refused of 60"]),
    ("an outcome that is not in `on`", {**AGAIN, "retry": {"attempts": 3, "on": ["lost"]}},
     "to 60; #1 failure",
     ["fire 60 schedule #1", "exhausted", "run 60 failure 1", "run_failed failure of 60"]),
    ("lost_lease goes with lost", {**AGAIN, "retry": {"attempts": 2, "on": ["lost"]}},
     "to 60; #1 lost_lease; to 90",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2"]),
    ("not_on_exit", {**AGAIN, "retry": {"attempts": 3, "not_on_exit": [2]}},
     "to 60; #1 failure exit 1; to 90; #2 failure exit 2",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2", "run 60 failure 2",
      "run_failed failure of 60"]),
    ("cancelled is no failure and not tried again", AGAIN, "to 60; #1 cancelled",
     ["fire 60 schedule #1", "exhausted", "run 60 cancelled 1"]),
    ("retry_after replaces the delay, spread and all", AGAIN,
     "to 60; #1 failure after 3000; to 62.999; to 63",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2"]),
    ("within: no retry is fired later than that after the first fire",
     {**AGAIN, "retry": {"attempts": 9, "initial": "10s", "within": "30s"}},
     "to 60; #1 failure; to 75; #2 failure",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2", "run 60 failure 2",
      "run_failed failure of 60"]),
    ("three silent losses in a row are poison", {**AGAIN, "retry": {"attempts": 9}},
     "to 60; #1 lost; to 80; #2 lost; to 120; #3 lost",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2",
      "fire 60 schedule #3 try 3", "run 60 poison 3", "run_failed poison of 60"]),
    ("in a row: any other outcome begins anew", {**AGAIN, "retry": {"attempts": 9}},
     "to 60; #1 lost; to 80; #2 failure; to 120; #3 lost; to 200; #4 lost; to 400; #5 lost",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2",
      "fire 60 schedule #3 try 3", "fire 60 schedule #4 try 4", "fire 60 schedule #5 try 5",
      "run 60 poison 5", "run_failed poison of 60"]),
    ("a lost_lease, also a late one, shows that the worker lived",
     {**AGAIN, "retry": {"attempts": 9}},
     "to 60; #1 lost; to 80; #2 lost; #2 lost_lease; to 120; #3 lost; to 200; #4 failure",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2",
      "fire 60 schedule #3 try 3", "fire 60 schedule #4 try 4"]),
    ("a late success is an event while the run is open, and changes nothing", AGAIN,
     "to 60; #1 lost; #1 success; to 80; #2 success; #1 success",
     ["fire 60 schedule #1", "exhausted", "late_success of 60", "fire 60 schedule #2 try 2",
      "run 60 success 2"]),
    ("no report of a closed try changes a run", AGAIN,
     "to 60; #1 failure; to 80; #1 success; #1 failure; #1 released; #2 failure; to 120; "
     "#3 success; #3 failure; #7 success",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2",
      "fire 60 schedule #3 try 3", "run 60 success 3"]),
    ("released does not count: at once, then after 1 s, 2 s", {**AGAIN, "retry": {}},
     "to 60; #1 released; #2 released; to 60.999; to 61; #3 released; to 62.999; to 63; "
     "#4 success",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2",
      "fire 60 schedule #3 try 3", "fire 60 schedule #4 try 4", "run 60 success 1"]),
    ("a paused job's retry waits", {"retry": {"attempts": 2}},
     "to 60; #1 failure; pause; to 600; resume",
     ["fire 60 schedule #1", "fire 60 schedule #2 try 2"]),
    ("… and is looked at again: within is over, the run with it",
     {"retry": {"attempts": 2, "within": "5m"}}, "to 60; #1 failure; pause; to 600; resume",
     ["fire 60 schedule #1", "run 60 failure 1", "run_failed failure of 60"]),
    ("a late lost_lease: those lost in a row begin behind it",
     {**AGAIN, "retry": {"attempts": 9}},
     "to 60; #1 lost; to 80; #2 lost; #1 lost_lease; to 120; #3 lost; to 200; #4 lost",
     ["fire 60 schedule #1", "exhausted", "fire 60 schedule #2 try 2",
      "fire 60 schedule #3 try 3", "fire 60 schedule #4 try 4", "run 60 poison 4",
      "run_failed poison of 60"]),
    ("pause_after_failures: runs in a row, not tries; a success begins anew",
     {"pause_after_failures": 2, "retry": {"attempts": 2, "initial": "1s"}},
     "to 60; #1 failure; to 110; #2 failure; to 120; #3 success; to 180; #4 failure; to 190; "
     "#5 failure; to 240; #6 failure; to 250; #7 failure; to 600",
     ["fire 60 schedule #1", "fire 60 schedule #2 try 2", "run 60 failure 2",
      "run_failed failure of 60", "fire 120 schedule #3", "run 120 success 1",
      "fire 180 schedule #4", "fire 180 schedule #5 try 2", "run 180 failure 2",
      "run_failed failure of 180", "fire 240 schedule #6", "fire 240 schedule #7 try 2",
      "run 240 failure 2", "run_failed failure of 240", "auto_paused failure of 240"]),
]


def check(rows: list[tuple[str, Json, str, list[str]]]) -> None:
    wrong = []
    for title, job, steps, want in rows:
        heard = play(job, steps)
        if said(heard) != want:
            wrong.append(f"{title}:\n    " + "\n    ".join(heard) + "\n  in place of\n    "
                         + "\n    ".join(want))
    assert not wrong, "\n".join(wrong)


def test_overlap() -> None:
    check(OVERLAPS)


def test_retries() -> None:
    check(RETRIES)


def test_released_a_hundred_times() -> None:
    steps = "to 60; " + "; ".join(f"#{n} released; to {60 + 61 * n}" for n in range(1, 102))
    heard = said(play({"max_fires": 1}, steps))
    assert heard.count("exhausted") == 1 and len(heard) == 1 + 101 + 2, heard
    assert heard[-2:] == ["run 60 failure 1", "run_failed failure of 60"]


# SipHash-2-4 of the text with the key, the delay without its spread, with it: for every language.
DELAYS = [("1767225600000-0.5.0@1767225660000", 1, 0x6a479f5eedb1a2b3, "10s", 2, "1h", 11_502),
          ("1767225600000-0.5.0@1767225660000", 2, 0x50fc1b10058688d1, "10s", 2, "1h", 20_214),
          ("1767225600000-0.5.0@1767225660000", 3, 0xfff8ae39dac8f7ba, "10s", 2, "1h", 44_221),
          ("1767225600000-0.5.0@1767225660000", 99, 0xec75763be71b4850, "10s", 2, "1h", 3_620_270),
          ("1767225600000-0.5.0@1767225720000", 1, 0x20b38336995fa69c, "10s", 2, "1h", 11_941),
          ("1767225600000-3.17.2@b:may:1767225660000", 1, 0x865998bb187cdafa, "10s", 2, "1h",
           11_438)]


def test_delays() -> None:
    assert siphash(bytes(range(16)), bytes(range(15))) == 0xa129ca6149be45e5  # of its paper
    for fire_id, n, digest, initial, factor, most, want in DELAYS:
        assert siphash(b"belfry retries 1", f"{fire_id}/{n}".encode()) == digest
        terms = {"initial": initial, "factor": factor, "max": most}
        assert retry_delay(terms, fire_id, n) == want, (fire_id, n)
    for factor, bases in ((1, [1000, 1000, 1000]), (1.5, [1000, 1500, 2250, 3375, 5000, 5000]),
                          (1.01, [1000, 1010, 1020, 1030]), (100, [1000, 5000, 5000])):
        for n, base in enumerate(bases, start=1):
            delay = retry_delay({"initial": "1s", "factor": factor, "max": "5s"}, "x@1", n)
            assert base <= delay <= base + base // 4, (factor, n, delay)


class Watched:
    """A job with chance steps, and what must hold of all it says."""

    def __init__(self, seed: int):
        dice = self.dice = random.Random(seed)
        self.policy = dice.choice(["allow", "skip", "buffer_one", "buffer_all", "cancel_other"])
        self.attempts = dice.choice([1, 2, 4])
        self.due = self.gone = 0            # slots that came due; fired, skipped or missed
        self.open: dict[str, int] = {}      # open runs and the number of their try
        self.ended: set[str] = set()
        self.tries: dict[str, int] = {}     # that count
        self.now = START_MS
        catchup = {"policy": dice.choice(["all", "latest", "none"]), "window": "30m", "limit": 5}
        self.job = RunsJob({**MINUTELY, "overlap": self.policy, "overlap_limit": 3,
                            "catchup": catchup, "retry": {"attempts": self.attempts}},
                           START_MS, self.hear)

    def hear(self, what: str, said: Json) -> None:
        if what == "fire":
            run = said["id"].split("@")[1]
            assert run not in self.ended, f"{run} has ended"
            if run not in self.open:
                alone = self.policy != "allow" and said["kind"] != "trigger"
                assert not (alone and self.open), f"{run} beside {self.open}"
                self.gone += said["kind"] in ("schedule", "catchup")
            self.open[run] = said["number"]
        elif what == "run":
            run = said["run"].name
            del self.open[run]
            self.ended.add(run)
            assert said["tries"] == self.tries.get(run, 0) <= self.attempts
        elif said.get("event") in ("skipped", "missed"):
            self.gone += said["count"]
            assert said.get("reason") not in ("overlap", "buffer_full") or said["run"].name in {
                *self.open, *self.ended}

    def slots(self, after: int) -> int:
        return len(self.job.schedule.within(after, self.now))

    def step(self) -> None:
        dice, job, before = self.dice, self.job, self.now
        luck = dice.randrange(12)
        if luck < 5 or (luck == 5 and job.paused_at is not None):
            self.now += dice.randrange(1, 200_000)
            job.advance(self.now)
            self.due += self.slots(before) if job.paused_at is None else 0
        elif luck == 5:
            self.now += dice.randrange(1, 2 * 3_600_000)
            self.due += self.slots(before)
            job.advance(self.now, down=True)
        elif luck < 9 and job.numbers:
            self.report(dice.randrange(max(job.numbers - 4, 0), job.numbers) + 1, dice.choice(
                ["success", "failure", "lost", "released", "cancelled", "not_started"]))
        elif luck == 9 and job.paused_at is None:
            job.pause()
        elif luck == 9:
            start = dice.choice(["now", "paused_at"])
            self.due += self.slots(job.paused_at or 0) if start == "paused_at" else 0
            job.resume(start)
        elif luck == 10:
            job.trigger(str(job.numbers), dice.random() < 0.5)
        else:
            job.update({"payload": dice.random()})
        job.act(self.now)

    def report(self, number: int, outcome: str) -> None:
        run = next((run for run, last in self.open.items() if last == number), None)
        if run is not None and outcome != "released" and \
                any(one.number == number for one in self.job.runs):
            self.tries[run] = self.tries.get(run, 0) + 1
        self.job.report(number, outcome)

    def check(self) -> None:
        owed = len(self.job.waiting) + len(self.job.left_out)
        assert self.due == self.gone + owed, (self.due, self.gone, owed)
        assert set(self.open) == {run.name for run in self.job.runs}
        if self.policy == "buffer_one":
            assert len([one for one in self.job.waiting if one.live]) <= 1


def test_chance_sequences_keep_the_invariants() -> None:
    """2: no overlap where the policy forbids it; 3: one end; 4: attempts; 5: every slot."""
    for seed in range(SEQUENCES):
        watched = Watched(seed)
        for step in range(60):
            try:
                watched.step()
                watched.check()
            except AssertionError as failed:
                raise AssertionError(f"seed {seed}, step {step}, {watched.policy}: {failed}") \
                    from failed
