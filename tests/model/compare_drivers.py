#!/usr/bin/env python3
"""Whether two builds of Belfry say the same, byte for byte: for changes that are to change nothing.

  tests/model/compare_drivers.py DRIVER DRIVER [--sequences=N] [--seed=S]

The drivers are build/tests/model/model_driver of two revisions. Both get the sequences of the model
test, every second one with jitter, zones and expressions with H besides, which the model does not
know; and everything they say is compared: fires, events, results and the records of jobs. Ends
with 1 where they differ, and shows the first sequences that do.

  git worktree add ../before HEAD~1 && make -C ../before build/tests/model/model_driver
  tests/model/compare_drivers.py ../before/build/tests/model/model_driver \\
      build/tests/model/model_driver --sequences=20000
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import sequences  # noqa: E402 -- found through the line above
from model import Json  # noqa: E402
from test_model import order_of  # noqa: E402

TOGETHER = 250
SHOWN = 5
BEYOND_THE_MODEL: list[Json] = [
    {"cron": "30 2 * * *", "zone": "Europe/Berlin"}, {"cron": "H/5 * * * *", "zone": "Asia/Gaza"},
    {"cron": "H H * * *"}, {"cron": "0 12 29 2 *"}, {"every": "90s", "anchor": "epoch"}]


def fields_beyond(dice: sequences.Dice, now: int, everything: bool) -> Json:
    made = sequences.fields(dice, now, everything)
    if dice.one_in(3):
        made["jitter"] = dice.choice(["5s", "30s", "50s", "10m", "1h"])
    if dice.one_in(6):
        made["schedule"] = dice.choice(BEYOND_THE_MODEL)
    return made


def orders_of(seed: int) -> list[str]:
    fields = fields_beyond if seed % 2 == 0 else sequences.fields
    return [order_of(step) for step in sequences.sequence(seed, fields)]


def answers(driver: str, orders: list[str]) -> list[list[str]]:
    """What it says to each order, as lines."""
    done = subprocess.run([driver], input="\n".join(orders), capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"{driver} ended with {done.returncode}: {done.stderr[-1000:]}")
    said: list[list[str]] = [[]]
    for line in done.stdout.splitlines():
        if line == ".":
            said.append([])
        else:
            said[-1].append(line)
    assert said.pop() == [] and len(said) == len(orders)
    return said


def show(seed: int, order: str, first: list[str], second: list[str]) -> None:
    print(f"sequence {seed}: {order}")
    for line in difflib.ndiff(first, second):
        if line[0] in "-+":
            print(f"  {line}")


def compare(drivers: list[str], seeds: range) -> tuple[int, set[int]]:
    """How many lines were compared, and the sequences that differ."""
    asked = [(seed, order) for seed in seeds for order in orders_of(seed)]
    orders = [order for _, order in asked]
    said = [answers(driver, orders) for driver in drivers]
    different: set[int] = set()
    for (seed, order), first, second in zip(asked, *said):
        if first == second or seed in different:
            continue
        different.add(seed)
        if len(different) <= SHOWN:
            show(seed, order, first, second)
    return sum(len(lines) for lines in said[0]), different


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drivers", nargs=2, metavar="DRIVER")
    parser.add_argument("--sequences", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lines = 0
    different: set[int] = set()
    end = options.seed + options.sequences
    for first in range(options.seed, end, TOGETHER):
        more, odd = compare(options.drivers, range(first, min(first + TOGETHER, end)))
        lines += more
        different |= odd
    print(f"sequences={options.sequences} lines={lines} different={len(different)}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
