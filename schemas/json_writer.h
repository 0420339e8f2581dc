/* json_writer.h - writing objects by the rows by which they are read: those that have a `write`, in
 * their order. What is at its default is left out; a required member never is. */
#ifndef BELFRY_SCHEMAS_JSON_WRITER_H
#define BELFRY_SCHEMAS_JSON_WRITER_H

#include <stddef.h>

#include "schemas/json_reader.h"
#include "schemas/text_writer.h"

/* The `write` of texts, instants, durations, integers, booleans and words. Defaults: empty,
 * INSTANT_NONE, 0, false, the first word. */
void json_write_value(struct text_writer *writer, const struct json_field *field,
                      const void *source);

/* The members of an object, between its braces. */
void json_write_members(struct text_writer *writer, const struct json_table *table,
                        const void *source);

/* A member that is an array of such objects, each of `bytes`; left out when there are none. */
void json_write_list(struct text_writer *writer, const char *name, const struct json_table *table,
                     const void *items, size_t count, size_t bytes);

#endif
