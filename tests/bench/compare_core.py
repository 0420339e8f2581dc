#!/usr/bin/env python3
"""Whether the rules and codecs of a shard cost what they did: counted instructions, which a busy
machine does not change.

  tests/bench/compare_core.py BENCH_CORE BENCH_CORE [--jobs=N] [--most=PERCENT]

The programs are build/tests/bench/bench_core of two revisions, the older one first. Each runs under
callgrind, without open runs; said is what a job, a fire and a record cost in either. Ends with 1
where something costs more than PERCENT (2) more than before.

  git worktree add ../before HEAD~1 && make -C ../before build/tests/bench/bench_core
  tests/bench/compare_core.py ../before/build/tests/bench/bench_core build/tests/bench/bench_core
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WHAT = {"shard_advance": "due slots fired, with their ends and events",
        "shard_apply": "jobs added and encoded",
        "command_decode": "commands decoded",
        "job_record_decode": "records of jobs decoded",
        "shard_restore_job": "jobs restored"}


def instructions(program: str, jobs: int) -> dict[str, int]:
    """Of each function of WHAT, with what it calls."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "callgrind.out"
        subprocess.run(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}",
                        program, str(jobs), "0"], check=True, stdout=subprocess.DEVNULL)
        table = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--auto=no",
                                "--threshold=100", str(out)], check=True, capture_output=True,
                               text=True).stdout
    found = {}
    for function in WHAT:
        counts = re.findall(rf"^ *([0-9,]+) .*:{function} \[", table, re.MULTILINE)
        assert counts, f"{program} does not call {function}"
        found[function] = int(counts[0].replace(",", ""))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs=2, metavar="BENCH_CORE")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--most", type=float, default=2.0, metavar="PERCENT")
    options = parser.parse_args()
    before, now = (instructions(program, options.jobs) for program in options.programs)
    dear = 0
    for function, what in WHAT.items():
        more = 100 * (now[function] / before[function] - 1)
        dear += more > options.most
        print(f"{function:<18} {before[function]:>15,} {now[function]:>15,} {more:+6.1f} %  {what}")
    print(f"compared={len(WHAT)} dearer={dear}")
    return min(dear, 1)


if __name__ == "__main__":
    sys.exit(main())
