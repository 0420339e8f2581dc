"""The alert rules of compose/: promtool's word for them, their tests, and the page they lead to."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from harness import ROOT
from prometheus import promtool

COMPOSE = ROOT / "compose"
RULES = COMPOSE / "alerts.yaml"
NEVER, ALWAYS = "vector(0) > 1", "vector(1)"


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"]
            for rule in group["rules"]]


def _cases() -> list[dict[str, Any]]:
    tests = yaml.safe_load((COMPOSE / "alerts.test.yaml").read_text())["tests"]
    return [case for test in tests for case in test["alert_rule_test"]]


def _promtool(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool(), *words], capture_output=True, text=True, timeout=60)


def _headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_promtool_accepts_the_rules() -> None:
    done = _promtool("check", "rules", RULES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(_rules())} rules found" in done.stdout


def test_each_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    cases = _cases()
    for rule in _rules():
        fires = [bool(case["exp_alerts"]) for case in cases if case["alertname"] == rule["alert"]]
        assert sorted(fires) == [False, True], f"{rule['alert']}: {fires}"
    assert len(cases) == 2 * len(_rules()), "a case of an alert that is not there"
    done = _promtool("test", "rules", COMPOSE / "alerts.test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_cases_find_an_alert_that_is_deaf_or_shouts(tmp: Path) -> None:
    shutil.copy(COMPOSE / "alerts.test.yaml", tmp)
    for expression, word in ((NEVER, "fires"), (ALWAYS, "does not fire")):
        rules = yaml.safe_load(RULES.read_text())
        for rule in rules["groups"][0]["rules"]:
            rule["expr"] = expression
        (tmp / "alerts.yaml").write_text(yaml.safe_dump(rules))
        done = _promtool("test", "rules", tmp / "alerts.test.yaml")
        named = set(re.findall(r"name: (.*),$", done.stdout + done.stderr, re.MULTILINE))
        missing = {f"{rule['alert']} {word}" for rule in _rules()} - named
        assert not missing, f"with {expression} these cases are content: {missing}"


def test_each_alert_says_what_to_do() -> None:
    for rule in _rules():
        name, notes = rule["alert"], rule["annotations"]
        assert rule["labels"]["severity"] in ("warning", "critical"), name
        assert notes["summary"], name
        page, anchor = notes["runbook"].split("#")
        assert anchor in _headings(ROOT / page), f"{name}: {page} has no heading for #{anchor}"


def test_promtool_accepts_the_configuration(tmp: Path) -> None:
    """With the files where compose.yaml puts them."""
    service = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]["prometheus"]
    text = (COMPOSE / "prometheus.yaml").read_text()
    for volume in service["volumes"]:
        place, target = volume.split(":")[:2]
        if place.startswith("./"):
            text = text.replace(target, str(COMPOSE / place))
    assert "/etc/prometheus" not in text, "a file that compose.yaml does not bring"
    (tmp / "prometheus.yaml").write_text(text)
    done = _promtool("check", "config", tmp / "prometheus.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(_rules())} rules found" in done.stdout


def test_the_dashboard_is_whole() -> None:
    """What Grafana needs to show it; tests/integration/test_prometheus.py runs its queries."""
    dashboard = json.loads((COMPOSE / "dashboard.json").read_text())
    panels = dashboard["panels"]
    assert dashboard["uid"] == "belfry" and len({panel["id"] for panel in panels}) == len(panels)
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(dashboard))) - {"__rate_interval"}
    assert used == names, f"variables: {used} are used, {names} are there"
    places: list[tuple[int, int]] = []
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken = [(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])]
        assert not set(taken) & set(places), f"{panel['title']} lies on another panel"
        places += taken
        assert panel["type"] == "row" or panel["targets"], panel["title"]
    for file in ("grafana-datasource.yaml", "grafana-dashboards.yaml"):
        assert yaml.safe_load((COMPOSE / file).read_text())["apiVersion"] == 1
