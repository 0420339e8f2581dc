/* config_file.h - an INI file, line by line. */
#ifndef BELFRY_CONFIG_CONFIG_FILE_H
#define BELFRY_CONFIG_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

/* One `key = value`; false with an error stops the reading. */
typedef bool config_file_visitor(void *opaque, const char *section, const char *key,
                                 const char *value, int line, struct error *error);

/* Reads the text of a file. `name` is what errors call it.
 *   errors  ERROR_INVALID "name:line: ...": the visitor's, or what is no INI */
bool config_file_parse(const char *name, const char *bytes, size_t length,
                       config_file_visitor *visitor, void *opaque, struct error *error)
    __attribute__((warn_unused_result));

/* The whole of a small file, terminated; free() it. *length without the terminator.
 * NULL: ERROR_INVALID, it cannot be read or is larger than `bytes_max`. */
char *config_file_read(const char *path, size_t bytes_max, size_t *length, struct error *error)
    __attribute__((warn_unused_result));

#endif
