"""Random walks through the world of one run: two workers, owners one after the other, Kafka.

A walk is bounded (STEPS steps) and follows from its seed; before it, dice decide which faults it
has and how often, so that one walk is mostly rebalances and another mostly silence. After each step
the invariants of one run hold; at the end of each fifth walk Kafka is well again, and the run has
to end in time. `explore` goes from seed to seed. It proves nothing: it finds.
"""

from __future__ import annotations

import itertools
import random
from typing import Callable, NamedTuple

from runs_broker import BACK, LEASE, SECOND, Broken, Broker, Record
from runs_owner import AFTER, Kept, Owner
from runs_worker import Worker

STEPS = 140
TICKED = 2 * SECOND  # what a decision may take beyond its second: a tick a second, and reading it


class World:
    def __init__(self, dice: random.Random, without: frozenset[str]):
        self.broker = Broker()
        self.without = without
        # Some walks have all their tries in a lease's time: what is late matters there.
        within = dice.choice((6, 14, 2 * LEASE, 10 * LEASE))
        self.kept = Kept(dice.choice((1, 2, 3)), within, dice.choice((0, 0, 4)))
        kill_takes = dice.choice((0, 1))
        self.workers = [Worker(index, self.broker, without, dice.random() < 0.4, kill_takes)
                        for index in (0, 1)]
        self.owner = Owner(self.broker, self.kept, without)
        self.owner.closing = self.judge_close
        self.started: set[int] = set()
        self.workers_live = True
        self.well_at = 0

    def closed(self) -> set[int]:
        return {number for number, _ in self.kept.tries}

    # ---- time ----

    def pass_time(self, units: int) -> bool:
        for _ in range(units):
            self.broker.now += 1
            for worker in self.workers:
                worker.watch()
            self.judge()
        return True

    def judge_close(self, number: int, outcome: str) -> None:
        """Whoever still works at a closed try would overlap with the next one."""
        for worker in self.workers:
            if worker.works() and worker.work.number == number:
                raise Broken(2, f"try {number} ends as {outcome}, {'AB'[worker.index]} works at it")
        if outcome == "not_started" and number in self.started:
            raise Broken(0, f"try {number} is called not_started and was started")

    def judge(self) -> None:
        one, two = self.workers
        if one.works() and two.works():
            raise Broken(2, f"tries {one.work.number} and {two.work.number} overlap")
        if self.kept.counted > self.kept.attempts:
            raise Broken(4, f"{self.kept.counted} tries count of {self.kept.attempts}")

    # ---- what strangers write ----

    def hostile(self, dice: random.Random) -> bool:
        """Of another group, or of a try that is over: by a worker that woke, or twice."""
        if not self.broker.up or self.kept.number == 0:
            return False
        kind = dice.choice(("success", "failure", "released", "lost_lease"))
        old = sorted(self.closed())
        if old and dice.random() < 0.5:
            self.broker.append(Record(kind, dice.choice(old), 0, "workers"))
        else:
            before = (list(self.kept.tries), self.kept.fire_at, self.kept.ended)
            self.broker.append(Record(kind, self.kept.number, 0, "others"))
            if self.owner.position == self.broker.stable_end() - 1 == len(self.broker.log) - 1:
                self.owner.read()
                if before != (self.kept.tries, self.kept.fire_at, self.kept.ended):
                    raise Broken(6, "a report of another group has changed a run")
        return True


class Action(NamedTuple):
    name: str
    do: Callable[[], bool]
    weight: float = 1


def progress(world: World) -> list[Action]:
    """What goes on by itself, in any order, where it is not held up."""
    owner = world.owner
    made = [Action("fires", owner.fire), Action("reads", owner.read),
            Action("records the claim", owner.record_claim),
            Action("asks the coordinator", owner.ask),
            Action("is answered", lambda: owner.coordinate(True)),
            Action("hears the coordinator", owner.take_asked),
            Action("sends a tick", owner.send_tick),
            Action("has its tick appended", owner.append_tick)]
    if world.without:
        made.append(Action("decides", owner.without_tick))
    made = [Action(f"O {action.name}", action.do) for action in made]
    for worker in world.workers:
        made += [Action(f"{'AB'[worker.index]} {name}", do) for name, do in (
            ("joins", worker.join), ("learns", worker.learn), ("lets go", worker.let_go),
            ("fetches its position", worker.fetch), ("notices", worker.notice),
            ("reads", worker.read), ("says started", worker.say_started),
            ("is appended", lambda worker=worker: worker.deliver(1, True)),
            ("takes the answer", worker.take_answer), ("gives up", worker.give_up),
            ("asks to commit", worker.ask_commit), ("sends the commit", worker.send_commit),
            ("commits", lambda worker=worker: worker.apply_commit(True)),
            ("hears of the commit", worker.take_committed),
            ("starts", lambda worker=worker: worker.start(world.closed(), world.started)),
            ("renews", worker.renew))]
        made.append(Action(f"{'AB'[worker.index]} is given the partition", lambda worker=worker:
                           world.broker.holder is None and world.broker.rebalance(worker.index)))
    return made


def faults(world: World, dice: random.Random) -> list[Action]:
    """What need not be, as often as this walk wants it."""
    broker, owner = world.broker, world.owner

    def odds() -> float:
        return dice.choice((0, 0, 0, 0.3, 1, 3))

    ends = dice.choice((0, 0.3, 1))
    made = [Action("O is taken over", owner.take_over, odds()),
            Action("O is not answered", lambda: owner.coordinate(False), odds()),
            Action("foreign transaction begins", broker.begin_foreign, odds()),
            Action("foreign transaction ends", broker.end_foreign, 0.5),
            Action("reports are deleted", broker.cut, odds() / 3),
            Action("leader changes", lambda: broker.change_leader(
                BACK if "clocks_agree" not in world.without else 3 * BACK), odds()),
            Action("a generation begins", owner.begin_generation,
                   1 if "same_generation" in world.without else 0),
            Action("offsets are set back", broker.set_back,
                   1 if "offsets_stay" in world.without else 0),
            Action("Kafka goes away", broker.go_away, odds() / 2),
            Action("Kafka is back", broker.be_back, 1),
            Action("hostile report", lambda: world.hostile(dice), odds())]
    for worker in world.workers:
        made += [Action(f"{'AB'[worker.index]} {name}", do, weight) for name, do, weight in (
            ("succeeds", lambda worker=worker: worker.finish("success"), ends / 3),
            ("fails", lambda worker=worker: worker.finish("failure"), ends),
            ("releases", lambda worker=worker: worker.finish("released"), odds() / 2),
            ("dies", worker.die, odds()), ("comes back", worker.come_back, 0.5),
            ("freezes", worker.freeze, odds()), ("wakes", worker.wake, 0.5),
            ("is thrown out", lambda worker=worker: broker.kick(worker.index), odds()),
            ("is to have the partition",
             lambda worker=worker: broker.rebalance(worker.index), odds()),
            ("is appended twice", lambda worker=worker: worker.deliver(2, True), odds() / 2),
            ("is not appended", lambda worker=worker: worker.deliver(0, False), odds() / 2),
            ("is not answered", lambda worker=worker: worker.deliver(1, False), odds() / 2),
            ("says started again", worker.say_again, 0.3),
            ("commits unanswered", lambda worker=worker: worker.apply_commit(False), odds() / 2),
            ("loses the commit", worker.lose_commit, odds() / 2))]
    return made


# ---- the end of a walk: all is well, and the run has to end in time ----

def make_well(world: World, workers_live: bool) -> None:
    world.broker.up = True
    world.broker.end_foreign()
    for worker in world.workers:
        worker.wake()
        if not workers_live:
            worker.die()
            worker.out.clear()


def busy(world: World) -> bool:
    """One round of everything that does not wait for time; was there anything?"""
    owner, broker, done = world.owner, world.broker, False
    for worker in world.workers:
        done |= worker.come_back() if world.workers_live else worker.lose_commit()
        for do in (worker.notice, worker.join, worker.learn, worker.let_go, worker.fetch,
                   lambda: worker.deliver(1, True), worker.take_answer, worker.read,
                   worker.say_started, worker.give_up, worker.ask_commit, worker.send_commit,
                   lambda: worker.apply_commit(True), worker.take_committed,
                   lambda: worker.start(world.closed(), world.started),
                   lambda: worker.finish("success")):
            done |= do()
        if not worker.alive:
            done |= broker.kick(worker.index)
        elif broker.holder is None:
            done |= broker.rebalance(worker.index)
        if worker.claim is not None and worker.claim.step == "sent" and not worker.out:
            done |= worker.say_again()
    for do in (owner.read, owner.fire, owner.take_asked, owner.append_tick):
        done |= do()
    if owner.answer != "yes" and not owner.asking:
        done |= owner.lapsed() and owner.answer is None and owner.ask()
    done |= owner.coordinate(True)
    return done


def settle(world: World, workers_live: bool) -> None:
    make_well(world, workers_live)
    world.workers_live = workers_live
    kept, owner = world.kept, world.owner
    deadline: int | None = None
    number = -1
    for _ in range(kept.attempts * (kept.start_within + 2 * LEASE + 120)):
        for _ in range(400):
            world.judge()
            if not busy(world):
                break
        else:
            raise Broken(3, "never comes to rest")
        if kept.ended is not None:
            return
        if kept.open():
            sign = owner.judged if owner.judged is not None else -LEASE
            may = max(sign + LEASE + AFTER, kept.expires + 2 * SECOND)
            if number != kept.number or deadline is None or may + TICKED > deadline:
                number, deadline = kept.number, may + TICKED
            if world.broker.now > max(deadline, world.well_at + 2 * TICKED):
                raise Broken(3, f"try {kept.number} has not ended {deadline}")
        owner.send_tick()
        world.pass_time(1)
    raise Broken(3, "the run never ends")


def walk(seed: int, without: frozenset[str] = frozenset(), trace: list[str] | None = None) -> None:
    """One walk; raises Broken. With `trace` every action that did something is told.

    Things go on in any order; now and then one of them is held up for a while, a fault happens, or
    time passes.
    """
    dice = random.Random(seed)
    chance = dice.random
    world = World(dice, without)
    broker = world.broker
    steps = progress(world)
    strange = [action for action in faults(world, dice) if action.weight]
    todo = len(steps)
    sums = list(itertools.accumulate(action.weight for action in strange))
    held = [0] * todo
    for index in range(todo):
        if chance() < 0.04:
            held[index] = dice.choice((LEASE, 2 * LEASE, 1000))  # for long, or for good
    holding, faulty, pace = dice.choice((0.03, 0.1)), dice.choice((0.1, 0.25)), \
        dice.choice((0, 0.05, 0.2, 0.4))

    def act(action: Action) -> bool:
        if trace is None:
            return action.do()
        trace.append(f"{broker.now / SECOND:5.1f} s  {action.name}")
        done = action.do()
        if not done:
            trace.pop()
        return done

    for _ in range(STEPS):
        if chance() < holding:
            held[int(chance() * todo)] = broker.now + dice.choice((3, 8, LEASE, 2 * LEASE))
        luck = chance()
        if luck < faulty:
            act(dice.choices(strange, cum_weights=sums)[0])
        elif luck < faulty + pace:
            world.pass_time(dice.choice((1, 1, 2, 4)))
        else:
            first = int(chance() * todo)
            for index in range(first - todo, first):
                if held[index] <= broker.now and act(steps[index]):
                    break
            else:
                world.pass_time(dice.choice((1, 2, 4, 8)))
        world.judge()
    if trace is not None:
        trace.append(f"{broker.now / SECOND:5.1f} s  all is well again")
    world.well_at = broker.now
    if seed % 5 == 0:
        settle(world, chance() < 0.5)


def play(script: str, without: frozenset[str], slow: bool = False) -> None:
    """Actions by their names, one after the other; `wait 3` is 3 units of time."""
    world = World(random.Random(0), without)
    world.kept.attempts, world.kept.start_within, world.kept.delay = 2, 10 * LEASE, 0
    for worker in world.workers:
        rate = 8 if "rates_agree" in without else 9
        worker.rate, worker.kill_takes = (rate, 1) if slow else (10, 0)
    known = {action.name: action for action in
             [*faults(world, random.Random(0)), *progress(world)]}
    for name in script.split(", "):
        word, _, units = name.partition(" ")
        done = world.pass_time(int(units)) if word == "wait" else known[name].do()
        assert done, f"cannot be: {name}"
        world.judge()


def explore(seeds: range, without: frozenset[str] = frozenset()) -> tuple[int, Broken] | None:
    """The first seed that breaks an invariant."""
    for seed in seeds:
        try:
            walk(seed, without)
        except Broken as broken:
            return seed, broken
    return None
