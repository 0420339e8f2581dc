"""Every operation and every outcome of the contract, as a foreign client meets them."""

from __future__ import annotations

import json
from typing import Any, Iterator

import confluent_kafka

from harness import (Kafka, Record, Redis, TopicReader, create_topic, produce, read_all,
                     wait_for)
from oracle_fold import instant_ms, instant_text
from scenario import Scenario, every, group_on, job, now_ms
from topics import Sent, client_options

SHARDS = 4
NEVER = {"at": "2099-01-01T00:00:00Z"}


def setup(kafka: Kafka, redis: Redis, cluster: str) -> Iterator[Scenario]:
    """One daemon for all tests of this file; each test uses groups of its own."""
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon(env={"BELFRY_RESULTS_TOPICS": f"{cluster}-replies"})
        yield scene


def add(scene: Scenario, group: str, *names: str, **more: Any) -> None:
    scene.call({"op": "add", "jobs": [job(group, name, NEVER, **more) for name in names]})


def one(scene: Scenario, command: dict[str, Any], outcome: str, code: str | None = None,
        **send: Any) -> dict[str, Any]:
    """A command that one shard answers."""
    result, = scene.call(command, outcome, **send)
    assert result.get("code") == code, result
    return result


def stored(scene: Scenario, name: str) -> dict[str, Any]:
    """The job as Redis will have it."""
    return wait_for(lambda: scene.stored().get(name), 60, f"{name} in Redis")


def revisions(result: dict[str, Any]) -> list[int]:
    return [entry["revision"] for entry in result["jobs"]]


def test_add_and_its_result(shared: Scenario) -> None:
    made = every("add", "a", "15m", labels={"team": "core"}, super_group="finance")
    result = one(shared, {"op": "add", "command_id": "add-1", "correlation_id": "k",
                          "jobs": [made]}, "applied")
    assert result["correlation_id"] == "k" and result["matched"] == result["changed"] == 1
    entry, = result["jobs"]
    effective_ms = instant_ms(result["effective_at"])
    first_ms = effective_ms // 900_000 * 900_000 + 900_000
    assert entry["next_due"] == [instant_text(first_ms + k * 900_000) for k in range(5)]
    kept = stored(shared, "add/a")
    source = result["source"]
    assert kept["incarnation"] == f"{effective_ms}-{source['partition']}.{source['offset']}.0"
    assert kept["revision"] == 1 and kept["created_at"] == result["effective_at"]


def test_add_of_an_existing_name(shared: Scenario) -> None:
    add(shared, "exists", "a")
    both = [job("exists", name, NEVER) for name in ("a", "b")]
    result = one(shared, {"op": "add", "jobs": both}, "conflict", "exists")
    assert result["changed"] == 0 and result["errors"][0]["id"] == "a"
    result = one(shared, {"op": "add", "mode": "each", "jobs": both}, "partial", "exists")
    assert result["changed"] == 1 and [e["id"] for e in result["errors"]] == ["a"]
    assert stored(shared, "exists/b")


def test_put(shared: Scenario) -> None:
    made = every("put", "a", "10m", payload={"x": 1})
    assert revisions(one(shared, {"op": "put", "jobs": [made]}, "applied")) == [1]
    one(shared, {"op": "put", "jobs": [made]}, "unchanged")
    changed = {**made, "payload": {"x": 2}}
    assert revisions(one(shared, {"op": "put", "jobs": [changed]}, "applied")) == [2]
    shared.call({"op": "pause", "select": {"groups": ["put"]}})
    plain = {"group": "put", "id": "a", "schedule": made["schedule"]}
    assert revisions(one(shared, {"op": "put", "jobs": [plain]}, "applied")) == [4]
    kept = wait_for(lambda: (k := stored(shared, "put/a"))["revision"] == 4 and k, 60, "stored")
    assert kept["state"] == "paused", "a put does not end a pause"
    assert "payload" not in kept, "fields left out return to their defaults"


def test_put_keeps_the_phase_of_an_interval(shared: Scenario) -> None:
    made = job("phase", "a", {"every": "10m"})
    first = one(shared, {"op": "put", "jobs": [made]}, "applied")
    again = one(shared, {"op": "put", "jobs": [{**made, "payload": 2}]}, "applied")
    assert again["jobs"][0]["next_due"] == first["jobs"][0]["next_due"]
    other = one(shared, {"op": "put", "jobs": [{**made, "schedule": {"every": "11m"}}]}, "applied")
    anchor_ms = instant_ms(other["effective_at"])
    assert other["jobs"][0]["next_due"][0] == instant_text(anchor_ms + 660_000)


def test_update(shared: Scenario) -> None:
    add(shared, "update", "a", "b")
    select = {"groups": ["update"], "ids": ["a"]}
    result = one(shared, {"op": "update", "select": select, "set": {"payload": 5}}, "applied")
    assert revisions(result) == [2]
    one(shared, {"op": "update", "select": select, "set": {"payload": 5}}, "unchanged")
    one(shared, {"op": "update", "select": select}, "rejected", "nothing_to_update")
    one(shared, {"op": "update", "select": select, "set": {}}, "rejected", "nothing_to_update")
    one(shared, {"op": "update", "select": select, "expected_revision": 1, "set": {"payload": 6}},
        "conflict", "revision_mismatch")
    result = one(shared, {"op": "update", "select": select, "expected_revision": 2,
                          "set": {"payload": 6}}, "applied")
    assert revisions(result) == [3]
    one(shared, {"op": "update", "select": select, "set": {"schedule": {"cron": "0 0 30 2 *"}}},
        "rejected", "never_fires")


def test_expect(shared: Scenario) -> None:
    add(shared, "expect", "a", "b")
    update = {"op": "update", "select": {"groups": ["expect"]}, "set": {"payload": 1}}
    result = one(shared, {**update, "expect": 1}, "conflict", "count_mismatch")
    assert result["matched"] == 2 and result["changed"] == 0
    assert one(shared, {**update, "expect": 2}, "applied")["changed"] == 2
    each = {**update, "expect": 3, "mode": "each", "set": {"payload": 2}}
    assert one(shared, each, "partial", "count_mismatch")["changed"] == 2
    one(shared, {"op": "pause", "select": {"ids": ["a"]}, "expect": 1}, "rejected",
        "expect_needs_groups", key="x")


def test_selectors(shared: Scenario) -> None:
    group = group_on(2, SHARDS, "select")
    for number, (colour, super_group) in enumerate([("red", "n"), ("red", "s"), ("blue", "n")]):
        add(shared, group, f"j{number}", labels={"colour": colour, "sel": "yes"},
            super_group=super_group)

    def matched(**select: Any) -> int:
        results = shared.call({"op": "trigger", "dry_run": True, "select": select}, outcome=None)
        return sum(result["matched"] for result in results)

    assert matched(groups=[group]) == 3
    assert matched(groups=[group], ids=["j0", "j2", "none"]) == 2
    assert matched(groups=[group], labels={"colour": "red"}) == 2
    assert matched(labels={"colour": "red", "sel": "yes"}, super_groups=["n"]) == 1
    assert matched(labels={"sel": "yes"}, super_groups=["n", "s"]) == 3
    assert matched(groups=[group], paused=True) == 0
    shared.call({"op": "pause", "select": {"groups": [group], "ids": ["j1"]}})
    assert matched(groups=[group], paused=True) == 1
    assert matched(groups=[group], paused=False) == 2
    for empty in ({}, {"groups": []}, {"all": False}):
        one(shared, {"op": "delete", "select": empty}, "rejected", "empty_selector", key=group)
    one(shared, {"op": "pause", "select": {"groups": [group], "ids": ["nobody"]}}, "conflict",
        "not_found")


def test_pause_and_resume(shared: Scenario) -> None:
    add(shared, "pause", "a")
    select = {"groups": ["pause"]}
    result = one(shared, {"op": "pause", "select": select, "reason": "maintenance"}, "applied")
    paused_at = result["effective_at"]
    one(shared, {"op": "pause", "select": select}, "unchanged")
    before = instant_text(instant_ms(paused_at) - 1000)
    one(shared, {"op": "resume", "select": select, "from": before}, "conflict",
        "from_before_pause")
    one(shared, {"op": "resume", "select": select, "from": instant_text(now_ms() + 3_600_000)},
        "conflict", "from_in_future")
    resumed = one(shared, {"op": "resume", "select": select}, "applied")
    one(shared, {"op": "resume", "select": select}, "unchanged")
    with TopicReader(shared.kafka.bootstrap, f"{shared.cluster}.events") as reader:
        events = reader.read_until(lambda records: any(
            r.json["event"] == "resumed" and r.json["group"] == "pause" for r in records), 60)
        event = next(r.json for r in events if r.json.get("group") == "pause")
    assert event["from"] == paused_at and event["to"] == resumed["effective_at"]


def test_pause_until(shared: Scenario) -> None:
    """A slot at `until` fires."""
    base = now_ms() // 1000 * 1000 + 3000
    shared.call({"op": "add", "jobs": [every("until", "a")]})
    paused = one(shared, {"op": "pause", "select": {"groups": ["until"]},
                          "until": instant_text(base)}, "applied")
    fires = shared.wait_fires(2, matching=lambda fire: fire["jobgroup"] == "until" and
                              instant_ms(fire["dueat"]) > instant_ms(paused["effective_at"]))
    assert [instant_ms(fire["dueat"]) for fire in fires[:2]] == [base, base + 1000]
    shared.call({"op": "delete", "select": {"groups": ["until"]}})


def test_trigger(shared: Scenario) -> None:
    add(shared, "trigger", "a", payload={"n": 1})
    shared.call({"op": "pause", "select": {"groups": ["trigger"]}})
    one(shared, {"op": "trigger", "command_id": "pull", "select": {"groups": ["trigger"]}},
        "applied")

    def pulled(records: list[Record]) -> list[dict[str, Any]]:
        return [r.json for r in records if r.json["id"].endswith("@t:pull")]

    fire, = pulled(shared.fires.read_until(pulled, 60))
    assert fire["firekind"] == "trigger" and fire["data"] == {"n": 1}


def test_delete_and_add_again_is_another_life(shared: Scenario) -> None:
    add(shared, "again", "a")
    first = stored(shared, "again/a")["incarnation"]
    assert one(shared, {"op": "delete", "select": {"groups": ["again"]}}, "applied")["changed"] == 1
    add(shared, "again", "a")
    wait_for(lambda: shared.stored().get("again/a", {}).get("incarnation", first) != first, 60,
             "a new incarnation in Redis")


def test_dry_run_changes_nothing(shared: Scenario) -> None:
    made = every("dry", "a", "15m")
    result = one(shared, {"op": "add", "command_id": "dry", "dry_run": True, "jobs": [made]},
                 "applied")
    assert result["dry_run"] is True and len(result["jobs"][0]["next_due"]) == 5
    one(shared, {"op": "add", "command_id": "dry", "jobs": [made]}, "applied")
    one(shared, {"op": "delete", "dry_run": True, "select": {"groups": ["dry"]}}, "applied")
    one(shared, {"op": "update", "select": {"groups": ["dry"]}, "set": {"payload": 1}}, "applied")


def test_not_after(shared: Scenario) -> None:
    late = {"op": "add", "jobs": [job("expired", "a", NEVER)]}
    one(shared, {**late, "not_after": instant_text(now_ms() - 60_000)}, "expired", "expired")
    one(shared, {**late, "not_after": instant_text(now_ms() + 60_000)}, "applied")


def test_duplicates_carry_the_first_outcome(shared: Scenario) -> None:
    jobs = [job("dup", "a", {"cron": "61 * * * *"})]
    refused = {"op": "add", "command_id": "dup-1", "jobs": jobs}
    one(shared, refused, "rejected", "bad_cron")
    result = one(shared, refused, "duplicate", "bad_cron")
    assert result["first_outcome"] == "rejected"
    good = {"op": "add", "command_id": "dup-2", "jobs": [job("dup", "a", NEVER)]}
    one(shared, good, "applied")
    assert one(shared, good, "duplicate")["first_outcome"] == "applied"


def test_refused_commands_say_where_and_are_kept(shared: Scenario) -> None:
    bad = {"op": "add", "command_id": "bad-1",
           "jobs": [job("bad", "a", NEVER), {"group": "bad", "id": "b", "schedule": NEVER, "x": 1}]}
    result = one(shared, bad, "rejected", "unknown_field")
    assert result["field"] == "/jobs/1/x" and "x" in result["message"]
    source = result["source"]
    with TopicReader(shared.kafka.bootstrap, f"{shared.cluster}.dead") as dead:
        letter = next(r for r in dead.read_to_end()
                      if r.header("dlq_offset") == str(source["offset"])
                      and r.header("dlq_partition") == str(source["partition"]))
    assert json.loads(letter.value or b"") == bad and letter.header("dlq_code") == "unknown_field"
    assert "bad/a" not in shared.stored()


def test_unreadable_commands_have_results_too(shared: Scenario) -> None:
    for value, code in ((b"", "invalid_json"), (b"{", "invalid_json"), (b"\xff", "not_utf8"),
                        (b'{"op":"ping","op":"ping"}', "duplicate_key"),
                        (b"[" * 100, "too_deep"), (b'{"op":"dance"}', "unknown_op"),
                        (b'{"op":"ping","v":2}', "unsupported_version")):
        result = one(shared, value, "rejected", code, key="any")  # type: ignore[arg-type]
        source = result["source"]
        assert result["command_id"] == f"{source['partition']}/{source['offset']}"


def test_too_large_is_cut_in_the_dead_letter(shared: Scenario) -> None:
    producer = confluent_kafka.Producer(client_options(shared.kafka.bootstrap,
                                                       message_max_bytes=1_900_000))
    places: list[tuple[int, int]] = []
    producer.produce(f"{shared.cluster}.control", b'{"op":"ping","reason":"' + b"x" * 1_100_000,
                     "large", on_delivery=lambda error, message: places.append(
                         (message.partition(), message.offset())))
    assert producer.flush(30) == 0
    result, = shared.answers(Sent(f"{places[0][0]}/{places[0][1]}", *places[0]))
    assert (result["outcome"], result["code"]) == ("rejected", "too_large")
    with TopicReader(shared.kafka.bootstrap, f"{shared.cluster}.dead") as dead:
        letter = next(r for r in dead.read_to_end() if r.header("dlq_code") == "too_large")
    assert len(letter.value or b"") == 4096
    assert letter.header("dlq_truncated") == str(1_100_000 + len('{"op":"ping","reason":"'))


def test_cloudevents(shared: Scenario) -> None:
    command = {"op": "add", "jobs": [job("events", "a", NEVER)]}
    envelope = {"specversion": "1.0", "id": "evt-1", "source": "/shop", "type": "command",
                "data": command}
    sent = shared.client.send(envelope, key="events", headers={
        "content-type": "application/cloudevents+json"})
    result = shared.client.results("evt-1")[0]
    assert result["outcome"] == "applied" and sent.partition == result["source"]["partition"]
    binary = {"ce_specversion": "1.0", "ce_id": "evt-2", "ce_source": "/shop", "ce_type": "x",
              "content-type": "application/json"}
    shared.client.send({"op": "delete", "select": {"groups": ["events"]}}, headers=binary)
    assert shared.client.results("evt-2")[0]["changed"] == 1


def test_reply_to(shared: Scenario) -> None:
    topic = f"{shared.cluster}-replies"
    create_topic(shared.kafka.bootstrap, topic)
    shared.send({"op": "ping", "command_id": "reply", "reply_to": topic}, key="a")
    reply, = read_all(shared.kafka.bootstrap, topic, until=1)
    assert reply.json["command_id"] == "reply" and reply.json["outcome"] == "applied"
    one(shared, {"op": "ping", "reply_to": "another"}, "rejected", "reply_to_not_allowed", key="a")
    one(shared, {"op": "add", "jobs": [job("reply", "a", NEVER, topic=f"{shared.cluster}.state")]},
        "rejected", "topic_not_allowed")


def test_two_thousand_jobs_in_one_command(shared: Scenario) -> None:
    jobs = [job("many", f"j{number}", NEVER) for number in range(2000)]
    result = one(shared, {"op": "add", "jobs": jobs}, "applied")
    assert result["changed"] == 2000 and len(result["jobs"]) == 100
    result = one(shared, {"op": "pause", "select": {"groups": ["many"]}}, "applied")
    assert result["changed"] == 2000
    one(shared, {"op": "add", "jobs": [*jobs, job("many", "over", NEVER)]}, "rejected", "too_many")
    deleted = one(shared, {"op": "delete", "select": {"groups": ["many"]}}, "applied")
    assert deleted["changed"] == 2000


def test_commands_in_one_transaction_of_a_client(shared: Scenario) -> None:
    """A client's transaction: all of it or nothing, as for any other topic."""
    values = [(f"tx{number}", json.dumps({"op": "add", "command_id": f"tx-{number}",
                                          "jobs": [job(f"tx{number}", "a", NEVER)]}).encode())
              for number in range(5)]
    produce(shared.kafka.bootstrap, f"{shared.cluster}.control", values, transaction="client")
    for number in range(5):
        assert shared.client.results(f"tx-{number}")[0]["outcome"] == "applied"


def test_ping(shared: Scenario) -> None:
    for partition in range(SHARDS):
        result = one(shared, {"op": "ping"}, "applied", partition=partition)
        assert result["shard"] == partition


def test_all_of_it_was_right(shared: Scenario) -> None:
    """The oracle's view of everything this file has done."""
    shared.verify()
