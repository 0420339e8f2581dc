"""Disks that are full and memory that is short: what ends is started again, as a supervisor would,
and nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import re
import resource
import subprocess
import time
from pathlib import Path
from typing import Iterator

from harness import Kafka, Redis, wait_for
from runner import Skip, limit
from scenario import Scenario, every

JOBS = [every(group, group) for group in ("alpha", "beta", "gamma", "delta")]


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size."""
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", place],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError as full:
            assert "No space left" in str(full)
    return ballast


@limit(300)
def test_redis_on_a_full_disk(kafka: Kafka, tmp: Path, cluster: str) -> None:
    """With appendfsync always it ends, otherwise it refuses to write; no fire is late for it."""
    for policy in ("everysec", "always"):
        with small_disk(tmp / policy, 8) as disk, \
                Redis(options={"dir": disk, "appendfsync": policy}) as redis, \
                Scenario(kafka, redis, f"{cluster}-{policy}") as scene:
            daemon = scene.daemon()
            scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
            scene.wait_stored(len(JOBS))
            ballast = fill(disk)
            scene.call({"op": "update", "command_id": "u", "select": {"all": True},
                        "set": {"payload": "x" * 20_000}}, outcome=None, key="any")
            wait_for(lambda: not redis.running or "Error writing to the AOF" in redis.output()
                     or "MISCONF" in daemon.output(), 60, "Redis has felt it")
            scene.wait_fires(8, deadline_s=60)
            ballast.unlink()
            if not redis.running:
                redis.start()
            scene.wait_stored(len(JOBS), deadline_s=60)
            scene.verify()


@limit(300)
def test_kafka_on_a_full_disk(redis: Redis, tmp: Path) -> None:
    """The broker ends; what it had acknowledged is there when it is started with more room."""
    with small_disk(tmp / "disk", 256) as disk, \
            Kafka(options={"log.dirs": disk / "data"}) as kafka, \
            Scenario(kafka, redis, "belfry") as scene:
        daemon = scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        scene.wait_fires(8)
        ballast = fill(disk)
        wait_for(lambda: not kafka.running, 120, "the broker has ended")
        time.sleep(2)
        assert daemon.running, daemon.tail()
        ballast.unlink()
        kafka.start(deadline_s=180)
        scene.wait_fires(8, deadline_s=90)
        scene.verify(deadline_s=90)


def data_bytes(pid: int) -> int:
    """What the limit of a process's data counts."""
    found = re.search(r"^VmData:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found is not None
    return int(found.group(1)) * 1024


@limit(300)
def test_memory_is_short(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A daemon that gets no more memory ends; the next one goes on from the last mark."""
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        scene.call({"op": "add", "command_id": "add", "jobs": JOBS})
        scene.wait_fires(8)
        most = data_bytes(daemon.pid) + (4 << 20)
        resource.prlimit(daemon.pid, resource.RLIMIT_DATA, (most, most))
        for number in range(40):
            scene.send({"op": "add", "command_id": f"big-{number}", "jobs": [
                every("alpha", f"big-{number}-{i}", "1h", payload="x" * 60_000)
                for i in range(10)]})
        wait_for(lambda: not daemon.running, 60, "the daemon has ended")
        assert daemon.exit_code != 0, daemon.tail()
        daemon.start()
        scene.wait_fires(8, deadline_s=60)
        scene.wait_stored(len(JOBS) + 400, deadline_s=60)
        scene.verify()
