/* secret_file.h - passwords and keys from files, so that they stand in no command line, no shown
 * configuration and no log. */
#ifndef BELFRY_CONFIG_SECRET_FILE_H
#define BELFRY_CONFIG_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

/* What is in the file, without the line end; free() it. One that others may read or change gets a
 * warning on stderr. NULL: ERROR_INVALID, with the path only. */
char *secret_file_read(const char *path, struct error *error)
    __attribute__((warn_unused_result));

/* Whether the value of this property of librdkafka is a secret. */
bool secret_property(const char *name);

/* Whether the key means that the value of a property is in a file, NAME_file; its length without
 * that ending. */
bool secret_file_key(const char *key, size_t *name_length);

#endif
