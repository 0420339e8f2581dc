#include "dispatcher/config/config_options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/config/config.h"
#include "lib/base/limits.h"
#include "lib/time/duration.h"
#include "lib/time/schedule.h"

#define FIELD(member) offsetof(struct config, member)
#define PATH_MAX_BYTES 511

static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_words[] = {"logfmt", "json", NULL};

#define OPTION(field, section, key, flag, argument, kind, fallback, least, most, words, help)      \
    {section, key, flag, argument, VALUE_##kind, FIELD(field), fallback, 0, least, most, words,    \
     help},
#define OPTION_OF_ENGINE(field, section, key, argument, kind, fallback, least, most, help)         \
    {section, key, NULL, argument, VALUE_##kind, FIELD(engine.field), NULL, fallback, least, most, \
     NULL, help},
const struct option config_options[] = {
    CONFIG_FIRST(OPTION)
    ENGINE_SETTINGS(OPTION_OF_ENGINE)
    CONFIG_REST(OPTION)
    ENGINE_LIMITS(OPTION_OF_ENGINE)
};

size_t config_option_count(void)
{
    return sizeof config_options / sizeof config_options[0];
}

size_t config_option_index(const struct option *option)
{
    assert(option >= config_options);
    assert(option < config_options + config_option_count());
    return (size_t)(option - config_options);
}

const struct option *config_option_by_key(const char *section, const char *key)
{
    assert(section != NULL);
    assert(key != NULL);
    for (size_t i = 0; i < config_option_count(); i++)
        if (strcmp(config_options[i].section, section) == 0 &&
            strcmp(config_options[i].key, key) == 0)
            return &config_options[i];
    return NULL;
}

const struct option *config_option_by_flag(const char *flag, size_t length)
{
    assert(flag != NULL);
    for (size_t i = 0; i < config_option_count(); i++) {
        const char *name = config_options[i].flag;
        if (name != NULL && strlen(name) == length && memcmp(name, flag, length) == 0)
            return &config_options[i];
    }
    return NULL;
}

void config_option_variable(const struct option *option, char variable[OPTION_VARIABLE_BYTES])
{
    assert(option != NULL);
    int length = 0;
    if (option->flag != NULL)
        length = snprintf(variable, OPTION_VARIABLE_BYTES, "BELFRY_%s", option->flag);
    else if (strcmp(option->section, "belfry") == 0)
        length = snprintf(variable, OPTION_VARIABLE_BYTES, "BELFRY_%s", option->key);
    else
        length = snprintf(variable, OPTION_VARIABLE_BYTES, "BELFRY_%s_%s", option->section,
                          option->key);
    assert(length > 0 && length < OPTION_VARIABLE_BYTES);
    for (char *at = variable; *at != '\0'; at++) {
        if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 'a' + 'A');
        else if (*at == '.' || *at == '-') *at = '_';
    }
}
