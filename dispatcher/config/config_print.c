#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/config/config.h"
#include "dispatcher/config/config_parts.h"

enum { SHOWN_BYTES = 10240, COLUMN_FLAG = 26, COLUMN_VALUE = 44 };

static void print_option(const struct config *config, const struct option *option, FILE *out)
{
    char value[SHOWN_BYTES], left[SHOWN_BYTES + OPTION_VARIABLE_BYTES];
    assert(config->sources != NULL);
    (void)config_option_print(option, config, value, sizeof value);
    int length = snprintf(left, sizeof left, "%s%s = %s", value[0] == '\0' ? ";" : "",
                          option->key, value);
    assert(length > 0);
    (void)length;
    (void)fprintf(out, "%-*s ; %s\n", COLUMN_VALUE, left,
                  config->sources[config_option_index(option)]);
}

static void print_properties(const struct config_properties *properties, FILE *out)
{
    for (size_t i = 0; i < properties->count; i++)
        (void)fprintf(out, "%s\n", properties->shown[i]);
}

void config_print(const struct config *config, FILE *out)
{
    assert(config != NULL);
    assert(out != NULL);
    const char *section = "";
    (void)fprintf(out, "; the configuration in force, and where each value comes from\n");
    for (size_t i = 0; i < config_option_count(); i++) {
        const struct option *option = &config_options[i];
        if (strcmp(section, option->section) != 0) {
            section = option->section;
            (void)fprintf(out, "\n[%s]\n", section);
        }
        print_option(config, option, out);
        if (strcmp(section, config_client_sections[CLIENT_COMMON]) == 0)
            print_properties(&config->properties[CLIENT_COMMON], out);
    }
    for (size_t i = CLIENT_PRODUCER; i < CLIENT_COUNT; i++) {
        if (config->properties[i].count == 0) continue;
        (void)fprintf(out, "\n[%s]\n", config_client_sections[i]);
        print_properties(&config->properties[i], out);
    }
}

static void print_flag(const struct option *option, FILE *out)
{
    char variable[OPTION_VARIABLE_BYTES], left[OPTION_VARIABLE_BYTES], text[OPTION_DEFAULT_BYTES];
    config_option_variable(option, variable);
    (void)snprintf(left, sizeof left, "--%s %s", option->flag, option->argument);
    (void)fprintf(out, "  %-*s %s\n  %-*s   %s", COLUMN_FLAG, left, option->help, COLUMN_FLAG, "",
                  variable);
    const char *usual = config_option_default(option, text, sizeof text);
    if (usual[0] != '\0') (void)fprintf(out, ", default %s", usual);
    (void)fputc('\n', out);
}

static void print_setting(const struct option *option, FILE *out)
{
    char left[OPTION_VARIABLE_BYTES], text[OPTION_DEFAULT_BYTES];
    (void)snprintf(left, sizeof left, "%s = %s", option->key, option->argument);
    (void)fprintf(out, "    %-*s %s", COLUMN_FLAG, left, option->help);
    const char *usual = config_option_default(option, text, sizeof text);
    if (usual[0] != '\0') (void)fprintf(out, " (%s)", usual);
    (void)fputc('\n', out);
}

void config_print_help(FILE *out)
{
    assert(out != NULL);
    (void)fputs("usage: belfryd [flags]\n\n"
                "Takes commands from a Kafka topic, keeps jobs, publishes a fire for each due "
                "time.\n\n",
                out);
    for (size_t i = 0; i < config_option_count(); i++)
        if (config_options[i].flag != NULL) print_flag(&config_options[i], out);
    (void)fprintf(out, "  %-*s an INI file (BELFRY_CONFIG)\n", COLUMN_FLAG, "--config FILE");
    (void)fprintf(out, "  %-*s print the configuration in force and end\n", COLUMN_FLAG,
                  "--check-config");
    (void)fprintf(out, "  %-*s ask the daemon at health.socket; 0: it is alive\n", COLUMN_FLAG,
                  "--healthcheck");
    (void)fprintf(out, "  %-*s the same; 0: it does its work\n", COLUMN_FLAG, "--readycheck");
    (void)fprintf(out, "  %-*s\n  %-*s\n\n", COLUMN_FLAG, "--version", COLUMN_FLAG, "--help");
    (void)fputs("A flag wins over a BELFRY_* variable, that over the file, that over the default.\n"
                "Settings of the file that have no flag (default in parentheses; each can be a\n"
                "variable, BELFRY_CATCHUP_RATE or BELFRY_LIMITS_EVERY_MIN):\n",
                out);
    const char *section = "";
    for (size_t i = 0; i < config_option_count(); i++) {
        const struct option *option = &config_options[i];
        if (option->flag != NULL) continue;
        if (strcmp(section, option->section) != 0) {
            section = option->section;
            (void)fprintf(out, "  [%s]\n", section);
        }
        print_setting(option, out);
    }
    (void)fputs("  [kafka] [kafka.producer] [kafka.consumer]\n"
                "    any property of librdkafka; NAME_file = PATH reads its value from a file\n",
                out);
}
