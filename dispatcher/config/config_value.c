#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/config/config.h"
#include "dispatcher/config/config_options.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/time/duration.h"

enum { KIB = 1024, MIB = 1024 * 1024, RANGE_BYTES = 64 };

static void *field_of(const struct option *option, struct config *config)
{
    assert(option->offset < sizeof *config);
    return (char *)config + option->offset;
}

static const void *field_read(const struct option *option, const struct config *config)
{
    assert(option->offset < sizeof *config);
    return (const char *)config + option->offset;
}

/* A decimal number at the start of text; false where none is or it is too large. */
static bool read_number(const char *text, int64_t *number, const char **rest)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15) return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++) *number = *number * 10 + (text[i] - '0');
    *rest = text + digits;
    return true;
}

static bool read_bytes(const char *text, int64_t *number)
{
    const char *unit = NULL;
    if (!read_number(text, number, &unit)) return false;
    if (*unit == ' ') unit++;
    if (*unit == '\0' || strcmp(unit, "B") == 0) return true;
    if (*number > INT64_MAX / MIB) return false;
    if (strcmp(unit, "KiB") == 0) *number *= KIB;
    else if (strcmp(unit, "MiB") == 0) *number *= MIB;
    else return false;
    return true;
}

static void print_number(const struct option *option, int64_t number, char *text, size_t bytes)
{
    char duration[DURATION_TEXT_BYTES];
    switch (option->kind) {
    case VALUE_DURATION:
    case VALUE_DURATION_OR_FOREVER:
        if (number == KEEP_FINISHED_FOREVER_MS) {
            (void)snprintf(text, bytes, "forever");
            return;
        }
        duration_format(number, duration);
        (void)snprintf(text, bytes, "%s", duration);
        return;
    case VALUE_BYTES:
        if (number >= MIB && number % MIB == 0)
            (void)snprintf(text, bytes, "%" PRId64 "MiB", number / MIB);
        else if (number >= KIB && number % KIB == 0)
            (void)snprintf(text, bytes, "%" PRId64 "KiB", number / KIB);
        else
            (void)snprintf(text, bytes, "%" PRId64, number);
        return;
    default: (void)snprintf(text, bytes, "%" PRId64, number);
    }
}

static bool refuse_range(const struct option *option, const char *text, struct error *error)
{
    char least[RANGE_BYTES], most[RANGE_BYTES];
    print_number(option, option->min, least, sizeof least);
    print_number(option, option->max, most, sizeof most);
    const char *what = option->kind == VALUE_COUNT     ? "a number"
                       : option->kind == VALUE_BYTES ? "a size such as 64KiB"
                                                      : "a duration such as 90s";
    return error_invalid(error, CODE_BAD_VALUE, "\"%.40s\" is not %s from %s to %s", text, what,
                         least, most);
}

static bool set_number(const struct option *option, const char *text, int64_t *field,
                       struct error *error)
{
    int64_t number = 0;
    const char *rest = "";
    bool read = false;
    if (option->kind == VALUE_DURATION_OR_FOREVER && strcmp(text, "forever") == 0) {
        *field = KEEP_FINISHED_FOREVER_MS;
        return true;
    }
    if (option->kind == VALUE_COUNT) read = read_number(text, &number, &rest) && *rest == '\0';
    else if (option->kind == VALUE_BYTES) read = read_bytes(text, &number);
    else read = duration_parse(text, strlen(text), &number, NULL);
    if (!read || number < option->min || number > option->max)
        return refuse_range(option, text, error);
    *field = number;
    return true;
}

static bool set_text(const struct option *option, const char *text, char **field,
                     struct error *error)
{
    int64_t length = (int64_t)strlen(text);
    assert(option->max > 0);
    if (length < option->min)
        return error_invalid(error, CODE_BAD_VALUE, "a value is missing: %s", option->help);
    if (length > option->max)
        return error_invalid(error, CODE_BAD_VALUE,
                             "\"%.40s...\" has %" PRId64 " characters, %" PRId64 " are allowed",
                             text, length, option->max);
    free(*field);
    *field = memory_copy_text(text, (size_t)length);
    return true;
}

static bool set_choice(const struct option *option, const char *text, int64_t *field,
                       struct error *error)
{
    assert(option->words != NULL);
    for (int64_t i = 0; option->words[i] != NULL; i++) {
        if (strcmp(option->words[i], text) != 0) continue;
        *field = i;
        return true;
    }
    return error_invalid(error, CODE_BAD_VALUE, "\"%.40s\" is not one of: %s", text, option->help);
}

static void release_list(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    *list = (struct config_list){0};
}

static bool set_list(const struct option *option, const char *text, struct config_list *field,
                     struct error *error)
{
    struct config_list list = {0};
    size_t capacity = 0;
    for (const char *at = text; *at != '\0';) {
        at += strspn(at, ", ");
        size_t length = strcspn(at, ", ");
        if (length == 0) break;
        if ((int64_t)length > option->max) {
            release_list(&list);
            return error_invalid(error, CODE_BAD_VALUE, "\"%.40s...\": a name of at most %" PRId64
                                 " characters is allowed", at, option->max);
        }
        list.items = memory_grow(list.items, &capacity, list.count + 1, sizeof list.items[0]);
        list.items[list.count++] = memory_copy_text(at, length);
        at += length;
    }
    release_list(field);
    *field = list;
    return true;
}

bool config_option_set(const struct option *option, const char *text, struct config *config,
                       struct error *error)
{
    assert(option != NULL && text != NULL);
    void *field = field_of(option, config);
    switch (option->kind) {
    case VALUE_TEXT: return set_text(option, text, field, error);
    case VALUE_LIST: return set_list(option, text, field, error);
    case VALUE_CHOICE: return set_choice(option, text, field, error);
    case VALUE_COUNT:
    case VALUE_BYTES:
    case VALUE_DURATION:
    case VALUE_DURATION_OR_FOREVER: return set_number(option, text, field, error);
    }
    return false;
}

const char *config_option_default(const struct option *option, char *text, size_t bytes)
{
    assert(option != NULL && text != NULL);
    if (option->fallback != NULL) return option->fallback;
    print_number(option, option->fallback_number, text, bytes);
    return text;
}

static void print_list(const struct config_list *list, char *text, size_t bytes)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < list->count && length < bytes; i++) {
        int more = snprintf(text + length, bytes - length, "%s%s", i > 0 ? "," : "",
                            list->items[i]);
        assert(more >= 0);
        length += (size_t)more;
    }
}

const char *config_option_print(const struct option *option, const struct config *config,
                                char *text, size_t bytes)
{
    assert(option != NULL && config != NULL);
    assert(text != NULL && bytes > 0);
    const void *field = field_read(option, config);
    switch (option->kind) {
    case VALUE_TEXT: (void)snprintf(text, bytes, "%s", *(char *const *)field); break;
    case VALUE_LIST: print_list(field, text, bytes); break;
    case VALUE_CHOICE:
        (void)snprintf(text, bytes, "%s", option->words[*(const int64_t *)field]);
        break;
    default: print_number(option, *(const int64_t *)field, text, bytes);
    }
    return text;
}

static void release_properties(struct config_properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        free((char *)properties->items[i].name);
        free((char *)properties->items[i].value);
        free(properties->shown[i]);
    }
    free(properties->items);
    free(properties->shown);
    *properties = (struct config_properties){0};
}

void config_release(struct config *config)
{
    assert(config != NULL);
    for (size_t i = 0; i < config_option_count(); i++) {
        void *field = field_of(&config_options[i], config);
        if (config->sources != NULL) free(config->sources[i]);
        if (config_options[i].kind == VALUE_TEXT) free(*(char **)field);
        if (config_options[i].kind == VALUE_LIST) release_list(field);
    }
    free(config->sources);
    free(config->http_token);
    for (size_t i = 0; i < CLIENT_COUNT; i++) release_properties(&config->properties[i]);
    *config = (struct config){0};
}
