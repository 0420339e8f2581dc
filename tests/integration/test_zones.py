"""Schedules in zones through a daemon: fires, restarts, and other time zone data at a take-over."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from harness import Belfryd, Kafka, Redis, belfry, new_directory, read_all, wait_for

CLUSTER = "zones"
ZONEINFO = Path("/usr/share/zoneinfo")


def other_data(version: str, *names: str) -> Path:
    """A folder of zones that calls itself another version of the data."""
    folder = new_directory("zoneinfo")
    for name in names or ("Europe/Berlin", "Asia/Kolkata"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ZONEINFO / name, folder / name)
    (folder / "tzdata.zi").write_text(f"# version {version}\n")
    return folder


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
    assert refused.returncode != 0 and "'Mars/Olympus' is not a time zone" in refused.stderr
    wait_for(lambda: len(fires("berlin")) >= 2 and len(fires("kolkata")) >= 2, 60,
             "fires in two zones")
    before = json.loads(command("get", "g/hashed", "-o", "json"))
    assert before["schedule"] == {"cron": "H H * * *", "zone": "Europe/Berlin"}
    assert not [event for event in events() if event["event"] == "tz_changed"]

    daemon.stop()
    daemon.env["TZDIR"] = str(other_data("2026b"))
    daemon.start().wait_live()
    count = len(fires("berlin"))
    wait_for(lambda: len(fires("berlin")) >= count + 2, 60, "fires after the take-over")
    changed = [event for event in events() if event["event"] == "tz_changed"]
    assert len(changed) == 1, changed
    assert changed[0]["count"] == 3
    assert re.match("time zone data 2026b-[0-9a-f]{8}, before 2026a-[0-9a-f]{8};",
                    changed[0]["detail"]), changed[0]
    for name in ("g/berlin", "g/kolkata", "g/hashed"):
        assert name in changed[0]["detail"]
    daemon.stop()
    daemon.start().wait_live()
    assert len([event for event in events() if event["event"] == "tz_changed"]) == 1
    daemon.stop()
    ids = [fire["id"] for fire in fires("berlin")]
    assert len(ids) == len(set(ids))


def test_a_zone_that_is_not_there_sets_its_job_aside(kafka: Kafka, redis: Redis) -> None:
    cluster = "zonelost"
    daemon = Belfryd(kafka, redis, cluster=cluster, shards=1,
                     env={"TZDIR": str(other_data("2026a"))})
    daemon.start().wait_live()
    for job, zone in (("berlin", "Europe/Berlin"), ("kolkata", "Asia/Kolkata")):
        belfry(kafka, redis, cluster, "add", "--group", "g", "--id", job, "--cron", "* * * * * *",
               "--zone", zone, "--catchup", "all", "--wait")

    def fires() -> list[dict[str, object]]:
        return [record.json for record in read_all(kafka.bootstrap, f"{cluster}.fires")]

    wait_for(lambda: len(fires()) >= 4, 60, "fires in two zones")
    daemon.stop()
    count = len(fires())
    less = other_data("2026b", "Europe/Berlin")
    daemon.env["TZDIR"] = str(less)
    daemon.start().wait_live()
    said = daemon.wait_event("zone.missing", 60, level="warn")
    for word in ("g/kolkata", "Asia/Kolkata"):
        assert word in str(said[-1]), said[-1]
    wait_for(lambda: len(fires()) >= count + 6, 60, "the other job goes on")
    assert {str(fire["jobid"]) for fire in fires()[count:]} == {"berlin"}
    events = [record.json for record in read_all(kafka.bootstrap, f"{cluster}.events")]
    missing = [event for event in events if event["event"] == "zone_missing"]
    assert len(missing) == 1 and missing[0]["count"] == 1, events
    assert "g/kolkata (Asia/Kolkata)" in missing[0]["detail"]
    assert "zone_missing_at" in belfry(kafka, redis, cluster, "describe", "g/kolkata").stdout
    doctor = belfry(kafka, redis, cluster, "doctor", expect=1).stdout
    assert "1 set aside, their time zone is missing: g/kolkata (Asia/Kolkata" in doctor
    (less / "Asia").mkdir()
    shutil.copy(ZONEINFO / "Asia/Kolkata", less / "Asia/Kolkata")
    daemon.stop()
    daemon.start().wait_live()
    again = len(fires())
    wait_for(lambda: len([fire for fire in fires()[again:] if fire["jobid"] == "kolkata" and
                          fire["firekind"] == "schedule"]) >= 2, 60, "both jobs again")
    daemon.stop()
    for job in ("berlin", "kolkata"):
        seconds = sorted({int(str(fire["id"]).split("@")[1]) for fire in fires()
                          if fire["jobid"] == job})
        assert len(seconds) == len([fire for fire in fires() if fire["jobid"] == job])
        assert seconds == list(range(seconds[0], seconds[-1] + 1, 1000)), f"a hole in {job}"
