/* worker_main.c - belfry-worker: options, signals, exit status. */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "consumer/fail.h"
#include "consumer/log.h"
#include "consumer/state.h"
#include "consumer/worker.h"
#include "lib/base/crash.h"
#include "lib/base/monotonic.h"

enum {
    EXIT_WRONG_USAGE = 2,
    EXIT_SIGNAL_BASE = 128,
    LEAVE_MS = 5000,
    SECOND_AFTER_MS = 1000 /* `timeout` sends one wish twice: to a process and to its group */
};

struct process {
    struct belfry_worker worker;
    atomic_bool over;
    sigset_t signals;
};

/* Failed fires have their own line, written where the exit status is known. */
static void on_log(enum belfry_level level, const char *event, const char *fields, void *opaque)
{
    const struct process *process = opaque;
    assert(event != NULL && fields != NULL);
    if (strcmp(event, "fire.failed") == 0) return;
    belfry_log_write(process->worker.lines, level, event, fields);
}

/* The next signal that counts, 0: the process is over. Orphans are reaped meanwhile. */
static int wait_signal(struct process *process, int64_t from_ms)
{
    const struct timespec tick = {.tv_sec = 1};
    for (;;) {
        int number = sigtimedwait(&process->signals, NULL, &tick);
        if (atomic_load(&process->over)) return 0;
        if (number > 0 && monotonic_ms() >= from_ms) return number;
        if (number < 0 && errno == EAGAIN) belfry_orphans_reap(&process->worker.running);
    }
}

/* The only thread that takes signals: the first ends gently, one after a second at once. */
static void *signal_main(void *argument)
{
    struct process *process = argument;
    struct belfry_lines *lines = process->worker.lines;
    assert(process->worker.consumer != NULL);
    int number = wait_signal(process, 0);
    if (number == 0) return NULL;
    int64_t asked_ms = monotonic_ms();
    belfry_consumer_stop(process->worker.consumer);
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "signal", number == SIGTERM ? "SIGTERM" : "SIGINT");
    belfry_log_write(lines, BELFRY_LOG_INFO, "worker.stopping", fields.text);
    number = wait_signal(process, asked_ms + SECOND_AFTER_MS);
    if (number == 0) return NULL;
    belfry_log_write(lines, BELFRY_LOG_WARN, "worker.killed", fields.text);
    belfry_running_kill(&process->worker.running);
    (void)belfry_lines_flush(lines, BELFRY_LINES_END_MS);
    _exit(EXIT_SIGNAL_BASE + number);
}

static bool consumer_open(struct process *process, struct belfry_error *error)
{
    const struct belfry_worker_options *given = process->worker.options;
    assert(given->concurrency > 0);
    struct belfry_options options = {
        .brokers = given->brokers, .group_id = given->group_id, .cluster = given->cluster,
        .topics = given->topics, .topic_count = given->topic_count,
        .properties = given->properties, .property_count = given->property_count,
        .concurrency = given->concurrency, .ordering = given->ordering,
        .on_log = on_log, .opaque = process,
        .drain_ms = given->timeout_ms + given->kill_after_ms + BELFRY_STUCK_MS + LEAVE_MS};
    process->worker.consumer = belfry_consumer_create(&options, error);
    return process->worker.consumer != NULL;
}

static bool consume(struct process *process, struct belfry_error *error)
{
    pthread_t signal_thread;
    struct belfry_fields fields = {0};
    if (!consumer_open(process, error)) return false;
    belfry_fields_text(&fields, "kafka", process->worker.options->brokers);
    belfry_fields_text(&fields, "group_id", process->worker.options->group_id);
    belfry_fields_text(&fields, "program", process->worker.path);
    belfry_log_write(process->worker.lines, BELFRY_LOG_INFO, "worker.started", fields.text);
    bool good = false;
    if (pthread_create(&signal_thread, NULL, signal_main, process) == 0) {
        good = belfry_consumer_run(process->worker.consumer, belfry_worker_handle, &process->worker,
                                   error);
        atomic_store(&process->over, true);
        (void)pthread_kill(signal_thread, SIGTERM);
        (void)pthread_join(signal_thread, NULL);
    }
    assert(process->worker.consumer != NULL);
    belfry_consumer_destroy(process->worker.consumer);
    belfry_log_write(process->worker.lines, good ? BELFRY_LOG_INFO : BELFRY_LOG_ERROR,
                     "worker.ended", "");
    return good;
}

/* In the log's queue, behind its lines: nothing here may wait for a reader. */
static void say_error(struct belfry_lines *lines, const struct belfry_error *error)
{
    char line[sizeof error->message + sizeof "belfry-worker: \n"];
    int length = snprintf(line, sizeof line, "belfry-worker: %s\n", error->message);
    assert(length > 0 && (size_t)length < sizeof line);
    belfry_lines_put(lines, line, (size_t)length);
}

/* With the log, which is left to the end of the process: threads that were given up may use it. */
static int run_logged(struct process *process)
{
    struct belfry_error error = {0};
    assert(process->worker.lines != NULL);
    belfry_crash_flushes(process->worker.lines);
    bool good = consume(process, &error);
    if (error.kind != BELFRY_ERROR_NONE) say_error(process->worker.lines, &error);
    (void)belfry_lines_flush(process->worker.lines, BELFRY_LINES_END_MS);
    if (error.kind == BELFRY_ERROR_INVALID) return EXIT_WRONG_USAGE;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct process *process, struct belfry_error *error)
{
    const struct belfry_worker_options *options = process->worker.options;
    char *path = belfry_program_find(options->program[0], error);
    if (path == NULL) return EXIT_WRONG_USAGE;
    process->worker.path = path;
    process->worker.running.count = options->concurrency;
    process->worker.running.leaders = calloc(options->concurrency, sizeof(pid_t));
    assert(options->concurrency > 0);
    int status = EXIT_FAILURE;
    process->worker.lines = belfry_log_open();
    if (process->worker.lines == NULL || process->worker.running.leaders == NULL) {
        belfry_fail_memory(error, "the worker");
    } else {
        (void)sigemptyset(&process->signals);
        (void)sigaddset(&process->signals, SIGTERM);
        (void)sigaddset(&process->signals, SIGINT);
        (void)pthread_sigmask(SIG_BLOCK, &process->signals, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
        status = run_logged(process);
    }
    free(process->worker.running.leaders);
    free(path);
    return status;
}

int main(int argc, char **argv)
{
    struct belfry_worker_options options = {0};
    struct belfry_error error = {0};
    struct process process = {.worker = {.options = &options}};
    int status = EXIT_WRONG_USAGE;
    atomic_init(&process.over, false);
    (void)pthread_mutex_init(&process.worker.running.lock, NULL);
    if (!belfry_worker_options_read(&options, argc, argv, &error)) {
        assert(error.kind != BELFRY_ERROR_NONE);
    } else if (options.help) {
        belfry_worker_usage(stdout);
        bool printed = fflush(stdout) == 0 && ferror(stdout) == 0;
        if (!printed) (void)belfry_fail(&error, BELFRY_ERROR_INVALID, "stdout takes no help text");
        status = printed ? EXIT_SUCCESS : EXIT_FAILURE;
    } else {
        status = run(&process, &error);
    }
    if (error.kind != BELFRY_ERROR_NONE)
        (void)fprintf(stderr, "belfry-worker: %s\n", error.message);
    belfry_worker_options_clear(&options);
    (void)pthread_mutex_destroy(&process.worker.running.lock);
    return status;
}
