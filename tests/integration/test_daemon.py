"""belfryd as a process: starting, refusing, losing and finding its servers, ending."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import confluent_kafka
import confluent_kafka.admin

from harness import (
    BUILD, ROOT, Belfryd, CommandClient, Kafka, Process, Redis, TopicReader, client_options,
    new_directory, produce, run, wait_for)
from http_client import Asker
from oracle_fold import instant_ms

KILLED = -signal.SIGKILL
FAULT_POINTS = ("init.before", "init.after", "begin.before", "produce.before", "produce.after",
                "commit.before", "commit.after", "checkpoint.before", "checkpoint.after")


def _add(*, group: str = "g", name: str = "j", every: str = "1h") -> dict[str, object]:
    return {"op": "add", "command_id": f"add-{group}-{name}",
            "job": {"group": group, "id": name, "schedule": {"every": every}}}


def _apply(kafka: Kafka, cluster: str, **job: str) -> None:
    """Adds a job through a client of its own; the daemon must say so."""
    client = CommandClient(kafka.bootstrap, cluster)
    client.call(_add(**job), outcome="applied")
    client.close()


# --- starting and ending ----------------------------------------------------------------------


def test_starts_serves_and_ends(kafka: Kafka, redis: Redis, cluster: str) -> None:
    daemon = Belfryd(kafka, redis, cluster).start().wait_ready().wait_live()
    _apply(kafka, cluster)
    meta = redis.client().hgetall(f"{cluster}:meta")
    assert meta["shards"] == "4" and meta["kafka_cluster_id"], meta
    daemon.terminate()
    stopped = daemon.events("daemon.stopped")
    assert stopped and stopped[0]["shards_left"] == "0", daemon.tail()
    assert not daemon.events(level="error"), daemon.tail()


def test_leaves_the_group_so_that_another_takes_over_at_once(kafka: Kafka, redis: Redis,
                                                             cluster: str) -> None:
    first = Belfryd(kafka, redis, cluster, name="first").start().wait_live()
    second = Belfryd(kafka, redis, cluster, name="second").start().wait_ready()
    second.wait_live(2)
    first.wait_event("shard.dropped", 60, count=2)
    assert first.live_shards().isdisjoint(second.live_shards())
    first.terminate()
    second.wait_live(4)
    left_ms = instant_ms(first.events("daemon.stopped")[-1]["ts"])
    given_ms = instant_ms(second.events("group.assigned")[-1]["ts"])
    assert given_ms - left_ms < 9000, "its session had to end, which takes 10 s"
    _apply(kafka, cluster)
    second.terminate()


def test_logs_json_when_asked(kafka: Kafka, redis: Redis, cluster: str) -> None:
    daemon = Belfryd(kafka, redis, cluster, args=["--log-format", "json"]).start().wait_live()
    daemon.terminate()
    lines = [json.loads(line) for line in daemon.output().splitlines()]
    assert {"daemon.starting", "daemon.ready", "shard.live"} <= {line["event"] for line in lines}
    live = [line for line in lines if line["event"] == "shard.live"]
    assert {line["shard"] for line in live} == {0, 1, 2, 3}


def test_tells_the_supervisor(kafka: Kafka, redis: Redis, cluster: str, tmp: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp / "notify"))
        supervisor.settimeout(30)
        daemon = Belfryd(kafka, redis, cluster, env={"NOTIFY_SOCKET": str(tmp / "notify")}).start()
        assert supervisor.recv(100) == b"READY=1"
        daemon.send(signal.SIGTERM)
        assert supervisor.recv(100) == b"STOPPING=1"
        assert daemon.wait_exit() == 0


def test_ends_in_time_while_redis_is_frozen(kafka: Kafka, cluster: str) -> None:
    with Redis() as redis:
        daemon = Belfryd(kafka, redis, cluster).start().wait_live()
        redis.sigstop()
        _apply(kafka, cluster)
        daemon.terminate(deadline_s=15)
        redis.sigcont()


def test_ends_in_time_while_kafka_is_frozen_and_at_once_when_asked_twice(redis: Redis,
                                                                        cluster: str) -> None:
    with Kafka() as kafka:
        daemon = Belfryd(kafka, redis, cluster).start().wait_live()
        _apply(kafka, cluster, every="1s")
        for process in kafka.processes:
            process.sigstop()
        daemon.send(signal.SIGTERM)
        assert daemon.wait_exit(15) == 0
        for process in kafka.processes:
            process.sigcont()
        daemon.start().wait_live()
        for process in kafka.processes:
            process.sigstop()
        daemon.send(signal.SIGTERM)
        daemon.wait_event("daemon.signal")
        time.sleep(1.1)  # a second one counts after a second
        daemon.send(signal.SIGTERM)
        assert daemon.wait_exit(8) == 1
        for process in kafka.processes:
            process.sigcont()


def test_signals_within_a_moment_are_one_wish(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """`timeout` signals a process and its group."""
    daemon = Belfryd(kafka, redis, cluster).start().wait_live()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        daemon.send(number)
    assert daemon.wait_exit() == 0, daemon.tail()
    assert daemon.events("daemon.stopped") and not daemon.events("daemon.killed"), daemon.tail()


# --- health ---


def test_the_health_check_asks_this_daemon(kafka: Kafka, redis: Redis, cluster: str, tmp: Path
                                           ) -> None:
    """A daemon that is stopped is unhealthy although Kafka and Redis are well, in bounded time."""
    for place in (f"@{cluster}", str(tmp / "health")):
        env = {"BELFRY_HEALTH_SOCKET": place}

        def asked() -> tuple[int, str]:
            done = run("belfryd", "--healthcheck", env=env)
            return done.returncode, done.stdout

        assert asked()[0] == 1
        static = {"BELFRY_GROUP_INSTANCE_ID": cluster}  # a restart does not wait for its dead self
        daemon = Belfryd(kafka, redis, cluster, env={**env, **static}).start().wait_live()
        well = (0, "ok 4 shards are ours, 0 of them stand still\n")
        wait_for(lambda: asked() == well, 60, "what the log says has been noted")
        daemon.sigstop()
        assert asked()[0] == 1 and "does not move" in asked()[1]
        daemon.sigcont()
        wait_for(lambda: asked()[0] == 0, 60, "well again")
        second = Belfryd(kafka, redis, cluster, env=env, name="second").start()
        assert second.wait_exit() == 1, "two daemons at one place"
        daemon.kill9()
        assert asked()[0] == 1
        daemon.start().wait_live()  # a socket left behind is in nobody's way
        wait_for(lambda: asked()[0] == 0, 60, "well in its new life")
        daemon.terminate()
        assert asked()[0] == 1
    run("belfryd", "--healthcheck", env={"BELFRY_HEALTH_SOCKET": ""}, expect=2)


def test_the_health_check_is_bad_while_kafka_is_waited_for(redis: Redis, cluster: str) -> None:
    """That is, not ready; it is alive, and nobody is to restart it."""
    env = {"BELFRY_HEALTH_SOCKET": f"@{cluster}"}
    daemon = Belfryd("127.0.0.1:1", redis, cluster, env=env).start()
    daemon.wait_event("kafka.away", 60)
    done = run("belfryd", "--readycheck", env=env, expect=1)
    assert "Kafka" in done.stdout, done.stdout
    assert run("belfryd", "--healthcheck", env=env, expect=0).stdout == done.stdout
    daemon.terminate()


# --- servers that are away --------------------------------------------------------------------


def test_starts_without_redis_and_claims_it_later(kafka: Kafka, cluster: str) -> None:
    redis = Redis()
    daemon = Belfryd(kafka, redis, cluster).start().wait_live()
    assert daemon.events("redis.away")
    _apply(kafka, cluster)
    redis.start()
    daemon.wait_event("redis.claimed", 60)
    client = redis.client()
    wait_for(lambda: sum(client.hlen(f"{cluster}:{{{p}}}:jobs") for p in range(4)) == 1, 60,
             "the job reaches Redis")
    daemon.terminate()


def test_waits_for_kafka(redis: Redis, cluster: str) -> None:
    with Kafka() as kafka:
        kafka.stop()
        daemon = Belfryd(kafka, redis, cluster).start()
        daemon.wait_event("kafka.away", 60)
        kafka.start()
        daemon.wait_live()
        daemon.terminate()


def test_ends_while_waiting_for_kafka(redis: Redis, cluster: str) -> None:
    daemon = Belfryd("127.0.0.1:1", redis, cluster).start()
    daemon.wait_event("kafka.away", 60)
    daemon.terminate(deadline_s=15)


# --- refusing ---------------------------------------------------------------------------------


def test_refuses_the_redis_of_another_kafka(kafka: Kafka, redis: Redis, cluster: str) -> None:
    redis.client().hset(f"{cluster}:meta", mapping={"layout": 1, "shards": 4,
                                                     "kafka_cluster_id": "another"})
    daemon = Belfryd(kafka, redis, cluster).start()
    assert daemon.wait_exit() == 1
    message = daemon.events("daemon.failed")[0]["message"]
    assert "another" in message and "Kafka" in message, message


def test_refuses_another_number_of_shards(kafka: Kafka, redis: Redis, cluster: str) -> None:
    Belfryd(kafka, redis, cluster).start().wait_ready().terminate()
    daemon = Belfryd(kafka, redis, cluster, shards=5).start()
    assert daemon.wait_exit() == 1
    message = daemon.events("daemon.failed")[0]["message"]
    assert "4" in message and "5" in message, message


def _delete_topic(kafka: Kafka, name: str) -> None:
    admin = confluent_kafka.admin.AdminClient(client_options(kafka.bootstrap))
    admin.delete_topics([name])[name].result(timeout=30)
    wait_for(lambda: name not in admin.list_topics(timeout=5).topics, 60, f"{name} is gone")


def test_refuses_a_kafka_that_lost_the_state(kafka: Kafka, redis: Redis, cluster: str) -> None:
    daemon = Belfryd(kafka, redis, cluster, shards=1).start().wait_live()
    _apply(kafka, cluster)
    daemon.terminate()
    _delete_topic(kafka, f"{cluster}.state")
    daemon.start()
    assert daemon.wait_exit(60) == 1, "its only shard cannot be run: the supervisor must know"
    reason = daemon.events("shard.failed", shard=0)[0]["message"]
    assert "state_lost" in reason and "Redis" in reason, reason
    assert daemon.events("daemon.failed"), daemon.tail()
    snapshot = redis.client().hget(f"{cluster}:{{0}}:snapshot", "job_count")
    assert snapshot == "1", "what Redis holds is not touched"


def test_a_job_record_of_a_newer_version_is_not_taken(kafka: Kafka, redis: Redis, cluster: str
                                                     ) -> None:
    """A field this version does not know, or a newer layout: refused, and the place is named."""
    for field, value in (("priority", 3), ("layout", 3)):
        name = f"{cluster}-{field}"
        static = {"BELFRY_GROUP_INSTANCE_ID": name}  # a restart does not wait for its dead self
        with Belfryd(kafka, redis, name, shards=1, env=static) as daemon:
            daemon.wait_ready()
            with CommandClient(kafka.bootstrap, name) as client:
                client.call({"op": "add", "job": {"group": "g", "id": "a",
                                                  "schedule": {"every": "1h"}}})
            wait_for(lambda: redis.client().hlen(f"{name}:{{0}}:jobs"), 60, "the checkpoint")
            record = json.loads(redis.client().hget(f"{name}:{{0}}:jobs", "g/a"))
            daemon.kill9()
            produce(kafka.bootstrap, f"{name}.state",
                    [("job/g/a", json.dumps({**record, field: value}), None, 0)])
            daemon.start()
            assert daemon.wait_exit(60) == 1
            reason = daemon.events("shard.failed", shard=0)[0]["message"]
            assert "job/g/a" in reason and "newer" in reason and field in reason, reason


def test_a_wrong_command_line_is_a_usage_error(tmp: Path) -> None:
    file = tmp / "belfry.ini"
    file.write_text("[belfry]\nshards = 4\ncheckpoint.intreval = 1s\n")
    done = run("belfryd", "--config", file, expect=2)
    assert f"{file}:3" in done.stderr and "checkpoint.interval" in done.stderr, done.stderr
    for wrong in (["--shards", "0"], ["--shrads", "4"], ["--log-level", "loud"], ["more"],
                  ["--redis", "http://x"], ["--config", str(tmp / "none")]):
        done = run("belfryd", *wrong, expect=2)
        assert done.stderr.startswith("belfryd: ") and done.stdout == "", done
    done = run("belfryd", env={"BELFRY_FAULT": "commit.sometimes:1"}, expect=2)
    assert "BELFRY_FAULT" in done.stderr


def test_a_property_the_client_refuses_ends_the_daemon(kafka: Kafka, redis: Redis, cluster: str,
                                                       tmp: Path) -> None:
    file = tmp / "belfry.ini"
    file.write_text("[kafka.producer]\nqueue.buffering.backpressure.threshold = 10\n")
    daemon = Belfryd(kafka, redis, cluster, args=["--config", file]).start()
    assert daemon.wait_exit() == 1
    assert daemon.events("shard.failed"), daemon.tail()
    assert "queue.buffering.backpressure.threshold" in daemon.output()


def test_check_config_prints_what_it_would_read(tmp: Path) -> None:
    secret, file = tmp / "secret", tmp / "belfry.ini"
    secret.write_text("hidden-word\n")
    file.write_text("[belfry]\ncluster = night\nfires.topics = orders, mail\n"
                    f"[redis]\npassword_file = {secret}\n"
                    f"[kafka]\nsasl.password_file = {secret}\n[kafka.producer]\nlinger.ms = 3\n")
    done = run("belfryd", "--config", file, "--shards", 8, "--check-config", expect=0,
               env={"BELFRY_CATCHUP_RATE": "77"})
    assert "hidden-word" not in done.stdout
    for line in ("cluster = night", "shards = 8", "catchup.rate = 77", "linger.ms = 3",
                 "fires.topics = orders,mail", f"sasl.password_file = {secret}"):
        assert line in done.stdout, (line, done.stdout)
    again = tmp / "again.ini"
    again.write_text(done.stdout)
    twice = run("belfryd", "--config", again, "--check-config", expect=0).stdout

    def values(text: str) -> list[str]:
        return [line.split(" ; ")[0].rstrip() for line in text.splitlines()]

    assert values(twice) == values(done.stdout)


def test_the_page_on_operation_has_every_option_with_its_default() -> None:
    page = (ROOT / "docs/operation.md").read_text()
    documented = {row.group(1): row.group(2) for row in
                  re.finditer(r"^\| `([a-z_.]+)` \| (?:`([^`]*)` )?\|", page, re.MULTILINE)}
    known = {row.group(1): row.group(2) or None for row in
             re.finditer(r"^;?([a-z_.]+) = (\S*) +; default$",
                         run("belfryd", "--check-config", expect=0).stdout, re.MULTILINE)}
    assert len(known) > 20 and known == documented
    for variable in re.findall(r"^ +(BELFRY_[A-Z_]+)", run("belfryd", "--help").stdout,
                               re.MULTILINE):
        assert f"`{variable}`" in page, variable


# --- fault points -----------------------------------------------------------------------------


def test_fault_points_kill_and_the_next_run_goes_on(kafka: Kafka, redis: Redis,
                                                    cluster: str) -> None:
    # A static member, so that the group does not wait for the session of the killed one.
    daemon = Belfryd(kafka, redis, cluster, shards=1, env={"BELFRY_GROUP_INSTANCE_ID": "one"})
    for number, point in enumerate(FAULT_POINTS):
        daemon.fault = f"{point}:1"
        daemon.start()
        assert daemon.wait_exit(60) == KILLED, (point, daemon.tail())
        daemon.fault = None
        daemon.start().wait_live()
        _apply(kafka, cluster, name=f"j{number}")
        daemon.kill9()


def test_a_fault_point_can_freeze(kafka: Kafka, redis: Redis, cluster: str) -> None:
    daemon = Belfryd(kafka, redis, cluster, shards=1, fault="commit.before:1:stop").start()

    def state() -> str:
        return Path(f"/proc/{daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]

    wait_for(lambda: state() == "T", 60, "the daemon froze itself")
    daemon.sigcont()
    daemon.wait_live()
    daemon.terminate()


# --- the place in the group -------------------------------------------------------------------


def _take_place(kafka: Kafka, cluster: str, name: str) -> None:
    """Joins the group under the name of another member, is given its shards, and goes."""
    options = client_options(kafka.bootstrap)
    consumer = confluent_kafka.Consumer(
        {**options, "group.id": cluster, "group.instance.id": name, "enable.auto.commit": False})
    consumer.subscribe([f"{cluster}.control"])
    wait_for(lambda: consumer.poll(0.1) is None and consumer.assignment(), 60, "it is a member")
    consumer.close()


def test_a_place_that_was_taken_is_joined_anew_once(kafka: Kafka, redis: Redis, cluster: str,
                                                    tmp: Path) -> None:
    """An answer that gets lost looks the same as another daemon with our group_instance_id."""
    address = str(tmp / "notify")
    daemon = Belfryd(kafka, redis, cluster, shards=1, args=("--http", "127.0.0.1:0"),
                     env={"BELFRY_GROUP_INSTANCE_ID": "one", "NOTIFY_SOCKET": address})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        supervisor.settimeout(30)
        daemon.start().wait_live()
        asker = Asker(daemon)
        _take_place(kafka, cluster, "one")
        wait_for(lambda: "event=daemon.again" in daemon.output(), 60, "it joins anew")
        _apply(kafka, cluster, name="after")
        wait_for(lambda: asker.ask("/readyz").status == 200, 60, "ready again, at its old address")
        # A supervisor that hears of an end kills who has not ended a while later.
        assert [supervisor.recv(100), supervisor.recv(100)] == [b"READY=1", b"READY=1"]
        _take_place(kafka, cluster, "one")
        assert daemon.wait_exit() == 1, daemon.tail()
    assert "another daemon has this group_instance_id" in daemon.output()


# --- the trial mode ---------------------------------------------------------------------------


class Embedded(Process):
    """belfryd --embedded and the addresses it gives away."""

    def __init__(self, directory: Path):
        super().__init__("embedded", [BUILD / "belfryd", "--embedded", directory])
        self.data = directory  # short, because a socket's path is

    def wait_live(self) -> "Embedded":
        self.wait_until(lambda: self.output().count("event=shard.live") == 4, 60, "4 shards live")
        return self

    @property
    def addresses(self) -> dict[str, str]:
        lines = (self.data / "addresses").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def belfry(self, *args: object) -> subprocess.CompletedProcess[str]:
        return run("belfry", *args, env=self.addresses, expect=0)

    def redis_servers(self) -> list[str]:
        """The command lines of the servers on our socket."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                text = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if text.startswith("redis-server") and str(self.data) in text:
                found.append(text)
        return found


def test_embedded_keeps_jobs_over_a_restart_and_a_kill() -> None:
    daemon = Embedded(new_directory("e") / "trial")
    daemon.start()
    daemon.wait_live()
    assert len(daemon.redis_servers()) == 1
    kafka = daemon.addresses["BELFRY_KAFKA"]
    assert f"kafka={kafka} redis=unix://" in daemon.output()
    with TopicReader(kafka, "belfry.fires") as fires:
        command = json.dumps(_add(group="demo", name="tick", every="1s"))
        produce(kafka, "belfry.control", [("demo", command)])
        first = fires.read_until(1)[0].json
    assert first["subject"] == "demo/tick", first
    assert daemon.belfry("-o", "name", "list").stdout.split() == ["demo/tick"]
    assert "embedded stand-in" in daemon.belfry("doctor").stdout
    assert daemon.stop() == 0
    assert not daemon.redis_servers() and not (daemon.data / "addresses").exists()

    daemon.start()
    daemon.wait_live()
    assert daemon.belfry("-o", "name", "list").stdout.split() == ["demo/tick"]
    daemon.kill9()
    wait_for(lambda: not daemon.redis_servers(), 60, "redis-server ends with its belfryd")
    daemon.start()
    daemon.wait_live()
    with TopicReader(daemon.addresses["BELFRY_KAFKA"], "belfry.fires") as fires:
        again = fires.read_until(1)[0].json
    assert again["jobincarnation"] == first["jobincarnation"]
    assert daemon.stop() == 0


def test_embedded_follows_runs() -> None:
    """Its broker has no append times: fires have no expirytime. What is open at a restart has
    ended, as nobody knows what became of it."""
    daemon = Embedded(new_directory("e") / "trial")
    daemon.start()
    daemon.wait_live()
    kafka = daemon.addresses["BELFRY_KAFKA"]
    command = {"op": "add", "job": {"group": "demo", "id": "work", "lease": "10s", "workers": "w",
                                    "schedule": {"cron": "0 0 1 1 *"},
                                    "retry": {"attempts": 3, "initial": "1s"}}}
    with TopicReader(kafka, "belfry.fires") as fires:
        for asked in (command, {"op": "trigger", "select": {"groups": ["demo"]}}):
            produce(kafka, "belfry.control", [("demo", json.dumps(asked))])
        fire = fires.read_until(1)[0].json
        assert fire["try"] == 1 and "expirytime" not in fire, fire
        failure = {"run": fire["id"], "runnumber": fire["runnumber"], "report": "failure",
                   "workers": "w"}
        produce(kafka, "belfry.runs",
                [("demo", json.dumps(failure), None, int(fire["source"].rpartition("/")[2]))])
        assert fires.read_until(2)[1].json["try"] == 2
    lines = json.loads(daemon.belfry("history", "demo/work", "--since", "1h", "-o", "json").stdout)
    assert [line.get("outcome") for line in lines] == ["failure", None], lines
    assert daemon.stop() == 0
    daemon.start()
    daemon.wait_live()
    with TopicReader(daemon.addresses["BELFRY_KAFKA"], "belfry.fires") as fires:
        third = fires.read_until(1)[0].json
    assert third["id"] == fire["id"] and third["try"] == 3, third
    assert int(third["runnumber"]) >> 32 == (int(fire["runnumber"]) >> 32) + 1, third
    assert daemon.stop() == 0


def test_embedded_goes_on_without_a_zone_it_has_lost() -> None:
    daemon = Embedded(new_directory("e") / "trial")
    daemon.start()
    daemon.wait_live()
    daemon.belfry("add", "demo/rome", "--cron", "0 0 1 1 *", "--zone", "Europe/Rome", "--wait")
    daemon.belfry("add", "demo/utc", "--every", "1h", "--wait")
    assert daemon.stop() == 0
    zones = new_directory("zoneinfo")
    daemon.env["TZDIR"] = str(zones)
    daemon.start()
    daemon.wait_live()
    daemon.wait_until(lambda: "zone.missing" in daemon.output(), 60, "the zone is missed")
    assert daemon.belfry("-o", "name", "list").stdout.split() == ["demo/rome", "demo/utc"]
    assert daemon.stop() == 0
    (zones / "Europe").mkdir()
    shutil.copy("/usr/share/zoneinfo/Europe/Rome", zones / "Europe/Rome")
    daemon.start()
    daemon.wait_live()
    assert daemon.belfry("-o", "name", "list").stdout.split() == ["demo/rome", "demo/utc"]
    assert daemon.stop() == 0


def test_embedded_refuses_a_directory_that_others_may_change() -> None:
    tmp = new_directory("e")  # short, because a socket's path is

    def refused(directory: Path) -> str:
        embedded = Embedded(directory)
        embedded.start()
        assert embedded.wait_exit() == 1, embedded.tail()
        assert not list(directory.iterdir()) if directory.is_dir() else True
        return embedded.output()

    for mode in (0o777, 0o770, 0o1777, 0o702):
        open_to_all = tmp / f"mode-{mode:o}"
        open_to_all.mkdir()
        open_to_all.chmod(mode)
        said = refused(open_to_all)
        assert "chmod go-w" in said and str(open_to_all) in said, said
    (tmp / "file").write_text("")
    assert "no directory" in refused(tmp / "file")
    (tmp / "mine").mkdir(mode=0o755)
    mine = Embedded(tmp / "mine")
    mine.start()
    assert mine.wait_live().stop() == 0
    if os.geteuid() == 0:
        (tmp / "theirs").mkdir(mode=0o755)
        os.chown(tmp / "theirs", 12345, 12345)
        assert "belongs to the user with id 12345" in refused(tmp / "theirs")


def test_embedded_guards_its_directory(tmp: Path) -> None:
    first = Embedded(new_directory("e"))
    first.start()
    first.wait_live()
    second = Embedded(first.data)
    second.start()
    assert second.wait_exit() == 1
    assert "another belfryd" in second.output()
    assert first.belfry("list") and len(first.redis_servers()) == 1
    third = Embedded(tmp / ("x" * 120))
    third.start()
    assert third.wait_exit() == 1
    assert "too long for a socket" in third.output()
    fourth = Embedded(new_directory("e"))
    fourth.command = ["env", f"PATH={tmp}", *fourth.command]
    fourth.start()
    assert fourth.wait_exit() == 1
    assert "redis-server is not installed" in fourth.output()
    assert first.stop() == 0


def _session(pid: int) -> list[int]:
    """The processes whose environment names the demo's directory are its; so are its children."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"DEMO_TEST={pid}".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def test_the_demo_runs_and_ends_cleanly_on_ctrl_c() -> None:
    mark = os.getpid()
    demo = Process("demo", [ROOT / "tests/support/demo", new_directory("e")],
                   env={"BELFRY_BUILD": str(BUILD), "DEMO_TEST": str(mark)})
    demo.start()
    demo.wait_until(lambda: demo.output().count("demo/heartbeat  due") >= 2 and
                    "demo/once  due" in demo.output(), 60, "the worker prints what it runs")
    os.killpg(demo.pid, signal.SIGINT)  # what a terminal does
    assert demo.wait_exit() == 0, demo.tail()
    assert "jobs are kept" in demo.output()
    wait_for(lambda: not _session(mark), 60, "no process of the demo is left")
