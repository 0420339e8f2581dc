"""Tries of a job's runs, by the words of docs/runs.md: what ends one, whether another follows, and
what silence means. The half of runs_model.py that knows nothing of slots.

Times are milliseconds since 1970; the owner's clock and the shard's are the same here.
"""

from __future__ import annotations

import copy
import functools
from typing import Any, Callable

from model import Json, duration

SECOND = 1_000
HOUR = 3_600_000
RELEASES_MAX = 100
TRIES_KEPT = 8
RETRY_AFTER_MAX = 24 * HOUR
AGAIN_MS = 10 * SECOND        # a request to stop is repeated no sooner
CLAIM_OLD_MS = 10 * SECOND    # from when on a claim is in the record
CURSOR_MS = 60 * SECOND       # of those in `running` one is kept so often
RETRY: Json = {"attempts": 1, "initial": "10s", "factor": 2, "max": "1h", "within": None,
               "on": ["failure", "timeout", "lost", "not_started", "refused"],
               "not_on_exit": [], "poison_after": 3}
MASK = (1 << 64) - 1
RETRY_KEY = b"belfry retries 1"


@functools.lru_cache(1 << 16)
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


class Claim:
    """What is known of the worker that has the open try."""

    def __init__(self, token: str | None, sign: int, is_placed: bool):
        self.token, self.sign = token, sign  # sign: when the newest one was read
        self.is_placed = is_placed           # where its fire stands is known
        self.has_run = False                 # a `running` came
        self.is_committed = False            # so its fire is known to be
        self.forget_answers()

    def forget_answers(self) -> None:
        self.lapsed = self.is_uncommitted = False
        self.asked = 0                       # how often, since the lease was over
        self.ask_at: int | None = None       # when again
        self.tick: int | None = None         # that one, or a later one, decides


class Run:
    def __init__(self, life: str, name: str, kind: str, due: int, now: int):
        self.life, self.name, self.kind, self.due, self.first_fired = life, name, kind, due, now
        self.number: int | None = None     # of the open try
        self.newest = 0                    # number of the newest try
        self.retry_at: int | None = None   # it waits till then
        self.is_held = False               # its retry waits for the job's resume
        self.is_stale = False              # of an earlier generation
        self.tries = self.counted = self.released = self.silent = 0
        self.ended: str | None = None
        self.asked_to_stop = False
        self.orphan = False                # its job was deleted
        self.terms: Json = {}              # of its try: lease, mode, workers, start_within
        self.expires = 0
        self.claim: Claim | None = None    # fixed: from the fire on
        self.cursor = ""
        self.history: list[tuple[int, str]] = []  # tries that have ended: number, outcome
        self.forget()
        self.recorded: Json = {}

    def forget(self) -> None:
        """What its owner alone remembers."""
        self.stop_said: int | None = None
        self.cursor_kept: int | None = None
        self.doubled_told = False
        self.late_told: set[int] = set()
        self.claim_unrecorded: tuple[int, int] | None = None  # its offset, when it was read

    @property
    def id(self) -> str:
        return f"{self.life}@{self.name}"

    @property
    def is_fixed(self) -> bool:
        return self.terms.get("lease_mode") == "fixed"

    @property
    def kept(self) -> list[tuple[int, str]]:
        return self.history[-TRIES_KEPT:]

    def record(self) -> None:
        """Whatever changes it but a sign of life is written with the step that does."""
        self.claim_unrecorded = None
        self.recorded = {**self.__dict__, "claim": copy.copy(self.claim),
                         "history": list(self.history), "recorded": {}}

    def become_orphan(self) -> None:
        """That its job is gone is not in its record, but in that there is no such job."""
        self.orphan = self.recorded["orphan"] = True

    def restore(self, now: int) -> None:
        """As its record has it, and its lease begins anew."""
        kept = self.recorded
        self.__dict__.update({**kept, "claim": copy.copy(kept["claim"]), "recorded": kept,
                              "history": list(kept["history"])})
        self.forget()
        self.is_held = False
        if self.claim is not None:
            self.claim.sign = now
            self.claim.is_committed = self.claim.has_run
            self.claim.forget_answers()


class Tries:
    """Of one job, and of those before it that had its name."""

    said: Json
    now: int
    say: Callable[[str, Json], None]
    exists: bool
    paused_at: int | None
    runs: list[Run]
    over: list[Run]
    tried: dict[int, tuple[Run, str]]
    new_number: Callable[[], int]

    # ---- fires ----

    def fire_try(self, run: Run, missed: int = 0) -> None:
        run.newest = self.new_number()
        run.tries += 1
        run.counted += 1
        run.number, run.retry_at, run.is_held = run.newest, None, False
        if "lease" in self.said and not run.orphan:
            run.terms = {name: self.said.get(name) for name in
                         ("lease", "lease_mode", "workers", "start_within")}
        run.expires = self.now + duration(run.terms.get("start_within") or "24h")
        run.claim = Claim(None, self.now, False) if run.is_fixed else None
        run.record()
        self.say("fire", {"id": run.id, "kind": run.kind, "number": run.number, "try": run.tries,
                          "payload": self.said.get("payload"), "run": run, "missed": missed})

    def try_again(self, run: Run) -> None:
        """What was decided when the try ended may not hold any more: a pause, an update."""
        if self.paused_at is not None:
            run.is_held = True
            return
        last = run.history[-1][1]
        has_lease = "lease" in self.said  # one that has dropped it leaves it at what was decided
        if last != "released" and has_lease and not (
                run.counted < self.retry("attempts") and self.within(run, self.now)):
            self.end_run(run, last)
        else:
            self.fire_try(run)

    def retries_due(self) -> list[Run]:
        return sorted((run for run in self.runs if run.retry_at is not None and not run.is_held
                       and run.ended is None and run.retry_at <= self.now),
                      key=lambda run: run.retry_at or 0)

    # ---- how a try ends ----

    def report(self, number: int, outcome: str, exit_code: int | None = None,
               retry_after: int | None = None) -> None:
        """A final report, released, or what the lease has decided."""
        run = next((one for one in self.runs if one.number == number), None)
        if run is None:
            self.late(number, outcome)
        elif outcome == "released" and run.released < RELEASES_MAX:
            self.release(run)
        else:
            self.close(run, "failure" if outcome == "released" else outcome, exit_code, retry_after)
        self.settle()

    def end_try(self, run: Run, outcome: str) -> None:
        assert run.number is not None
        self.tried[run.number] = (run, outcome)
        run.history.append((run.number, outcome))
        run.number, run.claim, run.doubled_told = None, None, False

    def close(self, run: Run, outcome: str, exit_code: int | None = None,
              retry_after: int | None = None, is_silent: bool = True) -> None:
        self.end_try(run, outcome)
        run.silent = run.silent + 1 if outcome == "lost" and is_silent else 0
        followed = not run.orphan and "lease" in self.said
        if followed and run.silent >= self.retry("poison_after"):
            self.end_run(run, "poison")
        elif followed and self.tries_again(run, outcome, exit_code):
            self.wait_for_retry(run, outcome, retry_after)
        else:
            self.end_run(run, outcome)
        run.record()

    def release(self, run: Run) -> None:
        self.end_try(run, "released")
        run.counted -= 1
        if run.asked_to_stop:
            self.end_run(run, "cancelled")
        elif run.orphan:
            self.end_run(run, self.last_outcome(run))
        else:
            run.released += 1
            run.retry_at = self.now + min(run.released - 1, 60) * SECOND
            if run.retry_at == self.now:
                self.try_again(run)
        run.record()

    def last_outcome(self, run: Run) -> str:
        """Of the last try that was not handed back."""
        return next((how for _, how in reversed(run.kept) if how != "released"), "cancelled")

    def late(self, number: int, outcome: str) -> None:
        run, was = self.tried.get(number, (None, ""))
        if run is None or run.ended is not None or was != "lost" \
                or number not in [n for n, _ in run.kept]:
            return
        if outcome == "success" and number not in run.late_told:
            run.late_told.add(number)
            self.say("event", {"event": "late_success", "run": run})
        if outcome == "lost_lease":  # those lost in a row begin behind it
            behind = [n for n, how in run.kept if n > number and how != "released"]
            if len(behind) < run.silent:
                run.silent = len(behind)
                run.record()

    def retry(self, name: str) -> Any:
        return {**RETRY, **(self.said.get("retry") or {})}[name]

    def tries_again(self, run: Run, outcome: str, exit_code: int | None) -> bool:
        word = "lost" if outcome == "lost_lease" else outcome
        return (not run.asked_to_stop and run.counted < self.retry("attempts")
                and word in self.retry("on")
                and not (word == "failure" and exit_code in self.retry("not_on_exit")))

    def wait_for_retry(self, run: Run, outcome: str, retry_after: int | None) -> None:
        terms = {**RETRY, **(self.said.get("retry") or {})}
        delay = retry_delay(terms, run.id, run.counted)
        if retry_after is not None:
            delay = min(retry_after, RETRY_AFTER_MAX)
        if not self.within(run, self.now + delay):
            self.end_run(run, outcome)
            return
        run.retry_at = self.now + delay
        if delay == 0:
            self.try_again(run)

    def within(self, run: Run, at: int) -> bool:
        bound = self.retry("within")
        return bound is None or at <= run.first_fired + duration(bound)

    def end_run(self, run: Run, outcome: str) -> None:
        """It is in the way until the step is over."""
        run.ended, run.retry_at = outcome, None
        self.over.append(run)
        self.say("run", {"run": run, "outcome": outcome, "tries": run.counted})
        if self.has_failed(run):
            self.say("event", {"event": "run_failed", "run": run, "detail": outcome})

    @staticmethod
    def has_failed(run: Run) -> bool:
        return run.ended not in ("success", "cancelled") and not run.asked_to_stop

    def settle(self) -> None:
        raise NotImplementedError

    # ---- requests to stop ----

    def ask_to_stop(self, run: Run) -> None:
        """A try is asked, and not tried again; a run that waits for its retry ends."""
        if run.ended is not None:
            return
        if run.number is None:
            self.end_run(run, "cancelled")
        elif not run.asked_to_stop:
            run.asked_to_stop = True
            self.say_stop(run)
            run.record()

    def say_stop(self, run: Run) -> None:
        if run.stop_said is None or self.now - run.stop_said >= AGAIN_MS:
            run.stop_said = self.now
            self.say("cancel", {"run": run, "number": run.number})

    # ---- claims ----

    def sign(self, run: Run) -> None:
        """Of life: the lease begins anew, answers and ticks count no more."""
        assert run.claim is not None
        run.claim.sign = self.now
        run.claim.forget_answers()
        if run.asked_to_stop:
            self.say_stop(run)

    def take(self, run: Run, token: str, offset: int) -> Claim:
        if run.claim is None:
            run.claim = Claim(token, self.now, False)
        run.claim.token = token
        if run.claim_unrecorded is None:
            run.claim_unrecorded = (offset, self.now)
        return run.claim

    def started(self, run: Run, token: str, offset: int, appended: int) -> None:
        """The newest one counts, unless somebody has said that he runs."""
        if run.is_fixed or appended >= run.expires:
            return
        if run.claim is None or (run.claim.token != token and not run.claim.has_run):
            self.take(run, token, offset)
        assert run.claim is not None
        if run.claim.token == token:
            run.claim.is_placed = True
        self.sign(run)

    def running(self, run: Run, token: str, offset: int, cursor: str | None, again: bool) -> None:
        if run.is_fixed:
            return
        if run.claim is not None and run.claim.token != token and run.claim.has_run:
            if not again and not run.doubled_told:
                run.doubled_told = True
                self.say("event", {"event": "run_doubled", "run": run})
        elif run.claim is None or run.claim.token != token:
            self.take(run, token, offset)
        assert run.claim is not None
        run.claim.has_run = run.claim.is_committed = True
        self.sign(run)
        if cursor is not None and not again and (
                run.cursor_kept is None or self.now - run.cursor_kept >= CURSOR_MS):
            self.keep_cursor(run, cursor)

    def keep_cursor(self, run: Run, cursor: str) -> None:
        run.cursor, run.cursor_kept = cursor, self.now
        run.record()

    def reports_lost(self) -> None:
        """Each open try may have been claimed: it counts as claimed, and its lease begins anew."""
        for run in self.runs:
            if run.number is None or run.ended is not None:
                continue
            if run.claim is None:
                run.claim = Claim(None, self.now, False)
                self.sign(run)
                run.record()
            elif run.is_fixed:
                run.claim.sign = self.now
                run.claim.forget_answers()
            else:
                self.sign(run)
