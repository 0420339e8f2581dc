#include "cli/write/write_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

void write_request_add_job(struct write_request *request, const char *group, struct text json)
{
    assert(json.length > 0);
    request->jobs = memory_grow(request->jobs, &request->job_capacity, request->job_count + 1,
                                sizeof *request->jobs);
    request->jobs[request->job_count++] =
        (struct write_job){memory_copy_text(group, strlen(group)), json};
}

struct write_select *write_request_add_select(struct write_request *request)
{
    request->selects = memory_grow(request->selects, &request->select_capacity,
                                   request->select_count + 1, sizeof *request->selects);
    struct write_select *select = &request->selects[request->select_count++];
    *select = (struct write_select){0};
    assert(request->select_count <= request->select_capacity);
    return select;
}

void write_select_add_group(struct write_select *select, const char *group)
{
    select->groups = memory_grow(select->groups, &select->group_capacity, select->group_count + 1,
                                 sizeof *select->groups);
    select->groups[select->group_count++] = memory_copy_text(group, strlen(group));
}

void write_request_free(struct write_request *request)
{
    for (size_t i = 0; i < request->job_count; i++) free(request->jobs[i].group);
    for (size_t i = 0; i < request->select_count; i++) {
        struct write_select *select = &request->selects[i];
        for (size_t j = 0; j < select->group_count; j++) free(select->groups[j]);
        free(select->groups);
        text_writer_free(&select->rest);
    }
    free(request->jobs);
    free(request->selects);
    free(request->command_id);
    free(request->reply_to);
    text_writer_free(&request->members);
    text_writer_free(&request->file);
    text_writer_free(&request->job);
    *request = (struct write_request){0};
}
