"""The health check of a daemon whose loop goes round while a shard of it stands still."""

from __future__ import annotations

import re

from harness import Belfryd, CommandClient, Kafka, Redis, run, wait_for
from runner import limit


@limit(300)
def test_a_shard_that_stands_still_for_a_minute_is_bad(redis: Redis, cluster: str) -> None:
    env = {"BELFRY_HEALTH_SOCKET": f"@{cluster}"}

    def asked() -> str:
        """Not alive or not ready is bad; alive it is all the while."""
        run("belfryd", "--healthcheck", env=env, deadline_s=10, expect=0)
        done = run("belfryd", "--readycheck", env=env, deadline_s=10)
        assert (done.returncode == 0) == done.stdout.startswith("ok "), done
        return done.stdout

    with Kafka() as kafka, Belfryd(kafka, redis, cluster, env=env) as daemon:
        daemon.wait_live()
        with CommandClient(kafka.bootstrap, cluster) as client:
            client.call({"op": "add", "job": {"group": "g", "id": "j",
                                              "schedule": {"every": "1s"}}}, outcome="applied")
        assert asked().startswith("ok "), asked()
        for process in kafka.processes:
            process.sigstop()
        still = r"unready shard \d: \w+, its time has stood still for (?:[6-9]\d{4}|\d{6,}) ms"
        wait_for(lambda: re.match(still, asked()), 150, "bad", every_s=1)
        for process in kafka.processes:
            process.sigcont()
        wait_for(lambda: asked().startswith("ok "), 120, "well again", every_s=1)
        daemon.terminate(deadline_s=30)
