#!/usr/bin/env python3
"""Compares the engine with the slow oracle of oracle_cron.py: every difference is a defect.

ORACLE_CASES (default 1500) random schedules, zones and instants; ORACLE_SEED chooses others.
"""

from __future__ import annotations

import os
import sys

import cases
import engine
import oracle_cron

COUNT = 5
HORIZON = 400 * 86400


def draw(number: int, seed: int) -> list[dict[str, object]]:
    source = cases.Draw(seed)
    drawn: list[dict[str, object]] = []
    for _ in range(number):
        zone = source.zone()
        quartz = source.chance.random() < 0.25
        case: dict[str, object] = {
            "cron": source.quartz() if quartz else source.expression(),
            "zone": zone, "from": source.instant(zone), "count": COUNT,
            "dst": "skip_repeat" if source.chance.random() < 0.2 else "vixie"}
        if quartz:
            case["dialect"] = "quartz"
        drawn.append(case)
    return drawn


def main() -> int:
    number = int(os.environ.get("ORACLE_CASES", "1500"))
    seed = int(os.environ.get("ORACLE_SEED", "1"))
    drawn = draw(number, seed)
    answers = engine.ask(drawn)
    wrong = refused = compared = 0
    walls: dict[str, oracle_cron.Wall] = {}
    for case, answer in zip(drawn, answers):
        if isinstance(answer, str):
            refused += 1
            if "never fire" not in answer:
                wrong += 1
                print(f"  refused: {case}: {answer}")
            continue
        zone = str(case["zone"])
        if zone not in walls:
            walls[zone] = oracle_cron.Wall(zone)
        expression = oracle_cron.Expression(str(case["cron"]), str(case.get("dialect", "standard")))
        after = int(case["from"])  # type: ignore[call-overload]
        until = after + HORIZON
        expected = oracle_cron.nexts(expression, walls[zone], str(case["dst"]), after, COUNT, until)
        within = [at for at in answer if at <= until]
        compared += len(expected)
        if within != expected:
            wrong += 1
            if wrong <= 10:
                print(f"  {case}\n    oracle {[engine.written(at) for at in expected]}"
                      f"\n    engine {[engine.written(at) for at in within]}")
    print(f"oracle: {number} schedules (seed {seed}), {compared} instants, {refused} never fire, "
          f"{wrong} differ")
    assert refused < number / 10
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
