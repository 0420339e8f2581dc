/* write_request.h - what a write command is to say, before it is cut into Kafka records. */
#ifndef BELFRY_CLI_WRITE_REQUEST_H
#define BELFRY_CLI_WRITE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "lib/model/command_op.h"
#include "schemas/text_writer.h"

/* One job of add or put: its JSON as it will be sent, and the group that says its shard. */
struct write_job {
    char *group;
    struct text json; /* borrowed from write_request.file or .job */
};

/* One selector. Its groups stand apart, because they say the shards. */
struct write_select {
    char **groups;
    size_t group_count;
    size_t group_capacity;
    struct text_writer rest; /* raw members beside "groups": `"ids":["a"],"paused":true` */
};

/* Zero-initialise; write_request_free() ends it. */
struct write_request {
    enum command_op op;
    struct write_job *jobs;
    size_t job_count;
    size_t job_capacity;
    struct write_select *selects;
    size_t select_count;
    size_t select_capacity;
    const char *const *names; /* jobs given as GROUP/ID, each once; borrowed from the arguments */
    size_t name_count;
    struct text_writer members;  /* raw members that each record carries: "set", "mode" ... */
    char *command_id;       /* NULL: to be made up */
    char *reply_to;         /* NULL: the results topic */
    int64_t expect;         /* -1: not given */
    bool each;              /* mode each */
    bool dry_run;
    struct text_writer file;     /* the text of -f */
    struct text_writer job;      /* the job given by flags */
};

void write_request_free(struct write_request *request);

void write_request_add_job(struct write_request *request, const char *group, struct text json);
struct write_select *write_request_add_select(struct write_request *request);
void write_select_add_group(struct write_select *select, const char *group);

#endif
