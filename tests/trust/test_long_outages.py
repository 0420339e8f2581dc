"""The long form of tests/integration/test_runs_outages.py: ten minutes, 10,000 open leases.

BELFRY_OUTAGE_S, BELFRY_OPEN_LEASES: other numbers.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("BELFRY_OUTAGE_S", "600")
os.environ.setdefault("BELFRY_OPEN_LEASES", "10000")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import test_runs_outages as short  # noqa: E402 -- found through the line above
from harness import Kafka, Redis  # noqa: E402
from runner import limit  # noqa: E402


@limit(4000)
def test_ten_minutes_without_daemons(kafka: Kafka, redis: Redis, cluster: str) -> None:
    short.test_daemons_away_beside_open_leases(kafka, redis, cluster)


@limit(4000)
def test_ten_minutes_without_kafka(redis: Redis) -> None:
    short.test_kafka_away_beside_leases_above_it_and_below(redis)
