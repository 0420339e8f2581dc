#include "dispatcher/engine/observer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/logfmt.h"

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
            (void)logfmt_quote(shown, sizeof shown, text_of(value.text));
        else
            (void)snprintf(shown, sizeof shown, "%s", value.text);
        (void)snprintf(fields + length, OBSERVED_FIELDS_BYTES - length, "%s%s=%s",
                       length > 0 ? " " : "", value.key, shown);
        length += strlen(fields + length);
    }
    return fields;
}
