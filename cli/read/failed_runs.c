#include "cli/read/failed_runs.h"

#include <inttypes.h>

#include "cli/read/dead_letters.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "lib/base/limits.h"

static json_t *run_of(const struct dead_row *row)
{
    char place[40];
    json_t *run = json_object();
    (void)snprintf(place, sizeof place, "%" PRId32 "/%" PRId64, row->partition, row->offset);
    json_set_text(run, "run", row->run);
    json_set_text(run, "group", row->group);
    json_set_text(run, "id", row->id);
    json_set_text(run, "outcome", row->code);
    json_set_instant(run, "failed_at", row->at_ms);
    json_set_text(run, "message", row->message);
    json_set_text(run, "place", text_of(place));
    return run;
}

bool failed_runs_read(const struct settings *settings, const struct run_selection *selection,
                      int64_t most, json_t **runs, int64_t *left_out, struct error *error)
{
    struct dead_list list = {0};
    json_t *newest_first = json_array();
    struct dead_filter filter = dead_filter_any();
    filter.kind = dead_kind_word(DEAD_RUN);
    *runs = json_array();
    *left_out = 0;
    bool read = dead_list_read(&list, settings, &filter, 0, error);
    for (size_t i = list.count; read && i-- > 0;) {
        json_t *run = run_of(&list.rows[i]);
        const char *group = json_member_text(run, "group");
        const char *id = json_member_text(run, "id");
        bool wanted = group != NULL && id != NULL && run_selection_admits(selection, group, id);
        bool fits = (int64_t)json_array_size(newest_first) < most;
        if (wanted && fits) (void)json_array_append(newest_first, run);
        *left_out += wanted && !fits;
        json_decref(run);
    }
    for (size_t i = json_array_size(newest_first); i-- > 0;)
        (void)json_array_append(*runs, json_array_get(newest_first, i));
    json_decref(newest_first);
    dead_list_free(&list);
    return read;
}

static struct text member(const json_t *run, const char *name)
{
    const char *text = json_member_text(run, name);
    return text_of(text == NULL ? "-" : text);
}

void failed_runs_print(FILE *stream, const json_t *runs, size_t width, bool colour)
{
    static const struct table_column columns[] = {{"JOB", false, 16},    {"OUTCOME", false, 0},
                                                  {"FAILED AT", false, 0}, {"WHY", false, 16},
                                                  {"PLACE", false, 0},   {"RUN", false, 12}};
    struct table *table =
        table_create(stream, columns, sizeof columns / sizeof columns[0], width, colour);
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        char job[JOB_NAME_BYTES_MAX + 1];
        char at[JOB_VIEW_TIME_BYTES];
        (void)snprintf(job, sizeof job, "%s/%s", json_member_text(run, "group"),
                       json_member_text(run, "id"));
        time_shorten(json_member_text(run, "failed_at"), at, sizeof at);
        const struct table_cell cells[] = {
            {text_of(job), TONE_PLAIN},           {member(run, "outcome"), TONE_BAD},
            {text_of(at), TONE_PLAIN},            {member(run, "message"), TONE_PLAIN},
            {member(run, "place"), TONE_PLAIN},   {member(run, "run"), TONE_DIM},
        };
        table_add(table, cells);
    }
    table_finish(table);
}
