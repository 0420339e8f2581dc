#include "lib/base/arguments.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/base/number.h"
#include "lib/base/suggest.h"

static const struct option_row *row_by_name(const struct option_row *const *tables,
                                            const char *name, size_t length)
{
    for (; *tables != NULL; tables++)
        for (const struct option_row *row = *tables; row->name != NULL; row++)
            if (strlen(row->name) == length && memcmp(row->name, name, length) == 0) return row;
    return NULL;
}

static const struct option_row *row_by_letter(const struct option_row *const *tables, char letter)
{
    assert(letter != '\0');
    for (; *tables != NULL; tables++)
        for (const struct option_row *row = *tables; row->name != NULL; row++)
            if (row->letter == letter) return row;
    return NULL;
}

static bool unknown_option(const struct option_row *const *tables, const char *name, size_t length,
                           struct error *error)
{
    struct suggestion near = {.word = name, .word_length = length};
    for (; *tables != NULL; tables++)
        for (const struct option_row *row = *tables; row->name != NULL; row++)
            suggestion_offer(&near, row->name);
    int shown = length > 60 ? 60 : (int)length;
    if (near.best == NULL)
        return error_invalid(error, CODE_USAGE, "unknown option --%.*s; --help lists them", shown,
                             name);
    return error_invalid(error, CODE_USAGE, "unknown option --%.*s; did you mean --%s?", shown,
                         name, near.best);
}

static bool argument_add(struct arguments *arguments, const struct option_row *row,
                         const char *value, struct error *error)
{
    for (size_t i = 0; row->kind == OPTION_LAST && i < arguments->count; i++) {
        if (arguments->items[i].row != row) continue;
        arguments->items[i].value = value;
        return true;
    }
    if (row->kind != OPTION_LIST && arguments_has(arguments, row->name))
        return error_invalid(error, CODE_USAGE, "--%s is given twice", row->name);
    arguments->items = memory_grow(arguments->items, &arguments->capacity, arguments->count + 1,
                                   sizeof *arguments->items);
    arguments->items[arguments->count++] = (struct argument){row, value};
    return true;
}

/* `attached` is the value written in the same word, NULL = none; else the next word is it. */
static bool option_take(struct arguments *arguments, const struct option_row *row,
                        const char *attached, int argc, char *const *argv, int *at,
                        struct error *error)
{
    bool flag = row->kind == OPTION_FLAG || row->kind == OPTION_REST;
    if (flag && attached != NULL)
        return error_invalid(error, CODE_USAGE, "--%s takes no value", row->name);
    if (flag || (row->kind == OPTION_OPTIONAL && attached == NULL))
        return argument_add(arguments, row, "", error);
    if (attached != NULL) return argument_add(arguments, row, attached, error);
    const char *next = *at < argc ? argv[*at] : NULL;
    if (next == NULL)
        return error_invalid(error, CODE_USAGE, "--%s needs a value: --%s %s", row->name, row->name,
                             row->argument);
    if (strncmp(next, "--", 2) == 0)
        return error_invalid(error, CODE_USAGE,
                             "--%s needs a value, but \"%.40s\" follows; if that is the value, "
                             "write --%s=%.40s",
                             row->name, next, row->name, next);
    *at += 1;
    return argument_add(arguments, row, next, error);
}

static bool word_long(struct arguments *arguments, const struct option_row *const *tables, int argc,
                      char *const *argv, int *at, struct error *error)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const struct option_row *row = row_by_name(tables, name, length);
    assert(strncmp(argv[*at], "--", 2) == 0);
    if (row == NULL) return unknown_option(tables, name, length, error);
    assert(strlen(row->name) == length);
    *at += 1;
    return option_take(arguments, row, equals == NULL ? NULL : equals + 1, argc, argv, at, error);
}

static bool word_short(struct arguments *arguments, const struct option_row *const *tables,
                       int argc, char *const *argv, int *at, struct error *error)
{
    const char *word = argv[*at];
    assert(word[0] == '-');
    assert(word[1] != '\0');
    const struct option_row *row = row_by_letter(tables, word[1]);
    if (row == NULL)
        return error_invalid(error, CODE_USAGE, "unknown option %.40s; --help lists them", word);
    *at += 1;
    return option_take(arguments, row, word[2] == '\0' ? NULL : word + 2, argc, argv, at, error);
}

static void positional_add(struct arguments *arguments, const char *word)
{
    arguments->positionals =
        memory_grow(arguments->positionals, &arguments->positional_capacity,
                    arguments->positional_count + 1, sizeof *arguments->positionals);
    arguments->positionals[arguments->positional_count++] = word;
}

bool arguments_parse(struct arguments *arguments, const struct option_row *const *tables, int argc,
                     char *const *argv, int *at, enum options_stop stop, struct error *error)
{
    assert(*at >= 0);
    bool options_ended = false;
    while (*at < argc) {
        const char *word = argv[*at];
        bool is_option = !options_ended && word[0] == '-' && word[1] != '\0';
        if (!is_option && stop == STOP_AT_WORD) return true;
        if (!is_option) {
            positional_add(arguments, word);
            *at += 1;
        } else if (strcmp(word, "--") == 0) {
            options_ended = true;
            *at += 1;
        } else if (word[1] == '-') {
            if (!word_long(arguments, tables, argc, argv, at, error)) return false;
            if (arguments->items[arguments->count - 1].row->kind == OPTION_REST) return true;
        } else {
            if (!word_short(arguments, tables, argc, argv, at, error)) return false;
        }
    }
    return true;
}

void arguments_free(struct arguments *arguments)
{
    free(arguments->items);
    free(arguments->positionals);
    *arguments = (struct arguments){0};
}

const char *arguments_next(const struct arguments *arguments, const char *name, size_t *at)
{
    while (*at < arguments->count) {
        const struct argument *argument = &arguments->items[(*at)++];
        if (strcmp(argument->row->name, name) == 0) return argument->value;
    }
    return NULL;
}

const char *arguments_value(const struct arguments *arguments, const char *name)
{
    size_t at = 0;
    return arguments_next(arguments, name, &at);
}

bool arguments_has(const struct arguments *arguments, const char *name)
{
    return arguments_value(arguments, name) != NULL;
}

bool number_parse(const char *text, int64_t least, int64_t most, int64_t *number)
{
    int64_t value = 0;
    assert(least <= most);
    if (!number_read(text_of(text), &value) || value < least || value > most) return false;
    *number = value;
    return true;
}

bool arguments_number(const struct arguments *arguments, const char *name, int64_t least,
                      int64_t most, int64_t *number, struct error *error)
{
    assert(least <= most);
    const char *text = arguments_value(arguments, name);
    if (text == NULL || number_parse(text, least, most, number)) return true;
    if (most == INT64_MAX)
        return error_invalid(error, CODE_USAGE,
                             "--%s: \"%.40s\" is not a whole number of at least %" PRId64, name,
                             text, least);
    return error_invalid(error, CODE_USAGE,
                         "--%s: \"%.40s\" is not a whole number from %" PRId64 " to %" PRId64, name,
                         text, least, most);
}
