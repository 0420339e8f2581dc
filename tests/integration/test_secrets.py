"""Secrets from files, in all three programs: used, never shown, and warned of when exposed."""

from __future__ import annotations

from pathlib import Path

from harness import (BUILD, Belfryd, Kafka, Process, Redis, belfry, create_topic, run, wait_for)

SECRET = "open-sesame-7"


def _file(path: Path, text: str, mode: int) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_password_of_redis_is_in_a_file(kafka: Kafka, cluster: str, tmp: Path) -> None:
    password = _file(tmp / "password", SECRET + "\r\n", 0o600)
    exposed = _file(tmp / "exposed", SECRET + "\n", 0o644)
    with Redis() as redis:
        redis.client().config_set("requirepass", SECRET)
        env = {"BELFRY_REDIS_PASSWORD_FILE": str(password)}
        shown = run("belfryd", "--check-config", env=env, expect=0)
        assert SECRET not in shown.stdout + shown.stderr and str(password) in shown.stdout
        assert "warning" not in shown.stderr
        with Belfryd(kafka, redis, cluster, env=env, args=["--log-level", "debug"]) as daemon:
            daemon.wait_live()
            belfry(kafka, redis, cluster, "add", "g/a", "--every", "1h", "--wait",
                   "--redis-password-file", password, expect=0)
            listed = belfry(kafka, redis, cluster, "list", "-o", "name", env=env, expect=0)
            assert listed.stdout == "g/a\n" and listed.stderr == ""
            refused = belfry(kafka, redis, cluster, "list", expect=None)
            assert refused.returncode not in (0, 2), refused
            warned = belfry(kafka, redis, cluster, "list", "--redis-password-file", exposed,
                            expect=0)
            assert "0644" in warned.stderr and str(exposed) in warned.stderr, warned.stderr
            belfry(kafka, redis, cluster, "list", "--redis-password-file", tmp / "none", expect=2)
            daemon.terminate()
            assert SECRET not in daemon.output()
            daemon.env["BELFRY_REDIS_PASSWORD_FILE"] = str(exposed)
            daemon.start().wait_ready()
            assert "0644" in daemon.output()


def test_properties_of_kafka_are_in_files(kafka: Kafka, redis: Redis, cluster: str, tmp: Path
                                          ) -> None:
    good = _file(tmp / "good", "plaintext\n", 0o600)
    bad = _file(tmp / "bad", SECRET + "\n", 0o600)
    exposed = _file(tmp / "exposed", "plaintext\n", 0o666)
    create_topic(kafka.bootstrap, f"{cluster}.fires")
    tail = ("tail", "fires", "--no-follow")
    belfry(kafka, redis, cluster, *tail, "-X", f"security.protocol_file={good}", expect=0)
    warned = belfry(kafka, redis, cluster, *tail, "-X", f"security.protocol_file={exposed}",
                    expect=0)
    assert "0666" in warned.stderr
    for name, what in (("security.protocol_file", bad), ("sasl.password_file", tmp / "none"),
                       ("no.such.property_file", good)):
        refused = belfry(kafka, redis, cluster, *tail, "-X", f"{name}={what}", expect=2)
        assert "-X" in refused.stderr, refused.stderr
    for flag in ("security.protocol_file", "sasl.mechanism_file"):
        done = run("belfry-worker", "--kafka", kafka.bootstrap, "--group-id", cluster, "-X",
                   f"{flag}={tmp / 'none'}", "--exec", "true", expect=2)
        assert "No such file" in done.stderr, done.stderr
    secret = run("belfry-worker", "--kafka", kafka.bootstrap, "--group-id", cluster, "-X",
                 f"ssl.key.pem_file={bad}", "-X", "security.protocol=ssl", "--exec", "true")
    assert secret.returncode != 0 and SECRET not in secret.stderr + secret.stdout, secret
    with Process("worker", [BUILD / "belfry-worker", "--kafka", kafka.bootstrap, "--group-id",
                            cluster, "--cluster", cluster, "-X",
                            f"security.protocol_file={exposed}", "--exec", "true"]) as worker:
        wait_for(lambda: "event=group.assigned" in worker.output(), 60, "it is a member")
        assert "event=secret.exposed" in worker.output() and str(exposed) in worker.output()
        assert worker.stop() == 0, worker.tail()
