"""What Belfry should have done, by a second method that shares no code with it.

    history = History(kafka.bootstrap, cluster, shards)
    history.read()
    Oracle(history).check(until_ms=..., stored=stored_jobs(redis, cluster, shards))

The oracle reads what a foreign client can read: the commands in the control topic, the results,
the fires and the events. From the commands, and from the instant at which each one acted
(`effective_at` of its result), it folds the jobs and computes the slots of every job by brute
force: cron by stepping through all minutes and seconds, `every` by arithmetic. Then

  - each slot was fired once, or is named by a `missed` or `skipped` event, or lies in a pause
    that a `resumed` event names; nothing else was fired, no fire id came twice, none early;
  - fires of a job came in strict order of nominal time, live fires of a key in due order;
  - each command has one result of each shard it concerns, and a command id acted once;
  - commands on their right shard acted at their log time;
  - the jobs in Redis are what the commands say.

Only UTC and the schedules of contract version 1 are known here.
"""

from __future__ import annotations

import bisect
import collections
import json
import pickle
from pathlib import Path
from typing import Any

import redis as redis_client

from oracle_fold import Fold, Job, Schedule, duration_ms, instant_ms, instant_text
from topics import Record, TopicReader, shard_of

# --- what was written -------------------------------------------------------------------------


def _decode(record: Record) -> Any:
    """A command out of its envelope, if it has one; None: unreadable."""
    try:
        command = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        return None
    command_id = None
    if (record.header("content-type") or "").startswith("application/cloudevents+json"):
        command_id, command = command.get("id"), command.get("data")
    elif record.header("ce_specversion"):
        command_id = record.header("ce_id")
    return {"command_id": command_id, **command} if isinstance(command, dict) else None


class History:
    """What went over the topics of a cluster, read as a foreign read_committed client."""

    TOPICS = ("control", "results", "fires", "events", "dead")

    def __init__(self, bootstrap: str, cluster: str, shards: int):
        self.cluster = cluster
        self.shards = shards
        self._readers = {name: TopicReader(bootstrap, f"{cluster}.{name}") for name in self.TOPICS}
        self._decoded: dict[str, list[Any]] = {name: [] for name in self.TOPICS}

    def __enter__(self) -> "History":
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers.values():
            reader.close()

    def save(self, path: Path) -> Path:
        """Keeps everything read, for looking at a failure later: a pickle of lists of records."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps({name: self.records(name) for name in self.TOPICS}))
        return path

    def read(self, deadline_s: float = 60.0) -> "History":
        """Reads all topics to their present ends."""
        for reader in self._readers.values():
            reader.read_to_end(deadline_s)
        return self

    def records(self, topic: str) -> list[Record]:
        return self._readers[topic].records

    def _values(self, topic: str) -> list[Any]:
        """The decoded values, in the order of each partition; decoded once."""
        done = self._decoded[topic]
        done += [record.json for record in self.records(topic)[len(done):]]
        return done

    @property
    def commands(self) -> dict[tuple[int, int], tuple[Record, dict[str, Any]]]:
        """The readable commands by place in the control topic."""
        found = {}
        for record in self.records("control"):
            command = _decode(record)
            if isinstance(command, dict):
                found[record.partition, record.offset] = (record, command)
        return found

    @property
    def results(self) -> list[tuple[Record, dict[str, Any]]]:
        """Each shard writes one partition: in there they stand in the order of application."""
        return list(zip(self.records("results"), self._values("results")))

    @property
    def fires(self) -> list[tuple[Record, dict[str, Any]]]:
        return list(zip(self.records("fires"), self._values("fires")))

    @property
    def events(self) -> list[dict[str, Any]]:
        return self._values("events")


def stored_jobs(redis: redis_client.Redis, cluster: str, shards: int) -> dict[str, dict[str, Any]]:
    """All jobs as Redis has them, by group/id."""
    found: dict[str, dict[str, Any]] = {}
    for shard in range(shards):
        for name, text in redis.hgetall(f"{cluster}:{{{shard}}}:jobs").items():
            found[name] = json.loads(text)
    return found


# --- the comparison ---------------------------------------------------------------------------

SLOT_KINDS = ("schedule", "catchup", "retry")
LATE_COMMAND_MS = 2000  # a command may act so much after its log time on its right shard
EARLY_MS = 0            # tests run on one machine: nothing may be early at all


class Oracle:
    """Compares a history with the fold of its commands."""

    def __init__(self, history: History, stamped: bool = True):
        """`stamped`: the stamps of fires are of a clock that is right (theirs is the daemon's)."""
        self.history = history
        self.stamped = stamped
        self.shards = history.shards
        self.fold = Fold(history.shards)
        self.violations: list[str] = []
        self.fires: dict[str, list[tuple[Record, dict[str, Any]]]] = collections.defaultdict(list)
        self.named: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
        self._fold_commands()
        for record, fire in history.fires:
            self.fires[fire["jobincarnation"]].append((record, fire))
        for event in history.events:
            if event.get("backfill_id"):
                continue  # about fires with ids of their own
            if event["event"] in ("missed", "skipped") and event.get("reason") != "paused":
                self.named[event["incarnation"]].append(event)

    def wrong(self, text: str) -> None:
        self.violations.append(text)

    def _fold_commands(self) -> None:
        commands = self.history.commands
        for record, result in self.history.results:
            place = (result["source"]["partition"], result["source"]["offset"])
            if place not in commands:
                if result["outcome"] != "rejected":
                    self.wrong(f"a result for a command that is not there: {result}")
                continue
            if record.partition != result["shard"]:
                self.wrong(f"shard {result['shard']} wrote into partition {record.partition}")
            self.fold.apply(commands[place][1], result)

    # ---- what must hold ----

    def check(self, until_ms: int, stored: dict[str, dict[str, Any]] | None = None
              ) -> dict[str, int]:
        """Checks everything up to `until_ms`; raises AssertionError with what is wrong.

        `until_ms` must lie in a past that Belfry has dealt with. Returns counts for the log.
        """
        self.fold.end_pauses(until_ms)
        counts = self._check_slots(until_ms)
        self._check_fires()
        self._check_order()
        self._check_results()
        self._check_log_times()
        self._check_pauses()
        if stored is not None:
            self._check_stored(stored)
        found = self.violations + self.fold.violations
        assert not found, (f"{len(found)} violations, the first of them:\n" +
                           "\n".join(f"  {text}" for text in found[:25]))
        return {**counts, "commands": len(self.history.commands),
                "results": len(self.history.results), "jobs": len(self.fold.lives)}

    def missing(self, until_ms: int) -> list[str]:
        """Slots up to `until_ms` that are neither fired nor named (yet)."""
        found = []
        for job in self.fold.lives.values():
            fired = self._fired(job)
            named = [(instant_ms(event["first"]), instant_ms(event["last"]))
                     for event in self.named[job.incarnation]]
            found += [f"{job.name} {job.incarnation}@{slot}" for slot in job.due(until_ms)
                      if slot not in fired
                      and not any(first <= slot <= last for first, last in named)]
        return found

    def _fired(self, job: Job) -> dict[int, int]:
        counts: dict[int, int] = collections.Counter()
        for _record, fire in self.fires[job.incarnation]:
            if fire["firekind"] in SLOT_KINDS:
                counts[instant_ms(fire["dueat"])] += 1
        return counts

    def _check_slots(self, until_ms: int) -> dict[str, int]:
        total = dropped = 0
        for job in self.fold.lives.values():
            fired = self._fired(job)
            horizon_ms = max([until_ms, *fired])
            due = job.due(horizon_ms)
            wanted = bisect.bisect_right(due, until_ms)
            total += wanted
            self._check_no_more_than(job, fired, due)
            dropped += self._check_no_less_than(job, fired, due[:wanted])
        return {"slots": total, "dropped": dropped, "fires": len(self.history.fires)}

    def _check_no_more_than(self, job: Job, fired: dict[int, int], due: list[int]) -> None:
        allowed = set(due)
        for slot, times in fired.items():
            if slot not in allowed:
                self.wrong(f"{job.name} fired at {instant_text(slot)}, which is no slot of it")
            if times != 1:
                self.wrong(f"{job.name} fired {times} times for {instant_text(slot)}")

    def _check_no_less_than(self, job: Job, fired: dict[int, int], due: list[int]) -> int:
        """Slots that were not fired must be named by events, and their counts must agree."""
        unfired = [slot for slot in due if slot not in fired]
        claimed: dict[int, int] = collections.Counter()
        for event in self.named[job.incarnation]:
            first, last = instant_ms(event["first"]), instant_ms(event["last"])
            names = [slot for slot in unfired if first <= slot <= last]
            if last <= (due[-1] if due else last) and len(names) != event["count"]:
                self.wrong(f"{job.name}: {event} counts {event['count']}, {len(names)} slots "
                           f"were not fired")
            claimed.update(names)
            self._check_policy(job, event, first)
        for slot in unfired:
            if claimed[slot] != 1:
                self.wrong(f"{job.name}: the slot {instant_text(slot)} ({slot}) was not fired "
                           f"and is named by {claimed[slot]} events")
        return len(unfired)

    def _check_policy(self, job: Job, event: dict[str, Any], first: int) -> None:
        """A slot is only missed when a catch-up policy that the job had allows it."""
        if event["event"] == "missed":
            late_ms = instant_ms(event["at"]) - first
            reason = event.get("reason", "")
            if not any(_may_miss(catchup, reason, late_ms) for catchup in job.catchups):
                self.wrong(f"{job.name}: missed {late_ms} ms late, under {job.catchups}: {event}")

    def _check_fires(self) -> None:
        seen: set[str] = set()
        triggers = set()
        for record, fire in self.history.fires:
            if fire["id"] in seen:
                self.wrong(f"fire id {fire['id']} came twice")
            seen.add(fire["id"])
            job = self.fold.lives.get(fire["jobincarnation"])
            if job is None:
                self.wrong(f"a fire of a job that nobody added: {fire}")
                continue
            if fire["firekind"] == "trigger":
                triggers.add(fire["id"])
            elif fire["id"] != f"{job.incarnation}@{instant_ms(fire['dueat'])}":
                self.wrong(f"the id of {fire} is not what it should be")
            self._check_fire(job, record, fire)
        wanted = set(self.fold.triggered)
        for name in sorted(triggers - wanted):
            self.wrong(f"nobody asked for the trigger {name}")
        for name in sorted(wanted - triggers):
            self.wrong(f"the trigger {name} was not fired")

    def _check_fire(self, job: Job, record: Record, fire: dict[str, Any]) -> None:
        shard = shard_of(job.group, self.shards)
        said_ms, due_ms = instant_ms(fire["time"]), instant_ms(fire["dueat"])
        stamp_ms = record.timestamp_ms if self.stamped else said_ms
        if min(said_ms, stamp_ms) < due_ms - EARLY_MS:
            self.wrong(f"{fire['id']} was early: {fire['time']} before {fire['dueat']}")
        if fire["firekind"] in SLOT_KINDS and fire["latenessms"] != said_ms - due_ms:
            self.wrong(f"{fire['id']}: latenessms does not fit: {fire}")
        if (fire["source"] != f"/belfry/{self.history.cluster}/{shard}"
                or fire["subject"] != job.name or record.partition != shard
                or record.key != (job.definition["key"] or job.group).encode()):
            self.wrong(f"{fire['id']} is in the wrong place: {record}")
        revision = fire["jobrevision"]
        allowed = (list(job.payloads.values()) if job.ended  # its revisions are not followed
                   else [job.payloads.get(revision, self)])
        if fire.get("data") not in allowed:
            self.wrong(f"{fire['id']}: payload {fire.get('data')} is not that of revision "
                       f"{revision}: {job.payloads.get(revision)}")

    def _check_order(self) -> None:
        last_of_job: dict[str, int] = {}
        last_of_key: dict[tuple[int, bytes | None], int] = {}
        for record, fire in self.history.fires:
            if fire["firekind"] not in SLOT_KINDS:
                continue
            due_ms = instant_ms(fire["dueat"])
            incarnation = fire["jobincarnation"]
            if due_ms <= last_of_job.get(incarnation, -1):
                self.wrong(f"{fire['id']} came after {last_of_job[incarnation]} of the same job")
            last_of_job[incarnation] = due_ms
            if fire["firekind"] == "schedule":
                key = (record.partition, record.key)
                if due_ms < last_of_key.get(key, -1):
                    self.wrong(f"live fire {fire['id']} came after one due at "
                               f"{last_of_key[key]} with the same key {record.key!r}")
                last_of_key[key] = due_ms

    # ---- results ----

    def touched(self, command: dict[str, Any], partition: int) -> set[int]:
        """The shards that have to answer a good command which was sent to `partition`."""
        jobs = command.get("jobs") or ([command["job"]] if command.get("job") else [])
        groups = [job["group"] for job in jobs]
        groups += (command.get("select") or {}).get("groups") or []
        if groups:
            return {shard_of(group, self.shards) for group in groups}
        return set(range(self.shards)) if command.get("select") else {partition}

    def _check_results(self) -> None:
        answers: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
        unread = set()
        for _record, result in self.history.results:
            place = (result["source"]["partition"], result["source"]["offset"])
            answers[place].append(result["shard"])
            outcome = result.get("first_outcome") or result["outcome"]
            if outcome == "rejected" and result["shards"] == 1:
                unread.add(place)
        commands = self.history.commands
        for record in self.history.records("control"):
            place = (record.partition, record.offset)
            command = commands.get(place, (record, {}))[1]
            found = sorted(answers[place])
            # One that cannot be read is refused where it was sent to.
            if place in unread and found == [record.partition] or command.get("reply_to"):
                continue
            wanted = sorted(self.touched(command, record.partition))
            if found != wanted:
                self.wrong(f"command at {place} {command.get('command_id')} {command.get('op')}: "
                           f"answered by shards {found}, not {wanted}")

    def _check_log_times(self) -> None:
        """On its right shard a command acts at its log time, however late it was read."""
        commands = self.history.commands
        last: dict[int, int] = {}
        for _record, result in self.history.results:
            shard, effective_ms = result["shard"], instant_ms(result["effective_at"])
            if effective_ms < last.get(shard, 0):
                self.wrong(f"shard {shard} went back in time: {result}")
            last[shard] = effective_ms
            place = (result["source"]["partition"], result["source"]["offset"])
            if (place not in commands or place[0] != shard
                    or result["outcome"] in ("rejected", "duplicate")):
                continue
            late_ms = effective_ms - commands[place][0].timestamp_ms
            if not 0 <= late_ms <= LATE_COMMAND_MS:
                self.wrong(f"command {result['command_id']} at {place} acted {late_ms} ms after "
                           f"its log time, at {result['effective_at']}")

    def _check_pauses(self) -> None:
        """Each pause that ended is named by one `resumed` event."""
        named: dict[tuple[str, int, int], int] = collections.Counter()
        for event in self.history.events:
            if event["event"] == "resumed":
                named[event["incarnation"], instant_ms(event["from"]),
                      instant_ms(event["to"])] += 1
        wanted: dict[tuple[str, int, int], int] = collections.Counter(
            (job.incarnation, *pause) for job in self.fold.lives.values() for pause in job.resumed)
        for pause in sorted(set(named) | set(wanted)):
            job = self.fold.lives.get(pause[0])
            if named[pause] != wanted[pause] and not (job and job.ended and not named[pause]):
                self.wrong(f"the end of pause {pause} was announced {named[pause]} times, "
                           f"it ended {wanted[pause]} times")

    # ---- at rest ----

    def _check_stored(self, stored: dict[str, dict[str, Any]]) -> None:
        for name in sorted(set(stored) ^ set(self.fold.live)):
            self.wrong(f"{name} is in {'Redis' if name in stored else 'the commands'} only")
        for name, job in self.fold.live.items():
            if name in stored:
                self._check_stored_job(job, stored[name])

    def _check_stored_job(self, job: Job, kept: dict[str, Any]) -> None:
        created_ms = instant_ms(kept["created_at"])
        wanted: dict[str, Any] = {
            "incarnation": job.incarnation, "schedule": job.schedule, "paused": job.paused,
            "payload": job.definition["payload"], "super_group": job.definition["super_group"],
            "labels": job.definition["labels"] or None,
            "catchup": _catchup(job.definition["catchup"])}
        found: dict[str, Any] = {
            "incarnation": kept["incarnation"], "schedule": _stored_schedule(kept, created_ms),
            "paused": bool(kept.get("paused")) or kept["state"] == "paused",
            "payload": kept.get("payload"), "super_group": kept.get("super_group"),
            "labels": kept.get("labels") or None, "catchup": _catchup(kept.get("catchup"))}
        if not job.ended:
            wanted["revision"], found["revision"] = job.revision, kept["revision"]
        elif kept["state"] == "finished":  # a pause passes over finished jobs
            found["paused"] = wanted["paused"]
        for field, value in wanted.items():
            if found[field] != value:
                self.wrong(f"{job.name} in Redis: {field} is {found[field]}, not {value}")


def _may_miss(catchup: dict[str, Any], reason: str, late_ms: int) -> bool:
    policy = catchup.get("policy", "latest")
    grace_ms = duration_ms(catchup.get("misfire_grace", "30s"))
    if reason in ("policy_none", "superseded"):
        wanted = "none" if reason == "policy_none" else "latest"
        return policy == wanted and late_ms > grace_ms
    if reason == "window":
        return late_ms > max(grace_ms, duration_ms(catchup.get("window", "24h")))
    return policy == "all" if reason == "limit" else True


def _catchup(catchup: dict[str, Any] | None) -> tuple[str, int, int]:
    catchup = {name: value for name, value in (catchup or {}).items() if value is not None}
    return (catchup.get("policy", "latest"), duration_ms(catchup.get("window", "24h")),
            catchup.get("limit", 1000))


def _stored_schedule(kept: dict[str, Any], created_ms: int) -> Schedule:
    """Redis names the anchor always; `anchor_given` says whose it is."""
    schedule = Schedule.of(kept["schedule"], created_ms)
    if not schedule.every_ms:
        return schedule
    return Schedule(every_ms=schedule.every_ms, anchor_ms=schedule.anchor_ms,
                    anchor_given=bool(kept.get("anchor_given")))
