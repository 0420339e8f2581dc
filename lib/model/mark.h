/* mark.h - where a shard stands. Written last in every transaction: the commit point. */
#ifndef BELFRY_MODEL_MARK_H
#define BELFRY_MODEL_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/limits.h"
#include "lib/model/input.h"

/* All slots due before instant_ms are done, and at instant_ms those of jobs whose ordinal is
 * at most `ordinal`. WATERMARK_WHOLE: the instant is done to its end. */
#define WATERMARK_WHOLE INT64_MAX
struct watermark {
    int64_t instant_ms;
    int64_t ordinal;
};

/* A command too large for one transaction, decided, partly written. */
struct in_command {
    bool active;
    enum input input;
    int64_t offset;
    int64_t ordinal; /* jobs up to this ordinal are done */
    int64_t matched;
    int64_t changed;
    int64_t effective_ms;
    int64_t errors;              /* mode each: jobs that are left as they are */
    bool rejected;               /* one of them whatever the state */
    enum error_code code; /* of the first of them */
};

/* The last record read of an input log: shows, while it is kept there, that the log is the same. */
struct last_read {
    bool known;
    int64_t offset;
    int64_t log_time_ms; /* the broker's append time */
    uint64_t hash;       /* of key and value */
};

/* How far an input was read. */
struct input_place {
    int64_t offset; /* of the next record to read */
    struct last_read last;
};

#define MARK_JOBS_UNKNOWN INT64_C(-1) /* a mark of layout 1 does not say */
#define MARK_RUNS_UNKNOWN INT64_C(-1) /* nor does one of a shard that never had a run */

struct mark {
    int64_t generation; /* raised by `belfry recover` and by each start of the embedded mode */
    int64_t epoch;      /* the previous mark's + 1 for each new owner */
    int64_t sequence;   /* + 1 for each committed transaction */
    struct watermark watermark;
    int64_t next_ordinal; /* given to the next job added */
    struct input_place inputs[INPUT_COUNT];
    /* Of runs: the oldest claim that is in no record. It is read again from there; what lies
     * between that and the place in `inputs` has had its effect, but for signs of life. */
    int64_t runs_again;
    int64_t next_run; /* number of the next try, less 2^32 for each generation; 0: none was yet */
    int64_t jobs; /* how many jobs the shard has; MARK_JOBS_UNKNOWN */
    int64_t runs; /* how many of its runs are open; MARK_RUNS_UNKNOWN */
    struct in_command in_command;
    int32_t shards;
    int32_t layout; /* it was read with */
    bool recovering; /* `belfry recover` has begun to write this log and not ended yet */
    char owner[OWNER_BYTES_MAX + 1];
    char tz_version[16];
    /* Watermark when that version came instead of another, as long as records are to be written for
     * it; 0: they are. An older daemon kept it. */
    int64_t tz_changed_ms;
};

bool watermark_before(const struct watermark *a, const struct watermark *b);
/* Whether anything that only ever goes on is less far in `mark`: sequence, watermark, ordinals, run
 * numbers, the places in the inputs. Of marks of one generation. */
bool mark_goes_back(const struct mark *mark, const struct mark *before);
/* The offset behind all that was read of the input: a command that is half done was read, and yet
 * the place stands before it. The log cannot end before it, unless Kafka has lost data. */
int64_t mark_read_to(const struct mark *mark, enum input input);

#endif
