"""A real Apache Kafka and a real Redis, for the test harness."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Iterable

import confluent_kafka
import confluent_kafka.admin
import redis as redis_client

from processes import Process, accepts_connections, free_port
from topics import client_options

ROOT = Path(__file__).resolve().parents[2]
KAFKA_LIBS = Path(os.environ.get("BELFRY_KAFKA_LIBS", ROOT / "build" / "kafka" / "libs"))
START_DEADLINE_S = 60.0

KAFKA_DEFAULTS: dict[str, object] = {
    "auto.create.topics.enable": "false",
    # A node restarted after a kill waits until its dead self's session has ended: 9 s by default.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.recovery.threads.per.data.dir": 1,
    "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
    "log.segment.delete.delay.ms": 1000,
}
# What one machine needs; all else is as Kafka is delivered: a group that waits 3 s for members,
# 50 partitions of offsets and of transactions, topics made by whoever asks for one.
KAFKA_AS_DELIVERED: dict[str, object] = {"num.recovery.threads.per.data.dir": 1}
JVM_DEFAULTS = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto")


class _Broker(Process):
    """One node of a Kafka cluster; SIGTERM makes it stop in an orderly way."""

    def __init__(self, node: int, heap_mb: int, jvm: Iterable[str]):
        self.node = node
        self.port = free_port()
        self.controller_port = free_port()
        self.inner_port = free_port()  # what a proxy connects to ...
        self.proxy_port = free_port()  # ... and where those who came through it are led back to
        super().__init__(f"kafka{node}", [])
        self.properties = self.directory / "server.properties"
        self.jvm = [_java(), f"-Xmx{heap_mb}m", *jvm, "-cp", f"{KAFKA_LIBS}/*",
                    f"-Dlog4j2.configurationFile={ROOT}/tests/support/kafka/log4j2.properties"]
        self.command = [*self.jvm, "kafka.Kafka", str(self.properties)]

    def configure(self, properties: dict[str, object], cluster_id: str) -> None:
        """Writes server.properties and formats the data directory."""
        own = {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},"
                         f"PROXIED://127.0.0.1:{self.inner_port},"
                         f"CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port},"
                                    f"PROXIED://127.0.0.1:{self.proxy_port}",
            "listener.security.protocol.map":
                "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self.directory / "data",
        }
        lines = (f"{name}={value}" for name, value in {**own, **properties}.items())
        self.properties.write_text("\n".join(lines) + "\n")
        formatted = subprocess.run(
            [*self.jvm, "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format",
             "-t", cluster_id, "-c", self.properties],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=START_DEADLINE_S, text=True)
        assert formatted.returncode == 0, f"formatting {self.directory}:\n{formatted.stdout}"


class Kafka:
    """A real Apache Kafka (KRaft) on free ports: one node, or `nodes` of them.

        options  broker properties that replace the defaults above
        plain    the broker's own defaults in place of the fast ones above
        jvm      JVM flags that replace JVM_DEFAULTS (the benchmarks want other ones)

    Ports and data stay over stop(), kill9() and restart(); they go with close().
    """

    def __init__(self, nodes: int = 1, options: dict[str, object] | None = None,
                 heap_mb: int = 400, jvm: Iterable[str] = JVM_DEFAULTS, plain: bool = False):
        assert KAFKA_LIBS.is_dir(), f"{KAFKA_LIBS} is missing: run tests/support/setup --test"
        self.brokers = [_Broker(node + 1, heap_mb, jvm) for node in range(nodes)]
        copies = min(3, nodes)
        voters = ",".join(f"{b.node}@127.0.0.1:{b.controller_port}" for b in self.brokers)
        self.options = {
            **(KAFKA_AS_DELIVERED if plain else KAFKA_DEFAULTS),
            "controller.quorum.voters": voters,
            "default.replication.factor": copies,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": max(1, copies - 1),
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": max(1, copies - 1),
            **(options or {}),
        }
        self.formatted = False

    def __enter__(self) -> "Kafka":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        """`host:port,…` for clients."""
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def start(self, deadline_s: float = START_DEADLINE_S) -> "Kafka":
        """Starts the nodes that do not run and waits until all serve requests."""
        if not self.formatted:
            cluster_id = _cluster_id()
            for broker in self.brokers:
                broker.configure(self.options, cluster_id)
            self.formatted = True
        for broker in self.brokers:
            if not broker.running:
                broker.start()
        self.wait_ready(deadline_s)
        return self

    def wait_ready(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Waits until every node listens and the cluster has all of them and a controller."""
        for broker in self.brokers:
            broker.wait_until(lambda: accepts_connections(broker.port), deadline_s, "listens")
        admin = confluent_kafka.admin.AdminClient(client_options(self.bootstrap))

        def complete() -> bool:
            try:
                brokers = admin.list_topics(timeout=2).brokers
            except confluent_kafka.KafkaException:
                return False
            return len(brokers) == len(self.brokers)

        self.brokers[0].wait_until(complete, deadline_s, "all nodes are in the cluster")

    def stop(self, node: int | None = None, deadline_s: float = START_DEADLINE_S) -> None:
        """Stops all nodes, or one (1…), in an orderly way; data stay."""
        for broker in self._chosen(node):
            if broker.running:
                broker.stop(deadline_s)

    def kill9(self, node: int | None = None) -> None:
        """Kills all nodes, or one, without notice; data stay."""
        for broker in self._chosen(node):
            broker.kill9()

    def restart(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Stops what runs, starts all nodes with their data."""
        self.stop(deadline_s=deadline_s)
        self.start(deadline_s)

    def close(self) -> None:
        """Ends the nodes and deletes their data."""
        for broker in self.brokers:
            broker.close()
            shutil.rmtree(broker.directory / "data", ignore_errors=True)
        self.formatted = False

    @property
    def running(self) -> bool:
        return all(broker.running for broker in self.brokers)

    @property
    def processes(self) -> list[Process]:
        return list(self.brokers)

    def _chosen(self, node: int | None) -> list[_Broker]:
        return [broker for broker in self.brokers if node in (None, broker.node)]


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home and Path(home, "bin/java").exists() else "java"


def _cluster_id() -> str:
    """A random id as Kafka writes it; it may not begin with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


class Redis(Process):
    """A real redis-server on a free port of 127.0.0.1; port and data stay over a restart.

    With `appendonly` (as Belfry wants it in production: appendfsync always, noeviction) data
    outlive kill9(); without, they are lost with the process.
    """

    def __init__(self, appendonly: bool = True, options: dict[str, object] | None = None):
        super().__init__("redis", [])
        self.port = free_port()
        settings = {"port": self.port, "bind": "127.0.0.1", "dir": self.directory, "save": "",
                    "appendonly": "yes" if appendonly else "no", "appendfsync": "always",
                    "maxmemory-policy": "noeviction", **(options or {})}
        self.command = ["redis-server"]
        for name, value in settings.items():
            self.command += [f"--{name}", str(value)]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def client(self) -> redis_client.Redis:
        """A client that answers str; each command gives up after 60 s."""
        return redis_client.Redis(port=self.port, decode_responses=True, socket_timeout=60)

    def start(self, deadline_s: float = START_DEADLINE_S) -> "Redis":
        super().start()
        self.wait_ready(deadline_s)
        return self

    def wait_ready(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Waits until PING is answered (not while an AOF is still being loaded)."""
        client = self.client()

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis_client.RedisError:
                return False

        self.wait_until(answers, deadline_s, "answers PING")
        client.close()

    def restart(self, empty: bool = False) -> None:
        """Kills the server if it runs and starts it again, with its data or without any."""
        self.kill9()
        if empty:
            self.erase()
        self.start()

    def erase(self) -> None:
        """Deletes the data of a server that does not run."""
        assert not self.running
        shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)
        (self.directory / "dump.rdb").unlink(missing_ok=True)

    @property
    def processes(self) -> list[Process]:
        return [self]
