"""Clocks that are wrong, are set, or cannot be asked quickly, on a real Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterator

from harness import Belfryd, Kafka, Redis, TopicReader, free_port, new_directory, wait_for
from runner import limit
from scenario import Scenario, every, group_on, now_ms

SOURCES = Path(__file__).parents[1] / "integration"


def library(name: str) -> Path:
    built = new_directory("clock") / f"{name}.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", built,
                    SOURCES / f"{name}.c"], check=True, timeout=60)
    return built


class Clock:
    """The wall clock of a daemon, to be set while it runs."""

    def __init__(self, step_s: int = 0) -> None:
        self.file = new_directory("clock") / "step"
        self.file.write_bytes(struct.pack("<q", step_s))
        self.env = {"LD_PRELOAD": str(library("clock_step")), "CLOCK_STEP_FILE": str(self.file)}

    def set(self, step_s: int) -> None:
        with self.file.open("r+b") as file:
            file.write(struct.pack("<q", step_s))


def events_of(scene: Scenario, name: str) -> list[dict[str, object]]:
    with TopicReader(scene.kafka.bootstrap, f"{scene.cluster}.events") as events:
        return [r.json for r in events.read_to_end() if r.json["event"] == name]


def due_ms(fire: dict[str, str]) -> int:
    return int(fire["id"].rsplit("@", 1)[1])


def late_ms(scene: Scenario, seconds: float) -> list[int]:
    """For so long: how late each fire is when it is read, by the true clock."""
    late: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        late.extend(now_ms() - due_ms(fire) for fire in scene.wait_fires(1))
    return late


def once_each_second(scene: Scenario) -> None:
    """Every job has fired each of its slots once, up to its last one."""
    slots: dict[str, list[int]] = {}
    for record in scene.fires.read_to_end():
        slots.setdefault(record.json["id"].rsplit("@", 1)[0], []).append(due_ms(record.json))
    for name, due in slots.items():
        assert due == list(range(due[0], due[-1] + 1, 1000)), (name, due)


@limit(120)
def test_set_back_while_running(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A clock set back by 90 s stops neither commits nor the group's heartbeats."""
    clock = Clock()
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon(env=clock.env)
        scene.call({"op": "add", "jobs": [every(group_on(shard, scene.shards), "j")
                                          for shard in range(scene.shards)]})
        scene.wait_fires(8)
        clock.set(-90)
        daemon.wait_event("clock.stepped", deadline_s=30)
        late = late_ms(scene, 15)
        assert len(late) >= 8 and max(late) < 60_000, f"{late}: {daemon.tail()}"
        assert not daemon.events("group.lost") and daemon.running
        assert events_of(scene, "clock_behind"), daemon.tail()
        clock.set(0)
        scene.wait_fires(8)
        once_each_second(scene)


@limit(120)
def test_clock_behind(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A daemon whose clock is 20 s behind fires by Kafka's, and says so."""
    clock = Clock(-20)
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon(env=clock.env)
        scene.call({"op": "add", "jobs": [every(group_on(0, scene.shards), "j")]})
        scene.wait_fires(3)
        late = late_ms(scene, 6)
        assert len(late) >= 3 and max(late) < 15_000, late
        said = daemon.events("clock.behind", action="corrected")
        assert said and 19000 <= int(said[0]["behind_ms"]) <= 20500, daemon.tail()
        event, *_ = events_of(scene, "clock_behind")
        assert 19000 <= event["count"] <= 20500 and event["reason"] == "corrected", event


class SlowAnswers:
    """A port in front of a broker whose answers take so long."""

    def __init__(self, port: int, target: int) -> None:
        self.delay_s = 0.0
        self.port, self.target = port, target
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self.loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection("127.0.0.1", self.target)

        async def requests() -> None:
            while data := await reader.read(65536):
                downstream.write(data)
            downstream.close()

        async def answers() -> None:
            while data := await upstream.read(65536):
                self.loop.call_later(self.delay_s, self._write, writer, data)

        await asyncio.gather(requests(), answers(), return_exceptions=True)

    @staticmethod
    def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
        if not writer.is_closing():
            writer.write(data)


@contextlib.contextmanager
def slow_kafka() -> Iterator[tuple[Kafka, SlowAnswers]]:
    kafka = Kafka()
    port = free_port()
    kafka.options["advertised.listeners"] = f"PLAINTEXT://127.0.0.1:{port}"
    proxy = SlowAnswers(port, kafka.brokers[0].port)
    with kafka:
        yield kafka, proxy


def taken_over_slowly(daemon: Belfryd, scene: Scenario) -> None:
    daemon.kill9()
    daemon.start()
    daemon.wait_ready(120)
    daemon.wait_live(deadline_s=120)
    scene.wait_fires(5, deadline_s=60)


@limit(280)
def test_commits_of_a_far_region() -> None:
    """Each answer takes 200 ms, a commit more than 500: a shard just taken over fires."""
    with slow_kafka() as (kafka, proxy), Redis() as redis:
        with Scenario(kafka, redis, "far") as scene:
            daemon = scene.daemon()
            daemon.wait_live()
            scene.call({"op": "add", "jobs": [every(group_on(0, scene.shards), "j", "3s")]})
            scene.wait_fires(2)
            proxy.delay_s = 0.2
            taken_over_slowly(daemon, scene)
            wait_for(lambda: not daemon.events("clock.unknown"), 1, "the clock is known")
            proxy.delay_s = 0.0
            scene.verify()
