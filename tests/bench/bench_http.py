"""/livez of a daemon beside a constant answer of the same library, by the same client, in turn:
make bench-http.

The daemon has its shards, in the trial mode; the peer (tests/bench/constant_http.c) has nothing to
look at. The best of many short rounds counts, because the other rounds measure what else runs on
the machine. The last line is for machines: the ratios.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import harness  # noqa: E402 -- found through the line above

TOOLS = harness.BUILD / "tests" / "bench"
ROUNDS = 25
REQUESTS = {"keep": 2_000, "new": 1_000}
PAGES = {"/livez": "livez", "/readyz": "readyz", "/version": "version"}


def each_us(port: int, page: str, how: str) -> float:
    """How long a request took in one round."""
    done = subprocess.run([TOOLS / "http_rounds", str(port), page, str(REQUESTS[how]), how],
                          check=True, capture_output=True, text=True, timeout=120)
    return float(done.stdout) / REQUESTS[how]


class Embedded(harness.Process):
    """belfryd --embedded, with its four shards live."""

    def __init__(self, directory: str):
        super().__init__("belfryd", [harness.BUILD / "belfryd", "--embedded", directory, "--http",
                                     "127.0.0.1:0"])

    def port(self) -> int:
        self.wait_until(lambda: self.output().count("event=shard.live") == 4, 60, "4 shards live")
        told = self.output().split("event=http.listening address=127.0.0.1:")[1]
        return int(told.split()[0])


def figures(daemon: int, peer: int) -> Iterator[str]:
    """A word for each page and way to connect; says the times."""
    for how in REQUESTS:
        rounds = [[each_us(peer, "/livez", how), *(each_us(daemon, page, how) for page in PAGES)]
                  for _ in range(ROUNDS)]
        constant, *others = (min(times) for times in zip(*rounds))
        print(f"{how}: constant {constant:.1f} us, " + ", ".join(
            f"{page} {us:.1f} us" for page, us in zip(PAGES, others)), flush=True)
        for word, us in zip(PAGES.values(), others):
            yield f"{word}_{how}_ratio={us / constant:.2f}"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, Embedded(directory) as daemon, \
            subprocess.Popen([TOOLS / "constant_http"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdin is not None and peer.stdout is not None
        port = int(peer.stdout.readline())
        end = time.monotonic() + 30
        while not harness.accepts_connections(port):
            assert time.monotonic() < end
        words = list(figures(daemon.port(), port))
        peer.stdin.close()
    print(*words)


if __name__ == "__main__":
    main()
