/* Plays tests/said: command lines and the records they become, files of jobs, dead letters, and
 * what results, job records and schedules mean to people. No Kafka and no Redis is there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/read/result_view.h"
#include "cli/show/job_text.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/next_times.h"
#include "cli/show/run_words.h"
#include "cli/show/why_not.h"
#include "cli/words/cli.h"
#include "cli/write/dead_command.h"
#include "cli/write/job_file.h"
#include "cli/write/write_plan.h"
#include "lib/time/instant.h"
#include "schemas/job_json.h"
#include "tests/support/cron_case.h"
#include "tests/support/said.h"
#include "tests/support/said_runs.h"

enum { WORDS_MAX = 48, SHARDS = 4 };

static void given_end(void *context)
{
    struct said_given *given = context;
    free(given->file_text);
    free(given->present);
    json_decref(given->record);
    json_decref(given->fires);
    json_decref(given->events);
    json_decref(given->open);
    json_decref(given->members);
    text_writer_free(&given->reports);
}

static void say_error(struct text_writer *said, const struct error *error)
{
    text_writer_format(said, "exit %d: %s\n", (int)exit_code_of(error), error->message);
}

/* ---- files in the working folder ---- */

/* file jobs.json, and the lines that are in it; "is empty": none, not even a newline. */
static void play_file(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    size_t length = strcspn(text, " \n");
    (void)said;
    said_require(length > 0 && length < FILE_NAME_BYTES && given->file_text == NULL);
    memcpy(given->file_name, text, length);
    bool empty = strcmp(text + length, " is empty") == 0;
    given->file_text = strdup(empty ? "" : text[length] == '\n' ? text + length + 1 : "\n");
}

struct folder {
    char path[32];
    int back;
};

static void folder_enter(struct folder *folder, const struct said_given *given)
{
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/belfry-said-XXXXXX");
    folder->back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    said_require(folder->back >= 0 && mkdtemp(folder->path) != NULL && chdir(folder->path) == 0);
    if (given->file_text == NULL) return;
    FILE *stream = fopen(given->file_name, "we");
    said_require(stream != NULL && fputs(given->file_text, stream) >= 0 && fclose(stream) == 0);
}

static void folder_leave(const struct folder *folder, const struct said_given *given)
{
    if (given->file_text != NULL) (void)unlink(given->file_name);
    said_require(fchdir(folder->back) == 0 && close(folder->back) == 0 && rmdir(folder->path) == 0);
}

/* ---- command lines ---- */

/* Words as a shell parts them: blanks, '...' and "..." with a backslash before " and \. */
static int words_of(char *line, char *words[WORDS_MAX])
{
    int count = 0;
    for (char *at = line + strspn(line, " \n"); *at != '\0'; at += strspn(at, " \n")) {
        char *out = at;
        char quote = '\0';
        said_require(count < WORDS_MAX);
        words[count++] = out;
        for (; *at != '\0' && (quote != '\0' || strchr(" \n", *at) == NULL); at++) {
            if (*at == quote) quote = '\0';
            else if (quote == '\0' && (*at == '\'' || *at == '"')) quote = *at;
            else if (quote == '"' && *at == '\\') *out++ = *++at;
            else *out++ = *at;
        }
        said_require(quote == '\0');
        at += *at != '\0';
        *out = '\0';
    }
    return count;
}

static void say_records(struct text_writer *said, const struct write_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const char *value = text_writer_terminated(&plan->records[i].value);
        json_t *parsed = json_loads(value, JSON_REJECT_DUPLICATES, NULL);
        text_writer_format(said, "%s%s\n", value, parsed == NULL ? " is no JSON" : "");
        json_decref(parsed);
    }
}

/* A command that sends: its records, as they would go to four shards under the id "c". */
static void say_written(struct text_writer *said, const struct cli_command *command,
                        const struct arguments *arguments, struct error *error)
{
    struct write_request request = {0};
    struct write_plan plan = {0};
    if (write_request_read(&request, cli_command_op(command->name), arguments, error) &&
        write_plan_build(&plan, &request, request.command_id != NULL ? request.command_id : "c",
                         SHARDS, request.dry_run, true, error))
        say_records(said, &plan);
    write_plan_free(&plan);
    write_request_free(&request);
}

/* A command that compares a file's jobs with those that run: their names. */
static void say_jobs(struct text_writer *said, const struct cli_command *command,
                     const struct arguments *arguments, struct error *error)
{
    struct job_file file = {0};
    const char *path = job_file_path(arguments, command->name, error);
    if (path != NULL && job_file_read(&file, path, error))
        for (size_t i = 0; i < file.request.job_count; i++)
            text_writer_format(said, "%s\n", file.names[i]);
    job_file_free(&file);
}

/* $ belfry pause g/a */
static void play_line(void *context, const char *text, struct text_writer *said)
{
    struct folder folder;
    struct error error = {0};
    struct arguments arguments = {0};
    char *words[WORDS_MAX];
    char *line = strdup(text);
    int count = words_of(line, words);
    int at = 2;
    said_require(count >= 2 && strcmp(words[0], "belfry") == 0);
    const struct cli_command *command = cli_command_find(cli_commands, words[1]);
    said_require(command != NULL);
    folder_enter(&folder, context);
    if (arguments_parse(&arguments, command->options, count, words, &at, STOP_AT_END, &error)) {
        if (command->run == command_write) say_written(said, command, &arguments, &error);
        else say_jobs(said, command, &arguments, &error);
    }
    folder_leave(&folder, context);
    if (error.kind != ERROR_NONE) say_error(said, &error);
    arguments_free(&arguments);
    free(line);
}

/* ---- jobs ---- */

static void definition_of(json_t *job, const char *text, struct arena *arena,
                          struct definition *definition)
{
    struct error error = {0};
    bool read = job_text_read(job, text_of(text), arena, definition, &error);
    if (!read) (void)fprintf(stderr, "%s: %s\n", text, error.message);
    said_require(read);
}

/* runs {...}: the job that is there */
static void play_runs(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    (void)said;
    said_require(given->present == NULL);
    given->present = strdup(text);
}

static void note(void *opaque, struct text name, struct text present, struct text wanted)
{
    if (present.length == 0) present = text_of("nothing");
    if (wanted.length == 0) wanted = text_of("nothing");
    text_writer_format(opaque, "%.*s: %.*s -> %.*s\n", (int)name.length, name.bytes,
                       (int)present.length, present.bytes, (int)wanted.length, wanted.bytes);
}

/* wanted {...}: how a file's job differs from it */
static void play_wanted(void *context, const char *text, struct text_writer *said)
{
    const struct said_given *given = context;
    struct definition present;
    struct definition wanted;
    struct arena *arena = arena_create();
    said_require(given->present != NULL);
    json_t *jobs[2] = {said_json(given->present), said_json(text)};
    definition_of(jobs[0], given->present, arena, &present);
    definition_of(jobs[1], text, arena, &wanted);
    size_t count = job_text_compare(&present, &wanted, note, said);
    if ((count == 0) != (said->length == 0)) text_writer_format(said, "%zu are counted\n", count);
    json_decref(jobs[0]);
    json_decref(jobs[1]);
    arena_destroy(arena);
}

/* exported {...}: the job as export writes it */
static void play_exported(void *context, const char *text, struct text_writer *said)
{
    struct definition definition;
    struct arena *arena = arena_create();
    json_t *job = said_json(text);
    (void)context;
    definition_of(job, text, arena, &definition);
    job_text_write(said, &definition);
    text_writer_char(said, '\n');
    json_decref(job);
    arena_destroy(arena);
}

static void say_sentences(struct text_writer *said, const char *before, json_t *sentences)
{
    for (size_t i = 0; i < json_array_size(sentences); i++)
        text_writer_format(said, "%s%s\n", before,
                           json_string_value(json_array_get(sentences, i)));
    json_decref(sentences);
}

/* followed {...}: how the job's runs are followed, as validate tells it; or the refusal */
static void play_followed(void *context, const char *text, struct text_writer *said)
{
    struct definition definition;
    struct error error = {0};
    struct arena *arena = arena_create();
    json_t *job = said_json(text);
    (void)context;
    said_require(json_object_set_new(job, "group", json_string("g")) == 0 &&
            json_object_set_new(job, "id", json_string("a")) == 0 &&
            json_object_set_new(job, "schedule", json_pack("{s:s}", "every", "1h")) == 0);
    if (job_text_read(job, text_of(text), arena, &definition, &error)) {
        say_sentences(said, "", run_words(&definition.runs));
        say_sentences(said, "warning: ", run_warnings(&definition.runs));
    } else {
        say_error(said, &error);
    }
    json_decref(job);
    arena_destroy(arena);
}

/* shown {...}: a record of Redis in the list of jobs, in the first minute of 2026 */
static void play_shown(void *context, const char *text, struct text_writer *said)
{
    struct job_view view;
    json_t *job = said_json(text);
    (void)context;
    job_view_read(&view, job, said_instant("2026-01-01T00:00:00Z"), test_zones());
    text_writer_format(said, "%s | %s | %s\n", view.state, view.schedule, view.next);
    json_decref(job);
}

/* indented {...} */
static void play_indented(void *context, const char *text, struct text_writer *said)
{
    (void)context;
    json_text_indent(said, text_of(text));
    text_writer_char(said, '\n');
}

/* ---- dead letters ---- */

/* event-id e, or event-id \xff for a byte that is no text */
static void play_event_id(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    (void)said;
    if (strncmp(text, "\\x", 2) == 0) given->event_id[0] = (char)strtoul(text + 2, NULL, 16);
    else (void)snprintf(given->event_id, sizeof given->event_id, "%s", text);
}

/* requeued ...: the dead letter 17 of partition 3 as a command */
static void play_requeued(void *context, const char *text, struct text_writer *said)
{
    const struct said_given *given = context;
    struct error error = {0};
    bool written = dead_command_write(text_of(text), text_of(given->event_id), 3, 17, said, &error);
    if (written) text_writer_char(said, '\n');
    else say_error(said, &error);
}

/* ---- results ---- */

/* results of pause [...]: the exit code */
static void play_results(void *context, const char *text, struct text_writer *said)
{
    const char *array = strchr(text, '[');
    (void)context;
    said_require(array != NULL);
    json_t *results = said_json(array);
    bool jobs = strncmp(text, "of add ", 7) == 0 || strncmp(text, "of put ", 7) == 0;
    bool all = strncmp(text, "of pause --all ", 15) == 0;
    said_require(jobs || strncmp(text, "of pause ", 9) == 0);
    text_writer_format(said, "exit %d\n", (int)results_exit(results, !jobs, all));
    json_decref(results);
}

/* ---- times ---- */

/* next {...}: a line of next --batch */
static void play_next(void *context, const char *text, struct text_writer *said)
{
    json_t *answer = next_batch_answer(text, strlen(text), test_zones(), 0);
    char *line = json_dumps(answer, JSON_COMPACT);
    (void)context;
    text_writer_format(said, "%s\n", line);
    free(line);
    json_decref(answer);
}

/* record {...}: members of the job beside those that all have */
static void play_record(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    (void)said;
    said_require(given->record == NULL);
    given->record = said_json(text);
}

static void append_to(json_t **array, const char *text)
{
    if (*array == NULL) *array = json_array();
    said_require(json_array_append_new(*array, said_json(text)) == 0);
}

static void play_fire(void *context, const char *text, struct text_writer *said)
{
    (void)said;
    append_to(&((struct said_given *)context)->fires, text);
}

static void play_event(void *context, const char *text, struct text_writer *said)
{
    (void)said;
    append_to(&((struct said_given *)context)->events, text);
}

/* seen TIME: how far the job's shard has come */
static void play_seen(void *context, const char *text, struct text_writer *said)
{
    (void)said;
    ((struct said_given *)context)->watermark_ms = said_instant(text);
}

/* why-not TIME: of an hourly job of 1 January, on the 10th at 12:30 */
static void play_why_not(void *context, const char *text, struct text_writer *said)
{
    struct said_given *given = context;
    int64_t now_ms = said_instant("2026-01-10T12:30:00Z");
    json_t *job = said_json("{\"schedule\": {\"cron\": \"0 * * * *\"},"
                          " \"created_at\": \"2026-01-01T00:00:00.000Z\"}");
    if (given->record != NULL) said_require(json_object_update(job, given->record) == 0);
    if (given->fires == NULL) given->fires = json_array();
    if (given->events == NULL) given->events = json_array();
    const struct why_facts facts = {
        .job = job, .fires = given->fires, .events = given->events, .at_ms = said_instant(text),
        .open_runs = given->open, .now_ms = now_ms,
        .watermark_ms = given->watermark_ms == 0 ? now_ms : given->watermark_ms};
    struct why why;
    why_not(&why, &facts);
    text_writer_format(said, "%s: %s\n", why.code, why.text);
    json_decref(job);
}

int main(void)
{
    static const struct said_verb verbs[] = {
        {"$", play_line},           {"file", play_file},         {"runs", play_runs},
        {"wanted", play_wanted},    {"exported", play_exported}, {"shown", play_shown},
        {"followed", play_followed}, {"indented", play_indented}, {"event-id", play_event_id},
        {"requeued", play_requeued},
        {"results", play_results},  {"next", play_next},         {"record", play_record},
        {"fire", play_fire},        {"event", play_event},       {"seen", play_seen},
        {"why-not", play_why_not},   {"report", said_report},    {"open", said_open},
        {"history", said_history},   {"told", said_told},        {"tail-runs", said_tail_runs},
        {"tail-cancels", said_tail_cancels}, {"members", said_members},
        {"workers", said_workers}};
    static const struct said_table table = {verbs, sizeof verbs / sizeof verbs[0],
                                            sizeof(struct said_given), given_end};
    return said_run("what the command line says", "tests/said/*.said", &table);
}
