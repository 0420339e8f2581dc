#include "dispatcher/engine/observer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { ESCAPE_BYTES_MAX = 4 };

struct key_row {
    const char *name;
    enum observed_form form;
    size_t offset; /* in struct observed */
};

#define NUMBER(key, member) [KEY_##key] = {#member, FORM_NUMBER, offsetof(struct observed, member)},
#define ANSWER(key, member) [KEY_##key] = {#member, FORM_ANSWER, offsetof(struct observed, member)},
#define WORD(key, member) [KEY_##key] = {#member, FORM_WORD, offsetof(struct observed, member)},
#define TEXT(key, member) [KEY_##key] = {#member, FORM_TEXT, offsetof(struct observed, member)},
static const struct key_row key_rows[OBSERVED_KEY_COUNT] = {
    OBSERVED_KEYS(NUMBER, ANSWER, WORD, TEXT)};

#define EVENT(kind, name, level, ...) [OBSERVED_##kind] = {name, LEVEL_##level, {__VA_ARGS__}},
static const struct observed_row rows[OBSERVED_KINDS] = {OBSERVED_EVENTS(EVENT)};

const struct observed_row *observed_row(enum observed_kind kind)
{
    assert(kind >= 0 && kind < OBSERVED_KINDS);
    return &rows[kind];
}

struct observed_value observed_value(const struct observed *said, enum observed_key key)
{
    assert(key > KEY_NONE && key < OBSERVED_KEY_COUNT);
    const struct key_row *row = &key_rows[key];
    const void *at = (const char *)said + row->offset;
    struct observed_value value = {.key = row->name, .form = row->form};
    switch (row->form) {
    case FORM_NUMBER: value.number = *(const int64_t *)at; break;
    case FORM_ANSWER: value.text = *(const bool *)at ? "yes" : "no"; break;
    case FORM_WORD:
    case FORM_TEXT: value.text = *(const char *const *)at; break;
    }
    return value;
}

void observe_at(const struct observer *observer, enum observer_level level,
                enum observed_kind kind, int32_t shard, const struct observed *said)
{
    static const struct observed nothing;
    assert(observer != NULL);
    assert(level >= LEVEL_DEBUG && level <= LEVEL_ERROR);
    if (level < observer->lowest || observer->told == NULL) return;
    observer->told(observer->opaque, kind, level, shard, said != NULL ? said : &nothing);
}

void observe(const struct observer *observer, enum observed_kind kind, int32_t shard,
             const struct observed *said)
{
    observe_at(observer, observed_row(kind)->level, kind, shard, said);
}

const char *observed_fields(enum observed_kind kind, const struct observed *said,
                            char fields[OBSERVED_FIELDS_BYTES])
{
    const struct observed_row *row = observed_row(kind);
    size_t length = 0;
    fields[0] = '\0';
    for (size_t i = 0; i < OBSERVED_KEYS_MOST && row->keys[i] != KEY_NONE; i++) {
        struct observed_value value = observed_value(said, row->keys[i]);
        char shown[OBSERVED_TEXT_BYTES];
        if (value.form != FORM_NUMBER && value.text == NULL) continue;
        if (value.form == FORM_NUMBER)
            (void)snprintf(shown, sizeof shown, "%" PRId64, value.number);
        else if (value.form == FORM_TEXT)
            (void)observer_quote(shown, sizeof shown, value.text);
        else
            (void)snprintf(shown, sizeof shown, "%s", value.text);
        (void)snprintf(fields + length, OBSERVED_FIELDS_BYTES - length, "%s%s=%s",
                       length > 0 ? " " : "", value.key, shown);
        length += strlen(fields + length);
    }
    return fields;
}

/* How one byte stands inside the quotes; UTF-8 goes through as it is. Returns its length. */
static size_t escape(unsigned char byte, char escaped[ESCAPE_BYTES_MAX + 1])
{
    const char *letter = NULL;
    switch (byte) {
    case '"': letter = "\\\""; break;
    case '\\': letter = "\\\\"; break;
    case '\n': letter = "\\n"; break;
    case '\r': letter = "\\r"; break;
    case '\t': letter = "\\t"; break;
    default: break;
    }
    if (letter != NULL)
        (void)snprintf(escaped, ESCAPE_BYTES_MAX + 1, "%s", letter);
    else if (byte < ' ' || byte == 0x7f)
        (void)snprintf(escaped, ESCAPE_BYTES_MAX + 1, "?");
    else
        (void)snprintf(escaped, ESCAPE_BYTES_MAX + 1, "%c", byte);
    size_t length = strlen(escaped);
    assert(length > 0 && length <= ESCAPE_BYTES_MAX);
    return length;
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

const char *observer_quote(char *quoted, unsigned long bytes, const char *text)
{
    assert(quoted != NULL && text != NULL);
    assert(bytes >= 3);
    size_t length = 0;
    size_t room = bytes - 3; /* two quotes and the terminator */
    bool cut = false;
    quoted[length++] = '"';
    for (const char *at = text; *at != '\0' && !cut; at++) {
        char escaped[ESCAPE_BYTES_MAX + 1];
        size_t needed = escape((unsigned char)*at, escaped);
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
