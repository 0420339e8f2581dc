"""What a machine may be short of: descriptors, memory, disk. Nothing is lost or doubled by it.

Longer ones, which end a daemon or a broker, are in tests/trust/test_shortage.py.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

from harness import Kafka, Redis, wait_for
from runner import limit
from scenario import Scenario, every

JOBS = [every(group, group) for group in ("alpha", "beta", "gamma", "delta")]


def open_descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_no_descriptor_is_left(redis: Redis) -> None:
    """The broker goes while the daemon may open nothing any more: it waits, and then goes on."""
    with Kafka() as kafka, Scenario(kafka, redis, "belfry") as scene:
        daemon = scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        scene.wait_fires(8)
        before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (16, before[1]))
        assert open_descriptors(daemon.pid) > 16
        kafka.restart()
        wait_for(lambda: "Too many open files" in daemon.output(), 60, "it is short of descriptors")
        time.sleep(2)
        assert daemon.running, daemon.tail()
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
        scene.wait_fires(8, deadline_s=60)
        scene.verify()


def test_the_log_goes_to_a_full_disk(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon(start=False, wrapper=["sh", "-c", 'exec "$0" "$@" 2>/dev/full'])
        daemon.start()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        scene.wait_fires(8)
        daemon.kill9()
        daemon.start()
        scene.wait_fires(8, deadline_s=60)
        scene.verify()
