"""Runs under faults: three processes of workers and two daemons are killed and frozen, Redis is
lost, the broker is killed, while jobs with a lease go on; then a checker that was not there reads
the topics and what the programs themselves wrote (runs_checker.py).

  CHAOS_SEED=N      repeats the choices of a run (the moments depend on the machine)
  CHAOS_SECONDS=N   how long faults go on at least; 100 by default, `make chaos` gives more
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any, Callable

import harness
from harness import CommandClient, Kafka, Redis, TopicReader
from oracle_fold import instant_ms
from runner import LOGS, limit
from worker import need_leases

sys.path.insert(0, str(Path(__file__).resolve().parent))

from faults import Chaos, say  # noqa: E402 -- found through the line above
from runs_checker import History, Job, Line, Verdict, judge  # noqa: E402

SECONDS = float(os.environ.get("CHAOS_SECONDS", 100))
WORKERS = "chaos-workers"
LEASE_S = 10.0
SETTLE_S = 300.0
OVERLAPS = ["allow", "skip", "buffer_one", "buffer_all", "cancel_other"]
# Two of three are over soon; some go on for longer than a lease.
WORK_S = [0.02, 0.1, 0.1, 0.3, 0.5, 1.0, 2.0, 4.0, 14.0]


class Side:
    """The side log, and what whoever kills and freezes writes there."""

    def __init__(self, path: Path):
        self.path = path
        path.touch()

    def write(self, word: str, pid: int, act: Callable[[], None] = lambda: None) -> None:
        """The line, and what is done before anybody else may write."""
        with open(self.path, "ab") as side:
            fcntl.flock(side, fcntl.LOCK_EX)
            side.write(json.dumps([time.time_ns() // 1_000_000, pid, word]).encode() + b"\n")
            act()

    def lines(self) -> list[Line]:
        return [Line(*json.loads(text)) for text in self.path.read_text().splitlines()]


class WorkerProcess(harness.Process):
    """A process of workers, in a process group of its own with all that it starts."""

    def __init__(self, number: int, settings: dict[str, Any], side: Side):
        super().__init__(f"worker{number}", [])
        self.settings = {**settings, "name": f"host-{number}"}
        self.side = side
        self.lives = 0

    def begin(self) -> None:
        self.lives += 1
        self.settings["seed"] = f"{self.settings['seed']}-{self.name}-{self.lives}"
        self.command = [sys.executable, str(Path(__file__).with_name("run_worker.py")),
                        json.dumps(self.settings)]
        self.start()

    def kill(self) -> None:
        pid = self.pid
        os.killpg(pid, signal.SIGKILL)
        assert self.child is not None
        self.child.wait(timeout=30)
        self.side.write("killed", pid)

    def stands_still(self) -> bool:
        threads = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads)

    def stop_all(self) -> None:
        os.killpg(self.pid, signal.SIGSTOP)
        harness.wait_for(self.stands_still, 30, f"{self.name} stands still")

    def freeze(self) -> None:
        """Not while it holds the lock of the side log, for which all others would wait."""
        self.side.write("frozen", self.pid, self.stop_all)

    def thaw(self) -> None:
        self.side.write("thawed", self.pid)
        os.killpg(self.pid, signal.SIGCONT)


class WatchedProcess(WorkerProcess):
    """One that notes whether it stood still before anybody else could write."""

    def __init__(self, side: Side):
        super().__init__(1, {"seed": ""}, side)
        self.command = [sys.executable, "-c", "import time; time.sleep(600)"]
        self.alone: list[bool] = []

    def stop_all(self) -> None:
        super().stop_all()
        self.alone.append(self.stands_still() and is_locked(self.side.path))


def is_locked(path: Path) -> bool:
    with open(path, "ab") as side:
        try:
            fcntl.flock(side, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_who_is_frozen_does_not_hold_the_log() -> None:
    side = Side(harness.new_directory("side") / "side.log")
    with WatchedProcess(side) as worker:
        for _ in range(3):
            worker.freeze()
            assert worker.alone.pop() and not is_locked(side.path)
            worker.thaw()
            harness.wait_for(lambda: not worker.stands_still(), 30, "it goes on")


class RunsChaos(Chaos):
    """Chaos, and three processes of workers to which the same is done."""

    def __init__(self, kafka: Kafka, redis: Redis, seed: int):
        super().__init__(kafka, redis, seed)
        directory = harness.new_directory("runs")
        self.calm = directory / "calm"
        self.side = Side(directory / "side.log")
        settings = {"bootstrap": kafka.bootstrap, "cluster": "belfry", "workers": WORKERS,
                    "calm": str(self.calm), "side": str(self.side.path), "work_s": WORK_S,
                    "seed": f"workers-{seed}"}
        self.workers = [WorkerProcess(number, settings, self.side) for number in (1, 2, 3)]
        self.thaw_s: dict[int, float] = {}  # who is frozen, and until when
        self.next_harm_s = 0.0
        self.worker_kills = self.worker_freezes = 0

    def tend(self) -> None:
        """Beside the daemons: a worker is killed or frozen every other second."""
        super().tend()
        now_s = time.monotonic()
        for number, until_s in list(self.thaw_s.items()):
            if now_s >= until_s:
                del self.thaw_s[number]
                self.workers[number].thaw()
        for number, worker in enumerate(self.workers):
            if worker.child is not None and not worker.running:
                raise AssertionError(f"{worker} ended by itself\n{worker.tail()}")
        if self.calm.exists() or now_s < self.next_harm_s:
            return
        self.next_harm_s = now_s + self.chance.uniform(0.5, 4.0)
        number = self.chance.randrange(len(self.workers))
        if number in self.thaw_s:
            return
        if self.chance.random() < 0.5:
            self.workers[number].kill()
            self.workers[number].begin()
            self.worker_kills += 1
        else:
            self.workers[number].freeze()
            self.worker_freezes += 1
            span = self.chance.choice([(0.1, 1.0), (0.1, 1.0), (5, 8), (LEASE_S + 2, LEASE_S + 8)])
            self.thaw_s[number] = now_s + self.chance.uniform(*span)

    def settle(self) -> None:
        self.calm.touch()
        for number in list(self.thaw_s):
            self.workers[number].thaw()
        self.thaw_s.clear()
        super().settle()


def definitions(chance: random.Random) -> list[dict[str, Any]]:
    """Jobs of each policy, with and without retries, with slots of a few seconds."""
    made = []
    for number, overlap in enumerate(OVERLAPS * 6):
        every_s = chance.choice([2, 3, 5, 7])
        attempts = chance.choice([1, 2, 4])
        job = {"group": f"team-{number % 12}", "id": f"run-{number}",
               "schedule": {"every": f"{every_s}s", "anchor": "epoch"},
               "catchup": {"policy": "all", "window": "24h", "limit": 100000},
               "lease": f"{LEASE_S:g}s", "workers": WORKERS, "overlap": overlap,
               "start_within": chance.choice(["30s", "60s", "1h"]),
               "retry": {"attempts": attempts, "initial": "200ms", "max": "2s",
                         "poison_after": 100}}
        if overlap == "buffer_all":
            job["overlap_limit"] = chance.choice([1, 3, 20])
        made.append(job)
    return made


def add(bootstrap: str, made: list[dict[str, Any]]) -> list[Job]:
    with CommandClient(bootstrap) as client:
        need_leases(client)
        found = []
        for job in made:
            [result] = client.call({"op": "add", "command_id": f"add-{job['id']}", "job": job})
            assert result["outcome"] == "applied", result
            found.append((job, instant_ms(result["effective_at"])))
    incarnations = {}
    with TopicReader(bootstrap, "belfry.state") as reader:
        for record in reader.read_to_end():
            if (record.key or b"").startswith(b"job/") and record.value:
                incarnations[record.json["id"]] = record.json["incarnation"]
    return [Job(incarnations[job["id"]], int(job["schedule"]["every"][:-1]) * 1000, from_ms,
                job["overlap"], job["retry"]["attempts"], WORKERS) for job, from_ms in found]


class Reading:
    """The topics, as a foreign reader of committed records has them."""

    def __init__(self, bootstrap: str):
        self.readers = {name: TopicReader(bootstrap, f"belfry.{name}")
                        for name in ("fires", "runs", "events", "state")}

    def records(self, name: str) -> list[Any]:
        return self.readers[name].read_to_end(60)

    def history(self, jobs: list[Job], side: Side) -> History:
        fires = [(record.timestamp_ms, record.json) for record in self.records("fires")]
        reports: list[dict[str, Any]] = []
        for record in self.records("runs"):
            value = record.json
            reports += [one for one in (value if isinstance(value, list) else [value])
                        if "report" in one]
        events = [record.json for record in self.records("events")]
        return History(jobs, fires, reports, events, side.lines(), self.open_runs())

    def save(self, folder: Path, side: Side) -> Path:
        """Keeps everything for looking at a failure later: a line a record, and the side log."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "side").write_text(side.path.read_text())
        for name in self.readers:
            (folder / name).write_text("".join(
                f"{record.partition} {record.offset} {record.timestamp_ms} {record.key!r} "
                f"{(record.value or b'-').decode(errors='replace')}\n"
                for record in self.records(name)))
        return folder

    def open_runs(self) -> set[str]:
        """Their ids, by the newest records of the state log."""
        newest = {(record.partition, record.key): record for record in self.records("state")
                  if (record.key or b"").startswith(b"run/")}
        found = [record.json for record in newest.values() if record.value]
        return {f"{one['incarnation']}@{instant_ms(one['nominal'])}" for one in found
                if not one.get("free")}


def wait_quiet(chaos: RunsChaos, reading: Reading, jobs: list[Job], until_ms: int) -> Verdict:
    """Reads until every slot up to `until_ms` and every run of it has its end."""
    end_s = time.monotonic() + SETTLE_S
    while True:
        chaos.wait(2)
        history = reading.history(jobs, chaos.side)
        history.fires = [(at_ms, fire) for at_ms, fire in history.fires
                         if nominal_ms(fire["id"]) <= until_ms]
        verdict = judge(history, until_ms)
        if not (verdict.unended or verdict.unaccounted) or time.monotonic() > end_s:
            return verdict


def nominal_ms(run: str) -> int:
    return int(run.rpartition("@")[2])


@limit(SECONDS * 2 + 500)
def test_runs_exactly_once_under_faults() -> None:
    seed = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))
    say(f"CHAOS_SEED={seed} CHAOS_SECONDS={SECONDS:g}")
    with Kafka(options={"group.min.session.timeout.ms": 1000}) as kafka, \
            Redis(appendonly=False) as redis:
        chaos = RunsChaos(kafka, redis, seed)
        for daemon in chaos.daemons:
            daemon.start()
        for daemon in chaos.daemons:
            daemon.wait_ready()
        jobs = add(kafka.bootstrap, definitions(random.Random(seed)))
        for worker in chaos.workers:
            worker.begin()
        chaos.run(SECONDS)
        say(f"{chaos.kills} daemons and {chaos.worker_kills} workers killed, "
            f"{chaos.worker_freezes} workers frozen; now it settles")
        chaos.settle()
        until_ms = time.time_ns() // 1_000_000
        reading = Reading(kafka.bootstrap)
        verdict = wait_quiet(chaos, reading, jobs, until_ms)
        say(f"seed={seed} {verdict}")
        if any(verdict.faults().values()):
            say(f"kept: {reading.save(LOGS / f'runs-{seed}', chaos.side)}")
        assert not any(verdict.faults().values()), "\n".join(verdict.said[:25])
        assert chaos.worker_kills + chaos.worker_freezes >= SECONDS / 8
        assert verdict.counts["retries"] > 0 and verdict.counts["named"] > 0, verdict
