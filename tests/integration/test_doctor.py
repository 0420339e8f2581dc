"""belfry doctor: each of its checks seen good and bad, with what it says to do."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType,
                                   AdminClient, ConfigResource, NewTopic, ResourcePatternType,
                                   ResourceType)

from clocks import MovedClock
from harness import (ROOT, WATCHED, Belfryd, Kafka, Redis, belfry, client_options,
                     end_offsets, free_port, new_directory, read_all, wait_for)

SHARDS = 4
CLUSTER = "doctor"
CHECKS = ["kafka", "brokers", "topics", "kafka rights", "dead letters", "redis", "redis rights",
          "certificates", "shards", "clock", "checkpoint", "jobs", "time zones", "tzdata",
          "versions"]


def certificate(name: str, days: int) -> Path:
    """A self-signed certificate with its key, valid for so many days from now on, or until then."""
    folder = new_directory("certificate")
    key, request, made = folder / "key.pem", folder / "request.pem", folder / "made.pem"
    both = folder / f"{name}.pem"
    for words in (["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj",
                   f"/CN={name}"],
                  ["x509", "-req", "-in", request, "-signkey", key, "-days", str(days), "-out",
                   made]):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    both.write_text(key.read_text() + made.read_text())
    return both


def kafka_with_tls_and_rights() -> tuple[Kafka, str]:
    """One that asks who may do what, with a second listener: its certificate ends in nine days."""
    kafka = Kafka(options={
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate("broker", 10),
    })
    broker = kafka.brokers[0]
    port = free_port()
    plain = f"PLAINTEXT://127.0.0.1:{broker.port},TLS://127.0.0.1:{port}"
    kafka.options.update({
        "listeners": f"{plain},CONTROLLER://127.0.0.1:{broker.controller_port}",
        "advertised.listeners": plain,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT",
    })
    return kafka, f"127.0.0.1:{port}"


class Cluster:
    """A running daemon and the command line on it."""

    def __init__(self, kafka: Kafka, tls: str, redis: Redis, redis_tls: int):
        self.kafka, self.tls, self.redis, self.redis_tls = kafka, tls, redis, redis_tls
        self.admin = AdminClient(client_options(kafka.bootstrap))
        self.daemon = Belfryd(kafka, redis, cluster=CLUSTER, shards=SHARDS,
                              env={"BELFRY_FIRES_TOPICS": "not.there"})

    def __call__(self, *args: object, expect: int | None = 0) -> str:
        return belfry(self.kafka, self.redis, CLUSTER, *args, expect=expect, deadline_s=60).stdout

    def doctor(self, *args: object, expect: int | None = 0) -> dict[str, list[dict[str, str]]]:
        """What each check has found."""
        found: dict[str, list[dict[str, str]]] = {}
        for finding in json.loads(self("doctor", "-o", "json", *args, expect=expect)):
            found.setdefault(finding["check"], []).append(finding)
        return found

    def finding(self, check: str, *args: object, expect: int | None = 0) -> dict[str, str]:
        """The worst of a check's findings."""
        return max(self.doctor(*args, expect=expect)[check],
                   key=lambda finding: ["ok", "warn", "bad"].index(finding["status"]))


def setup() -> Iterator[Cluster]:
    """One daemon for the file, on servers of its own."""
    kafka, tls = kafka_with_tls_and_rights()
    redis_tls = free_port()
    pair = certificate("redis", 400)
    options = {"tls-port": redis_tls, "tls-cert-file": pair, "tls-key-file": pair,
               "tls-ca-cert-file": pair, "tls-auth-clients": "no"}
    with kafka, Redis(options=options) as redis:
        cluster = Cluster(kafka, tls, redis, redis_tls)
        cluster.daemon.start().wait_live()
        yield cluster
        cluster.daemon.terminate()


def wait_finding(find: Callable[[], dict[str, str]], words: str, deadline_s: float = 40
                 ) -> dict[str, str]:
    """Until the check says so; daemons report every two seconds."""

    def right() -> dict[str, str] | None:
        found = find()
        return found if words in found["message"] else None

    return wait_for(right, deadline_s, words)


def test_all_is_well_and_each_check_is_on_the_page(shared: Cluster) -> None:
    wait_for(lambda: shared.doctor().get("tzdata"), 60, "the daemon has told of itself")
    found = shared.doctor()
    assert list(found) == CHECKS, list(found)
    assert {f["status"] for findings in found.values() for f in findings} == {"ok"}, found
    page = (ROOT / "docs" / "cli.md").read_text().split("| check | what is looked at |")[1]
    rows = [line.split("|")[1] for line in page.split("\n\n")[0].splitlines()[2:]]
    assert re.findall(r"`([^`]+)`", " ".join(rows)) == CHECKS, rows


def test_settings_of_topics(shared: Cluster) -> None:
    """Each with what it does, and the command that mends it where it harms."""
    fires = ConfigResource(ConfigResource.Type.TOPIC, f"{CLUSTER}.state")

    def alter(settings: dict[str, str]) -> None:
        shared.admin.alter_configs([ConfigResource(fires.restype, fires.name, settings)]
                                   )[fires].result(30)

    before = {name: entry.value
              for name, entry in shared.admin.describe_configs([fires])[fires].result(30).items()
              if entry.source == 1}  # set for the topic itself
    alter({**before, "cleanup.policy": "delete", "unclean.leader.election.enable": "true",
           "max.message.bytes": "1000", "delete.retention.ms": "1000"})
    try:
        wait_finding(lambda: shared.finding("topics"), "topic doctor.state")
        said = [finding["message"] for finding in shared.doctor()["topics"]]
    finally:
        alter(before)
    for words in ("cleanup.policy is delete, Belfry would set compact",
                  "unclean.leader.election.enable is true, Belfry would set false",
                  "max.message.bytes is 1000, Belfry would set 2097152",
                  "delete.retention.ms is 1000"):
        assert any(words in message and "kafka-configs.sh" in message for message in said), said
    wait_finding(lambda: shared.finding("topics"), "set as Belfry sets them")


def test_a_topic_of_an_earlier_version(shared: Cluster) -> None:
    """It is named, and nothing is wrong with it."""
    former = f"{CLUSTER}.completions"
    said = f"topic {former} is of an earlier version, nothing uses it: it may be deleted"

    def messages() -> list[str]:
        found = shared.doctor()["topics"]
        assert {finding["status"] for finding in found} == {"ok"}, found
        return [finding["message"] for finding in found]

    assert said not in messages()
    shared.admin.create_topics([NewTopic(former, SHARDS, 1)])[former].result(30)
    wait_for(lambda: said in messages(), 60, "it is named")
    shared.admin.delete_topics([former])[former].result(30)
    wait_for(lambda: said not in messages(), 60, "it is gone")


def test_rights_in_kafka_are_tried(shared: Cluster) -> None:
    """What a user may not do is named; nothing is written in trying."""

    def deny(kind: ResourceType, name: str, operation: AclOperation) -> None:
        """All else stays allowed."""
        for what, how in ((AclOperation.ALL, AclPermissionType.ALLOW),
                          (operation, AclPermissionType.DENY)):
            rule = AclBinding(kind, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*",
                              what, how)
            shared.admin.create_acls([rule])[rule].result(30)

    def allow_again() -> None:
        every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None,
                                 AclOperation.ANY, AclPermissionType.ANY)
        for done in shared.admin.delete_acls([every]).values():
            done.result(30)

    topics = [f"{CLUSTER}.{name}"
              for name in ("fires", "forward", "events", "dead", "runs", "cancels")]
    before = [end_offsets(shared.kafka.bootstrap, topic) for topic in topics]
    assert shared.finding("kafka rights")["status"] == "ok"
    assert [end_offsets(shared.kafka.bootstrap, topic) for topic in topics] == before
    for topic in ("control", "results", "state"):
        assert not [record for record in read_all(shared.kafka.bootstrap, f"{CLUSTER}.{topic}")
                    if record.key == "belfry-doctor"], topic
    try:
        deny(ResourceType.TOPIC, f"{CLUSTER}.forward", AclOperation.WRITE)
        deny(ResourceType.TOPIC, f"{CLUSTER}.runs", AclOperation.READ)
        deny(ResourceType.TOPIC, f"{CLUSTER}.dead", AclOperation.DESCRIBE)
        deny(ResourceType.TRANSACTIONAL_ID, f"{CLUSTER}-doctor", AclOperation.WRITE)
        found = wait_finding(lambda: shared.finding("kafka rights", expect=None),
                             "this user may not see doctor.dead, write doctor.forward, read "
                             "doctor.runs, use transactional ids doctor-...")
        assert found["status"] == "warn" and "a daemon needs them" in found["advice"], found
        deny(ResourceType.TOPIC, f"{CLUSTER}.results", AclOperation.READ)
        found = wait_finding(lambda: shared.finding("kafka rights", expect=None),
                             "this user may not read doctor.results")
        assert found["status"] == "bad" and "kafka-acls.sh" in found["advice"], found
    finally:
        allow_again()
    wait_for(lambda: shared.finding("kafka rights", expect=None)["status"] == "ok", 60,
             "all is allowed again")


def test_rights_in_redis_are_tried(shared: Cluster) -> None:
    client = shared.redis.client()
    client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", f"~{CLUSTER}:*", "+@read",
                           "+info", "+multi", "+discard", "+select", "+client", "+ping")
    as_reader = ("--redis", f"redis://reader:pw@127.0.0.1:{shared.redis.port}")
    found = shared.finding("redis rights", *as_reader)
    assert found["status"] == "warn" and "HSET" in found["message"] and "EVAL" in found["message"]
    assert "HGET" not in found["message"] and "docs/store.md" in found["advice"], found
    client.execute_command("ACL", "SETUSER", "reader", "-multi")
    assert "not tried" in shared.finding("redis rights", *as_reader)["message"]
    client.execute_command("ACL", "DELUSER", "reader")


def test_certificates_that_end_soon(shared: Cluster) -> None:
    by_tls = ("--kafka", shared.tls, "-X", "security.protocol=ssl", "-X",
              "enable.ssl.certificate.verification=false")
    found = shared.finding("certificates", *by_tls)
    assert found["status"] == "warn", found
    assert re.search(r"the certificate of the broker 127.0.0.1:\d+ is valid for 9 more days, until "
                     r"20", found["message"]), found
    assert "before that day" in found["advice"]
    own = certificate("client", 400)
    found = shared.finding("certificates", *by_tls, "-X", f"ssl.certificate.location={own}",
                           "-X", f"ssl.key.location={own}")
    assert "broker" in found["message"], found
    found = shared.finding("certificates", *by_tls, "-X",
                           f"ssl.ca.location={certificate('old', -1)}", expect=1)
    assert found["status"] == "bad" and "ssl.ca.location in " in found["message"], found
    assert "has been invalid since 20" in found["message"], found
    found = shared.finding("certificates", "--redis", f"rediss://127.0.0.1:{shared.redis_tls}",
                           expect=None)
    if "this build" in found["message"]:  # it has no TLS to Redis
        assert found["status"] == "warn" and "that of Redis is not looked at" in found["message"]
        return
    assert found["status"] == "ok" and "1 looked at" in found["message"], found
    assert f"Redis 127.0.0.1:{shared.redis_tls}" in found["message"], found


def test_failing_jobs_are_named(shared: Cluster) -> None:
    jobs = [f"fail/{name}" for name in "abcdefg"]
    for job in jobs:
        shared("add", job, "--every", "1s", "--topic", "not.there", "--wait")
    shared("add", "fail/fine", "--every", "1h", "--payload", '{"state":"failing"}', "--wait")
    found = wait_finding(lambda: shared.finding("jobs", expect=None), "7 failing: ")
    assert found["status"] == "bad" and "belfry describe" in found["advice"], found
    assert len(re.findall(r"fail/[a-g] \(since 20", found["message"])) == 5, found
    assert found["message"].endswith(" ...") and "fine" not in found["message"], found
    shared("delete", "--group", "fail", "--wait")
    wait_finding(lambda: shared.finding("jobs", expect=None), "none is failing")


def test_another_daemon_differs(shared: Cluster) -> None:
    """Its clock is ahead, its time zone data are older, it is of another version."""
    zones = new_directory("zoneinfo")
    (zones / "tzdata.zi").write_text("# version 2020a\n")
    (zones / "UTC").write_bytes(Path("/usr/share/zoneinfo/UTC").read_bytes())
    clock = {} if WATCHED else MovedClock(ahead_s=4).env  # a sanitizer is preloaded first
    other = Belfryd(shared.kafka, shared.redis, cluster=CLUSTER, shards=SHARDS, name="other",
                    env={**clock, "TZDIR": str(zones),
                         "BELFRY_FIRES_TOPICS": "not.there"})
    other.start().wait_ready()
    try:
        other.wait_live(SHARDS // 2)
        # A mark says what the brokers' time is.
        wait_for(lambda: belfry(shared.kafka, shared.redis, CLUSTER, "ping",
                                expect=None).returncode == 0, 60, "all shards to answer")
        if clock:
            found = wait_finding(lambda: shared.finding("clock", expect=None),
                                 "the clock of the daemon")
            assert "ms ahead of the brokers'" in found["message"] and "NTP" in found["advice"]
        found = wait_finding(lambda: shared.finding("tzdata", expect=None), " has 2020a-")
        assert found["status"] == "warn" and ", older than 20" in found["message"], found
        assert "install the same tzdata" in found["advice"], found

        def forged() -> dict[str, str]:
            for shard in range(SHARDS):
                shared.redis.client().hset(f"{CLUSTER}:{{{shard}}}:health",
                                           mapping={"version": "0.0.9", "librdkafka": "2.5.0"})
            findings = shared.doctor(expect=None)["versions"]
            return {"message": " / ".join(finding["message"] for finding in findings)}

        said = wait_finding(forged, "is belfryd 0.0.9, this is belfry ")["message"]
        assert "librdkafka 2.5.0: it ends the process" in said, said
    finally:
        other.terminate()
    wait_for(lambda: all(f["status"] == "ok" for name in ("clock", "tzdata", "versions")
                         for f in shared.doctor(expect=None).get(name, [{"status": "none"}])), 60,
             "all is well again")
