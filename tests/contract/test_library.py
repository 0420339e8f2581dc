"""libbelfry has objects of lib/ in it; from outside only the names of consumer.h can be seen.

So a program may have functions of its own that are called like ours. Run by
tests/support/runner.py.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from harness import BUILD, ROOT, new_directory

# Each is a function inside libbelfry, too; here it is another one.
OWN_NAMES = ("error_set", "reader_take", "hash_siphash_128", "base64_decode", "utf8_sequence",
             "instant_parse", "civil_days", "monotonic_ms")
PROGRAM = """
#include <belfry/consumer.h>
#include <stdio.h>
%s
int main(void)
{
    struct belfry_header type = {"content-type", "application/cloudevents+json", 28};
    struct belfry_record record = {.topic = "t", .value = "{\\"data_base64\\":1}",
                                   .value_bytes = 17, .headers = &type, .header_count = 1};
    struct belfry_error error = {0};
    struct belfry_fire *fire = belfry_fire_decode(&record, &error);
    printf("%%d %%s\\n", fire == NULL, error.message);
    return %s;
}
"""


def functions() -> set[str]:
    """What consumer.h declares, but for the types of callbacks."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "consumer" / "consumer.h").read_text(), flags=re.S)
    text = re.sub(r"typedef[^;]*;", "", text)
    return set(re.findall(r"\b(belfry_\w+)\(", text))


def names(library: str, *options: str) -> set[str]:
    listing = subprocess.run(["nm", *options, "--defined-only", BUILD / library], check=True,
                             capture_output=True, text=True, timeout=60).stdout
    return {line.split()[-1] for line in listing.splitlines() if len(line.split()) == 3}


def of_a_sanitizer(found: set[str]) -> set[str]:
    starts = ("__asan", "__odr_asan", "__tsan", "__ubsan")
    return {name for name in found if name.startswith(starts)}


def test_only_the_names_of_the_header_are_seen() -> None:
    assert len(functions()) > 10
    for library, options in (("libbelfry.so", ["-D"]), ("libbelfry.a", ["--extern-only"])):
        found = names(library, *options)
        assert found - of_a_sanitizer(found) == functions(), library


def test_a_program_may_have_our_names() -> None:
    directory = new_directory("own-names")
    (directory / "belfry").symlink_to(ROOT / "consumer")
    own = "\n".join(f"int {name}(void);\nint {name}(void) {{ return 0; }}" for name in OWN_NAMES)
    source: Path = directory / "own.c"
    source.write_text(PROGRAM % (own, " + ".join(f"{name}()" for name in OWN_NAMES)))
    sanitize = os.environ.get("BELFRY_SANITIZE")  # what the library was built with
    subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
                    *([f"-fsanitize={sanitize}"] if sanitize else []), f"-I{directory}", source,
                    BUILD / "libbelfry.a", "-lrdkafka", "-ljansson", "-lpthread",
                    "-o", directory / "own"], check=True, timeout=60)
    done = subprocess.run([directory / "own"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout[:12]) == (0, "1 not a fire"), done
