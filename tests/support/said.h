/* said.h - plays the files of tests/said: what is asked for as people type it, and below it what is
 * said to that. tests/said/README.md tells how such a file is written. */
#ifndef BELFRY_TESTS_SAID_H
#define BELFRY_TESTS_SAID_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/text_writer.h"

/* The first word of a step. */
struct said_verb {
    const char *word;
    /* Does what the rest of the step asks for and writes what is said, in lines.
     *   context  of this case, zeroed before its first step */
    void (*play)(void *context, const char *text, struct text_writer *said);
};

struct said_table {
    const struct said_verb *verbs;
    size_t count;
    size_t context_bytes;
    void (*end)(void *context); /* after the last step of a case; NULL: nothing is to be freed */
};

/* Plays each case of the files as a test of its own; a file that cannot be read is one that fails.
 * Run from the root of the source tree.
 *   pattern  of the files, for glob()
 * Returns how many tests have failed. */
int said_run(const char *group, const char *pattern, const struct said_table *table);

#endif
