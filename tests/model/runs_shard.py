"""Several jobs with leases, the owner of their shard, and the commands: the reference that
shard_driver.c is compared with. What it says are lines of text, a try is named by its run and the
how many-th fire of it that was.
"""

from __future__ import annotations

import json
from typing import Any

from model import BACKFILLS_MAX, Json, Schedule, duration, instant
from runs_model import RunsJob
from runs_tries import AGAIN_MS, CLAIM_OLD_MS, RETRY, SECOND, Run

ZOMBIES = 1024
ASK_MOST_MS = 60 * SECOND
NEEDS_LEASE = ("overlap", "retry", "start_within", "pause_after_failures")
Report = dict[str, Any]


def fault_of(said: Json) -> str:
    """What is wrong with a job's fields of runs together."""
    mode = said.get("lease_mode", "heartbeat")
    if "lease" not in said:
        usual = plain({})
        wrong = [name for name in NEEDS_LEASE if plain(said).get(name) != usual.get(name)]
        if "workers" in said and mode != "none":
            wrong.append("workers")
        return "lease_required" if wrong or mode == "fixed" else ""
    if "workers" not in said:
        return "missing_field"
    if mode == "none" or (mode == "fixed" and "start_within" in said):
        return "bad_value"
    if "overlap_limit" in said and said.get("overlap") != "buffer_all":
        return "bad_value"
    retry = {**RETRY, **(said.get("retry") or {})}
    first = duration(retry["initial"])
    within = duration(retry["within"]) if retry["within"] else first
    lost = retry["not_on_exit"] and "failure" not in retry["on"]
    return "bad_value" if lost or duration(retry["max"]) < first or within < first else ""


def plain(said: Json) -> Json:
    """Equal for jobs that say the same."""
    usual: Json = {"overlap": "allow", "overlap_limit": 100, "start_within": "24h",
                   "keep_finished": "24h", "lease_mode": "heartbeat"}
    made = {**usual, **said, "retry": {**RETRY, **(said.get("retry") or {})},
            "catchup": {"policy": "latest", "window": "24h", "limit": 1000, "misfire_grace": "30s",
                        **(said.get("catchup") or {})}}
    made["retry"]["on"] = sorted(made["retry"]["on"])
    return made


class RunsShard:
    def __init__(self, start: int):
        self.now = start
        self.lines: list[str] = []
        self.spent_before: list[str] = []  # of backfills that went with their job
        self.jobs: dict[str, RunsJob] = {}
        self.lives: dict[str, str] = {}    # of jobs, the newest ones
        self.labels: dict[int, str] = {}   # of tries
        self.fires: dict[str, int] = {}    # how many of each run
        self.fired_at: dict[str, int] = {}
        self.offset = self.numbers = 0
        self.generation = 1
        self.unread = False                # reports that were in the log at the take-over are
        self.log: list[Report | None] = []  # None: a tick
        self.coordinator = "silent"
        self.ticks_slow = False
        self.begin()

    def begin(self) -> None:
        """What an owner knows at first."""
        self.ticks_sent = self.ticks_back = 0
        self.tick_sent_at: int | None = None
        self.zombies: dict[int, int] = {}  # many share places here, when each was answered last

    def number(self) -> int:
        """It never goes back, also where a new generation begins anew to count."""
        self.numbers += 1
        return self.generation << 32 | self.numbers

    # ---- what is said ----

    def hear(self, name: str, what: str, said: Json) -> None:
        if what == "fire":
            self.hear_fire(said)
        elif what == "event":
            self.hear_event(name, said)
        elif what == "spent":
            self.hear_event(name, said)
            self.spent_before.append(self.lines.pop())
        elif what == "cancel":
            self.lines.append(f"cancel {name} run={self.labels[said['number']]}")

    def hear_fire(self, said: Json) -> None:
        line = f"fire {said['id']} {said['kind']}"
        if "run" in said:
            run, terms = said["run"], said["run"].terms
            self.fires[run.id] = self.fires.get(run.id, 0) + 1
            self.labels[run.newest] = f"{run.id}#{self.fires[run.id]}"
            self.fired_at[self.labels[run.newest]] = self.now
            line += (f" run={self.labels[run.newest]} try={run.tries} "
                     f"lease={duration(terms['lease'])} expires={run.expires} "
                     f"workers={terms['workers']} cursor={run.cursor} missed={said['missed']}")
        self.lines.append(line)

    def hear_event(self, name: str, said: Json) -> None:
        run = said.get("run")
        event = {key: value for key, value in said.items() if key != "run"}
        about = run is not None and said["event"] not in ("skipped", "auto_paused")
        event["incarnation"] = run.life if about else self.lives[name]
        event["group"], event["id"] = name.split("/")
        if run is not None:
            event["run"], event["runnumber"] = run.id, self.labels[run.newest]
        self.lines.append("event " + json.dumps(event, sort_keys=True))
        if said["event"] == "run_failed":
            self.lines.append(f"dead {name} {said['detail']} after {run.counted} "
                              f"run={self.labels[run.newest]} {run.id}")

    def spent(self) -> set[str]:
        """What is said of backfills that have fired all, and have not been said to be finished."""
        before, self.lines = self.lines, self.spent_before
        self.spent_before = []
        for name, job in self.jobs.items():
            for backfill in job.backfills if job.exists else []:
                if not backfill["slots"]:
                    self.hear_event(name, RunsJob.finished(backfill))
        before, self.lines = self.lines, before
        return {*before}

    def standing(self) -> list[str]:
        made = []
        for name, job in sorted(self.jobs.items()):
            if job.exists:
                made.append(self.job_line(name, job))
            made += [self.run_line(run) for run in job.runs]
        return made

    @staticmethod
    def job_line(name: str, job: RunsJob) -> str:
        def at(value: int | None) -> str:
            return "-" if value is None else str(value)
        owed = f"{len(job.waiting)}"
        if job.waiting:
            owed += f":{job.waiting[0].due}:{job.waiting[-1].due}"
        return (f"job {name} revision={job.revision} counted={job.counted} failed={job.failures} "
                f"paused={at(job.paused_at)} until={at(job.until)} "
                f"finished={at(job.finished_at)} owes={owed}")

    def run_line(self, run: Run) -> str:
        state = "waiting" if run.number is None else \
            "open" if run.claim is None or run.is_fixed else "claimed"
        retry = "-" if run.number is not None else str(run.retry_at)
        line = (f"run {run.id} {state} number={self.labels[run.newest]} try={run.tries} "
                f"counted={run.counted} lost={run.silent} released={run.released} retry={retry} "
                f"asked={int(run.asked_to_stop)} lease={duration(run.terms['lease'])} "
                f"mode={run.terms['lease_mode'] or 'heartbeat'} workers={run.terms['workers']} "
                f"cursor={run.cursor}")
        return " ".join([line] + [how for _, how in run.kept])

    # ---- time ----

    def open_runs(self) -> list[tuple[RunsJob, Run]]:
        return [(job, run) for job in self.jobs.values() for run in job.runs if run.ended is None]

    def open_tries(self) -> list[tuple[RunsJob, Run]]:
        return [(job, run) for job, run in self.open_runs() if run.number is not None]

    def advance(self, to: int) -> None:
        while True:
            ahead = [at for at in self.times() if self.now < at < to]
            if not ahead:
                break
            self.act(min(ahead))
        self.act(to)

    def times(self) -> list[int]:
        made = [at for job in self.jobs.values() for at, _, _ in job.things()]
        for _, run in self.open_tries():
            if run.claim is not None and run.claim.tick is None:
                made.append(self.look_at(run))
            if run.claim_unrecorded is not None:
                made.append(run.claim_unrecorded[1] + CLAIM_OLD_MS)
            if run.claim is None:
                made.append(run.expires + SECOND)
        if self.tick_sent_at is not None:
            made.append(self.tick_sent_at + SECOND)
        return made

    @staticmethod
    def look_at(run: Run) -> int:
        """When a lease is over, or is to be asked about again."""
        claim = run.claim
        assert claim is not None
        if claim.ask_at is not None:
            return claim.ask_at
        return claim.sign + duration(run.terms["lease"]) + SECOND

    def act(self, now: int) -> None:
        self.now = now
        self.act_jobs()
        for _, run in self.open_tries():
            if run.claim_unrecorded is not None and \
                    now - run.claim_unrecorded[1] >= CLAIM_OLD_MS:
                run.record()
        self.look_for_silence()
        if self.wants_tick():
            self.ticks_sent += 1
            self.tick_sent_at = now
            self.lines.append(f"tick {self.ticks_sent}")
            if not self.ticks_slow:
                self.bring_ticks_back()

    def act_jobs(self) -> None:
        for job in self.jobs.values():
            job.act(self.now)
            if job.finished_at == self.now:  # perhaps it is not kept
                job.act(self.now)

    # ---- silence ----

    def look_for_silence(self) -> None:
        """Lease + 1 s have passed: the coordinator is asked, unless it need not be, or cannot."""
        asked = []
        for _, run in self.open_tries():
            claim = run.claim
            if claim is None or claim.tick is not None or self.look_at(run) > self.now:
                continue
            is_first, claim.lapsed = not claim.lapsed, True
            expired = self.now >= run.expires + SECOND
            if run.is_fixed or claim.is_committed or (
                    expired and not (is_first and claim.is_placed)):
                claim.tick = self.ticks_sent + 1
                continue
            wait = min(SECOND << min(claim.asked, 10), ASK_MOST_MS) if claim.is_placed \
                else ASK_MOST_MS
            left = run.expires + SECOND - self.now
            claim.ask_at = self.now + (min(wait, left) if left > 0 else wait)
            claim.asked += 1
            if claim.is_placed:
                self.lines.append(f"question {self.labels[run.newest]}")
                asked.append(run)
        for run in asked:
            self.answer(run)

    def answer(self, run: Run) -> None:
        claim = run.claim
        assert claim is not None
        if self.coordinator == "yes":
            claim.is_committed = True
            claim.tick = self.ticks_sent + 1
        if self.coordinator == "no":
            claim.is_uncommitted = True
            if self.now >= run.expires + SECOND:
                claim.tick = self.ticks_sent + 1

    def wants_tick(self) -> bool:
        if self.tick_sent_at is not None and self.now - self.tick_sent_at < SECOND:
            return False
        return any(run.claim.tick is not None if run.claim is not None
                   else self.now >= run.expires + SECOND for _, run in self.open_tries())

    def bring_ticks_back(self) -> None:
        while self.ticks_back < self.ticks_sent:
            self.ticks_back += 1
            self.log.append(None)
            self.read_tick(self.ticks_back)
            self.act_jobs()

    def read_tick(self, number: int) -> None:
        """It is appended now, and nothing came before it."""
        for job, run in sorted(self.open_tries(), key=lambda one: one[1].expires):
            if run.claim is None and self.now >= run.expires + SECOND:
                job.close(run, "not_started")
        silent = [(job, run) for job, run in self.open_tries() if run.claim is not None
                  and run.claim.tick is not None and run.claim.tick <= number]
        for job, run in sorted(silent, key=lambda one: one[1].claim.tick):  # type: ignore
            assert run.claim is not None
            expired = self.now >= run.expires + SECOND
            known = run.is_fixed or run.claim.is_committed
            if not known and not expired:
                run.claim.tick = self.ticks_sent + 1
            elif not known and run.claim.is_uncommitted:
                job.close(run, "not_started")
            else:
                job.close(run, "lost")
        for job in self.jobs.values():
            job.settle()

    # ---- owners ----

    def take_over(self, now: int, is_generation: bool = False) -> None:
        again_from = min((run.claim_unrecorded[0] for _, run in self.open_tries()
                          if run.claim_unrecorded is not None), default=len(self.log))
        self.now = now
        if is_generation:
            self.generation, self.numbers = self.generation + 1, 0
        self.begin()
        self.unread = bool(self.open_runs())
        for job in self.jobs.values():
            job.now, job.unread, job.asks_later = now, self.unread, False
            for run in job.runs:
                run.restore(now)
                run.is_stale = is_generation and run.number is not None
        for offset in range(again_from, len(self.log)):
            self.read(offset, again=True)
        self.advance(now)

    def caught_up(self) -> None:
        self.unread = False
        for job in self.jobs.values():
            job.unread = False
            if job.asks_later and job.waiting and job.in_way():
                job.ask_all()
            job.asks_later = False
        self.advance(self.now)

    def reports_lost(self) -> None:
        for job in self.jobs.values():
            job.reports_lost()
        self.advance(self.now)

    # ---- reports ----

    def report(self, now: int, report: Report) -> None:
        self.advance(now)
        self.log.append(report)
        self.read(len(self.log) - 1)
        self.advance(now)

    def find(self, run_id: str) -> tuple[RunsJob, Run] | None:
        return next(((job, run) for job, run in self.open_runs() if run.id == run_id), None)

    def read(self, offset: int, again: bool = False) -> None:
        said = self.log[offset]
        if said is None:
            return
        number = next((n for n, label in self.labels.items() if label == said["of"]), None)
        found = self.find(said["run"])
        if again and (found is None or number is None or found[1].number != number):
            return
        is_sign = said["word"] in ("started", "running")
        if found is None:
            if number is None:
                self.lines.append(f"letter {said['run']} unknown_run")
            elif is_sign:
                self.answer_zombie(number)
            return
        job, run = found
        if said["workers"] != run.terms["workers"]:
            return
        if number is None or number > run.newest:
            self.lines.append(f"letter {said['run']} unknown_run")
        elif number != run.number:
            if is_sign:
                self.answer_zombie(number)
            elif said["word"] != "released" and number in [n for n, _ in run.history]:
                job.late(number, said["word"])
        else:
            self.read_open(job, run, said, offset, again)
        job.settle()

    def read_open(self, job: RunsJob, run: Run, said: Report, offset: int, again: bool) -> None:
        if said["word"] == "started":
            job.started(run, said["token"], offset, said["appended"])
        elif said["word"] == "running":
            job.running(run, said["token"], offset, said["cursor"], again)
        else:
            if said["cursor"] is not None:
                job.keep_cursor(run, said["cursor"])
            assert run.number is not None
            job.report(run.number, said["word"], said["exit"], said["after"])

    def answer_zombie(self, number: int) -> None:
        said = self.zombies.get(number % ZOMBIES)
        if said is None or self.now - said >= AGAIN_MS:
            self.zombies[number % ZOMBIES] = self.now
            self.lines.append(f"cancel / run={self.labels[number]}")

    # ---- commands ----

    def command(self, now: int, command: Json) -> None:
        self.advance(now)
        offset, self.offset = self.offset, self.offset + 1
        if command["op"] == "add":
            outcome = self.add(command["job"], f"{now}-0.{offset}.0")
        else:
            outcome = self.change(command)
        self.lines.append(f"result {command['op']} {outcome}")
        self.advance(now)

    def add(self, said: Json, incarnation: str) -> str:
        name = f"{said['group']}/{said['id']}"
        job = self.jobs.get(name)
        fault = fault_of(said)
        if fault:
            return f"rejected {fault} 0/0"
        if job is not None and job.exists:
            return "conflict exists 1/0"
        if self.never_fires(said):
            return "rejected never_fires 1/0"
        said = {**said, "incarnation": incarnation}
        self.lives[name] = incarnation
        if job is None:
            self.jobs[name] = RunsJob(said, self.now, lambda what, more: self.hear(
                name, what, more), self.number)
        else:
            job.now = self.now
            job.add(said)
            self.jobs[name] = self.jobs.pop(name)  # it is the newest
        self.jobs[name].unread = self.unread
        return "applied  1/1"

    def never_fires(self, said: Json) -> bool:
        due = Schedule(said["schedule"], self.now).next(self.now)
        return due is None or (said.get("end") is not None and due >= instant(said["end"]))

    def change(self, command: Json) -> str:
        names = {f"g/{name}" for name in command["select"]["ids"]}
        targets = [self.jobs[name] for name in self.jobs  # as they were added
                   if name in names and self.jobs[name].exists]
        if not targets:
            return "conflict not_found 0/0"
        check, do = getattr(self, f"check_{command['op']}"), getattr(self, f"do_{command['op']}")
        verdicts = [(job, check(job, command)) for job in targets]
        faults = [verdict for _, verdict in verdicts if verdict not in ("", "unchanged")]
        if faults and command.get("mode") != "each":
            verdicts = []
        changed = 0
        for job, verdict in verdicts:
            if verdict == "":
                job.now = self.now
                do(job, command)
                changed += 1
        code = faults[0].split(" ")[-1] if faults else ""
        is_rejected = any(fault.startswith("rejected ") for fault in faults)
        outcome = ("partial" if changed else "rejected" if is_rejected else "conflict") if faults \
            else "applied" if changed else "unchanged"
        return f"{outcome} {code} {len(targets)}/{changed}"

    def check_update(self, job: RunsJob, command: Json) -> str:
        change = command["set"]
        merged = {**job.said, **change}
        if change.get("retry") is not None:
            merged["retry"] = {**(job.said.get("retry") or {}), **change["retry"]}
        merged = {name: value for name, value in merged.items() if value is not None}
        fault = fault_of(merged)
        if fault:
            return f"rejected {fault}"
        if {"schedule", "end"} & set(change) and self.never_fires(merged):
            return "rejected never_fires"
        return "unchanged" if plain(merged) == plain(job.said) else ""

    def do_update(self, job: RunsJob, command: Json) -> None:
        job.update(command["set"])

    def check_pause(self, job: RunsJob, command: Json) -> str:
        until = instant(command["until"]) if "until" in command else None
        same = job.paused_at is not None and job.until == until
        return "unchanged" if same or job.finished_at is not None else ""

    def do_pause(self, job: RunsJob, command: Json) -> None:
        job.pause(instant(command["until"]) if "until" in command else None)

    def check_resume(self, job: RunsJob, _command: Json) -> str:
        return "unchanged" if job.paused_at is None else ""

    def do_resume(self, job: RunsJob, command: Json) -> None:
        job.resume(command.get("from", "now"))

    def check_delete(self, _job: RunsJob, _command: Json) -> str:
        return ""

    def do_delete(self, job: RunsJob, command: Json) -> None:
        job.delete(command.get("cancel_runs", False))

    def check_trigger(self, job: RunsJob, command: Json) -> str:
        return "overlap" if job.in_way() and command.get("overlap") != "allow" else ""

    def do_trigger(self, job: RunsJob, command: Json) -> None:
        job.open_run(f"t:{command['command_id']}", "trigger", self.now)

    def check_cancel(self, job: RunsJob, command: Json) -> str:
        return "" if job.can_cancel(command.get("run")) else "unchanged"

    def do_cancel(self, job: RunsJob, command: Json) -> None:
        job.cancel(command.get("run"))

    def check_backfill(self, job: RunsJob, command: Json) -> str:
        if command["backfill_id"] in job.had:
            return "exists"
        if len(job.backfills) == BACKFILLS_MAX:
            return "too_many"
        start = instant(command["from"])
        return "" if job.plain_slots(start, self.now) else "unchanged"

    def do_backfill(self, job: RunsJob, command: Json) -> None:
        job.backfill(command["backfill_id"], instant(command["from"]) + 1, self.now + 1)

    def check_requeue(self, job: RunsJob, command: Json) -> str:
        run = next((one for one in job.runs if one.id == command["run"]), None)
        if run is not None and run.number is not None:
            return "run_open"
        if run is not None:
            assert run.retry_at is not None
            return "" if run.retry_at > self.now else "unchanged"
        if "lease" not in job.said:
            return "lease_required"
        life, name = command["run"].split("@")
        if life != job.said["incarnation"]:
            return "not_found"
        if name.startswith("b:"):
            _, backfill, due = name.split(":")
            if backfill not in job.had:
                return "not_found"
            if any(int(due) in one["slots"] for one in job.backfills if one["id"] == backfill):
                return "run_open"
        if name.isdigit() and self.is_to_come(job, int(name)):
            return "run_open"
        return "overlap" if job.in_way() and command.get("overlap") != "allow" else ""

    def is_to_come(self, job: RunsJob, due: int) -> bool:
        jitter = duration(job.said["jitter"]) if job.said.get("jitter") else 0
        return due > self.now or due in [one.due for one in job.waiting] or (
            due in job.schedule.within(due - 1, due)
            and due + job.delay(due, jitter) > self.now)

    def do_requeue(self, job: RunsJob, command: Json) -> None:
        run = next((one for one in job.runs if one.id == command["run"]), None)
        if run is not None:
            run.retry_at = self.now
            run.record()
            job.try_again(run)
            job.settle()
            return
        name = command["run"].split("@")[1]
        kind = {"t": "trigger", "b": "backfill"}.get(name[0], "schedule")
        due = self.now if kind == "trigger" else int(name.split(":")[-1])
        job.open_run(name, kind, due, is_again=True)
