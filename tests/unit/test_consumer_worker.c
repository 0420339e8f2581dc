/* belfry-worker below Kafka: its command line, and how it runs a program. */
#include "consumer/worker.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/rows.h"

enum { ARGUMENTS_MAX = 16 };

struct usage_case {
    const char *name;
    const char *arguments[ARGUMENTS_MAX];
    const char *message; /* a part of it */
};
#define GOOD "--kafka", "k:1", "--group-id", "g"
static const struct usage_case usage_cases[] = {
    {"nothing", {NULL}, "--kafka HOST:PORT is missing"},
    {"no group id", {"--kafka", "k:1", "--exec", "true"}, "--group-id GROUP is missing"},
    {"no exec", {GOOD}, "--exec PROGRAM is missing"},
    {"exec of nothing", {GOOD, "--exec"}, "PROGRAM after --exec is missing"},
    {"exec of an empty name", {GOOD, "--exec", ""}, "PROGRAM after --exec is missing"},
    {"no value", {"--kafka"}, "--kafka needs a value"},
    {"empty value", {"--kafka", ""}, "--kafka is empty"},
    {"misspelt", {"--kafak", "k:1"}, "did you mean --kafka?"},
    {"misspelt with value", {"--timout=3s"}, "unknown option --timout; did you mean --timeout?"},
    {"far from anything", {"--colour"}, "--help lists"},
    {"a program without exec", {GOOD, "true"}, "the program goes after --exec"},
    {"no concurrency", {GOOD, "--concurrency", "0"}, "must be a number from 1 to 10000"},
    {"too much concurrency", {GOOD, "--concurrency", "10001"}, "must be a number from 1 to 10000"},
    {"no such ordering", {GOOD, "--ordering", "group"}, "must be key, partition or none"},
    {"bare duration", {GOOD, "--timeout", "30"}, "must be a duration such as"},
    {"no time", {GOOD, "--kill-after=0s"}, "must be a duration such as"},
};

static int argument_count(char **argv)
{
    int count = 0;
    while (argv[count] != NULL) count++;
    return count;
}

static void check_usage(void **state)
{
    const struct usage_case *row = *state;
    char *argv[ARGUMENTS_MAX + 2] = {(char *)"belfry-worker"};
    for (int i = 0; i < ARGUMENTS_MAX; i++) argv[i + 1] = (char *)row->arguments[i];
    struct belfry_worker_options options;
    struct belfry_error error = {0};
    assert_false(belfry_worker_options_read(&options, argument_count(argv), argv, &error));
    assert_int_equal(error.kind, BELFRY_ERROR_INVALID);
    if (strstr(error.message, row->message) == NULL) fail_msg("%s", error.message);
    belfry_worker_options_clear(&options);
}

static void all_options(void **state)
{
    (void)state;
    char *argv[] = {(char *)"belfry-worker", (char *)"--kafka=a:1,b:2", (char *)"--group-id",
                    (char *)"g", (char *)"--cluster", (char *)"c", (char *)"--topic", (char *)"t1",
                    (char *)"--topic=t2", (char *)"-X", (char *)"a=b=c", (char *)"--concurrency",
                    (char *)"8", (char *)"--timeout", (char *)"1h30m", (char *)"--kill-after",
                    (char *)"500ms", (char *)"--ordering", (char *)"none", (char *)"--exec",
                    (char *)"echo", (char *)"--kafka", (char *)"x", NULL};
    struct belfry_worker_options options;
    struct belfry_error error = {0};
    assert_true(belfry_worker_options_read(&options, argument_count(argv), argv, &error));
    assert_string_equal(options.brokers, "a:1,b:2");
    assert_string_equal(options.group_id, "g");
    assert_string_equal(options.cluster, "c");
    assert_int_equal(options.topic_count, 2);
    assert_string_equal(options.topics[1], "t2");
    assert_int_equal(options.property_count, 1);
    assert_string_equal(options.properties[0], "a=b=c");
    assert_int_equal(options.concurrency, 8);
    assert_int_equal(options.ordering, BELFRY_ORDER_NONE);
    assert_int_equal(options.timeout_ms, 5400000);
    assert_int_equal(options.kill_after_ms, 500);
    assert_string_equal(options.program[0], "echo");
    assert_string_equal(options.program[1], "--kafka"); /* the program's, not ours */
    assert_null(options.program[3]);
    belfry_worker_options_clear(&options);
}

static void environment_fills_in(void **state)
{
    (void)state;
    assert_int_equal(setenv("BELFRY_KAFKA", "env:1", 1), 0);
    assert_int_equal(setenv("BELFRY_GROUP_ID", "env-group", 1), 0);
    char *argv[] = {(char *)"belfry-worker", (char *)"--group-id", (char *)"flag",
                    (char *)"--exec", (char *)"true", NULL};
    struct belfry_worker_options options;
    struct belfry_error error = {0};
    assert_true(belfry_worker_options_read(&options, argument_count(argv), argv, &error));
    assert_string_equal(options.brokers, "env:1");
    assert_string_equal(options.group_id, "flag");
    belfry_worker_options_clear(&options);
    assert_int_equal(unsetenv("BELFRY_KAFKA"), 0);
    assert_int_equal(unsetenv("BELFRY_GROUP_ID"), 0);
}

struct duration_case {
    const char *text;
    int64_t duration_ms; /* 0: refused */
};
static const struct duration_case duration_cases[] = {
    {"1ms", 1}, {"90s", 90000}, {"1h30m", 5400000}, {"1m1s1ms", 61001}, {"24h", 86400000},
    {"1d", 86400000}, {"", 0}, {"5", 0}, {"s", 0}, {"1.5s", 0}, {"-1s", 0}, {"0s", 0}, {"25h", 0},
    {"1s1m", 0}, {"1s1s", 0}, {"1 s", 0}, {"1w", 0}, {"9999999999s", 0}, {"1s ", 0},
};

static void check_durations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof duration_cases / sizeof duration_cases[0]; i++) {
        int64_t duration_ms = 0;
        bool valid = belfry_duration_parse(duration_cases[i].text, &duration_ms);
        if (valid != (duration_cases[i].duration_ms != 0) ||
            duration_ms != duration_cases[i].duration_ms) fail_msg("%s", duration_cases[i].text);
    }
}

static void programs_are_found(void **state)
{
    (void)state;
    struct belfry_error error = {0};
    char *path = belfry_program_find("sh", &error);
    if (path == NULL) fail_msg("%s", error.message);
    assert_int_equal(access(path, X_OK), 0);
    free(path);
    path = belfry_program_find("/bin/sh", &error);
    assert_string_equal(path, "/bin/sh");
    free(path);
    static const char *const missing[] = {"no-such-program-here", "/no/such", "/etc/passwd",
                                          "/usr/bin", "./"};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        struct belfry_error why = {0};
        assert_null(belfry_program_find(missing[i], &why));
        assert_int_equal(why.kind, BELFRY_ERROR_INVALID);
        assert_non_null(strstr(why.message, missing[i]));
    }
}

/* Runs a script of the shell with a text on standard input. */
static struct belfry_ending shell(const char *script, const char *input, size_t input_bytes,
                                  int64_t timeout_ms, int64_t kill_after_ms)
{
    char *arguments[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    pid_t leaders[1] = {0};
    struct belfry_running running = {.lock = PTHREAD_MUTEX_INITIALIZER, .leaders = leaders,
                                     .count = 1};
    struct belfry_run run = {.path = "/bin/sh", .arguments = arguments, .environment = environ,
                             .input = input, .input_bytes = input_bytes,
                             .timeout_ms = timeout_ms, .kill_after_ms = kill_after_ms};
    struct belfry_ending ending;
    belfry_program_run(&run, &running, &ending);
    assert_int_equal(leaders[0], 0);
    return ending;
}

static void exit_status_and_signal(void **state)
{
    (void)state;
    struct belfry_ending ending = shell("exit 0", "", 0, 20000, 20000);
    assert_int_equal(ending.exit_status, 0);
    ending = shell("exit 42", "", 0, 20000, 20000);
    assert_int_equal(ending.exit_status, 42);
    assert_int_equal(ending.signal, 0);
    ending = shell("kill -USR1 $$", "", 0, 20000, 20000);
    assert_int_equal(ending.exit_status, -1);
    assert_int_equal(ending.signal, SIGUSR1);
    assert_false(ending.timed_out);
}

static void input_is_read_or_not(void **state)
{
    (void)state;
    enum { LARGE = 3 << 20 }; /* far more than a pipe takes */
    char *input = malloc(LARGE);
    assert_non_null(input);
    memset(input, 'x', LARGE);
    struct belfry_ending ending = shell("exit 0", input, LARGE, 20000, 20000);
    assert_int_equal(ending.exit_status, 0);
    ending = shell("test $(wc -c) = 3145728", input, LARGE, 20000, 20000);
    assert_int_equal(ending.exit_status, 0);
    ending = shell("test \"$(cat)\" = 'a fire'", "a fire", 6, 20000, 20000);
    assert_int_equal(ending.exit_status, 0);
    free(input);
}

static void descriptors_are_closed(void **state)
{
    (void)state;
    int extra = dup(STDERR_FILENO); /* not close-on-exec */
    assert_true(extra > STDERR_FILENO);
    char script[80];
    (void)snprintf(script, sizeof script, "test ! -e /proc/self/fd/%d", extra);
    assert_int_equal(shell(script, "", 0, 20000, 20000).exit_status, 0);
    assert_int_equal(close(extra), 0);
}

static void term_then_kill(void **state)
{
    (void)state;
    struct belfry_ending ending = shell("exec sleep 60", "", 0, 100, 20000);
    assert_true(ending.timed_out);
    assert_int_equal(ending.signal, SIGTERM);
    ending = shell("trap 'exit 7' TERM; sleep 60 & wait", "", 0, 200, 20000);
    assert_true(ending.timed_out);
    assert_int_equal(ending.exit_status, 7);
    ending = shell("trap '' TERM; while :; do sleep 1; done", "", 0, 100, 100);
    assert_true(ending.timed_out);
    assert_int_equal(ending.signal, SIGKILL);
    assert_true(ending.took_ms >= 200 && ending.took_ms < 20000);
    assert_false(ending.stuck);
}

/* A pipe that a grandchild holds open tells when the last of the group is gone. */
static void whole_group_is_killed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int out = dup(STDOUT_FILENO);
    assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    struct belfry_ending ending =
        shell("trap 'exit 0' TERM; sh -c \"trap '' TERM; sleep 60\" & wait", "", 0, 200, 20000);
    assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
    assert_int_equal(close(out), 0);
    assert_int_equal(close(ends[1]), 0);
    char byte = 0;
    (void)alarm(20); /* the deadline of the read */
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)alarm(0);
    assert_int_equal(close(ends[0]), 0);
    assert_true(ending.timed_out);
}

static void missing_program_is_an_ending(void **state)
{
    (void)state;
    char *arguments[] = {(char *)"x", NULL};
    pid_t leaders[1] = {0};
    struct belfry_running running = {.lock = PTHREAD_MUTEX_INITIALIZER, .leaders = leaders,
                                     .count = 1};
    struct belfry_run run = {.path = "/no/such/program", .arguments = arguments,
                             .environment = environ, .input = "", .timeout_ms = 1000,
                             .kill_after_ms = 1000};
    struct belfry_ending ending;
    belfry_program_run(&run, &running, &ending);
    /* Under valgrind posix_spawn() cannot tell, and the child exits with 127. */
    assert_true(ending.start_error == ENOENT || ending.exit_status == 127);
    assert_int_equal(leaders[0], 0);
}

static const char *value_of(char **environment, const char *name)
{
    const char *found = NULL;
    for (char **one = environment; *one != NULL; one++) {
        if (strncmp(*one, name, strlen(name)) != 0 || (*one)[strlen(name)] != '=') continue;
        assert_null(found); /* once */
        found = *one + strlen(name) + 1;
    }
    return found;
}

static void environment_of_a_fire(void **state)
{
    (void)state;
    struct belfry_fire fire = {
        .id = "i@1", .source = "/belfry/c/3", .subject = "g/j", .group = "g", .job_id = "j",
        .incarnation = "i", .kind = "trigger", .due = "2026-11-21T20:57:54.000Z",
        .time = "2026-11-21T20:57:54.001Z", .lateness_ms = 1, .revision = 7, .missed_count = 2,
        .attempt = 3, .content_type = "application/json", .topic = "t", .partition = 4,
        .offset = 5};
    char *inherited[] = {(char *)"PATH=/bin", (char *)"BELFRY_GROUP=old", (char *)"BELFRY_KAFKA=k",
                         NULL};
    char **environment = belfry_environment_create(&fire, inherited);
    assert_non_null(environment);
    static const char *const expected[][2] = {
        {"PATH", "/bin"}, {"BELFRY_KAFKA", "k"}, {"BELFRY_FIRE_ID", "i@1"}, {"BELFRY_GROUP", "g"},
        {"BELFRY_JOB", "j"}, {"BELFRY_INCARNATION", "i"}, {"BELFRY_KIND", "trigger"},
        {"BELFRY_DUE", "2026-11-21T20:57:54.000Z"}, {"BELFRY_TIME", "2026-11-21T20:57:54.001Z"},
        {"BELFRY_REVISION", "7"}, {"BELFRY_LATENESS_MS", "1"}, {"BELFRY_MISSED_COUNT", "2"},
        {"BELFRY_ATTEMPT", "3"}, {"BELFRY_PARTITION", "4"}, {"BELFRY_OFFSET", "5"},
        {"BELFRY_SOURCE", "/belfry/c/3"}, {"BELFRY_TOPIC", "t"},
        {"BELFRY_CONTENT_TYPE", "application/json"}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const char *value = value_of(environment, expected[i][0]);
        if (value == NULL) fail_msg("%s is missing", expected[i][0]);
        assert_string_equal(value, expected[i][1]);
    }
    assert_null(value_of(environment, "TRACEPARENT"));
    belfry_environment_free(environment);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(usage_cases, check_usage)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(all_options),
        cmocka_unit_test(environment_fills_in),
        cmocka_unit_test(check_durations),
        cmocka_unit_test(programs_are_found),
        cmocka_unit_test(exit_status_and_signal),
        cmocka_unit_test(input_is_read_or_not),
        cmocka_unit_test(descriptors_are_closed),
        cmocka_unit_test(term_then_kill),
        cmocka_unit_test(whole_group_is_killed),
        cmocka_unit_test(missing_program_is_an_ending),
        cmocka_unit_test(environment_of_a_fire),
    };
    return run_rows("worker", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
