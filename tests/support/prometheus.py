"""promtool and prometheus, as tests/support/setup --test fetches them or the machine has them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

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
