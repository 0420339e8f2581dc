"""Answers lines {"id","cron","zone","from","count"} with croniter's or cronsim's next times."""

from __future__ import annotations

import datetime
import json
import sys
import zoneinfo


def with_croniter(cron: str, zone: str, after: int, count: int) -> list[int]:
    import croniter
    start = datetime.datetime.fromtimestamp(after, zoneinfo.ZoneInfo(zone))
    walk = croniter.croniter(cron, start)
    found = []
    for _ in range(count):
        found.append(int(walk.get_next(datetime.datetime).timestamp()))
    return found


def with_cronsim(cron: str, zone: str, after: int, count: int) -> list[int]:
    import cronsim
    start = datetime.datetime.fromtimestamp(after, zoneinfo.ZoneInfo(zone))
    walk = cronsim.CronSim(cron, start)
    found = []
    for _ in range(count):
        found.append(int(next(walk).timestamp()))
    return found


def main() -> None:
    ask = {"croniter": with_croniter, "cronsim": with_cronsim}[sys.argv[1]]
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, object] = {"id": asked["id"], "next": []}
        try:
            answer["next"] = ask(asked["cron"], asked["zone"], asked["from"], asked["count"])
        except Exception as refused:  # whatever the library throws is its answer
            answer["error"] = f"{type(refused).__name__}: {refused}"
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
