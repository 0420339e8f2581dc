"""How fast libbelfry consumes fires, beside a bare Kafka client that decodes nothing, in the same
run on a real broker: make bench-consumer.

Rounds alternate, and the best of each counts, because the others measure what else runs on the
machine. The last line is for machines: fires a second, and ratios to the bare client.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import harness  # noqa: E402 -- found through the line above

TOOL = harness.BUILD / "tests" / "bench" / "consumer_rounds"
QUICK = "--quick" in sys.argv[1:]
FIRES, ROUNDS = (60_000, 1) if QUICK else (300_000, 3)
SLOW_FIRES = 20_000 if QUICK else 60_000
WAYS = {"bare": ("bare",), "key_1": ("run", 1), "key_8": ("run", 8), "key_64": ("run", 64),
        "batch": ("batch", 1024)}


def play(bootstrap: str, topic: str, mode: str, count: int, *more: object) -> float:
    """What one round prints; nothing where it only writes."""
    done = subprocess.run([TOOL, bootstrap, topic, mode, str(count), *map(str, more)], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          timeout=600)
    return float(done.stdout or 0)


def quick_handlers(bootstrap: str) -> dict[str, float]:
    harness.create_topic(bootstrap, "quick", partitions=8)
    play(bootstrap, "quick", "fill", FIRES, 1000)
    best = dict.fromkeys(WAYS, 0.0)
    for number in range(ROUNDS):
        for way, (mode, *more) in WAYS.items():
            best[way] = max(best[way], play(bootstrap, "quick", mode, FIRES, *more))
        print(f"round {number + 1} of {ROUNDS}: " + ", ".join(
            f"{way} {value:,.0f}/s" for way, value in best.items()), flush=True)
    return best


def slow_handlers(bootstrap: str) -> float:
    """100 ms each, 1,000 keys in turn, 1,024 at once: 10,000 a second are possible."""
    harness.create_topic(bootstrap, "slow", partitions=8)
    play(bootstrap, "slow", "fill", SLOW_FIRES, 1000)
    each_s = play(bootstrap, "slow", "run", SLOW_FIRES, 1024, 100)
    print(f"100 ms of blocking work: {each_s:,.0f}/s of 10,000", flush=True)
    return each_s


def main() -> None:
    client = subprocess.run([TOOL, "version"], check=True, capture_output=True, text=True)
    print(f"librdkafka {client.stdout.strip()}", flush=True)
    with harness.Kafka(heap_mb=1024) as kafka:
        best = quick_handlers(kafka.bootstrap)
        slow = slow_handlers(kafka.bootstrap)
    print(f"raw_per_s={best['bare']:.0f}", *(
        f"{way}_ratio={best[way] / best['bare']:.2f}" for way in WAYS if way != "bare"),
        f"blocking_100ms_per_s={slow:.0f}")


if __name__ == "__main__":
    main()
