"""What befalls two daemons and their servers: kills at random moments and at fault points, zombies,
lost Redis, a broker that is killed or restarted. Each fault leaves everything running."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Callable

from harness import Belfryd, Kafka, Redis, wait_for

SHARDS = 4
KILLS_MIN = 20
TAKE_OVER_S = 13.0  # longer than the group's session of 10 s

# Passages after which a fault point strikes: soon, but not always in the first step.
FAULT_POINTS = {"init.before": 3, "init.after": 3, "begin.before": 60, "produce.before": 900,
                "produce.after": 900, "commit.before": 60, "commit.after": 60,
                "checkpoint.before": 25, "checkpoint.after": 25}


def say(text: str) -> None:
    print(f"      {time.strftime('%H:%M:%S')} {text}", flush=True)


class Chaos:
    """Two daemons that are kept running, and what is done to them."""

    def __init__(self, kafka: Kafka, redis: Redis, seed: int):
        self.chance = random.Random(f"faults-{seed}")
        self.kafka, self.redis = kafka, redis
        self.daemons = [
            Belfryd(kafka, redis, shards=SHARDS, name=f"belfryd{number}",
                    env={"BELFRY_GROUP_INSTANCE_ID": f"daemon-{number}"}) for number in (1, 2)]
        self.kills = 0
        self.at_fault_points: dict[str, int] = {}

    # ---- daemons ----

    def start(self, daemon: Belfryd, faulty: bool) -> None:
        daemon.fault = None
        if faulty:
            point = self.chance.choice(list(FAULT_POINTS))
            daemon.fault = f"{point}:{self.chance.randrange(1, FAULT_POINTS[point] + 1)}"
        daemon.start()

    def kill(self, daemon: Belfryd) -> None:
        if daemon.running:
            daemon.kill9()
            self.kills += 1

    def tend(self) -> None:
        """Starts again what has ended at its fault point; anything else that ends is a bug.

        But one: a static member whose session ended while the broker was away can be fenced by
        its own new membership, in the client library. The daemon then ends and is to be
        restarted by its supervisor, which is us.
        """
        for daemon in self.daemons:
            if daemon.running:
                continue
            if daemon.exit_code == 1 and "FENCED_INSTANCE_ID" in daemon.output():
                say(f"{daemon.name} was fenced by its own new membership and is restarted")
                self.start(daemon, faulty=False)
                continue
            assert daemon.exit_code == -9 and daemon.fault, (
                f"{daemon} ended by itself with {daemon.exit_code}\n{daemon.tail()}")
            self.kills += 1
            point = daemon.fault.split(":")[0]
            self.at_fault_points[point] = self.at_fault_points.get(point, 0) + 1
            self.start(daemon, faulty=self.chance.random() < 0.6)

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tend()
            time.sleep(0.05)

    # ---- faults; each leaves everything running ----

    def random_kills(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.wait(self.chance.uniform(0.3, 4.0))
            daemon = self.chance.choice(self.daemons)
            self.kill(daemon)
            self.start(daemon, faulty=self.chance.random() < 0.6)

    def freeze(self) -> None:
        """The other daemon takes over; then the zombie wakes."""
        frozen, other = self.chance.sample(self.daemons, 2)
        self.restart_sound(other)
        say(f"{frozen.name} is frozen for {TAKE_OVER_S:g} s")
        frozen.sigstop()
        time.sleep(TAKE_OVER_S)
        frozen.sigcont()
        self.wait(3)

    def freeze_at_commit(self) -> None:
        """A zombie that wakes right before its commit, or right after."""
        frozen, other = self.chance.sample(self.daemons, 2)
        self.restart_sound(other)
        self.kill(frozen)
        point = self.chance.choice(["commit.before", "commit.after", "produce.after"])
        frozen.fault = f"{point}:{self.chance.randrange(1, 30)}:stop"
        frozen.start()
        say(f"{frozen.name} freezes itself at {frozen.fault}")
        stat = Path(f"/proc/{frozen.pid}/stat")
        wait_for(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", 60,
                 f"{frozen.name} froze itself")
        time.sleep(TAKE_OVER_S)
        frozen.sigcont()
        self.wait(3)

    def restart_sound(self, daemon: Belfryd) -> None:
        """The one that is to take over must not strike a fault point now."""
        if daemon.fault or not daemon.running:
            self.kill(daemon)
            self.start(daemon, faulty=False)

    def stay_away(self) -> None:
        """A daemon that is killed and not restarted until the other has its shards."""
        dead, other = self.chance.sample(self.daemons, 2)
        self.restart_sound(other)
        say(f"{dead.name} is dead for {TAKE_OVER_S:g} s")
        self.kill(dead)
        time.sleep(TAKE_OVER_S)
        self.start(dead, faulty=False)
        self.wait(2)

    def both_die(self) -> None:
        say("both daemons are dead for 4 s")
        for daemon in self.daemons:
            self.kill(daemon)
        time.sleep(4)
        for daemon in self.daemons:
            self.start(daemon, faulty=False)
        self.wait(2)

    def flush_redis(self) -> None:
        say("FLUSHALL")
        with self.redis.client() as client:
            client.flushall()
        self.wait(1)

    def lose_redis(self) -> None:
        say("Redis is killed, and comes back empty after 4 s")
        self.redis.kill9()
        self.wait(4)
        self.redis.erase()
        self.redis.start()
        self.wait(1)

    def kill_broker(self) -> None:
        say("the broker is killed and restarted")
        self.kafka.kill9()
        self.wait(1)
        self.kafka.start()
        self.wait(2)

    def restart_broker(self) -> None:
        say("the broker is restarted")
        self.kafka.restart()
        self.wait(2)

    def settle(self) -> None:
        """Faults are over: two sound daemons."""
        for daemon in self.daemons:
            self.restart_sound(daemon)

    def faults(self) -> list[Callable[[], None]]:
        return [self.flush_redis, self.freeze, self.lose_redis, self.kill_broker,
                self.freeze_at_commit, self.both_die, self.restart_broker, self.stay_away]

    def run(self, seconds: float) -> None:
        """Every fault at least once, with kills in between."""
        end = time.monotonic() + seconds
        faults = self.faults()
        while True:
            self.chance.shuffle(faults)
            for fault in faults:
                self.random_kills(5)
                fault()
            if time.monotonic() > end:
                break
        while self.kills < KILLS_MIN:
            self.random_kills(5)
