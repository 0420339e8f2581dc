"""The examples in other languages, as they are, against a real Kafka and a daemon.

What they depend on is installed into build/interop from the registries of their languages, in the
versions that package.json, go.mod and tests/support/kafka/pom.xml name. Each is one file of at
most 60 lines, because people are to read it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator

from harness import ROOT, Belfryd, Kafka, Redis, produce, read_all, shard_of
from runner import limit
from servers import KAFKA_LIBS

JARS = ("kafka-clients", "slf4j-api", "lz4-java")  # what the Java client needs here
HERE = ROOT / "tests" / "interop"
BUILT = ROOT / "build" / "interop"
SHARDS = 4
CLUSTER = "interop"
# What else there is on a topic of fires: payloads of binary fires, none among them, and garbage.
OTHERS = (None, b"", b"null", b"7", b'["a"]', b'{"subject":null}', b'"text"', b"\xff\x00{")
BINARY = [("ce_specversion", b"1.0"), ("ce_type", b"belfry.fire.v1"), ("ce_id", b"other"),
          ("ce_source", b"/belfry/interop/0"), ("ce_subject", b"others/one")]


def command(words: list[object], folder: Path, limit_s: float, **env: str) -> str:
    """What a command says on stdout; it must end well."""
    done = subprocess.run([str(word) for word in words], cwd=folder, text=True, timeout=limit_s,
                          capture_output=True, env={**os.environ, **env})
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Languages:
    """A running daemon, and each example as a command line without its arguments."""

    def __init__(self, kafka: Kafka, redis: Redis):
        self.kafka = kafka
        # Compiling the client takes longest, so it goes on beside the other tests.
        self.go_program = BUILT / "example"
        self.go_build = subprocess.Popen(
            ["go", "build", "-o", f"{BUILT}/", ".", "./appendtime"], cwd=HERE / "go", text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-modcacherw",
                 "GOTOOLCHAIN": "local", "GOPATH": str(BUILT / "go")})
        self.daemon = Belfryd(kafka, redis, cluster=CLUSTER, shards=SHARDS)

    def run(self, example: list[object], group: str, *more: str) -> tuple[dict, dict]:
        """The result and the fire that an example prints."""
        words = [*example, self.kafka.bootstrap, CLUSTER, group, "one", *more]
        lines = command(words, BUILT, 120).splitlines()
        assert len(lines) == 2, lines
        result, fire = map(json.loads, lines)
        assert result["outcome"] == "applied" and result["changed"] == 1, result
        assert result["shard"] == shard_of(group, SHARDS)
        assert fire["jobgroup"] == group and fire["jobid"] == "one"
        assert fire["id"].startswith(fire["jobincarnation"] + "@")
        return result, fire


def setup(kafka: Kafka, redis: Redis) -> Iterator[Languages]:
    BUILT.mkdir(parents=True, exist_ok=True)
    languages = Languages(kafka, redis)
    languages.daemon.start().wait_live()
    produce(kafka.bootstrap, f"{CLUSTER}.fires", [("others", value, BINARY, partition)
            for value in OTHERS for partition in range(SHARDS)])
    yield languages
    languages.go_build.kill()
    languages.daemon.terminate()


def groups(language: str, count: int = 2) -> list[str]:
    """Groups on as many different shards, so that a partitioner is hardly right by chance."""
    names = (f"{language}{number}" for number in range(1000))
    found: dict[int, str] = {}
    while len(found) < count:
        name = next(names)
        found.setdefault(shard_of(name, SHARDS), name)
    return list(found.values())


def check(shared: Languages, example: list[object], language: str) -> None:
    """Every group's command reaches its shard at once, and its fire comes back."""
    for group in groups(language):
        result, fire = shared.run(example, group)
        assert result["source"]["partition"] == result["shard"], "it had to be forwarded"
        assert fire["data"] == {"from": language}


def knows_append_time(shared: Languages, program: list[object]) -> bool:
    """Whether the client gives the append time of what it has sent: the first step of a claim needs
    it (docs/runs.md). The program sends a record of its own time 1."""
    topic = f"{CLUSTER}.runs"
    [line] = command([*program, shared.kafka.bootstrap, topic], BUILT, 120).splitlines()
    _offset, given_ms, *_more = line.split()
    newest = max(read_all(shared.kafka.bootstrap, topic), key=lambda record: record.timestamp_ms)
    assert newest.timestamp_ms > 1_700_000_000_000, "the topic keeps the sender's time"
    print(f"      {program[-1]}: {line}; appended at {newest.timestamp_ms}")
    return int(given_ms) == newest.timestamp_ms


def test_examples_are_short() -> None:
    for path in HERE.glob("*/*"):
        if path.suffix in (".py", ".js", ".go", ".java"):
            assert len(path.read_text().splitlines()) <= 60, path


def test_python(shared: Languages) -> None:
    check(shared, [sys.executable, HERE / "python" / "example.py"], "python")


def test_python_with_its_default_partitioner(shared: Languages) -> None:
    """Most groups go to a wrong partition there: forwarded, applied by the right shard, once."""
    example = [sys.executable, HERE / "python" / "example.py"]
    partitions = []
    for group in groups("librdkafka", SHARDS):
        result, _ = shared.run(example, group, "--default-partitioner")
        partitions.append(result["source"]["partition"] == result["shard"])
    assert not all(partitions), "not one was forwarded: is this still another partitioner?"


@limit(900)
def test_javascript(shared: Languages) -> None:
    folder = BUILT / "javascript"
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "example.js", "append_time.js"):
        shutil.copy(HERE / "javascript" / name, folder)
    command(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], folder, 240)
    check(shared, ["node", folder / "example.js"], "javascript")
    assert knows_append_time(shared, ["node", folder / "append_time.js"])


@limit(900)
def test_go(shared: Languages) -> None:
    output, _ = shared.go_build.communicate(timeout=400)
    assert shared.go_build.returncode == 0, output
    check(shared, [shared.go_program], "go")
    assert not knows_append_time(shared, [BUILT / "appendtime"]), "docs/runs.md says it does not"


@limit(900)
def test_java(shared: Languages) -> None:
    jars = ":".join(str(jar) for name in JARS for jar in KAFKA_LIBS.glob(f"{name}-*.jar"))
    classes = BUILT / "java"
    command(["javac", "-cp", jars, "-d", classes, "Example.java", "AppendTime.java"],
            HERE / "java", 120)
    java = ["java", "-XX:+UseSerialGC", "-cp", f"{classes}:{jars}"]
    check(shared, [*java, "Example"], "java")
    assert knows_append_time(shared, [*java, "AppendTime"])
