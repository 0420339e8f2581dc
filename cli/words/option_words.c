#include "cli/words/option_words.h"

#include <assert.h>
#include <string.h>

#include "cli/words/settings.h"

static bool is_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || text[i] == '_')) return false;
    return length > 0;
}

bool option_words(const struct option_row *row, char *words, size_t bytes)
{
    assert(bytes > 0);
    size_t used = 0;
    words[0] = '\0';
    const char *at = row->argument;
    if (at == NULL || strchr(at, '|') == NULL) return false;
    while (*at != '\0') {
        size_t length = strcspn(at, "|");
        if (is_word(at, length) && used + length + 2 < bytes) {
            if (used > 0) words[used++] = ' ';
            memcpy(words + used, at, length);
            used += length;
            words[used] = '\0';
        }
        at += length;
        at += *at == '|';
    }
    return used > 0;
}

bool option_is_file(const struct option_row *row)
{
    return row->argument != NULL && strncmp(row->argument, "FILE", 4) == 0;
}

void options_each(const struct option_row *const *tables, option_visitor *visitor, void *opaque)
{
    for (; *tables != NULL; tables++)
        for (const struct option_row *row = *tables; row->name != NULL; row++)
            visitor(opaque, row);
    for (const struct option_row *row = settings_options; row->name != NULL; row++)
        visitor(opaque, row);
}
