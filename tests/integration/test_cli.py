"""The command line against a real daemon, Kafka and Redis, as users and scripts would use it."""

from __future__ import annotations

import json
from typing import Any, Iterator

from cli_cluster import SHARDS, CliCluster
from harness import CommandClient, Kafka, Redis, belfry, read_all, run, shard_of, wait_for

CLUSTER = "cli"
FAR = "2099-01-01T00:00:00Z"


class Cluster(CliCluster):
    """A running daemon and the command line on it."""

    def results(self, *args: object, expect: int = 0, **more: Any) -> list[dict[str, Any]]:
        """The results of a write, one of each shard."""
        done = self(*args, "--wait=30s", "-o", "ndjson", expect=expect, deadline_s=40, **more)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def get(self, name: str) -> dict[str, Any]:
        return json.loads(self("get", name, "-o", "json").stdout)


def setup() -> Iterator[Cluster]:
    """One daemon for the file, on servers of its own: the shared Redis is emptied by each test."""
    with Kafka() as kafka, Redis() as redis, Cluster(kafka, redis, CLUSTER) as cluster:
        yield cluster


# --- what needs no cluster -----------------------------------------------------------------------


def test_help_and_version() -> None:
    assert "Commands:" in run("belfry", "--help", expect=0).stdout
    assert run("belfry", "--version", expect=0).stdout.startswith("belfry ")
    commands = [line.split()[0] for line in
                run("belfry", "--help").stdout.split("Commands:")[1].split("Global")[0]
                .strip().splitlines()]
    for command in commands:
        text = run("belfry", command, "--help", expect=0).stdout
        assert "Usage: belfry " + command in text and "Examples:" in text


def test_usage_errors_say_what_was_meant() -> None:
    for args, hint in ((["lsit"], "did you mean list?"),
                       (["pause", "--gruop", "x"], "did you mean --group?"),
                       (["tail", "fire"], "did you mean fires"),
                       (["add", "g/a"], "--cron EXPR"),
                       (["list", "-o", "xml"], "table, json, ndjson, name"),
                       (["get", "noslash"], "GROUP/ID"),
                       (["list", "--timeout", "10"], "--timeout"),
                       (["next", "--batch", "--count", "3"], "--count does not go with --batch"),
                       (["top", "--once", "--refresh", "5s"], "leave --refresh out"),
                       (["dead", "list", "--rate", "3"], "--rate does not go with"),
                       (["run", "retry", "1-0.1.0@5", "--overlap", "skip"], '"skip": allow'),
                       (["runs", "--late=soon"], '--late "soon": duration: column 1'),
                       (["run", "done", "1-0.1.0@5", "--job", "g/a"], "--job does not go with")):
        done = run("belfry", *args, expect=2)
        assert hint in done.stderr, done.stderr
        assert done.stdout == ""


def test_next() -> None:
    done = run("belfry", "next", "--cron", "30 2 * * *", "--from", "2026-01-01T00:00:00Z",
               "--count", 2, "-o", "json", expect=0)
    assert done.stdout == '{"next":["2026-01-01T02:30:00.000Z","2026-01-02T02:30:00.000Z"]}\n'
    refused = run("belfry", "next", "--cron", "61 * * * *")
    assert refused.returncode == 1 and "column 1" in refused.stderr
    berlin = run("belfry", "next", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--from",
                 "2026-03-28T12:00:00Z", "--count", 2, "-o", "json", expect=0)
    assert berlin.stdout == '{"next":["2026-03-29T01:00:00.000Z","2026-03-30T00:30:00.000Z"]}\n'
    unknown = run("belfry", "next", "--cron", "@daily", "--zone", "Europe/Berlim")
    assert unknown.returncode == 1 and "Europe/Berlin" in unknown.stderr


def test_next_batch_answers_line_by_line() -> None:
    lines = [{"id": 1, "cron": "0 0 29 2 *", "from": "2026-01-01T00:00:00Z", "count": 1},
             {"id": "b", "cron": "* 24 * * *"}, {"id": 3, "at": FAR}]
    done = run("belfry", "next", "--batch", stdin="".join(json.dumps(x) + "\n" for x in lines),
               expect=0)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0] == {"id": 1, "next": ["2028-02-29T00:00:00.000Z"]}
    assert answers[1]["id"] == "b" and answers[1]["column"] == 3 and answers[1]["error"]
    assert answers[2] == {"id": 3, "next": ["2099-01-01T00:00:00.000Z"]}


def test_unreachable_servers_end_in_time() -> None:
    done = run("belfry", "pause", "--all", "--kafka", "127.0.0.1:1", expect=6, deadline_s=15)
    assert "Kafka cannot be reached" in done.stderr
    done = run("belfry", "list", "--redis", "redis://127.0.0.1:1", expect=6, deadline_s=15)
    assert "Redis" in done.stderr


# --- writes --------------------------------------------------------------------------------------


def test_a_get_after_a_waited_add_sees_the_job(shared: Cluster) -> None:
    for number in range(10):
        result, = shared.results("add", f"seen{number}/a/b", "--cron", "30 2 * * *", "--payload",
                                 '{"n": 1.10, "text": "ü"}', "--label", "team=core")
        assert result["outcome"] == "applied" and result["changed"] == 1
        job = shared.get(f"seen{number}/a/b")
        assert job["schedule"]["cron"] == "30 2 * * *" and job["revision"] == 1
        assert job["payload"] == {"n": 1.10, "text": "ü"} and job["labels"] == {"team": "core"}


def test_commands_go_to_the_shard_of_their_group(shared: Cluster) -> None:
    groups = [f"where{number}" for number in range(12)]
    lines = "".join(json.dumps({"group": group, "id": "x", "schedule": {"every": "1h"}}) + "\n"
                    for group in groups)
    results = shared.results("add", "-f", "-", stdin=lines)
    assert {r["shard"] for r in results} == {shard_of(group, SHARDS) for group in groups}
    for result in results:
        assert result["source"]["topic"] == f"{CLUSTER}.control"
        assert result["source"]["partition"] == result["shard"], "it was forwarded"
        assert all(shard_of(job["group"], SHARDS) == result["shard"] for job in result["jobs"])
    paused = shared.results("pause", *[arg for g in groups for arg in ("--group", g)])
    assert sum(r["changed"] for r in paused) == len(groups)
    assert all(r["source"]["partition"] == r["shard"] for r in paused)


def test_exit_codes(shared: Cluster) -> None:
    shared("add", "codes/a", "--every", "1h", "--wait")
    assert "exists" in shared("add", "codes/a", "--every", "1h", "--wait", expect=4).stderr
    assert "column" in shared("add", "codes/b", "--cron", "61 * * * *", "--wait", expect=1).stderr
    shared("pause", "codes/none", "--wait", expect=3)
    shared("get", "codes/none", expect=3)
    shared("pause", "--id", "nobody-has-this-id", "--wait", expect=3)
    jobs = json.dumps([{"group": "codes", "id": name, "schedule": {"every": "1h"}}
                       for name in ("a", "c")])
    shared("add", "-f", "-", "--mode", "each", "--wait", stdin=jobs, expect=8)
    assert shared.names("--group", "codes") == ["codes/a", "codes/c"]


def test_expect_over_several_shards_changes_nothing_when_it_fails(shared: Cluster) -> None:
    groups = [arg for number in range(6) for arg in ("--group", f"expect{number}")]
    for number in range(6):
        shared("add", f"expect{number}/a", "--every", "1h", "--wait")
    done = shared("pause", *groups, "--expect", 5, "--wait", expect=4)
    assert "6 match" in done.stderr
    assert shared.names(*groups, "--paused") == []
    shared("pause", *groups, "--expect", 6, "--wait")
    assert len(shared.names(*groups, "--paused")) == 6


def test_a_command_id_sent_twice_is_done_once(shared: Cluster) -> None:
    for outcome in ("applied", "duplicate"):
        result, = shared.results("put", "once/a", "--every", "1h", "--command-id", "once-1")
        assert result["outcome"] == outcome
    assert shared.get("once/a")["revision"] == 1


def test_selectors_reach_every_shard(shared: Cluster) -> None:
    for number in range(8):
        shared("add", f"fan{number}/f", "--every", "1h", "--label", "fan=out", "--super-group",
               "fans", "--wait")
    results = shared.results("pause", "--label", "fan=out")
    assert sorted(r["shard"] for r in results) == list(range(SHARDS))
    assert sum(r["changed"] for r in results) == 8
    assert len(shared.names("--label", "fan=out", "--paused")) == 8
    assert sum(r["changed"] for r in shared.results("resume", "--super-group", "fans")) == 8
    assert shared.names("--label", "fan=out", "--paused") == []
    assert sum(r["changed"] for r in shared.results("delete", "--super-group", "fans")) == 8
    assert shared.names("--super-group", "fans") == []


def test_update_and_dry_run(shared: Cluster) -> None:
    shared("add", "edit/a", "--every", "1h", "--payload", "1", "--wait")
    shared("update", "edit/a", "--payload", "2", "--dry-run")
    assert shared.get("edit/a")["payload"] == 1
    shared("update", "edit/a", "--payload", "2", "--cron", "@daily", "--wait")
    job = shared.get("edit/a")
    assert job["payload"] == 2 and job["schedule"] == {"cron": "@daily"} and job["revision"] == 2


def test_without_wait_the_command_id_is_printed(shared: Cluster) -> None:
    command_id = shared("put", "sent/a", "--every", "1h").stdout.strip()
    with CommandClient(shared.kafka.bootstrap, CLUSTER) as client:
        assert client.results(command_id)[0]["outcome"] == "applied"


def test_a_command_file_is_sent_as_it_is(shared: Cluster, tmp: Any) -> None:
    path = tmp / "command.json"
    path.write_text(json.dumps({"op": "add", "command_id": "file-1", "correlation_id": "mine",
                                "job": {"group": "file", "id": "a", "schedule": {"at": FAR}}}))
    result, = shared.results("add", "-f", path)
    assert result["command_id"] == "file-1" and result["correlation_id"] == "mine"
    assert "use belfry add -f" in shared("pause", "-f", path, expect=1).stderr


def test_time_out_prints_the_command_id(shared: Cluster) -> None:
    shared.daemon.sigstop()
    try:
        done = shared("put", "late/a", "--every", "1h", "--command-id", "late-1", "--wait=500ms",
                      expect=5)
        assert "--command-id late-1" in done.stderr
    finally:
        shared.daemon.sigcont()
    result, = shared.results("put", "late/a", "--every", "1h", "--command-id", "late-1")
    assert result["outcome"] == "duplicate"


def test_many_jobs_are_split(shared: Cluster) -> None:
    lines = "".join(json.dumps({"group": f"many{n % 3}", "id": str(n),
                                "schedule": {"every": "24h"}}) + "\n" for n in range(7000))
    results = shared.results("put", "-f", "-", stdin=lines)
    assert sum(r["changed"] for r in results) == 7000
    assert len({r["command_id"] for r in results}) == len(results) >= 4
    assert len(shared.names("--group", "many0", "--group", "many1", "--group", "many2")) == 7000


# --- reads ---------------------------------------------------------------------------------------


def test_list_formats(shared: Cluster) -> None:
    for name in ("b", "a"):
        shared("add", f"form/{name}", "--at", FAR, "--wait")
    table = shared("list", "--group", "form").stdout.splitlines()
    assert table[0].split()[:4] == ["GROUP", "ID", "SCHEDULE", "STATE"]
    assert [line.split()[:2] for line in table[1:]] == [["form", "a"], ["form", "b"]]
    assert FAR in table[1] and "active" in table[1]
    jobs = json.loads(shared("list", "--group", "form", "-o", "json").stdout)
    assert [job["id"] for job in jobs] == ["a", "b"]
    lines = shared("list", "--group", "form", "-o", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == jobs
    assert json.loads(shared("list", "--group", "no-such", "-o", "json").stdout) == []
    assert shared.names("--group", "form", "--id", "b") == ["form/b"]
    assert shared.names("--group", "form", "--limit", 1) == ["form/a"]


def test_nothing_foreign_reaches_the_terminal(shared: Cluster) -> None:
    evil = "\x1b]0;owned\x07\u202e\u009b31m"
    shared("add", "evil/a", "--at", FAR, "--payload", json.dumps(evil, ensure_ascii=False),
           "--label", f"x={json.dumps('y')}", "--reason", "r", "--wait")
    shared("trigger", "evil/a", "--wait")
    shown = (shared("get", "evil/a").stdout + shared("list", "--group", "evil").stdout +
             shared("tail", "fires", "--group", "evil", "--from-beginning", "--no-follow").stdout)
    assert "evil" in shown
    for letter in "\x1b\x07\u202e\u009b":
        assert letter not in shown, shown


def test_tail(shared: Cluster) -> None:
    shared("add", "tail/a", "--at", FAR, "--payload", '{"p": 1.50}', "--wait")
    shared("trigger", "tail/a", "--command-id", "tail-1", "--wait")
    raw = shared("tail", "fires", "--group", "tail", "--from-beginning", "-n", 1, "-o", "json")
    fires = [r for r in read_all(shared.kafka.bootstrap, f"{CLUSTER}.fires")
             if r.json["subject"] == "tail/a"]
    assert raw.stdout == fires[0].value.decode() + "\n"
    line = shared("tail", "fires", "--group", "tail", "--from-beginning", "--no-follow").stdout
    assert "tail/a" in line and "trigger" in line and '{"p":1.50}' in line
    results = shared("tail", "results", "--from-beginning", "--no-follow", "-o", "json").stdout
    assert "tail-1" in results
    events = shared("tail", "events", "--from-beginning", "--no-follow").stdout
    assert "shard_taken" in events


def test_dead_letters(shared: Cluster) -> None:
    with CommandClient(shared.kafka.bootstrap, CLUSTER) as client:
        client.call("not JSON at all", outcome="rejected", key="dead")
    listed = shared("dead", "list", "-o", "ndjson").stdout.splitlines()
    assert any(json.loads(line)["value"] == "not JSON at all" for line in listed)
    letter = next(json.loads(line) for line in listed
                  if json.loads(line)["value"] == "not JSON at all")
    place = f"{letter['partition']}/{letter['offset']}"
    row = next(line for line in shared("dead", "list").stdout.splitlines()
               if line.startswith(place + " "))
    assert "command" in row and "dead" in row and "invalid_json" in row, row
    shown = shared("dead", "show", place).stdout
    assert "not JSON at all" in shown and "dlq_message" in shown, shown


def test_shards_and_ping(shared: Cluster) -> None:
    def complete() -> bool:
        shards = json.loads(shared("shards", "-o", "json").stdout)
        return len(shards) == SHARDS and all(shard.get("owner") for shard in shards)

    wait_for(complete, 60, "a snapshot of every shard")
    assert len(shared("shards").stdout.splitlines()) == SHARDS + 1
    answers = json.loads(shared("ping", "-o", "json").stdout)
    assert sorted(answer["shard"] for answer in answers) == list(range(SHARDS))
    answer, = json.loads(shared("ping", "--group", "tail", "-o", "json").stdout)
    assert answer["shard"] == shard_of("tail", SHARDS)


def test_redis_away_is_only_a_warning_for_writes(shared: Cluster) -> None:
    done = run("belfry", "put", "away/a", "--every", "1h", "--wait", "--cluster", CLUSTER,
               "--kafka", shared.kafka.bootstrap, "--redis", "redis://127.0.0.1:1", expect=0)
    assert "warning" in done.stderr and "away/a" in done.stdout
