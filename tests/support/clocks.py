"""Wall clocks that tests move, one for each process that is given one.

    clock = MovedClock(ahead_s=30)
    daemon = Belfryd(kafka, redis, env=clock.env).start()
    clock.step(-100)        # as `date` or an NTP daemon would, while it runs

Elapsed time runs as ever; waits until an instant of the wall clock go by the moved one, so a step
back makes them longer. Done by tests/integration/clock_shift.c, preloaded.
"""

from __future__ import annotations

import functools
import mmap
import struct
import subprocess
from pathlib import Path

from processes import new_directory

SOURCE = Path(__file__).resolve().parents[1] / "integration" / "clock_shift.c"


@functools.lru_cache
def shift_library() -> Path:
    """clock_shift.c, compiled for this run."""
    library = new_directory("clock") / "clock_shift.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
                    SOURCE], check=True, timeout=60)
    return library


class MovedClock:
    """How far one process's (or several processes') wall clock is from the true one."""

    def __init__(self, ahead_s: float = 0.0):
        self._path = new_directory("clock") / "moved_ms"
        self._path.write_bytes(bytes(8))
        with self._path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self.set(ahead_s)

    @property
    def env(self) -> dict[str, str]:
        """What the environment of such a process needs."""
        return {"LD_PRELOAD": str(shift_library()), "CLOCK_SHIFT_FILE": str(self._path)}

    @property
    def ahead_s(self) -> float:
        return float(struct.unpack("=q", self._map[:])[0]) / 1000

    def set(self, ahead_s: float) -> None:
        """Moves the clock to so many seconds before the true one; behind it: negative."""
        self._map[:] = struct.pack("=q", round(ahead_s * 1000))

    def step(self, seconds: float) -> None:
        """Steps the clock forward, or back, from where it is."""
        self.set(self.ahead_s + seconds)
