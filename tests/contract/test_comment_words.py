"""Comments of C files name nothing that is gone, and one that does is found."""

from __future__ import annotations

import comment_words


def test_comments_name_what_is_there() -> None:
    assert comment_words.faults() == []


def test_what_is_gone_is_named() -> None:
    # The names are put together here, or this file would have them.
    text = """/* As struct lane@of@old in no@such@file.c, see old@call() and old@field@ms. */
/* As struct result of lib/model/output.h, see command_op_find() and effective_ms. */
static const char text[] = "only@in@a@text"; /* only@in@a@text, "quoted@in@a@comment" */
""".replace("@", "_")
    found = comment_words.faults({"lib/base/new.c": text})
    named = [fault.split(" names the ")[1].split(",")[0].replace("_", "@") for fault in found]
    assert named == ["file no@such@file.c", "call old@call", "struct lane@of@old",
                     "word old@field@ms", "word quoted@in@a@comment"], named
    assert all(fault.startswith(("lib/base/new.c:1: ", "lib/base/new.c:3: ")) for fault in found)
