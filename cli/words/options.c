#include "cli/words/options.h"

#include <assert.h>
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
    return error_invalid(error, CODE_USAGE, "--%s: %s", name, refused.message);
}

bool arguments_text(const struct arguments *arguments, const char *name, const char **value,
                    struct error *error)
{
    *value = arguments_value(arguments, name);
    if (*value == NULL || utf8_valid_length(text_of(*value)) == strlen(*value)) return true;
    return error_invalid(error, CODE_NOT_UTF8, "--%s: it is not valid UTF-8", name);
}
