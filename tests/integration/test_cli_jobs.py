"""The command line on many jobs and on what happened to them: export and import, diff and apply,
describe, dead letters, verify and doctor, completion and manual pages."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator

from confluent_kafka.admin import AdminClient, ConfigResource

from cli_cluster import SHARDS, CliCluster
from harness import CommandClient, Kafka, Redis, belfry, client_options, run, shard_of, wait_for
from programs import on_terminal

CLUSTER = "clijobs"
FAR = "2099-01-01T00:00:00Z"
COMMANDS = [line.split()[0] for line in
            run("belfry", "--help").stdout.split("Commands:")[1].split("Global")[0]
            .strip().splitlines()]


class Cluster(CliCluster):
    """A running daemon and the command line on it."""

    def wait_names(self, count: int, *selectors: object) -> None:
        """Redis follows within two seconds or with a warning: a busy machine takes its time."""
        wait_for(lambda: len(self.names(*selectors)) == count, 60, f"{count} jobs in Redis")

    def terminal(self, *args: object, columns: int = 80) -> str:
        """What the command line shows on a terminal of that width, escapes and all."""
        return on_terminal(self.kafka, self.redis, CLUSTER, *args, columns=columns)[1]


def setup(kafka: Kafka) -> Iterator[Cluster]:
    with Redis() as redis, Cluster(kafka, redis, CLUSTER) as cluster:
        yield cluster


def jobs_text(jobs: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(job) + "\n" for job in jobs)


def job(group: str, number: int, **more: Any) -> dict[str, Any]:
    return {"group": group, "id": str(number), "schedule": {"cron": "0 4 * * *"}, **more}


# --- help, completion, manual: all of one table ---------------------------------------------------


def test_every_command_completes_and_has_a_page() -> None:
    for shell in ("bash", "zsh", "fish"):
        script = run("belfry", "completion", shell, expect=0).stdout
        for command in COMMANDS:
            assert command in script, (shell, command)
        assert "misfire" not in script and "backfill-id" in script
    assert "did you mean bash" in run("belfry", "completion", "bsh", expect=2).stderr
    for command in COMMANDS:
        page = run("belfry", "manual", command, expect=0).stdout
        assert page.startswith(".TH BELFRY\\-") and ".SH EXIT STATUS" in page
    assert all(f"\n{command.replace('-', chr(92) + '-')}\n" in
               run("belfry", "manual").stdout.replace(".B ", "") for command in COMMANDS)


def test_bash_completes(tmp: Path) -> None:
    script = tmp / "belfry.bash"
    script.write_text(run("belfry", "completion", "bash").stdout)
    for words, wanted in (("belfry desc", "describe"), ("belfry tail fi", "fires"),
                          ("belfry add --mode ea", "each"), ("belfry -o nd", "ndjson"),
                          ("belfry pause --unt", "--until"), ("belfry help appl", "apply")):
        parts = words.split()
        array = " ".join(f"'{part}'" for part in parts)
        done = subprocess.run(
            ["bash", "-c", f"source {script}; COMP_WORDS=({array}); COMP_CWORD={len(parts) - 1}; "
             "_belfry; printf '%s\\n' \"${COMPREPLY[@]}\""],
            capture_output=True, text=True, check=True)
        assert wanted in done.stdout.split(), (words, done.stdout, done.stderr)


# --- export and import ----------------------------------------------------------------------------


def test_import_and_export(shared: Cluster, tmp: Path) -> None:
    """100,000 jobs go in, come out the same, and a part of them goes in again as it was."""
    path = tmp / "jobs.ndjson"
    count = 100_000
    path.write_text(jobs_text([job(f"many{n % 97}", n, payload={"n": n}, labels={"many": "yes"})
                               for n in range(count)]))
    begin = time.monotonic()
    done = shared("import", path, deadline_s=120)
    took_s = time.monotonic() - begin
    print(f"import_100k_s={took_s:.1f}")
    assert took_s <= 60, took_s  # the aim is 15 s, on a machine that has nothing else to do
    assert "100,000 jobs added or changed, 0 already" in done.stderr
    again = shared("import", path, "--skip", count - 2_000, deadline_s=120)
    assert "0 jobs added or changed, 2,000 already there" in again.stderr
    shared.wait_names(count, "--label", "many=yes")
    exported = shared("export", "--label", "many=yes", deadline_s=120).stdout
    assert sorted(json.loads(line)["payload"]["n"] for line in exported.splitlines()) == \
        list(range(count))
    part = shared("export", "--group", "many0", "--group", "many1").stdout
    shared("delete", "--label", "many=yes", "--wait=1m", deadline_s=120)
    shared.wait_names(0, "--label", "many=yes")
    shared("import", "-", stdin=part)
    shared.wait_names(len(part.splitlines()), "--label", "many=yes")
    assert sorted(shared("export", "--label", "many=yes").stdout.splitlines()) == \
        sorted(part.splitlines())
    shared("delete", "--label", "many=yes", "--wait=1m")


def test_an_exported_job_is_the_same_job(shared: Cluster) -> None:
    shared("put", "same/cron", "--cron", "30 2 * * *", "--payload", '{"n":1.50}', "--label", "k=v",
           "--super-group", "s", "--catchup", "all", "--window", "2d", "--wait")
    shared("put", "same/every", "--every", "90s", "--wait")
    shared("put", "same/paused", "--at", FAR, "--paused", "--wait")
    lines = shared("export", "--group", "same").stdout
    assert '"payload":{"n":1.50}' in lines and '"paused":true' in lines
    before = {name: shared.json("get", f"same/{name}") for name in ("cron", "every", "paused")}
    assert "0 jobs added or changed, 3 already" in shared("import", "-", stdin=lines).stderr
    for name, record in before.items():
        assert shared.json("get", f"same/{name}")["revision"] == record["revision"], name
    assert shared("diff", "-", stdin=lines).stdout == ""
    # Deleted and imported it lives on: the ids of its fires are those it would have had.
    shared("delete", "--group", "same", "--wait")
    shared.wait_names(0, "--group", "same")
    shared("import", "-", stdin=lines)
    shared.wait_names(3, "--group", "same")
    for name, record in before.items():
        after = shared.json("get", f"same/{name}")
        assert after["incarnation"] == record["incarnation"], name
        assert after["created_at"] == record["created_at"], name
        assert after["state"] == record["state"] and after["schedule"] == record["schedule"], name
    assert sorted(shared("export", "--group", "same").stdout.splitlines()) == \
        sorted(lines.splitlines())
    fresh = shared("export", "--group", "same", "--no-incarnation").stdout
    assert "incarnation" not in fresh
    shared("delete", "same/cron", "--wait")
    shared("put", "same/cron", "--every", "1h", "--wait")
    refused = shared("import", "-", stdin=lines, expect=8)
    assert "another incarnation" in refused.stderr, refused.stderr
    shared("import", "-", stdin=fresh)
    shared("delete", "--group", "same", "--wait")


def test_import_checks_before_it_sends(shared: Cluster) -> None:
    bad = jobs_text([job("checked", 1), {"group": "checked", "id": "2", "schedule": {"every": "x"}},
                     {"group": "checked", "id": "3", "schedule": {"cron": "0 25 * * *"}}])
    done = shared("import", "-", stdin=bad, expect=1)
    assert "job 2 (checked/2)" in done.stderr and "job 3 (checked/3)" in done.stderr
    assert "Nothing was sent" in done.stderr
    assert shared.names("--group", "checked") == []
    twice = jobs_text([job("checked", 1), job("checked", 1)])
    assert "checked/1 is in it twice" in shared("import", "-", stdin=twice, expect=1).stderr
    shared("import", "-", "--dry-run", stdin=jobs_text([job("checked", 1)]))
    assert shared.names("--group", "checked") == []


def test_import_tells_what_was_refused(shared: Cluster) -> None:
    """A topic that is not on the daemon's list is known to the daemon only."""
    text = jobs_text([job("refused", 1), job("refused", 2, topic="not-allowed")])
    done = shared("import", "-", stdin=text, expect=None)
    assert done.returncode in (1, 8) and "refused/2: topic_not_allowed" in done.stderr


def test_import_goes_on_after_an_interruption(shared: Cluster) -> None:
    text = jobs_text([job(f"resumed{n % 5}", n) for n in range(3000)])
    shared.daemon.sigstop()
    try:
        done = shared("import", "-", "--wait=1s", stdin=text, expect=5)
        assert "0 of 3000 jobs of the file are done; go on with --skip 0" in done.stderr
    finally:
        shared.daemon.sigcont()
    shared("import", "-", stdin=text, deadline_s=60)
    shared.wait_names(3000, *(arg for n in range(5) for arg in ("--group", f"resumed{n}")))


def test_progress_only_on_a_terminal(shared: Cluster, tmp: Path) -> None:
    path = tmp / "jobs.ndjson"
    path.write_text(jobs_text([job(f"bar{n % 9}", n) for n in range(20_000)]))
    assert "importing" not in shared("import", path, deadline_s=60).stderr
    shown = shared.terminal("import", path)
    assert "importing  [#" in shown and "\x1b[K" in shown
    shared("delete", *(arg for n in range(9) for arg in ("--group", f"bar{n}")), "--wait=1m",
           deadline_s=120)


# --- diff and apply -------------------------------------------------------------------------------


def test_diff_and_apply(shared: Cluster) -> None:
    first = [job("app", n, labels={"by": "git"}) for n in range(3)]
    shared("apply", "-f", "-", stdin=jobs_text(first))
    assert shared.names("--group", "app") == ["app/0", "app/1", "app/2"]
    shared("put", "app/other", "--every", "1h", "--wait")
    wanted = [first[0], {**first[1], "payload": {"new": True}}, job("app", 9, labels={"by": "git"})]
    text = jobs_text(wanted)
    shown = shared("diff", "-", "--prune", "--label", "by=git", stdin=text, expect=1)
    assert shown.stdout.splitlines() == ["~ app/1", "    payload        (none) -> {\"new\":true}",
                                         "- app/2", "+ app/9"]
    assert "1 to be added, 1 changed, 1 deleted, 1 equal" in shown.stderr
    changes = shared.json("diff", "-", "--prune", "--label", "by=git", stdin=text, expect=1)
    assert [(c["id"], c["change"]) for c in changes] == \
        [("1", "changed"), ("2", "deleted"), ("9", "added")]
    assert changes[0]["fields"] == {"payload": {"to": {"new": True}}}
    shared("apply", "-f", "-", "--prune", "--label", "by=git", "--dry-run", stdin=text)
    assert shared.names("--group", "app") == ["app/0", "app/1", "app/2", "app/other"]
    shared("apply", "-f", "-", "--prune", "--label", "by=git", stdin=text)
    assert shared.names("--group", "app") == ["app/0", "app/1", "app/9", "app/other"]
    assert shared.json("get", "app/1")["payload"] == {"new": True}
    assert shared.json("get", "app/0")["revision"] == 1, "an equal job was written"
    assert shared("diff", "-", stdin=text).stdout == ""


def test_apply_never_prunes_by_mistake(shared: Cluster) -> None:
    shared("put", "prune/a", "--every", "1h", "--wait")
    text = jobs_text([job("prune", 1)])
    assert "among which jobs" in shared("apply", "-f", "-", "--prune", stdin=text, expect=2).stderr
    assert "without it" in shared("apply", "-f", "-", "--group", "prune", stdin=text,
                                  expect=2).stderr
    # A file of which not everything could be put deletes nothing.
    bad = jobs_text([job("prune", 1, topic="not-allowed")])
    shared("apply", "-f", "-", "--prune", "--group", "prune", stdin=bad, expect=1)
    assert shared.names("--group", "prune") == ["prune/a"]


def test_apply_leaves_a_pause_alone(shared: Cluster) -> None:
    text = jobs_text([job("held", 1)])
    shared("apply", "-f", "-", stdin=text)
    shared("pause", "held/1", "--wait")
    shared("apply", "-f", "-", stdin=jobs_text([job("held", 1, payload=2)]))
    record = shared.json("get", "held/1")
    assert record["state"] == "paused" and record["payload"] == 2


# --- describe -------------------------------------------------------------------------------------


def moment(before: timedelta = timedelta()) -> str:
    return (datetime.now(timezone.utc) - before).isoformat(timespec="milliseconds")


def test_describe(shared: Cluster) -> None:
    shared("add", "told/a", "--every", "1s", "--payload", '"x"', "--wait")

    def fired() -> bool:
        return len(shared.json("describe", "told/a")["fires"]) >= 2

    wait_for(fired, 60, "two fires")
    shared("pause", "told/a", "--wait")
    told = shared.json("describe", "told/a")
    assert told["job"]["state"] == "paused" and told["next_due"] == []
    assert told["fires"][-1]["jobid"] == "a" and "data" not in told["fires"][-1]
    due = told["fires"][-1]["dueat"]
    why = shared.json("describe", "told/a", "--why", due)["why"]
    assert why["code"] == "fired" and told["fires"][-1]["id"] in why["message"]
    shared("resume", "told/a", "--wait")
    told = shared.json("describe", "told/a")
    assert len(told["next_due"]) == 10 and told["events"][-1]["event"] == "resumed"
    left_out = datetime.fromisoformat(due.replace("Z", "+00:00")) + timedelta(seconds=1)
    to = datetime.fromisoformat(told["events"][-1]["to"].replace("Z", "+00:00"))
    if left_out <= to:
        assert shared.json("describe", "told/a", "--why", left_out.isoformat())["why"]["code"] == \
            "paused"
    assert shared.json("describe", "told/a", "--why", moment(timedelta(days=2)))["why"]["code"] == \
        "not_added_yet"
    shown = shared("describe", "told/a").stdout
    for heading in ("Next due", "Last fires", "Last events", "told/a  (active"):
        assert heading in shown, shown
    assert "belfry list" in shared("describe", "told/none", expect=3).stderr
    assert "--why" in shared("describe", "told/a", "--why", "yesterday", expect=2).stderr
    shared("delete", "told/a", "--wait")


def test_tables_fit_the_terminal(shared: Cluster) -> None:
    name = "wide/" + "n" * 150
    shared("put", name, "--cron", "0 4 * * *", "--label", "long=" + "v" * 200, "--wait")
    for columns in (60, 100):
        shown = shared.terminal("list", "--group", "wide", columns=columns)
        plain = shown.replace("\x1b[1m", "").replace("\x1b[32m", "").replace("\x1b[0m", "")
        assert "\x1b[" in shown and max(map(len, plain.splitlines())) <= columns, plain


def test_nothing_foreign_reaches_the_terminal(shared: Cluster) -> None:
    evil = "\u202e\u009b31m\u2066"
    shared("put", "evil/a", "--at", FAR, "--wait", "--payload",
           json.dumps(evil, ensure_ascii=False))
    shared("trigger", "evil/a", "--wait")
    with CommandClient(shared.kafka.bootstrap, CLUSTER) as client:
        client.call(f'{{"op":"add","evil":"{evil}"}}', outcome="rejected", key="evil")
    for words in (["get", "evil/a"], ["get", "evil/a", "-o", "json"], ["export", "--group", "evil"],
                  ["list", "--group", "evil", "-o", "ndjson"], ["describe", "evil/a"],
                  ["describe", "evil/a", "-o", "json"], ["dead", "list", "--group", "evil"],
                  ["dead", "list", "--group", "evil", "-o", "json"],
                  ["dead", "requeue", "--group", "evil", "--dry-run"],
                  ["tail", "fires", "--group", "evil", "--from-beginning", "--no-follow", "-o",
                   "json"]):
        shown = shared.terminal(*words)
        assert "evil" in shown and not set(evil[:2] + evil[-1]) & set(shown), (words, shown)
    assert evil in shared("export", "--group", "evil").stdout, "a pipe gets it as it is"


# --- dead letters ---------------------------------------------------------------------------------


def test_requeue(shared: Cluster) -> None:
    with CommandClient(shared.kafka.bootstrap, CLUSTER) as client:
        client.call("no JSON", outcome="rejected", key="lost")
        client.call({"op": "add", "command_id": "lost-1", "not_after": FAR, "colour": 1,
                     "job": job("lost", 1)}, outcome="rejected", key="lost")
    letters = [json.loads(line) for line in
               shared("dead", "list", "--group", "lost", "-o", "ndjson").stdout.splitlines()]
    place = {letter["value"][:7]: f"{letter['partition']}/{letter['offset']}"
             for letter in letters}
    done = shared("dead", "requeue", place["no JSON"], expect=1)
    assert "mend it" in done.stderr
    other = next(value for key, value in place.items() if key != "no JSON")
    planned = shared("dead", "requeue", other, "--dry-run").stdout
    assert json.loads(planned)["correlation_id"] == "lost-1"
    # The field is still unknown to the daemon: refused again, under the new id, as a new letter.
    again = json.loads(shared("dead", "requeue", other, "-o", "json", expect=1).stdout)
    assert again["command_id"] == f"requeue-{other.replace('/', '-')}"
    assert again["code"] == "unknown_field" and again["correlation_id"] == "lost-1"
    shared("dead", "requeue", "3/999999", expect=3)
    shared("dead", "requeue", expect=2)
    shared("dead", "requeue", "x", expect=2)


def test_requeue_of_a_binary_cloudevent(shared: Cluster) -> None:
    """Its headers are in the letter, so the command that comes back is the same one."""
    event = {"ce_specversion": "1.0", "ce_id": "order-7", "ce_source": "/shop", "ce_type": "x",
             "content-type": "application/json", "traceparent": "00-1-2-01", "dlq_code": "forged"}
    lost = {"op": "add", "not_after": FAR, "colour": 1, "job": job("lostevent", 1)}
    with CommandClient(shared.kafka.bootstrap, CLUSTER) as client:
        sent = client.send(lost, key="lostevent", headers=event)
        assert client.results(sent)[0]["command_id"] == "order-7"
    letter = json.loads(shared("dead", "list", "--group", "lostevent", "-o", "ndjson").stdout)
    headers = letter["headers"]
    assert {name: headers[name] for name in event if name != "dlq_code"} == {
        name: value for name, value in event.items() if name != "dlq_code"}, headers
    assert headers["dlq_code"] == "unknown_field", "nobody else says dlq_"
    place = f"{letter['partition']}/{letter['offset']}"
    planned = json.loads(shared("dead", "requeue", place, "--dry-run").stdout)
    assert planned == {"command_id": f"requeue-{place.replace('/', '-')}",
                       "correlation_id": "order-7", **lost}


# --- verify and doctor ----------------------------------------------------------------------------


def test_verify_sees_what_was_changed_in_redis(shared: Cluster) -> None:
    shared("put", "ver/a", "--every", "1h", "--wait")
    shared("put", "ver/b", "--every", "1h", "--wait")
    assert "say the same" in shared("verify", deadline_s=60).stderr
    shard = shard_of("ver", SHARDS)
    key = f"{CLUSTER}:{{{shard}}}:jobs"
    redis = shared.redis.client()
    text = redis.hget(key, "ver/a")
    redis.hset(key, "ver/a", text.replace('"1h"', '"2h"'))
    redis.hdel(key, "ver/b")
    redis.hset(key, "ver/c", text)
    done = shared("verify", expect=1, deadline_s=60)
    for line in ("ver/a: different", "ver/b: missing in Redis", "ver/c: in Redis only"):
        assert line in done.stderr, done.stderr
    # What it says to do mends it.
    redis.delete(f"{CLUSTER}:{{{shard}}}:snapshot")
    shared("put", "ver/a", "--every", "1h", "--payload", "1", "--wait")
    wait_for(lambda: shared("verify", expect=None, deadline_s=60).returncode == 0, 60,
             "Redis and the log to say the same")


def findings(shared: Cluster, *args: object, expect: int) -> dict[str, str]:
    found = json.loads(belfry(shared.kafka, shared.redis, CLUSTER, "doctor", "-o", "json", *args,
                              expect=expect, deadline_s=60).stdout)
    ranks = ["ok", "warn", "bad"]
    worst: dict[str, str] = {}
    for finding in found:
        check = finding["check"]
        worst[check] = max(worst.get(check, "ok"), finding["status"], key=ranks.index)
    return worst


def test_doctor_names_brokers_that_let_transactions_hang(shared: Cluster) -> None:
    """Kafka checks whose a transaction is since 3.6, and only while it is told to."""
    admin = AdminClient(client_options(shared.kafka.bootstrap))
    name = "transaction.partition.verification.enable"
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")

    def switch(value: str) -> None:
        admin.alter_configs([ConfigResource(broker.restype, broker.name, {name: value})]
                            )[broker].result(30)
        wait_for(lambda: admin.describe_configs([broker])[broker].result(30)[name].value == value,
                 60, f"{name}={value}")

    assert findings(shared, expect=0)["brokers"] == "ok"
    switch("false")
    try:
        said = shared("doctor").stdout
        assert "broker 1 does not check whose a transaction is" in said, said
        assert findings(shared, expect=0)["brokers"] == "warn"
    finally:
        switch("true")


def test_doctor(shared: Cluster) -> None:
    worst = findings(shared, expect=0)
    for check in ("kafka", "brokers", "topics", "shards", "clock", "checkpoint"):
        assert worst[check] == "ok", worst
    redis = shared.redis.client()
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert findings(shared, expect=0)["redis"] == "warn"
        assert "noeviction" in shared("doctor").stdout
    finally:
        redis.config_set("maxmemory-policy", "noeviction")
    assert findings(shared, "--kafka", "127.0.0.1:1", expect=1)["kafka"] == "bad"
    assert findings(shared, "--redis", "redis://127.0.0.1:1", expect=1)["redis"] == "bad"
    nowhere = shared("doctor", "--cluster", "nowhere", expect=1).stdout
    assert "start belfryd" in nowhere
    shared.daemon.sigstop()
    try:
        assert findings(shared, expect=1)["shards"] == "bad"
    finally:
        shared.daemon.sigcont()
    wait_for(lambda: shared("ping", expect=None).returncode == 0, 60, "the daemon to answer again")
