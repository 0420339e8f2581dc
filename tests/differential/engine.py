"""The engine as a black box: `belfry next --batch`."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BELFRY_BUILD", ROOT / "build"))
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def written(at: int) -> str:
    return (EPOCH + datetime.timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> int:
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    return int((moment - EPOCH).total_seconds())


def ask(cases: list[dict[str, Any]]) -> list[list[int] | str]:
    """For each case (cron, zone, dialect, dst, from, count) its instants or an error."""
    lines = []
    for number, case in enumerate(cases):
        line = {name: case[name] for name in ("cron", "zone", "dialect", "dst", "count")
                if name in case}
        lines.append(json.dumps({"id": number, **line, "from": written(case["from"])}))
    done = subprocess.run([BUILD / "belfry", "next", "--batch"], input="\n".join(lines) + "\n",
                          text=True, capture_output=True, check=True)
    answers: list[list[int] | str] = []
    for number, line in enumerate(done.stdout.splitlines()):
        answer = json.loads(line)
        assert answer["id"] == number
        answers.append(answer["error"] if "error" in answer
                       else [seconds(text) for text in answer["next"]])
    assert len(answers) == len(cases), (len(answers), len(cases))
    return answers
