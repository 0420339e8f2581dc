"""Commands from a foreign client: one producer with the right partitioner, one with a wrong one.

Everything is drawn from one seed. The client does not look at results: what became of a command
is for the oracle to find out.
"""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

import confluent_kafka

from oracle_fold import instant_text
from topics import client_options

GROUPS = [f"team-{number}" for number in range(24)]
SUPER_GROUPS = ["north", "south", "east"]
COLOURS = ["red", "green", "blue"]
SCHEDULES: list[dict[str, Any]] = [
    {"every": "1s", "anchor": "epoch"}, {"every": "1s"}, {"every": "2s"}, {"every": "1500ms"},
    {"every": "3s"}, {"every": "5s", "anchor": "epoch"}, {"every": "PT7S"},
    {"cron": "* * * * * *"}, {"cron": "*/2 * * * * *"}, {"cron": "*/7 * * * * *"},
    {"cron": "5-55/10 * * * * *"}, {"cron": "0,15,30,45 * * * * *"}, {"cron": "* * * * *"},
    {"cron": "30 */2 * * * SUN-SAT"}, {"cron": "10 * * JAN-DEC * 0-7"},
]


def catchup(chance: random.Random) -> dict[str, Any]:
    """Mostly `all` with room for everything; a short grace, so that outages are caught up."""
    policy = chance.choices(["all", "latest", "none"], [17, 2, 1])[0]
    found: dict[str, Any] = {"policy": policy, "window": "24h", "limit": 100000}
    if chance.random() < 0.5:
        found["misfire_grace"] = "1s"
    return found


def job(chance: random.Random, name: str, now_ms: int) -> dict[str, Any]:
    """A random job called `name`."""
    schedule = dict(chance.choice(SCHEDULES))
    made: dict[str, Any] = {"group": chance.choice(GROUPS), "id": name, "schedule": schedule,
                            "payload": {"name": name, "n": chance.randrange(1000)},
                            "catchup": catchup(chance),
                            "labels": {"colour": chance.choice(COLOURS)}}
    if chance.random() < 0.5:
        made["super_group"] = chance.choice(SUPER_GROUPS)
    kind = chance.random()
    if kind < 0.08:
        made["schedule"] = {"at": instant_text(now_ms + chance.randrange(-5000, 90_000))}
        made["catchup"]["policy"] = "all"
    elif kind < 0.14:
        made["max_fires"] = chance.randrange(1, 40)
        made["catchup"]["policy"] = "all"
        made["labels"] = {"colour": "none"}
    elif kind < 0.18:
        made["paused"] = True
    elif kind < 0.22:
        made["start"] = instant_text(now_ms + chance.randrange(60_000))
    return made


class Workload:
    """Sends commands in a thread of its own until stop()."""

    def __init__(self, bootstrap: str, cluster: str, seed: int, jobs: int, per_second: float):
        self.chance = random.Random(f"workload-{seed}")
        self.topic = f"{cluster}.control"
        self.per_second = per_second
        self.sent = 0
        self.failed: list[str] = []
        self.names: list[tuple[str, str, bool]] = []  # group, id, whether it may be edited
        self.history: list[tuple[str | None, bytes]] = []
        options = {"linger_ms": 1, "message_timeout_ms": 120_000}
        self.producers = [
            confluent_kafka.Producer(client_options(bootstrap, partitioner=name, **options))
            for name in ("murmur2_random", "consistent_random")]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workload", daemon=True)
        self.initial = jobs

    def start(self) -> "Workload":
        while len(self.names) < self.initial:
            self._send(self._add(5))
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the thread and waits until all is acknowledged."""
        self._stopped.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        left = sum(producer.flush(120) for producer in self.producers)
        assert left == 0, f"{left} commands were not acknowledged"

    def finish(self) -> None:
        """After the faults: what is owed by paused jobs is to go out too."""
        self._send({"op": "resume", "command_id": "finish", "select": {"all": True}})
        assert self.producers[0].flush(60) + self.producers[1].flush(60) == 0

    # ---- the thread ----

    def _run(self) -> None:
        makers = [(self._add, 6), (self._put, 3), (self._update, 5), (self._pause, 4),
                  (self._resume, 6), (self._delete, 3), (self._trigger, 4), (self._ping, 1)]
        weights = [weight for _maker, weight in makers]
        while not self._stopped.wait(self.chance.expovariate(self.per_second)):
            if self.history and self.chance.random() < 0.08:
                self._produce(*self.chance.choice(self.history))  # the same once more
            else:
                self._send(self.chance.choices(makers, weights)[0][0]())

    def _send(self, command: dict[str, Any]) -> None:
        if self.chance.random() < 0.9:
            command.setdefault("command_id", f"c{len(self.history)}")
        jobs = command.get("jobs") or [{}]
        groups = (command.get("select") or {}).get("groups") or [None]
        key = jobs[0].get("group") or groups[0]
        value = json.dumps(command).encode()
        if "command_id" in command:
            self.history.append((key, value))
        self._produce(key, value)

    def _produce(self, key: str | None, value: bytes) -> None:
        """Three of four go the right way."""
        producer = self.producers[self.chance.random() < 0.25]
        producer.produce(self.topic, value, key, on_delivery=self._delivered)
        for one in self.producers:
            one.poll(0)
        self.sent += 1

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is not None:
            self.failed.append(str(error))

    # ---- commands ----

    def _one(self) -> dict[str, Any]:
        group, name, _editable = self.chance.choice(self.names)
        return {"groups": [group], "ids": [name]}

    def _some(self) -> dict[str, Any]:
        """Mostly one job; now and then many, on several shards."""
        kind = self.chance.random()
        if kind < 0.8:
            return self._one()
        if kind < 0.9:
            return {"groups": self.chance.sample(GROUPS, 2),
                    "labels": {"colour": self.chance.choice(COLOURS)}}
        return {"super_groups": [self.chance.choice(SUPER_GROUPS)],
                "labels": {"colour": self.chance.choice(COLOURS)}}

    def _add(self, count: int = 0) -> dict[str, Any]:
        now_ms = time.time_ns() // 1_000_000
        jobs = []
        for _ in range(count or self.chance.choice([1, 1, 1, 3])):
            made = job(self.chance, f"job-{len(self.names)}", now_ms)
            self.names.append((made["group"], made["id"],
                               "max_fires" not in made and "at" not in made["schedule"]))
            jobs.append(made)
        return {"op": "add", "jobs": jobs}

    def _put(self) -> dict[str, Any]:
        """Replaces a job that runs for ever by another one like it, or does nothing."""
        made = job(self.chance, "", time.time_ns() // 1_000_000)
        made["schedule"] = dict(self.chance.choice(SCHEDULES))
        made.pop("max_fires", None)
        editable = [(group, name) for group, name, editable in self.names if editable]
        made["group"], made["id"] = self.chance.choice(editable)
        return {"op": "put", "jobs": [made]}

    def _update(self) -> dict[str, Any]:
        select = self._one()
        changed: dict[str, Any] = {"payload": {"v": self.chance.randrange(1_000_000)}}
        named = (select["groups"][0], select["ids"][0], True)
        if named in self.names and self.chance.random() < 0.5:
            changed = {"schedule": dict(self.chance.choice(SCHEDULES))}
        return {"op": "update", "select": select, "set": changed}

    def _pause(self) -> dict[str, Any]:
        command: dict[str, Any] = {"op": "pause", "select": self._some(), "reason": "chaos"}
        if self.chance.random() < 0.4:
            until_ms = time.time_ns() // 1_000_000 + self.chance.randrange(3000, 20_000)
            command["until"] = instant_text(until_ms)
        return command

    def _resume(self) -> dict[str, Any]:
        command: dict[str, Any] = {"op": "resume", "select": self._some()}
        if self.chance.random() < 0.3:
            command["from"] = "paused_at"
        return command

    def _delete(self) -> dict[str, Any]:
        return {"op": "delete", "select": self._one()}

    def _trigger(self) -> dict[str, Any]:
        return {"op": "trigger", "select": self._some()}

    def _ping(self) -> dict[str, Any]:
        return {"op": "ping"}
