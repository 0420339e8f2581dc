/* answer.h - the result of a command while it is being made. */
#ifndef BELFRY_SHARD_ANSWER_H
#define BELFRY_SHARD_ANSWER_H

#include "dispatcher/shard/shard.h"
#include "lib/model/output.h"

struct answer {
    struct result result;
    struct result_job jobs[RESULT_JOBS_MAX];
    struct result_error errors[RESULT_ERRORS_MAX];
    struct result_warning warnings[RESULT_WARNINGS_MAX];
    struct result_difference differences[RESULT_JOBS_MAX];
    int64_t error_total;
    bool rejected; /* some error is wrong whatever the state */
};

/* A new answer. Large, so the shard has one, which is used again and again: one at a time. */
struct answer *answer_begin(struct shard *shard, const struct application *application);

/* A job that was, or by a dry run would be, changed. Names are borrowed until the end. */
void answer_add_job(struct answer *answer, const struct definition *definition, int64_t revision,
                    bool running, int64_t after_ms);
/* What a dry run found out about one job; NULL when the list is full. Names are borrowed. */
struct result_difference *answer_next_difference(struct answer *answer);
/* One job's refusal. `rejected`: bad whatever the state (else a conflict). A NULL answer is
 * allowed: the caller only wants to know. */
void answer_add_error(struct answer *answer, struct text group, struct text id, bool rejected,
                      enum error_code code, const char *field, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
/* The first of each code is kept. */
void answer_add_warning(struct answer *answer, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The jobs of a command in mode each that could not be read: those this shard has to report, or all
 * of them, where it is the only one to answer. */
void answer_add_refused(struct answer *answer, const struct shard *shard,
                        const struct application *application, bool all);
/* The command as a whole is refused. */
void answer_refuse(struct answer *answer, enum outcome outcome, enum error_code code,
                   const char *field, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Sets outcome and code from what was added, unless refused before. */
void answer_conclude(struct answer *answer);
/* Puts it out, remembers the command id. */
void answer_finish(struct answer *answer, struct shard *shard,
                   const struct application *application, const struct sink *sink);

#endif
