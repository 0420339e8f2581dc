"""What became of runs, by who was not there: from the topics of fires, reports and events, and from
a side log in which the programs themselves and whoever kills and freezes them write.

    verdict = judge(History(jobs, fires, reports, events, side_lines), until_ms)

It knows nothing of leases, claims and ticks, and has no code of Belfry's. All of `Verdict.faults()`
must be 0. What a frozen process may do after it wakes, until it looks at a clock, is counted apart:
docs/runs.md names it, and runnumber is the fence for it.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Any, Iterable

from oracle_fold import instant_ms

ENDS_WELL = ("success", "cancelled")
FINAL = (*ENDS_WELL, "failure", "timeout", "refused", "lost_lease")
HELD_UP_MS = 2000  # woken so shortly before its start, a program could not know better


@dataclasses.dataclass(frozen=True)
class Job:
    """What a job says, as far as it matters here. Its slots are the multiples of every_ms."""

    incarnation: str
    every_ms: int
    from_ms: int  # slots behind it count
    overlap: str = "allow"
    attempts: int = 1
    workers: str = "chaos-workers"


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of the side log. Its order there is the order in which things happened.

    start, end: a program, with `run` and `number`; killed, frozen, thawed: a process.
    """

    wall_ms: int
    pid: int
    word: str
    run: str = ""
    number: int = 0


@dataclasses.dataclass
class History:
    jobs: list[Job]
    fires: list[tuple[int, dict[str, Any]]]  # when it was produced, what
    reports: list[dict[str, Any]]  # of each partition in its order
    events: list[dict[str, Any]]
    side: list[Line]
    open: set[str] = dataclasses.field(default_factory=set)  # runs that the state log has


@dataclasses.dataclass
class Verdict:
    twice: int = 0  # tries started twice
    closed: int = 0  # tries started behind their end
    overlaps: int = 0  # two tries of a run at work at one time
    job_overlaps: int = 0  # two runs of a job that forbids it
    unended: int = 0  # runs without an end
    revived: int = 0  # tries fired behind the end of their run
    too_many: int = 0  # runs with more tries that count than `attempts`
    unaccounted: int = 0  # slots neither fired nor named
    doubled: int = 0  # slots fired twice, or fired and named
    miscounted: int = 0  # events that name another number of slots than the schedule has
    frozen: int = 0  # the same as `closed` and both overlaps, of a process that was frozen then
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    said: list[str] = dataclasses.field(default_factory=list)

    FAULTS = ("twice", "closed", "overlaps", "job_overlaps", "unended", "revived", "too_many",
              "unaccounted", "doubled", "miscounted")

    def faults(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.FAULTS}

    def wrong(self, fault: str, text: str, times: int = 1) -> None:
        setattr(self, fault, getattr(self, fault) + times)
        self.said.append(f"{fault}: {text}")

    def __str__(self) -> str:
        counts = " ".join(f"{name}={count}" for name, count in sorted(self.counts.items()))
        faults = " ".join(f"{name}={count}" for name, count in self.faults().items())
        return f"{faults}; frozen={self.frozen}; {counts}"


@dataclasses.dataclass
class Try:
    run: str
    number: int
    place: int  # of its start in the side log
    wall_ms: int
    pid: int
    end: int  # the first place at which it is not at work any more


def _tries(side: list[Line], verdict: Verdict) -> list[Try]:
    """Every start of a program, and where it ended: by itself, or with its process."""
    found: list[Try] = []
    at_work: dict[int, list[Try]] = collections.defaultdict(list)
    for place, line in enumerate(side):
        verdict.counts[line.word] += 1
        if line.word == "start":
            one = Try(line.run, line.number, place, line.wall_ms, line.pid, len(side))
            found.append(one)
            at_work[line.pid].append(one)
        elif line.word == "end":
            for one in at_work[line.pid]:
                if (one.run, one.number) == (line.run, line.number):
                    one.end = min(one.end, place)
        elif line.word == "killed":
            for one in at_work.pop(line.pid, []):
                one.end = min(one.end, place)
    return found


class _Freezes:
    """When which process stood still."""

    def __init__(self, side: list[Line]):
        self.spans: dict[int, list[list[int]]] = collections.defaultdict(list)  # places
        self.woken_ms: dict[int, list[tuple[int, int]]] = collections.defaultdict(list)
        for place, line in enumerate(side):
            if line.word == "frozen":
                self.spans[line.pid].append([place, len(side)])
            elif line.word == "thawed" and self.spans[line.pid]:
                self.spans[line.pid][-1][1] = place
                self.woken_ms[line.pid].append((place, line.wall_ms))

    def touch(self, one: Try) -> bool:
        """It was frozen while it was at work."""
        return any(begin < one.end and one.place < end for begin, end in self.spans[one.pid])

    def held_up(self, one: Try) -> bool:
        """It was frozen right before its start."""
        return any(place < one.place and one.wall_ms - woken_ms <= HELD_UP_MS
                   for place, woken_ms in self.woken_ms[one.pid])


def _incarnation(run: str) -> str:
    return run.partition("@")[0]


def _fired(history: History) -> dict[str, dict[int, int]]:
    """Of each run, when its tries were fired, by runnumber."""
    runs: dict[str, dict[int, int]] = collections.defaultdict(dict)
    for at_ms, fire in history.fires:
        if "runnumber" in fire:
            runs[fire["id"]].setdefault(int(fire["runnumber"]), at_ms)
    return runs


def _ended(history: History) -> dict[str, list[int]]:
    """Of each run that failed, when that was said."""
    ended: dict[str, list[int]] = collections.defaultdict(list)
    for event in history.events:
        if event["event"] == "run_failed":
            ended[event["run"]].append(instant_ms(event["at"]))
    return ended


def _judge_starts(history: History, tries: list[Try], freezes: _Freezes, verdict: Verdict) -> None:
    fired, ended = _fired(history), _ended(history)
    starts = collections.Counter((one.run, one.number) for one in tries)
    for name, count in starts.items():
        if count > 1:
            verdict.wrong("twice", f"{name} was started {count} times", count - 1)
    for one in tries:
        later = [at_ms for number, at_ms in fired[one.run].items() if number > one.number]
        over_ms = min([*later, *ended.get(one.run, [])], default=None)
        if over_ms is None or one.wall_ms <= over_ms:
            continue
        if freezes.held_up(one):
            verdict.frozen += 1
        else:
            verdict.wrong("closed", f"{one.run} #{one.number} was started "
                                    f"{one.wall_ms - over_ms} ms behind its end")


def _judge_overlaps(name: str, fault: str, tries: Iterable[Try], freezes: _Freezes,
                    verdict: Verdict) -> None:
    ordered = sorted(tries, key=lambda one: one.place)
    for at, first in enumerate(ordered):
        for second in ordered[at + 1:]:
            if second.place >= first.end:
                continue
            if fault == "job_overlaps" and first.run == second.run:
                continue
            if (first.run, first.number) == (second.run, second.number):
                continue  # that is `twice`
            if freezes.touch(first) or freezes.held_up(first) or freezes.held_up(second):
                verdict.frozen += 1
            else:
                verdict.wrong(fault, f"{name}: {first.run} #{first.number} and {second.run} "
                                     f"#{second.number} at one time")


def _judge_ends(history: History, verdict: Verdict) -> None:
    jobs = {job.incarnation: job for job in history.jobs}
    fired, ended = _fired(history), _ended(history)
    reports: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for report in history.reports:
        reports[report.get("run", "")].append(report)
    for run, numbers in fired.items():
        job = jobs.get(_incarnation(run))
        own = [report for report in reports[run]
               if job is None or report.get("workers") == job.workers]
        newest = max(numbers)
        well = [report for report in own
                if report["report"] in ENDS_WELL and int(report["runnumber"]) == newest]
        failed = ended.get(run, [])
        # One that was asked to stop is over without a word, however its worker has ended it.
        replaced = job is not None and job.overlap == "cancel_other"
        if run in history.open or not (well or failed or replaced):
            verdict.wrong("unended", f"{run} has {len(numbers)} tries and no end")
        if len(failed) > 1 or (failed and max(numbers.values()) > max(failed)):
            verdict.wrong("revived", f"{run} went on behind its end")
        released = {int(report["runnumber"]) for report in own if report["report"] == "released"}
        counted = len(numbers.keys() - released)
        if job is not None and counted > job.attempts:
            verdict.wrong("too_many", f"{run} had {counted} tries of {job.attempts}")
        verdict.counts["runs"] += 1
        verdict.counts["retries"] += len(numbers) - 1


def _judge_slots(history: History, until_ms: int, verdict: Verdict) -> None:
    fired: dict[str, collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for run, numbers in _fired(history).items():
        incarnation, _, nominal = run.partition("@")
        if nominal.isdigit():
            fired[incarnation][int(nominal)] += 1
    records = collections.Counter((fire["id"], fire["runnumber"]) for _, fire in history.fires
                                  if "runnumber" in fire)
    firsts = collections.Counter(fire["id"] for _, fire in history.fires if fire.get("try") == 1)
    for job in history.jobs:
        due = set(range((job.from_ms // job.every_ms + 1) * job.every_ms, until_ms + 1,
                        job.every_ms))
        named: collections.Counter[int] = collections.Counter()
        for event in history.events:
            if event["event"] not in ("missed", "skipped") or \
                    event.get("incarnation") != job.incarnation:
                continue
            first, last = instant_ms(event["first"]), instant_ms(event["last"])
            span = [slot for slot in range(-(-first // job.every_ms) * job.every_ms, last + 1,
                                           job.every_ms)]
            left_out = [slot for slot in span if slot not in fired[job.incarnation]]
            if len(left_out) != event["count"]:
                verdict.wrong("miscounted", f"{event} has {len(left_out)} slots")
            if event.get("reason") in ("overlap", "buffer_full") and not event.get("run"):
                verdict.wrong("miscounted", f"{event} does not name the run in the way")
            named.update(left_out)
        for slot in due:
            if slot not in fired[job.incarnation] and slot not in named:
                verdict.wrong("unaccounted", f"{job.incarnation}@{slot}")
        for slot, count in named.items():
            if count > 1:
                verdict.wrong("doubled", f"{job.incarnation}@{slot} is named {count} times")
        verdict.counts["slots"] += len(due)
        verdict.counts["named"] += len(named)
    for name, count in (records | firsts).items():
        if count > 1:
            verdict.wrong("doubled", f"{name} was fired {count} times")


def judge(history: History, until_ms: int) -> Verdict:
    """`until_ms`: up to there each slot is to be accounted for."""
    verdict = Verdict()
    tries = _tries(history.side, verdict)
    freezes = _Freezes(history.side)
    jobs = {job.incarnation: job for job in history.jobs}
    _judge_starts(history, tries, freezes, verdict)
    by_run: dict[str, list[Try]] = collections.defaultdict(list)
    by_job: dict[str, list[Try]] = collections.defaultdict(list)
    for one in tries:
        by_run[one.run].append(one)
        by_job[_incarnation(one.run)].append(one)
    for run, found in by_run.items():
        _judge_overlaps(run, "overlaps", found, freezes, verdict)
    for incarnation, found in by_job.items():
        if incarnation in jobs and jobs[incarnation].overlap != "allow":
            _judge_overlaps(incarnation, "job_overlaps", found, freezes, verdict)
    _judge_ends(history, verdict)
    _judge_slots(history, until_ms, verdict)
    return verdict
