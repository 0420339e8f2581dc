"""Wall clocks of daemons that are ahead, behind, and set while they run; Kafka has the true one."""

from __future__ import annotations

import time

from clocks import MovedClock
from harness import Kafka, Redis
from oracle_fold import instant_ms
from runner import limit
from scenario import Scenario, every, now_ms

GROUPS = ["alpha", "beta", "gamma", "delta"]
# A clock ahead of the broker's is corrected by what is proven: the tolerance, and the way of the
# sample, are left.
EARLY_MS = 1500


def watch(scene: Scenario, seconds: float) -> int:
    """Reads fires as they come; none may come before it is due by the true clock. Their number."""
    end = time.monotonic() + seconds
    seen = 0
    scene.fires.read_to_end()
    while time.monotonic() < end:
        for record in scene.fires.poll(0.05):
            seen += 1
            early_ms = instant_ms(record.json["dueat"]) - now_ms()
            assert early_ms <= EARLY_MS, f"{early_ms} ms early: {record.json}"
    return seen


@limit(240)
def test_clocks_are_wrong_and_set(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """One daemon ahead, one behind; each is killed for the other's benefit, and both are set
    forward and back while they run."""
    with Scenario(kafka, redis, cluster) as scene:
        ahead, behind = MovedClock(ahead_s=20), MovedClock(ahead_s=-3)
        first = scene.daemon(env=ahead.env)
        scene.call({"op": "add", "command_id": "add", "jobs": [
            every(GROUPS[number % 4], f"j{number}") for number in range(8)]})
        assert watch(scene, 4) > 0
        second = scene.daemon(env=behind.env)
        for step_s in (-4, 10, -6):
            ahead.step(step_s)
            behind.step(-step_s / 2)
            watch(scene, 4)
        first.kill9()
        watch(scene, 12)
        first.start()
        behind.set(0)
        second.kill9()
        watch(scene, 4)
        second.start()
        ahead.set(0)
        scene.wait_fires(24, deadline_s=60)
        scene.verify(stamped=False)
