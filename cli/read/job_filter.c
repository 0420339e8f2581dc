#include "cli/read/job_filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/words/selection.h"
#include "cli/words/settings.h"
#include "lib/base/memory.h"

/* The values of a repeated option as an array of borrowed names. */
static bool names_read(const struct arguments *arguments, const char *option, const char ***names,
                       size_t *count, struct error *error)
{
    *names = memory_allocate(arguments->count, sizeof **names);
    *count = 0;
    size_t at = 0;
    const char *name = NULL;
    while ((name = arguments_next(arguments, option, &at)) != NULL) {
        if (!name_valid(name, strlen(name), false))
            return error_invalid(error, CODE_USAGE,
                                 "--%s \"%.60s\": allowed are 1 to 200 of A-Z a-z 0-9 . _ : @ -",
                                 option, name);
        (*names)[(*count)++] = name;
    }
    return true;
}

bool job_filter_read(struct job_filter *filter, const struct arguments *arguments,
                     struct error *error)
{
    *filter = (struct job_filter){.arguments = arguments};
    if (!names_read(arguments, "group", &filter->groups, &filter->group_count, error) ||
        !names_read(arguments, "super-group", &filter->super_groups, &filter->super_group_count,
                    error))
        return false;
    size_t at = 0;
    const char *label = NULL;
    while ((label = arguments_next(arguments, "label", &at)) != NULL) {
        const char *equals = strchr(label, '=');
        if (equals == NULL || equals == label)
            return error_invalid(error, CODE_USAGE, "--label: \"%.60s\" is not KEY=VALUE",
                                 label);
    }
    filter->by_paused = arguments_has(arguments, "paused");
    return !filter->by_paused || selection_paused(arguments, &filter->paused, error);
}

void job_filter_free(struct job_filter *filter)
{
    free(filter->groups);
    free(filter->super_groups);
    *filter = (struct job_filter){0};
}

struct store_filter job_filter_store(const struct job_filter *filter)
{
    assert(filter->groups != NULL);
    return (struct store_filter){.groups = filter->groups,
                                 .group_count = filter->group_count,
                                 .super_groups = filter->super_groups,
                                 .super_group_count = filter->super_group_count};
}

bool text_among(const struct arguments *arguments, const char *option, const char *text)
{
    if (!arguments_has(arguments, option)) return true;
    size_t at = 0;
    const char *value = NULL;
    while ((value = arguments_next(arguments, option, &at)) != NULL)
        if (text != NULL && strcmp(value, text) == 0) return true;
    return false;
}

static bool labels_match(const struct arguments *arguments, const json_t *labels)
{
    size_t at = 0;
    const char *wanted = NULL;
    while ((wanted = arguments_next(arguments, "label", &at)) != NULL) {
        const char *equals = strchr(wanted, '=');
        assert(equals != NULL);
        char *name = memory_copy_text(wanted, (size_t)(equals - wanted));
        const char *value = json_member_text(labels, name);
        free(name);
        if (value == NULL || strcmp(value, equals + 1) != 0) return false;
    }
    return true;
}

bool job_filter_admits(const struct job_filter *filter, const json_t *job,
                       const struct job_view *view)
{
    const char *super_group = json_member_text(job, "super_group");
    return text_among(filter->arguments, "id", view->id) &&
           text_among(filter->arguments, "group", view->group) &&
           text_among(filter->arguments, "super-group", super_group == NULL ? "" : super_group) &&
           labels_match(filter->arguments, json_object_get(job, "labels")) &&
           (!filter->by_paused || view->paused == filter->paused);
}
