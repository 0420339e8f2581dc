/* story.h - reads the files .story of tests/stories: what is done to a shard, step by step, and
 * what it says to each. tests/stories/README.md tells how such a file is written. */
#ifndef BELFRY_TESTS_STORY_H
#define BELFRY_TESTS_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "schemas/arena.h"

enum story_verb {
    STORY_COMMAND, /* at: JSON is read from the control topic */
    STORY_PASSES,  /* now: time passes */
    STORY_RESTART,
    STORY_FAILED, /* a fire was not delivered */
    STORY_RETRY,  /* what failed is tried again, if it is time */
    STORY_LANE,   /* a turn of the catch-up lane, if it is time */
    STORY_REPORT, /* a worker says what became of a try */
    STORY_BECOMES, /* the record of a job is another one, from the next restart on */
    STORY_HAS,     /* the record of a job has these words; without a name: the mark */
    STORY_LACKS,
    STORY_GONE, /* there is no record of this job */
    STORY_FAILING /* so many jobs are failing */
};

struct story_step {
    enum story_verb verb;
    int line;
    const char *at;   /* RFC 3339; of a restart: the watermark, if it is another one */
    const char *now;  /* of a command: when it is read */
    const char *text; /* JSON, or words of a record */
    const char *name; /* of a job, group/id */
    const char *kind; /* of a fire; of a retry: how it is answered; of a report: its word */
    const char *slot; /* its nominal time */
    const char *backfill;
    int32_t number;       /* attempt, or how many */
    bool without_zones;   /* STORY_RESTART */
    bool other_zone_data; /* STORY_RESTART */
    const char *expected; /* the lines said, each ended by a newline */
};

struct story_options {
    const char *begins; /* the shard's first watermark, RFC 3339 */
    bool allows_topics;
    bool follows_runs;
    bool tells_ids; /* of fires */
    size_t outputs;            /* of a transaction; 0: no bound */
    const char *not_restarted; /* why it is not played with restarts; NULL: it is */
    const char *not_cut;       /* why it is not played in transactions of one output */
};

struct story {
    const char *name;
    const char *file;
    int line;
    struct story_options options;
    struct story_step *steps;
    size_t step_count;
    size_t step_capacity;
};

struct stories {
    struct arena *arena;
    struct story *list;
    size_t count;
    size_t capacity;
};

void stories_open(struct stories *stories);
void stories_close(struct stories *stories);

/* Adds the stories of a file, whose text is given. The message of an error begins with file and
 * line, and none of them is added; `file` is borrowed. */
bool stories_read_text(struct stories *stories, const char *file, const char *text,
                       struct error *error) __attribute__((warn_unused_result));
bool stories_read(struct stories *stories, const char *file, struct error *error)
    __attribute__((warn_unused_result));

#endif
