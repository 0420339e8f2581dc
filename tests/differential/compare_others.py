#!/usr/bin/env python3
"""Compares the next five instants of random schedules with other implementations.

robfig/cron (Go), Quartz (Java), croniter and cronsim (Python), each with expressions it can read.
A difference belongs to a named class, a fork of docs/time.md or a known limit of the other one, or
it fails the comparison. DIFFERENTIAL_CASES is the number of all cases together (default 200000).

Classes
  gap or overlap        only instants within two days of a change of the clocks differ
  star step restricts   they read */n in a day field as no restriction, as Vixie cron does
  they hang             they do not come back, where a whole day is skipped
  theirs alone          around a change of the clocks or elsewhere they lose or add instants, and
                        the slow oracle of oracle_cron.py says what the engine says
  horizon               they gave up before the next instant
  zone data             they have another version of the zone's rules (Java brings its own)
  nearest weekday       Quartz moves nW of a short month to the month's end; here it is skipped
  before the last day   Quartz lets L-n of a short month begin at its first day; here it is skipped
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zoneinfo
from collections import Counter
from typing import Any, Callable

import cases
import engine
import oracle_cron

OUT = engine.ROOT / "build" / "differential"
COUNT = 5
DAY = 86400
ORACLE_REACH = 1500 * DAY
DAY_SKIPPERS = ("Pacific/Apia", "Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Fakaofo",
                "Pacific/Enderbury", "Pacific/Kanton", "Kwajalein")
Case = dict[str, Any]


# --- the others -----------------------------------------------------------------------------------

def lines_of(command: list[str], text: str) -> list[dict[str, Any]]:
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_json(drawn: list[Case]) -> str:
    return "".join(json.dumps({"id": number, "cron": case["cron"], "zone": case["zone"],
                               "from": case["from"], "count": COUNT}) + "\n"
                   for number, case in enumerate(drawn))


def ask_robfig(drawn: list[Case]) -> list[dict[str, Any]]:
    """Started again behind each case from which it does not come back."""
    environment = dict(os.environ, ZONEINFO=str(zoneinfo.TZPATH[0]))
    answers: list[dict[str, Any]] = []
    while len(answers) < len(drawn):
        done = subprocess.run([OUT / "robfig" / "robfig"], input=as_json(drawn[len(answers):]),
                              text=True, capture_output=True, env=environment)
        said = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode not in (0, 3) or not said:
            sys.exit(f"robfig failed:\n{done.stderr[-2000:]}")
        answers += said
    return answers


def ask_python(name: str) -> Callable[[list[Case]], list[dict[str, Any]]]:
    here = os.path.dirname(os.path.abspath(__file__))
    return lambda drawn: lines_of([str(OUT / "venv" / "bin" / "python"),
                                   os.path.join(here, "python_others.py"), name], as_json(drawn))


def ask_quartz(drawn: list[Case]) -> list[dict[str, Any]]:
    text = "".join(
        "\t".join([str(number), case["cron"], case["zone"], str(case["from"]), str(COUNT),
                   ",".join(map(str, case["probes"]))]) + "\n"
        for number, case in enumerate(drawn))
    jars = f"{OUT / 'quartz'}:{OUT / 'quartz' / 'jars'}/*"
    return lines_of(["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", jars, "Next"],
                    text)


# --- cases ----------------------------------------------------------------------------------------

def draw(source: cases.Draw, number: int, quartz: bool) -> list[Case]:
    drawn = []
    for _ in range(number):
        zone = source.zone()
        while zone in DAY_SKIPPERS and source.chance.random() < 0.9:  # each costs a restart
            zone = source.zone()
        case: Case = {"zone": zone, "from": source.instant(zone), "count": COUNT}
        case["cron"] = source.quartz() if quartz else source.expression(seconds=0.0)
        if quartz:
            case["dialect"] = "quartz"
        drawn.append(case)
    return drawn


# --- classes --------------------------------------------------------------------------------------

def near_a_change(source: cases.Draw, zone: str, at: int) -> bool:
    return any(abs(at - change) <= 2 * DAY for change in source.changes.get(zone, []))


def changes_explain(source: cases.Draw, case: Case, ours: list[int], theirs: list[int]) -> bool:
    """Whether both agree as far as both reach, but for instants around changes of the clocks."""
    reach = min(ours[-1] if len(ours) == COUNT else 1 << 60,
                theirs[-1] if len(theirs) == COUNT else 1 << 60)
    if near_a_change(source, case["zone"], case["from"]) and reach - case["from"] < 4 * DAY:
        reach = min(reach, max(*ours, *theirs, 0)) if reach < 1 << 60 else reach
    differ = {at for at in set(ours) ^ set(theirs) if at <= reach}
    return bool(differ) and all(near_a_change(source, case["zone"], at) for at in differ) or (
        not differ and ours != theirs and near_a_change(source, case["zone"], case["from"]))


def stepped_days(case: Case) -> bool:
    fields = case["cron"].split()[-3:]
    return fields[0].startswith("*/") != fields[2].startswith("*/") or "*/" in fields[0]


def zone_data_differs(case: Case, answer: dict[str, Any]) -> bool:
    info = zoneinfo.ZoneInfo(case["zone"])
    for at, offset in zip(case["probes"], answer.get("offsets", [])):
        moment = engine.EPOCH + engine.datetime.timedelta(seconds=at)
        mine = moment.astimezone(info).utcoffset()
        assert mine is not None
        if round(mine.total_seconds()) != offset:
            return True
    return False


def class_of(source: cases.Draw, name: str, case: Case, ours: list[int],
             answer: dict[str, Any], other_rule: list[int], plain: list[int] | None) -> str:
    theirs = answer["next"]
    if ours == theirs:
        return "equal"
    if "offsets" in answer and zone_data_differs(case, answer):
        return "zone data"
    if theirs == other_rule:
        return "gap or overlap"
    if plain is not None and (theirs == plain or changes_explain(source, case, plain, theirs)):
        return "star step restricts"
    if len(theirs) < len(ours) and theirs == ours[:len(theirs)]:
        return "horizon"
    if changes_explain(source, case, ours, theirs):
        return "gap or overlap"
    if name == "Quartz" and "W" in case["cron"]:
        return "nearest weekday"
    if name == "Quartz" and "L-" in case["cron"]:
        return "before the last day"
    if len(theirs) < len(ours) and all(at in ours or near_a_change(source, case["zone"], at)
                                       for at in theirs):
        return "horizon"
    return "theirs alone" if oracle_agrees(case, ours) else "UNEXPLAINED"


def oracle_agrees(case: Case, ours: list[int]) -> bool:
    until = min(case["from"] + ORACLE_REACH, ours[-1] if ours else 1 << 60)
    expression = oracle_cron.Expression(case["cron"], case.get("dialect", "standard"))
    expected = oracle_cron.nexts(expression, oracle_cron.Wall(case["zone"]), "vixie",
                                 case["from"], COUNT, until)
    return bool(expected) and expected == [at for at in ours if at <= until]


def without_restriction(case: Case) -> Case | None:
    """The same with */n in a day field as Vixie cron means it: both fields must match."""
    fields = case["cron"].split()
    day, weekday = fields[2], fields[4]
    if "*" in (day, weekday) or not (day.startswith("*/") or weekday.startswith("*/")):
        return None
    fields[4] = "+" + weekday
    return dict(case, cron=" ".join(fields))


def compare(source: cases.Draw, name: str, ask: Callable[[list[Case]], list[dict[str, Any]]],
            number: int, quartz: bool = False) -> int:
    drawn = draw(source, number, quartz)
    answers = engine.ask(drawn)
    other_rule = engine.ask([dict(case, dst="skip_repeat") for case in drawn])
    vixie = {number: case for number, case in enumerate(map(without_restriction, drawn)) if case}
    plain = dict(zip(vixie, engine.ask(list(vixie.values())))) if vixie else {}
    for case, ours in zip(drawn, answers):
        case["probes"] = [case["from"]] + (ours if isinstance(ours, list) else [])
        case["probes"] += [at + shift for at in case["probes"] for shift in (-2 * DAY, 2 * DAY)
                           if at + shift > 0]
    theirs = ask(drawn)
    assert len(theirs) == number
    classes: Counter[str] = Counter()
    for index, (case, ours, answer) in enumerate(zip(drawn, answers, theirs)):
        if isinstance(ours, str):
            kind = "never fires" if "never fire" in ours else "UNEXPLAINED"
        elif answer.get("error") == "hangs":
            kind = "they hang"
        elif answer.get("error") and not answer["next"]:
            kind = "they refuse" if ours else "equal"
        else:
            rule, star = other_rule[index], plain.get(index)
            assert isinstance(rule, list)
            kind = class_of(source, name, case, ours, answer, rule,
                            star if isinstance(star, list) else None)
        classes[kind] += 1
        if kind == "UNEXPLAINED" and classes[kind] <= 5:
            print(f"  {case['cron']!r} {case['zone']} from {engine.written(case['from'])}\n"
                  f"    {name} {[engine.written(at) for at in answer['next']]} "
                  f"{answer.get('error', '')}\n    engine "
                  f"{ours if isinstance(ours, str) else [engine.written(at) for at in ours]}")
    told = ", ".join(f"{count} {kind}" for kind, count in classes.most_common())
    print(f"{name}: {number} cases: {told}", flush=True)
    assert classes["equal"] > number / 2, "hardly anything agrees: the comparison itself is broken"
    return classes["UNEXPLAINED"]


def main() -> int:
    number = int(os.environ.get("DIFFERENTIAL_CASES", "200000"))
    source = cases.Draw(int(os.environ.get("DIFFERENTIAL_SEED", "1")), special=False)
    wrong = compare(source, "robfig/cron", ask_robfig, number * 2 // 5)
    wrong += compare(source, "cronsim", ask_python("cronsim"), number // 10)
    wrong += compare(source, "croniter", ask_python("croniter"), number // 10)
    source.special = True
    wrong += compare(source, "Quartz", ask_quartz, number * 2 // 5, quartz=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
