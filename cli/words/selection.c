#include "cli/words/selection.h"

#include <assert.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/words/settings.h"

bool job_name_check(struct text group, struct text id, struct error *error)
{
    assert(group.bytes != NULL);
    assert(id.bytes != NULL);
    const char *rule = "1 to 200 of A-Z a-z 0-9 . _ : @ -, the first a letter or digit";
    if (!name_valid(group.bytes, group.length, false))
        return error_invalid(error, CODE_USAGE, "group \"%.*s\": allowed are %s",
                             group.length > 60 ? 60 : (int)group.length, group.bytes, rule);
    if (!name_valid(id.bytes, id.length, true))
        return error_invalid(error, CODE_USAGE, "id \"%.*s\": allowed are %s, and /",
                             id.length > 60 ? 60 : (int)id.length, id.bytes, rule);
    return true;
}

bool job_name_split(const char *name, struct text *group, struct text *id, struct error *error)
{
    const char *slash = strchr(name, '/');
    if (slash == NULL)
        return error_invalid(error, CODE_USAGE,
                             "\"%.60s\" does not name a job: write GROUP/ID", name);
    *group = (struct text){name, (size_t)(slash - name)};
    *id = text_of(slash + 1);
    return job_name_check(*group, *id, error);
}

bool selection_labels(struct text_writer *out, const struct arguments *arguments,
                      struct error *error)
{
    text_writer_words(out, "{");
    size_t at = 0;
    const char *pair = NULL;
    while ((pair = arguments_next(arguments, "label", &at)) != NULL) {
        const char *equals = strchr(pair, '=');
        if (equals == NULL || equals == pair)
            return error_invalid(error, CODE_USAGE, "--label: \"%.60s\" is not KEY=VALUE",
                                 pair);
        text_writer_comma(out);
        if (!json_text_string(out, pair, (size_t)(equals - pair), error)) return false;
        text_writer_words(out, ":");
        if (!json_text_string(out, equals + 1, strlen(equals + 1), error)) return false;
    }
    text_writer_words(out, "}");
    return true;
}

bool selection_paused(const struct arguments *arguments, bool *paused, struct error *error)
{
    const char *value = arguments_value(arguments, "paused");
    assert(value != NULL);
    *paused = value[0] == '\0' || strcmp(value, "true") == 0;
    if (*paused || strcmp(value, "false") == 0) return true;
    return error_invalid(error, CODE_USAGE, "--paused: \"%.40s\" is not true or false", value);
}
