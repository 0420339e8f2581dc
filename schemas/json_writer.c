#include "schemas/json_writer.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/model/job_record.h"

static void write_text(struct text_writer *writer, const struct json_field *field,
                       const struct text *text)
{
    if (text->length == 0 && !field->required) return;
    text_writer_member(writer, field->name);
    text_writer_string(writer, *text);
}

static void write_bool(struct text_writer *writer, const struct json_field *field,
                       const bool *value)
{
    if (!*value && !field->required) return;
    text_writer_member(writer, field->name);
    text_writer_words(writer, *value ? "true" : "false");
}

static void write_word(struct text_writer *writer, const struct json_field *field, const void *at)
{
    int index = 0;
    memcpy(&index, at, sizeof index);
    if (index == 0 && !field->required) return;
    text_writer_member(writer, field->name);
    text_writer_string(writer, text_of(field->words[index]));
}

void json_write_value(struct text_writer *writer, const struct json_field *field,
                      const void *source)
{
    const void *at = (const char *)source + field->offset;
    if (field->kind <= JSON_ID) {
        write_text(writer, field, at);
        return;
    }
    if (field->kind == JSON_BOOL) {
        write_bool(writer, field, at);
        return;
    }
    if (field->kind == JSON_WORD) {
        write_word(writer, field, at);
        return;
    }
    assert(field->kind <= JSON_INT32);
    bool narrow = field->kind == JSON_INT32;
    int64_t number = narrow ? *(const int32_t *)at : *(const int64_t *)at;
    if (number == (field->kind == JSON_INSTANT ? INSTANT_NONE : 0) && !field->required) return;
    text_writer_member(writer, field->name);
    if (field->kind == JSON_INSTANT) text_writer_instant(writer, number);
    else if (field->kind == JSON_DURATION) text_writer_duration(writer, number);
    else text_writer_integer(writer, number);
}

void json_write_members(struct text_writer *writer, const struct json_table *table,
                        const void *source)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].write != NULL)
            table->fields[i].write(writer, &table->fields[i], source);
}

void json_write_list(struct text_writer *writer, const char *name, const struct json_table *table,
                     const void *items, size_t count, size_t bytes)
{
    if (count == 0) return;
    text_writer_member(writer, name);
    text_writer_char(writer, '[');
    for (size_t i = 0; i < count; i++) {
        text_writer_comma(writer);
        text_writer_char(writer, '{');
        json_write_members(writer, table, (const char *)items + i * bytes);
        text_writer_char(writer, '}');
    }
    text_writer_char(writer, ']');
}
