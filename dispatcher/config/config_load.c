/* Everything the operator said, in order of precedence. */
#include "dispatcher/config/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/config/config_file.h"
#include "dispatcher/config/config_parts.h"
#include "lib/base/arguments.h"
#include "lib/base/memory.h"
#include "lib/base/suggest.h"

enum { FILE_BYTES_MAX = 1024 * 1024, SOURCE_BYTES = 512 };

/* What a flag that is no option of the file asks for. */
static const struct {
    const char *flag;
    char letter;
    enum config_action action;
} actions[] = {{"check-config", '\0', CONFIG_CHECK}, {"healthcheck", '\0', CONFIG_HEALTH},
               {"readycheck", '\0', CONFIG_READY},
               {"version", '\0', CONFIG_VERSION},    {"help", 'h', CONFIG_HELP}};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

struct file_reading {
    struct config *config;
    const char *path;
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
        return error_invalid(error, CODE_BAD_VALUE, "[%s] %.60s is not known; did you mean %s?",
                             section, key, near.best);
    if (known_section)
        return error_invalid(error, CODE_BAD_VALUE, "[%s] %.60s is not known; belfryd --help lists "
                             "what is", section, key);
    if (near_section.best != NULL && strcmp(near_section.best, section) != 0)
        return error_invalid(error, CODE_BAD_VALUE, "[%.40s] is not known; did you mean [%s]?",
                             section, near_section.best);
    return error_invalid(error, CODE_BAD_VALUE, "%.40s in [%.40s]: the sections are belfry, http, "
                         "kafka, kafka.producer, kafka.consumer, redis and limits", key, section);
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
        return error_invalid(error, CODE_BAD_VALUE, "[%s] %s is given twice", section, key);
    struct error cause = {0};
    if (!config_option_set(option, value, config, &cause))
        return error_invalid(error, CODE_BAD_VALUE, "[%s] %s: %s", section, key, cause.message);
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
        return error_invalid(error, CODE_BAD_VALUE, "configuration file %s", cause.message);
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
            return error_invalid(error, CODE_BAD_VALUE, "%s: %s", variable, cause.message);
        set_source(config, &config_options[i], variable);
    }
    return true;
}

/* A row for each flag, to be freed. */
static struct option_row *flag_rows(void)
{
    size_t count = 0;
    struct option_row *rows = memory_allocate(config_option_count() + ACTIONS + 2, sizeof *rows);
    for (size_t i = 0; i < config_option_count(); i++)
        if (config_options[i].flag != NULL)
            rows[count++] = (struct option_row){.name = config_options[i].flag,
                                                .kind = OPTION_VALUE,
                                                .argument = config_options[i].argument};
    rows[count++] =
        (struct option_row){.name = "config", .kind = OPTION_LAST, .argument = "FILE"};
    for (size_t i = 0; i < ACTIONS; i++)
        rows[count++] = (struct option_row){
            .name = actions[i].flag, .letter = actions[i].letter, .kind = OPTION_FLAG};
    return rows;
}

/* Flags are read first, for what is asked and for --config, and applied last. */
static bool read_flags(struct config *config, int argc, char *const *argv,
                       const struct option_row *rows, struct arguments *flags,
                       struct error *error)
{
    const struct option_row *const tables[] = {rows, NULL};
    int at = 1;
    if (!arguments_parse(flags, tables, argc, argv, &at, STOP_AT_END, error)) return false;
    if (flags->positional_count > 0)
        return error_invalid(error, CODE_BAD_VALUE, "\"%.60s\": belfryd takes flags only; "
                             "belfryd --help lists them", flags->positionals[0]);
    for (size_t i = 0; i < flags->count; i++)
        for (size_t action = 0; action < ACTIONS; action++)
            if (strcmp(flags->items[i].row->name, actions[action].flag) == 0)
                config->action = actions[action].action;
    return true;
}

static bool apply_flags(struct config *config, const struct arguments *flags, struct error *error)
{
    for (size_t i = 0; i < flags->count; i++) {
        const char *flag = flags->items[i].row->name;
        const struct option *option = config_option_by_flag(flag, strlen(flag));
        char source[OPTION_VARIABLE_BYTES];
        struct error cause = {0};
        if (option == NULL) continue;
        (void)snprintf(source, sizeof source, "--%s", flag);
        if (!config_option_set(option, flags->items[i].value, config, &cause))
            return error_invalid(error, CODE_BAD_VALUE, "%s: %s", source, cause.message);
        set_source(config, option, source);
    }
    return true;
}

static bool set_defaults(struct config *config, struct error *error)
{
    config->sources = memory_allocate(config_option_count(), sizeof config->sources[0]);
    for (size_t i = 0; i < config_option_count(); i++) {
        const struct option *option = &config_options[i];
        char text[OPTION_DEFAULT_BYTES];
        const char *usual = config_option_default(option, text, sizeof text);
        if (!config_option_set(option, usual, config, error)) return false;
        set_source(config, option, "default");
    }
    return true;
}

bool config_load(struct config *config, int argc, char *const *argv, char *const *environment,
                 struct error *error)
{
    assert(config != NULL && config->sources == NULL);
    assert(argv != NULL && environment != NULL);
    const char *path = variable_value(environment, "BELFRY_CONFIG");
    struct option_row *rows = flag_rows();
    struct arguments flags = {0};
    bool done = set_defaults(config, error) &&
                read_flags(config, argc, argv, rows, &flags, error);
    bool whole = config->action != CONFIG_HELP && config->action != CONFIG_VERSION;
    if (arguments_has(&flags, "config")) path = arguments_value(&flags, "config");
    if (done && whole) {
        done = (path == NULL || path[0] == '\0' || read_file(config, path, error)) &&
               read_environment(config, environment, error) &&
               apply_flags(config, &flags, error) && config_finish(config, error);
    }
    arguments_free(&flags);
    free(rows);
    return done;
}
