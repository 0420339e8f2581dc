/* main.c - belfryd: reads the configuration, sets the process up, runs the daemon. */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dispatcher/config/config.h"
#include "dispatcher/daemon/clock_system.h"
#include "dispatcher/daemon/clock_watch.h"
#include "dispatcher/daemon/daemon.h"
#include "dispatcher/daemon/embedded.h"
#include "dispatcher/daemon/fault.h"
#include "dispatcher/daemon/health.h"
#include "dispatcher/daemon/log.h"
#include "dispatcher/daemon/pages.h"
#include "dispatcher/daemon/signals.h"
#include "dispatcher/daemon/steady_wait.h"
#include "dispatcher/daemon/watchman.h"
#include "dispatcher/kafka/kafka_client.h"
#include "dispatcher/metrics/metrics.h"
#include "lib/base/crash.h"
#include "lib/base/version.h"
#include "schemas/json_reader.h"

enum {
    EXIT_USAGE = 2,
    DESCRIPTORS_BASE = 128,
    DESCRIPTORS_PER_SHARD = 16,
    DESCRIPTORS_MAX = 1024 * 1024,
    LAST_WORDS_MS = 200 /* after DAEMON_END_MS, and still within ten seconds */
};
#define FENCED_AGAIN_US (600 * INT64_C(1000000))

/* What the parts of the process share; lives as long as it. */
struct process {
    struct config config;
    struct clock clock;
    struct log log;
    struct observer log_observer;
    struct metrics *metrics; /* NULL: nobody can ask for them */
    struct observer observer; /* of both */
    struct kafka_log kafka_log;
    struct fault fault;
    struct health_view view; /* of all that follows: through every life of the daemon */
    atomic_bool stop;
};

/* The mock cluster calls itself older than it is; that helps nobody who tries Belfry. */
static bool is_noise(const struct process *process, const char *text)
{
    return process->config.embedded[0] != '\0' && strstr(text, "AUTOCREATE") != NULL;
}

static void log_kafka(void *opaque, int level, const char *text)
{
    const struct process *process = opaque;
    enum observer_level ours = level <= 2   ? LEVEL_ERROR
                               : level <= 4 ? LEVEL_WARN
                               : level <= 6 ? LEVEL_INFO
                                            : LEVEL_DEBUG;
    if (is_noise(process, text)) ours = LEVEL_DEBUG;
    observe_at(&process->observer, ours, OBSERVED_KAFKA_LOG, -1,
               &(struct observed){.message = text});
}

static void asked_to_end(void *opaque, int number)
{
    struct process *process = opaque;
    atomic_store(&process->stop, true);
    observe(&process->observer, OBSERVED_DAEMON_SIGNAL, -1,
            &(struct observed){.signal = strsignal(number)});
}

static void ending(void *opaque, bool limit, int exit_code)
{
    const struct process *process = opaque;
    observe(&process->observer, OBSERVED_DAEMON_KILLED, -1,
            &(struct observed){.reason = limit ? "time_limit" : "second_signal",
                               .exit = exit_code});
    log_flush(&process->log, LAST_WORDS_MS);
}

/* Then librdkafka would do nothing for as long: better a new process, which the others do not wait
 * for. What was under way is settled as after any kill. */
static void clock_set_back(void *opaque, int64_t by_ms)
{
    const struct process *process = opaque;
    if (steady_wait_works()) return;
    observe(&process->observer, OBSERVED_CLOCK_SET_BACK, -1,
            &(struct observed){.by_ms = by_ms,
                               .message = "librdkafka waits by the wall clock and would stand "
                                          "still for as long: this process ends, to be started "
                                          "again"});
    log_flush(&process->log, LAST_WORDS_MS);
    _exit(EXIT_FAILURE);
}

/* Each shard has connections of its own to each broker. */
static void raise_descriptors(const struct process *process)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t most = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    if (limit.rlim_cur < most) {
        limit.rlim_cur = most;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    int64_t needed = DESCRIPTORS_BASE + process->config.shards * DESCRIPTORS_PER_SHARD;
    if ((int64_t)most < needed)
        observe(&process->observer, OBSERVED_DAEMON_DESCRIPTORS, -1,
                &(struct observed){.limit = (int64_t)most, .advised = needed});
}

static int usage_error(const struct error *error)
{
    (void)fprintf(stderr, "belfryd: %s\n", error->message);
    return EXIT_USAGE;
}

static int no_thread(const struct error *error)
{
    (void)fprintf(stderr, "belfryd: %s\n", error->message);
    return EXIT_FAILURE;
}

/* `worst`: the state that is still well. */
static int check_health(const struct config *config, enum health_state worst)
{
    char text[HEALTH_TEXT_BYTES];
    if (config->health_socket[0] == '\0') {
        (void)fputs("belfryd: which daemon? Set health.socket, as that one does\n", stderr);
        return EXIT_USAGE;
    }
    bool well = health_ask(config->health_socket, text) <= worst;
    (void)puts(text);
    return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Actions that need no daemon; -1: run it. */
static int act(const struct config *config)
{
    int exit_code = EXIT_SUCCESS;
    switch (config->action) {
    case CONFIG_RUN: return -1;
    case CONFIG_CHECK: config_print(config, stdout); break;
    case CONFIG_HEALTH: exit_code = check_health(config, HEALTH_UNREADY); break;
    case CONFIG_READY: exit_code = check_health(config, HEALTH_OK); break;
    case CONFIG_HELP: config_print_help(stdout); break;
    case CONFIG_VERSION: (void)printf("belfryd %s\n", BELFRY_VERSION); break;
    }
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return exit_code;
    (void)fputs("belfryd: stdout does not take what is printed: it is not whole\n", stderr);
    return EXIT_FAILURE;
}

static void count_what_is_told(struct process *process)
{
    struct metrics_options options = {.shards = (int32_t)process->config.shards,
                                      .runs_open_max = process->config.engine.runs_open_max,
                                      .next = &process->log_observer,
                                      .version = BELFRY_VERSION,
                                      .kafka_library = kafka_library_version()};
    if (getrandom(options.hash_key, sizeof options.hash_key, 0) !=
        (ssize_t)sizeof options.hash_key)
        options.hash_key[0] = 1; /* no randomness: known, but not wrong */
    process->metrics = metrics_create(&options);
    process->observer = metrics_observer(process->metrics);
}

static bool set_up_log(struct process *process, struct error *error)
{
    process->clock = clock_system();
    process->log = (struct log){
        .lowest = (enum observer_level)process->config.log_level,
        .format = (enum log_format)process->config.log_format,
        .clock = &process->clock,
    };
    if (!log_start(&process->log, STDERR_FILENO, error)) return false;
    belfry_crash_flushes(process->log.lines);
    process->log_observer = observer_of_log(&process->log);
    process->observer = process->log_observer;
    if (process->config.http_listen[0] != '\0') count_what_is_told(process);
    process->kafka_log = (struct kafka_log){.opaque = process, .write = log_kafka};
    return true;
}

/* Joins the group anew where its place was taken, but gives way to who takes it twice within ten
 * minutes: that is another daemon with our group_instance_id. */
static struct daemon_end live(struct process *process, const struct daemon_options *options)
{
    int64_t fenced_us = INT64_MIN;
    for (;;) {
        struct daemon_end how = daemon_run(options);
        int64_t now_us = process->clock.monotonic_us(process->clock.opaque);
        bool again = fenced_us == INT64_MIN || now_us > fenced_us + FENCED_AGAIN_US;
        if (!how.fenced || how.abandoned || atomic_load(&process->stop)) return how;
        if (!again) {
            observe(&process->observer, OBSERVED_DAEMON_FAILED, -1,
                    &(struct observed){.message = "the place in the group was taken twice: another "
                                                  "daemon has this group_instance_id"});
            return how;
        }
        observe(&process->observer, OBSERVED_DAEMON_AGAIN, -1,
                &(struct observed){.message = "the place in the group was taken: it is joined "
                                              "anew"});
        fenced_us = now_us;
    }
}

static bool cannot_go_on(const struct process *process, const struct error *error)
{
    observe(&process->observer, OBSERVED_DAEMON_FAILED, -1,
            &(struct observed){.kind = error_kind_name(error->kind), .message = error->message});
    return true;
}

/* Returns whether it failed; *abandoned: threads are left that use the process's data. */
static bool serve(struct process *process, bool *abandoned)
{
    struct embedded *embedded = NULL;
    struct pages *pages = NULL;
    struct error error = {0};
    if (process->config.embedded[0] != '\0') {
        embedded = embedded_start(&process->config, &process->clock, &process->kafka_log,
                                  &process->stop, &error);
        if (embedded == NULL) {
            bool told = atomic_load(&process->stop);
            observe_at(&process->observer, told ? LEVEL_INFO : LEVEL_ERROR, OBSERVED_DAEMON_FAILED,
                       -1, &(struct observed){.message = error.message});
            return !told;
        }
    }
    if (process->config.http_listen[0] != '\0') {
        pages = pages_start(&(struct pages_options){.config = &process->config,
                                                    .view = process->view,
                                                    .observer = &process->observer,
                                                    .metrics = process->metrics,
                                                    .log = process->log.lines}, &error);
        if (pages == NULL) {
            embedded_stop(embedded);
            return cannot_go_on(process, &error);
        }
    }
    struct daemon_options options = {
        .watch = process->view.watch,
        .board = process->view.board,
        .config = &process->config,
        .clock = &process->clock,
        .observer = &process->observer,
        .kafka_log = &process->kafka_log,
        .embedded = embedded,
        .fault = &process->fault,
        .stop = &process->stop,
    };
    struct daemon_end how = live(process, &options);
    *abandoned = how.abandoned;
    pages_stop(pages);
    if (!how.abandoned) embedded_stop(embedded); /* else the kernel ends redis-server with us */
    return how.failed;
}

/* serve(), watched. */
static bool serve_watched(struct process *process, bool *abandoned)
{
    const struct config *config = &process->config;
    struct error error = {0};
    process->view = (struct health_view){
        .watch = loop_watch_create((int32_t)config->shards, config->redis.command_limit_ms),
        .board = shard_board_create((int32_t)config->shards),
        .clock = &process->clock,
    };
    struct watchman *watchman = watchman_start(
        &(struct watchman_options){process->view, config->health_socket}, &error);
    bool failed = watchman != NULL ? serve(process, abandoned) : cannot_go_on(process, &error);
    watchman_stop(watchman);
    if (*abandoned) return failed; /* its loops still stamp what they are at */
    loop_watch_destroy(process->view.watch);
    shard_board_destroy(process->view.board);
    return failed;
}

static int run(struct process *process)
{
    struct error error = {0};
    bool abandoned = false;
    if (!fault_parse(&process->fault, getenv("BELFRY_FAULT"), &error)) return usage_error(&error);
    if (!set_up_log(process, &error)) return no_thread(&error);
    struct signals_options options = {.limit_ms = DAEMON_END_MS, .opaque = process,
                                      .asked = asked_to_end, .ending = ending};
    struct signals *signals = signals_start(&options, &error);
    if (signals == NULL) return no_thread(&error);
    observe(&process->observer, OBSERVED_DAEMON_STARTING, -1,
            &(struct observed){.version = BELFRY_VERSION, .pid = getpid(),
                               .cluster = process->config.cluster});
    raise_descriptors(process);
    struct clock_watch_options watched = {&process->clock, process, clock_set_back};
    struct clock_watch *watch = clock_watch_start(&watched, &error);
    if (watch == NULL) return no_thread(&error);
    int exit_code = serve_watched(process, &abandoned) ? EXIT_FAILURE : EXIT_SUCCESS;
    log_flush(&process->log, BELFRY_LINES_END_MS); /* the limit of the ending still holds */
    if (abandoned) _exit(exit_code);
    clock_watch_stop(watch);
    signals_stop(signals);
    metrics_destroy(process->metrics);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct process *process = calloc(1, sizeof *process);
    if (process == NULL) return EXIT_FAILURE;
    json_reader_prepare();
    struct error error = {0};
    int exit_code;
    if (!config_load(&process->config, argc, argv, environ, &error)) {
        exit_code = usage_error(&error);
    } else {
        exit_code = act(&process->config);
        if (exit_code < 0) exit_code = run(process);
    }
    config_release(&process->config);
    if (process->log.lines == NULL) free(process); /* else the log's thread may still use it */
    return exit_code;
}
