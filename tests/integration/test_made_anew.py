"""An input topic that is deleted and made anew, a state log whose records were deleted or put back
to older ones: a shard does not go on as if nothing had been, and the operator gets it going."""

from __future__ import annotations

import json
import time

import confluent_kafka
import confluent_kafka.admin

from harness import (
    Belfryd, CommandClient, Kafka, Redis, belfry, client_options, create_topic, produce, read_all,
    wait_for)


def _add(number: int) -> dict[str, object]:
    return {"op": "add", "command_id": f"add-{number}", "job": {
        "group": "g", "id": f"job-{number}", "schedule": {"every": "1h"}}}


def _admin(kafka: Kafka) -> confluent_kafka.admin.AdminClient:
    return confluent_kafka.admin.AdminClient(client_options(kafka.bootstrap))


def _make_anew(kafka: Kafka, name: str) -> None:
    admin = _admin(kafka)
    admin.delete_topics([name])[name].result(timeout=30)
    wait_for(lambda: name not in admin.list_topics(timeout=5).topics, 60, f"{name} is gone")
    create_topic(kafka.bootstrap, name, config={"message.timestamp.type": "LogAppendTime"})


def _cut(kafka: Kafka, name: str) -> None:
    """All its records are deleted; its offsets go on."""
    admin = _admin(kafka)
    resource = confluent_kafka.admin.ConfigResource(
        confluent_kafka.admin.ResourceType.TOPIC, name, incremental_configs=[
            confluent_kafka.admin.ConfigEntry(
                "cleanup.policy", "compact,delete",
                incremental_operation=confluent_kafka.admin.AlterConfigOpType.SET)])
    admin.incremental_alter_configs([resource])[resource].result(timeout=30)
    partition = confluent_kafka.TopicPartition(name, 0, confluent_kafka.OFFSET_END)
    admin.delete_records([partition])[partition].result(timeout=30)


def _jobs(redis: Redis, cluster: str) -> set[str]:
    return set(redis.client().hkeys(f"{cluster}:{{0}}:jobs"))


def _add_five(commands: CommandClient) -> None:
    for number in range(5):
        commands.call(_add(number), outcome="applied")


def _refusal(daemon: Belfryd) -> str:
    """Why the daemon, started now, cannot run its only shard."""
    daemon.start()
    assert daemon.wait_exit(60) == 1
    return str(daemon.events("shard.failed", shard=0)[0]["message"])


def _recovered(kafka: Kafka, redis: Redis, daemon: Belfryd, source: str) -> None:
    belfry(kafka, redis, daemon.cluster, "recover", "--from", source, "--yes")
    daemon.start().wait_live()
    wait_for(lambda: len(_jobs(redis, daemon.cluster)) == 20, 60, "all commands are applied")
    belfry(kafka, redis, daemon.cluster, "verify")


def test_control_made_anew(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """15 commands in the new topic, the mark at 6: none of them may be passed over."""
    daemon = Belfryd(kafka, redis, cluster, shards=1).start().wait_live()
    with CommandClient(kafka.bootstrap, cluster) as commands:
        _add_five(commands)
        commands.call({"op": "ping"}, outcome="applied")
    daemon.terminate()
    daemon.start().wait_live()  # the same topic: nothing is wrong
    daemon.terminate()
    _make_anew(kafka, f"{cluster}.control")
    with CommandClient(kafka.bootstrap, cluster) as commands:
        commands.send_all(_add(number) for number in range(5, 20))
    reason = _refusal(daemon)
    assert "state_lost: topic control was made anew" in reason, reason
    assert "record 5" in reason and "belfry recover" in reason, reason
    assert len(_jobs(redis, cluster)) == 5, "nothing was touched"
    _recovered(kafka, redis, daemon, "kafka")
    daemon.terminate()


def test_control_made_anew_and_empty(kafka: Kafka, redis: Redis, cluster: str) -> None:
    daemon = Belfryd(kafka, redis, cluster, shards=1).start().wait_live()
    with CommandClient(kafka.bootstrap, cluster) as commands:
        _add_five(commands)
    daemon.terminate()
    _make_anew(kafka, f"{cluster}.control")
    reason = _refusal(daemon)
    assert "topic control ends at 0" in reason and "read it to 5" in reason, reason
    with CommandClient(kafka.bootstrap, cluster) as commands:
        commands.send_all(_add(number) for number in range(5, 20))
    _recovered(kafka, redis, daemon, "redis")
    daemon.terminate()


def test_state_log_cut_and_redis_emptied(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """It is not a new shard; begun anew it reads its commands again."""
    daemon = Belfryd(kafka, redis, cluster, shards=1).start().wait_live()
    with CommandClient(kafka.bootstrap, cluster) as commands:
        for number in range(20):
            commands.send(_add(number))
        commands.call({"op": "ping"}, outcome="applied")
    daemon.terminate()
    _cut(kafka, f"{cluster}.state")
    for key in redis.client().keys(f"{cluster}:*"):
        redis.client().delete(key)
    reason = _refusal(daemon)
    assert "state_lost: the state log has no mark" in reason, reason
    _recovered(kafka, redis, daemon, "kafka")
    daemon.terminate()


def _put_back(kafka: Kafka, cluster: str) -> int:
    """The state log as it was before job-5; returns the sequence it then stands at."""
    log = read_all(kafka.bootstrap, f"{cluster}.state")
    kept = log[:[record.key for record in log].index(b"job/g/job-5")]
    assert kept[-1].key == b"mark", kept[-1]
    _make_anew(kafka, f"{cluster}.state")
    produce(kafka.bootstrap, f"{cluster}.state", [(record.key, record.value) for record in kept])
    return int(json.loads(kept[-1].value)["sequence"])


def _fence(kafka: Kafka, cluster: str) -> None:
    """The shard's owner has to look where it stands."""
    confluent_kafka.Producer(client_options(
        kafka.bootstrap, transactional_id=f"{cluster}-0")).init_transactions(10)


def test_state_log_behind_its_living_owner(kafka: Kafka, cluster: str) -> None:
    """Redis is away and says nothing; what the daemon has itself committed is not there."""
    with Redis() as redis:
        daemon = Belfryd(kafka, redis, cluster, shards=1).start().wait_live()
        with CommandClient(kafka.bootstrap, cluster) as commands:
            _add_five(commands)
            redis.kill9()
            for number in range(5, 20):
                commands.call(_add(number), outcome="applied")
            daemon.sigstop()
            left = _put_back(kafka, cluster)
            _fence(kafka, cluster)
            daemon.sigcont()
            commands.send({"op": "ping"})
        reason = daemon.wait_event("shard.failed", 60, shard=0)[0]["message"]
        assert f"state_lost: the state log stands at sequence {left} (" in reason, reason
        assert "this process has committed " in reason and "belfry recover" in reason, reason
        assert int(reason.split("has committed ")[1].split()[0]) >= left + 15, reason
        time.sleep(2)
        assert daemon.running, "a daemon started in its stead would go on"
        daemon.terminate(expect=1)
        redis.restart(empty=True)
        _recovered(kafka, redis, daemon, "kafka")
        daemon.terminate()
