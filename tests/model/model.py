"""What a shard is to do, in as few words as possible: the reference the daemon is compared with.

Times are milliseconds since 1970. It knows one shard, schedules of a few kinds, and what a command
does to jobs; it shares no code and no idea of how to do it fast with the daemon.
"""

from __future__ import annotations

import datetime
import functools
from typing import Any, Callable

DAY = 86_400_000
GRACE = 30_000
DIFF_FIRES_MAX = 10_000
BACKFILLS_MAX = 8
Json = dict[str, Any]


def text(at_ms: int) -> str:
    whole = datetime.datetime.fromtimestamp(at_ms // 1000, datetime.timezone.utc)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


@functools.lru_cache(4096)
def instant(words: str) -> int:
    whole = datetime.datetime.fromisoformat(words)
    return round(whole.timestamp() * 1000)


@functools.lru_cache(4096)
def duration(words: str) -> int:
    return int(words[:-1]) * {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY}[words[-1]]


class Schedule:
    """One of every, at and cron; of cron only lists or steps of minutes."""

    def __init__(self, said: Json, effective_ms: int):
        self.said = said
        self.every = duration(said["every"]) if "every" in said else 0
        self.at = instant(said["at"]) if "at" in said else None
        self.anchor_given = "anchor" in said
        self.anchor = effective_ms
        if self.anchor_given:
            self.anchor = 0 if said["anchor"] == "epoch" else instant(said["anchor"])
        minutes = said.get("cron", "0 * * * *").split()[0]
        if minutes.startswith("*/"):
            self.minutes = set(range(0, 60, int(minutes[2:])))
        else:
            self.minutes = set(map(int, minutes.split(",")))

    def key(self) -> tuple[Any, ...]:
        """Equal for schedules that mean the same."""
        if self.every:
            return ("every", self.every, self.anchor)
        return ("at", self.at) if self.at is not None else ("cron", frozenset(self.minutes))

    def next(self, after: int) -> int | None:
        if self.every:
            return self.anchor + max((after - self.anchor) // self.every + 1, 1) * self.every
        if self.at is not None:
            return self.at if self.at > after else None
        minute = after // 60_000 + 1
        while minute % 60 not in self.minutes:
            minute += 1
        return minute * 60_000

    def within(self, after: int, to: int, most: int = 1 << 30) -> list[int]:
        found, due = [], self.next(after)
        while due is not None and due <= to and len(found) < most:
            found.append(due)
            due = self.next(due)
        return found


DEFAULTS: Json = {"super_group": None, "start": None, "end": None, "max_fires": None,
                  "payload": None, "catchup": None, "keep_finished": None, "labels": None,
                  "traceparent": None}


class Job:
    def __init__(self, said: Json, schedule: Schedule, effective: int):
        self.group, self.id = said["group"], said["id"]
        self.fields = {name: said.get(name, DEFAULTS[name]) for name in DEFAULTS}
        self.schedule = schedule
        self.revision = 1
        self.created = self.updated = self.added = effective
        self.incarnation = ""
        self.imported: str | None = None  # where the add stood that brought the incarnation
        self.ordinal = 0
        self.paused_at: int | None = None
        self.until: int | None = None
        self.edited: int | None = None
        self.earlier: int | None = None
        self.finished_at: int | None = None
        self.counted = 0
        self.done_to = effective        # its slots up to here have been dealt with
        self.owed: list[int] = []       # slots the catch-up lane is to fire
        self.planned = 0
        self.backfills: dict[str, Json] = {}
        self.had: set[str] = set()      # ids of all its backfills

    @property
    def name(self) -> str:
        return f"{self.group}/{self.id}"

    def bound(self, which: str, otherwise: int) -> int:
        return instant(self.fields[which]) if self.fields[which] else otherwise

    def next(self, after: int) -> int | None:
        start, end = self.bound("start", 0), self.bound("end", 1 << 62)
        due = self.schedule.next(max(after, start - 1))
        return due if due is not None and due < end else None

    def within(self, after: int, to: int, most: int = 1 << 30) -> list[int]:
        start, end = self.bound("start", 0), self.bound("end", 1 << 62)
        return self.schedule.within(max(after, start - 1), min(to, end - 1), most)

    def used_up(self) -> bool:
        return self.fields["max_fires"] is not None and self.counted >= self.fields["max_fires"]

    def has_more(self, after: int) -> bool:
        return not self.used_up() and self.next(after) is not None

    def catchup(self, name: str, otherwise: Any) -> Any:
        return (self.fields["catchup"] or {}).get(name, otherwise)

    def same(self, fields: Json, schedule: Schedule) -> bool:
        def plain(value: Json) -> Json:
            made = dict(value)
            catchup = {"policy": "latest", "window": "24h", "limit": 1000,
                       **(value["catchup"] or {})}
            return {**made, "catchup": catchup, "labels": value["labels"] or None,
                    "keep_finished": value["keep_finished"] or "24h"}
        return (plain(fields) == plain(self.fields) and schedule.key() == self.schedule.key()
                and schedule.said.get("cron") == self.schedule.said.get("cron"))


class Refusal(Exception):
    """The command as a whole is not done."""

    def __init__(self, outcome: str, code: str, field: str = ""):
        super().__init__(code)
        self.outcome, self.code, self.field = outcome, code, field


class Shard:
    """Jobs; `say` gets ("fire", (id, kind)), ("event", {...}), ("result", {...})."""

    def __init__(self, start: int, say: Callable[[str, Any], None]):
        self.jobs: dict[str, Job] = {}
        self.watermark = start
        self.ordinal = 1
        self.offset = 0
        self.seen: dict[str, tuple[str, str]] = {}
        self.say = say

    def in_order(self) -> list[Job]:
        return sorted(self.jobs.values(), key=lambda job: job.ordinal)

    # ---- what is said ----

    def event(self, kind: str, job: Job, at: int | None, **more: Any) -> None:
        names = {"event": kind, "group": job.group, "id": job.id, "incarnation": job.incarnation}
        if at is not None:
            names["at"] = text(at)
        for name, value in more.items():
            names[name.rstrip("_")] = text(value) if name in ("first", "last", "from_", "to") \
                else value
        self.say("event", names)

    def fire(self, job: Job, due: int, kind: str) -> None:
        self.say("fire", (f"{job.incarnation}@{due}", kind))

    # ---- time ----

    def advance(self, to: int, now: int) -> None:
        """Slots and ends of pauses and keeping, in order of time and of ordinal."""
        while True:
            todo = [entry for job in self.jobs.values() for entry in [self._next_thing(job)]
                    if entry is not None and entry[0] <= to]
            if not todo:
                break
            at, _, _, job = min(todo, key=lambda entry: entry[:3])
            self._happen(job, at, now)
        self.watermark = max(self.watermark, to)

    def _next_thing(self, job: Job) -> tuple[int, int, int, Job] | None:
        if job.finished_at is not None:
            keep = job.fields["keep_finished"] or "24h"
            return None if keep == "forever" else (job.finished_at + duration(keep), 0,
                                                   job.ordinal, job)
        if job.paused_at is not None:
            return None if job.until is None else (job.until, 0, job.ordinal, job)
        due = job.next(job.done_to)
        return None if due is None else (due, 1, job.ordinal, job)

    def _happen(self, job: Job, at: int, now: int) -> None:
        if job.finished_at is not None:
            self._drop_backfills(job, at, "finished")
            del self.jobs[job.name]
        elif job.paused_at is not None:
            end = max(at - 1, self.watermark)
            self._resume(job, end, end, now)
        else:
            job.done_to = at
            self.fire(job, at, "schedule")
            if job.fields["max_fires"] is not None:
                job.counted += 1
            if not job.has_more(at):
                self._finish(job, now)

    def _fire_backfill(self, job: Job, name: str, due: int) -> None:
        place = f"b:{name}" if job.imported is None else f"i:{job.imported}:{name}"
        self.say("fire", (f"{job.incarnation}@{place}:{due}", "backfill"))

    def lane(self, now: int) -> None:
        """Everything owed goes out. When exactly is not modelled: `at` is left out."""
        for job in self.in_order():
            if job.paused_at is None and job.owed:
                self._work_off(job, now)
        for job in self.in_order():
            if job.paused_at is None:
                for name, backfill in list(job.backfills.items()):
                    for due in backfill["slots"]:
                        self._fire_backfill(job, name, due)
                    self.event("backfill_finished", job, None, backfill_id=name,
                               count=len(backfill["slots"]))
                    del job.backfills[name]

    def _work_off(self, job: Job, now: int) -> None:
        while job.owed and not job.used_up():
            self.fire(job, job.owed.pop(0), "catchup")
            if job.fields["max_fires"] is not None:
                job.counted += 1
        job.owed.clear()
        if job.planned:
            self.event("catchup_finished", job, None, count=job.planned)
            job.planned = 0
        if not job.has_more(self.watermark):
            self._finish(job, now, said=False)

    def _finish(self, job: Job, at: int, said: bool = True) -> None:
        self.event("exhausted", job, at if said else None)
        if job.fields["keep_finished"] == "0s":
            self._drop_backfills(job, at if said else None, "finished")
            del self.jobs[job.name]
        else:
            job.finished_at = at

    def _drop_backfills(self, job: Job, at: int | None, reason: str) -> None:
        for name in list(job.backfills):
            self._drop_backfill(job, name, at, reason)

    def _drop_backfill(self, job: Job, name: str, at: int | None, reason: str) -> None:
        slots = job.backfills.pop(name)["slots"]
        self.event("skipped", job, at, first=slots[0], last=slots[-1], count=len(slots),
                   reason=reason, backfill_id=name)

    # ---- what a change of a job brings ----

    def _open(self, job: Job, after: int, to: int, now: int) -> None:
        """The catch-up policy decides about the slots in (after, to]."""
        if job.used_up():
            return
        slots = job.within(after, to)
        policy = job.catchup("policy", "latest")
        window = duration(job.catchup("window", "24h"))
        reason = {"none": "policy_none", "latest": "window", "all": "window"}[policy]
        if slots and slots[0] >= now - GRACE:
            kept = slots
        elif policy == "none":
            kept = [due for due in slots if due >= now - GRACE]
        else:
            kept = [due for due in slots if due >= now - max(window, GRACE)]
            if policy == "latest" and kept:
                kept, reason = kept[-1:], "superseded"
            limit = job.catchup("limit", 1000)
            if policy == "all" and len(kept) > limit:
                kept, reason = kept[-limit:], "limit"
        dropped = slots[:len(slots) - len(kept)]
        if dropped:
            self.event("missed", job, now, first=dropped[0], last=dropped[-1],
                       count=len(dropped), reason=reason)
        job.owed = kept
        if kept and policy != "latest":
            self.event("catchup_started", job, now, count=len(kept))
            job.planned = len(kept)

    def _already_due(self, job: Job, effective: int) -> None:
        at = job.schedule.at
        self.event("skipped", job, effective, first=at, last=at, count=1, reason="already_due")

    def _begin_imported(self, job: Job, effective: int) -> None:
        """It goes on with another life: what came due by now may have been fired in that."""
        past = job.schedule.at is not None and job.schedule.at <= effective
        if past:
            self._already_due(job, effective)
        if past and job.paused_at is None:
            job.done_to = effective
            self._finish(job, effective)
        elif not past:
            self._begin(job, False, effective)

    def _begin(self, job: Job, done_before: bool, effective: int) -> None:
        if job.paused_at is not None:
            return
        job.done_to = effective
        at = job.schedule.at
        if at is not None and at <= effective:
            if done_before:
                self._already_due(job, effective)
            else:
                self._open(job, at - 1, at, effective)
        if not job.owed and not job.has_more(effective):
            self._finish(job, effective)

    def _update(self, job: Job, fields: Json, schedule: Schedule, effective: int) -> None:
        rescheduled = schedule.key() != job.schedule.key()
        revived = job.finished_at is not None
        old = job.schedule
        job.fields = fields
        job.revision += 1
        job.updated = effective
        job.schedule = schedule
        job.done_to = effective
        if rescheduled:
            since = max(job.added, job.edited or 0)
            past = old.within(since, effective) if old.at is None else \
                [old.at] if old.at <= effective else []
            earlier = job.earlier if job.earlier is not None else -1
            done_before = schedule.at is not None and (
                schedule.at <= earlier or (job.imported is not None and schedule.at <= job.added)
                or (schedule.at in past if old.at is not None else
                                           bool(past) and schedule.at <= past[-1]
                                           and schedule.at in old.within(schedule.at - 1,
                                                                         schedule.at)))
            if past and past[-1] > earlier:
                job.earlier = past[-1]
            job.edited = effective
            job.finished_at = None
            self._begin(job, done_before, effective)
        elif revived:
            if job.has_more(effective):
                job.finished_at = None
                self._begin(job, False, effective)
        elif job.paused_at is None and not job.has_more(effective):
            self._finish(job, effective)

    def _resume(self, job: Job, effective: int, start: int, now: int) -> None:
        assert job.paused_at is not None
        paused_at = job.paused_at
        self.event("resumed", job, effective, from_=paused_at, to=max(start, paused_at))
        at = job.schedule.at
        in_pause = at is not None and (at > paused_at or (job.edited or 0) >= paused_at)
        job.paused_at = job.until = None
        job.revision += 1
        job.updated = effective
        job.done_to = effective
        if at is not None and in_pause and at <= effective and start >= at:
            earlier = job.earlier if job.earlier is not None else -1
            self.event("skipped", job, effective, first=at, last=at, count=1,
                       reason="paused" if at > earlier else "already_due")
        elif start < effective:
            self._open(job, start, effective, now)
        if not job.owed and not job.has_more(effective):
            self._finish(job, effective)
