"""A command that is half done when the configuration changes: it is gone on with, whatever today's
limits say; one that nobody can read any more ends with the counts of what was done."""

from __future__ import annotations

from harness import Kafka, Redis, create_topic
from runner import limit
from scenario import Scenario, group_on, job

JOBS = 34_000
PART = 2000


@limit(280)
def test_allow_list_changed_in_the_middle(kafka: Kafka, redis: Redis, cluster: str) -> None:
    topic = f"{cluster}-mine"
    create_topic(kafka.bootstrap, topic)
    with Scenario(kafka, redis, cluster) as scene:
        daemon = scene.daemon(env={"BELFRY_FIRES_TOPICS": topic})
        daemon.wait_live()
        group = group_on(0, scene.shards)
        for part in range(0, JOBS, PART):
            jobs = [job(group, f"j{number}", {"cron": "0 0 1 1 *"})
                    for number in range(part, part + PART)]
            for one in jobs:
                del one["payload"]
            scene.call({"op": "add", "command_id": f"a{part}", "jobs": jobs})
        scene.wait_stored(JOBS, 60)
        daemon.terminate()
        daemon.fault = "commit.after:6"  # four first marks, then parts of the update
        daemon.start()
        daemon.wait_ready()
        sent = scene.send({"op": "update", "select": {"groups": [group]}, "set": {"topic": topic},
                           "command_id": "big"})
        daemon.wait_exit(60)
        daemon.fault = None
        del daemon.env["BELFRY_FIRES_TOPICS"]
        daemon.start()
        result, = scene.answers(sent, 60)
        assert (result["outcome"], result["matched"], result["changed"]) == (
            "applied", JOBS, JOBS), result
        daemon.wait_live()
