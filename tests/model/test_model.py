"""Random sequences against the reference model: results, events, fires and jobs agree exactly.

MODEL_SEQUENCES says how many (make model: 100,000), MODEL_SEED where to begin.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

sys.path.insert(0, str(Path(__file__).resolve().parent))

from commands import Control  # noqa: E402 -- found through the line above
from harness import BUILD
from model import Json, text
from runner import limit
from sequences import START_MS, sequence

SEQUENCES = int(os.environ.get("MODEL_SEQUENCES", 2000))
SEED = int(os.environ.get("MODEL_SEED", 1))
TOGETHER = 500  # sequences a run of the driver
IGNORED = {"message", "source", "shard", "shards", "sequence", "applied_at", "warnings", "dry_run",
           "correlation_id"}
LANE_EVENTS = {"catchup_finished", "backfill_finished"}
JOB_FIELDS = ("revision", "incarnation", "ordinal", "super_group", "payload", "labels", "start",
              "end", "max_fires", "traceparent")

Said = list[tuple[str, Any]]


def order_of(step: tuple[Any, ...]) -> str:
    """The line of the driver."""
    if step[0] == "open":
        return f"open {text(START_MS)} {step[1]} {step[2]}"
    if step[0] == "advance":
        return f"advance {text(step[1])}"
    if step[0] in ("command", "interrupted"):
        return f"{step[0]} {text(step[1])} {text(step[2])} {json.dumps(step[3])}"
    return str(step[0])


def done_when_interrupted(said: Said) -> int | None:
    """How far a command came that could not be gone on with: where a transaction is full is the
    daemon's affair, what then stands in the jobs and in the result is not."""
    for kind, what in said:
        if kind == "result" and what.get("code") == "interrupted":
            return int(what["changed"])
    return None


def model_says(steps: list[tuple[Any, ...]], heard: list[Said]) -> Iterator[Said]:
    """`heard`: what the driver has said of the steps so far and of this one."""
    said: Said = []
    shard: Control | None = None
    for step in steps:
        if step[0] == "open":
            shard = Control(START_MS, lambda kind, what: said.append((kind, what)))
        assert shard is not None
        if step[0] == "advance":
            shard.advance(step[1], step[1])
            shard.lane(step[1])
        elif step[0] == "command":
            shard.command(step[1], step[2], step[3])
        elif step[0] == "interrupted":
            shard.command(step[1], step[2], step[3], done_when_interrupted(heard[-1]))
        elif step[0] == "jobs":
            said.extend(("job", job_of(job)) for job in shard.in_order())
        yield list(said)
        said.clear()


def job_of(job: Any) -> Json:
    """A job of the model as far as records are compared."""
    state = "finished" if job.finished_at is not None else \
        "paused" if job.paused_at is not None else "active"
    made: Json = {"name": job.name, "state": state, "revision": job.revision,
                  "incarnation": job.incarnation, "ordinal": job.ordinal,
                  "created_at": text(job.created), "updated_at": text(job.updated),
                  "schedule": dict(job.schedule.said),
                  "counted_fires": job.counted, "backfills": sorted(job.backfills),
                  "paused_at": None if job.paused_at is None else text(job.paused_at),
                  "until": None if job.until is None else text(job.until),
                  "schedule_edited_at": None if job.edited is None else text(job.edited)}
    if job.schedule.every:
        made["schedule"]["anchor"] = text(job.schedule.anchor)
    for name in ("super_group", "payload", "labels", "start", "end", "max_fires", "traceparent"):
        made[name] = job.fields[name] or (0 if job.fields[name] == 0 else None)
    return made


def job_said(record: Json) -> Json:
    made = {"name": f"{record['group']}/{record['id']}", "state": record["state"],
            "created_at": record["created_at"], "updated_at": record["updated_at"],
            "schedule": record["schedule"], "counted_fires": record.get("counted_fires", 0),
            "backfills": sorted(entry["id"] for entry in record.get("backfills", []))}
    for name in (*JOB_FIELDS, "paused_at", "until", "schedule_edited_at"):
        made[name] = record.get(name)
    return made


def driver_says(output: str) -> Iterator[Said]:
    said: Said = []
    for line in output.splitlines():
        kind, _, rest = line.partition(" ")
        if line == ".":
            yield said
            said = []
        elif kind == "fire":
            said.append((kind, tuple(rest.rsplit(" ", 1))))
        else:
            said.append((kind, json.loads(rest)))


def comparable(said: Said, whole: bool) -> list[str]:
    """Each utterance as text: results as they came, the rest in order of text."""
    results, others = [], []
    for kind, what in said:
        if kind == "result":
            left_out = IGNORED if whole else IGNORED | {"jobs", "errors", "field"}
            result = {name: value for name, value in what.items() if name not in left_out}
            for entry in result.get("errors", []):
                entry.pop("message", None)
                if not entry.get("field"):
                    entry.pop("field", None)
            results.append(json.dumps(result, sort_keys=True))
        elif kind == "event":
            event = {name: value for name, value in what.items() if name != "shard"}
            others.append(json.dumps(event, sort_keys=True))
        elif kind == "job":
            job = job_said(what) if "layout" in what else what
            others.append(json.dumps(job, sort_keys=True))
        else:
            others.append(" ".join(what))
    return results + sorted(others)


def without_times(lines: list[str]) -> list[str]:
    """Events of the lane have the time of its turn, which the model does not know."""
    made = []
    for line in lines:
        if '"event"' in line:
            event = json.loads(line)
            if event["event"] in LANE_EVENTS | {"exhausted"}:
                event.pop("at", None)
            line = json.dumps(event, sort_keys=True)
        made.append(line)
    return sorted(made)


def check(seeds: range) -> int:
    steps_of = {seed: list(sequence(seed)) for seed in seeds}
    orders = [order_of(step) for steps in steps_of.values() for step in steps]
    done = subprocess.run([BUILD / "tests" / "model" / "model_driver"], input="\n".join(orders),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"seeds {seeds}: {done.returncode}: {done.stderr[-2000:]}"
    answers = driver_says(done.stdout)
    count = 0
    for seed, steps in steps_of.items():
        story: list[str] = []
        whole = steps[0][1] == 0
        heard: list[Said] = []
        model = model_says(steps, heard)
        for step in steps:
            story.append(order_of(step))
            heard.append(next(answers))
            want = without_times(comparable(next(model), whole))
            got = without_times(comparable(heard[-1], whole))
            count += len(want)
            if want != got:
                missing = [line for line in want if line not in got]
                extra = [line for line in got if line not in want]
                raise AssertionError(f"seed {seed}: the model says\n  " + "\n  ".join(missing)
                                     + "\nthe shard says\n  " + "\n  ".join(extra)
                                     + "\nafter\n  " + "\n  ".join(story[-25:]))
    return count


@limit(3600)
def test_sequences_agree_with_the_model() -> None:
    count = 0
    for first in range(SEED, SEED + SEQUENCES, TOGETHER):
        count += check(range(first, min(first + TOGETHER, SEED + SEQUENCES)))
    print(f"{SEQUENCES} sequences from seed {SEED}: {count} lines agree")
    assert count > 20 * SEQUENCES
