"""Kafka and Redis that do not go together any more: belfry recover and belfry rebuild."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Iterator

import confluent_kafka.admin

from harness import (
    Belfryd, CommandClient, Kafka, Redis, belfry, client_options, read_all, wait_for)
from programs import on_terminal
from scenario import ALL, group_on, now_ms

SHARDS = 2
GROUPS = [group_on(0, SHARDS), group_on(1, SHARDS)]


def setup() -> Iterator[Kafka]:
    """The Kafka that comes after the one that was lost."""
    with Kafka() as kafka:
        yield kafka


class World:
    """One cluster name and its Redis, with daemons on one Kafka or the other."""

    def __init__(self, redis: Redis, cluster: str):
        self.redis, self.cluster = redis, cluster

    def daemon(self, kafka: Kafka) -> Belfryd:
        return Belfryd(kafka, self.redis, self.cluster, shards=SHARDS).start()

    def belfry(self, kafka: Kafka, *args: object, expect: int | None = 0, **more: Any
               ) -> subprocess.CompletedProcess[str]:
        return belfry(kafka, self.redis, self.cluster, *args, expect=expect, **more)

    def plan(self, kafka: Kafka, source: str, *args: object, expect: int = 0
             ) -> list[dict[str, Any]]:
        done = self.belfry(kafka, "recover", "--from", source, "--dry-run", "-o", "json", *args,
                           expect=expect)
        return json.loads(done.stdout)

    def jobs(self) -> dict[str, dict[str, Any]]:
        client = self.redis.client()
        return {name: json.loads(text) for shard in range(SHARDS)
                for name, text in client.hgetall(f"{self.cluster}:{{{shard}}}:jobs").items()}

    def snapshots(self) -> list[dict[str, str]]:
        client = self.redis.client()
        return [client.hgetall(f"{self.cluster}:{{{shard}}}:snapshot") for shard in range(SHARDS)]

    def wait_jobs(self, count: int) -> None:
        def whole() -> bool:
            counts = [int(s.get("job_count", -1)) for s in self.snapshots()]
            return sum(counts) == count == len(self.jobs())
        wait_for(whole, 60, f"{count} jobs in Redis")

    def keys(self) -> dict[str, bytes]:
        """All of the cluster's keys as Redis dumps them."""
        client = self.redis.client()
        raw = type(client)(port=self.redis.port)
        return {key.decode(): raw.dump(key) for key in raw.keys(f"{self.cluster}:*")}

    def put_back(self, keys: dict[str, bytes]) -> None:
        raw = type(self.redis.client())(port=self.redis.port)
        for key in raw.keys(f"{self.cluster}:*"):
            raw.delete(key)
        for key, dump in keys.items():
            raw.restore(key, 0, dump)


def fires(kafka: Kafka, cluster: str) -> list[dict[str, Any]]:
    return [record.json for record in read_all(kafka.bootstrap, f"{cluster}.fires")]


def kept(job: dict[str, Any]) -> dict[str, Any]:
    """What an ordinary fire does not change."""
    return {name: value for name, value in job.items()
            if name not in ("fired", "missed", "last_due")}


def fill(world: World, kafka: Kafka) -> dict[str, dict[str, Any]]:
    """A job of each kind on each shard: firing, paused, updated, counted, deleted."""
    with CommandClient(kafka.bootstrap, world.cluster) as client:
        for group in GROUPS:
            def job(name: str, **more: Any) -> dict[str, Any]:
                return {"group": group, "id": name, "catchup": ALL, **more}
            client.call({"op": "add", "command_id": f"add-{group}", "jobs": [
                job("tick", schedule={"every": "1s", "anchor": "epoch"}),
                job("three", schedule={"every": "1s", "anchor": "epoch"}, max_fires=100),
                job("still", schedule={"cron": "0 0 1 1 *", "zone": "Europe/Berlin"}),
                job("edited", schedule={"every": "1h"}), job("gone", schedule={"every": "1h"})]})
            client.call({"op": "pause", "select": {"ids": ["still"], "groups": [group]},
                         "reason": "kept"})
            client.call({"op": "update", "select": {"ids": ["edited"], "groups": [group]},
                         "set": {"payload": {"n": 2}}})
            client.call({"op": "delete", "select": {"ids": ["gone"], "groups": [group]}})
    world.wait_jobs(4 * SHARDS)
    wait_for(lambda: len(fires(kafka, world.cluster)) >= 6, 60, "fires")
    return world.jobs()


def slots(all_fires: list[dict[str, Any]], name: str) -> list[int]:
    return [int(fire["id"].split("@")[1]) for fire in all_fires if fire["jobid"] == name]


def test_kafka_was_lost(kafka: Kafka, shared: Kafka, redis: Redis, cluster: str) -> None:
    """Everything goes on in a new Kafka as of the checkpoint: nothing lost, the same ids."""
    world = World(redis, cluster)
    daemon = world.daemon(kafka).wait_live()
    with ThreadPoolExecutor() as beside:  # it waits for the daemons to be gone
        refused = beside.submit(world.belfry, kafka, "recover", "--from", "redis", "--force",
                                "--yes", "--timeout", "3s", expect=1, deadline_s=60)
        fill(world, kafka)
        assert "stop them first" in refused.result().stderr
    daemon.kill9()
    before, marks = world.jobs(), world.snapshots()
    old_fires = fires(kafka, cluster)

    daemon = world.daemon(shared)
    assert daemon.wait_exit() == 1
    message = daemon.events("daemon.failed")[0]["message"]
    assert "belfry recover" in message and "Kafka" in message, message

    plan = world.plan(shared, "redis")
    assert [shard["action"] for shard in plan] == ["write"] * SHARDS, plan
    assert [shard["jobs"] for shard in plan] == [4] * SHARDS, plan
    assert world.snapshots() == marks and world.jobs() == before, "a dry run changes nothing"
    world.belfry(shared, "recover", "--from", "redis", expect=2)
    assert world.snapshots() == marks, "unasked it changes nothing"
    # Commands for the new Kafka count from its beginning; those lost with the old one are lost.
    new = group_on(0, SHARDS, "new")
    with CommandClient(shared.bootstrap, cluster) as client:
        sent = client.send({"op": "add", "command_id": "early", "job": {
            "group": new, "id": "early", "schedule": {"every": "1h"}}})
        again = client.send({"op": "add", "command_id": f"add-{GROUPS[0]}", "job": {
            "group": GROUPS[0], "id": "more", "schedule": {"every": "1h"}}})
        done = world.belfry(shared, "recover", "--from", "redis", "--yes")
        assert "8 jobs" in done.stderr and "generation 2" in done.stderr, done.stderr
        assert all(int(s["generation"]) == 2 for s in world.snapshots())
        world.belfry(shared, "verify")
        repeated = world.belfry(shared, "recover", "--from", "redis", "--yes")
        assert "nothing is to be done" in repeated.stderr, repeated.stderr

        daemon = world.daemon(shared).wait_live()
        assert {e["from_store"] for e in daemon.events("shard.restored")} == {"yes"}
        assert client.results(sent)[0]["outcome"] == "applied"
        assert client.results(again)[0]["outcome"] == "duplicate", "command ids are remembered"
    world.wait_jobs(9)
    after = world.jobs()
    for name, job in before.items():
        found = kept(after[name])
        if name.endswith("three"):
            assert found.pop("counted_fires") >= job["counted_fires"]
        assert found == {k: v for k, v in kept(job).items()
                         if not (name.endswith("three") and k == "counted_fires")}, name
    until = now_ms()
    wait_for(lambda: all(max(slots([f for f in fires(shared, cluster) if f["jobgroup"] == group],
                                   "tick"), default=0) >= until for group in GROUPS),
             60, "fires go on")
    new_fires = fires(shared, cluster)
    for shard, group in enumerate(GROUPS):
        watermark = int(marks[shard]["watermark_ms"])
        ours = [fire for fire in new_fires if fire["jobgroup"] == group]
        incarnation = before[f"{group}/tick"]["incarnation"]
        nominal = slots(ours, "tick")
        due = [at for at in range(watermark // 1000 * 1000 + 1000, until, 1000)]
        assert set(due) <= set(nominal), "each slot after the checkpoint, at least once"
        assert min(nominal) > watermark, "what was before it is done"
        assert len(nominal) == len(set(nominal)), "and once in this Kafka"
        assert {f["id"].split("@")[0] for f in ours if f["jobid"] == "tick"} == {incarnation}
        old = slots([f for f in old_fires if f["jobgroup"] == group], "tick")
        assert set(range(min(old), watermark + 1, 1000)) <= set(old), "nothing before it is lost"
        assert not slots(ours, "still") and not slots(ours, "edited")
    daemon.terminate()


def test_killed_in_the_middle_and_repeated(kafka: Kafka, shared: Kafka, redis: Redis,
                                           cluster: str) -> None:
    """At each point: no daemon takes what is half written, and the next run brings all."""
    world = World(redis, cluster)
    daemon = world.daemon(kafka).wait_live()
    fill(world, kafka)
    daemon.terminate()
    before = world.jobs()
    reached, reasons = [], []
    for point in ("init.after:1", "commit.after:1", "produce.after:3", "commit.before:2",
                  "commit.after:2", "checkpoint.after:1", "produce.before:4"):
        done = world.belfry(shared, "recover", "--from", "redis", "--yes", expect=None,
                            env={"BELFRY_FAULT": point})
        assert done.returncode == -signal.SIGKILL, (point, done.stderr)
        assert world.jobs() == before
        plan = world.plan(shared, "redis")
        reached.append([shard["kafka"] is not None for shard in plan])
        reasons.append(plan[0]["reason"])
        if point == "commit.before:2":
            assert "not ended" in plan[0]["reason"], plan
            refused = world.plan(shared, "kafka", expect=1)
            assert "half written" in refused[0]["reason"], refused
            meta = redis.client().hgetall(f"{cluster}:meta")
            redis.client().hset(f"{cluster}:meta", "kafka_cluster_id",
                                _kafka_id(shared))  # as if only the topics were lost
            daemon = world.daemon(shared)
            failed = daemon.wait_event("shard.failed", 60, shard=0)[0]
            assert "recover_unfinished" in failed["message"], failed
            assert daemon.wait_exit() == 1, "none of its shards can be run"
            redis.client().hset(f"{cluster}:meta", mapping=meta)
    assert reached[0] == [False, False] and reached[-1] == [True, True], reached
    assert "another Kafka" in reasons[0] and "agree" in reasons[-1], reasons
    world.belfry(shared, "recover", "--from", "redis", "--yes", deadline_s=60)
    daemon = world.daemon(shared).wait_live()
    assert {name: kept(job) for name, job in world.jobs().items()
            if not name.endswith(("tick", "three"))} == {
        name: kept(job) for name, job in before.items() if not name.endswith(("tick", "three"))}
    world.belfry(shared, "verify")
    daemon.terminate()


def _kafka_id(kafka: Kafka) -> str:
    admin = confluent_kafka.admin.AdminClient(client_options(kafka.bootstrap))
    return str(admin.list_topics(timeout=10).cluster_id)


def test_redis_is_of_another_time(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """A Redis ahead of the log, then one of before a recover: the state log counts."""
    world = World(redis, cluster)
    daemon = world.daemon(kafka).wait_live()
    fill(world, kafka)
    daemon.terminate()
    early = world.keys()
    client = redis.client()
    for shard in range(SHARDS):  # as a Redis that belongs to a longer history
        client.hincrby(f"{cluster}:{{{shard}}}:snapshot", "sequence", 100000)
        client.hdel(f"{cluster}:{{{shard}}}:jobs", f"{GROUPS[shard]}/edited")
        client.zrem(f"{cluster}:{{{shard}}}:groups", f"{GROUPS[shard]}/edited")
        for count in ("job_count", "held_jobs"):
            client.hincrby(f"{cluster}:{{{shard}}}:snapshot", count, -1)
    daemon = world.daemon(kafka)
    assert daemon.wait_exit() == 1
    reason = daemon.events("shard.failed", shard=0)[0]["message"]
    assert "state_lost" in reason and "belfry recover" in reason, reason
    world.belfry(kafka, "recover", "--from", "kafka", expect=2)
    code, shown = on_terminal(kafka, redis, cluster, "recover", "--from", "kafka", typed="no\n")
    assert code == 1 and "Type yes" in shown and "nothing was changed" in shown, shown
    assert len(client.keys(f"{cluster}:{{0}}:*")) > 2, "unasked it changes nothing"
    # A cluster of more shards was there: they go, too.
    client.hset(f"{cluster}:meta", "shards", SHARDS + 1)
    client.hset(f"{cluster}:{{{SHARDS}}}:jobs", "a/b", "{}")
    refused = world.belfry(kafka, "recover", "--from", "redis", "--yes", expect=1)
    assert "do not go together" in refused.stderr, refused.stderr
    world.belfry(kafka, "rebuild", expect=1)
    code, shown = on_terminal(kafka, redis, cluster, "recover", "--from", "kafka", typed="yes\n")
    assert code == 0 and "can be started" in shown, shown
    assert not client.keys(f"{cluster}:{{*"), "Redis has forgotten the shards"
    assert client.hget(f"{cluster}:meta", "shards") == str(SHARDS)
    daemon = world.daemon(kafka).wait_live()
    assert {e["from_store"] for e in daemon.events("shard.restored")} == {"no"}
    world.wait_jobs(8)
    assert f"{GROUPS[0]}/edited" in world.jobs()
    assert all(int(snapshot["generation"]) == 2 for snapshot in world.snapshots())
    with CommandClient(kafka.bootstrap, cluster) as commands:
        commands.call({"op": "delete", "select": {"groups": GROUPS, "ids": ["edited"]}})
    world.wait_jobs(6)
    daemon.terminate()
    # A backup of before the recover: it is older, whatever its sequence says.
    world.put_back(early)
    for shard in range(SHARDS):
        client.hincrby(f"{cluster}:{{{shard}}}:snapshot", "state_offset", 1000000)
    daemon = world.daemon(kafka).wait_live()
    assert daemon.events("store.ignored", reason="older_generation"), daemon.tail()
    world.wait_jobs(6)
    world.belfry(kafka, "verify")
    daemon.terminate()


def test_an_empty_log_is_not_believed_by_mistake(kafka: Kafka, shared: Kafka, redis: Redis,
                                                 cluster: str) -> None:
    world = World(redis, cluster)
    daemon = world.daemon(kafka).wait_live()
    fill(world, kafka)
    daemon.terminate()
    plan = world.plan(shared, "kafka", expect=1)
    assert [shard["action"] for shard in plan] == ["refuse"] * SHARDS, plan
    done = world.belfry(shared, "recover", "--from", "kafka", "--yes", expect=1)
    assert "forgotten" in done.stdout and "--force" in done.stderr, done
    assert len(world.jobs()) == 8
    # A log that is well is not put back to an older checkpoint.
    plan = world.plan(kafka, "redis")
    assert [shard["action"] for shard in plan] == ["nothing"] * SHARDS, plan
    done = world.belfry(kafka, "recover", "--from", "redis", "--yes")
    assert "nothing is to be done" in done.stderr, done.stderr
    kept_keys = world.keys()
    world.belfry(shared, "recover", "--from", "kafka", "--yes", "--force")
    daemon = world.daemon(shared).wait_live()
    world.wait_jobs(0)
    with CommandClient(shared.bootstrap, cluster) as client:
        client.call({"op": "add", "command_id": "late", "job": {
            "group": GROUPS[0], "id": "late", "schedule": {"every": "1h"}}})
    world.wait_jobs(1)
    daemon.terminate()
    # The old Redis after all: what only the log has is removed from it, and the command that is
    # younger than the checkpoint acts again.
    world.put_back(kept_keys)
    world.belfry(shared, "recover", "--from", "redis", "--yes")
    world.belfry(shared, "verify")
    redis.client().flushall()
    world.belfry(shared, "rebuild")
    assert len(world.jobs()) == 8 and f"{GROUPS[0]}/late" not in world.jobs()
    daemon = world.daemon(shared).wait_live()
    world.wait_jobs(9)
    assert f"{GROUPS[0]}/late" in world.jobs()
    with CommandClient(shared.bootstrap, cluster) as client:  # remembered ids are in the log, too
        client.call({"op": "add", "command_id": f"add-{GROUPS[1]}", "job": {
            "group": GROUPS[1], "id": "more", "schedule": {"every": "1h"}}}, outcome="duplicate")
    daemon.terminate()


def test_more_jobs_than_a_transaction(kafka: Kafka, shared: Kafka, redis: Redis, cluster: str,
                                      tmp: Path) -> None:
    """Several transactions a shard, killed between two of them; then all are there."""
    world = World(redis, cluster)
    count = 24_000  # 18,000 of them on shard 0: more than a transaction holds
    path = tmp / "jobs.ndjson"
    path.write_text("".join(
        json.dumps({"group": GROUPS[n % 4 == 0], "id": str(n), "schedule": {"every": "1h"},
                    "payload": n}) + "\n" for n in range(count)))
    daemon = world.daemon(kafka).wait_live()
    world.belfry(kafka, "import", path, deadline_s=60)
    world.wait_jobs(count)
    daemon.terminate()
    before = world.jobs()
    for point in ("commit.after:2", "produce.after:16000"):
        done = world.belfry(shared, "recover", "--from", "redis", "--yes", expect=None,
                            env={"BELFRY_FAULT": point})
        assert done.returncode == -signal.SIGKILL, (point, done.stderr)
        assert "not ended" in world.plan(shared, "redis")[0]["reason"]
    begin = time.monotonic()
    done = world.belfry(shared, "recover", "--from", "redis", "--yes", deadline_s=60)
    print(f"recover_24k_s={time.monotonic() - begin:.1f}")
    assert "24,000 jobs" in done.stderr, done.stderr
    redis.client().flushall()  # what is in the log now is all there is
    done = world.belfry(shared, "rebuild", deadline_s=60)
    assert "24,000 jobs" in done.stderr, done.stderr
    assert world.jobs() == before
    world.belfry(shared, "verify", deadline_s=60)


def test_rebuild_without_and_with_a_daemon(kafka: Kafka, redis: Redis, cluster: str) -> None:
    world = World(redis, cluster)
    daemon = world.daemon(kafka).wait_live()
    fill(world, kafka)
    daemon.terminate()
    before = world.jobs()
    redis.client().flushall()
    done = world.belfry(kafka, "rebuild")
    assert "8 jobs" in done.stderr and "no daemon" in done.stderr, done.stderr
    assert {n: kept(j) for n, j in world.jobs().items()} == {n: kept(j) for n, j in before.items()}
    world.belfry(kafka, "verify")
    assert len(world.belfry(kafka, "list", "-o", "name").stdout.split()) == 8
    daemon = world.daemon(kafka).wait_live()
    assert {e["from_store"] for e in daemon.events("shard.restored")} == {"yes"}, "it is of use"
    redis.client().flushall()
    done = world.belfry(kafka, "rebuild", deadline_s=60)
    assert "8 jobs" in done.stderr and "the daemons" in done.stderr, done.stderr
    world.belfry(kafka, "verify")
    # One job is wrong, and no count tells: verify names the way out.
    key, name = f"{cluster}:{{1}}:jobs", f"{GROUPS[1]}/edited"
    text = redis.client().hget(key, name)
    redis.client().hset(key, name, text.replace("\"created_at\":\"20", "\"created_at\":\"19"))
    told = world.belfry(kafka, "verify", expect=1)
    assert "rebuild --shard 1" in told.stderr, told.stderr
    world.belfry(kafka, "rebuild", "--shard", 1, deadline_s=60)
    world.belfry(kafka, "verify")
    world.belfry(kafka, "rebuild", "--shard", SHARDS, expect=2)
    daemon.terminate()


def test_rebuild_is_fenced_by_what_is_newer(kafka: Kafka, redis: Redis, cluster: str) -> None:
    world = World(redis, cluster)
    daemon = world.daemon(kafka).wait_live()
    fill(world, kafka)
    daemon.terminate()
    client = redis.client()
    client.hincrby(f"{cluster}:{{0}}:writer", "epoch", 5)
    before = world.jobs()
    done = world.belfry(kafka, "rebuild", "--shard", 0, expect=1)
    assert "a daemon" in done.stderr and world.jobs() == before, done.stderr
    client.hincrby(f"{cluster}:{{1}}:snapshot", "sequence", 100000)
    done = world.belfry(kafka, "rebuild", "--shard", 1, expect=1)
    assert "belfry recover" in done.stderr and world.jobs() == before, done.stderr


def test_usage(kafka: Kafka, redis: Redis, cluster: str) -> None:
    world = World(redis, cluster)
    assert "--from redis" in world.belfry(kafka, "recover", expect=2).stderr
    world.belfry(kafka, "recover", "--from", "zookeeper", expect=2)
    world.belfry(kafka, "recover", "--from", "redis", "--yes", expect=1)
    world.belfry(kafka, "rebuild", "--shard", "x", expect=2)
    world.belfry(kafka, "recover", "--from", "redis", "--kafka", "127.0.0.1:1", "--timeout", "1s",
                 expect=6)
