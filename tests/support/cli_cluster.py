"""A running daemon and the command line on it, for files whose tests share one."""

from __future__ import annotations

import json
import subprocess
from types import TracebackType
from typing import Any, TypeVar

from programs import Belfryd, belfry
from servers import Kafka, Redis

SHARDS = 4
Own = TypeVar("Own", bound="CliCluster")


class CliCluster:
    """With it: cluster("get", "g/a") is belfry get g/a. The Redis is one of the file's own: the
    shared one is emptied by each test."""

    def __init__(self, kafka: Kafka, redis: Redis, name: str, env: dict[str, str] | None = None):
        self.kafka, self.redis, self.name = kafka, redis, name
        self.daemon = Belfryd(kafka, redis, cluster=name, shards=SHARDS, env=env)

    def __enter__(self: Own) -> Own:
        self.daemon.start().wait_live()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is None:
            self.daemon.terminate()

    def __call__(self, *args: object, expect: int | None = 0, **more: Any
                 ) -> subprocess.CompletedProcess[str]:
        return belfry(self.kafka, self.redis, self.name, *args, expect=expect, **more)

    def json(self, *args: object, expect: int | None = 0, **more: Any) -> Any:
        return json.loads(self(*args, "-o", "json", expect=expect, **more).stdout)

    def names(self, *selectors: object) -> list[str]:
        return self("list", *selectors, "-o", "name").stdout.split()
