/* json_reader.h - strict reading of parsed JSON, by tables: each member of an object has a row that
 * says its kind, its bounds and where it goes. Errors name their place as a JSON Pointer. */
#ifndef BELFRY_SCHEMAS_JSON_READER_H
#define BELFRY_SCHEMAS_JSON_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/text.h"

/* A value and the way to it; the pointer is only spelled out when something is wrong. */
struct json_node {
    json_t *value;
    const struct json_node *parent; /* NULL: the message itself */
    const char *name;               /* of the member; NULL: element `index` of an array */
    size_t index;
};

/* Call once before threads start: parsers then never race for the seed of their hash tables. */
void json_reader_prepare(void);

/* The version of jansson this was built with. */
const char *json_reader_library(void);

/* Checks the bounds, then parses. The caller owns *root.
 *   errors  ERROR_INVALID, codes of json_scan_check(), duplicate_key, invalid_json with line and
 *           column, bad_value for a number out of range */
bool json_parse(struct text text, size_t bytes_max, json_t **root, struct error *error)
    __attribute__((warn_unused_result));

/* Parses a text that json_scan_check() has accepted; else as json_parse(). */
bool json_parse_checked(struct text text, json_t **root, struct error *error)
    __attribute__((warn_unused_result));

/* An ERROR_INVALID at this node. Returns false. */
bool json_refuse(const struct json_node *node, struct error *error, enum error_code code,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds the place to an error that a parser of texts has set. Returns false. */
bool json_refuse_at(const struct json_node *node, struct error *error);

/* "a string", "an object" ... for messages. */
const char *json_type_name(const json_t *value);

enum json_kind {
    JSON_TEXT,     /* struct text; min..max bytes, no control characters */
    JSON_NAME,     /* struct text; a group or super group */
    JSON_ID,       /* struct text; the same and '/' */
    JSON_INSTANT,  /* int64_t, RFC 3339 */
    JSON_DURATION, /* int64_t, min..max ms */
    JSON_INT,      /* int64_t, min..max */
    JSON_INT32,    /* int32_t, min..max */
    JSON_BOOL,     /* bool */
    JSON_WORD,     /* int or enum: index in `words` */
    JSON_CUSTOM    /* `read` does it */
};

struct text_writer;

struct json_field {
    const char *name;
    enum json_kind kind;
    bool required;
    uint32_t given; /* bits to set in *given when the member is there */
    uint32_t where; /* only for these readers of the table; 0 = all */
    size_t offset;  /* of the member in the target */
    int64_t min;
    int64_t max;
    const char *const *words; /* NULL-terminated */
    bool (*read)(const struct json_node *node, void *target, void *context, struct error *error);
    /* NULL: not written by its row; see json_writer.h. */
    void (*write)(struct text_writer *writer, const struct json_field *field, const void *source);
};

struct json_table {
    const char *subject; /* for messages: "a job" */
    const struct json_field *fields;
    size_t count;
};

/* Reads an object by its table. A null stands for "not given": the target keeps its default, the
 * given bit is set; required members may not be null.
 *   where    which reader this is, for rows that are limited; 0 = no row is
 *   given    may be NULL
 *   errors   ERROR_INVALID, codes wrong_type, unknown_field, missing_field, bad_name, bad_value,
 *            bad_time, bad_duration, and what custom readers say */
bool json_read_object(const struct json_node *node, const struct json_table *table, uint32_t where,
                      void *target, void *context, uint32_t *given, struct error *error)
    __attribute__((warn_unused_result));

/* One value by its row, as json_read_object() does for each member. */
bool json_read_value(const struct json_node *node, const struct json_field *field, void *target,
                     void *context, struct error *error) __attribute__((warn_unused_result));

/* A string value as text; wrong_type else. Borrowed from the value. */
bool json_read_text(const struct json_node *node, struct text *text, struct error *error)
    __attribute__((warn_unused_result));

/* Refuses what is not an array of at least one element (bad_value) and at most `max` (too_many). */
bool json_check_array(const struct json_node *node, size_t max, struct error *error)
    __attribute__((warn_unused_result));

/* Whether this is a group (or, with slashes, an id): see contract "Names". */
bool json_name_is_valid(struct text name, bool slashes);

/* The word nearest to `text`, to suggest; NULL when none is near. NULL-terminated list. */
const char *json_nearest(struct text text, const char *const *words);

#endif
