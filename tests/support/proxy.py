"""Proxies for Kafka and Redis that know where a request begins, which one it is, and which answer
is its own: they delay, drop, double and cut by kind and direction.

    with KafkaProxy(kafka) as proxy, RedisProxy(redis) as store:
        daemon = Belfryd(proxy.bootstrap, store.url).start()
        rule = proxy.add(Rule("EndTxn", "answer", "cut", times=1))
        ...
        assert rule.struck == 1     # it did happen

What a rule does to a request, and to an answer:
  delay   it waits `seconds`, and all behind it in its direction of its connection
  drop    it is swallowed; the connection stays
  double  the request comes twice, and of its two answers only the first goes back; or an answer
          comes twice
  cut     the connection is closed in its place: the request has not arrived, or it has and the
          answer has not
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import struct
import threading
from typing import Any, Callable, Coroutine

from processes import free_port
from servers import Kafka, Redis

# The requests of Kafka that Belfry and the tests send, by their numbers in the protocol.
KINDS = {0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit",
         9: "OffsetFetch", 10: "FindCoordinator", 11: "JoinGroup", 12: "Heartbeat",
         13: "LeaveGroup", 14: "SyncGroup", 15: "DescribeGroups", 17: "SaslHandshake",
         18: "ApiVersions", 19: "CreateTopics", 20: "DeleteTopics", 22: "InitProducerId",
         24: "AddPartitionsToTxn", 25: "AddOffsetsToTxn", 26: "EndTxn", 28: "TxnOffsetCommit",
         32: "DescribeConfigs", 36: "SaslAuthenticate", 44: "IncrementalAlterConfigs"}
ACTIONS = ("delay", "drop", "double", "cut")
REQUEST, ANSWER = "request", "answer"


@dataclasses.dataclass
class Rule:
    """What is to happen to the frames of one kind; `times` of them, or all for ever (None)."""

    kind: str                       # a name of KINDS, a Redis command, or "*"
    direction: str                  # "request" or "answer"
    action: str                     # one of ACTIONS
    times: int | None = 1
    after: int = 0                  # so many pass first
    seconds: float = 0.0            # of a delay
    when: Callable[[bytes], bool] = lambda _frame: True  # asked about the frame's bytes
    seen: int = 0                   # frames that fit
    struck: int = 0                 # ... and to which it was done

    def __post_init__(self) -> None:
        assert self.direction in (REQUEST, ANSWER) and self.action in ACTIONS, self

    def strikes(self, kind: str, direction: str, frame: bytes) -> bool:
        """Whether it is to be done to this frame; counts."""
        if direction != self.direction or self.kind not in ("*", kind) or not self.when(frame):
            return False
        self.seen += 1
        if self.seen <= self.after or self.times is not None and self.struck >= self.times:
            return False
        self.struck += 1
        return True


class Cut(Exception):
    """The connection is to be closed here."""


@dataclasses.dataclass
class Sent:
    """A request whose answer has not come yet."""

    kind: str
    swallow: bool = False  # the answer to a doubled request


class _Connection:
    """One client and its connection to the server."""

    def __init__(self, proxy: "Proxy"):
        self.proxy = proxy
        self.pending: collections.deque[Sent] = collections.deque()

    async def serve(self, client: Any, back: Any, port: int) -> None:
        try:
            server, forth = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            back.close()
            return
        ways = [asyncio.create_task(self.carry_requests(client, forth)),
                asyncio.create_task(self.carry_answers(server, back))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (forth, back):
                end.close()
            await asyncio.gather(*ways, return_exceptions=True)

    async def carry_requests(self, client: Any, forth: Any) -> None:
        while True:
            kind, frame = await self.proxy.read_request(client)
            answered = self.proxy.is_answered(kind, frame)
            copies = await self.copies(kind, REQUEST, frame)
            for copy in range(copies):
                if answered:
                    self.pending.append(Sent(kind, swallow=copy > 0))
                forth.write(frame)
            await forth.drain()

    async def carry_answers(self, server: Any, back: Any) -> None:
        while True:
            frame = await self.proxy.read_answer(server)
            sent = self.pending.popleft() if self.pending else Sent("?")
            if sent.swallow:
                continue
            for _ in range(await self.copies(sent.kind, ANSWER, frame)):
                back.write(frame)
            await back.drain()

    async def copies(self, kind: str, direction: str, frame: bytes) -> int:
        """How often the frame is to be passed on, after what is to happen first."""
        for rule in self.proxy.struck_by(kind, direction, frame):
            if rule.action == "delay":
                await asyncio.sleep(rule.seconds)
            elif rule.action == "cut":
                raise Cut
            else:
                return {"drop": 0, "double": 2}[rule.action]
        return 1


class Proxy:
    """What both have in common: a thread with the connections, and the rules."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.counts: collections.Counter[tuple[str, str]] = collections.Counter()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._tasks: set[Any] = set()
        self._servers: list[Any] = []

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """From now on nothing happens."""
        with self._lock:
            self.rules.clear()

    def struck_by(self, kind: str, direction: str, frame: bytes) -> list[Rule]:
        with self._lock:
            self.counts[kind, direction] += 1
            return [rule for rule in self.rules if rule.strikes(kind, direction, frame)]

    def cut_all(self) -> None:
        """Closes every connection that there is now."""
        self._do(self._cancel())

    def close(self) -> None:
        if self._thread.is_alive():
            self._do(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    # ---- what differs ----

    async def read_request(self, client: Any) -> tuple[str, bytes]:
        raise NotImplementedError

    async def read_answer(self, server: Any) -> bytes:
        raise NotImplementedError

    def is_answered(self, kind: str, frame: bytes) -> bool:
        raise NotImplementedError

    # ---- the thread ----

    def _listen(self, port: int, target: int) -> None:
        async def connected(client: Any, back: Any) -> None:
            task = asyncio.current_task()
            self._tasks.add(task)
            try:
                await _Connection(self).serve(client, back, target)
            except asyncio.CancelledError:
                pass
            finally:
                self._tasks.discard(task)

        async def listen() -> None:
            self._servers.append(
                await asyncio.start_server(connected, "127.0.0.1", port, limit=2**26))

        if not self._thread.is_alive():
            self._thread.start()
        self._do(listen())

    async def _cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        await self._cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class KafkaProxy(Proxy):
    """In front of all brokers of a Kafka; whoever begins at `bootstrap` stays on this side."""

    def __init__(self, kafka: Kafka):
        super().__init__()
        self.kafka = kafka

    def __enter__(self) -> "KafkaProxy":
        for broker in self.kafka.brokers:
            self._listen(broker.proxy_port, broker.inner_port)
        return self

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{broker.proxy_port}" for broker in self.kafka.brokers)

    async def read_request(self, client: Any) -> tuple[str, bytes]:
        frame = await _sized(client)
        number, = struct.unpack_from(">h", frame, 4)
        return KINDS.get(number, f"request {number}"), frame

    async def read_answer(self, server: Any) -> bytes:
        return await _sized(server)

    def is_answered(self, kind: str, frame: bytes) -> bool:
        """All but a Produce with acks=0, which nobody sends here."""
        return True


async def _sized(stream: Any) -> bytes:
    """A frame of Kafka, with its length in front."""
    head = await stream.readexactly(4)
    length, = struct.unpack(">i", head)
    return bytes(head + await stream.readexactly(length))


class RedisProxy(Proxy):
    """In front of a Redis. The kind of a request is its command in capitals; a frame is the bytes
    of the command as they came, so that `when` can look for a key or a script in them."""

    def __init__(self, redis: Redis):
        super().__init__()
        self.redis = redis
        self.port = free_port()

    def __enter__(self) -> "RedisProxy":
        self._listen(self.port, self.redis.port)
        return self

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def read_request(self, client: Any) -> tuple[str, bytes]:
        frame = await _resp(client)
        assert frame[:1] == b"*", frame[:40]
        return frame.split(b"\r\n", 3)[2].decode().upper(), frame

    async def read_answer(self, server: Any) -> bytes:
        return await _resp(server)

    def is_answered(self, kind: str, frame: bytes) -> bool:
        return True


async def _resp(stream: Any) -> bytes:
    """One value of RESP 2 or 3, with all that is in it."""
    line = await stream.readuntil(b"\r\n")
    parts = [line]
    if line[:1] in b"$=!" and int(line[1:]) >= 0:
        parts.append(await stream.readexactly(int(line[1:]) + 2))
    elif line[:1] in b"*~>%":
        for _ in range(max(0, int(line[1:])) * (2 if line[:1] == b"%" else 1)):
            parts.append(await _resp(stream))
    return b"".join(parts)
