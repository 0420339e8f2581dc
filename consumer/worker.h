/* worker.h - belfry-worker: a program per fire. */
#ifndef BELFRY_CONSUMER_WORKER_H
#define BELFRY_CONSUMER_WORKER_H

#include <pthread.h>
#include <stdio.h>
#include <sys/types.h>

#include "consumer/consumer.h"
#include "lib/base/lines.h"

#pragma GCC visibility push(hidden)

/* The command line. Texts belong to the arguments and the environment, the lists to the options. */
struct belfry_worker_options {
    const char *brokers;
    const char *group_id;
    const char *cluster;
    const char **topics;
    size_t topic_count;
    const char **properties;
    size_t property_count;
    uint32_t concurrency;
    enum belfry_ordering ordering;
    int64_t timeout_ms;
    int64_t kill_after_ms;
    char **program; /* the argv after --exec, ended by NULL */
    bool help;
};

/* Reads the command line and BELFRY_KAFKA, BELFRY_GROUP_ID, BELFRY_CLUSTER for what it leaves out.
 *   options  to be cleared with belfry_worker_options_clear(), also after false
 *   returns  false: BELFRY_ERROR_INVALID names the argument and what to do, _MEMORY */
bool belfry_worker_options_read(struct belfry_worker_options *options, int argc, char **argv,
                                struct belfry_error *error) BELFRY_MUST_CHECK;
void belfry_worker_options_clear(struct belfry_worker_options *options);
void belfry_worker_usage(FILE *out);

/* "500ms", "90s", "1h30m", "2d"; 1 ms to 24 h.
 *   duration_ms  set only on true */
bool belfry_duration_parse(const char *text, int64_t *duration_ms);

/* Looks a program up as execvp() would.
 *   returns  its path, the caller's; NULL: BELFRY_ERROR_INVALID says why, _MEMORY */
char *belfry_program_find(const char *name, struct belfry_error *error) BELFRY_MUST_CHECK;

/* The programs that run now, so that they can be killed together. */
struct belfry_running {
    pthread_mutex_t lock;
    pid_t *leaders; /* of process groups; 0: free */
    uint32_t count;
};

/* One run of a program. */
struct belfry_run {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *input; /* its standard input, a file that nobody has to feed */
    size_t input_bytes;
    int64_t timeout_ms;    /* then SIGTERM to its process group */
    int64_t kill_after_ms; /* then SIGKILL */
};

struct belfry_ending {
    int start_error; /* errno, 0: it ran */
    int exit_status; /* -1: ended by a signal */
    int signal;      /* 0: it ended by itself */
    bool timed_out;
    bool stuck;      /* not even SIGKILL ended it in time; it was left behind */
    int64_t took_ms;
};

/* Runs the program to its end: at most timeout_ms + kill_after_ms + BELFRY_STUCK_MS. From any
 * thread. */
enum { BELFRY_STUCK_MS = 10000 };
void belfry_program_run(const struct belfry_run *run, struct belfry_running *running,
                        struct belfry_ending *ending);

/* SIGKILL to every process group that runs now. */
void belfry_running_kill(struct belfry_running *running);

/* Reaps ended children that are no programs of ours: what programs left behind becomes the child of
 * process 1, which in a container is the worker. To be called now and then. */
void belfry_orphans_reap(struct belfry_running *running);

struct belfry_worker {
    const struct belfry_worker_options *options;
    const char *path; /* of the program */
    struct belfry_lines *lines; /* the log */
    struct belfry_consumer *consumer;
    struct belfry_running running;
};

/* A belfry_handler; opaque is the worker. A program that could not be started has handled nothing:
 * it is tried again until it starts, or until the consumer ends.
 *   returns  BELFRY_DONE: it exited with 0; BELFRY_FAILED: it ended in another way; BELFRY_KEPT: it
 *            never started */
enum belfry_outcome belfry_worker_handle(const struct belfry_fire *fire, void *opaque);

/* The environment of the program for a fire: the worker's own and BELFRY_*.
 *   returns  to be released with belfry_environment_free(); NULL: memory is short */
char **belfry_environment_create(const struct belfry_fire *fire, char *const *inherited);
void belfry_environment_free(char **environment);

#pragma GCC visibility pop

#endif
