/* worker_main.c - belfry-worker: options, signals, exit status. */
#include "consumer/log.h"
#include "consumer/worker.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_WRONG_USAGE = 2, EXIT_SIGNAL_BASE = 128, LEAVE_MS = 5000 };

struct process {
    struct belfry_worker worker;
    struct belfry_consumer *consumer;
    atomic_bool over;
    sigset_t signals;
};

/* Failed fires have their own line, written where the exit status is known. */
static void on_log(enum belfry_level level, const char *event, const char *fields, void *opaque)
{
    assert(event != NULL && fields != NULL);
    if (strcmp(event, "fire.failed") != 0) belfry_log_stderr(level, event, fields, opaque);
}

/* The only thread that takes signals: the first ends gently, the second at once. */
static void *signal_main(void *argument)
{
    struct process *process = argument;
    int number = 0;
    assert(process->consumer != NULL);
    if (sigwait(&process->signals, &number) != 0 || atomic_load(&process->over)) return NULL;
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "signal", number == SIGTERM ? "SIGTERM" : "SIGINT");
    belfry_log_stderr(BELFRY_LOG_INFO, "worker.stopping", fields.text, NULL);
    belfry_consumer_stop(process->consumer);
    if (sigwait(&process->signals, &number) != 0 || atomic_load(&process->over)) return NULL;
    belfry_log_stderr(BELFRY_LOG_WARN, "worker.killed", fields.text, NULL);
    belfry_running_kill(&process->worker.running);
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
        .concurrency = given->concurrency, .on_log = on_log,
        .drain_ms = given->timeout_ms + given->kill_after_ms + BELFRY_STUCK_MS + LEAVE_MS};
    process->consumer = belfry_consumer_create(&options, error);
    return process->consumer != NULL;
}

static bool consume(struct process *process, struct belfry_error *error)
{
    pthread_t signal_thread;
    struct belfry_fields fields = {0};
    if (!consumer_open(process, error)) return false;
    belfry_fields_text(&fields, "kafka", process->worker.options->brokers);
    belfry_fields_text(&fields, "group_id", process->worker.options->group_id);
    belfry_fields_text(&fields, "program", process->worker.path);
    belfry_log_stderr(BELFRY_LOG_INFO, "worker.started", fields.text, NULL);
    bool good = false;
    if (pthread_create(&signal_thread, NULL, signal_main, process) == 0) {
        good = belfry_consumer_run(process->consumer, belfry_worker_handle, &process->worker,
                                   error);
        atomic_store(&process->over, true);
        (void)pthread_kill(signal_thread, SIGTERM);
        (void)pthread_join(signal_thread, NULL);
    }
    assert(process->consumer != NULL);
    belfry_consumer_destroy(process->consumer);
    belfry_log_stderr(good ? BELFRY_LOG_INFO : BELFRY_LOG_ERROR, "worker.ended", "", NULL);
    return good;
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
    if (process->worker.running.leaders != NULL) {
        (void)sigemptyset(&process->signals);
        (void)sigaddset(&process->signals, SIGTERM);
        (void)sigaddset(&process->signals, SIGINT);
        (void)pthread_sigmask(SIG_BLOCK, &process->signals, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
        if (consume(process, error)) status = EXIT_SUCCESS;
        if (error->kind == BELFRY_ERROR_INVALID) status = EXIT_WRONG_USAGE;
        free(process->worker.running.leaders);
    }
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
        status = EXIT_SUCCESS;
    } else {
        status = run(&process, &error);
    }
    if (error.kind != BELFRY_ERROR_NONE) {
        (void)fprintf(stderr, "belfry-worker: %s\n", error.message);
    }
    belfry_worker_options_clear(&options);
    (void)pthread_mutex_destroy(&process.worker.running.lock);
    return status;
}
