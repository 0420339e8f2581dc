"""A try is started at most once, and none that is closed: workers that claim as docs/runs.md says
are killed and frozen between its steps, on a real broker; and with each rule left out, one at a
time, the checker finds what it is for.

BELFRY_CLAIM_FAULTS (1000): how many kills and freezes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent / "claims"))

import harness  # noqa: E402
from harness import Kafka  # noqa: E402
from owner import Terms  # noqa: E402
from proxy import KafkaProxy, Rule as Strike  # noqa: E402
from runner import limit  # noqa: E402
from storm import BROKER, C_WORKER, Group, Verdict, Weather, judge, settle, storm  # noqa: E402

PAIR = [("ccp", "classic"), ("ppp", "consumer")]
FAULTS = int(os.environ.get("BELFRY_CLAIM_FAULTS", "1000"))


def setup() -> Iterator[Kafka]:
    """The broker, and the worker in C."""
    target = os.path.relpath(C_WORKER, harness.ROOT)
    subprocess.run(["make", "--no-print-directory", target], cwd=harness.ROOT, check=True,
                   timeout=300)
    with Kafka(options=BROKER) as kafka:
        yield kafka


def judge_all(groups: list[Group]) -> Verdict:
    whole = Verdict()
    for group in groups:
        verdict = judge(group)
        whole += verdict
        print(f"      {group.name}: {verdict}")
    print(f"      all: {whole}")
    return whole


@limit(1500)
def test_killed_and_frozen_between_its_steps(shared: Kafka) -> None:
    kinds = [("ccp", "classic"), ("ppp", "consumer"), ("ccc", "classic"), ("cpp", "classic"),
             ("ppp", "classic"), ("ppp", "consumer"), ("ccp", "classic"), ("cccp", "classic")]
    groups = [Group(shared, f"g{number}", number, Weather(stranger=number % 2 == 0), Terms(),
                    workers, protocol) for number, (workers, protocol) in enumerate(kinds)]
    storm(groups, FAULTS, most_s=1200)
    settle(groups)
    whole = judge_all(groups)
    assert whole.bad == 0, whole
    assert whole.kills_and_freezes >= FAULTS, whole


@limit(600)
def test_the_broker_is_killed_meanwhile(shared: Kafka) -> None:
    """Commits and reports whose outcome nobody knows, beside kills and freezes: Kafka is away for
    longer than some leases and shorter than others."""
    groups = [Group(shared, f"b{number}", 50 + number, Weather(stranger=False),
                    Terms(lease_ms=(3000, 20000), start_within_ms=(30000,)), workers, protocol)
              for number, (workers, protocol) in enumerate(PAIR)]
    for away_s in (0.0, 6.0, 1.0):
        storm(groups, enough=100_000, most_s=12)
        shared.kill9()
        storm([], enough=1, most_s=away_s)
        shared.start()
    settle(groups)
    whole = judge_all(groups)
    assert whole.bad == 0, whole


@limit(300)
def test_answers_are_lost_and_requests_come_late(shared: Kafka) -> None:
    """A commit that has happened and is not known to have, one that comes when its sender has lost
    the partition, signs of life that come late: the workers' requests go through a proxy."""
    lot = random.Random(1)

    def one_in(number: int) -> Callable[[bytes], bool]:
        return lambda _frame: lot.randrange(number) == 0

    with KafkaProxy(shared) as proxy:
        rules = [proxy.add(Strike(kind, direction, action, times=None, seconds=seconds,
                                when=one_in(number)))
                 for kind, direction, action, seconds, number in (
                     ("OffsetCommit", "answer", "cut", 0.0, 8),
                     ("OffsetCommit", "request", "cut", 0.0, 12),
                     ("OffsetCommit", "request", "double", 0.0, 12),
                     ("OffsetCommit", "request", "delay", 3.0, 15),
                     ("OffsetCommit", "answer", "delay", 3.0, 15),
                     ("Produce", "answer", "cut", 0.0, 30),
                     ("Produce", "request", "delay", 2.0, 40))]
        groups = [Group(shared, f"p{number}", 60 + number,
                        Weather(stranger=False, outside_s=2.0, linger=0, kill=15, freeze=15),
                        Terms(), workers, protocol, through=proxy.bootstrap)
                  for number, (workers, protocol) in enumerate(PAIR)]
        storm(groups, enough=100_000, most_s=60)
        for rule in rules:
            rule.times = 0
        settle(groups)
        whole = judge_all(groups)
        print("      struck:", *(f"{rule.kind} {rule.direction} {rule.action} {rule.struck}"
                                 for rule in rules))
        assert whole.bad == 0, whole
        assert all(rule.struck > 0 for rule in rules), rules


# --- each rule is needed --------------------------------------------------------------------------


class Rule(NamedTuple):
    """A rule, and the weather in which its absence is seen."""

    name: str
    weather: dict[str, Any]
    terms: dict[str, Any] = {}
    workers: str = "cp"
    protocol: str = "classic"

    def group(self, kafka: Kafka, left_out: bool) -> Group:
        quiet = {"kill": 0, "freeze": 0, "linger": 0, "outside_s": 0.0, "stranger": False}
        usual = {"start_within_ms": (20000,), "lease_ms": (6000,), "work_ms": (30, 100, 300)}
        name = f"{'without' if left_out else 'with'}-{self.name}-{self.protocol}"
        return Group(kafka, name, 7, Weather(**{**quiet, **self.weather}),
                     Terms(**{**usual, **self.terms}), self.workers, self.protocol,
                     without=self.name if left_out else "")


def see(kafka: Kafka, *rules: Rule) -> None:
    """The same weather with each rule and without it, side by side."""
    groups = [rule.group(kafka, left_out) for rule in rules for left_out in (False, True)]
    storm(groups, enough=100_000, most_s=25)
    settle(groups, deadline_s=60)
    verdicts = [judge(group) for group in groups]
    for group, verdict in zip(groups, verdicts):
        print(f"      {group.name}: {verdict}")
    for kept, left_out in zip(verdicts[::2], verdicts[1::2]):
        assert kept.bad == 0, kept
        assert left_out.bad > 0, left_out


@limit(300)
def test_started_only_behind_a_commit_that_was_answered(shared: Kafka) -> None:
    frozen = {"freeze": 150, "at": "started", "frozen_s": ((1.9, 4.0),)}
    see(shared, Rule("commit", {"kill": 200, "at": "starting"}),
        Rule("commit_answer", frozen), Rule("quiet_giving_up", frozen))


@limit(300)
def test_what_was_taken_away_is_forgotten(shared: Kafka) -> None:
    """A living member's commit is accepted, whoever the partition belongs to."""
    slow = {"linger": 300, "at": "started", "linger_ms": (2500, 5000), "outside_s": 1.5,
            "frozen_s": ((1.8, 3.0),), "away_s": (1.8, 2.5)}
    long = {"lease_ms": (20000,), "start_within_ms": (30000,)}
    see(shared, Rule("revoke", slow, long, workers="cpp"),
        Rule("revoke", slow, long, workers="ppp", protocol="consumer"), Rule("subscription", {}))


@limit(300)
def test_started_only_in_time(shared: Kafka) -> None:
    see(shared, Rule("append_time", {"linger": 300, "at": "read", "linger_ms": (4500, 6000)},
                     {"start_within_ms": (2000,)}),
        Rule("lease_check", {"linger": 300, "at": "committed", "linger_ms": (6000, 8000)},
             {"lease_ms": (3000,)}))


@limit(300)
def test_closed_only_when_nobody_can_start_it_any_more(shared: Kafka) -> None:
    """Without the coordinator's word a fire that comes again is started although it is closed; the
    end of a partition hides signs of life behind a client's open transaction."""
    see(shared, Rule("coordinator", {"freeze": 100, "at": "started", "frozen_s": ((5.5, 8.0),)},
                     {"lease_ms": (3000,)}, workers="c"),
        Rule("tick", {"stranger": True, "stranger_s": (5.0, 9.0)},
             {"lease_ms": (3000,), "work_ms": (300, 5000)}))


@limit(300)
def test_frozen_between_the_last_check_and_the_start(shared: Kafka) -> None:
    """What no step prevents: such a start comes behind the end, and the number that the program is
    fenced by is lower than the next try's."""
    rule = Rule("none", {"freeze": 150, "at": "hole", "frozen_s": ((6.0, 8.0),)},
                {"lease_ms": (3000,)})
    group = rule.group(shared, left_out=False)
    storm([group], enough=20, most_s=60)
    settle([group])
    verdict = judge(group)
    print(f"      {verdict}")
    assert verdict.bad == 0, verdict
    assert verdict.holes > 0, verdict
