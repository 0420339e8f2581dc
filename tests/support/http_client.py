"""Asks a belfryd over HTTP, as a well-meaning client and as a hostile one."""

from __future__ import annotations

import http.client
import random
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, NamedTuple

from processes import PATIENCE
from programs import Belfryd

LIMIT_S = 60.0


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


class Asker:
    """Python's own client at the address a belfryd tells in its log."""

    def __init__(self, daemon: Belfryd, deadline_s: float = 60.0):
        self.address = daemon.wait_event("http.listening", deadline_s)[0]["address"]

    @property
    def place(self) -> tuple[str, int]:
        host, port = self.address.rsplit(":", 1)
        return host, int(port)

    def connect(self) -> socket.socket:
        """A connection to the listener, for what no client would send."""
        if self.address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(LIMIT_S * PATIENCE)
            path = self.address[len("unix:"):]
            connection.connect(path if path[0] == "/" else "\0" + path[1:])
            return connection
        return socket.create_connection(self.place, LIMIT_S * PATIENCE)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request on a connection of its own; accept_encoding="x" is Accept-Encoding: x."""
        client = http.client.HTTPConnection("localhost", timeout=LIMIT_S * PATIENCE)
        client.sock = self.connect()
        try:
            client.request(method, path, headers={name.replace("_", "-"): value
                                                  for name, value in headers.items()})
            answer = client.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in
                                          answer.getheaders()}, answer.read().decode())
        finally:
            client.close()

    def send(self, request: bytes, ends: bool = False) -> tuple[list[int], bool]:
        """Sends bytes as they are, and reads until the other side closes: the statuses of what
        came, and whether it closed. ends: no more comes from us."""
        with self.connect() as connection:
            got = b""
            try:
                connection.sendall(request)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
                while True:
                    more = connection.recv(65536)
                    if not more:
                        return statuses(got), True
                    got += more
            except TimeoutError:
                return statuses(got), False
            except OSError:  # reset: it closed before it had read all
                return statuses(got), True


def statuses(got: bytes) -> list[int]:
    """Of the answers in what a server sent."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


# --- hostile requests -------------------------------------------------------------------------

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT", b"get",
           b"G\0ET", b"", b"GET GET", b"\xff\xfe", b"A" * 300)
TARGETS = (b"/livez", b"/readyz?verbose", b"/metrics", b"/version", b"/configz", b"/", b"*",
           b"http://evil/livez", b"//evil/livez", b"/../../etc/passwd", b"/%2e%2e/livez",
           b"/livez%00", b"/livez\0x", b"/livez#x", b"/livez?" + b"a=b&" * 200, b"livez", b"",
           b"/\xff\xfe", b"/" + b"x" * 3000, b"/livez?verbose&verbose=1&=&&", b"/a b c")
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/9", b"http/1.1",
            b"", b"HTTP/1.1 x", b"HTTP/99999999999999999999.1")
HEADERS = (b"Host: localhost", b"Host: evil", b"Host:", b"Host : localhost", b"Host: a\0b",
           b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: 99999999999999999999",
           b"Content-Length: -1", b"Content-Length: 5, 5", b"Content-Length : 5",
           b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
           b"Transfer-Encoding:\x0bchunked", b"Expect: 100-continue", b"Connection: close",
           b"Connection: keep-alive, Upgrade", b"Upgrade: h2c", b"X: " + b"y" * 2000,
           b" folded: line", b"\tfolded", b": no name", b"no colon", b"X\0y: z", b"X: \x01\x7f",
           b"X:\rY: z", b"Authorization: Bearer x", b"Authorization: Basic eDp5",
           b"Accept: application/openmetrics-text", b"Accept: " + b"*/*, " * 300,
           b"Range: bytes=0-1,1-2", b"Cookie: " + b"a=b; " * 100, b"\xe9\xff: \xff")
BODIES = (b"", b"", b"hello", b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\n",
          b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0" * 500, b"x" * 20000)
ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\n\r")


def _whole(dice: random.Random) -> bytes:
    end = dice.choice(ENDS)
    headers = [dice.choice(HEADERS) for _ in range(dice.choice((0, 1, 2, 3, 5, 12, 60)))]
    if dice.random() < 0.6:
        headers.insert(0, b"Host: localhost")
    line = b" ".join((dice.choice(METHODS) if dice.random() < 0.5 else b"GET",
                      dice.choice(TARGETS), dice.choice(VERSIONS) if dice.random() < 0.4
                      else b"HTTP/1.1"))
    return end.join([line, *headers, b"", dice.choice(BODIES)])


def _changed(request: bytes, dice: random.Random) -> bytes:
    bytes_ = bytearray(request)
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(bytes_) + 1)
        what = dice.randrange(4)
        if what == 0 and at < len(bytes_):
            bytes_[at] = dice.randrange(256)
        elif what == 1:
            bytes_[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 20)))
        elif what == 2:
            del bytes_[at:at + dice.randint(1, 30)]
        else:
            bytes_[at:at] = bytes_[:dice.randint(0, 60)]
    return bytes(bytes_)


def hostile(count: int, seed: int) -> Iterator[bytes]:
    """Requests that no client would send, the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        request = _whole(dice)
        if dice.random() < 0.3:
            request += _whole(dice)
        if dice.random() < 0.4:
            request = _changed(request, dice)
        if dice.random() < 0.1:
            request = request[:dice.randrange(len(request) + 1)]
        yield request


def send_hostile(asker: Asker, requests: Iterator[bytes]) -> int:
    """Sends each on a connection of its own, and nothing more; how many answers came."""
    def answers_to(request: bytes) -> int:
        return len(asker.send(request, ends=True)[0])

    with ThreadPoolExecutor(8) as senders:
        return sum(senders.map(answers_to, requests))
