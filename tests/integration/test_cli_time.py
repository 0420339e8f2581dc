"""belfry next, validate and the calendar: they compute alone, without Kafka and Redis."""

from __future__ import annotations

import json
import os
import subprocess

from harness import BUILD

BERLIN = ("--zone", "Europe/Berlin")


def belfry(*words: str, expect: int = 0, text: str | None = None,
           **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([BUILD / "belfry", *words], text=True, capture_output=True, input=text,
                          env={**os.environ, "LC_ALL": "C", **environment})
    assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
    return done


def test_validate_explains() -> None:
    said = belfry("validate", "--cron", "30 2 * * MON-FRI", *BERLIN, "--from",
                  "2026-03-26T12:00:00Z", "--count", "2").stdout
    assert said.startswith("at 02:30, Monday to Friday\n(Europe/Berlin)\n")
    assert "  Fri 2026-03-27 02:30:00 +01:00   2026-03-27T01:30:00.000Z\n" in said
    assert "  Mon 2026-03-30 02:30:00 +02:00   2026-03-30T00:30:00.000Z\n" in said
    assert "warnings" not in said and "clocks" not in said


def test_validate_names_the_clock_changes() -> None:
    answer = json.loads(belfry("validate", "--cron", "30 2 * * *", *BERLIN, "--from",
                               "2026-03-01T00:00:00Z", "-o", "json").stdout)
    assert answer["valid"] is True and answer["zone"] == "Europe/Berlin"
    assert [change["at"] for change in answer["clock_changes"]][:2] == \
        ["2026-03-29T01:00:00.000Z", "2026-10-25T01:00:00.000Z"]
    assert "runs once" in answer["clock_changes"][0]["effect"]
    assert "first time only" in answer["clock_changes"][1]["effect"]
    skipped = json.loads(belfry("validate", "--cron", "30 2 * * *", *BERLIN, "--dst", "skip_repeat",
                                "--from", "2026-03-01T00:00:00Z", "-o", "json").stdout)
    assert "left out" in skipped["clock_changes"][0]["effect"]
    assert "both times" in skipped["clock_changes"][1]["effect"]


def test_validate_warns() -> None:
    answer = json.loads(belfry("validate", "--cron", "0 9 13 * FRI", "-o", "json").stdout)
    assert len(answer["warnings"]) == 2
    hashed = json.loads(belfry("validate", "--cron", "H H * * *", "--zone", "UTC", "-o",
                               "json").stdout)
    assert len(hashed["warnings"]) == 1
    named = json.loads(belfry("validate", "--cron", "H H * * *", "--zone", "UTC", "--group", "g",
                              "--id", "a", "-o", "json").stdout)
    assert named["warnings"] == []


def test_validate_refuses() -> None:
    done = belfry("validate", "--cron", "0 25 * * *", expect=1)
    assert "hour: column 3: 25 is above 23; allowed 0-23" in done.stderr
    assert "  0 25 * * *\n    ^\n" in done.stderr
    answer = json.loads(belfry("validate", "--cron", "0 25 * * *", "-o", "json", expect=1).stdout)
    assert answer["valid"] is False and answer["column"] == 3 and answer["code"] == "bad_cron"
    belfry("validate", expect=2)
    done = belfry("validate", "--cron", "0 0 * * *", "--zone", "Europe/Berln", expect=1)
    assert "did you mean Europe/Berlin?" in done.stderr


def test_words() -> None:
    rows = {
        "*/15 * * * *": "every 15 minutes",
        "* * * * * *": "every second",
        "*/10 9-17 * * 1-5": "every 10 minutes from 09:00 to 17:59, Monday to Friday",
        "0 */2 * * *": "every 2 hours, on the hour",
        "0 0 1 1 *": "at 00:00, on the 1st of the month, in January",
        "17 * * * *": "at minute 17 of every hour",
        "0 8,12 * * 0,6": "at 08:00 and 12:00, on Saturday and Sunday",
        "30 0 29 2 *": "at 00:30, on the 29th of the month, in February",
        "0 0 L * *": "at 00:00, on the last day of the month",
        "0 0 * * FRI#2": "at 00:00, on the second Friday of the month",
        "0 0 13 * +5": "at 00:00, on the 13th of the month, if it is also on Friday",
    }
    for cron, words in rows.items():
        said = belfry("validate", "--cron", cron, "--zone", "UTC").stdout.splitlines()[0]
        assert said == words, (cron, said)


def test_calendar() -> None:
    said = belfry("next", "--calendar", "--cron", "*/5 2 * * MON-FRI", *BERLIN, "--from",
                  "2026-03-20T00:00:00Z").stdout.splitlines()
    assert said[0] == " every 5 minutes of hour 2, Monday to Friday (Europe/Berlin)"
    assert said[2:5] == [" March 2026",
                         " Mon      Tue      Wed      Thu      Fri      Sat      Sun",
                         " " * 56 + "1"]
    assert said[-2] == " 30 x12   31 x12"
    assert said[-3].endswith("29 !")
    assert said[-1] == " 264 fires on 22 days"


def test_calendar_of_a_missing_day() -> None:
    said = belfry("next", "--calendar", "--cron", "0 12 * * *", "--zone", "Pacific/Apia", "--from",
                  "2011-12-05T00:00:00Z").stdout
    assert "30 gone" in said and "31 x2" in said and "31 fires on 30 days" in said
    answer = json.loads(belfry("next", "--calendar", "--cron", "0 12 * * *", "--zone",
                               "Pacific/Apia", "--from", "2011-12-05T00:00:00Z", "-o",
                               "json").stdout)
    days = {day["date"]: day for day in answer["months"][0]["days"]}
    assert days["2011-12-30"] == {"date": "2011-12-30", "fires": 0, "skipped": True}
    assert days["2011-12-31"]["fires"] == 2


def test_next_in_zones_and_dialects() -> None:
    lines = [
        {"id": 1, "cron": "30 2 * * *", "zone": "Europe/Berlin", "from": "2026-03-28T12:00:00Z",
         "count": 2},
        {"id": 2, "cron": "0 0 12 ? * 6#3", "dialect": "quartz", "zone": "America/New_York",
         "from": "2026-01-01T00:00:00Z", "count": 1},
        {"id": 3, "cron": "CRON_TZ=Asia/Kolkata 0 0 L * *", "from": "2026-02-01T00:00:00Z",
         "count": 1},
        {"id": 4, "cron": "0 0 * * *", "zone": "Mars/Olympus"},
    ]
    done = belfry("next", "--batch", text="".join(json.dumps(line) + "\n" for line in lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0]["next"] == ["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"]
    assert answers[1]["next"] == ["2026-01-16T17:00:00.000Z"]
    assert answers[2]["next"] == ["2026-02-27T18:30:00.000Z"]
    assert "not a time zone" in answers[3]["error"] and "next" not in answers[3]


def test_another_folder_of_zones() -> None:
    done = belfry("next", "--cron", "0 0 * * *", *BERLIN, expect=1, TZDIR="/nonexistent")
    assert "is not a time zone of this system" in done.stderr
