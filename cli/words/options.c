#include "cli/words/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/time/duration.h"

bool arguments_duration(const struct arguments *arguments, const char *name, int64_t *duration_ms,
                        struct error *error)
{
    const char *text = arguments_value(arguments, name);
    if (text == NULL || text[0] == '\0') return true;
    struct error refused = {0};
    if (duration_parse(text, strlen(text), duration_ms, &refused)) return true;
    assert(refused.kind == ERROR_INVALID);
    return error_invalid(error, CODE_USAGE, "--%s \"%.40s\": %s", name, text, refused.message);
}

bool arguments_text(const struct arguments *arguments, const char *name, const char **value,
                    struct error *error)
{
    *value = arguments_value(arguments, name);
    if (*value == NULL || utf8_valid_length(text_of(*value)) == strlen(*value)) return true;
    return error_invalid(error, CODE_NOT_UTF8, "--%s: it is not valid UTF-8", name);
}

static bool is_word_of(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        size_t bytes = strcspn(at, " ");
        if (bytes == length && memcmp(at, word, length) == 0) return true;
        at += bytes;
    }
    return false;
}

static bool verb_takes(const struct verb_option *rows, const char *verb, const char *option)
{
    for (; rows->option != NULL; rows++)
        if (strcmp(rows->option, option) == 0) return is_word_of(rows->verbs, verb);
    return true;
}

bool verb_options_check(const struct arguments *arguments, const char *command, const char *verb,
                        const struct option_row *const *tables, const struct verb_option *rows,
                        struct error *error)
{
    char taken[160] = "";
    size_t used = 0;
    const char *wrong = NULL;
    for (size_t i = 0; i < arguments->count && wrong == NULL; i++)
        if (!verb_takes(rows, verb, arguments->items[i].row->name))
            wrong = arguments->items[i].row->name;
    if (wrong == NULL) return true;
    for (; *tables != NULL; tables++)
        for (const struct option_row *row = *tables; row->name != NULL; row++)
            if (verb_takes(rows, verb, row->name) && used < sizeof taken)
                used += (size_t)snprintf(taken + used, sizeof taken - used, " --%s", row->name);
    return error_invalid(error, CODE_USAGE, "--%s does not go with belfry %s %s, which takes%s",
                         wrong, command, verb, taken);
}
