/* worker_options.c - the command line of belfry-worker. */
#include "consumer/fail.h"
#include "consumer/text.h"
#include "consumer/worker.h"
#include "lib/base/suggest.h"
#include "lib/time/duration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONCURRENCY_MAX = 1024,
    TIMEOUT_DEFAULT_MS = 30000,
    KILL_AFTER_DEFAULT_MS = 5000,
    DURATION_LONGEST_MS = 24 * 3600 * 1000
};

enum option_kind { OPTION_TEXT, OPTION_LIST, OPTION_DURATION, OPTION_COUNT };

struct option_row {
    const char *name;
    enum option_kind kind;
    size_t offset;       /* of the value in the options */
    size_t count_offset; /* of a list's length */
    const char *variable;
};

#define FIELD(member) offsetof(struct belfry_worker_options, member)

static const struct option_row rows[] = {
    {"--kafka", OPTION_TEXT, FIELD(brokers), 0, "BELFRY_KAFKA"},
    {"--group-id", OPTION_TEXT, FIELD(group_id), 0, "BELFRY_GROUP_ID"},
    {"--cluster", OPTION_TEXT, FIELD(cluster), 0, "BELFRY_CLUSTER"},
    {"--topic", OPTION_LIST, FIELD(topics), FIELD(topic_count), NULL},
    {"-X", OPTION_LIST, FIELD(properties), FIELD(property_count), NULL},
    {"--concurrency", OPTION_COUNT, FIELD(concurrency), 0, NULL},
    {"--timeout", OPTION_DURATION, FIELD(timeout_ms), 0, NULL},
    {"--kill-after", OPTION_DURATION, FIELD(kill_after_ms), 0, NULL},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

void belfry_worker_usage(FILE *out)
{
    assert(out != NULL);
    (void)fputs(
        "usage: belfry-worker --kafka HOST:PORT --group-id GROUP [options] --exec PROGRAM "
        "[ARG...]\n"
        "\n"
        "Runs PROGRAM once for each fire of Belfry: the fire as CloudEvents JSON on its standard\n"
        "input, its main fields in the environment (BELFRY_FIRE_ID, BELFRY_GROUP, BELFRY_JOB,\n"
        "BELFRY_DUE, BELFRY_KIND, ...). No shell is involved. A fire is finished when its program\n"
        "has ended, whatever the exit status, which is logged.\n"
        "\n"
        "  --kafka HOST:PORT,...   brokers                              (or BELFRY_KAFKA)\n"
        "  --group-id GROUP        workers with one group id share work (or BELFRY_GROUP_ID)\n"
        "  --cluster NAME          Belfry's cluster name, default belfry (or BELFRY_CLUSTER)\n"
        "  --topic TOPIC           may be repeated, default CLUSTER.fires\n"
        "  --concurrency N         programs at a time, 1 to 1024, default 1\n"
        "  --timeout DURATION      then SIGTERM to the program's process group, default 30s\n"
        "  --kill-after DURATION   after that SIGKILL, default 5s\n"
        "  -X NAME=VALUE           any librdkafka property, may be repeated; NAME_file=PATH\n"
        "                          reads the value from a file: -X sasl.password_file=...\n"
        "  --exec PROGRAM [ARG...] must come last: everything after it is the program's\n"
        "  --help                  this text\n"
        "\n"
        "SIGTERM or SIGINT: no new fires, running programs finish, exit 0. Another one, a second\n"
        "later or more, kills them and exits at once. Exit status: 0 ended by a signal,\n"
        "1 failed, 2 wrong usage.\n"
        "\n"
        "examples:\n"
        "  belfry-worker --kafka localhost:9092 --group-id printer --exec jq -c .data\n"
        "  belfry-worker --kafka k1:9092,k2:9092 --group-id billing --concurrency 8 \\\n"
        "      --timeout 5m -X security.protocol=ssl --exec /usr/local/bin/invoice --nightly\n"
        "  belfry-worker --kafka localhost:9092 --group-id try -X auto.offset.reset=latest \\\n"
        "      --exec sh -c 'echo \"$BELFRY_JOB was due at $BELFRY_DUE\"'\n",
        out);
}

static bool unknown(const char *argument, struct belfry_error *error)
{
    struct suggestion near = {.word = argument, .word_length = strlen(argument)};
    for (int i = 0; i < ROWS; i++) suggestion_offer(&near, rows[i].name);
    if (near.best != NULL) {
        return belfry_fail(error, BELFRY_ERROR_INVALID, "unknown argument %.60s: did you mean "
                           "%s?", argument, near.best);
    }
    return belfry_fail(error, BELFRY_ERROR_INVALID, "unknown argument %.60s: belfry-worker --help "
                       "lists what is known; the program goes after --exec", argument);
}

bool belfry_duration_parse(const char *text, int64_t *duration_ms)
{
    int64_t read_ms = 0;
    if (!duration_parse(text, strlen(text), &read_ms, NULL)) return false;
    if (read_ms < 1 || read_ms > DURATION_LONGEST_MS) return false;
    *duration_ms = read_ms;
    return true;
}

static bool count_set(uint32_t *count, const char *name, const char *value,
                      struct belfry_error *error)
{
    int64_t number = 0;
    assert(count != NULL);
    if (!belfry_integer_parse(value, strlen(value), &number) || number < 1 ||
        number > CONCURRENCY_MAX) {
        return belfry_fail(error, BELFRY_ERROR_INVALID, "%s %.40s: must be a number from 1 to %d",
                           name, value, CONCURRENCY_MAX);
    }
    *count = (uint32_t)number;
    return true;
}

static bool value_set(struct belfry_worker_options *options, const struct option_row *row,
                      const char *value, struct belfry_error *error)
{
    char *field = (char *)options + row->offset;
    assert(value != NULL);
    assert(row->offset < sizeof *options);
    if (value[0] == '\0') {
        return belfry_fail(error, BELFRY_ERROR_INVALID, "%s is empty", row->name);
    }
    switch (row->kind) {
    case OPTION_TEXT:
        *(const char **)(void *)field = value;
        return true;
    case OPTION_LIST: {
        size_t *count = (size_t *)(void *)((char *)options + row->count_offset);
        (*(const char ***)(void *)field)[(*count)++] = value;
        return true;
    }
    case OPTION_COUNT:
        return count_set((uint32_t *)(void *)field, row->name, value, error);
    case OPTION_DURATION:
        if (belfry_duration_parse(value, (int64_t *)(void *)field)) return true;
        return belfry_fail(error, BELFRY_ERROR_INVALID, "%s %.40s: must be a duration such as "
                           "500ms, 30s or 1h30m, up to 24h", row->name, value);
    }
    return false;
}

/* Takes one option with its value, "--name value" or "--name=value".
 *   used  how many arguments it took */
static bool option_read(struct belfry_worker_options *options, char **argv, int left, int *used,
                        struct belfry_error *error)
{
    assert(left > 0 && argv[0] != NULL);
    const char *argument = argv[0];
    for (int i = 0; i < ROWS; i++) {
        size_t length = strlen(rows[i].name);
        if (strncmp(argument, rows[i].name, length) != 0) continue;
        if (argument[length] == '=' && length > 2) {
            *used = 1;
            return value_set(options, &rows[i], argument + length + 1, error);
        }
        if (argument[length] != '\0') continue;
        if (left < 2) {
            return belfry_fail(error, BELFRY_ERROR_INVALID, "%s needs a value", argument);
        }
        *used = 2;
        return value_set(options, &rows[i], argv[1], error);
    }
    return unknown(argument, error);
}

static bool complete(struct belfry_worker_options *options, struct belfry_error *error)
{
    assert(options != NULL);
    if (options->help) return true;
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].variable == NULL) continue;
        const char **field = (const char **)(void *)((char *)options + rows[i].offset);
        const char *value = *field == NULL ? getenv(rows[i].variable) : NULL;
        if (value != NULL && value[0] != '\0') *field = value;
    }
    const char *missing = options->brokers == NULL           ? "--kafka HOST:PORT"
                          : options->group_id == NULL        ? "--group-id GROUP"
                          : options->program == NULL         ? "--exec PROGRAM"
                          : options->program[0] == NULL      ? "PROGRAM after --exec"
                          : options->program[0][0] == '\0'   ? "PROGRAM after --exec"
                                                             : NULL;
    if (missing == NULL) return true;
    return belfry_fail(error, BELFRY_ERROR_INVALID, "%s is missing: belfry-worker --help shows "
                       "examples", missing);
}

bool belfry_worker_options_read(struct belfry_worker_options *options, int argc, char **argv,
                                struct belfry_error *error)
{
    assert(options != NULL && argv != NULL);
    *options = (struct belfry_worker_options){.concurrency = 1,
                                              .timeout_ms = TIMEOUT_DEFAULT_MS,
                                              .kill_after_ms = KILL_AFTER_DEFAULT_MS};
    options->topics = calloc((size_t)argc + 1, sizeof *options->topics);
    options->properties = calloc((size_t)argc + 1, sizeof *options->properties);
    if (options->topics == NULL || options->properties == NULL) {
        return belfry_fail_memory(error, "the options");
    }
    for (int i = 1; i < argc;) {
        int used = 1;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            options->help = true;
        } else if (strcmp(argv[i], "--exec") == 0) {
            options->program = &argv[i + 1];
            break;
        } else if (!option_read(options, &argv[i], argc - i, &used, error)) {
            return false;
        }
        i += used;
    }
    return complete(options, error);
}

void belfry_worker_options_clear(struct belfry_worker_options *options)
{
    assert(options != NULL);
    free(options->topics);
    free(options->properties);
    options->topics = NULL;
    options->properties = NULL;
    assert(options->topics == NULL);
}
