"""The jobs as the commands make them, folded by a second method; the oracle's model.

Shares no code with Belfry: cron by stepping through all minutes and seconds, `every` by
arithmetic, the life of a job as a list of spans. Knows UTC and contract version 1 only.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
from typing import Any, Iterable

from topics import shard_of

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MILLISECOND = datetime.timedelta(milliseconds=1)
FOREVER = 1 << 62

# --- times and schedules ----------------------------------------------------------------------


def instant_ms(text: str) -> int:
    """RFC 3339 with an offset, as milliseconds since 1970."""
    return (datetime.datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND


def instant_text(ms: int) -> str:
    """Milliseconds since 1970 as Belfry writes them."""
    moment = _EPOCH + datetime.timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def duration_ms(text: str) -> int:
    """`1h30m`, `500ms`, `PT90S`, `P2D` as milliseconds."""
    units = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": 1}
    plain = text.lower().removeprefix("p").replace("t", "")
    parts = re.findall(r"([0-9.]+)(ms|[dhms])", plain)
    assert parts and "".join(number + unit for number, unit in parts) == plain, text
    return round(sum(float(number) * units[unit] for number, unit in parts))


_NAMES = {name: number for names in ("SUN MON TUE WED THU FRI SAT".split(),
                                     " JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" "))
          for number, name in enumerate(names) if name}
_NICKNAMES = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
              "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
              "@hourly": "0 * * * *"}


def _value(text: str) -> int:
    return _NAMES[text.upper()] if text.upper() in _NAMES else int(text)


def _field(text: str, low: int, high: int) -> frozenset[int]:
    """The values a cron field allows."""
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", "?"):
            begin, end = low, high
        else:
            begin = _value(first)
            end = _value(last) if last else high if step else begin
        values.update(range(begin, end + 1, int(step or 1)))
    return frozenset(values)


class Cron:
    """Standard cron in UTC: 5 fields, or 6 with seconds first."""

    def __init__(self, text: str):
        words = _NICKNAMES.get(text, text).split()
        self.seconds = sorted(_field(words.pop(0), 0, 59)) if len(words) == 6 else [0]
        minute, hour, day, month, weekday = words
        self.minutes = _field(minute, 0, 59)
        self.hours = _field(hour, 0, 23)
        self.days = _field(day, 1, 31)
        self.months = _field(month, 1, 12)
        self.weekdays = frozenset(value % 7 for value in _field(weekday, 0, 7))
        self.either = day not in "*?" and weekday not in "*?"

    def allows(self, minute_ms: int) -> bool:
        """Whether slots lie in the minute that begins at `minute_ms`."""
        moment = _EPOCH + datetime.timedelta(milliseconds=minute_ms)
        day = moment.day in self.days
        weekday = moment.isoweekday() % 7 in self.weekdays
        return (moment.minute in self.minutes and moment.hour in self.hours
                and moment.month in self.months
                and (day or weekday if self.either else day and weekday))

    def slots(self, from_ms: int, to_ms: int) -> list[int]:
        """All slots after `from_ms` up to `to_ms`."""
        found = []
        for minute_ms in range(from_ms // MINUTE * MINUTE, to_ms + 1, MINUTE):
            if self.allows(minute_ms):
                found += [minute_ms + second * SECOND for second in self.seconds
                          if from_ms < minute_ms + second * SECOND <= to_ms]
        return found


@functools.lru_cache(maxsize=4096)
def _cron_slots(text: str, from_ms: int, to_ms: int) -> tuple[int, ...]:
    return tuple(Cron(text).slots(from_ms, to_ms))


@dataclasses.dataclass(frozen=True)
class Schedule:
    """One of cron text, interval with its anchor, or a single instant."""

    cron: str | None = None
    every_ms: int = 0
    anchor_ms: int = 0
    anchor_given: bool = False
    at_ms: int | None = None

    @staticmethod
    def of(spec: dict[str, Any], effective_ms: int) -> "Schedule":
        """From a command's `schedule` that acts at `effective_ms`."""
        if spec.get("cron"):
            return Schedule(cron=spec["cron"])
        if spec.get("at"):
            return Schedule(at_ms=instant_ms(spec["at"]))
        anchor = spec.get("anchor")
        anchor_ms = (effective_ms if anchor is None else
                     0 if anchor == "epoch" else instant_ms(anchor))
        return Schedule(every_ms=duration_ms(spec["every"]), anchor_ms=anchor_ms,
                        anchor_given=anchor is not None)

    def after(self, old: "Schedule") -> "Schedule":
        """This schedule as it follows `old`: the phase of an unchanged `every` stays."""
        if self.every_ms and self.every_ms == old.every_ms and not self.anchor_given:
            return old
        return self

    def slots(self, from_ms: int, to_ms: int) -> list[int]:
        """All slots after `from_ms` up to `to_ms`."""
        if from_ms >= to_ms:
            return []
        if self.cron is not None:
            return list(_cron_slots(self.cron, from_ms, to_ms))
        if self.at_ms is not None:
            return [self.at_ms] if from_ms < self.at_ms <= to_ms else []
        first = max(1, (from_ms - self.anchor_ms) // self.every_ms + 1)
        return list(range(self.anchor_ms + first * self.every_ms, to_ms + 1, self.every_ms))


# --- the fold of the commands -----------------------------------------------------------------


@dataclasses.dataclass
class Span:
    """A time in which a job ran under one definition: slots in (from_ms, to_ms] are due."""

    from_ms: int
    to_ms: int
    schedule: Schedule
    start_ms: int
    end_ms: int

    def slots(self, until_ms: int) -> list[int]:
        last = min(self.to_ms, until_ms, self.end_ms - 1)
        return self.schedule.slots(max(self.from_ms, self.start_ms - 1), last)


class Job:
    """One life of a job, from its add to its delete."""

    DEFAULTS: dict[str, Any] = {"super_group": None, "labels": None, "payload": None,
                                "start": None, "end": None, "max_fires": None, "topic": None,
                                "key": None, "catchup": None, "headers": None}

    def __init__(self, definition: dict[str, Any], incarnation: str, effective_ms: int):
        self.group, self.id = definition["group"], definition["id"]
        self.incarnation = incarnation
        self.definition = {**self.DEFAULTS, **definition}
        self.schedule = Schedule.of(definition["schedule"], effective_ms)
        self.revision = 1
        self.paused = bool(definition.get("paused"))
        self.paused_ms = effective_ms
        self.until_ms = FOREVER
        self.edited_ms = -FOREVER
        self.resumed: list[tuple[int, int]] = []
        self.payloads = {1: self.definition["payload"]}
        self.catchups = [self.definition["catchup"] or {}]
        self.ended = self.ends
        self.spans: list[Span] = []
        if not self.paused:
            self._open(effective_ms, past_at=True)

    @property
    def name(self) -> str:
        return f"{self.group}/{self.id}"

    @property
    def ends(self) -> bool:
        """Whether it may be finished at some time: since when is not followed here."""
        return self.schedule.at_ms is not None or bool(
            self.definition["max_fires"] or self.definition["end"])

    def _open(self, from_ms: int, past_at: bool = False) -> None:
        at_ms = self.schedule.at_ms
        if past_at and at_ms is not None and at_ms <= from_ms:
            from_ms = at_ms - 1  # an `at` in the past is due at once
        start, end = self.definition["start"], self.definition["end"]
        self.spans.append(Span(from_ms, FOREVER, self.schedule,
                               instant_ms(start) if start else -FOREVER,
                               instant_ms(end) if end else FOREVER))

    def _close(self, to_ms: int) -> None:
        if self.spans and self.spans[-1].to_ms == FOREVER:
            self.spans[-1].to_ms = to_ms

    def delete(self, effective_ms: int) -> None:
        self._close(effective_ms)

    def redefine(self, changed: dict[str, Any], effective_ms: int, replace: bool) -> bool:
        """An update (`replace`: a put). Returns whether anything is different."""
        definition = {**(self.DEFAULTS if replace else self.definition), **changed,
                      "group": self.group, "id": self.id}
        if not replace and isinstance(changed.get("catchup"), dict):
            definition["catchup"] = {**(self.definition["catchup"] or {}), **changed["catchup"]}
        definition.pop("paused", None)
        schedule = self.schedule
        if "schedule" in changed:
            schedule = Schedule.of(changed["schedule"], effective_ms).after(self.schedule)
        mine = {k: v for k, v in self.definition.items() if k not in ("paused", "schedule")}
        theirs = {k: v for k, v in definition.items() if k != "schedule"}
        if mine == theirs and schedule == self.schedule:
            return False
        rescheduled = schedule != self.schedule
        self.definition, self.schedule = definition, schedule
        self.revision += 1
        self.payloads[self.revision] = definition["payload"]
        self.catchups.append(definition["catchup"] or {})
        self.ended = self.ended or self.ends
        if rescheduled:
            self.edited_ms = effective_ms
        if not self.paused:
            self._close(effective_ms)
            self._open(effective_ms, past_at=rescheduled)
        return True

    def pause(self, effective_ms: int, until_ms: int) -> bool:
        if self.paused and self.until_ms == until_ms:
            return False
        if not self.paused:
            self._close(effective_ms)
            self.paused_ms = effective_ms
        self.paused, self.until_ms = True, until_ms
        self._revise()
        return True

    def resume(self, from_ms: int, effective_ms: int) -> bool:
        if not self.paused:
            return False
        self.resumed.append((self.paused_ms, max(from_ms, self.paused_ms)))
        self.paused, self.until_ms = False, FOREVER
        self._open(from_ms)
        self._revise()
        return True

    def _revise(self) -> None:
        self.revision += 1
        self.payloads[self.revision] = self.definition["payload"]

    def due(self, until_ms: int) -> list[int]:
        """All slots up to `until_ms`; of a job that may fire only so often, the first ones."""
        slots = sorted({slot for span in self.spans for slot in span.slots(until_ms)})
        return slots[:self.definition["max_fires"] or len(slots)]


class Fold:
    """The jobs, as the applied commands make them."""

    def __init__(self, shards: int):
        self.shards = shards
        self.live: dict[str, Job] = {}
        self.lives: dict[str, Job] = {}  # by incarnation, deleted ones too
        self.triggered: dict[str, str] = {}  # fire id -> group/id
        self.seen: set[tuple[int, str]] = set()
        self.violations: list[str] = []

    def wrong(self, text: str) -> None:
        self.violations.append(text)

    def apply(self, command: dict[str, Any], result: dict[str, Any]) -> None:
        """One result of one shard, with the command it answers."""
        shard, effective_ms = result["shard"], instant_ms(result["effective_at"])
        self._end_pauses(shard, effective_ms)
        if not self._is_first(command, result):
            return
        if result["outcome"] not in ("applied", "partial", "unchanged") or result.get("dry_run"):
            return
        changed = getattr(self, f"_{command['op']}")(command, result, shard, effective_ms)
        self._compare_count(command, result, changed)

    def _is_first(self, command: dict[str, Any], result: dict[str, Any]) -> bool:
        """False: the same id acted on this shard before. Says so if Belfry thinks otherwise."""
        if not command.get("command_id"):
            return True
        key = (result["shard"], command["command_id"])
        first = key not in self.seen
        if first == (result["outcome"] == "duplicate"):
            self.wrong(f"command {key[1]} on shard {key[0]}: outcome {result['outcome']}, "
                       f"it is {'the first' if first else 'not the first'} of its id")
        if not command.get("dry_run"):
            self.seen.add(key)
        return first

    def _compare_count(self, command: dict[str, Any], result: dict[str, Any],
                       jobs: list[Job]) -> None:
        open_ended = [job for job in jobs if not job.ended]
        if not len(open_ended) <= result["changed"] <= len(jobs):
            self.wrong(f"{command['op']} {result['command_id']} on shard {result['shard']} "
                       f"changed {result['changed']} jobs, not {len(jobs)}")

    def _end_pauses(self, shard: int, effective_ms: int) -> None:
        """A slot at `until` fires: the pause ends just before it."""
        for job in self.live.values():
            if job.until_ms <= effective_ms and shard_of(job.group, self.shards) == shard:
                job.resume(job.until_ms - 1, job.until_ms - 1)

    def end_pauses(self, until_ms: int) -> None:
        for shard in range(self.shards):
            self._end_pauses(shard, until_ms)

    def _of_shard(self, command: dict[str, Any], shard: int) -> Iterable[tuple[int, Any]]:
        jobs = command.get("jobs") or [command["job"]]
        return [(index, job) for index, job in enumerate(jobs)
                if shard_of(job["group"], self.shards) == shard]

    def _new(self, definition: dict[str, Any], index: int, result: dict[str, Any]) -> Job:
        source = result["source"]
        effective_ms = instant_ms(result["effective_at"])
        job = Job(definition, f"{effective_ms}-{source['partition']}.{source['offset']}.{index}",
                  effective_ms)
        self.live[job.name] = self.lives[job.incarnation] = job
        return job

    def _add(self, command: dict[str, Any], result: dict[str, Any], shard: int,
             _effective_ms: int) -> list[Job]:
        added = []
        for index, definition in self._of_shard(command, shard):
            name = f"{definition['group']}/{definition['id']}"
            if name not in self.live:
                added.append(self._new(definition, index, result))
            elif result["outcome"] != "partial":
                self.wrong(f"{name} was added although it exists: {result}")
        return added

    def _put(self, command: dict[str, Any], result: dict[str, Any], shard: int,
             effective_ms: int) -> list[Job]:
        changed = []
        for index, definition in self._of_shard(command, shard):
            job = self.live.get(f"{definition['group']}/{definition['id']}")
            if job is None:
                changed.append(self._new(definition, index, result))
            elif job.redefine(definition, effective_ms, replace=True):
                changed.append(job)
        return changed

    def _matching(self, command: dict[str, Any], shard: int) -> list[Job]:
        select = command["select"]
        labels = select.get("labels") or {}

        def matches(job: Job) -> bool:
            own = job.definition["labels"] or {}
            return (shard_of(job.group, self.shards) == shard
                    and job.id in select.get("ids", [job.id])
                    and job.group in select.get("groups", [job.group])
                    and ("super_groups" not in select
                         or job.definition["super_group"] in select["super_groups"])
                    and all(own.get(name) == value for name, value in labels.items())
                    and select.get("paused", job.paused) == job.paused)

        return [job for job in self.live.values() if matches(job)]

    def _update(self, command: dict[str, Any], _result: dict[str, Any], shard: int,
                effective_ms: int) -> list[Job]:
        return [job for job in self._matching(command, shard)
                if job.redefine(command["set"], effective_ms, replace=False)]

    def _pause(self, command: dict[str, Any], _result: dict[str, Any], shard: int,
               effective_ms: int) -> list[Job]:
        until_ms = instant_ms(command["until"]) if command.get("until") else FOREVER
        return [job for job in self._matching(command, shard) if job.pause(effective_ms, until_ms)]

    def _resume(self, command: dict[str, Any], _result: dict[str, Any], shard: int,
                effective_ms: int) -> list[Job]:
        def begin_ms(job: Job) -> int:
            wanted = command.get("from") or "now"
            if wanted == "now":
                return effective_ms
            asked_ms = job.paused_ms if wanted == "paused_at" else instant_ms(wanted)
            return max(asked_ms, job.paused_ms, job.edited_ms)

        return [job for job in self._matching(command, shard)
                if job.resume(begin_ms(job), effective_ms)]

    def _delete(self, command: dict[str, Any], _result: dict[str, Any], shard: int,
                effective_ms: int) -> list[Job]:
        gone = self._matching(command, shard)
        for job in gone:
            job.delete(effective_ms)
            del self.live[job.name]
        return gone

    def _trigger(self, command: dict[str, Any], result: dict[str, Any], shard: int,
                 _effective_ms: int) -> list[Job]:
        jobs = self._matching(command, shard)
        for job in jobs:
            self.triggered[f"{job.incarnation}@t:{result['command_id']}"] = job.name
        return jobs

    def _ping(self, *_: Any) -> list[Job]:
        return []
