"""Backfills and dry runs from the command line."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Iterator

from cli_cluster import CliCluster
from harness import Kafka, Redis, read_all, wait_for

CLUSTER = "clibackfill"


class Cluster(CliCluster):
    """A running daemon and the command line on it."""

    def fires(self, group: str) -> list[dict[str, Any]]:
        records = read_all(self.kafka.bootstrap, f"{CLUSTER}.fires")
        return [r.json for r in records if r.json["jobgroup"] == group]


def setup(kafka: Kafka) -> Iterator[Cluster]:
    with Redis() as redis, Cluster(kafka, redis, CLUSTER) as cluster:
        yield cluster


def days_ago(days: int) -> str:
    now = datetime.now(timezone.utc)
    return (now - timedelta(days=days)).isoformat(timespec="seconds")


def test_a_backfill_fires_the_slots_of_the_range(shared: Cluster) -> None:
    shared("put", "past/a", "--cron", "0 4 * * *", "--wait")
    planned = shared.json("backfill", "past/a", "--from", days_ago(5), "--dry-run")
    difference, = planned["diff"]["jobs"]
    assert difference["change"] == "backfill" and difference["fires_added"] == 5
    assert shared.fires("past") == []
    done = shared.json("backfill", "past/a", "--from", days_ago(5), "--backfill-id", "five",
                       "--rate", 100, "--wait")
    assert done["outcome"] == "applied" and done["op"] == "backfill"
    wait_for(lambda: len(shared.fires("past")) >= 5, 60, "five fires")
    fires = shared.fires("past")
    assert len(fires) == 5 and {fire["firekind"] for fire in fires} == {"backfill"}
    assert all("@b:five:" in fire["id"] and fire["dueat"].endswith("04:00:00.000Z")
               for fire in fires)
    # It had no chance to fire by itself then, but it did by the backfill.
    why = shared.json("describe", "past/a", "--why", fires[0]["dueat"])["why"]
    assert why["code"] == "not_added_yet" and "a backfill fired it" in why["message"]


def test_a_backfill_can_be_ended(shared: Cluster) -> None:
    shared("put", "slow/a", "--cron", "* * * * *", "--wait")
    shared("backfill", "slow/a", "--from", days_ago(1), "--rate", 1, "--backfill-id", "day",
           "--wait")
    done = shared.json("cancel-backfill", "slow/a", "--backfill-id", "day", "--wait")
    assert done["op"] == "cancel_backfill" and done["changed"] == 1
    shared("ping", "--group", "slow")
    count = sum(fire["firekind"] == "backfill" for fire in shared.fires("slow"))
    assert count < 100, count
    events = shared.json("describe", "slow/a")["events"]
    assert {"backfill_started", "skipped"} <= {event["event"] for event in events}
    shared("delete", "slow/a", "--wait")


def test_a_backfill_needs_a_beginning_and_a_selection(shared: Cluster) -> None:
    assert "--from TIME" in shared("backfill", "past/a", expect=2).stderr
    assert "every job is --all" in shared("backfill", "--from", days_ago(1), expect=2).stderr
    assert "--rate" in shared("backfill", "past/a", "--from", days_ago(1), "--rate", "fast",
                              expect=2).stderr
    shared("backfill", "past/none", "--from", days_ago(1), "--wait", expect=3)


def test_a_dry_run_shows_what_would_change(shared: Cluster) -> None:
    shared("put", "dry/a", "--cron", "0 * * * *", "--wait")
    done = shared("update", "dry/a", "--cron", "30 * * * *", "--dry-run")
    heading, row = done.stdout.splitlines()
    assert heading.split()[:2] == ["JOB", "CHANGE"] and row.split()[:2] == ["dry/a", "update"]
    assert "+168 -168" in row and ":30:00Z" in row
    assert "dry run: applied: 1 matched, 1 would be changed" in done.stderr
    assert shared.json("get", "dry/a")["schedule"]["cron"] == "0 * * * *"
