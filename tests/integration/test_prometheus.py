"""A real Prometheus that asks a real belfryd: the queries of the dashboard and of the alerts.

Grafana cannot be had on every machine: that its file is whole is seen by test_alerts.py.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from pathlib import Path
from typing import Iterator

import yaml

from harness import (
    ROOT, Belfryd, CommandClient, DeadlineExceeded, Kafka, Redis, free_port, produce,
    wait_for)
from prometheus import Prometheus

COMPOSE = ROOT / "compose"
TOKEN = COMPOSE / "http-token"
SELECTOR = re.compile(r"\b(?:belfry_\w+|process_\w+|up)\b(?:\{[^}]*\})?")


def _configuration(address: str) -> str:
    """That of compose.yaml, for a daemon on this machine and in a hurry."""
    configuration = yaml.safe_load((COMPOSE / "prometheus.yaml").read_text())
    configuration["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    configuration["rule_files"] = [str(COMPOSE / "alerts.yaml")]
    for job in configuration["scrape_configs"]:
        job["authorization"]["credentials_file"] = str(TOKEN)
        job["static_configs"] = [{"targets": [address]}]
    return yaml.safe_dump(configuration)


def _dashboard() -> Iterator[tuple[str, str]]:
    """Each query of the dashboard with its panel, its variables filled in."""
    for panel in json.loads((COMPOSE / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], (target["expr"].replace("$job", "belfryd")
                                   .replace("$__rate_interval", "10s"))


def _fire_each_second(kafka: Kafka, cluster: str) -> None:
    with CommandClient(kafka.bootstrap, cluster) as client:
        for number in range(8):
            client.call({"op": "add", "command_id": f"c{number}", "job": {
                "group": f"g{number}", "id": "a", "schedule": {"every": "1s"}}})


def _without_data(prometheus: Prometheus) -> list[str]:
    """The queries of the dashboard that say nothing, or no number."""
    def says(query: str) -> bool:
        values = prometheus.query(query)
        return bool(values) and not any(math.isnan(value) for value in values)

    return [f"{panel}: {query}" for panel, query in _dashboard() if not says(query)]


def _states(prometheus: Prometheus) -> dict[str, str]:
    """Of each alert."""
    rules = prometheus.api("rules")["groups"][0]["rules"]
    for rule in rules:
        assert rule["health"] == "ok", f"{rule['name']}: {rule.get('lastError')}"
    return {rule["name"]: rule["state"] for rule in rules}


def _check_alerts(prometheus: Prometheus) -> None:
    """All is well here, so none is to fire; but what each looks at is there."""
    rules = yaml.safe_load((COMPOSE / "alerts.yaml").read_text())["groups"][0]["rules"]
    for rule in rules:
        for selector in SELECTOR.findall(rule["expr"]):
            assert prometheus.query(selector), f"{rule['alert']}: no {selector}"
    wait_for(lambda: _states(prometheus) == {rule["alert"]: "inactive" for rule in rules}, 60,
             "no alert fires")


def test_every_query_of_dashboard_and_alerts_has_data(kafka: Kafka, redis: Redis, cluster: str
                                                      ) -> None:
    address = f"127.0.0.1:{free_port()}"
    daemon = Belfryd(kafka, redis, cluster, args=("--http", address),
                     env={"BELFRY_HTTP_TOKEN_FILE": str(TOKEN)})
    with Prometheus(_configuration(address)) as prometheus, daemon:  # it takes 5 s to begin
        daemon.wait_live()
        _fire_each_second(kafka, cluster)
        with contextlib.suppress(DeadlineExceeded):
            wait_for(lambda: not _without_data(prometheus), 60, "data", every_s=0.5)
        assert not _without_data(prometheus), _without_data(prometheus)
        _check_alerts(prometheus)
        produce(kafka.bootstrap, f"{cluster}.control", [("g", "no command")])
        wait_for(lambda: _states(prometheus)["BelfryDeadLetters"] == "firing", 60,
                 "the alert of a dead letter fires")
        daemon.terminate()
