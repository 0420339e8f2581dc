"""What the libraries people come from can do, walked through here feature by feature, and the
defects of theirs that must not be ours. docs/comparison.md names the same features.

First the interface of an in-process scheduler in Go (jobs with ids, groups and super groups, kept
in a database), then the scheduler of a workflow engine (launch plans with cron or a fixed rate).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Iterator

from harness import Belfryd, CommandClient, Kafka, Record, Redis, belfry, read_all, wait_for
from scenario import Scenario, every, job, now_ms

SHARDS = 4
FAR = {"at": "2099-01-01T00:00:00Z"}


class Shared:
    """A running daemon, a client for commands, and the command line."""

    def __init__(self, kafka: Kafka, redis: Redis):
        self.kafka, self.redis, self.cluster = kafka, redis, "features"
        self.daemon = Belfryd(kafka, redis, cluster=self.cluster, shards=SHARDS)
        self.client: CommandClient

    def call(self, command: dict[str, Any], outcome: str = "applied") -> dict[str, Any]:
        """The only result of a command on one shard."""
        result, = self.client.call(command, outcome=outcome)
        return result

    def cli(self, *args: object, expect: int | None = 0, **more: Any) -> Any:
        return belfry(self.kafka, self.redis, self.cluster, *args, expect=expect, **more)

    def names(self, *selectors: object) -> list[str]:
        return self.cli("list", *selectors, "-o", "name").stdout.split()

    def add(self, group: str, *ids: str, **more: Any) -> None:
        self.cli("put", "-f", "-", "--wait",
                 stdin=json.dumps([job(group, name, FAR, **more) for name in ids]))

    def records(self, group: str) -> list[Record]:
        return [record for record in read_all(self.kafka.bootstrap, f"{self.cluster}.fires")
                if record.key == group.encode()]

    def fires(self, group: str) -> list[dict[str, Any]]:
        return [record.json for record in self.records(group)]


def setup(kafka: Kafka) -> Iterator[Shared]:
    with Redis() as redis:  # of its own: the shared one is emptied by each test
        shared = Shared(kafka, redis)
        shared.daemon.start().wait_live()
        with CommandClient(kafka.bootstrap, shared.cluster) as client:
            shared.client = client
            yield shared
        shared.daemon.terminate()


# --- an in-process scheduler's interface ----------------------------------------------------------


def test_jobs_are_added_all_or_none(shared: Shared) -> None:
    shared.add("atomic", "b")
    jobs = [job("atomic", name, FAR) for name in "abc"]
    refused = shared.call({"op": "add", "command_id": "atomic-1", "jobs": jobs}, "conflict")
    assert refused["code"] == "exists" and refused["changed"] == 0
    assert shared.names("--group", "atomic") == ["atomic/b"]
    done = shared.call({"op": "add", "command_id": "atomic-2", "jobs": [jobs[0], jobs[2]]})
    assert done["changed"] == 2


def test_selection_by_any_combination(shared: Shared) -> None:
    """Delete, pause and resume by ids, groups, super groups and the paused state, together."""
    shared.add("sel1", "a", "b", super_group="left")
    shared.add("sel2", "a", "b", super_group="left")
    shared.add("sel3", "a", super_group="right")
    shared.cli("pause", "--super-group", "left", "--id", "a", "--wait")
    paused = ["sel1/a", "sel2/a"]
    assert shared.names("--super-group", "left", "--super-group", "right", "--paused") == paused
    shared.cli("resume", "--group", "sel1", "--group", "sel3", "--paused", "--wait")
    assert shared.names("--super-group", "left", "--paused") == ["sel2/a"]
    shared.cli("delete", "--super-group", "left", "--group", "sel2", "--paused=false", "--wait")
    assert shared.names("--group", "sel2") == ["sel2/a"]
    shared.cli("delete", "--super-group", "left", "--super-group", "right", "--wait")
    assert shared.names("--group", "sel1", "--group", "sel2", "--group", "sel3") == []


def test_update_of_schedule_and_input(shared: Shared) -> None:
    shared.add("upd", "a", payload=1)
    shared.cli("update", "upd/a", "--payload", "2", "--wait")
    shared.cli("update", "upd/a", "--every", "1h", "--wait")
    record = json.loads(shared.cli("get", "upd/a", "-o", "json").stdout)
    assert record["payload"] == 2 and record["schedule"]["every"] in ("1h", "60m", "3600s")
    neither = shared.call({"op": "update", "command_id": "upd-1", "set": {},
                           "select": {"groups": ["upd"], "ids": ["a"]}}, "rejected")
    assert neither["code"] == "nothing_to_update"
    assert "nothing to update" in shared.cli("update", "upd/a", expect=2).stderr


def test_list_filters_and_order(shared: Shared) -> None:
    shared.cli("put", "ord/late", "--at", "2099-06-01T00:00:00Z", "--label", "l=1", "--wait")
    shared.cli("put", "ord/soon", "--at", "2098-01-01T00:00:00Z", "--label", "l=1", "--wait")
    shared.cli("put", "ord/other", "--at", "2098-06-01T00:00:00Z", "--label", "l=2", "--wait")
    assert shared.names("--group", "ord") == ["ord/late", "ord/other", "ord/soon"]
    assert shared.names("--group", "ord", "--sort", "next") == ["ord/soon", "ord/other", "ord/late"]
    assert shared.names("--group", "ord", "--sort", "created") == \
        ["ord/late", "ord/soon", "ord/other"]
    assert shared.names("--group", "ord", "--label", "l=1", "--id", "soon") == ["ord/soon"]
    assert shared.names("--group", "ord", "--label", "l=2", "--id", "soon") == []


def test_count_mismatch(shared: Shared) -> None:
    """`atomic` does nothing, `each` does what can be done; both say how many matched."""
    shared.add("count", "a", "b")
    select = {"groups": ["count"], "ids": ["a", "b", "c"]}
    refused = shared.call({"op": "pause", "command_id": "count-1", "select": select, "expect": 3},
                          "conflict")
    assert refused["code"] == "count_mismatch" and refused["matched"] == 2
    assert shared.names("--group", "count", "--paused") == []
    result, = shared.client.call({"op": "pause", "command_id": "count-2", "select": select,
                                  "expect": 3, "mode": "each"})
    assert result["matched"] == 2 and result["changed"] == 2
    assert "count_mismatch" in json.dumps(result)
    wait_for(lambda: len(shared.names("--group", "count", "--paused")) == 2, 60, "both paused")


def test_start_and_stop(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Graceful, any number of times; jobs survive, and so does what is due while nobody runs."""
    with Scenario(kafka, redis, cluster, shards=1) as scenario:
        daemon = scenario.daemon()
        scenario.call({"op": "add", "jobs": [every("keep", "a", "1s", catchup={"policy": "all"})]})
        scenario.wait_fires(1)
        for _ in range(2):
            daemon.terminate()
            daemon.start().wait_live()
        scenario.wait_fires(2)
        nominal = [r.json["dueat"] for r in scenario.fires.read_to_end()]
        assert len(set(nominal)) == len(nominal)


# --- and its defects ------------------------------------------------------------------------------


def test_an_empty_selection_is_not_everything(shared: Shared) -> None:
    shared.add("empty", "a")
    for number, select in enumerate(({}, {"ids": []}, {"groups": []}, {"labels": {}}, None)):
        for op in ("delete", "pause"):
            refused = shared.call({"op": op, "command_id": f"empty-{op}-{number}",
                                   "select": select}, "rejected")
            assert refused["changed"] == 0
    for op in ("delete", "pause", "resume", "trigger"):
        assert "every job is --all" in shared.cli(op, expect=2).stderr
    assert shared.names("--group", "empty", "--paused=false") == ["empty/a"]


def test_results_name_their_jobs(shared: Shared) -> None:
    """Answers are paired by name, whatever the order and whichever of them failed."""
    shared.add("pair", "b")
    names = ["d", "b", "a", "c"]
    result, = shared.client.call({"op": "add", "command_id": "pair-1", "mode": "each",
                                  "jobs": [job("pair", name, FAR) for name in names]}, "partial")
    assert {entry["id"] for entry in result["jobs"]} == {"a", "c", "d"}
    assert [(entry["id"], entry["code"]) for entry in result["errors"]] == [("b", "exists")]
    assert all(entry["group"] == "pair" for entry in result["jobs"] + result["errors"])


def test_memory_and_database_never_part(kafka: Kafka, cluster: str) -> None:
    """Killed in the middle of changes, with Redis away for some: what is listed is what fires."""
    with Redis() as redis, Scenario(kafka, redis, cluster, shards=2) as scenario:
        daemon = scenario.daemon()
        for round_number in range(3):
            jobs = [job(f"part{n % 5}", f"{round_number}-{n}", FAR) for n in range(400)]
            for start in range(0, 400, 100):
                for group in range(5):
                    scenario.send({"op": "put", "jobs": [j for j in jobs[start:start + 100]
                                                         if j["group"] == f"part{group}"]},
                                  key=f"part{group}")
            scenario.send({"op": "delete", "select": {"groups": ["part1"]}}, key="part1")
            if round_number == 1:
                redis.stop()
            daemon.kill9()
            if round_number == 1:
                redis.start()
            daemon.start().wait_live()

        def listed() -> list[str]:
            return belfry(kafka, redis, cluster, "list", "-o", "name").stdout.split()

        wait_for(lambda: len(listed()) == 3 * 320, 60, f"960 jobs, there are {len(listed())}")
        assert not any(name.startswith("part1/") for name in listed())
        wait_for(lambda: belfry(kafka, redis, cluster, "verify", deadline_s=60).returncode == 0,
                 60, "Redis and the log to say the same")


# --- a workflow engine's scheduler ----------------------------------------------------------------


def test_activate_and_deactivate(shared: Shared) -> None:
    """A schedule that is off keeps its definition, fires nothing, and goes on when it is on."""
    shared.cli("put", "act/a", "--every", "1s", "--paused", "--wait")
    record = json.loads(shared.cli("get", "act/a", "-o", "json").stdout)
    assert record["state"] == "paused" and record["schedule"]["every"] == "1s"
    assert shared.fires("act") == []
    shared.cli("resume", "act/a", "--wait")
    wait_for(lambda: len(shared.fires("act")) >= 2, 60, "fires after the activation")
    shared.cli("pause", "act/a", "--wait")
    count = len(shared.fires("act"))
    shared.cli("ping", "--group", "act")
    assert len(shared.fires("act")) == count
    shared.cli("delete", "act/a", "--wait")


def test_cron_and_fixed_rate_hand_on_the_kickoff_time(shared: Shared) -> None:
    """`dueat` is the time the work is for, to the millisecond, not the time it happened to run."""
    shared.cli("put", "kick/cron", "--cron", "* * * * * *", "--payload", '{"table":"orders"}',
               "--wait")
    shared.cli("put", "kick/rate", "--every", "1s", "--wait")

    def both() -> bool:
        return {f["jobid"] for f in shared.fires("kick")} == {"cron", "rate"}

    wait_for(both, 60, "fires of both kinds")
    shared.cli("delete", "--group", "kick", "--wait")
    for fire in shared.fires("kick"):
        if fire["jobid"] == "cron":
            assert fire["dueat"].endswith(".000Z") and fire["data"] == {"table": "orders"}
        assert fire["dueat"] <= fire["time"]


JOBS_TRACE = "00-11111111111111111111111111111111-1111111111111111-01"
COMMANDS_TRACE = "00-22222222222222222222222222222222-2222222222222222-01"


def test_traces_are_passed_on(shared: Shared) -> None:
    """A client that is traced adds the header by itself; whoever reads the fires finds it there."""
    shared.add("trace", "structured", traceparent=JOBS_TRACE)
    shared.add("trace", "binary", traceparent=JOBS_TRACE, format="binary", payload={"a": 1},
               headers={f"own-{number}": "x" for number in range(64)})
    shared.add("trace", "plain")
    select = {"groups": ["trace"]}
    for number, headers in enumerate(({}, {"traceparent": COMMANDS_TRACE})):
        sent = shared.client.send({"op": "trigger", "command_id": f"trace-{number}",
                                   "select": select}, key="trace", headers=headers)
        result, = shared.client.results(sent)
        assert result["outcome"] == "applied" and result["changed"] == 3, result
        assert result.get("traceparent") == headers.get("traceparent"), result
    records = shared.records("trace")
    assert len(records) == 6, records
    seen = []
    for record in records:
        binary = record.header("ce_jobid")
        event = {} if binary else record.json
        trace = record.header("ce_traceparent") if binary else event.get("traceparent")
        assert record.header("traceparent") == trace, record.headers
        assert len(record.headers) == (82 if binary else 1 if trace is None else 2)
        seen.append((binary or event["jobid"], trace))
    assert sorted(seen[:3], key=str) == [
        ("binary", JOBS_TRACE), ("plain", None), ("structured", JOBS_TRACE)], seen
    assert sorted(seen[3:]) == [(name, COMMANDS_TRACE)
                                for name in ("binary", "plain", "structured")], seen
    record = json.loads(shared.cli("get", "trace/binary", "-o", "json").stdout)
    assert record["traceparent"] == JOBS_TRACE, "and the job keeps its own"
    sent = shared.client.send({"op": "pause", "select": {"ids": ["nobody"]}},
                              headers={"traceparent": COMMANDS_TRACE})
    traces = [result.get("traceparent") for result in shared.client.results(sent)]
    assert traces == [COMMANDS_TRACE] * SHARDS, "all that it was forwarded to"
    refused = shared.call({"op": "ping", "command_id": "trace-x", "traceparent": "00-1-2-01"},
                          "rejected")
    assert (refused["code"], refused["field"]) == ("bad_value", "/traceparent"), refused


def test_an_execution_is_named_by_its_scheduled_time(shared: Shared) -> None:
    """Whoever computes the name gets the same one: executions can be made idempotent by it."""
    shared.cli("put", "named/a", "--every", "1s", "--wait")
    wait_for(lambda: len(shared.fires("named")) >= 2, 60, "two fires")
    shared.cli("delete", "named/a", "--wait")
    for fire in shared.fires("named"):
        nominal = datetime.fromisoformat(fire["dueat"].replace("Z", "+00:00"))
        nominal_ms = round(nominal.timestamp() * 1000)
        assert fire["id"] == f"{fire['jobincarnation']}@{nominal_ms}"


def test_all_missed_times_since_the_snapshot(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Down for some seconds: each time that was missed is fired once, in order, with its own."""
    with Scenario(kafka, redis, cluster, shards=1) as scenario:
        daemon = scenario.daemon()
        scenario.call({"op": "add", "jobs": [every(
            "miss", "a", "1s", catchup={"policy": "all", "misfire_grace": "1s"})]})
        scenario.wait_fires(1)
        daemon.kill9()
        down_ms = now_ms()
        wait_for(lambda: now_ms() > down_ms + 4000, 60, "four seconds to pass")
        daemon.start().wait_live()
        scenario.wait_fires(2)
        fires = [r.json for r in scenario.fires.read_to_end()]
        ids = [int(f["id"].rsplit("@", 1)[1]) for f in fires]
        assert ids == list(range(ids[0], ids[0] + 1000 * len(ids), 1000)), ids
        assert sum(f["firekind"] == "catchup" for f in fires) >= 2, fires


def test_snapshots_are_periodic_and_used(shared: Shared) -> None:
    """The checkpoint follows the changes; a start reads it instead of the whole log."""
    shared.cli("put", "snap/a", "--every", "1h", "--wait")
    shards = json.loads(shared.cli("shards", "-o", "json").stdout)
    before = {shard["shard"]: shard.get("sequence", 0) for shard in shards}
    shared.cli("put", "snap/a", "--every", "2h", "--wait")
    shards = json.loads(shared.cli("shards", "-o", "json").stdout)
    assert sum(shard["sequence"] > before[shard["shard"]] for shard in shards) >= 1
    taken = shared.daemon.events("shard.live")
    assert len({line["shard"] for line in taken}) == SHARDS


def test_updates_are_noticed_while_running(shared: Shared) -> None:
    shared.cli("put", "live/a", "--at", "2099-01-01T00:00:00Z", "--wait")
    assert shared.fires("live") == []
    shared.cli("update", "live/a", "--every", "1s", "--wait")
    wait_for(lambda: shared.fires("live"), 60, "a fire of the new schedule")
    shared.cli("delete", "live/a", "--wait")
