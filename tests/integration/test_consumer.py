"""The library and its two example consumers, in C and in Python, on a real Kafka.

The fires are produced here, in transactions, as Belfry does it; a daemon is not needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

from confluent_kafka import Consumer, TopicPartition

from harness import (BUILD, ROOT, Kafka, Process, client_options, create_topic, new_directory,
                     produce, wait_for)

EXAMPLES = ROOT / "consumer" / "examples"
STRUCTURED = [("content-type", b"application/cloudevents+json")]
DUE = "2026-11-21T20:57:54.000Z"


def attributes(number: int) -> dict[str, Any]:
    """The attributes of a good fire; its id tells the number."""
    return {"specversion": "1.0", "type": "belfry.fire.v1", "source": "/belfry/belfry/0",
            "id": f"1795290000123-0.{number}.0@1795294674000", "subject": f"billing/job-{number}",
            "time": "2026-11-21T20:57:54.012Z", "dueat": DUE, "jobgroup": "billing",
            "jobid": f"job-{number}", "jobincarnation": f"1795290000123-0.{number}.0",
            "jobrevision": 1, "firekind": "schedule", "latenessms": 12, "missedcount": 0,
            "attempt": 1, "datacontenttype": "application/json"}


def structured(number: int) -> tuple[Any, ...]:
    """A record to produce(): the fire in structured mode."""
    return ("billing", json.dumps({**attributes(number), "data": {"n": number}},
                                  separators=(",", ":")), STRUCTURED)


def binary(number: int) -> tuple[Any, ...]:
    """The same in binary mode."""
    headers = [("content-type" if name == "datacontenttype" else f"ce_{name}", str(value).encode())
               for name, value in attributes(number).items()]
    return ("billing", f'{{"n":{number}}}', headers)


def line(number: int) -> str:
    """What both examples print for a fire."""
    fire = attributes(number)
    return f'{fire["id"]} {fire["subject"]} {DUE} schedule {{"n":{number}}}'


def setup() -> Path:
    """Builds the C example as a user would: against <belfry/consumer.h> and libbelfry.a alone."""
    directory = new_directory("example")
    (directory / "belfry").symlink_to(ROOT / "consumer")
    program = directory / "consumer"
    sanitize = os.environ.get("BELFRY_SANITIZE")  # what the library was built with
    subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror",
                    *([f"-fsanitize={sanitize}"] if sanitize else []),
                    f"-I{directory}", EXAMPLES / "consumer.c", BUILD / "libbelfry.a",
                    "-lrdkafka", "-ljansson", "-lpthread", "-o", program], check=True, timeout=60)
    return program


def example(language: str, program: Path, kafka: Kafka, topic: str, group: str) -> Process:
    command = [program] if language == "c" else [sys.executable, EXAMPLES / "consumer.py"]
    return Process(f"consumer-{language}", [*command, kafka.bootstrap, group, topic])


def fires_of(process: Process) -> list[str]:
    return [text for text in process.output().splitlines() if text.startswith("179529")]


def wait_lines(process: Process, count: int, deadline_s: float = 40.0) -> list[str]:
    process.wait_until(lambda: len(fires_of(process)) >= count, deadline_s, f"{count} fires")
    return fires_of(process)


def records() -> Iterator[tuple[list[tuple[Any, ...]], bool]]:
    """Transactions and whether each is committed: the fires 1 to 8 are to be seen once each."""
    yield [structured(1), binary(2), structured(3)], True
    yield [structured(101), binary(102)], False
    yield [structured(2), binary(3), structured(1)], True
    yield [("billing", b"\xff no fire", STRUCTURED), ("billing", None),
           ("billing", "{}", [("ce_specversion", b"1.0")]),
           ("billing", b'{"data":' + b"[" * 5000, STRUCTURED)], True
    yield [binary(4), structured(5), structured(5), structured(6)], True
    yield [structured(103)], False
    yield [structured(7), binary(8)], True


def both_examples(kafka: Kafka, cluster: str, program: Path, language: str) -> None:
    topic = f"{cluster}.fires"
    create_topic(kafka.bootstrap, topic)
    for batch, commit in records():
        produce(kafka.bootstrap, topic, batch, transaction=cluster, commit=commit)
    with example(language, program, kafka, topic, cluster) as consumer:
        assert wait_lines(consumer, 8) == [line(number) for number in range(1, 9)]
        assert consumer.stop() == 0, consumer.tail()
        assert len(fires_of(consumer)) == 8
    # What was handled is committed: a second run of the group sees only what is new.
    produce(kafka.bootstrap, topic, [structured(9)], transaction=cluster)
    with example(language, program, kafka, topic, cluster) as consumer:
        assert wait_lines(consumer, 1) == [line(9)], consumer.output()
        assert consumer.stop() == 0, consumer.tail()
        assert fires_of(consumer) == [line(9)]


def test_example_in_c(kafka: Kafka, cluster: str, shared: Path) -> None:
    both_examples(kafka, cluster, shared, "c")


def test_example_in_python(kafka: Kafka, cluster: str, shared: Path) -> None:
    both_examples(kafka, cluster, shared, "python")


def test_examples_take_payloads_that_are_no_text(kafka: Kafka, cluster: str, shared: Path) -> None:
    """A binary fire without a payload, with bytes that are no text, and one without an id."""
    create_topic(kafka.bootstrap, f"{cluster}.fires")
    headers = binary(2)[2]
    produce(kafka.bootstrap, f"{cluster}.fires", [
        ("billing", None, binary(1)[2]), ("billing", b"\xff\xfe\x00", headers),
        ("billing", "{}", [header for header in headers if header[0] != "ce_id"]), binary(3)])
    for language in ("c", "python"):
        group = f"{cluster}-{language}"
        with example(language, shared, kafka, f"{cluster}.fires", group) as consumer:
            ids = [text.split()[0] for text in wait_lines(consumer, 3)]
            assert ids == [attributes(number)["id"] for number in (1, 2, 3)]
            assert consumer.stop() == 0, consumer.tail()


def test_invalid_records_are_named(kafka: Kafka, cluster: str, shared: Path) -> None:
    topic = f"{cluster}.fires"
    create_topic(kafka.bootstrap, topic)
    produce(kafka.bootstrap, topic, [("g", "garbage"), structured(1)], transaction=cluster)
    with example("c", shared, kafka, topic, cluster) as consumer:
        wait_lines(consumer, 1)
        said = [text for text in consumer.output().splitlines() if "event=fire.invalid" in text]
        assert len(said) == 1 and f"topic={topic} partition=0 offset=0" in said[0], said
        consumer.stop()


def test_topic_may_come_later(kafka: Kafka, cluster: str, shared: Path) -> None:
    """A consumer started before its topic exists is no error."""
    topic = f"{cluster}.fires"
    with example("c", shared, kafka, topic, cluster) as consumer:
        consumer.wait_until(lambda: "UNKNOWN_TOPIC" in consumer.output(), 60, "misses its topic")
        create_topic(kafka.bootstrap, topic)
        produce(kafka.bootstrap, topic, [structured(1)], transaction=cluster)
        # The client looks for topics again every topic.metadata.refresh.interval.ms at the latest,
        # and soon after it missed one.
        assert wait_lines(consumer, 1, deadline_s=100) == [line(1)]
        assert consumer.stop() == 0


def test_end_without_a_broker(kafka: Kafka, cluster: str, shared: Path) -> None:
    """A broker that has gone holds nobody up: the drain is bounded."""
    topic = f"{cluster}.fires"
    with Kafka() as own:
        create_topic(own.bootstrap, topic)
        produce(own.bootstrap, topic, [structured(1)], transaction=cluster)
        with example("c", shared, own, topic, cluster) as consumer:
            wait_lines(consumer, 1)
            own.kill9()
            assert consumer.stop() in (0, 1), consumer.tail()


def test_offsets_are_committed_while_running(kafka: Kafka, cluster: str, shared: Path) -> None:
    """A crash repeats about a second of work, not all since the start."""
    topic = f"{cluster}.fires"
    create_topic(kafka.bootstrap, topic)
    places = produce(kafka.bootstrap, topic, [structured(1), binary(2)], transaction=cluster)
    reader = Consumer(client_options(kafka.bootstrap, group_id=cluster))
    with example("c", shared, kafka, topic, cluster) as consumer:
        wait_lines(consumer, 2)
        wait_for(lambda: reader.committed([TopicPartition(topic, 0)], timeout=10)[0].offset
                 == places[-1][1] + 1, 60, "the offset after the last fire is committed")
        consumer.kill9()
    reader.close()
