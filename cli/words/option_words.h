/* option_words.h - what the tables of options say about values, for completion scripts. */
#ifndef BELFRY_CLI_OPTION_WORDS_H
#define BELFRY_CLI_OPTION_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/words/options.h"

/* The words an option's value may be, separated by blanks: "atomic each" of "atomic|each". What is
 * written in capitals is no word. False, and "" in `words`, when there is none. */
bool option_words(const struct option_row *row, char *words, size_t bytes);

/* Whether the value is the name of a file. */
bool option_is_file(const struct option_row *row);

/* Visits the rows of a command's tables and then the global ones. */
typedef void option_visitor(void *opaque, const struct option_row *row);
void options_each(const struct option_row *const *tables, option_visitor *visitor, void *opaque);

#endif
