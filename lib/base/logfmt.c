#include "lib/base/logfmt.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { ESCAPE_BYTES_MAX = 2 };

/* How one byte stands inside the quotes; UTF-8 goes through as it is. Returns its length. */
static size_t escape(char byte, char escaped[ESCAPE_BYTES_MAX])
{
    escaped[0] = '\\';
    switch (byte) {
    case '"':
    case '\\': escaped[1] = byte; return 2;
    case '\n': escaped[1] = 'n'; return 2;
    case '\r': escaped[1] = 'r'; return 2;
    case '\t': escaped[1] = 't'; return 2;
    default: break;
    }
    bool control = (unsigned char)byte < ' ' || byte == 0x7f;
    escaped[0] = control ? '?' : byte;
    return 1;
}

/* Not in the middle of a character: back over the continuation bytes and their first byte. */
static size_t cut_utf8(const char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0) return 0;
    unsigned char first = (unsigned char)text[start - 1];
    size_t needed = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    return length - start < needed ? start - 1 : length;
}

const char *logfmt_quote(char *quoted, size_t bytes, struct text text)
{
    assert(quoted != NULL);
    assert(bytes >= 3);
    size_t length = 0;
    size_t room = bytes - 3; /* two quotes and the terminator */
    bool cut = false;
    quoted[length++] = '"';
    for (size_t i = 0; i < text.length; i++) {
        char escaped[ESCAPE_BYTES_MAX];
        size_t needed = escape(text.bytes[i], escaped);
        cut = needed > room;
        if (cut) break;
        memcpy(quoted + length, escaped, needed);
        length += needed;
        room -= needed;
    }
    if (cut) length = 1 + cut_utf8(quoted + 1, length - 1);
    quoted[length++] = '"';
    quoted[length] = '\0';
    assert(length < bytes);
    return quoted;
}

static bool is_bare(struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (byte <= ' ' || byte == '"' || byte == '=' || byte == '\\' || byte == 0x7f) return false;
    }
    return text.length > 0;
}

const char *logfmt_value(char *shown, size_t bytes, struct text text)
{
    assert(shown != NULL);
    assert(bytes >= 3);
    if (!is_bare(text)) return logfmt_quote(shown, bytes, text);
    size_t length = text.length < bytes ? text.length : cut_utf8(text.bytes, bytes - 1);
    memcpy(shown, text.bytes, length);
    shown[length] = '\0';
    return shown;
}
