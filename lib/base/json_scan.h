/* json_scan.h - a look at the bytes of a JSON text without building anything from it: the bounds
 * that must hold before a parser may spend memory on it, and where a value's own text lies. */
#ifndef BELFRY_BASE_JSON_SCAN_H
#define BELFRY_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/text.h"

/* Values, keys and brackets of one message: what it may cost to parse. */
enum { JSON_TOKENS_MAX = 200000 };

/* Checks size, UTF-8, depth (JSON_DEPTH_MAX), members of one object (JSON_MEMBERS_MAX) and tokens
 * in one pass, without memory. Of the grammar it checks that control characters and others beyond
 * ASCII stand in strings only.
 *   errors  ERROR_INVALID, codes too_large, not_utf8, too_deep, too_many, invalid_json */
bool json_scan_check(struct text text, size_t bytes_max, struct error *error)
    __attribute__((warn_unused_result));

/* The next member of an object; `name` is what stands between its quotes. Start with *rest = the
 * object's text. False: there is none, or the grammar is broken. Safe on any bytes. */
bool json_scan_pair(struct text *rest, struct text *name, struct text *value);

/* The text of the value of `name` in an object; empty when it is not there or its key is written
 * with escapes. Safe on any bytes; right where the grammar is. */
struct text json_scan_member(struct text object, const char *name);

/* The deepest nesting of brackets. Safe on any bytes; right where the grammar is. */
size_t json_scan_depth(struct text text);

/* Whether the text is one JSON value by the grammar, after json_scan_check(). Duplicate keys and
 * the range of numbers are not looked at. */
bool json_scan_is_value(struct text text);

/* The same, and how many elements the array has that it is; 0: it is empty, or another value. */
bool json_scan_elements(struct text text, size_t *elements);

/* From inside a string: the first byte that is a quote, a backslash, a control character or no
 * well-formed UTF-8; `end`, if there is none. Safe on any bytes. */
const char *json_scan_text(const char *at, const char *end);

/* The bytes of the value that the text begins with, where any parser would take it: by the grammar,
 * nested at most JSON_DEPTH_MAX deep, well-formed UTF-8, and no number that might not fit and no
 * escape that might be half a character. 0: something else. Safe on any bytes. */
size_t json_scan_plain(struct text text) __attribute__((warn_unused_result));

/* Those below need a text that a parser has accepted. */

/* How many bytes the string takes that the text begins with, quotes included. */
size_t json_scan_string(struct text text);

/* The text of the next element of an array. Start with *rest = the array's text. */
bool json_scan_element(struct text *rest, struct text *element);

/* Copies a value without the white space between its tokens, else byte for byte: numbers keep
 * their digits, strings their escapes. `compact` has room for value.length bytes. Returns the
 * bytes written. */
size_t json_scan_compact(struct text value, char *compact);

#endif
