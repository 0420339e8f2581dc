"""The protocol of runs, played: with all its rules nothing is found, without any of them something.

RUNS_WALKS says how many walks with all rules (make model: 200,000), RUNS_SEED where to begin.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from runner import limit  # noqa: E402 -- found through the line above
from runs_broker import Broken
from runs_explorer import explore, play, walk

WALKS = int(os.environ.get("RUNS_WALKS", 1500))
SEED = int(os.environ.get("RUNS_SEED", 1))

# Each rule of the protocol, what it says, the walk that meets what it is for (0: SCRIPTS), and the
# invariant that is broken without it; 0 is a word that is not true.
RULES: list[tuple[str, str, int, int]] = [
    # a claim
    ("acknowledged", "a fire is started only after its `started` is acknowledged", 4, 1),
    ("before_expiry", "… with an append time before expirytime", 4, 1),
    ("commit_first", "… after its offset is committed", 11, 1),
    ("without_error", "… without an error", 3400, 1),
    ("by_subscription", "… as a member of the generation: assign() is not fenced", 47, 1),
    ("kept_throughout", "… the partition neither revoked nor lost meanwhile", 47, 1),
    ("wait_in_revoke", "… the library waits in the revoke for commits under way", 0, 1),
    ("forget_unclaimed", "… and forgets what is unclaimed", 0, 1),
    ("start_in_time", "… less than lease − margin after `started` was sent", 45, 1),
    ("one_started", "no second `started` where the first one's commit may have happened", 0, 1),
    ("silent_before_commit", "who gives up before the commit reports nothing", 34, 1),
    # the worker's lease
    ("count_from_sending", "it counts from the sending of a sign, not from the answer", 3613, 1),
    ("count_acknowledged", "… of an acknowledged one", 1624, 2),
    ("stop_itself", "it stops its work when the lease is over", 1267, 2),
    ("margin", "… by a margin earlier", 0, 2),
    ("clock_in_suspend", "its clock runs in suspend", 45, 1),
    ("dead_before_said", "lost_lease is said when the work has ended", 99, 2),
    # the owner's
    ("lapse", "lost only when lease + 1 s have passed since the newest sign was read", 4, 2),
    ("a_second_more", "… the second", 0, 2),
    ("running_is_sign", "`running` begins the lease anew", 38, 2),
    ("committed_first", "lost only when the fire's offset is committed", 0, 1),
    ("tick_after_answer", "… and a tick sent after that answer is read back", 0, 2),
    ("tick_after_lapse", "… and sent after the lease was over", 0, 2),
    ("own_tick", "… the owner's own", 0, 2),
    ("tick_not_end", "… a tick, not the partition's stable end", 701, 2),
    ("count_from_reading", "the owner counts from reading a sign", 0, 2),
    ("tick_at_expiry", "not_started by a tick, not by a clock", 239, 0),
    ("a_second_for_brokers", "… a second after expirytime", 0, 1),
    ("started_counts", "… and no `started` in time before it", 42, 2),
    ("expiry_tick_after_lapse", "… or that one's lease over before the tick was sent", 0, 2),
    ("not_started_is_known", "not_started only when the coordinator said: not committed", 214, 0),
    ("late_started_is_nothing", "a `started` at or after expirytime is nothing", 20, 3),
    # records and take-over
    ("read_again", "a new owner reads from the oldest claim not recorded", 1, 7),
    ("only_signs_again", "… where only signs of life count", 145, 6),
    ("lease_anew", "after a take-over the lease begins anew", 450, 2),
    ("deleted_is_claim", "where reports were deleted unread what is open counts as claimed", 0, 2),
    # reports
    ("by_number", "a report acts on the try of its number", 45, 1),
    ("own_group", "a report of another group changes nothing", 17, 6),
    ("closed_stays", "no report changes a closed run", 58, 6),
    ("attempts", "tries that count are bounded", 10, 4),
    ("released_is_free", "a released try does not count", 175, 4),
]
# What a walk meets too seldom, step by step: the rule, and what happens without it.
CLAIMS = ("O fires, A joins, A is given the partition, A learns, A fetches its position, A reads, "
          "A says started, A is appended, A takes the answer")
COMMITS = "{0} asks to commit, {0} sends the commit, {0} commits, {0} hears of the commit"
WORKS = COMMITS.format("A") + ", A starts"
READY = CLAIMS.split(", A says started")[0]
B_HAS_IT = "B learns, B fetches its position, B reads"
B_CLAIMS = "B says started, B is appended, B takes the answer, " + COMMITS.format("B")
ASKED = "O asks the coordinator, O is answered, O hears the coordinator"
TICK = "O sends a tick, O has its tick appended, O reads"
SCRIPTS: dict[str, tuple[bool, str]] = {
    "wait_in_revoke": (False, f"{CLAIMS}, A asks to commit, B joins, B is to have the partition, "
                       f"A lets go, {B_HAS_IT}, A learns, A sends the commit, A commits, O reads, "
                       f"wait 22, {ASKED}, {TICK}, {B_CLAIMS}, B starts"),
    "forget_unclaimed": (False, f"{CLAIMS}, B joins, B is to have the partition, A lets go, "
                         f"{B_HAS_IT}, A learns, A asks to commit, A sends the commit, A commits, "
                         f"O reads, wait 22, {ASKED}, {TICK}, {B_CLAIMS}, B starts"),
    "tick_after_answer": (False, f"{CLAIMS}, O reads, wait 22, {TICK}, A is thrown out, B joins, "
                          f"B is given the partition, {B_HAS_IT}, {B_CLAIMS}, B starts, {ASKED}"),
    "own_tick": (False, f"{CLAIMS}, {WORKS}, O sends a tick, "
                 "O is taken over, O reads, O has its tick appended, "
                 + "wait 7, A renews, A is appended, A takes the answer, " * 3
                 + f"wait 1, {ASKED}, O sends a tick, O reads"),
    "a_second_more": (True, f"{CLAIMS}, {WORKS}, O reads, wait 20, "
                      f"{ASKED}, {TICK}"),
    "count_from_reading": (True, f"leader changes, {CLAIMS}, {WORKS}, "
                           f"O reads, wait 20, {ASKED}, {TICK}"),
    "committed_first": (False, f"{CLAIMS}, O reads, wait 22, {ASKED}, {TICK}, A is thrown out, "
                        f"B joins, B is given the partition, {B_HAS_IT}, {B_CLAIMS}, B starts"),
    "margin": (True, f"{CLAIMS}, {WORKS}, O reads, wait 22, {ASKED}, {TICK}"),
    "a_second_for_brokers": (False, f"{READY}, wait 200, {TICK}, leader changes, A says started, "
                             f"A is appended, A takes the answer, {WORKS}"),
    "expiry_tick_after_lapse": (False, f"{READY}, wait 195, A says started, A is appended, "
                                f"A takes the answer, {WORKS}, O reads, wait 7, O sends a tick, "
                                "O has its tick appended, A renews, A is appended, "
                                "A takes the answer, wait 15, O reads"),
    "tick_after_lapse": (False, f"{CLAIMS}, {WORKS}, O reads, wait 7, A renews, A is appended, "
                         "A takes the answer, O reads, O sends a tick, O has its tick appended, "
                         + "wait 7, A renews, A is appended, A takes the answer, " * 2
                         + "wait 8, O reads"),
    "one_started": (False, f"{CLAIMS}, O reads, A asks to commit, A sends the commit, "
                    "A commits unanswered, A hears of the commit, wait 22, "
                    f"{ASKED}, {TICK}, A gives up, A reads, A says started, A is appended, "
                    f"A takes the answer, {WORKS}"),
    "deleted_is_claim": (False, f"{READY}, wait 195, A says started, A is appended, "
                         f"A takes the answer, {WORKS}, reports are deleted, wait 7, O reads, "
                         + TICK),
    # limits
    "start_at_once": (False, f"{CLAIMS}, O reads, {WORKS}, A freezes, wait 22, {ASKED}, {TICK}, "
                      "A wakes, A starts"),
    "same_generation": (False, f"{CLAIMS}, {WORKS}, O reads, a generation begins"),
    "rates_agree": (True, f"{CLAIMS}, {WORKS}, O reads, wait 22, {ASKED}, {TICK}"),
    "clocks_agree": (False, f"{READY}, wait 202, {TICK}, leader changes, A says started, "
                     f"A is appended, A takes the answer, {WORKS}"),
}
# Not rules but limits: what the page takes for given, and what happens where it is not so.
LIMITS: list[tuple[str, str, int, int]] = [
    ("work_freezes_too", "a frozen worker's program is frozen, too", 131, 2),
    ("start_at_once", "no freeze between the check of what is left and the start", 0, 1),
    ("rates_agree", "clock rates agree within a tenth", 0, 2),
    ("clocks_agree", "brokers' clocks agree within a second", 0, 1),
    ("same_generation", "no new generation ends all open tries", 0, 2),
    ("offsets_stay", "nobody sets the group's offsets back", 445, 1),
]
# Taking these away is not seen here. read_first: a run alone is fired late at worst; a `skip` job
# would leave out a slot for the sake of a run that has ended. ask_after_lapse: a "yes" from before
# it stays true, and the tick is sent after both.
NOT_SEEN = [("read_first",), ("ask_after_lapse",)]
SEARCH = 60_000  # walks without a rule, at most; most are found within some thousand


def story(seed: int, without: frozenset[str]) -> str:
    trace: list[str] = []
    try:
        walk(seed, without, trace)
    except Broken as broken:
        return f"seed {seed}: {broken}\n  " + "\n  ".join(trace)
    return f"seed {seed}: nothing"


@limit(7200)
def test_all_rules_hold() -> None:
    found = explore(range(SEED, SEED + WALKS))
    assert found is None, story(found[0], frozenset())
    print(f"{WALKS} walks from seed {SEED}: nothing")


def broken_without(rule: str, seed: int) -> Broken | None:
    """By its script, or the walk that is known for it; where dice fall otherwise, by a search."""
    if rule in SCRIPTS:
        slow, script = SCRIPTS[rule]
        try:
            play(script, frozenset([rule]), slow)
        except Broken as broken:
            return broken
        return None
    for seeds in (range(seed, seed + 1), range(1, SEARCH)):
        found = explore(seeds, frozenset([rule]))
        if found is not None:
            return found[1]
    return None


@limit(600)
def test_each_rule_is_needed() -> None:
    needless = []
    for rule, says, seed, invariant in RULES:
        broken = broken_without(rule, seed)
        print(f"without {rule}: {broken}")
        if broken is None:
            needless.append(f"{rule} ({says})")
        else:
            assert broken.invariant == invariant, (rule, str(broken))
    assert not needless, "nothing is found without: " + ", ".join(needless)


def test_scripts_break_nothing_with_all_rules() -> None:
    for slow, script in SCRIPTS.values():
        if "a generation begins" in script:
            continue  # no rule keeps it from being, it is the page's own exception
        try:
            play(script, frozenset(), slow)
        except AssertionError as refused:
            assert str(refused).startswith("cannot be: "), refused


@limit(600)
def test_limits_are_limits() -> None:
    for limit_of, says, seed, invariant in LIMITS:
        broken = broken_without(limit_of, seed)
        assert broken is not None and broken.invariant == invariant, (says, str(broken))
        print(f"not so that {says}: {broken}")


@limit(600)
def test_what_is_not_seen_here() -> None:
    for rules in NOT_SEEN:
        found = explore(range(SEED, SEED + WALKS // 3), frozenset(rules))
        assert found is None, story(found[0], frozenset(rules))


def survives(renew: int, stop: int, begins: int, lasts: int) -> bool:
    """Whether work lives through an outage of Kafka: it is stopped when so much time has passed
    since the sending of the newest sign that has been acknowledged, which in an outage none is."""
    back, newest = begins + lasts, 0
    for now in range(back + 1):
        if now % renew == 0 and now < begins:
            newest = now
        if now - newest >= stop:
            return False
    return True


def test_how_long_an_outage_work_survives() -> None:
    """For certain: what is left between two renewals. In parts of a lease of 300."""
    for renew, stop, longest in ((100, 200, 100), (30, 200, 170), (30, 240, 210), (10, 270, 260)):
        for lasts in range(300):
            always = all(survives(renew, stop, begins, lasts) for begins in range(1, renew + 1))
            assert always == (lasts < longest), (renew, stop, lasts)
