"""The world of one run: the owner of its shard. What it commits is `Kept`, the rest is memory."""

from __future__ import annotations

from typing import Callable

from runs_broker import LEASE, SECOND, Broken, Broker, Fire, Record

AFTER = 1 * SECOND           # lost: lease and this much
CLAIM_OLD = 10 * SECOND      # from when on a claim is recorded
RELEASED_WAIT = 60 * SECOND
RETRIED = {"failure", "timeout", "lost", "not_started", "refused", "lost_lease"}
FINAL = {"success", "failure", "lost_lease"}


class Kept:
    """In the state log: survives every take-over."""

    def __init__(self, attempts: int, start_within: int, delay: int):
        self.attempts, self.start_within, self.delay = attempts, start_within, delay
        self.epoch = 1
        self.number = 0            # of the try that is open or was last; the shard's counter
        self.expires = 0
        self.fire_at: int | None = 0   # when a try is to be fired; None: one is open, or all over
        self.offset = -1           # of its fire
        self.claim_recorded = False
        self.placeless = False     # a claim whose reports were deleted: nothing to ask about
        self.counted = self.released = 0
        self.ended: str | None = None
        self.tries: list[tuple[int, str]] = []   # every try that ended, in order
        self.used: list[int] = []                # offsets of reports that acted or were counted
        self.read_to = self.again_from = 0

    def open(self) -> bool:
        return self.ended is None and self.fire_at is None


class Owner:
    def __init__(self, broker: Broker, kept: Kept, without: frozenset[str]):
        self.broker, self.kept, self.without = broker, kept, without
        self.ticks_under_way: list[Record] = []
        self.asked: bool | None = None       # the coordinator's answer on its way
        self.asking = False
        self.closing: Callable[[int, str], None] = lambda number, outcome: None
        self.had_claim: tuple[int, int] | None = None
        self.begin()

    def has(self, rule: str) -> bool:
        return rule not in self.without

    def begin(self) -> None:
        kept = self.kept
        self.epoch = kept.epoch
        self.position = kept.again_from if self.has("read_again") else kept.read_to
        self.ready_at = len(self.broker.log) if self.has("read_first") else 0
        self.sign: int | None = self.broker.now if kept.claim_recorded else None
        if self.sign is not None and not self.has("lease_anew"):
            self.sign = self.broker.now - LEASE - AFTER
        self.claim_offset: int | None = None
        self.claim_read = 0
        self.ticks = self.after_answer = self.after_lapse = 0  # the first ticks that count, or 0
        self.answer: str | None = None
        self.tick_read = self.proved = False
        self.judged = self.sign       # the newest sign by the page's rules, to judge only
        self.asked, self.asking = None, False

    def take_over(self) -> bool:
        if not self.broker.up:
            return False
        had = (self.kept.number, self.position) if self.sign is not None else None
        self.kept.epoch += 1
        self.begin()
        self.had_claim = had
        return True

    def begin_generation(self) -> bool:
        """As `belfry recover` does: every open try ends as lost, and nobody is asked."""
        if not self.take_over() or not self.kept.open():
            return False
        self.close("lost")
        return True

    def judge_take_over(self) -> None:
        """What the owner before knew of a claim, this one knows when it has read as far."""
        if self.had_claim is None or self.position < self.had_claim[1]:
            return
        if self.had_claim[0] == self.kept.number and self.kept.open() and self.sign is None:
            raise Broken(7, f"the claim of try {self.kept.number} is forgotten")
        self.had_claim = None

    def ready(self) -> bool:
        return self.position >= self.ready_at

    # ---- fires ----

    def fire(self) -> bool:
        kept = self.kept
        if not self.broker.up or not self.ready() or kept.ended is not None \
                or kept.fire_at is None or self.broker.now < kept.fire_at:
            return False
        kept.number += 1
        kept.expires = self.broker.now + kept.start_within
        kept.offset = len(self.broker.fires)
        kept.fire_at, kept.claim_recorded, kept.placeless = None, False, False
        self.broker.fires.append(Fire(kept.number, kept.expires))
        self.forget_try()
        return True

    def forget_try(self) -> None:
        self.sign = self.judged = self.claim_offset = None
        self.answer, self.after_answer, self.after_lapse = None, 0, 0
        self.tick_read = self.proved = False
        self.kept.again_from = self.kept.read_to

    # ---- reading ----

    def read(self) -> bool:
        if not self.broker.up or self.position >= self.broker.stable_end():
            return False
        if self.position < self.broker.cut_to:
            self.lose_reports()
            return True
        record = self.broker.log[self.position]
        again = self.position < self.kept.read_to
        if record.kind == "tick":
            self.on_tick(record)
        elif record.kind != "foreign" and (record.group == "workers" or not self.has("own_group")):
            self.on_report(record, again)
        self.position += 1
        self.kept.read_to = max(self.kept.read_to, self.position)
        old = self.claim_offset is None or self.kept.claim_recorded
        self.kept.again_from = self.kept.read_to if old else self.claim_offset or 0
        self.judge_take_over()
        return True

    def lose_reports(self) -> None:
        """Reading goes on at the oldest that is there; what is open counts as claimed now."""
        kept = self.kept
        self.position = self.broker.cut_to
        kept.read_to = kept.again_from = max(kept.read_to, self.position)
        self.claim_offset = None
        if kept.open() and self.has("deleted_is_claim"):
            kept.placeless = kept.placeless or self.sign is None
            kept.claim_recorded = True
            self.on_silence()
            self.sign = self.judged = self.broker.now
        self.judge_take_over()

    def on_silence(self) -> None:
        """What was found out about a silence is void."""
        self.answer, self.after_answer, self.after_lapse = None, 0, 0
        self.tick_read = False

    def on_report(self, record: Record, again: bool) -> None:
        kept = self.kept
        if (record.number != kept.number or not kept.open()) and \
                (self.has("by_number") or not kept.open()):
            if not again or not self.has("only_signs_again"):
                self.use()
            if kept.ended is None or self.has("closed_stays"):
                return
        in_time = record.kind == "running" or record.at < kept.expires
        if record.kind in ("started", "running") and in_time:
            self.judged = self.broker.now
        if record.kind in ("started", "running") and (
                in_time or not self.has("late_started_is_nothing")):
            self.on_sign(record)
        elif not again and record.kind == "released":
            self.use()
            self.closing(kept.number, "released")
            kept.released += 1
            kept.tries.append((kept.number, "released"))
            kept.fire_at = self.broker.now + min((kept.released - 1) * SECOND, RELEASED_WAIT)
            if not self.has("released_is_free"):
                kept.counted += 1
        elif not again and record.kind in FINAL:
            self.use()
            self.close(record.kind)

    def use(self) -> None:
        if self.position in self.kept.used:
            raise Broken(6, f"the report at {self.position} counts twice")
        self.kept.used.append(self.position)

    def on_sign(self, record: Record) -> None:
        if self.sign is not None and record.kind == "running" and not self.has("running_is_sign"):
            return
        self.sign = self.broker.now if self.has("count_from_reading") else record.at
        if self.claim_offset is None:
            self.claim_offset, self.claim_read = self.position, self.broker.now
        if record.kind == "running":
            self.proved = True
        else:
            self.kept.placeless = False
        self.on_silence()

    def record_claim(self) -> bool:
        kept = self.kept
        if not kept.open() or self.sign is None or kept.claim_recorded or not self.broker.up \
                or self.broker.now - self.claim_read < CLAIM_OLD or not self.ready():
            return False
        kept.claim_recorded = True
        kept.again_from = kept.read_to
        return True

    def close(self, outcome: str) -> None:
        kept = self.kept
        if any(number == kept.number for number, _ in kept.tries):
            raise Broken(6, f"try {kept.number} is closed a second time")
        self.closing(kept.number, outcome)
        kept.tries.append((kept.number, outcome))
        kept.counted += 1
        if outcome in RETRIED and (kept.counted < kept.attempts or not self.has("attempts")):
            kept.fire_at = self.broker.now + kept.delay
        else:
            kept.ended = outcome

    # ---- lost and not_started ----

    def lapsed(self) -> bool:
        after = AFTER if self.has("a_second_more") else 0
        return self.sign is not None and (self.broker.now - self.sign >= LEASE + after
                                          or not self.has("lapse"))

    def ask(self) -> bool:
        if not self.broker.up or not self.kept.open() or not self.ready() or self.asking \
                or self.kept.placeless or self.answer == "yes" \
                or (not self.lapsed() and self.has("ask_after_lapse")):
            return False
        self.asking, self.asked = True, None
        return True

    def coordinate(self, answers: bool) -> bool:
        """The question arrives at the coordinator; without an answer it is asked again."""
        if not self.broker.up or not self.asking or self.asked is not None:
            return False
        if not answers:
            self.asking = False
        else:
            self.asked = self.broker.committed > self.kept.offset
        return True

    def take_asked(self) -> bool:
        if not self.asking or self.asked is None:
            return False
        if self.lapsed() or not self.has("ask_after_lapse"):
            self.answer = "yes" if self.asked else "no"
            self.after_answer = self.ticks + 1
        self.asking, self.asked = False, None
        if self.tick_read and self.answer == "yes" and self.kept.open():
            self.close("lost")
        return True

    def send_tick(self) -> bool:
        """Any time: there are other runs in the partition, too."""
        if not self.broker.up or not self.ready() or self.ticks_under_way:
            return False
        self.ticks += 1
        if self.lapsed() and self.after_lapse == 0:
            self.after_lapse = self.ticks
        self.ticks_under_way.append(Record("tick", self.ticks, self.epoch, ""))
        return True

    def append_tick(self) -> bool:
        if not self.broker.up or not self.ticks_under_way:
            return False
        self.broker.append(self.ticks_under_way.pop(0))
        return True

    def on_tick(self, tick: Record) -> None:
        kept = self.kept
        mine = tick.token == self.epoch or not self.has("own_tick")
        if not mine or not kept.open() or not self.ready():
            return
        answered = self.proved or 0 < self.after_answer <= tick.number \
            or not self.has("tick_after_answer")
        silent = 0 < self.after_lapse <= tick.number
        if self.lapsed() and self.answer_good() and answered and (
                silent or not self.has("tick_after_lapse")):
            self.close("lost")
            return
        if self.lapsed() and silent and not self.has("tick_after_answer"):
            self.tick_read = True
        if tick.at >= kept.expires + (SECOND if self.has("a_second_for_brokers") else 0):
            self.on_expired(silent)

    def answer_good(self) -> bool:
        return self.answer == "yes" or self.proved or not self.has("committed_first")

    def on_expired(self, silent: bool) -> None:
        if self.sign is None or not self.has("started_counts"):
            self.close("not_started")
        elif self.lapsed() and (silent or not self.has("expiry_tick_after_lapse")):
            known = self.answer == "no" or not self.has("not_started_is_known")
            self.close("not_started" if known else "lost")

    def without_tick(self) -> bool:
        """Rules taken away: what would be done on the owner's clock or at the partition's end."""
        kept = self.kept
        if not kept.open() or not self.ready():
            return False
        at_end = self.position >= self.broker.stable_end() and self.broker.up
        seen = at_end if not self.has("tick_not_end") else not self.has("tick")
        if seen and self.lapsed() and (self.answer == "yes" or self.proved):
            self.close("lost")
        elif not self.has("tick_at_expiry") and self.sign is None \
                and self.broker.now >= kept.expires + SECOND:
            self.close("not_started")
        else:
            return False
        return True
