"""The compose folder against the programs: what it names exists, what it says is well-formed.

Building the images needs a Docker engine and a registry; what can be known without is checked here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterator

import yaml

from harness import BUILD, ROOT, Belfryd, Kafka, Redis, wait_for
from runner import Skip

COMPOSE = ROOT / "compose"
FILE = COMPOSE / "compose.yaml"


def _compose() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())


def _stages() -> dict[str, str]:
    """The Dockerfile's stages by name: all lines of each, continuations joined."""
    text = (COMPOSE / "Dockerfile").read_text().replace("\\\n", " ")
    stages: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        begin = re.match(r"FROM \S+ AS (\S+)", line)
        if begin:
            name = begin.group(1)
        if name:
            stages[name] = stages.get(name, "") + line + "\n"
    return stages


@lru_cache(maxsize=None)
def _help_of(program: str) -> str:
    done = subprocess.run([BUILD / program, "--help"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, f"{program} --help ended with {done.returncode}: {done.stderr}"
    return done.stdout


def _command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every command line of one of our programs in compose.yaml, with the service it is in."""
    for name, service in _compose()["services"].items():
        if "entrypoint" in service:
            yield name, service["entrypoint"] + service["command"]
            if "healthcheck" in service:
                assert service["healthcheck"]["test"][0] == "CMD", f"{name}: there is no shell"
                yield name, service["healthcheck"]["test"][1:]


def _compose_command() -> list[str]:
    """Docker's own compose, or the older program, which setup installs where there is neither."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], timeout=30,
                                 capture_output=True).returncode == 0:
        return [docker, "compose"]
    return ["docker-compose"]


def test_docker_compose_accepts_the_file(tmp: Path) -> None:
    command, text = _compose_command(), FILE.read_text()
    if command == ["docker-compose"]:  # its version 1 does not know the name at the top
        text = re.sub(r"^name: .*\n", "", text, flags=re.MULTILINE)

    def check(text: str) -> subprocess.CompletedProcess[str]:
        file = tmp / "compose.yaml"
        file.write_text(text)
        return subprocess.run([*command, "-f", file, "config", "--quiet"], timeout=60,
                              capture_output=True, text=True)

    accepted = check(text)
    assert accepted.returncode == 0, accepted.stderr
    refused = check(text.replace("healthcheck:", "healthchek:", 1))
    assert "healthchek" in refused.stderr, "a misspelt key was accepted"


def test_services_refer_to_what_exists() -> None:
    compose = _compose()
    services = compose["services"]
    assert set(services) == {"kafka", "redis", "belfryd", "worker", "prometheus", "grafana"}
    for name, service in services.items():
        assert "image" in service, name
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy" and "healthcheck" in services[other], name
        for volume in service.get("volumes", []):
            place = volume.split(":")[0]
            known = (COMPOSE / place).exists() if place.startswith("./") else (
                place in compose["volumes"])
            assert known and (place in compose["volumes"] or volume.endswith(":ro")), (
                f"{name}: {volume}")
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network: {port}"


def test_built_images_exist_and_are_closed() -> None:
    stages = _stages()
    for name, service in _compose()["services"].items():
        if "build" not in service:
            continue
        build = service["build"]
        assert (COMPOSE / build["context"] / build["dockerfile"]).exists(), name
        stage = stages[build["target"]]
        assert re.search(r"^USER 65532:65532$", stage, re.MULTILINE), f"{name} runs as root"
        entrypoint = json.loads(re.search(r"^ENTRYPOINT (.*)$", stage, re.MULTILINE).group(1))
        assert entrypoint == service["entrypoint"], name
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name


def test_redis_keeps_what_it_acknowledged() -> None:
    command = " ".join(_compose()["services"]["redis"]["command"])
    for setting in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"):
        assert setting in command, setting


def test_programs_know_their_flags() -> None:
    checked = 0
    for service, words in _command_lines():
        program = Path(words[0]).name
        assert words[0] == f"/usr/local/bin/{program}" and (BUILD / program).exists(), words[0]
        for flag in (word for word in words[1:] if word.startswith("-")):
            known = re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", _help_of(program))
            assert known, f"{service}: {program} has no flag {flag}"
            checked += 1
    assert checked >= 6, "the flags were not found in compose.yaml"


def test_belfryd_accepts_its_environment() -> None:
    service = _compose()["services"]["belfryd"]
    places = dict(volume.split(":")[1::-1] for volume in service["volumes"])
    env = {name: str(COMPOSE / places[value]) if value in places else value
           for name, value in service["environment"].items()}
    done = subprocess.run([BUILD / "belfryd", *service["command"], "--check-config"],
                          env={**os.environ, **env}, capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    for name in env:
        assert name in done.stdout, f"{name} has no effect"


def _seconds(text: str) -> float:
    assert text.endswith("s"), text
    return float(text[:-1])


def test_a_stopped_daemon_is_unhealthy_within_15_s(kafka: Kafka, redis: Redis, cluster: str
                                                   ) -> None:
    """The check of compose.yaml at its intervals, as Docker runs it."""
    service = _compose()["services"]["belfryd"]
    check = service["healthcheck"]
    place = {"BELFRY_HEALTH_SOCKET": f"{service['environment']['BELFRY_HEALTH_SOCKET']}-{cluster}"}
    words = [BUILD / Path(check["test"][1]).name, *check["test"][2:]]

    def well() -> bool:
        try:
            return subprocess.run(words, env={**os.environ, **place}, stdout=subprocess.DEVNULL,
                                  timeout=_seconds(check["timeout"])).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    with Belfryd(kafka, redis, cluster, env=place) as daemon:
        daemon.wait_live()
        wait_for(well, 60, "it is well")
        daemon.sigstop()
        began = time.monotonic()
        for _ in range(check["retries"]):  # the first one begins a whole interval later at most
            time.sleep(_seconds(check["interval"]))
            assert not well(), "healthy although it is stopped"
        assert time.monotonic() - began < 15
        daemon.sigcont()
        wait_for(well, 60, "it is well again")
        daemon.terminate()


def test_image_holds_all_its_programs_need(tmp: Path) -> None:
    root = tmp / "root"
    subprocess.run([COMPOSE / "install-root", BUILD, root, "belfryd", "belfry"], check=True,
                   timeout=60)
    assert not list(root.glob("bin/*sh")) and not list(root.glob("usr/bin/*"))
    assert (root / "usr/share/zoneinfo/Europe/Berlin").exists()
    if os.geteuid() != 0:
        raise Skip("running the programs in their own root needs root")
    for program in ("belfryd", "belfry"):
        done = subprocess.run(["chroot", root, f"/usr/local/bin/{program}", "--version"],
                              capture_output=True, text=True, timeout=10)
        assert done.returncode == 0 and done.stdout.strip(), f"{program}: {done.stderr}"
