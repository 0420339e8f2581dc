/* worker_options.c - the command line of belfry-worker. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/fail.h"
#include "consumer/text.h"
#include "consumer/worker.h"
#include "lib/base/arguments.h"
#include "lib/time/duration.h"

enum {
    CONCURRENCY_MAX = 10000,
    TIMEOUT_DEFAULT_MS = 30000,
    KILL_AFTER_DEFAULT_MS = 5000,
    DURATION_LONGEST_MS = 24 * 3600 * 1000
};

#define FIELD(member) offsetof(struct belfry_worker_options, member)

enum value_kind { VALUE_TEXT, VALUE_LIST, VALUE_DURATION, VALUE_COUNT, VALUE_ORDERING };

/* Where the value of an option goes. */
struct place {
    const char *name;
    enum value_kind kind;
    size_t offset;       /* of the value in the options */
    size_t count_offset; /* of a list's length */
    const char *variable;
};

static const struct place places[] = {
    {"kafka", VALUE_TEXT, FIELD(brokers), 0, "BELFRY_KAFKA"},
    {"group-id", VALUE_TEXT, FIELD(group_id), 0, "BELFRY_GROUP_ID"},
    {"cluster", VALUE_TEXT, FIELD(cluster), 0, "BELFRY_CLUSTER"},
    {"topic", VALUE_LIST, FIELD(topics), FIELD(topic_count), NULL},
    {"property", VALUE_LIST, FIELD(properties), FIELD(property_count), NULL},
    {"concurrency", VALUE_COUNT, FIELD(concurrency), 0, NULL},
    {"ordering", VALUE_ORDERING, FIELD(ordering), 0, NULL},
    {"timeout", VALUE_DURATION, FIELD(timeout_ms), 0, NULL},
    {"kill-after", VALUE_DURATION, FIELD(kill_after_ms), 0, NULL},
};
enum { PLACES = sizeof places / sizeof places[0] };

/* The first rows as the places. */
static const struct option_row rows[] = {
    {.name = "kafka", .kind = OPTION_LAST, .argument = "HOST:PORT,..."},
    {.name = "group-id", .kind = OPTION_LAST, .argument = "GROUP"},
    {.name = "cluster", .kind = OPTION_LAST, .argument = "NAME"},
    {.name = "topic", .kind = OPTION_LIST, .argument = "TOPIC"},
    {.name = "property", .letter = 'X', .kind = OPTION_LIST, .argument = "NAME=VALUE"},
    {.name = "concurrency", .kind = OPTION_LAST, .argument = "N"},
    {.name = "ordering", .kind = OPTION_LAST, .argument = "WHAT"},
    {.name = "timeout", .kind = OPTION_LAST, .argument = "DURATION"},
    {.name = "kill-after", .kind = OPTION_LAST, .argument = "DURATION"},
    {.name = "help", .letter = 'h', .kind = OPTION_FLAG},
    {.name = "exec", .kind = OPTION_REST},
    {0},
};

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
        "  --concurrency N         programs at a time, 1 to 10000, default 1\n"
        "  --ordering WHAT         what is run one after the other: key (default; the fires of a\n"
        "                          record key, by default a job's group), partition, or none\n"
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
    if (!belfry_integer_parse(value, strlen(value), &number) || number < 1 ||
        number > CONCURRENCY_MAX) {
        return belfry_fail(error, BELFRY_ERROR_INVALID, "--%s %.40s: must be a number from 1 to %d",
                           name, value, CONCURRENCY_MAX);
    }
    *count = (uint32_t)number;
    return true;
}

static bool ordering_set(enum belfry_ordering *ordering, const char *name, const char *value,
                         struct belfry_error *error)
{
    static const char *const words[] = {[BELFRY_ORDER_KEY] = "key",
                                        [BELFRY_ORDER_PARTITION] = "partition",
                                        [BELFRY_ORDER_NONE] = "none"};
    for (int i = 0; i <= BELFRY_ORDER_NONE; i++) {
        if (strcmp(value, words[i]) != 0) continue;
        *ordering = (enum belfry_ordering)i;
        return true;
    }
    return belfry_fail(error, BELFRY_ERROR_INVALID, "--%s %.40s: must be key, partition or none",
                       name, value);
}

static bool value_set(struct belfry_worker_options *options, const struct place *place,
                      const char *value, struct belfry_error *error)
{
    char *field = (char *)options + place->offset;
    assert(place->offset < sizeof *options);
    if (value[0] == '\0')
        return belfry_fail(error, BELFRY_ERROR_INVALID, "--%s is empty", place->name);
    switch (place->kind) {
    case VALUE_TEXT: *(const char **)(void *)field = value; return true;
    case VALUE_LIST: {
        size_t *count = (size_t *)(void *)((char *)options + place->count_offset);
        (*(const char ***)(void *)field)[(*count)++] = value;
        return true;
    }
    case VALUE_COUNT: return count_set((uint32_t *)(void *)field, place->name, value, error);
    case VALUE_ORDERING:
        return ordering_set((enum belfry_ordering *)(void *)field, place->name, value, error);
    case VALUE_DURATION:
        if (belfry_duration_parse(value, (int64_t *)(void *)field)) return true;
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "--%s %.40s: must be a duration such as "
                           "500ms, 30s or 1h30m, up to 24h",
                           place->name, value);
    }
    return false;
}

static bool arguments_take(struct belfry_worker_options *options, const struct arguments *arguments,
                           struct belfry_error *error)
{
    for (size_t i = 0; i < arguments->count; i++) {
        ptrdiff_t at = arguments->items[i].row - rows;
        if (at < PLACES && !value_set(options, &places[at], arguments->items[i].value, error))
            return false;
    }
    options->help = arguments_has(arguments, "help");
    return true;
}

static bool complete(struct belfry_worker_options *options, struct belfry_error *error)
{
    if (options->help) return true;
    for (int i = 0; i < PLACES; i++) {
        if (places[i].variable == NULL) continue;
        const char **field = (const char **)(void *)((char *)options + places[i].offset);
        const char *value = *field == NULL ? getenv(places[i].variable) : NULL;
        if (value != NULL && value[0] != '\0') *field = value;
    }
    const char *missing = options->brokers == NULL         ? "--kafka HOST:PORT"
                          : options->group_id == NULL      ? "--group-id GROUP"
                          : options->program == NULL       ? "--exec PROGRAM"
                          : options->program[0] == NULL    ? "PROGRAM after --exec"
                          : options->program[0][0] == '\0' ? "PROGRAM after --exec"
                                                           : NULL;
    if (missing == NULL) return true;
    return belfry_fail(error, BELFRY_ERROR_INVALID,
                       "%s is missing: belfry-worker --help shows "
                       "examples",
                       missing);
}

bool belfry_worker_options_read(struct belfry_worker_options *options, int argc, char **argv,
                                struct belfry_error *error)
{
    *options = (struct belfry_worker_options){.concurrency = 1,
                                              .timeout_ms = TIMEOUT_DEFAULT_MS,
                                              .kill_after_ms = KILL_AFTER_DEFAULT_MS};
    options->topics = calloc((size_t)argc + 1, sizeof *options->topics);
    options->properties = calloc((size_t)argc + 1, sizeof *options->properties);
    if (options->topics == NULL || options->properties == NULL)
        return belfry_fail_memory(error, "the options");
    static const struct option_row *const tables[] = {rows, NULL};
    struct arguments arguments = {0};
    struct error refused = {0};
    int at = 1;
    bool read = arguments_parse(&arguments, tables, argc, argv, &at, STOP_AT_WORD, &refused);
    if (!read) belfry_fail(error, BELFRY_ERROR_INVALID, "%s", refused.message);
    if (read && arguments_has(&arguments, "exec")) options->program = &argv[at];
    else if (read && at < argc)
        read = belfry_fail(error, BELFRY_ERROR_INVALID,
                           "unknown argument %.60s: belfry-worker "
                           "--help lists what is known; the program goes after --exec",
                           argv[at]);
    read = read && arguments_take(options, &arguments, error);
    arguments_free(&arguments);
    return read && complete(options, error);
}

void belfry_worker_options_clear(struct belfry_worker_options *options)
{
    free(options->topics);
    free(options->properties);
    options->topics = NULL;
    options->properties = NULL;
    assert(options->topics == NULL);
}
