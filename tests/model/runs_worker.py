"""The world of one run: a worker and the library in it."""

from __future__ import annotations

from typing import NamedTuple

from runs_broker import LEASE, MARGIN, RENEW, Broken, Broker, Record

TENTHS = 10  # of a unit of time, in which a worker's clock is read: it may be 10 % slow

CLAIMING = ("read", "sent", "acked", "committing")  # steps of a claim that is not made yet


class Out(NamedTuple):
    """A report on its way; of an answer, `at` is the append time."""

    kind: str
    number: int
    token: int
    sent: int
    at: int = 0


class Claim:
    def __init__(self, offset: int, number: int, expires: int, token: int):
        self.offset, self.number, self.expires, self.token = offset, number, expires, token
        self.step = "read"  # sent, acked, committing, committed
        self.sent = 0       # when the acknowledged `started` was sent
        self.kept = True    # the partition was neither revoked nor lost
        self.asked = False  # a commit may have happened


class Work:
    def __init__(self, number: int, token: int, sent: int):
        self.number, self.token = number, token
        self.alive = self.renewed = sent  # sending of the newest acknowledged sign; of the newest
        self.dies_at: int | None = None


class Worker:
    def __init__(self, index: int, broker: Broker, without: frozenset[str], slow: bool,
                 kill_takes: int):
        self.index, self.broker, self.without = index, broker, without
        self.rate = 10 if not slow else 9 if self.has("rates_agree") else 8
        self.kill_takes = kill_takes
        self.tokens = 0
        self.alive, self.frozen, self.frozen_at, self.slept = True, False, 0, 0
        self.started: list[int] = []      # numbers of the tries it has started
        self.out: list[Out] = []
        self.begin()

    def begin(self) -> None:
        self.generation: int | None = None
        self.assigned = False
        self.position: int | None = None
        self.claim: Claim | None = None
        self.work: Work | None = None
        self.answers: list[Out] = []
        self.commit: tuple[int, int | None, int] | None = None  # offset, generation, token
        self.committed: str | None = None                        # the answer to it

    def has(self, rule: str) -> bool:
        return rule not in self.without

    def runs(self) -> bool:
        return self.alive and not self.frozen

    def works(self) -> bool:
        """Work is done this very moment: a frozen process does none, unless its program runs on."""
        return self.work is not None and (not self.frozen or not self.has("work_freezes_too"))

    def clock(self) -> int:
        return (self.broker.now - self.slept) * self.rate

    def in_time(self, since: int) -> bool:
        margin = MARGIN if self.has("margin") else 0
        return self.clock() - since < (LEASE - margin) * TENTHS

    def send(self, kind: str, number: int, token: int) -> None:
        self.out.append(Out(kind, number, token, self.clock()))

    # ---- the group ----

    def join(self) -> bool:
        if not self.runs() or not self.broker.up or self.index in self.broker.members \
                or self.generation is not None:
            return False
        self.broker.members.add(self.index)
        return True

    def learn(self) -> bool:
        """The answer of a rebalance; what is no longer its own it has let go before."""
        broker = self.broker
        if not self.runs() or not broker.up or self.index not in broker.members \
                or self.generation == broker.generation:
            return False
        self.generation = broker.generation
        if broker.holder == self.index and not self.assigned:
            self.assigned, self.position = True, None
        return True

    def fetch(self) -> bool:
        if not self.runs() or not self.broker.up or not self.assigned or self.position is not None:
            return False
        self.position = self.broker.committed
        return True

    def let_go(self) -> bool:
        """Asked to in a rebalance: commits under way are waited for, what is unclaimed forgotten"""
        broker = self.broker
        if not self.runs() or broker.next_holder is None or broker.holder != self.index:
            return False
        if self.assigned and self.commit is not None and self.has("wait_in_revoke"):
            return False
        self.without_partition()
        broker.complete()
        return True

    def notice(self) -> bool:
        """It has been thrown out and learns of it."""
        if not self.runs() or self.generation is None or self.index in self.broker.members:
            return False
        self.without_partition()
        self.generation = None
        return True

    def without_partition(self) -> None:
        if not self.has("by_subscription"):
            return  # assign(): nobody tells it
        self.assigned, self.position = False, None
        if self.claim is not None and self.claim.step in CLAIMING:
            self.claim.kept = False
            if self.has("forget_unclaimed") and self.has("kept_throughout"):
                self.claim = None
        if self.has("wait_in_revoke") and self.commit is not None and self.commit[1] is None:
            self.commit = None

    # ---- a claim ----

    def read(self) -> bool:
        if not self.runs() or not self.broker.up or not self.assigned or self.position is None \
                or self.claim is not None or self.work is not None or self.commit is not None \
                or self.position >= len(self.broker.fires):
            return False
        fire = self.broker.fires[self.position]
        self.tokens += 2
        self.claim = Claim(self.position, fire.number, fire.expires, self.tokens + self.index)
        self.position += 1
        return True

    def say_started(self) -> bool:
        claim = self.claim
        if not self.runs() or claim is None or claim.step != "read":
            return False
        self.send("started", claim.number, claim.token)
        claim.step, claim.sent = "sent", self.clock()
        if not self.has("acknowledged"):
            claim.step = "acked"
        return True

    def take_answer(self) -> bool:
        if not self.runs() or not self.answers:
            return False
        answer = self.answers.pop(0)
        since = answer.sent if self.has("count_from_sending") else self.clock()
        claim, work = self.claim, self.work
        if claim is not None and claim.token == answer.token and claim.step == "sent":
            claim.step, claim.sent = "acked", since
            if answer.at >= claim.expires and self.has("before_expiry"):
                self.commit, self.claim = (claim.offset + 1, None, 0), None  # passed over
        if work is not None and work.token == answer.token:
            work.alive = max(work.alive, since)
        return True

    def say_again(self) -> bool:
        """No answer: unknown."""
        if not self.runs() or self.claim is None or self.claim.step != "sent" or self.answers:
            return False
        self.claim.step = "read"
        return True

    def give_up(self) -> bool:
        """3 can no longer hold: nothing is reported, the fire is read again. Not where a commit may
        have happened: that has to be known first, the try may have been closed by it."""
        claim = self.claim
        if not self.runs() or claim is None or claim.step not in ("sent", "acked") \
                or self.in_time(claim.sent) or (claim.asked and self.has("one_started")):
            return False
        if not self.has("silent_before_commit"):
            self.send("released", claim.number, claim.token)
        self.claim = None
        self.position = claim.offset if self.assigned else None
        return True

    def ask_commit(self) -> bool:
        claim = self.claim
        if not self.runs() or claim is None or claim.step != "acked" or self.commit is not None:
            return False
        self.commit = (claim.offset + 1, None, claim.token)
        claim.asked = True
        claim.step = "committing" if self.has("commit_first") else "committed"
        return True

    def send_commit(self) -> bool:
        """It leaves the library: only now it gets the generation."""
        if not self.runs() or self.commit is None or self.commit[1] is not None \
                or self.generation is None:
            return False
        self.commit = (self.commit[0], self.generation, self.commit[2])
        return True

    def apply_commit(self, answered: bool) -> bool:
        broker = self.broker
        if not broker.up or self.commit is None or self.commit[1] is None \
                or self.committed is not None:
            return False
        good = self.commit[1] == broker.generation and self.index in broker.members
        if good or not self.has("by_subscription"):
            broker.committed, good = self.commit[0], True
        self.committed = "unknown" if not answered else "good" if good else "refused"
        return True

    def lose_commit(self) -> bool:
        if self.commit is None or self.commit[1] is None or self.committed is not None:
            return False
        self.committed = "unknown"
        return True

    def take_committed(self) -> bool:
        if not self.runs() or self.committed is None or self.commit is None:
            return False
        claim, token, said = self.claim, self.commit[2], self.committed
        offset = self.commit[0]
        self.commit = self.committed = None
        if claim is not None and claim.token == token and claim.step == "committing":
            good = said == "good" or (said == "refused" and not self.has("without_error"))
            claim.step = "committed" if good else "acked"
        elif token == 0 and said != "good" and self.assigned:
            self.commit = (offset, None, 0)  # of what was passed over: asked again
        return True

    def start(self, closed: set[int], all_started: set[int]) -> bool:
        claim = self.claim
        if not self.runs() or claim is None \
                or claim.step not in ("committed", "checked"):
            return False
        self.claim = None
        if not claim.kept and self.has("kept_throughout"):
            return True
        if claim.step == "committed" and not self.in_time(claim.sent) \
                and self.has("start_in_time"):
            self.send("released", claim.number, claim.token)
            return True
        if claim.step == "committed" and not self.has("start_at_once"):
            claim.step, self.claim = "checked", claim
            return True
        if claim.number in all_started:
            raise Broken(1, f"try {claim.number} is started a second time")
        if claim.number in closed:
            raise Broken(1, f"try {claim.number} is started and is closed")
        all_started.add(claim.number)
        self.work = Work(claim.number, claim.token, claim.sent)
        self.watch()
        return True

    # ---- work ----

    def renew(self) -> bool:
        work = self.work
        if not self.runs() or work is None or work.dies_at is not None \
                or self.clock() - work.renewed < RENEW * TENTHS:
            return False
        self.send("running", work.number, work.token)
        work.renewed = self.clock()
        if not self.has("count_acknowledged"):
            work.alive = self.clock()
        return True

    def finish(self, how: str) -> bool:
        work = self.work
        if not self.runs() or work is None or work.dies_at is not None:
            return False
        self.send(how, work.number, work.token)
        self.work = None
        return True

    def watch(self) -> None:
        """Its own watchman, at each moment of a worker that is not frozen."""
        work = self.work
        if not self.runs() or work is None or not self.has("stop_itself"):
            return
        if work.dies_at is None and not self.in_time(work.alive):
            work.dies_at = self.broker.now + self.kill_takes
            if not self.has("dead_before_said"):
                self.send("lost_lease", work.number, work.token)
                work.dies_at += 2
        if work.dies_at is not None and self.broker.now >= work.dies_at:
            if self.has("dead_before_said"):
                self.send("lost_lease", work.number, work.token)
            self.work = None

    def die(self) -> bool:
        if not self.alive:
            return False
        self.alive = self.frozen = False
        kept = self.commit if self.commit is not None and self.commit[1] is not None else None
        self.begin()
        self.commit = kept
        return True

    def come_back(self) -> bool:
        if self.alive or self.index in self.broker.members or self.commit is not None:
            return False
        self.alive = True
        return True

    def freeze(self) -> bool:
        if not self.runs():
            return False
        self.frozen, self.frozen_at = True, self.broker.now
        return True

    def wake(self) -> bool:
        if not self.frozen:
            return False
        self.frozen = False
        if not self.has("clock_in_suspend"):
            self.slept += self.broker.now - self.frozen_at
        if self.work is not None and not self.in_time(self.work.alive) and self.has("stop_itself"):
            self.work.dies_at = self.broker.now  # at once: see docs on what may run till then
        self.watch()
        return True

    # ---- the way to the log ----

    def deliver(self, times: int, answered: bool) -> bool:
        if not self.broker.up or not self.out:
            return False
        report = self.out.pop(0)
        at = 0
        for _ in range(times):
            at = self.broker.append(Record(report.kind, report.number, report.token, "workers"))
        if answered and times and self.alive:
            self.answers.append(report._replace(at=at))
        return True
