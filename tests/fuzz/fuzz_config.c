/* fuzz_config.c - any bytes as a configuration file. What is refused names file, line and what is
 * allowed; what is read prints to a file that reads back to the same. */
#include "dispatcher/config/config.h"
#include "dispatcher/config/config_file.h"
#include "dispatcher/config/config_options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PRINTED_BYTES = 16 * 1024 };

struct reading {
    struct config *config;
    int line;
};

/* assert() without its switch: a broken promise must end the run in every build. */
static void promise(bool kept)
{
    if (!kept) abort();
}

static bool take(void *opaque, const char *section, const char *key, const char *value, int line,
                 struct error *error)
{
    struct reading *reading = opaque;
    promise(line > reading->line);
    reading->line = line;
    const struct option *option = config_option_by_key(section, key);
    if (option == NULL) return true;
    struct error cause = {0};
    if (!config_option_set(option, value, reading->config, &cause)) {
        promise(cause.kind == ERROR_INVALID && cause.message[0] != '\0');
        return error_set(error, ERROR_INVALID, "%s", cause.message);
    }
    char first[PRINTED_BYTES], second[PRINTED_BYTES];
    (void)config_option_print(option, reading->config, first, sizeof first);
    if (strlen(first) == sizeof first - 1) return true; /* cut */
    promise(config_option_set(option, first, reading->config, NULL));
    (void)config_option_print(option, reading->config, second, sizeof second);
    promise(strcmp(first, second) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config = {0};
    struct reading reading = {.config = &config};
    struct error error = {0};
    char *text = malloc(size + 1); /* exact but for one, so that a read beyond it is seen */
    if (text == NULL) return 0;
    if (size > 0) memcpy(text, data, size);
    text[size] = '\n'; /* never read: the length says so */
    if (!config_file_parse("file", text, size, take, &reading, &error)) {
        promise(error.kind == ERROR_INVALID);
        promise(strncmp(error.message, "file:", 5) == 0);
    }
    free(text);
    config_release(&config);
    return 0;
}
