/* Everything the operator said, in order of precedence. */
#include "dispatcher/config/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/config/config_file.h"
#include "dispatcher/config/config_parts.h"
#include "lib/base/memory.h"
#include "lib/base/suggest.h"

enum { FILE_BYTES_MAX = 1024 * 1024, SOURCE_BYTES = 512 };

static const char *const action_flags[] = {"config", "check-config", "healthcheck",
                                           "version", "help", NULL};

struct file_reading {
    struct config *config;
    const char *path;
};

struct flag_value {
    const struct option *option;
    const char *value;
};

static void set_source(struct config *config, const struct option *option, const char *source)
{
    size_t at = config_option_index(option);
    free(config->sources[at]);
    config->sources[at] = memory_copy_text(source, strlen(source));
}

static bool unknown_key(const char *section, const char *key, struct error *error)
{
    struct suggestion near = {.word = key, .word_length = strlen(key)};
    struct suggestion near_section = {.word = section, .word_length = strlen(section)};
    bool known_section = false;
    for (size_t i = 0; i < config_option_count(); i++) {
        suggestion_offer(&near_section, config_options[i].section);
        if (strcmp(config_options[i].section, section) != 0) continue;
        known_section = true;
        suggestion_offer(&near, config_options[i].key);
    }
    for (size_t i = 0; i < CLIENT_COUNT; i++)
        suggestion_offer(&near_section, config_client_sections[i]);
    if (known_section && near.best != NULL)
        return error_invalid(error, "bad_value", "[%s] %.60s is not known; did you mean %s?",
                             section, key, near.best);
    if (known_section)
        return error_invalid(error, "bad_value", "[%s] %.60s is not known; belfryd --help lists "
                             "what is", section, key);
    if (near_section.best != NULL && strcmp(near_section.best, section) != 0)
        return error_invalid(error, "bad_value", "[%.40s] is not known; did you mean [%s]?",
                             section, near_section.best);
    return error_invalid(error, "bad_value", "%.40s in [%.40s]: the sections are belfry, kafka, "
                         "kafka.producer, kafka.consumer, redis and limits", key, section);
}

/* A key of the file. */
static bool take_key(void *opaque, const char *section, const char *key, const char *value,
                     int line, struct error *error)
{
    struct file_reading *reading = opaque;
    struct config *config = reading->config;
    const struct option *option = config_option_by_key(section, key);
    if (option == NULL) {
        for (size_t i = 0; i < CLIENT_COUNT; i++)
            if (strcmp(section, config_client_sections[i]) == 0)
                return config_property_add(&config->properties[i], section, key, value, error);
        return unknown_key(section, key, error);
    }
    if (strcmp(config->sources[config_option_index(option)], "default") != 0)
        return error_invalid(error, "bad_value", "[%s] %s is given twice", section, key);
    struct error cause = {0};
    if (!config_option_set(option, value, config, &cause))
        return error_invalid(error, "bad_value", "[%s] %s: %s", section, key, cause.message);
    char source[SOURCE_BYTES];
    (void)snprintf(source, sizeof source, "%s:%d", reading->path, line);
    set_source(config, option, source);
    return true;
}

static bool read_file(struct config *config, const char *path, struct error *error)
{
    struct file_reading reading = {.config = config, .path = path};
    size_t length = 0;
    struct error cause = {0};
    char *text = config_file_read(path, FILE_BYTES_MAX, &length, &cause);
    if (text == NULL)
        return error_invalid(error, "bad_value", "configuration file %s", cause.message);
    bool done = config_file_parse(path, text, length, take_key, &reading, error);
    free(text);
    return done;
}

static const char *variable_value(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    assert(environment != NULL);
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

/* An empty variable counts as not given. */
static bool read_environment(struct config *config, char *const *environment,
                             struct error *error)
{
    for (size_t i = 0; i < config_option_count(); i++) {
        char variable[OPTION_VARIABLE_BYTES];
        config_option_variable(&config_options[i], variable);
        const char *value = variable_value(environment, variable);
        if (value == NULL || value[0] == '\0') continue;
        struct error cause = {0};
        if (!config_option_set(&config_options[i], value, config, &cause))
            return error_invalid(error, "bad_value", "%s: %s", variable, cause.message);
        set_source(config, &config_options[i], variable);
    }
    return true;
}

static bool unknown_flag(const char *word, size_t length, struct error *error)
{
    struct suggestion near = {.word = word, .word_length = length};
    for (size_t i = 0; i < config_option_count(); i++)
        if (config_options[i].flag != NULL) suggestion_offer(&near, config_options[i].flag);
    for (size_t i = 0; action_flags[i] != NULL; i++) suggestion_offer(&near, action_flags[i]);
    int shown = length > 60 ? 60 : (int)length;
    if (length == strlen("http") && memcmp(word, "http", length) == 0)
        return error_invalid(error, "bad_value", "--http: this version has no HTTP interface yet; "
                             "the log and `belfry shards` show the state");
    if (near.best != NULL)
        return error_invalid(error, "bad_value", "unknown flag --%.*s; did you mean --%s?", shown,
                             word, near.best);
    return error_invalid(error, "bad_value", "unknown flag --%.*s; belfryd --help lists what is "
                         "known", shown, word);
}

static bool is_word(const char *word, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(word, name, length) == 0;
}

/* The value of the flag at *at: behind an equals sign or the next word. */
static const char *flag_value(int argc, char *const *argv, int *at, size_t length,
                              struct error *error)
{
    const char *word = argv[*at] + 2;
    if (word[length] == '=') return word + length + 1;
    if (*at + 1 < argc) return argv[++*at];
    error_invalid(error, "bad_value", "--%s needs a value", word);
    return NULL;
}

/* Flags are read first, for --config, and applied last. `values` has room for all options. */
static bool read_flags(struct config *config, int argc, char *const *argv, const char **path,
                       struct flag_value *values, size_t *count, struct error *error)
{
    for (int at = 1; at < argc; at++) {
        if (strncmp(argv[at], "--", 2) != 0 || argv[at][2] == '\0') {
            if (strcmp(argv[at], "-h") != 0)
                return error_invalid(error, "bad_value", "\"%.60s\": belfryd takes flags only; "
                                     "belfryd --help lists them", argv[at]);
            config->action = CONFIG_HELP;
            continue;
        }
        const char *word = argv[at] + 2;
        size_t length = strcspn(word, "=");
        const struct option *option = config_option_by_flag(word, length);
        if (is_word(word, strlen(word), "help")) config->action = CONFIG_HELP;
        else if (is_word(word, strlen(word), "version")) config->action = CONFIG_VERSION;
        else if (is_word(word, strlen(word), "check-config")) config->action = CONFIG_CHECK;
        else if (is_word(word, strlen(word), "healthcheck")) config->action = CONFIG_HEALTH;
        else if (option == NULL && !is_word(word, length, "config"))
            return unknown_flag(word, length, error);
        else {
            const char *value = flag_value(argc, argv, &at, length, error);
            if (value == NULL) return false;
            if (option == NULL) *path = value;
            for (size_t i = 0; option != NULL && i < *count; i++)
                if (values[i].option == option)
                    return error_invalid(error, "bad_value", "--%s is given twice", option->flag);
            if (option != NULL) values[(*count)++] = (struct flag_value){option, value};
        }
    }
    return true;
}

static bool apply_flags(struct config *config, const struct flag_value *values, size_t count,
                        struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        char source[OPTION_VARIABLE_BYTES];
        struct error cause = {0};
        (void)snprintf(source, sizeof source, "--%s", values[i].option->flag);
        if (!config_option_set(values[i].option, values[i].value, config, &cause))
            return error_invalid(error, "bad_value", "%s: %s", source, cause.message);
        set_source(config, values[i].option, source);
    }
    return true;
}

static bool set_defaults(struct config *config, struct error *error)
{
    config->sources = memory_allocate(config_option_count(), sizeof config->sources[0]);
    for (size_t i = 0; i < config_option_count(); i++) {
        if (!config_option_set(&config_options[i], config_options[i].fallback, config, error))
            return false;
        set_source(config, &config_options[i], "default");
    }
    return true;
}

bool config_load(struct config *config, int argc, char *const *argv, char *const *environment,
                 struct error *error)
{
    assert(config != NULL && config->sources == NULL);
    assert(argv != NULL && environment != NULL);
    const char *path = variable_value(environment, "BELFRY_CONFIG");
    size_t count = 0;
    struct flag_value *values = memory_allocate(config_option_count(), sizeof values[0]);
    bool done = set_defaults(config, error) &&
                read_flags(config, argc, argv, &path, values, &count, error);
    bool whole = config->action != CONFIG_HELP && config->action != CONFIG_VERSION;
    if (done && whole) {
        done = (path == NULL || path[0] == '\0' || read_file(config, path, error)) &&
               read_environment(config, environment, error) &&
               apply_flags(config, values, count, error) && config_finish(config, error);
    }
    free(values);
    return done;
}
