/* hash_json.h - a 64-bit hash as text in a record: 16 digits 0-9 a-f. */
#ifndef BELFRY_SCHEMAS_HASH_JSON_H
#define BELFRY_SCHEMAS_HASH_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "schemas/json_reader.h"
#include "schemas/text_writer.h"

enum { HASH_DIGITS = 16 };

void hash_json_write(struct text_writer *writer, uint64_t hash);
/* ERROR_INVALID, code bad_value or wrong_type. */
bool hash_json_read(const struct json_node *node, uint64_t *hash, struct error *error)
    __attribute__((warn_unused_result));

/* The digits alone. False: others are among them. */
void hash_digits_put(char digits[HASH_DIGITS], uint64_t hash);
bool hash_digits_read(const char digits[HASH_DIGITS], uint64_t *hash)
    __attribute__((warn_unused_result));

#endif
