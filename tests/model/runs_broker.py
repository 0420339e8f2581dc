"""The world of one run, the part that is Kafka: one partition of `runs`, one of fires, one group.

Time is in halves of a second. Whatever may go wrong between two programs is a call of its own, so
that an explorer can put anything between: a request is sent, applied and answered in three steps.
"""

from __future__ import annotations

from typing import NamedTuple

SECOND = 2
LEASE, MARGIN, RENEW = 10 * SECOND, 1 * SECOND, 3 * SECOND
BACK = 1 * SECOND  # how far append times may step back between leaders


class Broken(Exception):
    """An invariant does not hold; the number of the page's list, 0 for a word that is not true."""

    def __init__(self, invariant: int, what: str):
        super().__init__(f"invariant {invariant}: {what}")
        self.invariant = invariant


class Record(NamedTuple):
    """Of the topic `runs`. Of a tick: number is its sequence, token its owner's epoch."""

    kind: str
    number: int
    token: int
    group: str
    at: int = 0


class Fire(NamedTuple):
    number: int
    expires: int


class Broker:
    def __init__(self) -> None:
        self.now = 0
        self.up = True
        self.behind = 0                    # of the leader's clock
        self.log: list[Record] = []
        self.cut_to = 0                    # what is before has been deleted
        self.open_at: int | None = None    # where a client's transaction began that is open
        self.fires: list[Fire] = []
        self.generation = 1
        self.members: set[int] = set()
        self.holder: int | None = None     # who has the partition of fires
        self.next_holder: int | None = None  # a rebalance waits for the holder to let go
        self.committed = 0

    def append(self, record: Record) -> int:
        at = self.now - self.behind
        self.log.append(record._replace(at=at))
        return at

    def stable_end(self) -> int:
        return len(self.log) if self.open_at is None else self.open_at

    def cut(self) -> bool:
        """Retention: all reports so far are deleted."""
        was, self.cut_to = self.cut_to, len(self.log)
        return self.open_at is None and was != self.cut_to

    def begin_foreign(self) -> bool:
        if not self.up or self.open_at is not None:
            return False
        self.open_at = len(self.log)
        self.append(Record("foreign", 0, 0, ""))
        return True

    def end_foreign(self) -> bool:
        was, self.open_at = self.open_at, None
        return was is not None

    def change_leader(self, back: int) -> bool:
        """The new one's clock is behind, or it is no longer."""
        self.behind = 0 if self.behind else back
        return self.up

    def set_back(self) -> bool:
        """Somebody resets the group's offsets."""
        was, self.committed = self.committed, 0
        return was != 0

    def go_away(self) -> bool:
        was, self.up = self.up, False
        return was

    def be_back(self) -> bool:
        was, self.up = self.up, True
        return not was

    # ---- the coordinator of the workers' group ----

    def rebalance(self, to: int) -> bool:
        """The holder is asked to let go; without one the partition goes over at once."""
        if not self.up or to not in self.members or self.next_holder is not None:
            return False
        self.next_holder = to
        if self.holder is None or self.holder == to:
            self.complete()
        return True

    def complete(self) -> None:
        self.generation += 1
        to, self.next_holder = self.next_holder, None
        self.holder = to if to in self.members else None

    def kick(self, member: int) -> bool:
        """Its session is over, it need not know."""
        if not self.up or member not in self.members:
            return False
        self.members.discard(member)
        self.generation += 1
        if self.holder == member:
            self.holder = None
        if self.next_holder is not None and self.holder is None:
            self.complete()
        return True
