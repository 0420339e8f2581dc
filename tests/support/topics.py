"""Topics as a foreign client sees them, for the test harness: produce, read, command and result."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any, Callable, Iterable, Sequence

import confluent_kafka
import confluent_kafka.admin
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from processes import DeadlineExceeded, wait_for

# What no waiting will mend; everything else a consumer reports passes or meets the deadline.
_HOPELESS = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE,
             KafkaError.TOPIC_AUTHORIZATION_FAILED}

# What a broker that has just started, one that has just gone, or a topic that has just been made is
# the reason of.
_PASSING = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError._DESTROY_BROKER,
            KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError.LEADER_NOT_AVAILABLE,
            KafkaError.OFFSET_NOT_AVAILABLE, KafkaError._UNKNOWN_PARTITION,
            KafkaError.UNKNOWN_TOPIC_OR_PART}

# A client library that has lost its way among new leaders says nothing for ever: then a new one.
SILENCE_S = 20.0


def client_options(bootstrap: str, **more: object) -> dict[str, object]:
    """Options of a client that keeps quiet and reconnects fast while a broker is away.

    Keyword names are librdkafka's with `_` for `.`.
    """
    return {"bootstrap.servers": bootstrap, "log_level": 0, "error_cb": lambda _error: None,
            "reconnect.backoff.max.ms": 500, "allow.auto.create.topics": False,
            **{name.replace("_", "."): value for name, value in more.items()}}


# --- where a key goes -------------------------------------------------------------------------


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, unsigned; written from its definition, shared with no other code."""
    multiply, mask = 0x5BD1E995, 0xFFFFFFFF
    value = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start:start + 4], "little") * multiply & mask
        word = (word ^ word >> 24) * multiply & mask
        value = (value * multiply & mask) ^ word
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * multiply & mask
    value = (value ^ value >> 13) * multiply & mask
    return value ^ value >> 15


def shard_of(group: str, shards: int) -> int:
    """The shard a group lives on: Java's default partitioner."""
    return (murmur2(group.encode()) & 0x7FFFFFFF) % shards


# --- topics and records -----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Record:
    """One record as it was read."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def json(self) -> Any:
        """The value, decoded."""
        assert self.value is not None, f"{self.topic}/{self.partition}@{self.offset}: no value"
        return json.loads(self.value)

    def header(self, name: str) -> str | None:
        """The first header of that name as text."""
        return next((value.decode() for key, value in self.headers if key == name), None)


@dataclasses.dataclass(frozen=True)
class Sent:
    """Where a command went; `command_id` is its own or the default one, <partition>/<offset>."""

    command_id: str
    partition: int
    offset: int


def create_topic(bootstrap: str, name: str, partitions: int = 1,
                 config: dict[str, str] | None = None) -> None:
    """Creates a topic and waits until it can be used."""
    admin = confluent_kafka.admin.AdminClient(client_options(bootstrap))
    topic = confluent_kafka.admin.NewTopic(name, partitions, -1, config=config or {})
    admin.create_topics([topic])[name].result(timeout=60)
    wait_for(lambda: partition_count(admin, name) == partitions, 60, f"topic {name} exists")


def partition_count(client: Any, topic: str) -> int:
    """Partitions of a topic as a client's cluster sees it, 0 when it does not exist."""
    try:
        metadata = client.list_topics(topic, timeout=5).topics.get(topic)
    except KafkaException:
        return 0
    usable = metadata is not None and metadata.error is None
    return len(metadata.partitions) if usable else 0


def produce(bootstrap: str, topic: str, records: Iterable[Sequence[Any]],
            partitioner: str = "murmur2_random", transaction: str | None = None,
            commit: bool = True, deadline_s: float = 60.0) -> list[tuple[int, int]]:
    """Produces (key, value[, headers[, partition]]) records; returns (partition, offset) of each.

        partitioner  librdkafka's name; "consistent_random" is CRC32, wrong for Belfry on purpose
        transaction  a transactional.id: all records in one transaction, aborted if not `commit`
    """
    options = client_options(bootstrap, partitioner=partitioner, linger_ms=1)
    if transaction is not None:
        options["transactional.id"] = transaction
    producer = confluent_kafka.Producer(options)
    if transaction is not None:
        producer.init_transactions(deadline_s)
        producer.begin_transaction()
    places = _produce(producer, topic, records, deadline_s)
    if transaction is not None:
        finish = producer.commit_transaction if commit else producer.abort_transaction
        finish(deadline_s)
    return places


def _produce(producer: Any, topic: str, records: Iterable[Sequence[Any]],
             deadline_s: float) -> list[tuple[int, int]]:
    """Produces and waits for all acknowledgements."""
    places: dict[int, tuple[int, int]] = {}
    failures: list[str] = []

    def acknowledged(index: int, error: Any, message: Any) -> None:
        if error is not None:
            failures.append(f"record {index} to {topic}: {error}")
        else:
            places[index] = (message.partition(), message.offset())

    count = 0
    end = time.monotonic() + deadline_s
    for index, (key, value, *rest) in enumerate(records):
        more: dict[str, Any] = {}
        if rest and rest[0] is not None:
            more["headers"] = rest[0]
        if len(rest) > 1 and rest[1] is not None:
            more["partition"] = rest[1]
        report = (lambda i: lambda error, message: acknowledged(i, error, message))(index)
        count += 1
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=report, **more)
                break
            except BufferError:
                producer.poll(0.1)
                if time.monotonic() > end:
                    raise DeadlineExceeded(f"producing to {topic}: queue full") from None
        producer.poll(0)
    left = producer.flush(max(0.0, end - time.monotonic()))
    if left or failures:
        raise DeadlineExceeded(f"producing to {topic}: {left} unacknowledged; {failures[:3]}")
    return [places[index] for index in range(count)]


# --- reading ----------------------------------------------------------------------------------


class TopicReader:
    """Reads all partitions of a topic as a `read_committed` client without a group.

    Waits up to `deadline_s` for the topic to exist. `records` holds everything read so far, in
    the order of each partition.
    """

    def __init__(self, bootstrap: str, topic: str, from_end: bool = False,
                 isolation: str = "read_committed", deadline_s: float = 60.0):
        self.topic = topic
        self.records: list[Record] = []
        self.ends_seen: dict[int, int] = {}
        self.read_up_to: dict[int, int] = {}  # the last offset of each partition
        self.options = client_options(
            bootstrap, group_id="belfry-test-reader", isolation_level=isolation,
            enable_auto_commit=False, enable_partition_eof=True, auto_offset_reset="error",
            fetch_wait_max_ms=50, fetch_error_backoff_ms=10)
        self.consumer = confluent_kafka.Consumer(self.options)
        count = wait_for(lambda: partition_count(self.consumer, topic), deadline_s,
                         f"topic {topic} exists")
        self.partitions = list(range(count))
        self.starts = self.end_offsets() if from_end else {}
        self._assign()

    def __enter__(self) -> "TopicReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.consumer.close()

    def _assign(self) -> None:
        """Begins behind what was read, or where it was to begin."""
        self.heard_s = time.monotonic()
        first = {p: self.starts.get(p, confluent_kafka.OFFSET_BEGINNING) for p in self.partitions}
        first |= {p: offset + 1 for p, offset in self.read_up_to.items()}
        self.consumer.assign([TopicPartition(self.topic, p, at) for p, at in first.items()])

    def end_offsets(self) -> dict[int, int]:
        """The end of each partition for this isolation level (read_committed: last stable)."""

        def ask(partition: int) -> tuple[int, int] | None:
            try:
                return self.consumer.get_watermark_offsets(
                    TopicPartition(self.topic, partition), timeout=10)
            except KafkaException as failure:
                if failure.args[0].code() not in _PASSING:
                    raise
                return None

        return {p: wait_for(lambda: ask(p), 60, f"{self.topic}/{p} has a leader")[1]
                for p in self.partitions}

    def poll(self, wait_s: float = 0.1) -> list[Record]:
        """Reads what is there, waiting up to `wait_s` for a first record; returns the new ones."""
        new = []
        if time.monotonic() - self.heard_s > SILENCE_S:
            self.consumer.close()
            self.consumer = confluent_kafka.Consumer(self.options)
            self._assign()
        for message in self.consumer.consume(10000, timeout=wait_s):
            self.heard_s = time.monotonic()
            error = message.error()
            if error is None:
                # When a partition's leader changes, the client library may go back a little.
                if message.offset() > self.read_up_to.get(message.partition(), -1):
                    self.read_up_to[message.partition()] = message.offset()
                    new.append(_record(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                self.ends_seen[message.partition()] = message.offset()
            elif error.fatal() or error.code() in _HOPELESS:
                raise KafkaException(error)
        self.records += new
        return new

    def read_until(self, done: int | Callable[[list[Record]], Any], deadline_s: float = 60.0
                   ) -> list[Record]:
        """Reads until there are `done` records in all, or done(records) is true; returns them."""
        reached = done if callable(done) else lambda records: len(records) >= done
        end = time.monotonic() + deadline_s
        while not reached(self.records):
            if time.monotonic() > end:
                raise DeadlineExceeded(f"not within {deadline_s:g} s: {done} of {self.topic}; "
                                       f"{len(self.records)} records, the last: "
                                       f"{[r.value for r in self.records[-2:]]}")
            # Short batches: consume() waits its whole time-out for a full batch.
            self.poll(0.02)
        return self.records

    def read_to_end(self, deadline_s: float = 60.0) -> list[Record]:
        """Reads what is committed now; returns all records read so far.

        The last offsets of a partition may be transaction markers, so the end is known by the
        end-of-partition event, not by a record.
        """
        ends = {p: end for p, end in self.end_offsets().items() if end > 0}
        deadline = time.monotonic() + deadline_s
        while any(self.ends_seen.get(p, -1) < end for p, end in ends.items()):
            if time.monotonic() > deadline:
                raise DeadlineExceeded(f"not within {deadline_s:g} s: the end {ends} of "
                                       f"{self.topic}, seen {self.ends_seen}")
            self.poll(0.02)
        return self.records


def _record(message: Any) -> Record:
    return Record(message.topic(), message.partition(), message.offset(), message.timestamp()[1],
                  message.key(), message.value(), tuple(message.headers() or ()))


def read_all(bootstrap: str, topic: str, until: int | Callable[[list[Record]], Any] | None = None,
             deadline_s: float = 60.0, isolation: str = "read_committed") -> list[Record]:
    """Reads a topic from its beginning: to the end as it is now, or until there are `until`
    records, or until(records) is true."""
    with TopicReader(bootstrap, topic, isolation=isolation, deadline_s=deadline_s) as reader:
        if until is None:
            return reader.read_to_end(deadline_s)
        return reader.read_until(until, deadline_s)


def end_offsets(bootstrap: str, topic: str, isolation: str = "read_committed") -> dict[int, int]:
    """The end of each partition."""
    with TopicReader(bootstrap, topic, isolation=isolation) as reader:
        return reader.end_offsets()


# --- commands and their results ---------------------------------------------------------------


class CommandClient:
    """Sends commands to <cluster>.control and collects results, as any foreign client could.

    The topics are waited for on first use. With partitioner="consistent_random" it is the client
    whose partitioner differs from Belfry's.
    """

    def __init__(self, bootstrap: str, cluster: str = "belfry",
                 partitioner: str = "murmur2_random"):
        self.bootstrap = bootstrap
        self.cluster = cluster
        self.producer = confluent_kafka.Producer(
            client_options(bootstrap, partitioner=partitioner, linger_ms=1))
        self.by_command: dict[str, list[dict[str, Any]]] = {}
        self._reader: TopicReader | None = None

    def __enter__(self) -> "CommandClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    @property
    def reader(self) -> TopicReader:
        """The reader of the results topic, from its beginning."""
        if self._reader is None:
            self._reader = TopicReader(self.bootstrap, f"{self.cluster}.results")
        return self._reader

    def send(self, command: dict[str, Any] | str | bytes, key: str | None = None,
             partition: int | None = None, headers: dict[str, str] | None = None) -> Sent:
        """Sends one command and waits for the broker's acknowledgement."""
        return self.send_all([command], key, partition, headers)[0]

    def send_all(self, commands: Iterable[dict[str, Any] | str | bytes], key: str | None = None,
                 partition: int | None = None, headers: dict[str, str] | None = None,
                 deadline_s: float = 60.0) -> list[Sent]:
        """Sends many at once. Without `key`, the group a command names first is its key."""
        commands = list(commands)
        topic = f"{self.cluster}.control"
        wait_for(lambda: partition_count(self.producer, topic), deadline_s, f"topic {topic} exists")
        pairs = list(headers.items()) if headers else None
        records = [(key if key is not None else _group_of(command), _encode(command), pairs,
                    partition) for command in commands]
        places = _produce(self.producer, topic, records, deadline_s)
        return [Sent(_command_id(command, headers) or f"{place[0]}/{place[1]}", *place)
                for command, place in zip(commands, places)]

    def poll(self, wait_s: float = 0.0) -> None:
        """Reads the results that are there into `by_command`."""
        for record in self.reader.poll(wait_s):
            result = record.json
            self.by_command.setdefault(result.get("command_id"), []).append(result)

    def results(self, command: Sent | str, deadline_s: float = 60.0) -> list[dict[str, Any]]:
        """The results of a command, one of each shard that applies it, in the order of shards."""
        command_id = command.command_id if isinstance(command, Sent) else command

        def complete() -> bool:
            self.poll(0.02)
            found = self.by_command.get(command_id, [])
            return bool(found) and len({r.get("shard") for r in found}) >= found[0].get("shards", 1)

        wait_for(complete, deadline_s, f"results of command {command_id}, "
                 f"so far {self.by_command.get(command_id)}", every_s=0.0)
        return sorted(self.by_command[command_id], key=lambda result: result.get("shard", 0))

    def call(self, command: dict[str, Any] | str | bytes, outcome: str | None = None,
             deadline_s: float = 60.0, **send: Any) -> list[dict[str, Any]]:
        """Sends a command and waits for its results; with `outcome`, all must have that one."""
        results = self.results(self.send(command, **send), deadline_s)
        assert outcome is None or all(r["outcome"] == outcome for r in results), (
            f"{command!r}: wanted {outcome}, got {results}")
        return results


def _encode(command: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(command, dict):
        command = json.dumps(command)
    return command.encode() if isinstance(command, str) else command


def _group_of(command: dict[str, Any] | str | bytes) -> str | None:
    """The key a well-behaved client gives a command: the first group in it."""
    if not isinstance(command, dict):
        return None
    jobs = command.get("jobs") or [command.get("job") or {}]
    groups = (command.get("select") or {}).get("groups") or [None]
    return jobs[0].get("group") or groups[0]


def _command_id(command: dict[str, Any] | str | bytes, headers: dict[str, str] | None
                ) -> str | None:
    if isinstance(command, dict) and command.get("command_id"):
        return str(command["command_id"])
    return (headers or {}).get("ce_id")
