/* shard_rig.h - drives a shard in memory: JSON commands go in at chosen times, what it says comes
 * out as lines of text; it can be restarted from what it has said, at any transaction. */
#ifndef BELFRY_TESTS_SHARD_RIG_H
#define BELFRY_TESTS_SHARD_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/census.h"
#include "dispatcher/shard/shard.h"
#include "lib/model/output.h"
#include "schemas/arena.h"
#include "schemas/text_writer.h"

struct rig_record { /* one key of the state log, as compaction leaves it */
    char *key;
    char *value; /* NULL: tombstone */
};

struct shard_rig {
    struct shard *shard;
    struct arena *arena;
    struct text_writer log; /* "fire g/j 2026-... schedule", "event missed ...", "result ..." */
    struct rig_record *records;
    size_t record_count;
    size_t record_capacity;
    struct mark mark;      /* as committed last */
    size_t batch_max;      /* outputs a transaction; 0 = no bound */
    size_t batch;          /* outputs of the one under way */
    size_t fires;          /* among them */
    int64_t commits;
    int64_t changes;       /* how often a job's record was written */
    int64_t offset;        /* of the next command */
    bool lacks_zones;      /* from the next restart on: the machine has UTC only */
    struct zone_stand_ins *stand_ins; /* since the last restart */
    uint8_t hash_key;      /* of the shard's tables, from the next restart on; 0: the usual */
    bool restart_always;   /* restore a new shard from the records after each commit */
    bool interrupts;       /* a command that takes a second transaction cannot be gone on with */
    bool speaks_json;      /* results and events as they are written to Kafka, fires by their id,
                            * tries with all that a worker is told */
    bool tells_more;       /* errors and differences of results, a line each */
    bool allows_topics;    /* jobs may name any topic; otherwise none */
    bool tells_tries;      /* fires of jobs with a lease, the how many-th of its run each is */
    uint32_t runs_open_max; /* 0: the usual bound */
    int64_t generation;     /* of the owner from the next restart on, 1 at first; so is the epoch */
    int64_t epoch;
    int64_t next_runnumber; /* of the mark */
    int64_t runs_read_to;
    int64_t now_ms;        /* of the last step */
    bool reports_unread;   /* from the next restart on, until the test says otherwise */
    bool allows_runs;      /* jobs may ask to have their runs followed */
    bool tells_ids;        /* fires by their id, too */
    bool fires_uncertain;  /* as if every fire went to a foreign topic */
    struct census *census; /* is told of jobs, and taken anew at restarts; NULL: nobody counts */
};

/* A shard of one, whose watermark is at start (RFC 3339). */
void rig_open(struct shard_rig *rig, const char *start);
void rig_close(struct shard_rig *rig);
/* The watermark goes to `now` as in a live step: advance, decide, lane until nothing is owed. */
void rig_advance(struct shard_rig *rig, const char *now);
/* A command read at `now` with the log time `at`. NULL now: at. */
void rig_command(struct shard_rig *rig, const char *at, const char *now, const char *json);
/* Runs are named by their runnumber without the generation: from 1. A worker reports about the
 * newest try of that run at `now`, a `word` as in a report. */
void rig_report_of(struct shard_rig *rig, int64_t number, const char *now, const char *word);
/* The same of the oldest open one, when what is due by now has been done. */
void rig_report(struct shard_rig *rig, const char *now, const char *word);
/* Which runs are open. */
size_t rig_open_runs(const struct shard_rig *rig);
int64_t rig_oldest_run(const struct shard_rig *rig);
/* The reports that were in the log at the restart have been read. */
void rig_reports_caught_up(struct shard_rig *rig, const char *now);
/* The oldest of the job group/id that does not wait for its next try; 0: there is none. */
int64_t rig_run_of(const struct shard_rig *rig, const char *name);
/* What is due of its runs at `now` is done. */
void rig_step_runs(struct shard_rig *rig, const char *now);
/* As if the process had been killed: memory is built anew from records and mark. */
void rig_restart(struct shard_rig *rig);
/* The lines said since the last call, terminated; valid until the next call. */
const char *rig_said(struct shard_rig *rig);
/* The record of a job as JSON, or NULL. */
const char *rig_record(const struct shard_rig *rig, const char *name);
/* The state log has this record of the job: it counts from the next restart on. */
void rig_set_record(struct shard_rig *rig, const char *name, const char *json);
int64_t rig_instant(const char *text);
/* For the files of the rig: a record of the state log; NULL: its tombstone. */
void rig_keep(struct shard_rig *rig, const char *key, char *value);
void rig_runs_sink(struct sink *sink);
void rig_follow_runs(struct shard_rig *rig);
void rig_work_off(struct shard_rig *rig, int64_t now_ms);
void rig_step_to(struct shard_rig *rig, int64_t to_ms, int64_t now_ms);
#define RIG_RUN_MASK INT64_C(0xffffffff)
/* For tests that call the shard themselves. */
struct sink rig_test_sink(struct shard_rig *rig);
void rig_test_commit(struct shard_rig *rig);

#endif
