#!/usr/bin/env python3
"""tests/bare/prove without a bare system: debootstrap, chroot and the like are stand-ins here.

A real run takes half an hour and is made by hand; what it does with its surroundings is held here.
Run by tests/support/runner.py.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What each stand-in does; all write their words to $STAND_IN_LOG first.
STAND_INS = {
    "id": "echo 0",
    "debootstrap": 'for word; do case $word in /*debian) mkdir -p "$word/etc/apt/apt.conf.d" '
                   '"$word/proc" "$word/dev" "$word/root" ;; esac; done',
    # As the programs in there: a directory for temporary files that is not there ends them.
    "chroot": 'system=$1; shift; [ -z "${TMPDIR:-}" ] || [ -d "$system/$TMPDIR" ] || exit 1',
    "unshare": 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
    "mount": "",
    "apt-get": 'case "$*" in *bookworm*) echo http://mirror.example/debian/ ;; esac',
    "apt-config": "",
}


def prove(tmp: Path, *words: str, chroot: str | None = None, **env: str
          ) -> tuple[subprocess.CompletedProcess[str], str]:
    """Runs the script among the stand-ins; how it ended and what they were called with."""
    tools, log = tmp / "tools", tmp / "log"
    tools.mkdir(exist_ok=True)
    log.write_text("")
    for name, body in {**STAND_INS, **({"chroot": chroot} if chroot else {})}.items():
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >>{log}\n{body}\n')
        tool.chmod(0o755)
    done = subprocess.run(
        [str(ROOT / "tests" / "bare" / "prove"), *words], capture_output=True, text=True,
        timeout=60, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", **env})
    return done, log.read_text()


def test_a_directory_for_temporary_files_stays_outside(tmp: Path) -> None:
    outside = tmp / "outside"
    outside.mkdir()
    done, log = prove(tmp, "--run", "true", TMPDIR=str(outside))
    assert done.returncode == 0, (done, log)
    assert f"{outside}/belfry-bare-" in log, "the bare system is made there"
    assert not list(outside.iterdir()), "and is gone at the end"


def test_a_step_that_fails_is_named(tmp: Path) -> None:
    done, _ = prove(tmp, "--run", "true", chroot="echo no certificates >&2; exit 1")
    assert done.returncode != 0, done
    assert "prove: " in done.stderr and "no certificates" in done.stderr, done


def test_the_release_is_chosen(tmp: Path) -> None:
    for words, release in (((), "bookworm"), (("--release", "trixie"), "trixie")):
        done, log = prove(tmp, *words, "--run", "true")
        line = next(line for line in log.splitlines() if line.startswith("debootstrap"))
        assert f" {release} " in line, line
        # The machine's own mirror has both, though the machine itself asks it for one only.
        assert line.endswith(" http://mirror.example/debian/"), line
    done, _ = prove(tmp, "--release", "sid")
    assert done.returncode == 1 and "bookworm or trixie" in done.stderr, done
