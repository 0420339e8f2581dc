"""What one job with a lease is to do, in as few words as possible: slots that meet runs, commands.

The reference beside model.py, by the words of docs/contract.md and docs/ledger.md; its tries are in
runs_tries.py, several jobs and their owner in runs_shard.py. There is no lane rate and no failing
delivery. Order within a millisecond: what was reported, then slots, then retries whose delay is
over, then what is owed.
"""

from __future__ import annotations

from typing import Any, Callable

from model import GRACE, Json, Schedule, duration, instant
from runs_tries import HOUR, Run, Tries, siphash

OPEN_MAX = 1_000
FAR = 1 << 62
JITTER_KEY = b"belfry jitter v1"
Slot = tuple[int, int]  # due, and its nominal time


class Waiting:
    def __init__(self, slot: Slot, live: bool, plan: list[int] | None = None, missed: int = 0):
        self.due_at, self.due = slot
        self.live = live          # it met a run
        self.plan = plan          # of a catch-up that is announced: how many it has, are left
        self.missed = missed      # slots it stands for besides its own


class RunsJob(Tries):
    """`say` gets (what, {...}): fire, run, event, answer, cancel."""

    def __init__(self, said: Json, now: int, say: Callable[[str, Json], None],
                 new_number: Callable[[], int] | None = None):
        self.now, self.say = now, say
        self.runs: list[Run] = []          # the open ones, oldest first
        self.over: list[Run] = []          # among them those that have ended in this step
        self.numbers = 0
        self.tried: dict[int, tuple[Run, str]] = {}  # closed tries: run and outcome
        self.exists = False
        self.unread = False                # reports that were in the log at the take-over are
        self.new_number = new_number or self.count
        self.add(said)

    def count(self) -> int:
        self.numbers += 1
        return self.numbers

    # ---- commands ----

    def add(self, said: Json) -> None:
        """Also again after a delete: open runs of the one before are in its way."""
        assert not self.exists
        self.exists = True
        self.said, self.schedule = said, Schedule(said["schedule"], self.now)
        self.looked, self.found = (0, 0, 0), None
        self.since = self.done_to = self.now   # no slot with an earlier nominal time is the job's
        self.edited = 0
        self.revision = 1
        self.waiting: list[Waiting] = []
        self.late_slots: list[Slot] = []   # the policy has not been asked about them
        self.backfills: list[Json] = []
        self.had: set[str] = set()
        self.left_out: list[Slot] = []
        self.left_reason = ""
        self.met = False                   # slots have met a run, or waited for something else
        self.asks_later = False
        self.paused_at: int | None = None
        self.until: int | None = None
        self.counted = self.failures = 0
        self.finished_at: int | None = None
        self.finish_if_done()

    def update(self, change: Json) -> None:
        self.announce()
        self.met = bool(self.waiting)
        self.revision += 1
        before = self.said
        merged = {**self.said, **change}
        if "retry" in change and change["retry"] is not None:
            merged["retry"] = {**(self.said.get("retry") or {}), **change["retry"]}
        self.said = {name: value for name, value in merged.items() if value is not None}
        if self.said.get("pause_after_failures") != before.get("pause_after_failures"):
            self.failures = 0
        schedule = Schedule(self.said["schedule"], self.now)
        if schedule.key() != self.schedule.key():
            self.schedule = schedule
            self.since = self.done_to = self.edited = self.now
            self.finished_at = None
            self.close_tail()
        elif self.said.get("end") != before.get("end"):
            self.done_to = self.now
            self.close_tail()
        if self.used_up():
            self.end_plans(self.waiting)
            self.drop(self.waiting, "updated")
            self.met = False
        if self.finished_at is not None and not self.used_up() \
                and self.next_slot(self.now) is not None:
            self.finished_at, self.done_to = None, self.now
        self.finish_if_done()

    def pause(self, until: int | None = None) -> None:
        if self.paused_at is None:
            self.announce()
            self.paused_at = self.now
            self.close_tail()
        self.until = until
        self.revision += 1

    def resume(self, start: str | int = "now", at: int | None = None) -> None:
        """`at`: by the end of its pause, a moment ago."""
        assert self.paused_at is not None
        now = self.now if at is None else at
        since = self.paused_at if start == "paused_at" else now if start == "now" else int(start)
        since = max(since, self.edited)
        self.say("event", {"event": "resumed", "from": self.paused_at,
                           "to": max(since, self.paused_at)})
        self.paused_at = self.until = None
        self.revision += 1
        self.failures = 0
        self.done_to = now
        for run in self.runs:
            run.is_held = False
        if not self.used_up():
            self.decide(self.slots(since, now))
        self.met = bool(self.waiting)
        self.finish_if_done(now)

    def delete(self, cancel_runs: bool = False) -> None:
        if cancel_runs:
            self.ask_all()
        self.announce()
        self.drop(self.waiting, "deleted")
        self.drop_backfills("deleted")
        self.exists = False
        for run in list(self.runs):
            if run.ended is None and not run.orphan and run.number is None:
                self.end_run(run, self.last_outcome(run))
            run.become_orphan()
        self.settle()

    def cancel(self, named: str | None = None) -> None:
        self.ask_all(named)
        self.settle()

    def ask_all(self, named: str | None = None) -> None:
        for run in list(self.runs):
            if named in (None, run.id):
                self.ask_to_stop(run)

    def can_cancel(self, named: str | None = None) -> bool:
        return any(named in (None, run.id) and (run.number is None or not run.asked_to_stop)
                   for run in self.runs)

    def trigger(self, named: str, allow: bool = False) -> None:
        if self.in_way() and not allow:
            self.say("answer", {"outcome": "conflict", "code": "overlap", "run": self.runs[0]})
            return
        self.say("answer", {"outcome": "applied"})
        self.open_run(f"t:{named}", "trigger", self.now)

    def backfill(self, named: str, start: int, to: int) -> None:
        """The slots due in [start, to)."""
        found = self.plain_slots(start - 1, to - 1)
        self.had.add(named)
        self.backfills.append({"id": named, "slots": found, "fired": 0})
        self.say("event", {"event": "backfill_started", "backfill_id": named, "first": found[0],
                           "last": found[-1], "count": len(found)})
        self.serve()

    def plain_slots(self, after: int, to: int) -> list[int]:
        """Without jitter, as far as start and end allow."""
        return self.schedule.within(after, min(to, self.bound("end", FAR) - 1))

    # ---- time ----

    def advance(self, to: int, down: bool = False) -> None:
        """`down`: nobody was there meanwhile, what came due is judged at the end of it."""
        while not down:
            at = min((at for at, _, _ in self.things()), default=to)
            if at >= to:
                break
            self.act(at)
        self.act(to)

    def act(self, now: int) -> None:
        """All that is due by now."""
        self.now = now
        while True:
            ripe = [(at, order, n) for n, (at, order, _) in enumerate(self.things())
                    if at <= now and order < 3]
            if not ripe:
                break
            at, _, n = min(ripe)
            self.things()[n][2](at)
        if self.late_slots:
            slots, self.late_slots = self.late_slots, []
            self.decide(slots)
            self.met = self.met or bool(self.waiting)
            self.finish_if_done()
        for run in [run for run in self.runs if run.is_stale]:
            run.is_stale = False
            if run.number is not None:
                self.close(run, "lost", is_silent=False)
        for run in self.retries_due():
            self.try_again(run)
        self.settle()
        self.serve()
        self.finish_if_done()

    def things(self) -> list[tuple[int, int, Callable[[int], None]]]:
        """What the clock will bring: (when, order within the moment, what)."""
        made: list[tuple[int, int, Callable[[int], None]]] = []
        for run in self.runs:
            if run.retry_at is not None and not run.is_held:
                made.append((run.retry_at, 3, lambda at, run=run: self.try_again(run)))
        if not self.exists:
            return made
        keep = self.said.get("keep_finished", "24h")
        if self.finished_at is not None and not self.runs and keep != "forever":
            made.append((self.finished_at + duration(keep), 0, lambda at: self.vanish()))
        if self.until is not None:
            made.append((self.until, 0, lambda at: self.resume("now", max(at - 1, self.done_to))))
        if self.left_out and self.paused_at is None:
            made.append((self.left_out[0][0] + HOUR, 0, self.announce))
        due = self.next_due()
        if due is not None:
            made.append((due[0], 1, lambda at, due=due: self.slot(due)))
        return made

    def next_due(self) -> Slot | None:
        if not self.exists or self.paused_at is not None or self.finished_at is not None \
                or self.used_up():
            return None
        return self.next_slot(self.done_to)

    def next_slot(self, after: int) -> Slot | None:
        """The first one due after it; the last answer is kept, as it is asked for often."""
        if (after, self.since, id(self.said)) != self.looked:
            self.looked, self.found = (after, self.since, id(self.said)), self.look_for_slot(after)
        return self.found

    def look_for_slot(self, after: int) -> Slot | None:
        jitter = duration(self.said["jitter"]) if self.said.get("jitter") else 0
        nominal = self.schedule.next(max(after - jitter - 1, self.since))
        while nominal is not None and nominal < self.bound("end", FAR):
            due = nominal + self.delay(nominal, jitter)
            if due > after:
                return due, nominal
            nominal = self.schedule.next(nominal)
        return None

    def delay(self, nominal: int, jitter: int) -> int:
        if not jitter:
            return 0
        following = self.schedule.next(nominal)
        gap = jitter if following is None else min(jitter, following - nominal)
        return siphash(JITTER_KEY, f"{self.said['incarnation']}@{nominal}".encode()) % gap

    def slots(self, after: int, to: int) -> list[Slot]:
        found, slot = [], self.next_slot(after)
        while slot is not None and slot[0] <= to:
            found.append(slot)
            slot = self.next_slot(slot[0])
        return found

    def bound(self, which: str, otherwise: int) -> int:
        return instant(self.said[which]) if self.said.get(which) else otherwise

    def catchup(self, name: str, otherwise: Any) -> Any:
        return (self.said.get("catchup") or {}).get(name, otherwise)

    def used_up(self) -> bool:
        most = self.said.get("max_fires")
        return most is not None and self.counted >= most

    def overlap(self) -> str:
        return self.said.get("overlap", "allow")

    def in_way(self) -> bool:
        """A run beside which no other may be."""
        return self.overlap() != "allow" and bool(self.runs)

    def holds(self) -> bool:
        """No fire may go out for another reason."""
        return "lease" in self.said and (
            (self.unread and bool(self.runs)) or len(self.runs) >= OPEN_MAX)

    # ---- slots ----

    def is_late(self, due_at: int) -> bool:
        return due_at < self.now - duration(self.catchup("misfire_grace", f"{GRACE // 1000}s"))

    def slot(self, slot: Slot) -> None:
        """It comes due: pause and window have nothing to say; if it is in time the runs have."""
        due_at, due = slot
        self.done_to = due_at
        if self.late_slots or self.is_late(due_at):
            self.announce()
            self.close_tail()
            self.late_slots.append(slot)
        elif self.holds():
            self.announce()
            if self.overlap() == "cancel_other" and self.in_way():
                self.asks_later = True
            self.wait(slot)
        elif self.in_way():
            self.meet(slot)
        elif self.waiting:
            self.wait(slot)
        else:
            self.open_run(str(due), "schedule", due)
            self.finish_if_done()

    def close_tail(self) -> None:
        """What waits is fixed, and it alone keeps the job."""
        self.met = bool(self.waiting)
        self.fix_what_waits()

    def fix_what_waits(self) -> None:
        """No newer slot takes its place."""
        for one in self.waiting:
            one.live = False

    def wait(self, slot: Slot) -> None:
        self.met = True
        self.waiting.append(Waiting(slot, True))

    def meet(self, slot: Slot) -> None:
        """A run is in its way: what the policy has it do."""
        self.met = True
        policy = self.overlap()
        if policy == "cancel_other":
            self.ask_all()
            others = [one for one in self.waiting if one.live]
            for at, other in enumerate(others):
                self.waiting.remove(other)
                newer = others[at + 1].due_at if at + 1 < len(others) else slot[0]
                self.leave_out((newer, other.due), "overlap")
            self.wait(slot)
        elif policy == "skip" or (policy == "buffer_one" and self.waiting) or self.left_out:
            self.leave_out(slot, "buffer_full" if policy == "buffer_all" else "overlap")
        elif policy == "buffer_all" and len(self.waiting) >= self.said.get("overlap_limit", 100):
            self.leave_out(slot, "buffer_full")
        else:
            self.wait(slot)

    def leave_out(self, slot: Slot, reason: str) -> None:
        """In place of its due time stands when it was known not to fire."""
        if self.overlap() != "cancel_other":
            self.fix_what_waits()
        self.left_out.append(slot)
        self.left_reason = reason

    def announce(self, before: int = FAR) -> None:
        """Those that were left out before then."""
        told = [due for at, due in self.left_out if at < before]
        self.left_out = self.left_out[len(told):]
        if told:
            self.say("event", {"event": "skipped", "first": told[0], "last": told[-1],
                               "count": len(told), "reason": self.left_reason,
                               "run": self.runs[0]})

    def drop(self, slots: list[Waiting], reason: str) -> None:
        if slots:
            self.say("event", {"event": "skipped", "first": slots[0].due, "last": slots[-1].due,
                               "count": len(slots), "reason": reason})
        slots.clear()

    def drop_backfills(self, reason: str) -> None:
        for backfill in self.backfills:
            slots = backfill["slots"]
            if slots:
                self.say("event", {"event": "skipped", "first": slots[0], "last": slots[-1],
                                   "count": len(slots), "reason": reason,
                                   "backfill_id": backfill["id"]})
            else:
                self.say("spent", self.finished(backfill))
        self.backfills = []

    def missed(self, slots: list[int], reason: str) -> None:
        if slots:
            self.say("event", {"event": "missed", "first": slots[0], "last": slots[-1],
                               "count": len(slots), "reason": reason})

    def decide(self, slots: list[Slot]) -> None:
        """The catch-up policy decides; what it keeps waits, and is never left out."""
        policy = self.catchup("policy", "latest")
        reason = {"none": "policy_none", "latest": "window", "all": "window"}[policy]
        if not slots or not self.is_late(slots[0][0]):
            kept = slots
        elif policy == "none":
            kept = [slot for slot in slots if not self.is_late(slot[0])]
        else:
            kept = [slot for slot in slots if not self.is_too_old(slot)]
            if policy == "latest" and kept:
                kept, reason = kept[-1:], "superseded"
            limit = self.catchup("limit", 1000)
            if policy == "all" and len(kept) > limit:
                kept, reason = kept[-limit:], "limit"
        left = slots[:len(slots) - len(kept)]
        self.missed([due for _, due in left], reason)
        plan = None
        if kept and policy != "latest":
            plan = [len(kept), len(kept)]
            self.say("event", {"event": "catchup_started", "count": len(kept)})
        for slot in kept:
            self.waiting.append(Waiting(slot, False, plan,
                                        len(left) if policy == "latest" and slot is kept[0] else 0))

    def is_too_old(self, slot: Slot) -> bool:
        return self.is_late(slot[0]) and \
            slot[1] < self.now - duration(self.catchup("window", "24h"))

    def paid(self, one: Waiting) -> None:
        if one.plan is not None:
            one.plan[1] -= 1
            if one.plan[1] == 0:
                self.say("event", {"event": "catchup_finished", "count": one.plan[0]})

    def end_plans(self, slots: list[Waiting]) -> None:
        for one in slots:
            self.paid(one)

    def serve(self) -> None:
        """What waits goes when nothing is in its way: slots in their order, then backfills."""
        while self.exists and self.paused_at is None and not self.in_way() and not self.holds():
            old: list[int] = []
            while self.overlap() != "allow" and self.waiting and self.is_too_old(
                    (self.waiting[0].due_at, self.waiting[0].due)):
                old.append(self.waiting[0].due)
                self.paid(self.waiting.pop(0))
            self.missed(old, "window")
            if self.waiting:
                first = self.waiting.pop(0)
                self.open_run(str(first.due), "catchup", first.due, first.missed)
                self.paid(first)
                self.met = bool(self.waiting)
                continue
            self.met = False
            self.finish_if_done()
            if not self.backfills:
                return
            self.serve_backfill(self.backfills[0])

    def serve_backfill(self, backfill: Json) -> None:
        if backfill["slots"]:
            due = backfill["slots"].pop(0)
            backfill["fired"] += 1
            self.open_run(f"b:{backfill['id']}:{due}", "backfill", due)
        else:
            self.say("event", self.finished(backfill))
            self.backfills.remove(backfill)

    @staticmethod
    def finished(backfill: Json) -> Json:
        return {"event": "backfill_finished", "backfill_id": backfill["id"],
                "count": backfill["fired"]}

    def finish_if_done(self, at: int | None = None) -> None:
        """Where a slot has met a run, when the run has ended."""
        if not self.exists or self.paused_at is not None or self.finished_at is not None \
                or self.waiting or self.late_slots or self.next_due() is not None:
            return
        if self.met and (self.in_way() or self.holds()):
            return
        self.finished_at = self.now if at is None else at
        self.say("event", {"event": "exhausted"})
        if self.said.get("keep_finished") == "0s" and not self.runs:
            self.vanish()

    def vanish(self) -> None:
        self.drop_backfills("finished")
        self.exists = False

    # ---- runs ----

    def open_run(self, name: str, kind: str, due: int, missed: int = 0,
                 is_again: bool = False) -> None:
        if "lease" in self.said:
            run = Run(self.said["incarnation"], name, kind, due, self.now)
            self.runs.append(run)
            self.fire_try(run, missed)
        else:
            self.say("fire", {"id": f"{self.said['incarnation']}@{name}", "kind": kind})
        if kind in ("schedule", "catchup") and not is_again \
                and self.said.get("max_fires") is not None:
            self.counted += 1
            if self.used_up():
                self.end_plans(self.waiting)
                self.waiting.clear()  # no slots of the job any more: `exhausted` says so

    def settle(self) -> None:
        """The step is over: what its ended runs were in the way of goes on."""
        while self.over:
            run = self.over.pop(0)
            if self.exists and not run.orphan:
                self.count_failure(run)
            if self.runs[0] is run:
                self.announce()
                self.met = bool(self.waiting)
            self.runs.remove(run)
            if self.runs or not self.exists:
                self.finish_if_done()
            elif self.finished_at is not None:
                self.finished_at = self.now  # it is kept from here on
            elif self.overlap() != "allow":
                self.serve()
                self.finish_if_done()

    def count_failure(self, run: Run) -> None:
        most = self.said.get("pause_after_failures")
        if not most:
            return
        self.failures = 0 if run.ended == "success" else self.failures + self.has_failed(run)
        if self.has_failed(run) and self.failures >= most and self.paused_at is None \
                and self.finished_at is None:
            self.pause()
            self.say("event", {"event": "auto_paused", "count": self.failures, "run": run,
                               "detail": run.ended})
            self.failures = 0
