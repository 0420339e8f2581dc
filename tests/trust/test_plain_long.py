"""The promises on a broker with the settings it is delivered with.

The other tests make Kafka fast, and hide with that what happens while a group waits 3 s for its
members, or while fifty coordinators' partitions are loaded.
"""

from __future__ import annotations

import time

from harness import Kafka, Redis
from runner import limit
from scenario import Scenario, every

GROUPS = ["alpha", "beta", "gamma", "delta"]
SESSION_S = 10  # of a daemon's membership; the other one takes over after it


def add_jobs(scene: Scenario, count: int = 12) -> None:
    jobs = [every(GROUPS[number % len(GROUPS)], f"j{number}") for number in range(count)]
    scene.call({"op": "add", "command_id": "add", "jobs": jobs})


@limit(180)
def test_killed_frozen_and_handed_over(plain_kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A kill, a freeze long enough for a take-over, an orderly stop in the midst of a restart."""
    with Scenario(plain_kafka, redis, cluster) as scene:
        first, second = scene.daemon(), scene.daemon()
        add_jobs(scene)
        scene.wait_fires(12)
        first.kill9()
        first.start()
        scene.wait_fires(12)
        second.sigstop()
        time.sleep(SESSION_S + 4)
        second.sigcont()
        scene.wait_fires(24)
        first.terminate()
        second.kill9()
        second.start()
        time.sleep(1.5)  # the group is waiting for members now
        second.terminate()
        first.start().wait_live(4)
        scene.wait_fires(24)
        scene.verify()
