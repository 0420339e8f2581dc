/* print_table.h - rows under headings. Widths fit what is shown and, on a terminal, the screen.
 *
 * Not libsmartcols (2.38): it holds all rows (400 MB for a million jobs), runs over a narrow screen
 * where this leaves out the last columns, cuts without a mark, and in a plain locale shows UTF-8 as
 * \x... . */
#ifndef BELFRY_CLI_PRINT_TABLE_H
#define BELFRY_CLI_PRINT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/text.h"

struct table_column {
    const char *title;
    bool right;   /* numbers */
    size_t least; /* columns it may be shrunk to on a narrow terminal, 0 = never */
};

enum table_tone { TONE_PLAIN = 0, TONE_DIM, TONE_GOOD, TONE_WARN, TONE_BAD };

/* Any bytes; what could steer a terminal is escaped. */
struct table_cell {
    struct text text;
    enum table_tone tone;
};

struct table;

/* Widths come from the first TABLE_ROWS_HELD rows; later ones are printed as they come.
 *   columns  borrowed until table_finish()
 *   width    of the terminal, 0 = none: nothing is cut. Where even cut columns do not fit, the
 *            last ones are left out, so the most important come first */
enum { TABLE_ROWS_HELD = 1000, TABLE_COLUMNS_MAX = 12 };
struct table *table_create(FILE *stream, const struct table_column *columns, size_t count,
                           size_t width, bool colour);

/* One row; `cells` has as many items as there are columns. */
void table_add(struct table *table, const struct table_cell *cells);

/* Prints what is held, the headings at least, and frees the table. */
void table_finish(struct table *table);

#endif
