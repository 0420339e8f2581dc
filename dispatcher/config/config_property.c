#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/config/config_parts.h"
#include "dispatcher/config/secret_file.h"
#include "lib/base/memory.h"
#include "lib/base/suggest.h"

enum { SHOWN_BYTES = 1024, REASON_BYTES = 160 };

const char *const config_client_sections[CLIENT_COUNT] = {
    [CLIENT_COMMON] = "kafka",
    [CLIENT_PRODUCER] = "kafka.producer",
    [CLIENT_CONSUMER] = "kafka.consumer",
};

/* librdkafka's own table of properties as text, "name | C/P | range ...": the one list that has
 * the aliases too. free() it; NULL when memory is short. */
static char *property_table(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL) return NULL;
    rd_kafka_conf_properties_show(out);
    (void)fclose(out);
    return text;
}

static bool unknown(const char *section, const char *name, struct error *error)
{
    struct suggestion near = {.word = name, .word_length = strlen(name)};
    char *table = property_table();
    for (char *line = table; line != NULL && *line != '\0';) {
        char *next = strchr(line, '\n');
        size_t length = strcspn(line, " \n");
        bool row = length > 0 && line[length + strspn(line + length, " ")] == '|';
        line[length] = '\0';
        if (row) suggestion_offer(&near, line);
        line = next == NULL ? NULL : next + 1;
    }
    if (near.best != NULL)
        error_invalid(error, CODE_BAD_VALUE, "[%s] %.60s: librdkafka has no such property; did you "
                      "mean %s?", section, name, near.best);
    else
        error_invalid(error, CODE_BAD_VALUE, "[%s] %.60s: librdkafka %s has no such property",
                      section, name, rd_kafka_version_str());
    free(table);
    return false;
}

/* Asks librdkafka itself, so that the error can name the line. */
static bool check(const char *section, const char *name, const char *value, struct error *error)
{
    char reason[REASON_BYTES] = "";
    bool fine = false;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, reason, sizeof reason);
    switch (result) {
    case RD_KAFKA_CONF_OK: fine = true; break;
    case RD_KAFKA_CONF_UNKNOWN: unknown(section, name, error); break;
    case RD_KAFKA_CONF_INVALID:
        error_invalid(error, CODE_BAD_VALUE, "[%s] %s: %s", section, name,
                      secret_property(name) ? "librdkafka refuses the value" : reason);
        break;
    }
    rd_kafka_conf_destroy(conf);
    return fine;
}

static void add(struct config_properties *properties, char *name, char *value, char *shown)
{
    size_t count = properties->count + 1;
    properties->items = memory_resize(properties->items, count, sizeof properties->items[0]);
    properties->shown = memory_resize(properties->shown, count, sizeof properties->shown[0]);
    properties->items[count - 1] = (struct kafka_property){name, value};
    properties->shown[count - 1] = shown;
    properties->count = count;
}

bool config_property_add(struct config_properties *properties, const char *section,
                         const char *key, const char *text, struct error *error)
{
    assert(properties != NULL && section != NULL);
    assert(key != NULL && text != NULL);
    size_t length = 0;
    bool from_file = secret_file_key(key, &length);
    char *name = memory_copy_text(key, length);
    char *value = NULL;
    char shown[SHOWN_BYTES];
    (void)snprintf(shown, sizeof shown, "%s = %s", key, text);
    for (size_t i = 0; i < properties->count; i++) {
        if (strcmp(properties->items[i].name, name) != 0) continue;
        error_invalid(error, CODE_BAD_VALUE, "[%s] %s is given twice", section, name);
        goto refused;
    }
    if (secret_property(name) && !from_file) {
        error_invalid(error, CODE_BAD_VALUE,
                      "[%s] %s: a secret; put it in a file and write %s_file = PATH",
                      section, name, name);
        goto refused;
    }
    value = from_file ? secret_file_read(text, error) : memory_copy_text(text, strlen(text));
    if (value == NULL || !check(section, name, value, error)) goto refused;
    add(properties, name, value, memory_copy_text(shown, strlen(shown)));
    return true;
refused:
    free(value);
    free(name);
    return false;
}
