"""The checker of runs, on histories that are made up: a good one has no fault, and each fault put
into it is counted once and as nothing else."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any, Callable

from oracle_fold import instant_text

sys.path.insert(0, str(Path(__file__).resolve().parent))

from runs_checker import History, Job, Line, judge  # noqa: E402 -- found through the line above

NOW_MS = 1_780_000_000_000
ALONE, FREE = f"{NOW_MS}-1.1.0", f"{NOW_MS}-1.2.0"  # a job with `skip`, one with `allow`
UNTIL_MS = NOW_MS + 5000


def fire(run: str, number: int, at_ms: int, count: int = 1) -> tuple[int, dict[str, Any]]:
    return at_ms, {"id": run, "runnumber": str(number), "try": count, "attempt": 1}


def report(run: str, number: int, word: str) -> dict[str, Any]:
    return {"run": run, "runnumber": str(number), "report": word, "workers": "chaos-workers"}


def run_of(incarnation: str, slot: int) -> str:
    return f"{incarnation}@{NOW_MS + slot * 1000}"


def good() -> History:
    """Slots of five seconds: the first of ALONE fails once and succeeds, two are left out for it,
    and those behind are fired; FREE has a run that is lost for good, and overlaps."""
    first, last = run_of(ALONE, 1), run_of(ALONE, 5)
    lost, beside = run_of(FREE, 2), run_of(FREE, 4)
    fires = [fire(first, 1, NOW_MS + 1000), fire(first, 2, NOW_MS + 2500, 2),
             fire(run_of(ALONE, 4), 3, NOW_MS + 4000), fire(last, 4, NOW_MS + 5000),
             fire(lost, 5, NOW_MS + 2000), fire(beside, 6, NOW_MS + 4000)]
    reports = [report(first, 1, "failure"), report(first, 2, "success"),
               report(run_of(ALONE, 4), 3, "success"), report(last, 4, "success"),
               report(beside, 6, "success")]
    events = [{"event": "skipped", "incarnation": ALONE, "first": instant_text(NOW_MS + 2000),
               "last": instant_text(NOW_MS + 3000), "count": 2, "reason": "overlap", "run": first},
              {"event": "run_failed", "run": lost, "at": instant_text(NOW_MS + 14000)}]
    side = [Line(NOW_MS + 1010, 7, "start", first, 1), Line(NOW_MS + 2010, 7, "start", lost, 5),
            Line(NOW_MS + 2400, 7, "end", first, 1), Line(NOW_MS + 2600, 8, "start", first, 2),
            Line(NOW_MS + 3500, 8, "end", first, 2),
            Line(NOW_MS + 4010, 8, "start", run_of(ALONE, 4), 3),
            Line(NOW_MS + 4020, 8, "start", beside, 6), Line(NOW_MS + 4900, 7, "killed"),
            Line(NOW_MS + 4950, 8, "end", run_of(ALONE, 4), 3),
            Line(NOW_MS + 4960, 8, "end", beside, 6), Line(NOW_MS + 5010, 8, "start", last, 4),
            Line(NOW_MS + 5500, 8, "end", last, 4)]
    jobs = [Job(ALONE, 1000, NOW_MS, "skip", attempts=2), Job(FREE, 2000, NOW_MS, attempts=2)]
    return History(jobs, fires, reports, events, side)


def put(place: int, *lines: Line) -> Callable[[History], None]:
    def change(history: History) -> None:
        history.side[place:place] = lines
    return change


def swap(first: int, second: int) -> Callable[[History], None]:
    def change(history: History) -> None:
        side = history.side
        side[first], side[second] = side[second], side[first]
    return change


def drop(name: str, place: int) -> Callable[[History], None]:
    def change(history: History) -> None:
        del getattr(history, name)[place]
    return change


def add(name: str, value: Any) -> Callable[[History], None]:
    def change(history: History) -> None:
        getattr(history, name).append(value)
    return change


def count_more(history: History) -> None:
    history.events[0]["count"] = 3


def name_nobody(history: History) -> None:
    del history.events[0]["run"]


def one_try_only(history: History) -> None:
    history.jobs[0] = Job(ALONE, 1000, NOW_MS, "skip", attempts=1)


FIRST, LOST = run_of(ALONE, 1), run_of(FREE, 2)
FAULTS: list[tuple[str, str, Callable[[History], None]]] = [
    ("twice", "a try started again behind its first end",
     put(3, Line(NOW_MS + 2450, 8, "start", FIRST, 1), Line(NOW_MS + 2460, 8, "end", FIRST, 1))),
    ("twice", "the same beside it", put(1, Line(NOW_MS + 1020, 8, "start", FIRST, 1),
                                        Line(NOW_MS + 1030, 8, "end", FIRST, 1))),
    ("closed", "started when the next try was out",
     lambda history: history.side.__setitem__(
         0, Line(NOW_MS + 2501, 7, "start", FIRST, 1))),
    ("closed", "started when its run had failed",
     lambda history: history.side.__setitem__(
         1, Line(NOW_MS + 14001, 7, "start", LOST, 5))),
    ("overlaps", "a retry begins before the first try has ended", swap(2, 3)),
    ("job_overlaps", "the next run of a job with skip begins before", swap(4, 5)),
    ("unended", "a run without a report or an event", drop("reports", 2)),
    ("unended", "the end was said for another group",
     lambda history: history.reports[2].__setitem__("workers", "others")),
    ("unended", "a lost run that nobody buried", drop("events", 1)),
    ("unended", "a run still open in the state log", lambda history: history.open.add(LOST)),
    ("revived", "a try behind the letter", add("fires", fire(LOST, 9, NOW_MS + 14500, 2))),
    ("revived", "two letters", add("events", {"event": "run_failed", "run": LOST,
                                              "at": instant_text(NOW_MS + 14100)})),
    ("too_many", "one try more than allowed", one_try_only),
    ("unaccounted", "a slot that nobody speaks of", lambda history: (
        history.events[0].update(first=instant_text(NOW_MS + 3000), count=1))),
    ("doubled", "a try fired twice", add("fires", fire(FIRST, 2, NOW_MS + 2600, 2))),
    ("doubled", "a slot opened twice", add("fires", fire(run_of(ALONE, 4), 0, NOW_MS + 3990))),
    ("miscounted", "an event that counts wrongly", count_more),
    ("miscounted", "an event that names no run", name_nobody)]


def test_a_good_history_has_no_fault() -> None:
    verdict = judge(good(), UNTIL_MS)
    assert not any(verdict.faults().values()) and verdict.frozen == 0, verdict.said
    assert verdict.counts["runs"] == 5 and verdict.counts["slots"] == 7, verdict


def test_each_fault_is_counted_once() -> None:
    for fault, what, change in FAULTS:
        history = good()
        change(history)
        verdict = judge(history, UNTIL_MS)
        found = {name: count for name, count in verdict.faults().items() if count}
        assert found == {fault: 1}, (what, verdict.said)


def test_a_run_that_was_asked_to_stop_is_over_without_a_word() -> None:
    history = good()
    del history.events[1]
    history.jobs[1] = Job(FREE, 2000, NOW_MS, "cancel_other", attempts=2)
    history.side[6] = history.side[5]  # nothing beside it
    history.side[9] = history.side[8]
    assert judge(history, UNTIL_MS).unended == 0
    history.open.add(LOST)
    assert judge(history, UNTIL_MS).unended == 1


def test_what_a_frozen_process_does_is_counted_apart() -> None:
    """Frozen at work it goes on when it wakes; frozen right before a start it starts."""
    history = good()
    history.side[2:4] = [Line(NOW_MS + 1500, 7, "frozen"), history.side[3],
                         Line(NOW_MS + 2700, 7, "thawed"), history.side[2]]
    verdict = judge(history, UNTIL_MS)
    assert not any(verdict.faults().values()) and verdict.frozen == 1, verdict.said
    history = good()
    history.side[0:1] = [Line(NOW_MS + 1005, 7, "frozen"), Line(NOW_MS + 2490, 7, "thawed"),
                         Line(NOW_MS + 2501, 7, "start", FIRST, 1)]
    verdict = judge(history, UNTIL_MS)
    assert not any(verdict.faults().values()) and verdict.frozen == 1, verdict.said
    unfrozen = copy.deepcopy(history)
    del unfrozen.side[0:2]
    assert judge(unfrozen, UNTIL_MS).closed == 1
