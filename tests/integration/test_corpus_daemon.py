"""The contract's corpus and large commands, sent to a running daemon."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Iterator

from harness import Kafka, Redis, read_all, wait_for
from oracle_fold import instant_ms, instant_text
from scenario import Scenario, group_on, job, now_ms

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
SHARDS = 2
NEVER = {"at": "2099-01-01T00:00:00Z"}
# What a command that can be read may still meet, depending on the day and the jobs that are there.
OF_STATE = {"never_fires", "bad_value", "exists", "not_found", "count_mismatch", "expired",
            "revision_mismatch", "from_before_pause", "from_in_future", "expect_needs_groups",
            "lease_required"}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=UTF-8"}
BINARY = {"ce_specversion": "1.0", "ce_id": "evt-7", "ce_source": "/shop",
          "ce_type": "com.example.command", "content-type": "application/json"}
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")


def setup(kafka: Kafka, redis: Redis, cluster: str) -> Iterator[Scenario]:
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon(env={"BELFRY_LOG_LEVEL": "debug", "BELFRY_FIRES_TOPICS": "billing.fires",
                          "BELFRY_RESULTS_TOPICS": "billing.results"})
        yield scene


def headers_of(path: Path) -> dict[str, str] | None:
    """As schemas/examples/README.md says."""
    return {"structured": STRUCTURED, "binary": BINARY}.get(path.name.split("-", 1)[0])


def commands(pattern: str) -> list[Path]:
    return [path for path in sorted(EXAMPLES.glob(pattern))
            if path.name.split("-", 1)[0] in ("command", "structured", "binary")]


def results_of(scene: Scenario, paths: list[Path]) -> dict[Path, dict[str, Any]]:
    """Sends the files and collects the first result of each."""
    places = {}
    for path in paths:
        sent = scene.client.send(path.read_bytes(), key="billing", headers=headers_of(path))
        places[(sent.partition, sent.offset)] = path
    found: dict[Path, dict[str, Any]] = {}

    def complete() -> bool:
        scene.client.poll(0.05)
        for results in scene.client.by_command.values():
            for result in results:
                path = places.get((result["source"]["partition"], result["source"]["offset"]))
                if path is not None:
                    found.setdefault(path, result)
        return len(found) == len(paths)

    wait_for(complete, 60, "a result of each example", every_s=0.0)
    return found


def test_invalid_examples_get_their_code(shared: Scenario) -> None:
    paths = [path for path in commands("invalid/*/*.json")
             if path.parent.name != "not_supported" or not path.name.startswith("command-")]
    wrong = [f"{path}: {result['outcome']} {result.get('code')}"
             for path, result in results_of(shared, paths).items()
             if (result["outcome"] != "rejected" or result.get("code") != path.parent.name)
             and not (headers_of(path) and result["outcome"] == "duplicate")]  # one event id
    assert len(paths) >= 200 and not wrong, "\n".join(wrong)


def test_valid_examples_are_read(shared: Scenario) -> None:
    paths = commands("valid/*.json")
    wrong = [f"{path}: {result['outcome']} {result.get('code')}"
             for path, result in results_of(shared, paths).items()
             if result.get("code") is not None and result["outcome"] != "duplicate"
             and result["code"] not in OF_STATE]
    assert len(paths) >= 90 and not wrong, "\n".join(wrong)


def test_no_control_character_reaches_the_log(shared: Scenario) -> None:
    """After all examples, and some that try hard."""
    for text in ("\u001b]0;title\u0007", "a\nlevel=error event=forged", "\u009b31m"):
        hostile = {"op": text, "command_id": f"hostile {text}", "jobs": [job(text, text, NEVER)]}
        shared.client.send(json.dumps(hostile), key="billing")
    shared.call({"op": "ping"}, key="billing")
    log = shared.daemons[0].log.read_bytes()
    assert log.count(b"event=command.rejected") >= 200
    assert not CONTROL.search(log), CONTROL.search(log)
    assert not re.search(rb"^level=error event=forged", log, re.MULTILINE)


def test_two_thousand_jobs_are_atomic(shared: Scenario) -> None:
    group = group_on(0, SHARDS, "many")
    jobs = [job(group, f"j{number}", NEVER) for number in range(2000)]
    shared.call({"op": "add", "job": jobs[1999]})
    result, = shared.call({"op": "add", "jobs": jobs}, "conflict")
    assert (result["code"], result["matched"], result["changed"]) == ("exists", 2000, 0)
    assert result["errors"][0]["field"] == "/jobs/1999"
    result, = shared.call({"op": "add", "jobs": jobs, "mode": "each"}, "partial")
    assert result["changed"] == 1999
    result, = shared.call({"op": "add", "jobs": [*jobs, jobs[0]]}, "rejected")
    assert result["code"] == "too_many"
    result, = shared.call({"op": "delete", "select": {"groups": [group]}, "expect": 2000})
    assert result["changed"] == 2000


def test_groups_of_two_shards_cannot_be_counted_together(shared: Scenario) -> None:
    groups = [group_on(shard, SHARDS, "count") for shard in range(SHARDS)]
    result, = shared.call({"op": "pause", "select": {"groups": groups}, "expect": 2}, "rejected")
    assert result["code"] == "expect_needs_groups" and result["shards"] == 1


def test_mode_each_over_two_shards_lists_each_error_once(shared: Scenario) -> None:
    groups = [group_on(shard, SHARDS, "each") for shard in range(SHARDS)]
    jobs: list[Any] = [job(group, name, NEVER) for group in groups for name in ("a", "not good")]
    results = shared.call({"op": "add", "mode": "each", "jobs": [*jobs, 7]}, "partial",
                          key=groups[0])
    assert [r["changed"] for r in results] == [1, 1]
    fields = sorted(error["field"] for r in results for error in r["errors"])
    assert fields == ["/jobs/1/id", "/jobs/3/id", "/jobs/4"]


def test_backfill_through_a_kill(shared: Scenario) -> None:
    """Each slot of the range comes once, also when the daemon dies meanwhile."""
    group = group_on(1, SHARDS, "backfill")
    shared.call({"op": "add", "job": job(group, "a", {"cron": "0 * * * *"})})
    to_ms = now_ms() // 3_600_000 * 3_600_000
    from_ms = to_ms - 100 * 3_600_000
    begin = len(shared.fires.read_to_end())
    shared.call({"op": "backfill", "select": {"groups": [group]}, "backfill_id": "again",
                 "rate": 50, "from": instant_text(from_ms), "to": instant_text(to_ms)})
    shared.wait_fires(10, matching=lambda fire: fire["jobgroup"] == group)
    shared.daemons[0].kill9()
    shared.daemons[0].start().wait_ready()

    def fired() -> list[dict[str, Any]]:
        return [r.json for r in shared.fires.read_to_end()[begin:]
                if r.json["jobgroup"] == group and r.json["firekind"] == "backfill"]

    wait_for(lambda: len(fired()) >= 100, 60, "100 fires", every_s=0.2)
    due = [instant_ms(fire["dueat"]) for fire in fired()]
    assert due == [from_ms + (k + 1) * 3_600_000 for k in range(100)]
    for fire in fired():
        nominal_ms = instant_ms(fire["dueat"])
        assert fire["id"] == f"{fire['jobincarnation']}@b:again:{nominal_ms}"


def test_core_rejections_are_dead_letters(shared: Scenario) -> None:
    """Also what only the job's schedule makes wrong."""
    group = group_on(0, SHARDS, "dead")
    result, = shared.call({"op": "add", "job": job(group, "a", {"cron": "0 0 * * *"},
                                                   end="2020-01-01T00:00:00Z")}, "rejected")
    assert result["code"] == "never_fires" and result["field"] == "/job/schedule"
    place = (f"{shared.cluster}.control", str(result["source"]["partition"]),
             str(result["source"]["offset"]))
    letters = [dict(record.headers) for record in read_all(
        shared.kafka.bootstrap, f"{shared.cluster}.dead")]
    found = [letter for letter in letters
             if tuple(text_of(letter[f"dlq_{name}"]) for name in ("topic", "partition", "offset"))
             == place]
    assert [text_of(letter["dlq_code"]) for letter in found] == ["never_fires"]


def text_of(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
