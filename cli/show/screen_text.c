#include "cli/show/screen_text.h"

#include <assert.h>
#include <string.h>

#include "cli/show/print_text.h"

static const char home[] = "\x1b[H";
static const char plain[] = "\x1b[0m";
static const char wipe_line[] = "\x1b[K";
static const char wipe_rest[] = "\x1b[J";

static struct text line_take(struct text *text)
{
    const char *end = text->length == 0 ? NULL : memchr(text->bytes, '\n', text->length);
    size_t length = end == NULL ? text->length : (size_t)(end - text->bytes);
    struct text line = {text->bytes, length};
    size_t taken = length + (end != NULL);
    *text = (struct text){text->bytes + taken, text->length - taken};
    return line;
}

size_t screen_lines(struct text text)
{
    size_t count = 0;
    for (; text.length > 0; count++) (void)line_take(&text);
    return count;
}

/* Bytes of the colour that the text begins with; 0: it begins with something else. */
static size_t colour_bytes(struct text text)
{
    if (text.length < 3 || memcmp(text.bytes, "\x1b[", 2) != 0) return 0;
    const char *end = memchr(text.bytes, 'm', text.length);
    return end == NULL ? 0 : (size_t)(end - text.bytes) + 1;
}

/* Bytes up to the next colour. */
static size_t stretch_bytes(struct text text)
{
    const char *next = text.length == 0 ? NULL : memchr(text.bytes, '\x1b', text.length);
    return next == NULL || next == text.bytes ? text.length : (size_t)(next - text.bytes);
}

static void line_draw(struct text_writer *out, struct text line, size_t columns)
{
    bool coloured = false;
    assert(columns > 0);
    while (line.length > 0) {
        size_t bytes = colour_bytes(line);
        coloured = coloured || bytes > 0;
        struct text piece = {line.bytes, bytes};
        if (bytes == 0) {
            bytes = stretch_bytes(line);
            piece.length = text_fit(line.bytes, bytes, columns);
            columns -= text_columns(piece.bytes, piece.length);
        }
        text_writer_raw(out, piece);
        if (piece.length < bytes) break;
        line = (struct text){line.bytes + bytes, line.length - bytes};
    }
    if (coloured) text_writer_words(out, plain);
    text_writer_words(out, wipe_line);
}

void screen_draw(struct text_writer *out, struct text text, size_t columns, size_t rows)
{
    assert(columns > 0 && rows > 0);
    size_t lines = screen_lines(text);
    size_t shown = lines <= rows ? lines : rows - 1;
    text_writer_words(out, home);
    for (size_t i = 0; i < shown; i++) {
        line_draw(out, line_take(&text), columns);
        if (i + 1 < rows) text_writer_words(out, "\r\n");
    }
    if (shown < lines) {
        struct text_writer more = {0};
        text_writer_format(&more, "... %zu more lines", lines - shown);
        line_draw(out, text_writer_text(&more), columns);
        text_writer_free(&more);
    }
    text_writer_words(out, wipe_rest);
}
