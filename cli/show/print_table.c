#include "cli/show/print_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/print_text.h"
#include "lib/base/memory.h"
#include "schemas/text_writer.h"

enum { GAP_COLUMNS = 2 };

struct held_cell {
    char *text; /* escaped, owned */
    size_t length;
    enum table_tone tone;
};

struct table {
    FILE *stream;
    const struct table_column *columns;
    size_t count;
    size_t shown; /* the first columns; the others do not fit */
    size_t width;
    bool colour;
    bool started; /* the headings are out, the widths fixed */
    size_t widths[TABLE_COLUMNS_MAX];
    struct held_cell *held;
    size_t held_rows;
    size_t held_capacity;
};

struct table *table_create(FILE *stream, const struct table_column *columns, size_t count,
                           size_t width, bool colour)
{
    assert(count > 0);
    assert(count <= TABLE_COLUMNS_MAX);
    struct table *table = memory_allocate(1, sizeof *table);
    table->stream = stream;
    table->columns = columns;
    table->count = count;
    table->shown = count;
    table->width = width;
    table->colour = colour;
    for (size_t i = 0; i < count; i++) table->widths[i] = strlen(columns[i].title);
    return table;
}

static const char *tone_code(enum table_tone tone)
{
    switch (tone) {
    case TONE_PLAIN: return "";
    case TONE_DIM: return "\x1b[2m";
    case TONE_GOOD: return "\x1b[32m";
    case TONE_WARN: return "\x1b[33m";
    case TONE_BAD: return "\x1b[31m";
    }
    assert(false);
    return "";
}

static void spaces(FILE *stream, size_t count)
{
    static const char blanks[] = "                                ";
    for (size_t part = 0; count > 0; count -= part) {
        part = count < sizeof blanks - 1 ? count : sizeof blanks - 1;
        (void)fwrite(blanks, 1, part, stream);
    }
}

/* The cell in its column. The last one of a row is not padded. */
static void cell_print(const struct table *table, size_t column, const struct held_cell *cell,
                       const char *code)
{
    assert(column < table->count);
    size_t width = table->widths[column];
    size_t columns = text_columns(cell->text, cell->length);
    size_t length = cell->length;
    bool cut = table->width > 0 && columns > width;
    if (cut) {
        length = text_fit(cell->text, cell->length, width - 1);
        columns = text_columns(cell->text, length) + 1;
    }
    size_t pad = columns < width ? width - columns : 0;
    if (table->columns[column].right) spaces(table->stream, pad);
    bool tinted = table->colour && code[0] != '\0';
    if (tinted) (void)fputs(code, table->stream);
    (void)fwrite(cell->text, 1, length, table->stream);
    if (cut) (void)fputs("\xe2\x80\xa6", table->stream);
    if (tinted) (void)fputs("\x1b[0m", table->stream);
    bool last = column + 1 == table->shown;
    if (!table->columns[column].right && !last) spaces(table->stream, pad);
    if (!last) spaces(table->stream, GAP_COLUMNS);
}

static void row_print(const struct table *table, const struct held_cell *cells)
{
    assert(table->started);
    for (size_t i = 0; i < table->shown; i++)
        cell_print(table, i, &cells[i], tone_code(cells[i].tone));
    (void)fputc('\n', table->stream);
}

/* Takes columns from the widest that may shrink, until the row fits; where none may any more, the
 * last ones are left out. */
static void widths_fit(struct table *table)
{
    assert(table->width > 0);
    size_t total = GAP_COLUMNS * (table->count - 1);
    for (size_t i = 0; i < table->count; i++) total += table->widths[i];
    while (total > table->width) {
        size_t widest = table->count;
        for (size_t i = 0; i < table->count; i++) {
            size_t least = table->columns[i].least;
            if (least == 0 || table->widths[i] <= least) continue;
            if (widest == table->count || table->widths[i] > table->widths[widest]) widest = i;
        }
        if (widest == table->count) break;
        table->widths[widest]--;
        total--;
    }
    for (; total > table->width && table->shown > 1; table->shown--)
        total -= table->widths[table->shown - 1] + GAP_COLUMNS;
}

static void table_start(struct table *table)
{
    assert(!table->started);
    for (size_t i = 0; i < table->held_rows * table->count; i++) {
        size_t columns = text_columns(table->held[i].text, table->held[i].length);
        size_t column = i % table->count;
        if (columns > table->widths[column]) table->widths[column] = columns;
    }
    if (table->width > 0) widths_fit(table);
    table->started = true;
    for (size_t i = 0; i < table->shown; i++) {
        char *title = memory_copy_text(table->columns[i].title, strlen(table->columns[i].title));
        struct held_cell heading = {title, strlen(title), TONE_PLAIN};
        cell_print(table, i, &heading, "\x1b[1m");
        free(title);
    }
    (void)fputc('\n', table->stream);
    for (size_t i = 0; i < table->held_rows; i++)
        row_print(table, &table->held[i * table->count]);
}

static struct held_cell cell_escape(const struct table_cell *cell)
{
    struct text_writer escaped = {0};
    text_escape(&escaped, cell->text.bytes, cell->text.length);
    return (struct held_cell){text_writer_terminated(&escaped), escaped.length, cell->tone};
}

void table_add(struct table *table, const struct table_cell *cells)
{
    struct held_cell row[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->count; i++) row[i] = cell_escape(&cells[i]);
    if (table->started) {
        row_print(table, row);
        for (size_t i = 0; i < table->count; i++) free(row[i].text);
        return;
    }
    size_t used = table->held_rows * table->count;
    table->held = memory_grow(table->held, &table->held_capacity, used + table->count,
                              sizeof *table->held);
    memcpy(&table->held[used], row, table->count * sizeof *row);
    table->held_rows++;
    if (table->held_rows == TABLE_ROWS_HELD) table_start(table);
}

void table_finish(struct table *table)
{
    if (!table->started) table_start(table);
    for (size_t i = 0; i < table->held_rows * table->count; i++) free(table->held[i].text);
    free(table->held);
    assert(table->count > 0);
    free(table);
}
