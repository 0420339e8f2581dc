#include "cli/words/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dispatcher/config/secret_file.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"

enum {
    TIMEOUT_DEFAULT_MS = 10000,
    PROPERTY_BYTES_MAX = 128,
    WIDTH_LEAST = 40,
    HEIGHT_DEFAULT = 24
};

const struct option_row settings_options[] = {
    {"kafka", '\0', OPTION_LAST, "HOST:PORT,...",
     "Kafka to talk to (BELFRY_KAFKA; default localhost:9092)"},
    {"redis", '\0', OPTION_LAST, "URL",
     "Redis to read from (BELFRY_REDIS; default redis://localhost:6379)"},
    {"redis-password-file", '\0', OPTION_LAST, "FILE",
     "file with the password of Redis (BELFRY_REDIS_PASSWORD_FILE)"},
    {"cluster", '\0', OPTION_LAST, "NAME",
     "name of the Belfry cluster (BELFRY_CLUSTER; default belfry)"},
    {"output", 'o', OPTION_LAST, "table|json|ndjson|name", "how to print (default table)"},
    {"property", 'X', OPTION_LIST, "KEY=VALUE",
     "any librdkafka property, repeatable; KEY_file=PATH: from a file"},
    {"timeout", '\0', OPTION_LAST, "D",
     "longest wait for Kafka or Redis to answer (default 10s)"},
    {"help", 'h', OPTION_FLAG, NULL, "show this help"},
    {"version", '\0', OPTION_FLAG, NULL, "show the version"},
    {0},
};

static const char *const output_names[] = {
    [OUTPUT_TABLE] = "table",
    [OUTPUT_JSON] = "json",
    [OUTPUT_NDJSON] = "ndjson",
    [OUTPUT_NAME] = "name",
};
enum { OUTPUT_FORMATS = sizeof output_names / sizeof output_names[0] };

static bool output_parse(const char *text, enum output_format *output, struct error *error)
{
    for (int i = 0; i < OUTPUT_FORMATS; i++) {
        if (strcmp(text, output_names[i]) != 0) continue;
        *output = (enum output_format)i;
        return true;
    }
    return error_invalid(error, CODE_USAGE,
                         "-o: \"%.40s\" is not one of table, json, ndjson, name", text);
}

/* -X KEY=VALUE, or -X KEY_file=PATH with the value in a file. */
static bool property_add(struct settings *settings, const char *text, struct error *error)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals - text >= PROPERTY_BYTES_MAX)
        return error_invalid(error, CODE_USAGE, "-X: \"%.60s\" is not KEY=VALUE", text);
    char *key = memory_copy_text(text, (size_t)(equals - text));
    size_t length = 0;
    struct error refused = {0};
    bool from_file = secret_file_key(key, &length);
    char *value = from_file ? secret_file_read(equals + 1, &refused)
                            : memory_copy_text(equals + 1, strlen(equals + 1));
    if (value == NULL) {
        (void)error_invalid(error, CODE_USAGE, "-X %.60s: %s", key, refused.message);
        free(key);
        return false;
    }
    key[length] = '\0';
    size_t count = settings->property_count + 1;
    settings->properties = memory_resize(settings->properties, count,
                                         sizeof settings->properties[0]);
    settings->properties[count - 1] = (struct settings_property){key, value};
    settings->property_count = count;
    return true;
}

static bool properties_read(struct settings *settings, struct error *error)
{
    size_t at = 0;
    const char *text = NULL;
    while ((text = arguments_next(settings->arguments, "property", &at)) != NULL)
        if (!property_add(settings, text, error)) return false;
    return true;
}

void settings_free(struct settings *settings)
{
    for (size_t i = 0; i < settings->property_count; i++) {
        free(settings->properties[i].key);
        free(settings->properties[i].value);
    }
    free(settings->properties);
    settings->properties = NULL;
    settings->property_count = 0;
}

/* What the user said, else the environment, else the default; an empty text counts as unsaid. */
static const char *choose(const char *given, const char *variable, const char *otherwise)
{
    if (given != NULL && given[0] != '\0') return given;
    const char *environment = getenv(variable);
    return environment != NULL && environment[0] != '\0' ? environment : otherwise;
}

static void terminal_read(struct settings *settings)
{
    settings->width = 0;
    settings->colour = false;
    if (!isatty(STDOUT_FILENO)) return;
    struct winsize size = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    settings->height = known && size.ws_row > 0 ? size.ws_row : HEIGHT_DEFAULT;
    settings->width = known && size.ws_col > WIDTH_LEAST ? size.ws_col : known ? WIDTH_LEAST : 80;
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    settings->colour = (no_colour == NULL || no_colour[0] == '\0') &&
                       (terminal == NULL || strcmp(terminal, "dumb") != 0);
    assert(settings->width >= WIDTH_LEAST);
}

bool settings_read(struct settings *settings, const struct arguments *arguments,
                   struct error *error)
{
    *settings = (struct settings){
        .kafka = choose(arguments_value(arguments, "kafka"), "BELFRY_KAFKA", "localhost:9092"),
        .redis = choose(arguments_value(arguments, "redis"), "BELFRY_REDIS",
                        "redis://localhost:6379"),
        .cluster = choose(arguments_value(arguments, "cluster"), "BELFRY_CLUSTER", "belfry"),
        .redis_password_file = choose(arguments_value(arguments, "redis-password-file"),
                                      "BELFRY_REDIS_PASSWORD_FILE", ""),
        .timeout_ms = TIMEOUT_DEFAULT_MS,
        .arguments = arguments,
    };
    if (strlen(settings->cluster) > 100 ||
        !name_valid(settings->cluster, strlen(settings->cluster), false))
        return error_invalid(error, CODE_USAGE,
                             "--cluster: \"%.60s\" is not a name of 1 to 100 letters, digits or "
                             ". _ -", settings->cluster);
    const char *output = arguments_value(arguments, "output");
    if (output != NULL && !output_parse(output, &settings->output, error)) return false;
    if (!arguments_duration(arguments, "timeout", &settings->timeout_ms, error)) return false;
    if (settings->timeout_ms < 100 || settings->timeout_ms > HOURS_MS)
        return error_invalid(error, CODE_USAGE, "--timeout: from 100ms to 1h");
    terminal_read(settings);
    return properties_read(settings, error);
}

static bool name_letter(char letter)
{
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
           (letter >= '0' && letter <= '9');
}

bool name_valid(const char *name, size_t length, bool slash)
{
    if (length == 0 || length > NAME_BYTES_MAX || !name_letter(name[0])) return false;
    for (size_t i = 0; i < length; i++) {
        bool allowed = name_letter(name[i]) || (slash && name[i] == '/') ||
                       (name[i] != '\0' && strchr("._:@-", name[i]) != NULL);
        if (!allowed) return false;
    }
    return true;
}
