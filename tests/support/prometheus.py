"""promtool and prometheus, as tests/support/setup --test fetches them or the machine has them."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from processes import Process, free_port

FOLDER = Path(__file__).resolve().parents[2] / "build" / "prometheus"


def _program(name: str) -> Path:
    fetched = FOLDER / name
    found = str(fetched) if fetched.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is missing: tests/support/setup --test fetches it")
    return Path(found)


def promtool() -> Path:
    return _program("promtool")


def prometheus() -> Path:
    return _program("prometheus")


def check_metrics(page: bytes) -> str:
    """What `promtool check metrics` says about a page of text format 0.0.4; "": nothing."""
    done = subprocess.run([promtool(), "check", "metrics"], input=page, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30, check=False)
    said = done.stdout.decode(errors="replace")
    return said if said or done.returncode == 0 else f"exit code {done.returncode}"


class Prometheus(Process):
    """A real Prometheus with this configuration, on a free port of 127.0.0.1."""

    def __init__(self, configuration: str):
        super().__init__("prometheus", [])
        self.port = free_port()
        file = self.directory / "prometheus.yaml"
        file.write_text(configuration)
        self.command = [str(prometheus()), f"--config.file={file}",
                        f"--storage.tsdb.path={self.directory / 'data'}",
                        f"--web.listen-address=127.0.0.1:{self.port}"]

    def start(self) -> "Prometheus":
        super().start()
        self.wait_until(self._is_ready, 60, "is ready")
        return self

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def api(self, path: str, **words: str) -> Any:
        """What /api/v1/PATH answers, as JSON; an error of a query fails."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(words)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{words}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[float]:
        """The values of an instant query, one of each series."""
        return [float(row["value"][1]) for row in self.api("query", query=expression)["result"]]
