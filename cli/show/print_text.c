#include "cli/show/print_text.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* Decodes one character. Returns its bytes, or 0 where the text is not UTF-8. */
static size_t character_decode(const char *bytes, size_t length, uint32_t *code)
{
    assert(length > 0);
    const unsigned char *u = (const unsigned char *)bytes;
    if (u[0] < 0x80) {
        *code = u[0];
        return 1;
    }
    size_t need = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (u[0] < 0xc2 || u[0] > 0xf4 || length < need) return 0;
    uint32_t value = (uint32_t)(u[0] & (0xffU >> (need + 1)));
    for (size_t i = 1; i < need; i++) {
        if ((u[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (uint32_t)(u[i] & 0x3f);
    }
    if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
    *code = value;
    return need;
}

/* How many of the first bytes are a character of one column each that steers nothing: most texts
 * are of nothing else. */
static size_t plain_run(const char *bytes, size_t length)
{
    size_t run = 0;
    while (run < length && bytes[run] >= ' ' && bytes[run] <= '~') run++;
    return run;
}

/* Characters that move the cursor, start a sequence or turn the direction of the text. */
static bool character_steers(uint32_t code)
{
    assert(code <= 0x10ffff);
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code >= 0xe0000;
}

static void character_escape(struct text_writer *out, uint32_t code)
{
    assert(character_steers(code));
    if (code == '\n') text_writer_words(out, "\\n");
    else if (code == '\r') text_writer_words(out, "\\r");
    else if (code == '\t') text_writer_words(out, "\\t");
    else if (code < 0x100) text_writer_format(out, "\\x%02x", (unsigned)code);
    else text_writer_format(out, "\\u%04x", (unsigned)code);
}

void text_escape(struct text_writer *out, const char *bytes, size_t length)
{
    assert(bytes != NULL || length == 0);
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t run = plain_run(bytes + at, length - at);
        if (run > 0) text_writer_bytes(out, bytes + at, run);
        at += run;
        if (at == length) break;
        size_t size = character_decode(bytes + at, length - at, &code);
        if (size == 0) {
            text_writer_format(out, "\\x%02x", (unsigned)(unsigned char)bytes[at]);
            size = 1;
        } else if (character_steers(code)) {
            character_escape(out, code);
        } else {
            text_writer_bytes(out, bytes + at, size);
        }
        at += size;
    }
}

void print_safe(FILE *stream, const char *bytes, size_t length)
{
    struct text_writer escaped = {0};
    text_escape(&escaped, bytes, length);
    if (escaped.length > 0) (void)fwrite(escaped.bytes, 1, escaped.length, stream);
    text_writer_free(&escaped);
}

bool print_json(FILE *stream, const char *bytes, size_t length, bool terminal)
{
    assert(bytes != NULL || length == 0);
    if (!terminal) return length == 0 || fwrite(bytes, 1, length, stream) == length;
    struct text_writer shown = {0};
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t size = character_decode(bytes + at, length - at, &code);
        bool plain = size > 0 && (code == '\n' || code == '\t' || !character_steers(code));
        if (plain) text_writer_bytes(&shown, bytes + at, size);
        else if (size == 0) text_writer_words(&shown, "\\ufffd");
        else if (code < 0x10000) text_writer_format(&shown, "\\u%04x", (unsigned)code);
        else text_writer_format(&shown, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
                                (unsigned)(0xdc00 + (code & 0x3ff)));
        at += size == 0 ? 1 : size;
    }
    bool whole = shown.length == 0 || fwrite(shown.bytes, 1, shown.length, stream) == shown.length;
    text_writer_free(&shown);
    return whole;
}

static size_t character_columns(uint32_t code)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
                {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60},
                {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    assert(code <= 0x10ffff);
    if (code >= 0x300 && code <= 0x36f) return 0;
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
        if (code >= wide[i].first && code <= wide[i].last) return 2;
    return 1;
}

size_t text_columns(const char *bytes, size_t length)
{
    assert(bytes != NULL || length == 0);
    size_t columns = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t run = plain_run(bytes + at, length - at);
        columns += run;
        at += run;
        if (at == length) break;
        size_t size = character_decode(bytes + at, length - at, &code);
        columns += size == 0 ? 1 : character_columns(code);
        at += size == 0 ? 1 : size;
    }
    return columns;
}

size_t text_fit(const char *bytes, size_t length, size_t columns)
{
    assert(bytes != NULL || length == 0);
    size_t used = 0;
    size_t at = 0;
    while (at < length) {
        uint32_t code = 0;
        size_t size = character_decode(bytes + at, length - at, &code);
        size_t width = size == 0 ? 1 : character_columns(code);
        if (used + width > columns) break;
        used += width;
        at += size == 0 ? 1 : size;
    }
    assert(at <= length);
    return at;
}
