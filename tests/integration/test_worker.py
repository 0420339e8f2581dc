"""belfry-worker on a real Kafka: a program per fire, its limits, and what no kill may lose."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, Iterable, Iterator

from confluent_kafka import Consumer, TopicPartition

from harness import (BUILD, Kafka, Process, client_options, create_topic, end_offsets,
                     parse_log_line, produce, run, wait_for)
from runner import Skip, limit

STRUCTURED = [("content-type", b"application/cloudevents+json")]


def fire(number: int, **changed: Any) -> dict[str, Any]:
    """A good fire; its job tells the number."""
    return {"specversion": "1.0", "type": "belfry.fire.v1", "source": "/belfry/belfry/0",
            "id": f"1795290000123-0.{number}.0@1795294674000", "subject": f"g/{number}",
            "time": "2026-11-21T20:57:54.012Z", "dueat": "2026-11-21T20:57:54.000Z",
            "jobgroup": "g", "jobid": f"{number}", "jobincarnation": f"1795290000123-0.{number}.0",
            "jobrevision": 7, "firekind": "catchup", "latenessms": 12, "missedcount": 3,
            "attempt": 2, "datacontenttype": "application/json", "data": {"n": number}, **changed}


def send(kafka: Kafka, cluster: str, numbers: Iterable[int], partition: int | None = None,
         **more: Any) -> list[tuple[int, int]]:
    """Produces structured fires in one transaction; returns (partition, offset) of each."""
    return produce(kafka.bootstrap, f"{cluster}.fires",
                   [(str(number), json.dumps(fire(number)), STRUCTURED, partition)
                    for number in numbers], transaction=cluster, **more)


class Worker(Process):
    """A belfry-worker that runs a script of the shell."""

    def __init__(self, kafka: Kafka, cluster: str, script: str, *options: object,
                 name: str = "worker", env: dict[str, str] | None = None):
        super().__init__(name, [BUILD / "belfry-worker", "--kafka", kafka.bootstrap, "--group-id",
                                cluster, "--cluster", cluster, *options, "--exec", "sh", "-c",
                                script], env)

    def events(self, event: str, **fields: object) -> list[dict[str, str]]:
        lines = map(parse_log_line, self.output().splitlines())
        return [line for line in lines if line.get("event") == event and
                all(line.get(name) == str(value) for name, value in fields.items())]

    def wait_events(self, event: str, count: int = 1, deadline_s: float = 40.0,
                    **fields: object) -> list[dict[str, str]]:
        self.wait_until(lambda: len(self.events(event, **fields)) >= count, deadline_s,
                        f"{count} x event={event} {fields}")
        return self.events(event, **fields)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def topic_of(kafka: Kafka, cluster: str, partitions: int = 1) -> None:
    create_topic(kafka.bootstrap, f"{cluster}.fires", partitions=partitions)


def test_program_gets_the_fire(kafka: Kafka, cluster: str, tmp: Path) -> None:
    topic_of(kafka, cluster)
    send(kafka, cluster, [1])
    headers = [(f"ce_{name}", str(value).encode()) for name, value in fire(2).items()
               if name not in ("data", "datacontenttype")]
    produce(kafka.bootstrap, f"{cluster}.fires",
            [("2", '{"n":2}', [*headers, ("content-type", b"application/json")])],
            transaction=cluster)
    with Worker(kafka, cluster, f'env > {tmp}/$BELFRY_JOB.env; cat > {tmp}/$BELFRY_JOB.json; '
                                'echo "printed by $BELFRY_JOB"; exit $BELFRY_JOB') as worker:
        ended = worker.wait_events("program.ended", 2)
        assert worker.stop() == 0, worker.tail()
        assert "printed by 1\n" in worker.output() and "printed by 2\n" in worker.output()
    assert [(line["job"], line["exit"], line["level"]) for line in ended] == [
        ("1", "1", "warn"), ("2", "2", "warn")]
    assert ended[0]["id"] == fire(1)["id"] and int(ended[0]["took_ms"]) >= 0
    for number in (1, 2):
        assert json.loads((tmp / f"{number}.json").read_text()) == fire(number)
        variables = dict(text.split("=", 1) for text in lines_of(tmp / f"{number}.env"))
        expected = {"FIRE_ID": fire(number)["id"], "GROUP": "g", "JOB": str(number),
                    "DUE": "2026-11-21T20:57:54.000Z", "KIND": "catchup", "LATENESS_MS": "12",
                    "MISSED_COUNT": "3", "REVISION": "7", "ATTEMPT": "2",
                    "INCARNATION": fire(number)["jobincarnation"], "PARTITION": "0"}
        assert {name: variables.get(f"BELFRY_{name}") for name in expected} == expected


def test_duplicates_and_garbage(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """Aborted fires do not run, repeated ones run once, what is no fire stops nothing."""
    topic_of(kafka, cluster)
    send(kafka, cluster, [1, 2, 1])
    send(kafka, cluster, [100], commit=False)
    produce(kafka.bootstrap, f"{cluster}.fires", [("g", b"\0garbage")], transaction=cluster)
    send(kafka, cluster, [2, 3])
    with Worker(kafka, cluster, f"echo $BELFRY_JOB >> {tmp}/ran", "--concurrency", 4) as worker:
        worker.wait_events("program.ended", 3)
        worker.wait_events("fire.invalid")
        assert worker.stop() == 0, worker.tail()
    assert sorted(lines_of(tmp / "ran")) == ["1", "2", "3"]


def test_concurrency_is_used_and_bounded(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """Each program waits until three run at once; a fourth at that moment would be seen."""
    topic_of(kafka, cluster)
    script = (f'cd {tmp}; touch run.$BELFRY_JOB; set -- run.*; '
              f'[ $# -gt 3 ] && touch too-many; '
              f'while [ ! -e all ]; do set -- run.*; [ $# -ge 3 ] && touch all; sleep 0.05; done; '
              f'rm run.$BELFRY_JOB')
    send(kafka, cluster, range(6))
    with Worker(kafka, cluster, script, "--concurrency", 3) as worker:
        worker.wait_events("program.ended", 6, exit=0)
        assert worker.stop() == 0, worker.tail()
    assert not (tmp / "too-many").exists()


def order_of_programs(kafka: Kafka, cluster: str, tmp: Path, ordering: str) -> list[str]:
    """Of two fires of one key and one of another: the first program ends behind that of the other
    key, or, where there is no order, behind the second of its own."""
    topic_of(kafka, cluster)
    produce(kafka.bootstrap, f"{cluster}.fires",
            [(key, json.dumps(fire(number)), STRUCTURED)
             for key, number in (("a", 1), ("a", 2), ("b", 3))], transaction=cluster)
    awaited = "3" if ordering == "key" else "2"
    script = (f"cd {tmp}; echo begin $BELFRY_JOB >> ran; "
              f"[ $BELFRY_JOB != 1 ] || until [ -e ended.{awaited} ]; do sleep 0.05; done; "
              "echo end $BELFRY_JOB >> ran; touch ended.$BELFRY_JOB")
    with Worker(kafka, cluster, script, "--concurrency", 4, "--ordering", ordering) as worker:
        worker.wait_events("program.ended", 3, exit=0)
        assert worker.stop() == 0, worker.tail()
    return lines_of(tmp / "ran")


def test_fires_of_a_key_wait_for_each_other_only(kafka: Kafka, cluster: str, tmp: Path) -> None:
    ran = order_of_programs(kafka, cluster, tmp, "key")
    assert ran.index("end 3") < ran.index("end 1") < ran.index("begin 2"), ran


def test_without_an_order_fires_of_a_key_overlap(kafka: Kafka, cluster: str, tmp: Path) -> None:
    ran = order_of_programs(kafka, cluster, tmp, "none")
    assert ran.index("end 2") < ran.index("end 1"), ran


def test_time_out_kills_the_group(kafka: Kafka, cluster: str, tmp: Path) -> None:
    topic_of(kafka, cluster)
    send(kafka, cluster, [1, 2])
    script = (f"[ $BELFRY_JOB = 2 ] && exit 0; trap '' TERM; sleep 300 & echo $! > {tmp}/child; "
              f"wait; wait; sleep 300")
    with Worker(kafka, cluster, script, "--timeout", "500ms", "--kill-after", "300ms") as worker:
        late = worker.wait_events("program.ended", 1, job=1)[0]
        assert late["timed_out"] == "true" and late["signal"] == str(int(signal.SIGKILL))
        assert 800 <= int(late["took_ms"]) < 10000
        child = int((tmp / "child").read_text())
        wait_for(lambda: not Path(f"/proc/{child}").exists() or "Z" in
                 Path(f"/proc/{child}/stat").read_text().split(), 60, "the grandchild is gone")
        worker.wait_events("program.ended", 1, job=2, exit=0)
        assert worker.stop() == 0, worker.tail()


def test_drain_lets_programs_finish(kafka: Kafka, cluster: str, tmp: Path) -> None:
    topic_of(kafka, cluster)
    send(kafka, cluster, [1, 2])
    script = f"touch {tmp}/started.$BELFRY_JOB; until [ -e {tmp}/go ]; do sleep 0.05; done"
    with Worker(kafka, cluster, script) as worker:
        worker.wait_until((tmp / "started.1").exists, 60, "the program runs")
        worker.send(signal.SIGTERM)
        worker.wait_events("worker.stopping")
        assert worker.running and not worker.events("program.ended")
        (tmp / "go").touch()
        assert worker.wait_exit() == 0, worker.tail()
        assert len(worker.events("program.ended", job=1, exit=0)) == 1
    # The first is committed, the second was not begun.
    with Worker(kafka, cluster, f"echo $BELFRY_JOB >> {tmp}/ran") as worker:
        worker.wait_events("program.ended", job=2)
        assert worker.stop() == 0, worker.tail()
    assert lines_of(tmp / "ran") == ["2"] and not (tmp / "started.2").exists()


def test_signals_within_a_moment_are_one_wish(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """`timeout` signals a process and its group: the program is not killed by that."""
    topic_of(kafka, cluster)
    send(kafka, cluster, [1])
    script = f"touch {tmp}/started; until [ -e {tmp}/go ]; do sleep 0.05; done"
    with Worker(kafka, cluster, script) as worker:
        worker.wait_until((tmp / "started").exists, 60, "the program runs")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            worker.send(number)
        worker.wait_events("worker.stopping")
        assert worker.running, worker.tail()
        (tmp / "go").touch()
        assert worker.wait_exit() == 0, worker.tail()
        assert len(worker.events("program.ended", job=1, exit=0)) == 1
        assert not worker.events("worker.killed")


def test_second_signal_exits_at_once(kafka: Kafka, cluster: str, tmp: Path) -> None:
    topic_of(kafka, cluster)
    send(kafka, cluster, [1])
    with Worker(kafka, cluster, f"echo $$ > {tmp}/pid; exec sleep 300") as worker:
        worker.wait_until(lambda: lines_of(tmp / "pid"), 60, "the program runs")
        worker.send(signal.SIGINT)
        worker.wait_events("worker.stopping")
        time.sleep(1.1)  # a second one counts after a second
        worker.send(signal.SIGTERM)
        assert worker.wait_exit(8) == 128 + signal.SIGTERM, worker.tail()
    program = int(lines_of(tmp / "pid")[0])
    wait_for(lambda: not Path(f"/proc/{program}").exists() or "Z" in
             Path(f"/proc/{program}/stat").read_text().split(), 60, "the program is gone")


def test_kill9_loses_nothing(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """The oldest program has not ended when the worker is killed: what came after it has, but the
    offset must not have moved past it. The other partition shows when commits have been made."""
    topic_of(kafka, cluster, partitions=2)
    send(kafka, cluster, range(1, 21), partition=0)
    script = (f"echo $BELFRY_JOB >> {tmp}/started; [ $BELFRY_JOB != 1 ] || [ -e {tmp}/go ] || "
              f"exec sleep 300; echo $BELFRY_JOB >> {tmp}/ended")
    options = ("--concurrency", 3, "-X", "session.timeout.ms=6000")
    with Worker(kafka, cluster, script, *options) as worker:
        worker.wait_events("program.ended", 19)
        assert set(lines_of(tmp / "ended")) == {str(n) for n in range(2, 21)}
        end = send(kafka, cluster, [21, 22], partition=1)[-1][1] + 1
        wait_for(lambda: committed(kafka, cluster, 1) == end, 60, "partition 1 is committed")
        worker.kill9()
        assert committed(kafka, cluster, 0) < 0, "a running fire was committed"
        (tmp / "go").touch()
        worker.start()
        worker.wait_events("program.ended", 20, deadline_s=60)
        assert worker.stop() == 0, worker.tail()
    assert lines_of(tmp / "ended").count("1") == 1
    assert all(lines_of(tmp / "ended").count(str(n)) == 2 for n in range(2, 21))
    assert all(lines_of(tmp / "ended").count(str(n)) == 1 for n in (21, 22))


def script_at(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@contextlib.contextmanager
def runs_program(kafka: Kafka, cluster: str, program: Path, ran: Path) -> Iterator[Worker]:
    """A worker for a program that writes the job's id into `ran`."""
    if os.environ.get("BELFRY_VALGRIND"):
        raise Skip("Valgrind makes vfork a fork, so posix_spawn does not learn of a failed exec")
    topic_of(kafka, cluster)
    script_at(program, f"echo $BELFRY_JOB >> {ran}")
    with Worker(kafka, cluster, "") as worker:
        worker.close()
        worker.command[-3:] = [str(program)]
        worker.start()
        yield worker


def not_started(worker: Worker, reason: str) -> None:
    worker.wait_until(lambda: any(reason in line["message"] for line in
                                  worker.events("program.not_started", level="warn")), 60,
                      f"program.not_started: {reason}")


def test_a_program_that_cannot_be_started_keeps_its_fire(kafka: Kafka, cluster: str,
                                                         tmp: Path) -> None:
    """Written to, away, not executable, no descriptor left: tried again until it starts."""
    program = tmp / "program"
    with runs_program(kafka, cluster, program, tmp / "ran") as worker:
        worker.wait_events("worker.started")
        with open(program, "ab"):  # a deploy that writes it
            send(kafka, cluster, [1, 2])
            not_started(worker, "Text file busy")
            program.rename(tmp / "aside")
        not_started(worker, "No such file")
        program.touch(0o644)
        not_started(worker, "Permission denied")
        limits = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        not_started(worker, "Too many open files")
        assert committed(kafka, cluster, 0) < 0 and not worker.events("program.ended")
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, limits)
        (tmp / "aside").rename(program)
        worker.wait_events("program.ended", 2)
        pauses = [int(line["again_ms"]) for line in worker.events("program.not_started")]
        assert pauses == sorted(pauses) and pauses[-1] > pauses[0], pauses
        assert worker.stop() == 0, worker.tail()
    assert lines_of(tmp / "ran") == ["1", "2"]


def test_a_fire_whose_program_never_started_comes_again_after_the_end(kafka: Kafka, cluster: str,
                                                                      tmp: Path) -> None:
    program = tmp / "program"
    with runs_program(kafka, cluster, program, tmp / "ran") as worker:
        send(kafka, cluster, [1])
        worker.wait_events("program.ended")
        program.rename(tmp / "aside")
        send(kafka, cluster, [2, 3])
        not_started(worker, "No such file")
        assert worker.stop() == 0, worker.tail()
        assert worker.events("fire.kept")
        (tmp / "aside").rename(program)
        worker.start()
        worker.wait_events("program.ended", 2)
        assert worker.stop() == 0, worker.tail()
    assert lines_of(tmp / "ran") == ["1", "2", "3"]


def zombies_of(parent: int) -> int:
    count = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, above = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has just gone
        count += state == "Z" and int(above) == parent
    return count


def test_orphans_are_reaped_and_own_children_keep_their_status(kafka: Kafka, cluster: str,
                                                               tmp: Path) -> None:
    """As process 1 the worker is the parent of what programs leave behind; here it is made one by
    PR_SET_CHILD_SUBREAPER, which needs no right."""
    topic_of(kafka, cluster)
    send(kafka, cluster, range(40))
    script = f"(echo $BELFRY_JOB >> {tmp}/orphans; exec sleep 0.1) & exit $BELFRY_JOB"
    with Worker(kafka, cluster, script, "--concurrency", 8) as worker:
        worker.close()
        worker.command[:0] = [sys.executable, "-c", "import ctypes, os, sys; ctypes.CDLL(None)"
                              ".prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"]
        worker.start()
        ended = worker.wait_events("program.ended", 40)
        wait_for(lambda: len(lines_of(tmp / "orphans")) >= 40, 60, "40 orphans ran")
        wait_for(lambda: zombies_of(worker.pid) == 0, 60, "all orphans are reaped")
        send(kafka, cluster, range(40, 50))
        worker.wait_events("program.ended", 50)
        wait_for(lambda: zombies_of(worker.pid) == 0, 60, "all orphans are reaped")
        assert all(line["exit"] == line["job"] for line in ended), worker.tail()
        assert worker.stop() == 0, worker.tail()


def committed(kafka: Kafka, cluster: str, partition: int) -> int:
    """The group's committed offset, negative: none."""
    reader = Consumer(client_options(kafka.bootstrap, group_id=cluster))
    try:
        place = TopicPartition(f"{cluster}.fires", partition)
        return reader.committed([place], timeout=10)[0].offset
    finally:
        reader.close()


def two_running(kafka: Kafka, cluster: str, tmp: Path) -> tuple[Worker, Worker]:
    """Two workers: the second joins while the first runs a program of each partition."""
    topic_of(kafka, cluster, partitions=2)
    send(kafka, cluster, [1], partition=0)
    send(kafka, cluster, [2], partition=1)
    script = (f"echo $BELFRY_JOB >> {tmp}/started; until [ -e {tmp}/go ]; do sleep 0.05; done; "
              f"echo $BELFRY_JOB >> {tmp}/ended")
    options = ("--concurrency", 3, "-X", "heartbeat.interval.ms=500")
    first = Worker(kafka, cluster, script, *options, name="first")
    second = Worker(kafka, cluster, script, *options, name="second")
    first.start()
    first.wait_until(lambda: len(lines_of(tmp / "started")) == 2, 60, "both programs run")
    second.start()
    assert first.wait_events("group.waiting")[0]["unfinished"] == "2"
    return first, second


def test_rebalance_waits_for_programs(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """Programs that end soon are finished and committed before their partitions move."""
    first, second = two_running(kafka, cluster, tmp)
    (tmp / "go").touch()
    second.wait_events("group.assigned", partitions=1)
    send(kafka, cluster, [3], partition=0)
    send(kafka, cluster, [4], partition=1)
    wait_for(lambda: {"3", "4"} <= set(lines_of(tmp / "ended")), 60, "all have run")
    assert first.stop() == 0 and second.stop() == 0
    assert sorted(lines_of(tmp / "started")) == ["1", "2", "3", "4"], "run twice"


def test_rebalance_does_not_wait_for_ever(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """A program that goes on is given up on: its fire comes again. Where it comes to the same
    worker, it does not run twice, and is committed when its program has ended."""
    first, second = two_running(kafka, cluster, tmp)
    second.wait_events("group.assigned", partitions=1)
    assert first.wait_events("group.revoked")[0]["unfinished"] == "2"
    wait_for(lambda: len(lines_of(tmp / "started")) == 3, 60, "one runs on the second as well")
    send(kafka, cluster, [3], partition=0)
    send(kafka, cluster, [4], partition=1)
    wait_for(lambda: {"3", "4"} <= set(lines_of(tmp / "started")), 60, "others are not held up")
    (tmp / "go").touch()
    wait_for(lambda: len(lines_of(tmp / "ended")) == 5, 60, "all end")
    assert first.stop() == 0 and second.stop() == 0
    ended = lines_of(tmp / "ended")
    assert sorted(set(ended)) == ["1", "2", "3", "4"] and len(ended) == 5
    for partition in (0, 1):
        end = end_offsets(kafka.bootstrap, f"{cluster}.fires")[partition]
        assert committed(kafka, cluster, partition) >= end - 1  # the last one is a marker


def test_group_shares_and_hands_over(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """Workers come and go while fires are under way: with orderly ends nothing runs twice, and
    nothing is left out."""
    topic_of(kafka, cluster, partitions=4)
    script = f"sleep 0.1; echo $BELFRY_JOB >> {tmp}/ran"
    options = ("--concurrency", 2, "-X", "heartbeat.interval.ms=500")
    send(kafka, cluster, range(250))
    first = Worker(kafka, cluster, script, *options, name="first")
    second = Worker(kafka, cluster, script, *options, name="second")
    with first:
        first.wait_events("program.ended", 20)
        with second:
            second.wait_events("program.ended", 20)
            assert first.stop() == 0, first.tail()
            assert len(set(lines_of(tmp / "ran"))) < 250, "it ended while there was work"
            wait_for(lambda: len(set(lines_of(tmp / "ran"))) == 250, 90, "all fires have run")
            assert second.stop() == 0, second.tail()
    ran = lines_of(tmp / "ran")
    assert sorted(map(int, ran)) == list(range(250)), f"{len(ran)} runs of 250"


def test_slow_program_keeps_the_membership(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """A program may run longer than max.poll.interval.ms: the worker goes on polling, paused."""
    topic_of(kafka, cluster)
    send(kafka, cluster, [1, 2, 3])
    script = f"echo $BELFRY_JOB >> {tmp}/ran; [ $BELFRY_JOB != 1 ] || sleep 9"
    with Worker(kafka, cluster, script, "-X", "max.poll.interval.ms=6000", "-X",
                "session.timeout.ms=6000") as worker:
        worker.wait_events("program.ended", 3, deadline_s=60)
        assert worker.stop() == 0, worker.tail()
        assert not worker.events("group.lost") and len(worker.events("group.assigned")) == 1
    assert lines_of(tmp / "ran") == ["1", "2", "3"]


def test_wrong_usage(tmp: Path) -> None:
    def said(*arguments: object) -> str:
        return run("belfry-worker", *arguments, expect=2, env={"BELFRY_KAFKA": ""}).stderr

    assert "--kafka HOST:PORT is missing" in said()
    assert "did you mean --group-id?" in said("--group", "x")
    assert "no such program in PATH" in said("--kafka", "k:1", "--group-id", "g", "--exec",
                                             "no-such-program-here")
    (tmp / "plain").write_text("text")
    assert "Permission denied" in said("--kafka", "k:1", "--group-id", "g", "--exec",
                                       tmp / "plain")
    assert "Kafka property no.such" in said("--kafka", "k:1", "--group-id", "g", "-X",
                                            "no.such=1", "--exec", "true")
    help_text = run("belfry-worker", "--help", expect=0).stdout
    assert "examples:" in help_text and "--kill-after" in help_text


def test_worker_ends_its_own_environment(kafka: Kafka, cluster: str, tmp: Path) -> None:
    """Flags may come from the environment; nothing of the worker's descriptors reaches programs."""
    topic_of(kafka, cluster)
    send(kafka, cluster, [1])
    worker = Process("worker", [BUILD / "belfry-worker", "--cluster", cluster, "--exec", "sh",
                                "-c", f"ls /proc/self/fd > {tmp}/fd; readlink /proc/$$/cwd"],
                     env={"BELFRY_KAFKA": kafka.bootstrap, "BELFRY_GROUP_ID": cluster})
    with worker:
        worker.wait_until(lambda: "program.ended" in worker.output(), 60, "it ran")
        assert worker.stop() == 0, worker.tail()
        assert f"{os.getcwd()}\n" in worker.output()
    assert lines_of(tmp / "fd") == ["0", "1", "2", "3"]  # 3 is the directory that ls reads
