"""Commands on wrong shards and commands for several shards: one result of each shard that applies
them, none of a shard that only forwards, whatever dies meanwhile."""

from __future__ import annotations

from typing import Any

from harness import CommandClient, Kafka, Redis, TopicReader
from scenario import Scenario, every, group_on
from topics import shard_of

SHARDS = 4
GROUPS = [group_on(shard, SHARDS) for shard in range(SHARDS)]


def add_everywhere(scene: Scenario) -> list[dict[str, Any]]:
    """One command with two jobs on each shard."""
    return scene.call({"op": "add", "command_id": "add", "jobs": [
        every(group, f"j{number}") for group in GROUPS for number in range(2)]})


def test_one_result_of_each_shard(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        results = add_everywhere(scene)
        assert [r["shard"] for r in results] == [0, 1, 2, 3]
        assert {r["shards"] for r in results} == {4} and {r["changed"] for r in results} == {2}
        source = results[0]["source"]
        assert all(r["source"] == source for r in results), "all name the original"
        assert source["topic"] == f"{cluster}.control"
        scene.wait_fires(8)
        scene.verify()


def test_wrong_shard_is_forwarded(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """The shard the command was sent to writes nothing; the right one answers for the original."""
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        for wrong in range(SHARDS):
            result, = scene.call({"op": "add", "command_id": f"to-{wrong}",
                                  "jobs": [every(GROUPS[1], f"sent-to-{wrong}")]},
                                 partition=wrong)
            assert (result["shard"], result["shards"]) == (1, 1)
            assert result["source"]["partition"] == wrong
            assert scene.wait_fires(1)[0]["source"] == f"/belfry/{cluster}/1"
        with TopicReader(kafka.bootstrap, f"{cluster}.forward") as forward:
            origins = [(record.partition, record.header("belfry-origin"))
                       for record in forward.read_to_end()]
        assert sorted(origins) == [(1, "0/0"), (1, "2/0"), (1, "3/0")], origins
        scene.verify()


def test_default_id_of_a_forwarded_command(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Without a command_id the place of the original is its name, in results and in triggers."""
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        add_everywhere(scene)
        result, = scene.call({"op": "trigger", "select": {"groups": [GROUPS[2]]}}, partition=0)
        place = f"0/{result['source']['offset']}"
        assert result["command_id"] == place and result["shard"] == 2
        scene.wait_fires(1)
        ids = [r.json["id"] for r in scene.fires.records if r.json["firekind"] == "trigger"]
        assert len(ids) == 2 and all(name.endswith(f"@t:{place}") for name in ids), ids
        scene.verify()


def test_foreign_partitioner(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """librdkafka's own default partitioner sends most groups to a wrong shard."""
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        groups = [f"team-{number}" for number in range(30)]
        with CommandClient(kafka.bootstrap, cluster, partitioner="consistent_random") as client:
            sent = client.send_all([
                {"op": "add", "command_id": f"add-{group}", "jobs": [every(group, "j")]}
                for group in groups])
            astray = sum(place.partition != shard_of(group, SHARDS)
                         for place, group in zip(sent, groups))
            assert astray > 5, "the partitioner is foreign indeed"
            for group, place in zip(groups, sent):
                result, = client.results(place)
                assert result["outcome"] == "applied"
                assert result["shard"] == shard_of(group, SHARDS)
        scene.wait_fires(60)
        scene.verify()


def test_selectors_over_all_shards(kafka: Kafka, redis: Redis, cluster: str) -> None:
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        add_everywhere(scene)
        for op, select in (("pause", {"ids": ["j0"]}), ("resume", {"all": True, "paused": True}),
                           ("trigger", {"all": True}), ("delete", {"ids": ["j1"]})):
            results = scene.call({"op": op, "command_id": op, "select": select}, partition=3)
            assert [r["shard"] for r in results] == [0, 1, 2, 3]
            wanted = 2 if op == "trigger" else 1
            assert [r["changed"] for r in results] == [wanted] * 4, (op, results)
        scene.wait_fires(8)
        scene.verify()


def test_command_id_twice_to_different_shards(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """The same command, once to the right and once to a wrong shard: it acts once."""
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        scene.daemon()
        add_everywhere(scene)
        trigger = {"op": "trigger", "command_id": "twice", "select": {"groups": [GROUPS[1]]}}
        scene.call(trigger, partition=2)
        duplicate, = scene.call(trigger, outcome="duplicate", partition=1)
        assert duplicate["first_outcome"] == "applied"
        scene.wait_fires(8)
        scene.verify()


def test_kills_between_forwarding_and_applying(kafka: Kafka, redis: Redis, cluster: str) -> None:
    """Two daemons, each with shards of its own, die in turn while commands cross between them."""
    with Scenario(kafka, redis, cluster, SHARDS) as scene:
        first, second = scene.daemon(), scene.daemon()
        add_everywhere(scene)
        sent = []
        faults = ["commit.before:2", "commit.after:2", "produce.after:5", "produce.before:4"]
        for number, fault in enumerate(faults):
            daemon = (first, second)[number % 2]
            daemon.kill9()
            daemon.fault = fault
            daemon.start()
            for extra in range(6):
                sent.append(scene.send(
                    {"op": "update", "command_id": f"u-{number}-{extra}",
                     "select": {"ids": ["j0"]}, "set": {"payload": f"{number}-{extra}"}},
                    partition=extra % SHARDS))
            daemon.wait_exit(60)
            daemon.fault = None
            daemon.start()
        for place in sent:
            assert len(scene.answers(place)) == SHARDS
        scene.wait_fires(16)
        scene.verify()
