"""100,000 hostile requests: the daemon goes on, and holds no more memory than after the first.

Built with AddressSanitizer it is one that finds what is read or written where nothing is: then its
memory is not Belfry's own, and what it still holds at the end is told by the sanitizer.
"""

from __future__ import annotations

import os

from harness import WATCHED, Belfryd, Redis
from http_client import Asker, hostile, send_hostile
from runner import limit

REQUESTS = 100_000
SEED = 2026


@limit(1800)
def test_a_hundred_thousand_hostile_requests(redis: Redis, cluster: str) -> None:
    with Belfryd("127.0.0.1:1", redis, cluster, args=("--http", "127.0.0.1:0")) as daemon:
        asker = Asker(daemon)
        send_hostile(asker, hostile(REQUESTS // 10, SEED))
        before_kib = daemon.resident_kib()
        answers = send_hostile(asker, hostile(REQUESTS, SEED + 1))
        grown_kib = daemon.resident_kib() - before_kib
        print(f"{answers} answers, {before_kib} KiB at first, {grown_kib} KiB more at the end")
        assert answers > REQUESTS // 3, answers
        assert WATCHED or grown_kib < 1024, f"{grown_kib} KiB more"
        assert asker.ask("/livez").status == 200
        assert len(os.listdir(f"/proc/{daemon.pid}/fd")) < 64, "descriptors are left open"
        daemon.terminate()
