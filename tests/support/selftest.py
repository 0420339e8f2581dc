"""Tests of the test harness itself: what the other tests rely on must hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import programs
from clocks import MovedClock
from harness import (Belfryd, CommandClient, DeadlineExceeded, Kafka, Process, Redis, TopicReader,
                     create_topic, free_port, murmur2, parse_log_line, produce, read_all,
                     shard_of, wait_for)

SUPPORT = Path(__file__).resolve().parent
RUNNER = SUPPORT / "runner.py"

# Computed with Apache Kafka's own org.apache.kafka.common.utils.Utils.murmur2 (signed there).
MURMUR2 = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
           "a-little-bit-longer-string": -1486304829, "abc": 479470107,
           "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971}


def test_murmur2_is_java_s() -> None:
    for text, value in MURMUR2.items():
        assert murmur2(text.encode()) == value % 2**32, text


def test_log_line_fields() -> None:
    line = parse_log_line('ts=2026-11-21T20:57:54.123Z event=x.y n=3 message="say \\"a\\" b=c"')
    assert line["event"] == "x.y" and line["n"] == "3" and line["message"] == 'say "a" b=c'
    assert parse_log_line('{"event":"x.y","n":3}') == {"event": "x.y", "n": "3"}
    assert parse_log_line("no fields here") == {}


def test_wait_for_names_what_did_not_come() -> None:
    try:
        wait_for(lambda: False, 0.05, "the moon")
    except DeadlineExceeded as late:
        assert "the moon" in str(late)
    else:
        raise AssertionError("no deadline")


def test_free_ports_differ() -> None:
    assert len({free_port() for _ in range(20)}) == 20


def test_keys_go_where_java_puts_them(kafka: Kafka, cluster: str) -> None:
    topic = f"{cluster}.keys"
    create_topic(kafka.bootstrap, topic, partitions=7)
    groups = [f"group-{number}" for number in range(50)]
    places = produce(kafka.bootstrap, topic, [(group, b"v") for group in groups])
    assert [place[0] for place in places] == [shard_of(group, 7) for group in groups]
    foreign = produce(kafka.bootstrap, topic, [(group, b"v") for group in groups],
                      partitioner="consistent_random")
    assert [place[0] for place in foreign] != [place[0] for place in places]


def test_transaction_is_read_committed(kafka: Kafka, cluster: str) -> None:
    topic = f"{cluster}.transaction"
    create_topic(kafka.bootstrap, topic, partitions=2)
    records = [(f"k{number}", f"v{number}", [("h", b"1")]) for number in range(10)]
    produce(kafka.bootstrap, topic, records, transaction=cluster)
    produce(kafka.bootstrap, topic, [("k", "aborted")], transaction=cluster, commit=False)
    read = read_all(kafka.bootstrap, topic)
    assert sorted(record.value.decode() for record in read) == [f"v{n}" for n in range(10)]
    assert read[0].header("h") == "1" and read[0].timestamp_ms > 0
    assert len(read_all(kafka.bootstrap, topic, isolation="read_uncommitted")) == 11


def test_reader_goes_on_from_the_end(kafka: Kafka, cluster: str) -> None:
    topic = f"{cluster}.tail"
    create_topic(kafka.bootstrap, topic)
    produce(kafka.bootstrap, topic, [("k", "old")])
    with TopicReader(kafka.bootstrap, topic, from_end=True) as reader:
        produce(kafka.bootstrap, topic, [("k", "new")])
        assert [record.value for record in reader.read_until(1, deadline_s=10)] == [b"new"]


def test_broker_keeps_data_over_kill9() -> None:
    with Kafka() as kafka:
        create_topic(kafka.bootstrap, "kept", partitions=3)
        produce(kafka.bootstrap, "kept", [(f"k{n}", "v") for n in range(30)], transaction="t")
        bootstrap = kafka.bootstrap
        kafka.kill9()
        assert not kafka.running
        kafka.start()
        assert kafka.bootstrap == bootstrap
        assert len(read_all(kafka.bootstrap, "kept")) == 30
        kafka.restart()
        assert len(read_all(kafka.bootstrap, "kept")) == 30


def test_three_brokers_survive_the_loss_of_one() -> None:
    with Kafka(nodes=3) as kafka:
        create_topic(kafka.bootstrap, "three", config={"min.insync.replicas": "2"})
        produce(kafka.bootstrap, "three", [("k", "before")])
        kafka.kill9(node=3)
        produce(kafka.bootstrap, "three", [("k", "after")], deadline_s=60)
        assert len(read_all(kafka.bootstrap, "three", deadline_s=60)) == 2


def test_redis_keeps_or_loses_as_asked() -> None:
    with Redis() as redis:
        redis.client().set("a", "1")
        redis.restart()
        assert redis.client().get("a") == "1", "an append-only file outlives a kill"
        redis.restart(empty=True)
        assert redis.client().dbsize() == 0
    with Redis(appendonly=False) as redis:
        redis.client().set("a", "1")
        redis.restart()
        assert redis.client().dbsize() == 0


def test_process_freezes_and_ends() -> None:
    with Process("sleeper", ["sh", "-c", "echo event=here; exec sleep 60"]) as sleeper:
        sleeper.wait_until(lambda: "event=here" in sleeper.output(), 5, "says so")
        sleeper.sigstop()
        wait_for(lambda: _state(sleeper.pid) == "T", 5, "frozen")
        sleeper.sigcont()
        assert sleeper.stop(deadline_s=5) == -signal.SIGTERM


WAITER = """
#include <stdio.h>
#include <threads.h>
#include <time.h>
int main(void) {
    mtx_t lock; cnd_t never; struct timespec until, begin, end;
    mtx_init(&lock, mtx_plain); cnd_init(&never); mtx_lock(&lock);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    timespec_get(&until, TIME_UTC);
    printf("clock=%lld\\n", (long long)until.tv_sec); fflush(stdout);
    until.tv_sec++;
    cnd_timedwait(&never, &lock, &until);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("waited_s=%lld\\n", (long long)(end.tv_sec - begin.tv_sec));
}
"""


def test_a_clock_steps_while_a_process_runs(tmp: Path) -> None:
    """Also what it waits for: a second lasts five when the clock goes back by four meanwhile."""
    (tmp / "waiter.c").write_text(WAITER)
    subprocess.run(["cc", "-o", tmp / "waiter", tmp / "waiter.c"], check=True, timeout=60)
    for step_s, least_s, most_s in ((-4, 4, 30), (3600, 0, 1)):
        clock = MovedClock(ahead_s=100)
        with Process("waiter", [tmp / "waiter"], clock.env) as waiter:
            waiter.wait_until(lambda: "clock=" in waiter.output(), 10, "has looked at its clock")
            clock.step(step_s)
            assert waiter.wait_exit(60) == 0
            said = parse_log_line(waiter.output())
        assert abs(int(said["clock"]) - time.time() - 100) < 70, said
        assert least_s <= int(said["waited_s"]) <= most_s, (step_s, said)


def test_ended_process_fails_a_wait_at_once() -> None:
    process = Process("short", ["sh", "-c", "echo sorry; exit 3"])
    process.start()
    try:
        process.wait_until(lambda: False, 30, "never comes")
    except DeadlineExceeded:
        raise AssertionError("waited for a process that had ended") from None
    except AssertionError as ended:
        assert "ended with 3" in str(ended) and "sorry" in str(ended)


# Stands in for the daemon: logs as it does, obeys SIGTERM, ends itself at a "fault point".
FAKE_BELFRYD = """#!/bin/sh
printf 'ts=now level=info event=shard.live shard=0 args="%s"\\n' "$*" >&2
echo "ts=now level=info event=shard.live shard=1" >&2
[ -z "$BELFRY_FAULT" ] || kill -9 $$
trap 'echo event=daemon.stopped; exit ${EXIT:-0}' TERM
echo "ts=now level=info event=daemon.ready" >&2
while :; do sleep 0.1; done
"""


def test_daemon_is_followed_by_its_log(tmp: Path) -> None:
    fake = tmp / "belfryd"
    fake.write_text(FAKE_BELFRYD)
    fake.chmod(0o755)
    build, programs.BUILD = programs.BUILD, tmp
    try:
        daemon = Belfryd("kafka:1", "redis://r:2", cluster="c", shards=2)
    finally:
        programs.BUILD = build
    daemon.start().wait_ready(5).wait_live(deadline_s=5)
    arguments = daemon.events("shard.live", shard=0)[0]["args"]
    assert arguments == "--cluster c --kafka kafka:1 --redis redis://r:2 --shards 2"
    daemon.terminate(5)
    daemon.fault = "after-commit"
    daemon.start()
    assert daemon.wait_exit(5) == -signal.SIGKILL
    assert daemon.events("daemon.ready") == [], "only this run's lines count"
    assert len(daemon.events("daemon.ready", all_runs=True)) == 1
    daemon.fault, daemon.env["EXIT"] = None, "4"
    daemon.start().wait_ready(5)
    try:
        daemon.terminate(5)
    except AssertionError as wrong:
        assert "ended with 4, not 0" in str(wrong)
    else:
        raise AssertionError("a wrong exit code went unnoticed")


def test_commands_meet_their_results(kafka: Kafka, cluster: str) -> None:
    create_topic(kafka.bootstrap, f"{cluster}.control", partitions=4)
    create_topic(kafka.bootstrap, f"{cluster}.results", partitions=4)
    with CommandClient(kafka.bootstrap, cluster) as client:
        named = client.send({"op": "add", "command_id": "c1", "job": {"group": "g", "id": "j"}})
        unnamed = client.send(b"not json", partition=2)
        assert named.command_id == "c1" and named.partition == shard_of("g", 4)
        assert unnamed.command_id == f"2/{unnamed.offset}"
        answers = [{"command_id": "c1", "shard": shard, "shards": 2, "outcome": "applied"}
                   for shard in (1, 0)]
        produce(kafka.bootstrap, f"{cluster}.results",
                [(None, json.dumps(answer)) for answer in answers], transaction=cluster)
        assert [r["shard"] for r in client.results(named, 10)] == [0, 1]
        try:
            client.results(unnamed, 0.3)
        except DeadlineExceeded as late:
            assert unnamed.command_id in str(late)
        else:
            raise AssertionError("a result from nowhere")


def _state(pid: int) -> str:
    """A process's state letter, "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _child_script(tmp: Path, ending: str) -> list[str]:
    """A program that starts a Redis, writes its pid to a file, and comes to the given end."""
    script = tmp / "script.py"
    script.write_text(textwrap.dedent(f"""
        import os, signal, sys, time
        sys.path.insert(0, {str(SUPPORT)!r})
        from harness import Redis
        redis = Redis().start()
        open({str(tmp / "pid.new")!r}, "w").write(str(redis.pid))
        os.rename({str(tmp / "pid.new")!r}, {str(tmp / "pid")!r})
        {ending}
    """))
    return [sys.executable, str(script)]


def _redis_is_gone(tmp: Path) -> None:
    pid = int((tmp / "pid").read_text())
    wait_for(lambda: _state(pid) in ("", "Z"), 10, f"redis {pid} is gone")


def test_exception_leaves_no_process(tmp: Path) -> None:
    done = subprocess.run(_child_script(tmp, "raise RuntimeError('oh')"), capture_output=True,
                          timeout=60)
    assert done.returncode == 1
    _redis_is_gone(tmp)


def test_signals_leave_no_process(tmp: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        (tmp / "pid").unlink(missing_ok=True)
        with Process("script", _child_script(tmp, "time.sleep(60)")) as script:
            script.wait_until((tmp / "pid").exists, 30, "has started its Redis")
            os.kill(script.pid, number)
            script.wait_exit(30)
            _redis_is_gone(tmp)


def test_runner_counts_and_limits(tmp: Path) -> None:
    (tmp / "test_sample.py").write_text(textwrap.dedent("""
        import time
        from runner import Skip, limit
        def setup(): yield 7
        def test_good(shared): assert shared == 7
        def test_bad(): assert 1 == 2
        def test_not_here(): raise Skip("no such thing")
        @limit(0.5)
        def test_slow():
            try: time.sleep(30)
            except Exception: pass
    """))
    command = [sys.executable, str(RUNNER), str(tmp / "test_sample.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done
    assert done.stdout.splitlines()[-1] == "1 passed, 2 failed", done.stdout
    assert "takes longer than its 0.5 s" in done.stdout
    only = subprocess.run([*command, "-k", "good"], capture_output=True, text=True, timeout=60)
    assert only.returncode == 0 and only.stdout.splitlines()[-1] == "1 passed, 0 failed"
    none = subprocess.run([*command, "-k", "nothing"], capture_output=True, text=True, timeout=60)
    assert none.returncode == 1, "a run without tests is no success"


def test_runs_that_share_claims_run_each_file_once(tmp: Path) -> None:
    (tmp / "claims").mkdir()
    for name in "ab":
        (tmp / f"test_{name}.py").write_text("def test_good(): pass\n")

    def run(*names: str) -> subprocess.CompletedProcess[str]:
        files = [str(tmp / f"test_{name}.py") for name in names]
        command = [sys.executable, str(RUNNER), "--claims", str(tmp / "claims"), *files]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    first, second, third = run("a"), run("a", "b"), run("a", "b")
    assert "test_a.test_good" in first.stdout and first.returncode == 0
    assert "test_a.test_good" not in second.stdout and "test_b.test_good" in second.stdout
    assert third.stdout == "0 passed, 0 failed\n" and third.returncode == 0, third
