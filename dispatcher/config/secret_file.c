#include "dispatcher/config/secret_file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dispatcher/config/config_file.h"

enum { SECRET_BYTES_MAX = 64 * 1024 };

static const char file_suffix[] = "_file";

bool secret_property(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
           strcmp(name, "ssl.key.pem") == 0 || strcmp(name, "sasl.oauthbearer.config") == 0;
}

bool secret_file_key(const char *key, size_t *name_length)
{
    size_t length = strlen(key);
    size_t suffix = sizeof file_suffix - 1;
    bool from_file = length > suffix && strcmp(key + length - suffix, file_suffix) == 0;
    *name_length = from_file ? length - suffix : length;
    return from_file;
}

/* A group may be meant to read it; nobody but the owner is meant to write. */
static void warn_of_others(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return;
    unsigned mode = (unsigned)status.st_mode & 0777;
    if ((mode & (S_IROTH | S_IWGRP | S_IWOTH)) == 0) return;
    (void)fprintf(stderr, "%s: warning: %s holds a secret and its mode is %04o: others may %s it; "
                  "chmod 0600\n", program_invocation_short_name, path, mode,
                  (mode & S_IROTH) != 0 ? "read" : "change");
}

char *secret_file_read(const char *path, struct error *error)
{
    assert(path != NULL);
    size_t length = 0;
    char *text = config_file_read(path, SECRET_BYTES_MAX, &length, error);
    if (text == NULL) return NULL;
    warn_of_others(path);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) length--;
    text[length] = '\0';
    if (length > 0 && strlen(text) == length) return text;
    error_invalid(error, CODE_BAD_VALUE, length == 0 ? "%s is empty" : "%s holds a NUL byte", path);
    free(text);
    return NULL;
}
