#include <assert.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/words/selection.h"
#include "cli/words/settings.h"
#include "cli/write/write_read.h"

/* `"member":["a","b"]` of a repeated option; nothing when it was not given. */
static bool list_write(struct text_writer *out, const char *member,
                       const struct arguments *arguments, const char *option,
                       struct error *error)
{
    if (!arguments_has(arguments, option)) return true;
    text_writer_member(out, member);
    text_writer_words(out, "[");
    size_t at = 0;
    const char *value = NULL;
    while ((value = arguments_next(arguments, option, &at)) != NULL) {
        if (!name_valid(value, strlen(value), strcmp(option, "id") == 0))
            return error_invalid(error, CODE_USAGE,
                                 "--%s \"%.60s\": allowed are 1 to 200 of A-Z a-z 0-9 . _ : @ -",
                                 option, value);
        text_writer_comma(out);
        if (!json_text_string(out, value, strlen(value), error)) return false;
    }
    text_writer_words(out, "]");
    return true;
}

static bool by_flags(struct write_request *request, const struct arguments *arguments,
                     struct error *error)
{
    assert(arguments->positional_count == 0);
    struct write_select *select = write_request_add_select(request);
    struct text_writer *rest = &select->rest;
    size_t at = 0;
    const char *group = NULL;
    while ((group = arguments_next(arguments, "group", &at)) != NULL) {
        if (!name_valid(group, strlen(group), false))
            return error_invalid(error, CODE_USAGE,
                                 "--group \"%.60s\": allowed are 1 to 200 of A-Z a-z 0-9 . _ : "
                                 "@ -", group);
        write_select_add_group(select, group);
    }
    if (!list_write(rest, "ids", arguments, "id", error) ||
        !list_write(rest, "super_groups", arguments, "super-group", error))
        return false;
    if (arguments_has(arguments, "label")) {
        text_writer_member(rest, "labels");
        if (!selection_labels(rest, arguments, error)) return false;
    }
    if (arguments_has(arguments, "paused")) {
        bool paused = false;
        if (!selection_paused(arguments, &paused, error)) return false;
        text_writer_member(rest, "paused");
        text_writer_words(rest, paused ? "true" : "false");
    }
    bool empty = rest->length == 0 && select->group_count == 0;
    if (arguments_has(arguments, "all")) {
        if (!empty)
            return error_invalid(error, CODE_USAGE,
                                 "--all means every job: leave out the other selectors");
        text_writer_words(rest, "\"all\":true");
    } else if (empty) {
        return error_invalid(error, CODE_USAGE,
                             "which jobs? Name them as GROUP/ID or select with --group, --id, "
                             "--super-group, --label, --paused; every job is --all");
    }
    return true;
}

static struct write_select *select_of_group(struct write_request *request, struct text group)
{
    assert(group.length > 0);
    for (size_t i = 0; i < request->select_count; i++)
        if (text_equal(text_of(request->selects[i].groups[0]), group)) return &request->selects[i];
    return NULL;
}

/* One selector for each group that is named: {"groups":[g],"ids":[...]}. */
static bool by_names(struct write_request *request, const struct arguments *arguments,
                     struct error *error)
{
    static const char *const others[] = {"group", "id", "super-group", "label", "paused", "all"};
    assert(arguments->positional_count > 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (arguments_has(arguments, others[i]))
            return error_invalid(error, CODE_USAGE,
                                 "name jobs as GROUP/ID or select them with --%s, not both",
                                 others[i]);
    request->names = arguments->positionals;
    request->name_count = arguments->positional_count;
    for (size_t i = 0; i < arguments->positional_count; i++) {
        struct text group;
        struct text id;
        if (!job_name_split(arguments->positionals[i], &group, &id, error)) return false;
        struct write_select *select = select_of_group(request, group);
        if (select == NULL) {
            select = write_request_add_select(request);
            char name[256];
            assert(group.length < sizeof name);
            memcpy(name, group.bytes, group.length);
            name[group.length] = '\0';
            write_select_add_group(select, name);
            text_writer_words(&select->rest, "\"ids\":[");
        }
        text_writer_comma(&select->rest);
        if (!json_text_string(&select->rest, id.bytes, id.length, error)) return false;
    }
    for (size_t i = 0; i < request->select_count; i++)
        text_writer_words(&request->selects[i].rest, "]");
    return true;
}

bool write_select_read(struct write_request *request, const struct arguments *arguments,
                    struct error *error)
{
    assert(request->select_count == 0);
    if (arguments->positional_count > 0) return by_names(request, arguments, error);
    return by_flags(request, arguments, error);
}
