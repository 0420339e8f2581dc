"""A small cluster under test, for the tests of the promises.

    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon()
        scene.call({"op": "add", "jobs": [every("billing", "a", "1s")]})
        daemon.kill9()
        ...
        scene.verify()      # the oracle looks at everything; ends the daemons
"""

from __future__ import annotations

import time
from typing import Any, Callable

from harness import Belfryd, CommandClient, Kafka, Redis, TopicReader, wait_for
from oracle import History, Oracle, stored_jobs
from topics import Record, Sent, shard_of

ALL: dict[str, Any] = {"policy": "all", "window": "24h", "limit": 100000}


def job(group: str, name: str, schedule: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A job whose every slot is wanted, unless `more` says otherwise."""
    return {"group": group, "id": name, "schedule": schedule, "catchup": ALL,
            "payload": {"name": name}, **more}


def every(group: str, name: str, period: str = "1s", **more: Any) -> dict[str, Any]:
    """A job that fires each `period`, on whole periods of the clock."""
    return job(group, name, {"every": period, "anchor": "epoch"}, **more)


def group_on(shard: int, shards: int, prefix: str = "g") -> str:
    """A group that lives on the given shard."""
    return next(name for name in (f"{prefix}{number}" for number in range(10_000))
                if shard_of(name, shards) == shard)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _short(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "jobs"}


class Scenario:
    """Daemons of one cluster, its client, and the check of everything at the end."""

    def __init__(self, kafka: Kafka, redis: Redis, cluster: str, shards: int = 4,
                 through: tuple[str | None, str | None] = (None, None)):
        """`through`: the daemons' way to Kafka and Redis where it is not that of the test."""
        self.kafka, self.redis = kafka, redis
        self.through = (through[0] or kafka, through[1] or redis)
        self.cluster, self.shards = cluster, shards
        self.daemons: list[Belfryd] = []
        self.verified_ms = 0  # up to when verify() looked
        self.restarts = 0     # of daemons that ended under a fault
        self.client = CommandClient(kafka.bootstrap, cluster)
        self._fires: TopicReader | None = None

    def __enter__(self) -> "Scenario":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self._fires is not None:
            self._fires.close()
        for daemon in self.daemons:
            daemon.kill9()  # not close(): the runner keeps the log of a test that failed

    def daemon(self, start: bool = True, **more: Any) -> Belfryd:
        """One more daemon, ready; static, so that a restart does not wait for its dead self."""
        number = len(self.daemons) + 1
        env = {"BELFRY_GROUP_INSTANCE_ID": f"{self.cluster}-{number}", **more.pop("env", {})}
        daemon = Belfryd(*self.through, cluster=self.cluster, shards=self.shards,
                         env=env, name=f"belfryd{number}", **more)
        self.daemons.append(daemon)
        if start:
            daemon.start().wait_ready()
        return daemon

    # ---- commands ----

    def call(self, command: dict[str, Any], outcome: str | None = "applied",
             **send: Any) -> list[dict[str, Any]]:
        """Sends a command, waits for its results; all must have `outcome`."""
        results = self.answers(self.client.send(command, **send))
        assert outcome is None or all(r["outcome"] == outcome for r in results), (
            f"{command!r}: wanted {outcome}, got {[_short(result) for result in results]}")
        return results

    def answers(self, sent: Sent, deadline_s: float = 60.0) -> list[dict[str, Any]]:
        """The results of one record, however often its command id was used."""

        def found() -> list[dict[str, Any]]:
            return [r for r in self.client.by_command.get(sent.command_id, [])
                    if (r["source"]["partition"], r["source"]["offset"])
                    == (sent.partition, sent.offset)]

        def complete() -> bool:
            self.client.poll(0.02)
            return bool(found()) and len(found()) >= found()[0]["shards"]

        wait_for(complete, deadline_s, f"results of {sent}, so far {found()}", every_s=0.0)
        return sorted(found(), key=lambda result: int(result["shard"]))

    def send(self, command: dict[str, Any], **send: Any) -> Sent:
        return self.client.send(command, **send)

    # ---- fires ----

    @property
    def fires(self) -> TopicReader:
        if self._fires is None:
            self._fires = TopicReader(self.kafka.bootstrap, f"{self.cluster}.fires")
        return self._fires

    def wait_fires(self, count: int = 1, deadline_s: float = 60.0,
                   matching: Callable[[dict[str, Any]], bool] = lambda fire: True
                   ) -> list[dict[str, Any]]:
        """Waits for `count` more fires that match, from now on; returns those."""
        begin = len(self.fires.read_to_end())
        found: list[dict[str, Any]] = []
        looked = begin

        def enough(records: list[Record]) -> bool:
            nonlocal looked
            found.extend(fire for fire in (r.json for r in records[looked:]) if matching(fire))
            looked = len(records)
            return len(found) >= count

        self.fires.read_until(enough, deadline_s)
        return found

    # ---- Redis ----

    def stored(self) -> dict[str, dict[str, Any]]:
        with self.redis.client() as client:
            return stored_jobs(client, self.cluster, self.shards)

    def wait_stored(self, jobs: int, deadline_s: float = 60.0) -> None:
        """Waits until Redis holds so many jobs, and a snapshot of every shard that says so."""

        def whole() -> bool:
            with self.redis.client() as client:
                counts = [client.hget(f"{self.cluster}:{{{shard}}}:snapshot", "job_count")
                          for shard in range(self.shards)]
            return None not in counts and sum(map(int, counts)) == jobs == len(self.stored())

        wait_for(whole, deadline_s, f"{jobs} jobs in Redis", every_s=0.1)

    # ---- the end ----

    def verify(self, deadline_s: float = 60.0, in_redis: bool = True, stamped: bool = True
               ) -> dict[str, int]:
        """Waits until everything that is due by now is there, ends the daemons, checks all."""
        until_ms = self.verified_ms = now_ms()
        end = time.monotonic() + deadline_s
        with History(self.kafka.bootstrap, self.cluster, self.shards) as history:
            while Oracle(history.read()).missing(until_ms) and time.monotonic() < end:
                time.sleep(0.2)
            for daemon in self.daemons:
                if daemon.running:
                    daemon.terminate()
            stored = self.stored() if in_redis else None
            return Oracle(history.read(), stamped).check(until_ms, stored)


def endure(scene: Scenario, proxy: Any, rule: Any, restart: bool, fires: int = 4) -> None:
    """Lets a proxy's rule strike as often as it says, where `restart` at a start of the daemon
    after a kill; then the fires have to go on. A daemon that ends because of it is started again,
    as a supervisor would: a static member of a group ends when its name joins twice."""
    daemon = scene.daemons[0]

    def kept_running() -> bool:
        if not daemon.running:
            assert daemon.exit_code == 1, f"{rule}\n{daemon.tail()}"
            scene.restarts += 1
            daemon.start()
        return True

    if restart:
        daemon.kill9()
    proxy.add(rule)
    if restart:
        daemon.start()
    # A command, so that a shard without a due slot has something to say, too.
    scene.send({"op": "update", "select": {"all": True}, "set": {"payload": rule.kind}}, key="any")
    wait_for(lambda: kept_running() and rule.struck == rule.times, 60, f"it happens: {rule}")
    proxy.clear()
    have = len(scene.fires.read_to_end())

    def gone_on() -> bool:
        scene.fires.poll(0.05)
        return kept_running() and len(scene.fires.records) >= have + fires

    wait_for(gone_on, 60, f"{fires} fires after {rule}, as seen from\n{daemon.tail()}")
