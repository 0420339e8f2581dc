"""The command line that reads runs, on a real cluster: open runs of Redis, the history of a job's
tries, workers, describe and --why, tails. What workers and the daemon would have written is written
by hand, so that each case is the same each time."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import Any, Iterator

import redis as redis_client

from cli_cluster import SHARDS, CliCluster
from harness import Kafka, Redis, shard_of
from programs import on_terminal
from topics import produce, read_all
from worker import Worker

CLUSTER = "cliruns"
GROUP = "billing"
SHARD = shard_of(GROUP, SHARDS)
NASTY = "\x1b[2J‮\x9b31m\r\nend"


class Cluster(CliCluster):
    """With a job whose runs are followed, and what is known of its runs."""

    def __enter__(self) -> "Cluster":
        super().__enter__()
        self("add", f"{GROUP}/nightly", "--cron", "0 4 1 1 *", "--wait")
        self.job = self.json("get", f"{GROUP}/nightly")
        self.now = int(time.time())
        self.number = (1 << 32) + 1000
        self.client = redis_client.Redis.from_url(self.redis.url)
        self("add", f"{GROUP}/gone", "--cron", "0 4 1 1 *", "--wait")
        self("delete", f"{GROUP}/gone", "--wait")
        self.daemon.terminate()  # from here on Redis is what is written below
        self.follow()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def follow(self) -> None:
        """The record of the job as it is with a lease."""
        record = {**self.job, "lease": "5m", "workers": "invoicing", "overlap": "skip",
                  "created_at": self.stamp(86400)}
        self.client.hset(f"{CLUSTER}:{{{SHARD}}}:jobs", f"{GROUP}/nightly", json.dumps(record))

    def stamp(self, ago_s: float) -> str:
        at = datetime.fromtimestamp(self.now - ago_s, timezone.utc)
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"

    def run_id(self, ago_s: float) -> str:
        return f"{self.job['incarnation']}@{int(self.now - ago_s) * 1000}"

    def fire(self, ago_s: float, number: int, tries: int = 1, of_s: float | None = None
             ) -> dict[str, Any]:
        due_s = ago_s if of_s is None else of_s
        return {"specversion": "1.0", "type": "belfry.fire.v1", "source": f"/belfry/x/{SHARD}",
                "id": self.run_id(due_s), "time": self.stamp(ago_s), "dueat": self.stamp(due_s),
                "jobgroup": GROUP, "jobid": "nightly", "firekind": "schedule",
                "jobincarnation": self.job["incarnation"], "jobrevision": 1, "latenessms": 4,
                "missedcount": 0, "attempt": 1, "leasems": 300000, "runnumber": str(number),
                "try": tries, "workers": "invoicing", "expirytime": self.stamp(ago_s - 86400)}

    def report(self, run: str, number: int, word: str, **more: Any) -> dict[str, Any]:
        place = {"topic": f"{CLUSTER}.fires", "partition": SHARD, "offset": 1}
        return {"run": run, "runnumber": str(number), "report": word, "token": f"t{number}",
                "worker": "host-1/7", "workers": "invoicing",
                **(place if word == "started" else {}), **more}

    def write(self, suffix: str, values: list[Any]) -> None:
        produce(self.kafka.bootstrap, f"{CLUSTER}.{suffix}",
                [(GROUP, json.dumps(value), None, SHARD) for value in values])

    def open_run(self, place: int, ago_s: float, number: int, **more: Any) -> None:
        """In Redis, as the daemon would have it."""
        record = {"layout": 2, "state": "open", "group": GROUP, "id": "nightly",
                  "incarnation": self.job["incarnation"], "ordinal": 1, "kind": "schedule",
                  "nominal": self.stamp(int(ago_s)), "due": self.stamp(int(ago_s)),
                  "opened_at": self.stamp(ago_s), "first_runnumber": number, "runnumber": number,
                  "try": 1, "counted": 1, "fired_at": self.stamp(ago_s),
                  "expires_at": self.stamp(ago_s - 86400), "lease": "5m", "workers": "invoicing",
                  **more}
        self.client.hset(f"{CLUSTER}:{{{SHARD}}}:runs", str(place),
                         json.dumps(record, separators=(",", ":")))
        count = self.client.hlen(f"{CLUSTER}:{{{SHARD}}}:runs")
        self.client.hset(f"{CLUSTER}:{{{SHARD}}}:snapshot", "held_runs", count)

    def claim(self, started_s: float, sign_s: float, worker: str = "host-1/7") -> dict[str, Any]:
        return {"state": "claimed", "claim": {
            "token": "t", "worker": worker,
            "place": {"topic": f"{CLUSTER}.fires", "partition": SHARD, "offset": 1},
            "started_at": self.stamp(started_s), "sign_at": self.stamp(sign_s)}}


def setup(kafka: Kafka) -> Iterator[Cluster]:
    with Redis() as redis, Cluster(kafka, redis, CLUSTER) as cluster:
        yield cluster


def test_no_run_is_an_empty_answer(shared: Cluster) -> None:
    assert shared.json("runs") == []
    assert shared.json("history", f"{GROUP}/nightly") == []
    assert "Open runs" in shared("describe", f"{GROUP}/nightly").stdout
    shared("history", f"{GROUP}/no-such", expect=3)


def test_the_history_joins_fires_reports_and_events(shared: Cluster) -> None:
    run = shared.run_id(600)
    first, second, third = shared.number, shared.number + 1, shared.number + 2
    shared.write("runs", [shared.report("8-0.1.0@5", 7, "running")] * 40)
    time.sleep(0.01)
    shared.write("fires", [shared.fire(600, first), shared.fire(500, second, 2, 600),
                            shared.fire(400, third, 3, 600)])
    shared.write("runs", [shared.report(run, first, "started"),
                           [shared.report(run, first, "running"),
                            shared.report(run, first, "failure", exit_code=2, output="a\nb" + NASTY,
                                           error={"code": "E42", "message": NASTY + "x" * 3000})],
                           shared.report(run, second, "started"),
                           shared.report(run, third, "started", worker="host-2/8"),
                           shared.report(run, third, "success", worker="host-2/8")])
    shared.write("events", [{"event": "skipped", "at": shared.stamp(100), "shard": SHARD,
                              "group": GROUP, "id": "nightly", "first": shared.stamp(300),
                              "last": shared.stamp(200), "count": 2, "reason": "overlap",
                              "run": run, "runnumber": str(third)}])
    lines = shared.json("history", f"{GROUP}/nightly")
    ends = [line.get("outcome") for line in lines]
    assert ends == ["failure", "lost", "success", "skipped"], lines
    assert [line.get("outcome_from") for line in lines] == [None, "next_try", None, None]
    assert lines[0]["exit_code"] == 2 and lines[0]["claimed_at"], lines[0]
    assert lines[0]["worker"] == "host-1/7", lines[0]
    assert lines[2]["worker"] == "host-2/8" and lines[2]["duration_ms"] >= 0, lines[2]
    assert shared.json("history", f"{GROUP}/nightly", "-n", "1")[0]["outcome"] == "skipped"
    assert shared.json("history", f"{GROUP}/nightly", "--since", "0s") == []
    lone = shared("history", f"{GROUP}/nightly", "--search", "2")
    assert "--search N looks further" in lone.stderr, lone.stderr
    reports = [record for record in read_all(shared.kafka.bootstrap, f"{CLUSTER}.runs")
               if record.partition == SHARD]
    back_to = datetime.fromtimestamp(reports[-40].timestamp_ms / 1000, timezone.utc)
    said = back_to.strftime("%Y-%m-%dT%H:%M:%S.") + f"{back_to.microsecond // 1000:03d}Z"
    told = shared("history", f"{GROUP}/nightly", "--search", "40").stderr
    assert f"back to {said}" in told, (said, told, "fires are whole, and begin later")
    table = shared("history", f"{GROUP}/nightly").stdout
    assert "lost?" in table and "E42" in table, table


def test_a_job_that_is_deleted_has_a_past(shared: Cluster) -> None:
    fire = {**shared.fire(50, shared.number + 10), "jobid": "gone", "id": "9-0.1.0@5",
            "jobincarnation": "9-0.1.0"}
    shared.write("fires", [fire])
    shared.write("runs", [shared.report("9-0.1.0@5", shared.number + 10, "success")])
    lines = shared.json("history", f"{GROUP}/gone")
    assert [line["outcome"] for line in lines] == ["success"], lines


def test_open_runs_are_listed_by_where_they_are(shared: Cluster) -> None:
    number = shared.number + 20
    shared.open_run(0, 300, number, **shared.claim(290, 20))
    shared.open_run(1, 200, number + 1)
    shared.open_run(3, 100, number + 2, state="waiting", retry_at=shared.stamp(-600), tries=[
        {"runnumber": number + 2, "try": 1, "outcome": "timeout", "ended_at": shared.stamp(50)}])
    runs = shared.json("runs")
    assert [run["state"] for run in runs] == ["claimed", "open", "waiting"], runs
    assert runs[0]["worker"] == "host-1/7" and runs[0]["run"] == shared.run_id(300), runs[0]
    assert [run["runnumber"] for run in shared.json("runs", "--late")] == [str(number + 1)]
    assert len(shared.json("runs", "--older-than", "150s")) == 2
    assert len(shared.json("runs", f"{GROUP}/nightly")) == 3
    assert shared.json("runs", f"{GROUP}/other") == [] == shared.json("runs", "--group", "x")
    assert len(shared.json("runs", "--paused=false")) == 3
    assert shared.json("runs", "--label", "a=b") == []
    limited = shared("runs", "-n", "1", "-o", "name")
    assert limited.stdout.strip() == shared.run_id(300) and "3 open runs" in limited.stderr
    shared("runs", "--failed", "--late", expect=2)
    assert shared.json("runs", "--failed") == []


def test_describe_shows_runs_and_why_names_the_one_in_the_way(shared: Cluster) -> None:
    shown = shared.json("describe", f"{GROUP}/nightly")
    assert len(shown["open_runs"]) == 3 and "success" in [run.get("outcome")
                                                          for run in shown["runs"]]
    text = shared("describe", f"{GROUP}/nightly").stdout
    assert "Output of runnumber" in text and "  a\n  b" in text, text
    why = shared.json("describe", f"{GROUP}/nightly", "--why", shared.stamp(250))["why"]
    assert why["code"] in ("skipped", "not_due"), why


def test_workers_are_told_with_what_they_do(shared: Cluster) -> None:
    number = shared.number + 20
    shared.open_run(7, 40, number + 5, state="waiting", retry_at=shared.stamp(-600), tries=[
        {"runnumber": number + 5, "try": 1, "outcome": "lost", "ended_at": shared.stamp(1)}])
    shared.write("runs", [shared.report(shared.run_id(300), number, "running", token="t"),
                          shared.report(shared.run_id(40), number + 5, "started", worker="lost")])
    with Worker(shared.kafka.bootstrap, CLUSTER, "invoicing", lambda work: "success", "w-9"):
        deadline = time.monotonic() + 40
        rows: list[dict[str, Any]] = []
        while time.monotonic() < deadline and not any(row["state"] == "member" for row in rows):
            rows = shared.json("workers")
        working = [row for row in rows if row["state"] == "working" and "lease" in row]
        assert [(row["worker"], row["id"]) for row in working] == [("host-1/7", "nightly")], rows
        assert any(row["state"] == "idle" and row["worker"] == "host-2/8" for row in rows), rows
        assert any(row["state"] == "member" for row in rows), rows
        assert [row["state"] for row in rows if row["worker"] == "lost"] == ["idle"], rows
    assert shared.json("workers", "--group", "x") == []
    assert shared.json("workers", "--workers", "nobody") == []


def test_nothing_that_workers_say_steers_a_terminal(shared: Cluster) -> None:
    shared.open_run(5, 90, shared.number + 30, **shared.claim(80, 10, "w‮"))
    shared.write("cancels", [{"run": NASTY, "runnumber": "7", "group": GROUP, "id": "x"}])
    for words in (("runs",), ("history", f"{GROUP}/nightly"), ("describe", f"{GROUP}/nightly"),
                  ("workers",), ("history", f"{GROUP}/nightly", "-o", "json"),
                  ("tail", "runs", "--from-beginning", "--no-follow"),
                  ("tail", "cancels", "--from-beginning", "--no-follow")):
        code, shown = on_terminal(shared.kafka, shared.redis, CLUSTER, *words, columns=200)
        plain = shown.replace("\x1b[0m", "")
        assert code == 0, (words, shown)
        for bad in ("\x1b[2J", "‮", "\x9b"):
            assert bad not in plain, (words, shown)


def test_a_hundred_thousand_records_are_joined_in_seconds(shared: Cluster) -> None:
    first = shared.number + 100000
    runs = [shared.run_id(100000 - at) for at in range(50000)]
    shared.write("fires", [{**shared.fire(1, first + at), "id": runs[at]}
                            for at in range(50000)])
    shared.write("runs", [shared.report(runs[at], first + at, word)
                           for at in range(50000) for word in ("started", "success")])
    begun = time.monotonic()
    lines = shared.json("history", f"{GROUP}/nightly", "-n", "20000", "--search", "1000000")
    took_s = time.monotonic() - begun
    print(f"history of 150,000 records: {took_s:.1f} s")
    assert len(lines) == 20000 and took_s < 30, (len(lines), took_s)
    assert sum(line.get("outcome") == "success" for line in lines) > 19000
