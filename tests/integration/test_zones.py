"""Schedules in zones through a daemon: fires, restarts, and other time zone data at a take-over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from harness import Belfryd, Kafka, Redis, belfry, new_directory, read_all, wait_for
from runner import limit

CLUSTER = "zones"
ZONEINFO = Path("/usr/share/zoneinfo")


def other_data(version: str) -> Path:
    """A folder of zones that calls itself another version of the data."""
    folder = new_directory("zoneinfo")
    for name in ("Europe/Berlin", "Asia/Kolkata"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ZONEINFO / name, folder / name)
    (folder / "tzdata.zi").write_text(f"# version {version}\n")
    return folder


@limit(120)
def test_zones_through_a_daemon(kafka: Kafka, redis: Redis) -> None:
    daemon = Belfryd(kafka, redis, cluster=CLUSTER, shards=1,
                     env={"TZDIR": str(other_data("2026a"))})
    daemon.start().wait_live()

    def command(*words: object, expect: int = 0) -> str:
        return belfry(kafka, redis, CLUSTER, *words, expect=expect).stdout

    def fires(job: str) -> list[dict[str, object]]:
        return [record.json for record in read_all(kafka.bootstrap, f"{CLUSTER}.fires")
                if record.json["jobid"] == job]

    def events() -> list[dict[str, object]]:
        return [record.json for record in read_all(kafka.bootstrap, f"{CLUSTER}.events")]

    for job, zone in (("berlin", "Europe/Berlin"), ("kolkata", "Asia/Kolkata"), ("utc", "UTC")):
        command("add", "--group", "g", "--id", job, "--cron", "* * * * * *", "--zone", zone,
                "--wait")
    command("add", "--group", "g", "--id", "hashed", "--cron", "H H * * *", "--zone",
            "Europe/Berlin", "--wait")
    refused = belfry(kafka, redis, CLUSTER, "add", "--group", "g", "--id", "mars", "--cron",
                     "0 0 * * *", "--zone", "Mars/Olympus", "--wait", expect=None)
    assert refused.returncode != 0 and "unknown_zone" in refused.stdout + refused.stderr
    wait_for(lambda: len(fires("berlin")) >= 2 and len(fires("kolkata")) >= 2, 20,
             "fires in two zones")
    before = json.loads(command("get", "g/hashed", "-o", "json"))
    assert before["schedule"] == {"cron": "H H * * *", "zone": "Europe/Berlin"}
    assert not [event for event in events() if event["event"] == "tz_changed"]

    daemon.stop()
    daemon.env["TZDIR"] = str(other_data("2026b"))
    daemon.start().wait_live()
    count = len(fires("berlin"))
    wait_for(lambda: len(fires("berlin")) >= count + 2, 20, "fires after the take-over")
    changed = [event for event in events() if event["event"] == "tz_changed"]
    assert len(changed) == 1, changed
    assert changed[0]["count"] == 3
    assert changed[0]["detail"].startswith("time zone data 2026b, before 2026a;")
    for name in ("g/berlin", "g/kolkata", "g/hashed"):
        assert name in changed[0]["detail"]
    daemon.stop()
    daemon.start().wait_live()
    assert len([event for event in events() if event["event"] == "tz_changed"]) == 1
    daemon.stop()
    ids = [fire["id"] for fire in fires("berlin")]
    assert len(ids) == len(set(ids))
