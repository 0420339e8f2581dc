"""The HTTP listener of belfryd: its pages, what it refuses, and health while Kafka is away."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time
from pathlib import Path
from typing import Iterator

from harness import (Belfryd, CommandClient, Kafka, Redis, WATCHED, run, wait_for)
from http_client import Answer, Asker, hostile, send_hostile

NOBODY = "127.0.0.1:1"  # no Kafka listens there
PICKED = "127.0.0.1:0"
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
OPEN = ("/livez", "/readyz")
PAGES = (*OPEN, "/metrics", "/version", "/configz")


def alone(redis: Redis, cluster: str, listen: str = PICKED, **more: object) -> Belfryd:
    """A daemon that waits for Kafka: its listener is there all the same."""
    return Belfryd(NOBODY, redis, cluster, args=("--http", listen), **more)  # type: ignore


# --- pages ------------------------------------------------------------------------------------


def test_each_page_answers(kafka: Kafka, redis: Redis, cluster: str, tmp: Path) -> None:
    password = tmp / "password"
    password.write_text("not-for-the-page\n")
    password.chmod(0o600)
    config = tmp / "belfryd.conf"
    config.write_text(f"[belfry]\nmark.interval = 7m\n[kafka]\nsasl.password_file = {password}\n")
    with Belfryd(kafka, redis, cluster, args=("--http", PICKED, "--config", config)) as daemon:
        daemon.wait_live()
        asker = Asker(daemon)
        alive = asker.ask("/livez")
        assert (alive.status, alive.body) == (200, "ok\n")
        wait_for(lambda: asker.ask("/readyz").status == 200, 60, "it is ready")
        lines = asker.ask("/readyz?verbose").body.splitlines()
        assert lines[:2] == ["ok", "ok group: has answered"] and len(lines) == 2 + 4, lines
        assert all(line.startswith(f"ok shard {number}: live, ")
                   for number, line in enumerate(lines[2:])), lines
        lines = asker.ask("/livez?verbose").body.splitlines()
        assert [line.split(":")[0] for line in lines] == [
            "ok", "ok watchman", "ok daemon", "ok redis writer",
            *(f"ok shard {number}" for number in range(4))], lines
        version = json.loads(asker.ask("/version").body)
        said = run("belfryd", "--version").stdout.split()[1]
        owner = daemon.events("daemon.ready")[0]["owner"]
        assert (version["version"], version["cluster"], version["owner"]) == (said, cluster, owner)
        assert set(version["libraries"]) == {"librdkafka", "hiredis", "jansson", "libmicrohttpd"}
        assert all(text[0].isdigit() for text in version["libraries"].values()), version
        assert version["tz"], version
        shown = asker.ask("/configz").body
        assert f"mark.interval = 7m                           ; {config}:2" in shown, shown
        assert f"listen = {PICKED}                         ; --http" in shown, shown
        assert f"sasl.password_file = {password}" in shown and "not-for-the-page" not in shown
        for page in PAGES:
            body, head = asker.ask(page), asker.ask(page, method="HEAD")
            assert (body.status, head.status, head.body) == (200, 200, ""), page
            assert head.headers["content-type"] == body.headers["content-type"], page
            assert body.headers["cache-control"] == "no-store", page
        daemon.terminate()
    with_nobody = socket.socket()
    with_nobody.settimeout(5)
    assert with_nobody.connect_ex(asker.place) != 0, "it listens although the daemon has ended"


def test_a_unix_socket_is_for_the_user_and_its_group(redis: Redis, cluster: str, tmp: Path) -> None:
    path = tmp / "http"
    with alone(redis, cluster, f"unix:{path}") as daemon:
        asker = Asker(daemon)
        assert asker.address == f"unix:{path}"
        assert asker.ask("/livez").status == 200
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        second = alone(redis, cluster, str(path)).start()
        assert second.wait_exit() == 1
        assert "Address already in use" in second.events("daemon.failed")[0]["message"]
        assert asker.ask("/livez").status == 200
        daemon.kill9()
        daemon.start()  # a socket left behind is in nobody's way
        assert Asker(daemon).ask("/livez").status == 200
        daemon.terminate()
    assert not path.exists()
    with alone(redis, cluster, f"unix:@{cluster}") as daemon:  # no file: nothing is left of it
        asker = Asker(daemon)
        assert asker.address == f"unix:@{cluster}" and asker.ask("/livez").status == 200
        daemon.kill9()
        daemon.start()
        assert Asker(daemon).ask("/livez").status == 200


def test_a_crash_of_the_listener_is_heard_where_it_happens(redis: Redis, cluster: str) -> None:
    """Its last lines are written where the signal of the crash arrives: it is not held up."""
    with alone(redis, cluster) as daemon:
        Asker(daemon)
        threads = [(task / "comm").read_text().strip() + (task / "status").read_text()
                   for task in Path(f"/proc/{daemon.pid}/task").iterdir()]
        held, = (int(text.split("SigBlk:")[1].split()[0], 16) for text in threads
                 if text.startswith("http"))
        for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL):
            assert not held >> (number - 1) & 1, number
        assert held >> (signal.SIGTERM - 1) & 1, "it belongs to the thread of signals"


def test_an_address_that_is_taken_is_said(redis: Redis, cluster: str) -> None:
    with alone(redis, cluster) as daemon:
        taken = Asker(daemon).address
        second = alone(redis, cluster, taken, name="second").start()
        assert second.wait_exit() == 1
        said = second.events("daemon.failed")[0]["message"]
        assert f"[http] listen {taken}: Address already in use" == said


# --- who may read -----------------------------------------------------------------------------


def test_other_machines_need_a_token(redis: Redis, cluster: str, tmp: Path) -> None:
    for listen in ("0.0.0.0:0", "[::]:0", f"{socket.gethostname()}:0"):
        for flag in ((), ("--check-config",)):
            refused = run("belfryd", "--http", listen, *flag, expect=2)
            assert f"other machines can reach {listen}: set token_file" in refused.stderr
    token = tmp / "token"
    token.write_text("s3cret-token\n")
    token.chmod(0o600)
    config = tmp / "belfryd.conf"
    config.write_text(f"[http]\ntoken_file = {token}\nhosts = localhost, belfry.example\n")
    with alone(redis, cluster, "0.0.0.0:0",
               env={"BELFRY_CONFIG": str(config)}) as daemon:
        asker = Asker(daemon)
        for page in (*PAGES, "/nothing"):
            status = asker.ask(page).status
            assert status == (401 if page not in OPEN else 200 if page == "/livez" else 503), page
        refused = asker.ask("/version")
        assert refused.headers["www-authenticate"] == 'Bearer realm="belfryd"'
        for wrong in ("Bearer s3cret-toke", "Bearer s3cret-token2", "Bearer S3cret-token",
                      "Basic s3cret-token", "s3cret-token", "Bearer", "Bearer "):
            assert asker.ask("/version", authorization=wrong).status == 401, wrong
        for right in ("Bearer s3cret-token", "bearer s3cret-token"):
            assert asker.ask("/version", authorization=right).status == 200, right
            assert asker.ask("/nothing", authorization=right).status == 404
        assert "s3cret-token" not in asker.ask("/configz", authorization=right).body
        assert asker.ask("/livez", host="belfry.example:8411").status == 200
        assert asker.ask("/livez", host="127.0.0.1").status == 421
        assert "s3cret-token" not in daemon.output()


# --- what is refused --------------------------------------------------------------------------

REFUSED: tuple[tuple[str, bytes, int], ...] = (
    ("Content-Length and Transfer-Encoding",
     GET + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("Transfer-Encoding and Content-Length",
     GET + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400),
    ("two lengths", GET + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    ("twice the same length", GET + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400),
    ("a list of lengths", GET + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    ("a negative length", GET + b"Content-Length: -1\r\n\r\n", 400),
    ("a length with a sign", GET + b"Content-Length: +0\r\n\r\n", 400),
    ("two encodings",
     GET + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
    ("an absolute target", b"GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("an authority", b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("an asterisk", b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ("a space before the colon", GET + b"Content-Length : 0\r\n\r\n", 400),
    ("a space before the colon of Host", b"GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    ("a tab before the colon", GET + b"X\t: y\r\n\r\n", 400),
    ("a folded first header", b"GET /livez HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n", 400),
    ("a header without a colon", GET + b"no colon\r\n\r\n", 400),
    ("a name with a NUL", GET + b"X\0Y: z\r\n\r\n", 400),
    ("a carriage return in a value", GET + b"X: y\rZ: z\r\n\r\n", 400),
    ("a control character in a value", GET + b"X: \x01\r\n\r\n", 400),
    ("no Host", b"GET /livez HTTP/1.1\r\n\r\n", 400),
    ("no Host in HTTP/1.0", b"GET /livez HTTP/1.0\r\n\r\n", 400),
    ("two Hosts", GET + b"Host: localhost\r\n\r\n", 400),
    ("two Authorizations", GET + b"Authorization: a\r\nAuthorization: b\r\n\r\n", 400),
    ("another Host", b"GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    ("a Host that begins well", b"GET /livez HTTP/1.1\r\nHost: localhost.evil\r\n\r\n", 421),
    ("a body with a length", GET + b"Content-Length: 5\r\n\r\nhello", 413),
    ("a body in chunks", GET + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
    ("a body that is waited with", GET + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", 413),
    ("a huge body", GET + b"Content-Length: 1048577\r\n\r\n", 413),
    ("a length beyond all numbers", GET + b"Content-Length: 99999999999999999999999\r\n\r\n", 413),
    ("headers beyond 16 KiB", GET + b"X: " + b"y" * 17000 + b"\r\n\r\n", 431),
    ("many headers beyond 16 KiB", GET + b"X: yyyyyyyy\r\n" * 1400 + b"\r\n", 431),
    ("a target beyond 2 KiB",
     b"GET /" + b"x" * 3000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    ("a target beyond 16 KiB", b"GET /" + b"x" * 17000 + b" HTTP/1.1\r\n\r\n", 414),
    ("HTTP/2", b"GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
    ("a word that is no HTTP", b"GET /livez FOO/1.1\r\nHost: localhost\r\n\r\n", 400),
    *((f"method {method}",
       f"{method} /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), 405)
      for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "GETX")),
)


def test_what_two_could_read_in_two_ways_is_refused_and_closed(redis: Redis, cluster: str) -> None:
    with alone(redis, cluster) as daemon:
        asker = Asker(daemon)
        for what, request, status in REFUSED:
            got, closed = asker.send(request)
            # The library of Debian 12 may say its own refusals twice before it closes.
            assert set(got) == {status} and closed, f"{what}: {got}, closed: {closed}"
        assert asker.ask("/livez", method="POST").headers["allow"] == "GET, HEAD"
        for path in ("/", "/livez/", "/LIVEZ", "/%6civez", "/livez%00", "//livez", "/../livez"):
            assert asker.ask(path).status == 404, path
        assert asker.send(GET + b"Content-Length: 0\r\nConnection: close\r\n\r\n") == ([200], True)
        two = GET + b"\r\n" + GET + b"Connection: close\r\n\r\n"
        assert asker.send(two) == ([200, 200], True), "one connection, two requests"
        smuggled = GET + b"Content-Length: 41\r\n\r\n" + GET + b"\r\n"
        assert asker.send(smuggled) == ([413], True), "what follows a refused body is not read"
        assert not daemon.events("daemon.failed")


# What libmicrohttpd 0.9.75 reads without showing it; later versions may refuse it.
HIDDEN = (
    ("a NUL in a value", GET + b"X: y\0z\r\nConnection: close\r\n\r\n", [200]),
    ("a NUL in the target",
     b"GET /livez\0x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", [200]),
    ("a folded header", GET + b"X: y\r\n z\r\nConnection: close\r\n\r\n", [200]),
    ("bare line feeds", b"GET /livez HTTP/1.1\nHost: localhost\nConnection: close\n\n", [200]),
    ("two blanks", b"GET  /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", [200]),
    ("an empty name", GET + b": x\r\n" + GET + b"Connection: close\r\n\r\n", [200, 200]),
)


def test_what_the_library_hides_is_as_the_page_says(redis: Redis, cluster: str) -> None:
    with alone(redis, cluster) as daemon:
        asker = Asker(daemon)
        version = json.loads(asker.ask("/version").body)["libraries"]["libmicrohttpd"]
        for what, request, by_0_9_75 in HIDDEN:
            got, closed = asker.send(request)
            assert closed, what
            if version == "0.9.75":
                assert got == by_0_9_75, (what, got)
            elif version >= "1.0.1":
                assert got in ([400], []), (what, got)
            assert asker.ask("/livez").status == 200, what


def read_all(connection: socket.socket) -> bytes:
    got = b""
    while more := connection.recv(65536):
        got += more
    return got


def test_the_slow_and_the_many_do_not_keep_others_out(redis: Redis, cluster: str) -> None:
    """64 connections that send a byte now and then are gone after 10 s, and others get in."""
    with alone(redis, cluster) as daemon:
        asker = Asker(daemon)
        slow = [asker.connect() for _ in range(64)]
        began = time.monotonic()
        waiting = asker.connect()
        waiting.sendall(GET + b"Connection: close\r\n\r\n")
        waiting.settimeout(1)
        for byte in (GET[at:at + 1] for at in range(3)):
            for connection in slow:
                connection.sendall(byte)
            try:
                assert waiting.recv(1) == b"", "a 65th connection was served"
                raise AssertionError("a 65th connection was closed")
            except TimeoutError:
                pass
        waiting.settimeout(30)
        assert read_all(waiting).startswith(b"HTTP/1.1 200 ")
        assert 9 < time.monotonic() - began < 20, "not cut after 10 s"
        for connection in slow:
            connection.settimeout(10)
            try:
                assert connection.recv(1) == b""
            except ConnectionError:
                pass
            connection.close()
        assert asker.ask("/livez").status == 200


def test_hostile_requests_leave_nothing_behind(redis: Redis, cluster: str) -> None:
    """A short form of tests/trust/test_http_hostile.py."""
    with alone(redis, cluster) as daemon:
        asker = Asker(daemon)
        send_hostile(asker, hostile(1000, 1))
        before_kib = daemon.resident_kib()
        answers = send_hostile(asker, hostile(2000, 2))
        assert answers > 1000, answers
        grown_kib = daemon.resident_kib() - before_kib
        assert WATCHED or grown_kib < 1024, f"{grown_kib} KiB more"
        assert asker.ask("/livez").status == 200
        assert len(os.listdir(f"/proc/{daemon.pid}/fd")) < 64, "descriptors are left open"


# --- health -----------------------------------------------------------------------------------


def test_an_outage_of_kafka_makes_unready_and_not_dead(redis: Redis, cluster: str) -> None:
    env = {"BELFRY_HEALTH_SOCKET": f"@{cluster}"}
    with Kafka() as kafka, Belfryd(kafka, redis, cluster, args=("--http", PICKED),
                                   env=env) as daemon:
        daemon.wait_live()
        asker = Asker(daemon)
        with CommandClient(kafka.bootstrap, cluster) as client:
            client.call({"op": "add", "job": {"group": "g", "id": "j",
                                              "schedule": {"every": "1s"}}}, outcome="applied")
        wait_for(lambda: asker.ask("/readyz").status == 200, 60, "ready")
        for process in kafka.processes:
            process.sigstop()

        def unready() -> Answer | None:
            alive = asker.ask("/livez?verbose")
            assert alive.status == 200, alive.body
            found = asker.ask("/readyz")
            return found if found.status == 503 else None

        found = wait_for(unready, 60, "not ready while Kafka is away", every_s=0.2)
        assert found.body.startswith("bad\nbad shard "), found
        assert found.headers["content-type"].startswith("text/plain")
        run("belfryd", "--healthcheck", env=env, expect=0)
        run("belfryd", "--readycheck", env=env, expect=1)
        for process in kafka.processes:
            process.sigcont()
        wait_for(lambda: asker.ask("/readyz").status == 200, 90, "ready again", every_s=0.2)
        daemon.terminate(deadline_s=30)


def notes(socket_: socket.socket, for_s: float) -> Iterator[tuple[float, str]]:
    """What comes within that time, with when it came."""
    began = time.monotonic()
    while (left := began + for_s - time.monotonic()) > 0:
        socket_.settimeout(left)
        try:
            yield time.monotonic() - began, socket_.recv(4096).decode()
        except TimeoutError:
            return


def test_the_watchdog_of_systemd_is_fed(redis: Redis, cluster: str, tmp: Path) -> None:
    """While Kafka is away, too; and not while the daemon is stopped, nor for another process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp / "notify"))
        env = {"NOTIFY_SOCKET": str(tmp / "notify"), "WATCHDOG_USEC": "1000000"}
        with alone(redis, cluster, env=env) as daemon:
            Asker(daemon)
            fed = [at for at, text in notes(supervisor, 3) if text == "WATCHDOG=1"]
            assert 3 <= len(fed) <= 8, f"each half second: {fed}"
            daemon.sigstop()
            list(notes(supervisor, 0.5))  # what was on its way
            assert not list(notes(supervisor, 1)), "fed although it is stopped"
            daemon.sigcont()
            assert any(text == "WATCHDOG=1" for _, text in notes(supervisor, 2))
        with alone(redis, cluster, env={**env, "WATCHDOG_PID": "1"}) as daemon:
            Asker(daemon)
            list(notes(supervisor, 0.5))
            assert not [text for _, text in notes(supervisor, 1) if text == "WATCHDOG=1"]
