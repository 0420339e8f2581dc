"""A Redis that loses single keys or fields, as one that evicts does: nobody believes it."""

from __future__ import annotations

from harness import Kafka, Redis, belfry, wait_for
from scenario import Scenario, every, group_on

SHARDS = 2
JOBS = 60


def test_half_a_shard_is_not_called_whole(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        daemon = scene.daemon().wait_live()
        group = group_on(1, SHARDS)
        scene.call({"op": "add", "jobs": [every(group, f"j{n}", "1h") for n in range(JOBS)]})
        once = {"op": "trigger", "command_id": "only-once",
                "select": {"groups": [group], "ids": ["j0"]}}
        scene.call(once)
        scene.wait_stored(JOBS)
        daemon.terminate()
        key = f"{cluster}:{{1}}"
        client = redis.client()
        saved = {name: client.dump(f"{key}:{name}")
                 for name in ("jobs", "seen", "groups", "snapshot")}

        def restore() -> None:
            for name, value in saved.items():
                client.restore(f"{key}:{name}", 0, value, replace=True)

        def ends_with_8(*args: object) -> str:
            done = belfry(kafka, redis, cluster, *args, expect=8)
            assert "has lost a part of shard 1" in done.stderr, done.stderr
            return done.stdout + done.stderr

        names = sorted(client.hkeys(f"{key}:jobs"))
        client.hdel(f"{key}:jobs", *names[: JOBS // 2])
        for command in (["export"], ["list"], ["list", "-o", "name"], ["describe", names[0]]):
            assert f"{JOBS // 2} of {JOBS} jobs" in ends_with_8(*command), command
        exported = belfry(kafka, redis, cluster, "export", expect=8).stdout
        assert len(exported.splitlines()) == JOBS // 2
        belfry(kafka, redis, cluster, "describe", names[-1], expect=0)
        assert f"{JOBS // 2} of {JOBS}" in belfry(kafka, redis, cluster, "shards").stdout
        doctor = belfry(kafka, redis, cluster, "doctor", expect=None, deadline_s=60)
        assert f"{JOBS // 2} of {JOBS} jobs" in doctor.stdout, doctor.stdout
        # With its only list of a group gone, `list --group` would say that there is none.
        restore()
        client.delete(f"{key}:groups")
        assert "index by group" in ends_with_8("list", "--group", group)
        restore()
        client.delete(f"{key}:snapshot")
        ends_with_8("list")
        # A daemon takes what the state log has, and acts once on a command id that Redis forgot.
        restore()
        client.delete(f"{key}:seen")
        daemon = scene.daemon().wait_live()
        daemon.wait_event("store.ignored", shard=1, reason="not_whole")
        scene.call(once, outcome="duplicate")
        wait_for(lambda: belfry(kafka, redis, cluster, "export", expect=None).returncode == 0, 60,
                 "the shard to be whole again")


def test_a_running_daemon_mends_it(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        daemon = scene.daemon().wait_live()
        group = group_on(1, SHARDS)
        scene.call({"op": "add", "jobs": [every(group, f"j{n}", "1h") for n in range(JOBS)]})
        scene.wait_stored(JOBS)
        redis.client().delete(f"{cluster}:{{1}}:jobs")
        scene.call({"op": "put", "jobs": [every(group, "j0", "2h")]})
        daemon.wait_event("checkpoint.damaged", shard=1)
        scene.wait_stored(JOBS)
        assert belfry(kafka, redis, cluster, "export").stdout.count("\n") == JOBS
