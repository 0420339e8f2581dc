"""Groups of workers and their owners side by side, killed and frozen between the steps of a claim;
and the checker that reads the topics and the side log afterwards."""

from __future__ import annotations

import collections
import dataclasses
import json
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import confluent_kafka

import harness
from owner import Owner, SideLog, Terms

HERE = Path(__file__).resolve().parent
C_WORKER = harness.BUILD / "tests" / "trust" / "claims" / "worker"
SESSION_MS = 1500
BROKER = {"group.min.session.timeout.ms": 1000, "group.consumer.min.session.timeout.ms": 1000,
          "group.consumer.session.timeout.ms": SESSION_MS,
          "group.consumer.min.heartbeat.interval.ms": 100,
          "group.consumer.heartbeat.interval.ms": 300}


@dataclasses.dataclass
class Weather:
    """What befalls the workers of a group: chances in 1,000 at each step, or at one alone."""

    kill: int = 30
    freeze: int = 30
    linger: int = 20
    linger_ms: tuple[int, int] = (300, 4000)
    at: str = "any"
    outside_s: float = 4.0  # a kill or a freeze at any moment this often, 0: none
    frozen_s: tuple[tuple[float, float], ...] = ((0.1, 0.8), (0.1, 0.8), (1.8, 3.5), (4.5, 9.0))
    away_s: tuple[float, float] = (0.0, 0.3)  # until a killed worker is started again
    stranger: bool = True  # a client of the topic of reports leaves transactions open
    stranger_s: tuple[float, float] = (0.3, 5.0)


class Worker(harness.Process):
    """One worker process, and when it goes on."""

    def __init__(self, name: str, command: list[object], settings: dict[str, Any]):
        super().__init__(name, command)
        self.words, self.settings = command, settings
        self.due_s = 0.0  # a stopped one goes on, an ended one is started again
        self.lives = 0

    def begin(self) -> None:
        self.lives += 1
        self.settings["seed"] = self.settings["seed"] * 31 % 1_000_003 + self.lives
        self.command = [*map(str, self.words), json.dumps(self.settings)]
        self.due_s = 0.0
        self.start()

    @property
    def stopped(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        except (OSError, IndexError):
            return False


class Group:
    """One group of workers with its owner and its topics."""

    def __init__(self, kafka: harness.Kafka, name: str, number: int, weather: Weather,
                 terms: Terms, workers: str = "ccp", protocol: str = "classic",
                 without: str = "", partitions: int = 3, through: str = ""):
        self.bootstrap, self.name, self.weather, self.without = (
            kafka.bootstrap, name, weather, without)
        self.through = through or self.bootstrap  # how the workers come to the broker
        self.random = random.Random(number)
        self.side = SideLog(harness.new_directory(name) / "side.log")
        harness.create_topic(kafka.bootstrap, f"{name}.fires", partitions)
        harness.create_topic(kafka.bootstrap, f"{name}.runs", 1,
                             {"message.timestamp.type": "LogAppendTime"})
        self.owner = Owner(kafka.bootstrap, name, partitions, number, self.side, terms, without)
        self.workers = [self.worker(f"{kind}{index}", kind, protocol, partitions,
                                    number * 100 + index)
                        for index, kind in enumerate(workers)]
        self.outside_s = 0.0
        self.calm = threading.Event()
        self.stranger = threading.Thread(target=self.be_strange, daemon=True)

    def worker(self, name: str, kind: str, protocol: str, partitions: int, seed: int) -> Worker:
        weather = self.weather
        settings = {"bootstrap": self.through, "group": self.name, "fires": f"{self.name}.fires",
                    "runs": f"{self.name}.runs", "side": str(self.side.path), "name": name,
                    "seed": seed + 1, "session_ms": SESSION_MS, "partitions": partitions,
                    "kill": weather.kill, "freeze": weather.freeze, "linger": weather.linger,
                    "linger_ms": list(weather.linger_ms), "at": weather.at,
                    "without": self.without, "protocol": protocol}
        command = [C_WORKER] if kind == "c" else [sys.executable, HERE / "worker.py"]
        return Worker(name, command, settings)

    def begin(self) -> None:
        self.owner.start()
        for worker in self.workers:
            worker.begin()
        if self.weather.stranger:
            self.stranger.start()

    def be_strange(self) -> None:
        """Leaves transactions open in the topic of reports: committed readers stand still."""
        producer = confluent_kafka.Producer(harness.client_options(
            self.bootstrap, transactional_id=f"{self.name}.stranger",
            transaction_timeout_ms=60000))
        producer.init_transactions(30)
        while not self.calm.wait(self.random.uniform(0.5, 4)):
            producer.begin_transaction()
            producer.produce(f"{self.name}.runs", b'{"stranger":true}', partition=0)
            producer.flush(10)
            self.calm.wait(self.random.uniform(*self.weather.stranger_s))
            producer.abort_transaction(30)

    def go_on(self, now_s: float) -> None:
        """Wakes who was frozen, starts who was killed, and does harm from outside."""
        for worker in self.workers:
            if worker.running and not worker.stopped:
                worker.due_s = 0.0
                continue
            if worker.due_s == 0.0:
                span = self.random.choice(self.weather.frozen_s) if worker.running else \
                    self.weather.away_s
                worker.due_s = now_s + self.random.uniform(*span)
            elif now_s >= worker.due_s:
                worker.due_s = 0.0
                if worker.running:
                    self.side.write(worker.name, worker.pid, "thawed")
                    worker.sigcont()
                else:
                    assert worker.exit_code == -signal.SIGKILL, worker.tail()
                    worker.begin()
        if self.weather.outside_s and now_s >= self.outside_s:
            self.outside_s = now_s + self.random.uniform(0, 2 * self.weather.outside_s)
            self.harm(self.random.choice(self.workers))

    def harm(self, worker: Worker) -> None:
        if worker.running and not worker.stopped:
            kill = self.random.random() < 0.5
            what = "kill" if kill else "freeze"
            self.side.write(worker.name, worker.pid, f"fault outside {what}")
            worker.send(signal.SIGKILL if kill else signal.SIGSTOP)

    def faults(self) -> int:
        return sum(1 for line in lines_of(self.side.path)
                   if line.event == "fault" and line.words[1] != "linger")

    def be_calm(self) -> None:
        """No more faults and no more runs; what is open is to end."""
        self.calm.set()
        self.owner.feeding = False
        self.weather.outside_s = 0.0
        for worker in self.workers:
            if worker.running:
                self.side.write(worker.name, worker.pid, "fault calm kill")
                worker.kill9()
            worker.settings |= {"kill": 0, "freeze": 0, "linger": 0}
            worker.begin()

    def end(self) -> None:
        self.calm.set()
        self.owner.stopping = True
        self.owner.join(30)
        for worker in self.workers:
            worker.close()


# ---- what happened ----


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of the side log."""

    at_ms: int
    name: str
    pid: int
    event: str
    words: tuple[str, ...]


def lines_of(path: Path) -> Iterator[Line]:
    with open(path) as side:
        for text in side:
            at_ms, name, pid, event, *words = text.split()
            yield Line(int(at_ms), name, int(pid), event, tuple(words))


@dataclasses.dataclass
class Verdict:
    """What the checker counts; all of the first line must be 0."""

    twice: int = 0  # tries started twice
    closed: int = 0  # tries started behind their end
    healthy: int = 0  # tries that ended although a worker that was never frozen went on with them
    unended: int = 0  # tries without exactly one end
    overlaps: int = 0  # two tries of a run at work at one time, nobody frozen
    holes: int = 0  # started behind their end, held up between the last check and the start
    frozen_overlaps: int = 0  # the same of a worker that was frozen at work
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    @property
    def bad(self) -> int:
        return self.twice + self.closed + self.healthy + self.unended + self.overlaps

    @property
    def kills_and_freezes(self) -> int:
        return sum(count for name, count in self.counts.items()
                   if name.startswith(("kill:", "freeze:")) and not name.endswith(":calm"))

    def __add__(self, other: "Verdict") -> "Verdict":
        names = [field.name for field in dataclasses.fields(self)]
        return Verdict(*(getattr(self, name) + getattr(other, name) for name in names))

    def __str__(self) -> str:
        counts = " ".join(f"{name}={count}" for name, count in sorted(self.counts.items()))
        return (f"twice={self.twice} closed={self.closed} healthy={self.healthy} "
                f"unended={self.unended} overlaps={self.overlaps}; holes={self.holes} "
                f"frozen_overlaps={self.frozen_overlaps}; {counts}")


@dataclasses.dataclass
class Story:
    """One try, by places in the side log."""

    starts: list[int] = dataclasses.field(default_factory=list)
    ends: list[int] = dataclasses.field(default_factory=list)  # the owner's
    outcome: str = ""
    finish: int = -1  # the worker has done or stopped the work
    hole: bool = False
    frozen: bool = False  # between its start and its finish


def stories_of(path: Path, counts: collections.Counter[str]) -> dict[int, Story]:
    stories: dict[int, Story] = collections.defaultdict(Story)
    at_work: dict[int, set[int]] = collections.defaultdict(set)  # by process
    for place, line in enumerate(lines_of(path)):
        if line.event == "fault":
            counts[f"{line.words[1]}:{line.words[0]}"] += 1
            for number in at_work[line.pid] if line.words[1] == "freeze" else ():
                stories[number].frozen = True
        elif line.event == "commit":
            counts[f"commit:{line.words[0]}"] += 1
        elif line.event in ("starting", "closed", "ended", "stopped", "hole", "given-back", "late"):
            number = int(line.words[0])
            story = stories[number]
            counts[line.event] += 1
            if line.event == "starting":
                story.starts.append(place)
                at_work[line.pid].add(number)
            elif line.event == "closed":
                story.ends.append(place)
                story.outcome = line.words[1]
                counts[f"end:{line.words[1]}"] += 1
            elif line.event in ("ended", "stopped"):
                story.finish = place
                at_work[line.pid].discard(number)
            elif line.event == "hole":
                story.hole = True
    return stories


def judge(group: Group) -> Verdict:
    """Reads the topic of fires and the side log."""
    verdict = Verdict()
    fired = [record.json for record in
             harness.read_all(group.bootstrap, f"{group.name}.fires", deadline_s=60)]
    stories = stories_of(group.side.path, verdict.counts)
    verdict.counts["tries"] = len(fired)
    runs: dict[str, list[Story]] = collections.defaultdict(list)
    for fire in sorted(fired, key=lambda fire: fire["try"]):
        story = stories[fire["runnumber"]]
        runs[fire["id"]].append(story)
        verdict.twice += len(story.starts) > 1
        verdict.unended += len(story.ends) != 1
        if not story.starts or not story.ends:
            continue
        behind = max(story.starts) > min(story.ends)
        verdict.holes += behind and story.hole
        verdict.closed += behind and not story.hole
        spared = not story.frozen and not story.hole
        verdict.healthy += spared and story.finish > min(story.ends) and \
            story.outcome in ("lost", "not_started", "released")
    for tries in runs.values():
        for first, second in zip(tries, tries[1:]):
            if first.starts and second.starts and first.finish > min(second.starts):
                if first.frozen or first.hole:
                    verdict.frozen_overlaps += 1
                else:
                    verdict.overlaps += 1
    return verdict


# ---- storms ----


def storm(groups: list[Group], enough: int, most_s: float) -> None:
    """Lets the weather do until there were `enough` kills and freezes in all."""
    for group in groups:
        if not group.owner.is_alive():
            group.begin()
    end_s, looked_s = time.monotonic() + most_s, 0.0
    while time.monotonic() < end_s:
        now_s = time.monotonic()
        for group in groups:
            assert group.owner.failure is None, group.owner.failure
            group.go_on(now_s)
        if now_s >= looked_s + 1:
            looked_s = now_s
            if sum(group.faults() for group in groups) >= enough:
                return
        time.sleep(0.03)


def settle(groups: list[Group], deadline_s: float = 120) -> None:
    """No more faults; waits until every try has its end."""
    for group in groups:
        group.be_calm()

    def all_ended() -> bool:
        for group in groups:
            group.go_on(time.monotonic())
        return all(not group.owner.open or group.owner.failure for group in groups)

    try:
        harness.wait_for(all_ended, deadline_s, "every try has its end", every_s=0.05)
    except harness.DeadlineExceeded:
        pass  # the checker counts them
    for group in groups:
        group.end()
