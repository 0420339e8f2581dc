"""The worker that tests have until the library can claim: fires with a lease, written by hand as
the corpus has them, are claimed once, renewed, stopped and reported, in words that fit the schema.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import jsonschema
import referencing

import harness
from harness import Kafka, wait_for
from topics import TopicReader, produce
from worker import Work, Worker, clock_s

SCHEMAS = harness.ROOT / "schemas"
GROUP = "billing-workers"
RENEWED = (3, 4)  # tries whose work takes longer than a third of their lease


def validator() -> Any:
    contents = [json.loads(path.read_text()) for path in SCHEMAS.glob("*.schema.json")]
    registry = referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema)) for schema in contents)
    return jsonschema.Draft202012Validator({"$ref": "report.schema.json"}, registry=registry)


def stamp(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s)) + f".{int(at_s % 1 * 1000):03d}Z"


def fire(number: int, shard: int, within_s: float = 60, workers: str = GROUP) -> dict[str, Any]:
    """As schemas/examples/valid/fire-lease.json, of the try with that number."""
    text = (SCHEMAS / "examples" / "valid" / "fire-lease.json").read_text()
    return {**json.loads(text), "id": f"1795290000123-3.10422.0@{1795294674000 + number}",
            "source": f"/belfry/belfry/{shard}", "workers": workers,
            "leasems": 10000 if number in RENEWED else 60000,
            "runnumber": str((1 << 32) + number), "expirytime": stamp(time.time() + within_s)}


def clusters_topics(kafka: Kafka, cluster: str) -> None:
    for name in ("fires", "runs", "cancels"):
        harness.create_topic(kafka.bootstrap, f"{cluster}.{name}", 2,
                             {"message.timestamp.type": "LogAppendTime"})


class Handler:
    """Does what the number of the try says, and remembers which tries were started."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.lock = threading.Lock()

    def __call__(self, work: Work) -> dict[str, Any] | str:
        number = int(work.fire["runnumber"]) - (1 << 32)
        with self.lock:
            self.started.append(number)
        if number == 1:
            return {"report": "failure", "exit_code": 2, "output": "no such table\n",
                    "error": {"code": "E42", "message": "no such table\nat line 3"}}
        if number == 2:
            raise ValueError("broken")
        if number == 3:  # until it is told to stop
            assert work.stop.wait(30)
            return "failure"
        if number == 4:
            work.cursor = "page 1"
            time.sleep(4)  # longer than a third of its lease
        return {"report": "success", "result": {"rows": number}}


def test_tries_are_claimed_once_and_what_is_reported_fits_the_schema(kafka: Kafka) -> None:
    clusters_topics(kafka, "work")
    handler = Handler()
    fires = [fire(number, number % 2) for number in range(20)]
    fires += [fire(20, 0, within_s=-1), fire(21, 1, workers="others")]
    with Worker(kafka.bootstrap, "work", GROUP, handler, "worker-1"), \
            Worker(kafka.bootstrap, "work", GROUP, handler, "worker-2"), \
            TopicReader(kafka.bootstrap, "work.runs") as runs:
        produce(kafka.bootstrap, "work.fires",
                [(str(index), json.dumps(value)) for index, value in enumerate(fires)])
        wait_for(lambda: 3 in handler.started, 60, "the try that waits has been started")
        runs.read_until(lambda records: any(record.json["report"] == "running"
                                             for record in records), 60)
        produce(kafka.bootstrap, "work.cancels", [
            ("billing", json.dumps({"run": fires[3]["id"], "runnumber": fires[3]["runnumber"],
                                    "group": "billing", "id": "invoice-nightly",
                                    "at": stamp(time.time())}))])
        final = {"success", "failure", "cancelled"}
        seen = runs.read_until(lambda records: sum(record.json["report"] in final
                                                   for record in records) >= 20, 60)
    assert sorted(handler.started) == list(range(20)), handler.started
    judge = validator()
    of: dict[str, list[dict[str, Any]]] = {}
    for record in seen:
        report = record.json
        faults = list(judge.iter_errors(report))
        assert not faults, (report, faults)
        number = int(report["runnumber"]) - (1 << 32)
        assert record.partition == int(fires[number]["source"][-1]), record
        assert record.key == b"billing", record
        of.setdefault(report["run"], []).append(report)
    words = {run: [report["report"] for report in reports] for run, reports in of.items()}
    assert words[fires[0]["id"]][-1] == "success", words
    assert of[fires[1]["id"]][-1]["exit_code"] == 2, of[fires[1]["id"]]
    assert of[fires[2]["id"]][-1]["error"] == {"code": "ValueError", "message": "broken"}
    assert words[fires[3]["id"]][-1] == "cancelled", words
    assert set(words[fires[4]["id"]][1:-1]) >= {"running"}, words
    assert of[fires[4]["id"]][-2].get("cursor") == "page 1", of[fires[4]["id"]]
    assert set(words[fires[20]["id"]]) == {"started"}, words  # too late: passed over in silence
    assert fires[21]["id"] not in words, words  # another group's
    assert all(reports[0]["report"] == "started" for reports in of.values()), words


class CutOff(Worker):
    """Kafka stands still from the moment at which this one is about to commit a claim."""

    at: Kafka | None = None

    def commit_claims(self) -> None:
        if self.at is not None and self.claimed():
            self.at.brokers[0].sigstop()
            self.at = None
        super().commit_claims()


def test_work_stops_in_time_while_a_commit_waits_for_kafka(kafka: Kafka) -> None:
    clusters_topics(kafka, "cut")
    begun, spare_s = threading.Event(), []

    def handler(work: Work) -> str:
        if int(work.fire["runnumber"]) - (1 << 32) in RENEWED:
            begun.set()
            assert work.stop.wait(60)
            spare_s.append(work.kill_s - clock_s())
            return "failure"
        return "success"

    with CutOff(kafka.bootstrap, "cut", GROUP, handler) as worker:
        produce(kafka.bootstrap, "cut.fires", [("long", json.dumps(fire(3, 0)))])
        assert begun.wait(40), worker.failure
        worker.at = kafka
        produce(kafka.bootstrap, "cut.fires", [("next", json.dumps(fire(5, 1)))])
        try:
            wait_for(lambda: worker.at is None, 60, "a claim is about to be committed")
            wait_for(lambda: spare_s or worker.failure, 60, "the work has stopped")
        finally:
            kafka.brokers[0].sigcont()
        with TopicReader(kafka.bootstrap, "cut.runs") as runs:
            runs.read_until(lambda records: any(record.json["report"] == "lost_lease"
                                                 for record in records), 60)
    assert spare_s[0] > 0, spare_s
