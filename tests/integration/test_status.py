"""belfry status, top and --watch: what they say of a cluster, and that the terminal is as it was
when they have ended."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from typing import Any, Iterator

from cli_cluster import SHARDS, CliCluster
from harness import (BUILD, CommandClient, Kafka, Redis, belfry, end_offsets, read_all, shard_of,
                     wait_for)
from metrics_count import jobs_by_state
from oracle_fold import instant_text

CLUSTER = "status"
ENVIRONMENT = {"BELFRY_FIRES_TOPICS": "not.there", "BELFRY_CATCHUP_RATE": "1",
               "BELFRY_MISFIRE_GRACE": "1s"}


class Cluster(CliCluster):
    """A running daemon and the command line on it."""

    def words(self, *args: object) -> list[str]:
        return [str(BUILD / "belfry"), "--kafka", self.kafka.bootstrap, "--redis", self.redis.url,
                "--cluster", CLUSTER, *map(str, args)]


def setup() -> Iterator[Cluster]:
    """One daemon for the file, on servers of its own: the shared Redis is emptied by each test."""
    with Kafka() as kafka, Redis() as redis, Cluster(kafka, redis, CLUSTER, ENVIRONMENT) as cluster:
        yield cluster


def soon(seconds: float) -> str:
    return instant_text(time.time_ns() // 1_000_000 + round(seconds * 1000))


def wait_status(shared: Cluster, condition: Any, what: str) -> dict[str, Any]:
    """Until what the daemons report, every two seconds, is so."""

    def right() -> dict[str, Any] | None:
        said = shared.json("status", expect=None)
        return said if condition(said) else None

    return wait_for(right, 60, what, every_s=0.2)


# --- status ---------------------------------------------------------------------------------------


def test_status_of_a_cluster_that_is_well(shared: Cluster) -> None:
    said = wait_status(shared, lambda s: s["shards"]["live"] == SHARDS, "all shards told of")
    assert said["well"] is True and said["not_well"] == [], said
    assert said["group_members"] == 1 and len(said["daemons"]) == 1, said
    assert said["daemons"][0]["shards"] == SHARDS
    owner = json.loads(shared("shards", "-o", "json").stdout)[0]["owner"]
    assert said["daemons"][0]["owner"] == owner and said["last_takeover"]["owner"] == owner
    done = shared("status")
    assert "1 with shards, 1 in the group" in done.stdout and "4 of 4 live" in done.stdout
    assert len(done.stdout.splitlines()) <= 24, done.stdout
    for words in (("status", "a"), ("status", "-o", "name"), ("status", "--topic", "t")):
        shared(*words, expect=2)


def test_figures_agree_with_the_topics(shared: Cluster) -> None:
    """Known jobs in each state; and the exit code while one of them fails."""
    for name in "abc":
        shared("add", f"known/{name}", "--every", "50m", "--wait")
    shared("add", "known/later", "--every", "3h", "--wait")
    shared("add", "known/paused", "--every", "1m", "--paused", "--wait")
    shared("add", "known/once", "--at", "2099-01-01T00:00:00Z", "--max-fires", "1", "--wait")
    shared("update", "known/once", "--at", soon(1), "--wait")
    shared("add", "known/fails", "--every", "30m", "--topic", "not.there", "--wait")
    shared("trigger", "known/a", "known/b", "--wait")
    wanted = {"active": 4, "paused": 1, "finished": 1, "failing": 0}
    said = wait_status(shared, lambda s: {name: s["jobs"][name] for name in wanted} ==
                       {**wanted, "active": 5}, "what is known")
    assert said["well"] and said["jobs"]["total"] == 7, said
    shared("update", "known/fails", "--every", "1s", "--wait")
    wanted["failing"] = 1
    said = wait_status(shared, lambda s: {name: s["jobs"][name] for name in wanted} == wanted and
                       s["owed"]["oldest_due"], "one fails")
    assert said["jobs"]["total"] == 7 and said["jobs"]["in_redis"] == 7, said
    assert said["not_well"] == ["failing: 1 job, whose fires cannot be produced; belfry doctor "
                                "names them"], said
    assert said["owed"]["jobs"] == 1, said
    done = shared("status", expect=1)
    assert "7: 4 active, 1 paused, 1 finished, 1 failing" in done.stdout, done.stdout
    assert "overdue         1 job, the oldest slot was due at 20" in done.stdout, done.stdout
    # a, b and c within the hour, and the one that fails.
    wait_status(shared, lambda s: s["jobs"]["due_in_an_hour"] == 4, "the next hour")
    # Nothing of Belfry's counts here.
    assert jobs_by_state(shared.kafka.bootstrap, CLUSTER) == wanted
    fires = len(read_all(shared.kafka.bootstrap, f"{CLUSTER}.fires"))
    top = shared.json("top", "--once")
    assert sum(shard["fires"] for shard in top["each_shard"]) == fires == 3, top
    # Each command of one group is one result of one shard.
    results = read_all(shared.kafka.bootstrap, f"{CLUSTER}.results")
    assert sum(shard["commands"] for shard in top["each_shard"]) == len(results), top
    shared("delete", "--group", "known", "--wait")
    wait_status(shared, lambda s: s["well"] and s["jobs"]["total"] == 0, "well again")


def test_what_is_owed_after_an_outage(shared: Cluster) -> None:
    """The catch-up lane works off one slot a second here."""
    for name in "ab":
        shared("add", f"owed/{name}", "--every", "1s", "--catchup", "all", "--wait")
    shared.daemon.terminate()
    time.sleep(4)  # an outage
    shared.daemon.start().wait_live()
    said = wait_status(shared, lambda s: s["owed"]["jobs"] == 2 and
                       (s["owed"]["slots_in_lane"] or 0) > 1 and s["owed"]["oldest_due"],
                       "two jobs owe slots")
    assert said["owed"]["worked_off_ms"] > 1000, said
    screen = shared("top", "--once").stdout
    assert re.search("owing   [12] jobs?, the oldest slot due ", screen), screen
    shared("delete", "--group", "owed", "--wait")
    wait_status(shared, lambda s: s["owed"]["jobs"] == 0 and s["owed"]["oldest_due"] is None,
                "nothing is owed")


def test_status_says_what_is_not_well(shared: Cluster) -> None:
    """The exit code for scripts, with a line that says why."""
    done = shared("status", "--kafka", "127.0.0.1:1", "--timeout", "2s", expect=1)
    assert "not well" in done.stdout and "Kafka cannot be reached" in done.stdout, done.stdout
    shared("status", "--redis", "redis://127.0.0.1:1", expect=6)
    shared("status", "--cluster", "nowhere", expect=1)
    shared.daemon.terminate()
    try:
        wait_status(shared, lambda s: s["shards"]["silent"] == SHARDS, "nobody says anything")
        done = shared("status", expect=1)
        assert "no daemon has said anything for 10 s" in done.stdout, done.stdout
    finally:
        shared.daemon.start().wait_live()
    wait_status(shared, lambda s: s["well"], "well again")


# --- how far consumers are behind -----------------------------------------------------------------


def test_how_far_consumers_are_behind(shared: Cluster) -> None:
    """As many records as an independent reader counts behind what the group has committed."""
    from confluent_kafka import Consumer, TopicPartition

    fires = f"{CLUSTER}.fires"
    lag = shared.json("status", "--consumer-group", "nobody")["consumers"]
    assert lag["partitions_begun"] == 0 and lag["partitions"] == SHARDS, lag
    shared("add", "lag/a", "--every", "1h", "--wait")
    client = CommandClient(shared.kafka.bootstrap, CLUSTER)
    for _ in range(5):
        client.call({"op": "trigger", "select": {"groups": ["lag"], "ids": ["a"]}})
    partition = shard_of("lag", SHARDS)
    records = [r for r in read_all(shared.kafka.bootstrap, fires) if r.partition == partition][-5:]
    assert all(r.json["jobgroup"] == "lag" for r in records), records
    ends = end_offsets(shared.kafka.bootstrap, fires)
    consumer = Consumer({"bootstrap.servers": shared.kafka.bootstrap, "group.id": "invoicing"})
    for read, behind in ((2, 3), (5, 0)):
        ends[partition] = records[read - 1].offset + 1
        consumer.commit(offsets=[TopicPartition(fires, *end) for end in ends.items()],
                        asynchronous=False)
        lag = shared.json("status", "--consumer-group", "invoicing")["consumers"]
        assert (lag["records"], lag["partitions_begun"]) == (behind, SHARDS), lag
        assert not lag["more"] and lag["offsets"] >= behind, lag
    consumer.close()
    done = shared("status", "--consumer-group", "invoicing")
    assert f"invoicing has read all of {fires}" in done.stdout, done.stdout
    done = shared("status", "--consumer-group", "invoicing", "--topic", "no.such", expect=1)
    assert "invoicing: not known" in done.stdout, done.stdout
    shared("delete", "lag/a", "--wait")


# --- a terminal -----------------------------------------------------------------------------------


class Terminal:
    """A command on a terminal of 80 x 24, and what the screen of a terminal would show."""

    def __init__(self, words: list[str], columns: int = 80, rows: int = 24, control: bool = True,
                 stdin: bool = True):
        self.leader, follower = pty.openpty()
        subprocess.run(["stty", "cols", str(columns), "rows", str(rows)], stdin=follower,
                       check=True)
        self.before = termios.tcgetattr(follower)
        self.follower = follower
        self.bytes, self.text = b"", ""
        self.child = subprocess.Popen(words, stdin=follower if stdin else subprocess.DEVNULL,
                                      stdout=follower, stderr=follower, start_new_session=True,
                                      preexec_fn=self.control if control else None,
                                      env={**os.environ, "TERM": "xterm"})

    @staticmethod
    def control() -> None:
        """The terminal is the child's: Ctrl-C and changes of its size come from there."""
        fcntl.ioctl(1, termios.TIOCSCTTY, 0)

    def children(self) -> list[int]:
        tasks = f"/proc/{self.child.pid}/task/{self.child.pid}/children"
        return [int(pid) for pid in open(tasks).read().split()]

    def read(self, for_s: float = 0.05) -> str:
        while select.select([self.leader], [], [], for_s)[0]:
            self.bytes += os.read(self.leader, 65536)
        # The terminal's driver makes CR LF of each LF.
        self.text = self.bytes.decode(errors="replace").replace("\r\r\n", "\r\n")
        return self.text

    def screens(self) -> list[str]:
        """Each whole one so far, without its colours."""
        self.read()
        parts = self.text.split("\x1b[H")[1:]
        return [re.sub(r"\x1b\[[0-9;]*[mK]", "", part.split("\x1b[J")[0])
                for part in parts if "\x1b[J" in part]

    def wait_screen(self, words: str, count: int = 1) -> str:
        def seen() -> str:
            found = [screen for screen in self.screens() if words in screen]
            assert self.child.poll() is None or len(found) >= count, self.text
            return found[-1] if len(found) >= count else ""

        return wait_for(seen, 60, f"{count} screens with {words!r}")

    def ended(self) -> int:
        code = self.child.wait(timeout=30)
        self.read()
        assert "\x1b[?25h\x1b[?1049l" in self.text, repr(self.text[-200:])
        assert termios.tcgetattr(self.follower) == self.before, "the terminal is not as it was"
        os.close(self.leader)
        os.close(self.follower)
        return code


def check_fits(screen: str, columns: int = 80, rows: int = 24) -> None:
    lines = screen.split("\r\n")
    assert len(lines) <= rows, screen
    for line in lines:
        assert len(line) <= columns, f"{len(line)} columns: {line!r}"


def test_top_once(shared: Cluster) -> None:
    shared("add", "top/a", "--every", "1s", "--wait")
    try:
        def busy_enough() -> dict[str, Any] | None:
            top = shared.json("top", "--once")
            return top if top["each_shard"][shard_of("top", SHARDS)]["fires"] >= 3 else None

        said = wait_for(busy_enough, 60, "three fires told of", every_s=0.2)
        assert said["shards"]["live"] == SHARDS and len(said["each_shard"]) == SHARDS, said
        busy = said["each_shard"][shard_of("top", SHARDS)]
        assert busy["state"] == "live" and busy["jobs"] >= 1, busy
        assert 0.3 < said["fires_per_second"] < 3.5, said
        done = shared("top", "--once")
        check_fits(done.stdout.replace("\n", "\r\n").removesuffix("\r\n"))
        assert "DAEMON" in done.stdout and "SHARD" in done.stdout and "well" in done.stdout
    finally:
        shared("delete", "top/a", "--wait")


def test_top_is_refused_where_there_is_no_terminal(shared: Cluster) -> None:
    assert "--once" in shared("top", expect=2).stderr
    assert "--once" in shared("top", "-o", "json", expect=2).stderr
    shared("top", "--once", "-o", "name", expect=2)
    terminal = Terminal(shared.words("top", "--refresh", "1ms"))
    assert terminal.child.wait(30) == 2 and "--refresh" in terminal.read(), terminal.text


def test_top_draws_and_gives_the_terminal_back(shared: Cluster) -> None:
    """q, Ctrl-C, SIGTERM, and a child that is killed while it draws: the terminal is as it was."""
    for end, code in (("q", 0), ("\x03", 0), (signal.SIGINT, 0),
                      (signal.SIGTERM, -signal.SIGTERM)):
        terminal = Terminal(shared.words("top", "--refresh", "200ms"))
        check_fits(terminal.wait_screen("belfry top", 2))
        for screen in terminal.screens():
            check_fits(screen)
        if isinstance(end, str):
            os.write(terminal.leader, end.encode())
        else:
            terminal.child.send_signal(end)
        assert terminal.ended() == code, (end, terminal.text[-300:])


def test_top_goes_on_when_what_draws_is_killed(shared: Cluster) -> None:
    terminal = Terminal(shared.words("top", "--refresh", "100ms"))
    terminal.wait_screen("belfry top", 1)
    redis = shared.redis
    redis.sigstop()  # so that a child waits for it and can be hit
    try:
        os.kill(wait_for(terminal.children, 60, "a child that draws")[0], signal.SIGKILL)
        assert "ended by signal 9" in terminal.wait_screen("ended by signal")
    finally:
        redis.sigcont()
    terminal.wait_screen("belfry top", 2)
    terminal.child.send_signal(signal.SIGINT)
    assert terminal.ended() == 0


def test_top_ends_with_its_terminal(shared: Cluster) -> None:
    """Where it is not its controlling terminal nobody sends SIGHUP; and what draws ends with it."""
    top = ("top", "--refresh", "100ms")
    for words, control, stdin in ((top, True, True), (top, False, True),
                                  (("shards", "--watch=100ms"), False, False)):
        terminal = Terminal(shared.words(*words), control=control, stdin=stdin)
        terminal.wait_screen("SHARD", 2)
        shared.redis.sigstop()  # so that one is being drawn
        try:
            wait_for(terminal.children, 60, "a child that draws")
            os.close(terminal.follower)
            os.close(terminal.leader)
            assert terminal.child.wait(30) == -signal.SIGHUP, (words, control, stdin)
        finally:
            shared.redis.sigcont()
        try:
            os.killpg(terminal.child.pid, 0)
            raise AssertionError(f"{words}: a process of it is left")
        except ProcessLookupError:
            pass


def test_top_on_a_small_and_a_growing_terminal(shared: Cluster) -> None:
    terminal = Terminal(shared.words("top", "--refresh", "200ms"), columns=50, rows=10)
    check_fits(terminal.wait_screen("belfry top"), 50, 10)
    subprocess.run(["stty", "cols", "120", "rows", "40"], stdin=terminal.follower, check=True)
    check_fits(terminal.wait_screen("TZDATA"), 120, 40)  # the larger terminal is used
    os.write(terminal.leader, b"q")
    assert terminal.child.wait(30) == 0


def test_top_of_nothing_ends_at_once(shared: Cluster) -> None:
    """What fails the first time is said behind the screen, where it stays."""
    terminal = Terminal(shared.words("top", "--redis", "redis://127.0.0.1:1"))
    assert terminal.ended() == 6
    after = terminal.text.split("\x1b[?1049l")[-1]
    assert "belfry: " in after and "127.0.0.1:1" in after, repr(after)


# --- --watch --------------------------------------------------------------------------------------


def test_watch_draws_again_in_place(shared: Cluster) -> None:
    terminal = Terminal(shared.words("list", "--group", "watch", "--watch=200ms"))
    terminal.wait_screen("belfry list")
    shared("add", "watch/a", "--every", "1h", "--wait")
    screen = terminal.wait_screen("every 1h")
    check_fits(screen)
    assert "q ends it" in screen and "watch" in screen, screen
    os.write(terminal.leader, b"q")
    assert terminal.ended() == 0
    terminal = Terminal(shared.words("shards", "--watch=1"))
    check_fits(terminal.wait_screen("EPOCH", 2))
    terminal.child.send_signal(signal.SIGINT)
    assert terminal.ended() == 0
    shared("delete", "watch/a", "--wait")


def test_a_list_longer_than_the_screen_is_cut(shared: Cluster) -> None:
    client = CommandClient(shared.kafka.bootstrap, CLUSTER)
    jobs = [{"group": "long", "id": f"j{n:03}", "schedule": {"every": "1h"}} for n in range(60)]
    client.call({"op": "add", "jobs": jobs})
    wait_for(lambda: len(shared("list", "--group", "long", "-o", "name").stdout.split()) == 60, 60,
             "60 jobs")
    terminal = Terminal(shared.words("list", "--group", "long", "--watch=200ms"))
    screen = terminal.wait_screen("more lines")
    check_fits(screen)
    assert "j019" in screen and "j030" not in screen and "... 40 more lines" in screen, screen
    os.write(terminal.leader, b"q")
    assert terminal.ended() == 0
    shared("delete", "--group", "long", "--wait")


def test_watch_as_json_is_one_document_each_time(shared: Cluster) -> None:
    child = subprocess.Popen(shared.words("shards", "--watch=100ms", "-o", "json"),
                             stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    decoder, text, documents = json.JSONDecoder(), "", []
    while len(documents) < 3:
        text += child.stdout.readline()
        try:
            document, end = decoder.raw_decode(text)
        except ValueError:
            continue
        documents.append(document)
        text = text[end:].lstrip()
    child.terminate()
    assert child.wait(30) == -signal.SIGTERM
    child.stdout.close()
    assert all(len(document) == SHARDS for document in documents), documents
    for words in (("list", "--watch"), ("list", "--watch", "-o", "ndjson"),
                  ("shards", "--watch", "-o", "name"), ("shards", "--watch=0"),
                  ("list", "--watch=never")):
        shared(*words, expect=2)
