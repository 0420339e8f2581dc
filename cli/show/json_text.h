/* json_text.h - JSON as slices of its own text, so that payloads pass through untouched: no
 * number is rounded and no member reordered on its way from a file to the control topic. */
#ifndef BELFRY_CLI_JSON_TEXT_H
#define BELFRY_CLI_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "schemas/text_writer.h"

/* Parses the next JSON value of a text that may hold several; duplicate keys are refused.
 *   slice  what of the text the value takes, borrowed; *at moves past it
 *   value  owned by the caller; NULL with true at the end of the text
 *   what   name of the source for messages: "jobs.json", "--payload" */
bool json_text_next(struct text text, size_t *at, const char *what, struct text *slice,
                    json_t **value, struct error *error) __attribute__((warn_unused_result));

/* Parses a text that holds exactly one value. The caller owns *value. */
bool json_text_one(struct text text, const char *what, json_t **value, struct error *error)
    __attribute__((warn_unused_result));

/* Appends a parsed text over several lines, members indented; digits and escapes stay as they
 * are. */
void json_text_indent(struct text_writer *out, struct text text);

/* Appends the text as a JSON string. ERROR_INVALID when it is not UTF-8; nothing is appended. */
bool json_text_string(struct text_writer *out, const char *bytes, size_t length,
                      struct error *error);

/* The string member of an object, NULL when it is missing or no string. */
const char *json_member_text(const json_t *object, const char *name);

/* The integer member of an object, or `otherwise`. */
json_int_t json_member_number(const json_t *object, const char *name, json_int_t otherwise);

/* The instant that a member of an object says; false, *instant_ms as before: it is missing, or says
 * none. */
bool json_member_ms(const json_t *object, const char *name, int64_t *instant_ms);

/* A member with the text; none where that is empty, or no UTF-8. */
void json_set_text(json_t *object, const char *name, struct text text);

/* The member "runnumber", as text, as fires have it: it needs more digits than some readers of JSON
 * keep. None where it is 0. */
void json_set_runnumber(json_t *object, int64_t runnumber);

/* A member that says the instant; none where no text can, as of INSTANT_NONE. */
void json_set_instant(json_t *object, const char *name, int64_t instant_ms);

#endif
