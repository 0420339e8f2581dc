"""What one job with a lease is to do, in as few words as possible: overlap and retries.

The reference beside model.py: times are milliseconds since 1970, there is no lane rate, no jitter
and no failing delivery; what a lease decides (lost, not_started) comes in as an outcome. Order
within a millisecond: what was reported, then retries whose delay is over, then slots.
"""

from __future__ import annotations

from typing import Any, Callable

from model import GRACE, Json, Schedule, duration, instant

HOUR = 3_600_000
OPEN_MAX = 1_000
RELEASES_MAX = 100
TRIES_KEPT = 8
RETRY_AFTER_MAX = 24 * HOUR
RETRY: Json = {"attempts": 1, "initial": "10s", "factor": 2, "max": "1h", "within": None,
               "on": ["failure", "timeout", "lost", "not_started", "refused"],
               "not_on_exit": [], "poison_after": 3}
MASK = (1 << 64) - 1
RETRY_KEY = b"belfry retries 1"


def siphash(key: bytes, data: bytes) -> int:
    """SipHash-2-4, 64 bits, as its paper has it."""
    def turn(x: int, by: int) -> int:
        return ((x << by) | (x >> (64 - by))) & MASK

    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    a, b = k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d
    c, d = k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    words = [int.from_bytes(padded[i:i + 8], "little") for i in range(0, len(padded), 8)]
    for word, rounds in [(word, 2) for word in words] + [(0, 4)]:
        if rounds == 4:
            c ^= 0xff
        d ^= word
        for _ in range(rounds):
            a, c = (a + b) & MASK, (c + d) & MASK
            b, d = turn(b, 13) ^ a, turn(d, 16) ^ c
            a = turn(a, 32)
            a, c = (a + d) & MASK, (c + b) & MASK
            d, b = turn(d, 21) ^ a, turn(b, 17) ^ c
            c = turn(c, 32)
        a ^= word
    return a ^ b ^ c ^ d


def retry_delay(terms: Json, fire_id: str, n: int) -> int:
    """Behind the n-th try that counts."""
    most, hundredths = duration(terms["max"]), round(terms["factor"] * 100)
    base = min(duration(terms["initial"]), most)
    for _ in range(n - 1):
        base = min(base * hundredths // 100, most)
    return base + siphash(RETRY_KEY, f"{fire_id}/{n}".encode()) % (base // 4 + 1)


class Run:
    def __init__(self, name: str, kind: str, due: int, now: int):
        self.name, self.kind, self.due, self.first_fired = name, kind, due, now
        self.number: int | None = None     # of the open try
        self.retry_at: int | None = None   # it waits till then
        self.tries = self.counted = self.released = self.silent = 0
        self.ended: str | None = None
        self.outcomes: list[str] = []
        self.asked_to_stop = False
        self.orphan = False                # its job was deleted


class Waiting:
    def __init__(self, due: int, kind: str, live: bool, name: str = ""):
        self.due, self.kind, self.live, self.name = due, kind, live, name


class RunsJob:
    """`say` gets (what, {...}): fire, run, event, answer, cancel."""

    def __init__(self, said: Json, now: int, say: Callable[[str, Json], None]):
        self.now, self.say = now, say
        self.runs: list[Run] = []          # the open ones, oldest first
        self.numbers = 0
        self.tried: dict[int, tuple[Run, str]] = {}  # closed tries: run and outcome
        self.exists = False
        self.add(said)

    # ---- commands ----

    def add(self, said: Json) -> None:
        """Also again after a delete: open runs of the one before are in its way."""
        assert not self.exists
        self.exists = True
        self.said, self.schedule = said, Schedule(said["schedule"], self.now)
        self.added = self.done_to = self.now
        self.waiting: list[Waiting] = []
        self.backfills: list[Waiting] = []
        self.left_out: list[int] = []
        self.left_in_way, self.left_reason, self.left_since = "", "", 0
        self.left_last = (-1, "")          # the newest slot left out, and what was in its way
        self.paused_at: int | None = None
        self.counted = self.failures = 0
        self.finished = False

    def update(self, change: Json) -> None:
        self.announce()
        before = self.said.get("pause_after_failures")
        self.said = {**self.said, **change}
        if self.said.get("pause_after_failures") != before:
            self.failures = 0
        if "schedule" in change:
            self.schedule = Schedule(change["schedule"], self.now)
            self.done_to = self.now
            self.finished = False
        if self.used_up():
            self.drop(self.waiting, "updated")
        self.serve()
        self.finish_if_done()

    def pause(self) -> None:
        self.announce()
        self.paused_at = self.now

    def resume(self, start: str = "now") -> None:
        assert self.paused_at is not None
        since = self.paused_at if start == "paused_at" else self.now
        self.paused_at = None
        self.failures = 0
        self.done_to = self.now
        self.catch_up(since)
        for run in sorted(self.runs, key=lambda run: run.retry_at or 0):
            if run.retry_at is not None and run.retry_at <= self.now:
                self.try_again(run)
        self.serve()
        self.finish_if_done()

    def delete(self, cancel_runs: bool = False) -> None:
        self.announce()
        self.drop(self.waiting, "deleted")
        self.drop(self.backfills, "deleted")
        self.exists = False
        for run in list(self.runs):
            run.orphan = True
            if run.number is None:
                self.end_run(run, self.last_outcome(run))
            elif cancel_runs:
                self.ask_to_stop(run)

    def trigger(self, named: str, allow: bool = False) -> None:
        if self.overlap() != "allow" and self.runs and not allow:
            self.say("answer", {"outcome": "conflict", "code": "overlap", "run": self.runs[0].name})
            return
        self.say("answer", {"outcome": "applied"})
        self.open_run(f"t:{named}", "trigger", self.now)

    def backfill(self, named: str, start: int, to: int) -> None:
        self.backfills += [Waiting(due, "backfill", False, f"b:{named}:{due}")
                           for due in self.schedule.within(start - 1, to - 1)]
        self.serve()

    # ---- time ----

    def advance(self, to: int, down: bool = False) -> None:
        """`down`: nobody was there meanwhile, what came due is judged at the end of it."""
        if down:
            since, self.now = self.done_to, to
            if self.paused_at is None and self.exists:
                self.catch_up(since)
            self.done_to = to
        while True:
            steps = [(at, order, n) for n, (at, order, _) in enumerate(self.things()) if at <= to]
            if not steps:
                break
            at, _, n = min(steps)
            act = self.things()[n][2]
            self.now = max(self.now, at)
            act()
        self.now = to
        self.serve()
        self.finish_if_done()

    def things(self) -> list[tuple[int, int, Callable[[], None]]]:
        """What the clock will bring: (when, order within the moment, what)."""
        made: list[tuple[int, int, Callable[[], None]]] = []
        for run in self.runs:
            if run.retry_at is not None and self.paused_at is None:
                made.append((run.retry_at, 0, lambda run=run: self.try_again(run)))
        if self.left_out:
            made.append((self.left_since + HOUR, 1, self.announce))
        due = self.next_due()
        if due is not None:
            made.append((due, 2, lambda due=due: self.slot(due)))
        return made

    def next_due(self) -> int | None:
        if not self.exists or self.paused_at is not None or self.used_up():
            return None
        due = self.schedule.next(max(self.done_to, self.bound("start", 0) - 1))
        return due if due is not None and due < self.bound("end", 1 << 62) else None

    def bound(self, which: str, otherwise: int) -> int:
        return instant(self.said[which]) if self.said.get(which) else otherwise

    def catchup(self, name: str, otherwise: Any) -> Any:
        return self.said.get("catchup", {}).get(name, otherwise)

    def used_up(self) -> bool:
        most = self.said.get("max_fires")
        return most is not None and self.counted >= most

    def overlap(self) -> str:
        return self.said.get("overlap", "allow")

    # ---- slots ----

    def slot(self, due: int) -> None:
        """Due in time: pause, window and catch-up policy have nothing to say, the runs have."""
        self.done_to = due
        policy = self.overlap()
        if policy == "cancel_other":
            for run in list(self.runs):
                self.ask_to_stop(run)
        free = len(self.runs) < OPEN_MAX if policy == "allow" else not self.runs
        if free and not self.waiting:
            self.open_run(str(due), "schedule", due)
        elif policy == "skip" and self.runs:
            self.leave_out(due, "overlap")
        elif policy == "buffer_one" and self.runs and self.waiting:
            self.leave_out(due, "overlap")
        elif policy == "buffer_all" and self.runs \
                and len(self.waiting) >= self.said.get("overlap_limit", 100):
            self.leave_out(due, "buffer_full")
        else:
            if policy == "cancel_other" and self.runs:
                for other in [one for one in self.waiting if one.live]:
                    self.waiting.remove(other)
                    self.leave_out(other.due, "overlap")
            self.waiting.append(Waiting(due, "catchup", True))
        self.finish_if_done()

    def leave_out(self, due: int, reason: str) -> None:
        in_way = self.runs[0].name
        if self.left_out and (in_way, reason) != (self.left_in_way, self.left_reason):
            self.announce()
        if not self.left_out:
            self.left_in_way, self.left_reason, self.left_since = in_way, reason, self.now
        self.left_out.append(due)
        self.left_last = (due, in_way)

    def announce(self) -> None:
        if self.left_out:
            self.say("event", {"event": "skipped", "first": self.left_out[0],
                               "last": self.left_out[-1], "count": len(self.left_out),
                               "reason": self.left_reason, "run": self.left_in_way})
        self.left_out = []

    def drop(self, slots: list[Waiting], reason: str) -> None:
        if slots:
            self.say("event", {"event": "skipped", "first": slots[0].due, "last": slots[-1].due,
                               "count": len(slots), "reason": reason})
        slots.clear()

    def missed(self, slots: list[int], reason: str) -> None:
        if slots:
            self.say("event", {"event": "missed", "first": slots[0], "last": slots[-1],
                               "count": len(slots), "reason": reason})

    def catch_up(self, since: int) -> None:
        """The policy decides about the slots in (since, now]; what it keeps waits."""
        if self.used_up():
            return
        start, end = self.bound("start", 0), self.bound("end", 1 << 62)
        slots = self.schedule.within(max(since, start - 1), min(self.now, end - 1))
        policy, window = self.catchup("policy", "latest"), self.window()
        reason = {"none": "policy_none", "latest": "window", "all": "window"}[policy]
        if slots and slots[0] >= self.now - GRACE:
            kept = slots
        elif policy == "none":
            kept = [due for due in slots if due >= self.now - GRACE]
        else:
            kept = [due for due in slots if due >= self.now - window]
            if policy == "latest" and kept:
                kept, reason = kept[-1:], "superseded"
            limit = self.catchup("limit", 1000)
            if policy == "all" and len(kept) > limit:
                kept, reason = kept[-limit:], "limit"
        self.missed(slots[:len(slots) - len(kept)], reason)
        self.waiting += [Waiting(due, "catchup", False) for due in kept]

    def window(self) -> int:
        return max(duration(self.catchup("window", "24h")), GRACE)

    def serve(self) -> None:
        """What waits goes when nothing is in its way: slots in their order, then backfills."""
        while self.exists and self.paused_at is None and (self.waiting or self.backfills):
            free = len(self.runs) < OPEN_MAX if self.overlap() == "allow" else not self.runs
            if not free:
                return
            old = [one.due for one in self.waiting if one.due < self.now - self.window()]
            self.missed(old, "window")
            self.waiting = [one for one in self.waiting if one.due not in old]
            if self.waiting:
                first = self.waiting.pop(0)
                self.open_run(str(first.due), first.kind, first.due)
            elif self.backfills:
                first = self.backfills.pop(0)
                self.open_run(first.name, "backfill", first.due)

    def finish_if_done(self) -> None:
        """Where the last slot was left out, when the run in its way has ended."""
        if self.left_last[0] == self.done_to and any(run.name == self.left_last[1]
                                                     for run in self.runs):
            return
        if self.exists and self.paused_at is None and not self.finished and not self.waiting \
                and self.next_due() is None:
            self.finished = True
            self.say("event", {"event": "exhausted"})

    # ---- runs ----

    def open_run(self, name: str, kind: str, due: int) -> None:
        run = Run(name, kind, due, self.now)
        self.runs.append(run)
        self.fire_try(run)
        if kind in ("schedule", "catchup") and self.said.get("max_fires") is not None:
            self.counted += 1
            if self.used_up():
                self.waiting.clear()  # no slots of the job any more: `exhausted` says so

    def fire_try(self, run: Run) -> None:
        self.numbers += 1
        run.tries += 1
        run.number, run.retry_at = self.numbers, None
        self.say("fire", {"id": self.fire_id(run), "kind": run.kind, "number": run.number,
                          "try": run.tries, "payload": self.said.get("payload")})

    def fire_id(self, run: Run) -> str:
        return f"{self.said['incarnation']}@{run.name}"

    def ask_to_stop(self, run: Run) -> None:
        """A try is asked, and not tried again; a run that waits for its retry ends."""
        if run.number is None:
            self.end_run(run, "cancelled")
        elif not run.asked_to_stop:
            run.asked_to_stop = True
            self.say("cancel", {"run": run.name, "number": run.number})

    def report(self, number: int, outcome: str, exit_code: int | None = None,
               retry_after: int | None = None) -> None:
        """A final report, released, or what the lease has decided."""
        run = next((one for one in self.runs if one.number == number), None)
        if run is None:
            self.late(number, outcome)
            return
        run.number = None
        if outcome == "released" and run.released < RELEASES_MAX:
            self.tried[number] = (run, outcome)
            if run.asked_to_stop:
                self.end_run(run, "cancelled")
            elif run.orphan:
                self.end_run(run, self.last_outcome(run))
            else:
                self.release(run)
            return
        if outcome == "released":
            outcome = "failure"
        self.tried[number] = (run, outcome)
        run.outcomes.append(outcome)
        run.counted += 1
        run.silent = run.silent + 1 if outcome == "lost" else 0
        if outcome == "lost" and run.silent >= self.retry("poison_after") and not run.orphan:
            self.end_run(run, "poison")
        elif self.tries_again(run, outcome, exit_code):
            self.wait_for_retry(run, outcome, retry_after)
        else:
            self.end_run(run, outcome)

    def tries_of(self, run: Run) -> list[int]:
        """Those that have ended, oldest first."""
        return sorted(number for number, (other, _) in self.tried.items() if other is run)

    def last_outcome(self, run: Run) -> str:
        """Of the last try that was not handed back."""
        kept = [self.tried[number][1] for number in self.tries_of(run)[-TRIES_KEPT:]]
        return next((how for how in reversed(kept) if how != "released"), "cancelled")

    def late(self, number: int, outcome: str) -> None:
        run, was = self.tried.get(number, (None, ""))
        if run is None or run.ended is not None or was != "lost" \
                or number not in self.tries_of(run)[-TRIES_KEPT:]:
            return
        if outcome == "success":
            self.say("event", {"event": "late_success", "run": run.name})
        if outcome == "lost_lease":  # those lost in a row begin behind it
            behind = [n for n in self.tries_of(run)
                      if n > number and self.tried[n][1] != "released"]
            run.silent = min(run.silent, len(behind))

    def release(self, run: Run) -> None:
        run.released += 1
        run.retry_at = self.now + min(run.released - 1, 60) * 1000
        if run.retry_at == self.now and self.paused_at is None:
            self.try_again(run)

    def retry(self, name: str) -> Any:
        return {**RETRY, **self.said.get("retry", {})}[name]

    def tries_again(self, run: Run, outcome: str, exit_code: int | None) -> bool:
        word = "lost" if outcome == "lost_lease" else outcome
        return (not run.orphan and not run.asked_to_stop and run.counted < self.retry("attempts")
                and word in self.retry("on") and exit_code not in self.retry("not_on_exit"))

    def wait_for_retry(self, run: Run, outcome: str, retry_after: int | None) -> None:
        terms = {**RETRY, **self.said.get("retry", {})}
        delay = retry_delay(terms, self.fire_id(run), run.counted)
        if retry_after is not None:
            delay = min(retry_after, RETRY_AFTER_MAX)
        if not self.within(run, self.now + delay):
            self.end_run(run, outcome)
            return
        run.retry_at = self.now + delay
        if delay == 0 and self.paused_at is None:
            self.try_again(run)

    def within(self, run: Run, at: int) -> bool:
        bound = self.retry("within")
        return bound is None or at <= run.first_fired + duration(bound)

    def try_again(self, run: Run) -> None:
        """What was decided when the try ended may not hold any more: a pause, an update."""
        again = self.tried[self.tries_of(run)[-1]][1]
        if again != "released" and not (run.counted < self.retry("attempts")
                                        and self.within(run, self.now)):
            self.end_run(run, run.outcomes[-1])
        else:
            self.fire_try(run)

    def end_run(self, run: Run, outcome: str) -> None:
        run.ended, run.retry_at = outcome, None
        self.runs.remove(run)
        if self.left_out and self.left_in_way == run.name:
            self.announce()
        self.say("run", {"run": run.name, "outcome": outcome, "tries": run.counted})
        failed = outcome not in ("success", "cancelled") and not run.asked_to_stop
        if failed:
            self.say("event", {"event": "run_failed", "run": run.name, "reason": outcome})
        if self.exists and not run.orphan:
            self.count_failure(outcome, failed)
        self.serve()
        self.finish_if_done()

    def count_failure(self, outcome: str, failed: bool) -> None:
        self.failures = 0 if outcome == "success" else self.failures + failed
        most = self.said.get("pause_after_failures")
        if most and self.failures >= most and self.paused_at is None and not self.finished:
            self.failures = 0
            self.pause()
            self.say("event", {"event": "auto_paused", "count": most})
