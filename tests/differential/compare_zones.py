#!/usr/bin/env python3
"""Compares the offsets of every zone with glibc (zdump) and with Python's zoneinfo.

Each change of each zone from 1970 to 2100, one second before and at it, and random instants of the
years 2038 to 2500. Both read the same files of the system, with code of their own. Also checks that
no loaded zone is larger than 32 KiB.
"""

from __future__ import annotations

import datetime
import os
import random
import re
import subprocess
import sys
import zoneinfo
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BELFRY_BUILD", ROOT / "build"))
PROBE = BUILD / "tests" / "differential" / "zone_probe"
ZONE_BYTES_MAX = 32 * 1024
RANDOM_INSTANTS = int(os.environ.get("ZONE_INSTANTS", "200"))
MONTHS = {name: number for number, name in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)}
LINE = re.compile(r"^(\S+)\s+\w{3} (\w{3}) +(\d+) (\d\d):(\d\d):(\d\d) (\d+) UTC? = "
                  r".* gmtoff=(-?\d+)$")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def zones() -> dict[str, int]:
    """Names of all zones, and the bytes of their tables."""
    done = subprocess.run([PROBE, "--list"], text=True, capture_output=True, check=True)
    if done.stderr:
        sys.exit(f"zones that cannot be read:\n{done.stderr}")
    return {name: int(size) for name, size in (line.split() for line in done.stdout.splitlines())}


def of_glibc(names: list[str]) -> list[tuple[str, int, int]]:
    """(zone, UTC seconds, offset) around every change."""
    environment = dict(os.environ, TZDIR=zoneinfo.TZPATH[0], LC_ALL="C")
    done = subprocess.run(["zdump", "-V", "-c", "1970,2101", *names], text=True,
                          capture_output=True, check=True, env=environment)
    found = []
    for line in done.stdout.splitlines():
        match = LINE.match(line)
        if match is None:
            sys.exit(f"zdump said: {line}")
        zone, month, day, hour, minute, second, year, offset = match.groups()
        at = datetime.datetime(int(year), MONTHS[month], int(day), int(hour), int(minute),
                               int(second), tzinfo=datetime.timezone.utc)
        found.append((zone, int((at - EPOCH).total_seconds()), int(offset)))
    return found


def of_python(zone: str, instants: list[int]) -> list[tuple[str, int, int]]:
    info = zoneinfo.ZoneInfo(zone)
    found = []
    for at in instants:
        offset = (EPOCH + datetime.timedelta(seconds=at)).astimezone(info).utcoffset()
        assert offset is not None
        found.append((zone, at, round(offset.total_seconds())))
    return found


def compare(source: str, expected: list[tuple[str, int, int]]) -> int:
    asked = "".join(f"{zone} {at}\n" for zone, at, _ in expected)
    done = subprocess.run([PROBE], input=asked, text=True, capture_output=True, check=True)
    answers = [int(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(expected), (len(answers), len(expected))
    wrong = [(zone, at, offset, answer) for (zone, at, offset), answer in zip(expected, answers)
             if offset != answer]
    for zone, at, offset, answer in wrong[:10]:
        print(f"  {zone} at {at}: {source} says {offset}, the engine {answer}")
    print(f"{source}: {len(expected)} offsets, {len(wrong)} differ")
    return len(wrong)


def main() -> int:
    sizes = zones()
    names = sorted(sizes)
    largest = max(names, key=lambda name: sizes[name])
    print(f"{len(names)} zones, the largest table is {largest} with {sizes[largest]} bytes")
    assert len(names) > 400, "where are the zones of this system?"
    assert sizes[largest] <= ZONE_BYTES_MAX, largest
    chance = random.Random(1)
    around = of_glibc(names)
    by_zone: dict[str, list[int]] = {name: [] for name in names}
    for zone, at, _ in around:
        if at >= 0:
            by_zone[zone].append(at)
    first, last = 2145916800, 16725225600  # 2038-01-01, 2500-01-01
    for name in names:
        by_zone[name] += [chance.randrange(first, last) for _ in range(RANDOM_INSTANTS)]
        by_zone[name] += [chance.randrange(0, first) for _ in range(RANDOM_INSTANTS)]
    python = [row for name in names for row in of_python(name, by_zone[name])]
    wrong = compare("glibc", [row for row in around if row[1] >= 0])
    wrong += compare("zoneinfo", python)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
