"""What a command does to the jobs of a shard, and the result it gets: the rest of model.py."""

from __future__ import annotations

from typing import Any

from model import (BACKFILLS_MAX, DAY, DEFAULTS, DIFF_FIRES_MAX, GRACE, Job, Json, Refusal,
                   Schedule, Shard, duration, instant, text)

JOB_FIELDS = {"group", "id", "schedule", "paused", "incarnation", *DEFAULTS}


class Answer:
    def __init__(self) -> None:
        self.matched = self.changed = 0
        self.rejected = False
        self.errors: list[Json] = []
        self.jobs: list[Json] = []
        self.diff: list[Json] = []

    def error(self, code: str, field: str, job: Job | Json | None, rejected: bool = False) -> None:
        entry: Json = {"code": code, "field": field}
        if isinstance(job, Job):
            entry |= {"group": job.group, "id": job.id}
        elif job is not None:
            entry |= {name: job[name] for name in ("group", "id") if name in job}
        self.errors.append(entry)
        self.rejected |= rejected


class Control(Shard):
    """A shard that takes commands."""

    _good: list[tuple[int, Json]]
    _bad: list[tuple[str, str, Json]]
    _most: int | None

    def command(self, at: int, now: int, command: Json, done: int | None = None) -> None:
        """With `done` it was interrupted for good when so many jobs had been changed."""
        self._most = done
        effective = max(min(at, now), self.watermark)
        offset, self.offset = self.offset, self.offset + 1
        answer = Answer()
        refusal: Refusal | None = None
        place = f"0/{offset}"
        try:
            self._readable(command, answer)
            self.advance(effective, now)
            self._once(command)
            if effective > instant(command.get("not_after", "2999-01-01T00:00:00Z")):
                raise Refusal("expired", "expired", "/not_after")
            self._do(command, answer, effective, now, offset)
        except Refusal as why:
            refusal = why
            if why.outcome == "rejected" and command.get("command_id") in self.seen:
                refusal = self._duplicate(command["command_id"])
                answer.errors.clear()
                answer.matched = 0
        outcome, code, field = conclude(command, answer, refusal)
        if done is not None and refusal is None:
            outcome, code, field = "partial", "interrupted", ""
        named = command.get("command_id")
        if named is not None and outcome != "duplicate" and not command.get("dry_run"):
            self.seen[named] = (outcome, code)
        result: Json = {"command_id": named or place, "op": command["op"], "outcome": outcome,
                        "matched": answer.matched, "changed": answer.changed,
                        "effective_at": text(effective)}
        diff = {"jobs": answer.diff} if answer.diff else None
        for name, value in (("code", code), ("field", field), ("jobs", answer.jobs),
                            ("errors", answer.errors), ("diff", diff)):
            if value:
                result[name] = value
        if outcome == "duplicate":
            result["first_outcome"] = self.seen[named][0]
        self.say("result", result)

    # ---- reading ----

    def _readable(self, command: Json, answer: Answer) -> None:
        self._bad = []
        jobs = command.get("jobs", [command["job"]] if "job" in command else [])
        each = command.get("mode") == "each" and "jobs" in command
        faults: list[tuple[str, str, Any]] = []
        names: list[tuple[str, str]] = []
        twice: list[tuple[str, str, Any]] = []
        good = []
        for index, job in enumerate(jobs):
            root = f"/jobs/{index}" if "jobs" in command else "/job"
            fault = job_fault(job, root)
            if fault is None and (job["group"], job["id"]) in names:
                twice.append(("bad_value", root, job))
            elif fault is None:
                names.append((job["group"], job["id"]))
                good.append((index, job))
            else:
                faults.append((*fault, job))
            if (faults or twice) and not each:
                if faults:
                    raise Refusal("rejected", faults[0][0], faults[0][1])
        if twice and not each:
            raise Refusal("rejected", twice[0][0], twice[0][1])
        for code, field, job in faults + twice:
            known = {name: job[name] for name in ("group", "id")
                     if isinstance(job, dict) and is_name(job.get(name), name == "id")}
            if "group" not in known:
                known = {}
            self._bad.append((code, field, known))
        if jobs and not good:
            self._list_bad(answer)
            raise Refusal("rejected", *(faults + twice)[0][:2])
        self._good = good
        fault_of_command(command)
        expect = command.get("expect")
        if jobs and expect is not None and expect != len(jobs):
            if command.get("mode") != "each":
                raise Refusal("rejected", "count_mismatch", "/expect")

    def _list_bad(self, answer: Answer) -> None:
        for code, field, known in self._bad:
            answer.matched += 1
            answer.error(code, field, known, rejected=True)

    def _duplicate(self, named: str) -> Refusal:
        return Refusal("duplicate", self.seen[named][1], "/command_id")

    def _once(self, command: Json) -> None:
        if command.get("command_id") in self.seen:
            raise self._duplicate(command["command_id"])

    # ---- doing ----

    def _do(self, command: Json, answer: Answer, effective: int, now: int, offset: int) -> None:
        op = command["op"]
        if op in ("add", "put"):
            self._jobs(command, answer, effective, offset)
        elif op != "ping":
            self._selected(command, answer, effective, now)

    def _jobs(self, command: Json, answer: Answer, effective: int, offset: int) -> None:
        todo = []
        lives: list[str] = [job.get("incarnation") for _, job in self._good]
        sent = len(self._good) + len(self._bad)
        if command.get("expect", sent) != sent:
            answer.error("count_mismatch", "/expect", None)
        self._list_bad(answer)
        for index, said in self._good:
            answer.matched += 1
            root = f"/jobs/{index}" if "jobs" in command else "/job"
            job = self.jobs.get(f"{said['group']}/{said['id']}")
            revision = command.get("expected_revision")
            life = said.get("incarnation")
            if life is not None:
                future = int(life.split("-")[0]) > effective
                other = job is not None and job.incarnation != life
                if future or other or self._taken(life, said, lives):
                    answer.error("bad_value" if future else "exists", f"{root}/incarnation", said,
                                 rejected=future)
                    continue
            if command["op"] == "add" and job is not None:
                answer.error("exists", root, said)
                continue
            if revision is not None and (job is None or job.revision != revision):
                code = "not_found" if job is None else "revision_mismatch"
                answer.error(code, "/expected_revision", said)
                continue
            schedule = Schedule(said["schedule"], effective)
            if job is not None and schedule.every and job.schedule.every == schedule.every \
                    and not schedule.anchor_given:
                schedule.anchor = job.schedule.anchor
                schedule.anchor_given = job.schedule.anchor_given
            new = Job(said, schedule, effective)
            same = job is not None and job.same(new.fields, schedule)
            past = schedule.at is not None and schedule.at <= effective
            if not same and not past and new.next(effective) is None:
                answer.error("never_fires", f"{root}/schedule", said, rejected=True)
                continue
            todo.append((index, said, job, new, same))
        if answer.errors and command.get("mode") != "each":
            return
        for index, said, job, new, same in todo:
            self._put_one(command, answer, effective, f"{effective}-0.{offset}.{index}",
                          said, job, new, same)

    def _taken(self, life: str, said: Json, lives: list[str]) -> bool:
        """Another name has it, in the shard or earlier in the command."""
        place = [job for _, job in self._good].index(said)
        name = f"{said['group']}/{said['id']}"
        return life in lives[:place] or any(job.incarnation == life and job.name != name
                                            for job in self.jobs.values())

    def _put_one(self, command: Json, answer: Answer, effective: int, incarnation: str,
                 said: Json, job: Job | None, new: Job, same: bool) -> None:
        running = job.paused_at is None if job is not None else not said.get("paused")
        revision = 1 if job is None else job.revision + (0 if same else 1)
        answer.jobs.append(listed(new, revision, running, effective))
        if command.get("dry_run"):
            over = job is None and "incarnation" in said and new.schedule.at is not None \
                and new.schedule.at <= effective
            answer.diff.append(difference(
                "unchanged" if same else "add" if job is None else "update", job,
                prospect(job, effective), prospect(job, effective) if same else None if over else
                prospect_as(job, new, bool(said.get("paused")), effective), new, effective))
        if not same:
            answer.changed += 1
        if same or command.get("dry_run"):
            return
        if job is not None:
            self._update(job, new.fields, new.schedule, effective)
            return
        new.incarnation = incarnation
        new.ordinal, self.ordinal = self.ordinal, self.ordinal + 1
        if said.get("paused"):
            new.paused_at = effective
        self.jobs[new.name] = new
        if "incarnation" not in said:
            self._begin(new, False, effective)
            return
        new.incarnation, new.imported = said["incarnation"], incarnation
        new.created = int(new.incarnation.split("-")[0])
        self._begin_imported(new, effective)

    def _selected(self, command: Json, answer: Answer, effective: int, now: int) -> None:
        targets = [job for job in self.in_order() if selected(command["select"], job)]
        answer.matched = len(targets)
        each = command.get("mode") == "each"
        if command.get("expect", len(targets)) != len(targets):
            answer.error("count_mismatch", "/expect", None)
            if not each:
                return
        if not targets and command["select"].get("ids") and command["select"].get("groups"):
            raise Refusal("conflict", "not_found", "/select")
        mismatch = len(answer.errors)
        good = [job for job in targets if self._possible(command, answer, job, effective)]
        if len(answer.errors) > mismatch and not each:
            return
        for job in good:
            if answer.changed == self._most:
                return
            self._change(command, answer, job, effective, now)

    def _possible(self, command: Json, answer: Answer, job: Job, effective: int) -> bool:
        def no(code: str, field: str, rejected: bool = False) -> bool:
            answer.error(code, field, job, rejected)
            return False
        op = command["op"]
        if command.get("expected_revision", job.revision) != job.revision:
            return no("revision_mismatch", "/expected_revision")
        if op == "update":
            merged, schedule = self._merged(command, job, effective)
            new = Job({**merged, "group": job.group, "id": job.id}, schedule, effective)
            if merged["start"] and merged["end"] and instant(merged["end"]) <= \
                    instant(merged["start"]):
                return no("bad_value", "/set/end", True)
            timing = {"schedule", "start", "end"} & set(command["set"])
            past = schedule.at is not None and schedule.at <= effective
            if timing and not past and new.next(effective) is None:
                return no("never_fires", "/set", True)
        if op == "pause" and "until" in command and instant(command["until"]) <= effective:
            return no("bad_value", "/until", True)
        start = command.get("from", "now")
        if op == "resume" and start not in ("now", "paused_at") and job.paused_at is not None:
            if instant(start) > effective:
                return no("from_in_future", "/from")
            if instant(start) < job.paused_at:
                return no("from_before_pause", "/from")
        if op == "backfill":
            to = instant(command["to"]) if "to" in command else effective
            if to > effective:
                return no("bad_value", "/to", True)
            if instant(start) >= to:
                return no("bad_value", "/from", True)
            if command["backfill_id"] in job.had:
                return no("exists", "/backfill_id")
            if len(job.backfills) == BACKFILLS_MAX:
                return no("too_many", "")
        if op == "requeue":  # no job of these sequences has a lease
            return no("lease_required", "")
        return True

    def _merged(self, command: Json, job: Job, effective: int) -> tuple[Json, Schedule]:
        fields = {**job.fields, **{k: v for k, v in command["set"].items() if k != "schedule"}}
        if "catchup" in command["set"]:
            fields["catchup"] = {**(job.fields["catchup"] or {}), **command["set"]["catchup"]}
        if "schedule" not in command["set"]:
            return fields, job.schedule
        schedule = Schedule(command["set"]["schedule"], effective)
        if schedule.every and schedule.every == job.schedule.every and not schedule.anchor_given:
            schedule.anchor = job.schedule.anchor
            schedule.anchor_given = job.schedule.anchor_given
        return fields, schedule

    def _change(self, command: Json, answer: Answer, job: Job, effective: int, now: int) -> None:
        op, dry = command["op"], bool(command.get("dry_run"))
        would = self._would(command, job, effective)
        if dry:
            self._foresee(command, answer, job, would, effective)
            return
        if not would:
            return
        answer.changed += 1
        getattr(self, f"_do_{op}")(command, job, effective, now)
        if op != "delete" and self.jobs.get(job.name) is job:
            running = job.paused_at is None and job.finished_at is None
            answer.jobs.append(listed(job, job.revision, running, effective))

    def _would(self, command: Json, job: Job, effective: int) -> bool:
        op = command["op"]
        if op == "update":
            return not job.same(*self._merged(command, job, effective))
        if op == "pause":
            until = instant(command["until"]) if "until" in command else None
            return job.finished_at is None and (job.paused_at is None or job.until != until)
        if op == "resume":
            return job.paused_at is not None
        if op == "backfill":
            return bool(self._range(command, job, effective))
        if op == "cancel_backfill":
            return command["backfill_id"] in job.backfills
        return op != "cancel"  # no run is open

    def _range(self, command: Json, job: Job, effective: int) -> list[int]:
        to = instant(command["to"]) if "to" in command else effective
        return job.within(instant(command["from"]), to)

    def _do_update(self, command: Json, job: Job, effective: int, _now: int) -> None:
        self._update(job, *self._merged(command, job, effective), effective)

    def _do_pause(self, command: Json, job: Job, effective: int, _now: int) -> None:
        if job.paused_at is None:
            job.paused_at = effective
        job.until = instant(command["until"]) if "until" in command else None
        job.revision += 1
        job.updated = effective

    def _do_resume(self, command: Json, job: Job, effective: int, now: int) -> None:
        start = command.get("from", "now")
        after = effective if start == "now" else job.paused_at if start == "paused_at" \
            else instant(start)
        self._resume(job, effective, max(after or 0, job.edited or 0), now)

    def _do_delete(self, _command: Json, job: Job, effective: int, _now: int) -> None:
        self._drop_backfills(job, effective, "deleted")
        del self.jobs[job.name]

    def _do_trigger(self, command: Json, job: Job, _effective: int, _now: int) -> None:
        named = command.get("command_id", f"0/{self.offset - 1}")
        self.say("fire", (f"{job.incarnation}@t:{named}", "trigger"))

    def _do_backfill(self, command: Json, job: Job, effective: int, _now: int) -> None:
        slots = self._range(command, job, effective)
        job.backfills[command["backfill_id"]] = {"slots": slots}
        job.had.add(command["backfill_id"])
        self.event("backfill_started", job, effective, first=slots[0], last=slots[-1],
                   count=len(slots), backfill_id=command["backfill_id"])

    def _do_cancel_backfill(self, command: Json, job: Job, effective: int, _now: int) -> None:
        self._drop_backfill(job, command["backfill_id"], effective, "cancelled")

    def _foresee(self, command: Json, answer: Answer, job: Job, would: bool, effective: int
                 ) -> None:
        op = command["op"]
        before = after = prospect(job, effective)
        view, paused = job, job.paused_at is not None
        if op == "update" and would:
            fields, schedule = self._merged(command, job, effective)
            view = Job({**fields, "group": job.group, "id": job.id}, schedule, effective)
            after = prospect_as(job, view, False, effective)
        if op == "pause" and would:
            paused = True
            after = (job, instant(command["until"]) - 1) if "until" in command else None
        if op == "resume" and would:
            paused = False
            after = (job, effective) if not job.used_up() else None
        if op == "delete":
            after = None
        extra = 1 if op == "trigger" else 0
        if op == "backfill" and would:
            extra = len(self._range(command, job, effective))
        entry = difference(op if would else "unchanged", job, before, after, view, effective)
        entry["fires_added"] += extra
        answer.diff.append(entry)
        if would:
            answer.changed += 1
            revised = op in ("update", "pause", "resume")
            running = not paused and job.finished_at is None and op != "delete"
            answer.jobs.append(listed(view, job.revision + revised, running, effective))


# ---- small questions ----

Prospect = tuple[Job, int] | None


def prospect(job: Job | None, effective: int) -> Prospect:
    """The job and from when on its slots are fired, or None."""
    if job is None or job.finished_at is not None or job.used_up():
        return None
    if job.paused_at is None:
        return job, effective
    return None if job.until is None else (job, max(job.until - 1, effective))


def prospect_as(job: Job | None, new: Job, paused: bool, effective: int) -> Prospect:
    """`new` in the place of `job`."""
    if job is None:
        return None if paused else (new, effective)
    new.counted = job.counted
    if new.used_up() or (job.paused_at is not None and job.until is None):
        return None
    old = prospect(job, effective)
    if job.paused_at is not None and old is None:
        return None
    return new, old[1] if job.paused_at is not None and old else effective


def fires_of(one: Prospect, to: int) -> list[int]:
    if one is None:
        return []
    job, after = one
    left = (job.fields["max_fires"] or 1 << 30) - job.counted
    return job.within(after, to, min(left, DIFF_FIRES_MAX + 2))


def next_five(one: Prospect) -> list[str]:
    if one is None:
        return []
    job, due = one
    left = (job.fields["max_fires"] or 1 << 30) - job.counted
    found: list[str] = []
    while len(found) < min(5, left):
        after = job.next(due)
        if after is None:
            break
        found.append(text(after))
        due = after
    return found


def difference(change: str, old_job: Job | None, before: Prospect, after: Prospect, job: Job,
               effective: int) -> Json:
    to = effective + 7 * DAY
    entry: Json = {"group": job.group, "id": job.id, "change": change,
                   "next_due_before": next_five(before), "next_due_after": next_five(after),
                   "dst_days": []}
    old, new = set(fires_of(before, to)), set(fires_of(after, to))
    entry["fires_added"], entry["fires_removed"] = len(new - old), len(old - new)
    both = sorted(old | new)
    if len(both) > DIFF_FIRES_MAX:
        last = both[DIFF_FIRES_MAX]
        entry["counted_to"] = text(last - 1)
        entry["fires_added"] = len([due for due in new - old if due < last])
        entry["fires_removed"] = len([due for due in old - new if due < last])
    at = after[0].schedule.at if after is not None else None
    if after is not None and at is not None and at <= effective:
        known = old_job.schedule.at if old_job is not None else None
        policy = after[0].catchup("policy", "latest")
        window = GRACE if policy == "none" else \
            max(GRACE, duration(after[0].catchup("window", "24h")))
        if known != at and effective - at <= window:
            entry["fires_added"] += 1
    return entry


def listed(job: Job, revision: int, running: bool, effective: int) -> Json:
    found: list[str] = []
    due = job.next(effective) if running else None
    while due is not None and len(found) < 5:
        found.append(text(due))
        due = job.next(due)
    return {"group": job.group, "id": job.id, "revision": revision, "next_due": found}


def selected(select: Json, job: Job) -> bool:
    labels = job.fields["labels"] or {}
    return (job.group in select.get("groups", [job.group])
            and job.id in select.get("ids", [job.id])
            and job.fields["super_group"] in select.get("super_groups", [job.fields["super_group"]])
            and all(labels.get(k) == v for k, v in select.get("labels", {}).items())
            and select.get("paused", job.paused_at is not None) == (job.paused_at is not None))


def is_name(name: Any, slashes: bool) -> bool:
    return isinstance(name, str) and name != "" and name[0].isalnum() and all(
        c.isalnum() or c in "._:@-" or (slashes and c == "/") for c in name)


def job_fault(job: Any, root: str) -> tuple[str, str] | None:
    """The first thing wrong with a job, in the order of its members."""
    if not isinstance(job, dict):
        return "wrong_type", root
    for name, value in job.items():
        if name not in JOB_FIELDS:
            return "unknown_field", f"{root}/{name}"
        if name in ("group", "id") and not is_name(value, name == "id"):
            return "bad_name", f"{root}/{name}"
        if name == "schedule" and value.get("cron") == "99 * * * *":
            return "bad_cron", f"{root}/schedule/cron"
        if name == "max_fires" and value == 0:
            return "bad_value", f"{root}/max_fires"
    for name in ("group", "id"):
        if name not in job:
            return "missing_field", f"{root}/{name}"
    if job.get("start") and job.get("end") and instant(job["end"]) <= instant(job["start"]):
        return "bad_value", f"{root}/end"
    return None if "schedule" in job else ("missing_field", f"{root}/schedule")


def fault_of_command(command: Json) -> None:
    if "select" not in command and command["op"] not in ("add", "put", "ping"):
        raise Refusal("rejected", "empty_selector", "/select")
    select = command.get("select")
    if select is not None and not select:
        raise Refusal("rejected", "empty_selector", "/select")
    change = command.get("set", {})
    if change.get("start") and change.get("end") and \
            instant(change["end"]) <= instant(change["start"]):
        raise Refusal("rejected", "bad_value", "/set/end")
    if command["op"] == "update" and not change:
        raise Refusal("rejected", "nothing_to_update", "/set")
    if command["op"] == "requeue" and \
            [len(select.get(names, [])) for names in ("groups", "ids")] != [1, 1]:
        raise Refusal("rejected", "bad_value", "/select")
    if select is not None and "expect" in command and "groups" not in select:
        raise Refusal("rejected", "expect_needs_groups", "/expect")


def conclude(command: Json, answer: Answer, refusal: Refusal | None) -> tuple[str, str, str]:
    if refusal is not None:
        return refusal.outcome, refusal.code, refusal.field
    if not answer.errors:
        idle = answer.changed == 0 and command["op"] != "ping"
        return "unchanged" if idle else "applied", "", ""
    outcome = "partial" if answer.changed else "rejected" if answer.rejected else "conflict"
    return outcome, answer.errors[0]["code"], answer.errors[0]["field"]
