#include "tests/support/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/time/instant.h"
#include "schemas/text_writer.h"

#define BEGINS "2026-01-01T00:00:00Z"

struct reader {
    struct stories *stories;
    const char *file;
    int line;
    size_t first;                 /* of the file's stories */
    struct story_options options; /* of all stories of the file */
    struct text_writer lines;     /* of the step under way: its JSON, or what is expected */
    bool expects;                 /* a line of what is expected has come */
    bool broken;                  /* its JSON is not to be read by anyone */
    struct error *error;
};

__attribute__((format(printf, 2, 3)))
static bool fault(struct reader *reader, const char *format, ...)
{
    char words[160];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return error_set(reader->error, ERROR_INVALID, "%s:%d: %s", reader->file, reader->line, words);
}

static const char *keep(struct reader *reader, const char *bytes, size_t length)
{
    char *copy = arena_take_bytes(reader->stories->arena, length + 1);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

static const char *keep_lines(struct reader *reader)
{
    const char *kept = keep(reader, reader->lines.length == 0 ? "" : reader->lines.bytes,
                            reader->lines.length);
    reader->lines.length = 0;
    return kept;
}

/* ---- words of a line ---- */

static const char *skip_space(const char *at)
{
    while (*at == ' ') at++;
    return at;
}

/* The next word, which the rest then stands behind; "" at the end of the line. */
static const char *take_word(struct reader *reader, const char **rest)
{
    const char *begin = skip_space(*rest);
    size_t length = strcspn(begin, " ");
    *rest = skip_space(begin + length);
    return keep(reader, begin, length);
}

static bool take_if(const char **rest, const char *words)
{
    size_t length = strlen(words);
    if (strncmp(*rest, words, length) != 0) return false;
    if ((*rest)[length] != '\0' && (*rest)[length] != ' ') return false;
    *rest = skip_space(*rest + length);
    return true;
}

static bool read_number(struct reader *reader, const char *word, int32_t *number)
{
    char *end = NULL;
    long value = strtol(word, &end, 10);
    if (*word == '\0' || *end != '\0' || value < 0 || value > 1000000)
        return fault(reader, "a number is expected, not '%s'", word);
    *number = (int32_t)value;
    return true;
}

static bool take_number(struct reader *reader, const char **rest, int32_t *number)
{
    return read_number(reader, take_word(reader, rest), number);
}

static struct story *story_of(struct reader *reader)
{
    struct stories *stories = reader->stories;
    return stories->count == reader->first ? NULL : &stories->list[stories->count - 1];
}

static struct story_step *step_of(struct reader *reader)
{
    struct story *story = story_of(reader);
    return story == NULL || story->step_count == 0 ? NULL : &story->steps[story->step_count - 1];
}

/* 00:10:00 is of the day on which the story begins. */
static bool take_time(struct reader *reader, const char **rest, const char **time)
{
    const struct story *story = story_of(reader);
    const char *word = take_word(reader, rest);
    const char *begins = story == NULL ? BEGINS : story->options.begins;
    char whole[64];
    if (strlen(word) >= 8 && word[2] == ':')
        (void)snprintf(whole, sizeof whole, "%.11s%sZ", begins, word);
    else
        (void)snprintf(whole, sizeof whole, "%s", word);
    int64_t instant_ms = 0;
    struct error error = {0};
    if (!instant_parse(whole, strlen(whole), &instant_ms, &error))
        return fault(reader, "a time is expected, not '%s'", word);
    *time = keep(reader, whole, strlen(whole));
    return true;
}

static bool at_end(struct reader *reader, const char *rest)
{
    return *rest == '\0' || fault(reader, "not understood: '%s'", rest);
}

/* ---- commands ---- */

static bool check_json(struct reader *reader, const char *text)
{
    json_error_t wrong = {.text = "something else"};
    json_t *json = json_loads(text, 0, &wrong);
    bool good = json_is_object(json);
    json_decref(json);
    return good || fault(reader, "a JSON object is expected: %s", wrong.text);
}

static void write_text(struct text_writer *writer, const char *before, struct text text,
                       const char *after)
{
    text_writer_words(writer, before);
    text_writer_raw(writer, text);
    text_writer_words(writer, after);
}

/* "*", "g" or "g/a" as members of a selector. */
static void write_selector(struct text_writer *writer, const char *name)
{
    const char *slash = strchr(name, '/');
    size_t length = slash == NULL ? strlen(name) : (size_t)(slash - name);
    if (strcmp(name, "*") == 0) {
        text_writer_words(writer, "\"all\":true");
        return;
    }
    if (length > 0) write_text(writer, "\"groups\":[\"", (struct text){name, length}, "\"]");
    if (slash == NULL) return;
    if (length > 0) text_writer_char(writer, ',');
    write_text(writer, "\"ids\":[\"", text_of(slash + 1), "\"]");
}

/* The whole command of "add g/a {...}", "update g {...}", "pause g". The members are those of the
 * job, of what is set, or of the command itself. */
static void write_command(struct text_writer *writer, const char *op, const char *name,
                          const char *members)
{
    bool adds = strcmp(op, "add") == 0 || strcmp(op, "put") == 0;
    bool sets = strcmp(op, "update") == 0;
    const char *slash = strchr(name, '/');
    const char *open = strchr(members, '{');
    struct text inside = {open == NULL ? "" : open + 1,
                          open == NULL ? 0 : (size_t)(strrchr(members, '}') - open - 1)};
    write_text(writer, "{\"op\":\"", text_of(op), "\",");
    if (adds) {
        write_text(writer, "\"job\":{\"group\":\"", (struct text){name, (size_t)(slash - name)},
                   "\",");
        write_text(writer, "\"id\":\"", text_of(slash + 1), "\"");
    } else {
        text_writer_words(writer, "\"select\":{");
        write_selector(writer, name);
        text_writer_char(writer, '}');
    }
    if (sets) write_text(writer, ",\"set\":{", inside, "}");
    else if (strspn(inside.bytes, " \n") < inside.length) write_text(writer, ",", inside, "");
    text_writer_words(writer, adds ? "}}" : "}");
}

static bool has_json(const struct story_step *step)
{
    return step->verb == STORY_COMMAND || step->verb == STORY_BECOMES;
}

/* JSON as it stands there, or what the short words say. */
static bool make_command(struct reader *reader, struct story_step *step)
{
    const char *rest = keep_lines(reader);
    step->text = rest;
    if (*rest == '\0') return fault(reader, "its JSON, or what it stands for, is missing");
    if (reader->broken) return true;
    if (*rest == '{' || step->verb == STORY_BECOMES) return check_json(reader, rest);
    const char *op = take_word(reader, &rest);
    const char *name = keep(reader, rest, strcspn(rest, " \n"));
    rest = skip_space(rest + strlen(name));
    bool adds = strcmp(op, "add") == 0 || strcmp(op, "put") == 0;
    if (*name == '\0') return fault(reader, "%s: of which job or group?", op);
    if (adds && strchr(name, '/') == NULL) return fault(reader, "%s: group/id is missing", op);
    if (strspn(rest, " \n") < strlen(rest) && !check_json(reader, rest)) return false;
    write_command(&reader->lines, op, name, rest);
    step->text = keep_lines(reader);
    return check_json(reader, step->text);
}

/* The lines of a command have come, if the step is one. A fault is in its first line. */
static bool end_command(struct reader *reader, struct story_step *step)
{
    int here = reader->line;
    if (!has_json(step) || step->text != NULL) return true;
    reader->line = step->line;
    if (!make_command(reader, step)) return false;
    reader->line = here;
    return true;
}

/* The lines behind a step have come. */
static bool end_step(struct reader *reader)
{
    struct story_step *step = step_of(reader);
    if (step == NULL) return true;
    if (!end_command(reader, step)) return false;
    step->expected = keep_lines(reader);
    reader->expects = false;
    return true;
}

static bool take_more(struct reader *reader, const char *line)
{
    struct story_step *step = step_of(reader);
    const char *text = skip_space(line);
    if (step == NULL) return fault(reader, "this belongs to no step");
    if (*text != '>') {
        if (!has_json(step) || reader->expects)
            return fault(reader, "what is said begins with >, a step in the first column");
        if (reader->lines.length > 0) text_writer_char(&reader->lines, '\n');
        text_writer_words(&reader->lines, text);
        return true;
    }
    if (step->verb >= STORY_BECOMES) return fault(reader, "nothing is said to this step");
    if (!end_command(reader, step)) return false;
    reader->expects = true;
    text_writer_words(&reader->lines, text[1] == ' ' ? text + 2 : text + 1);
    text_writer_char(&reader->lines, '\n');
    return true;
}

/* ---- steps ---- */

static struct story_step *add_step(struct reader *reader, enum story_verb verb)
{
    struct story *story = story_of(reader);
    story->steps = memory_grow(story->steps, &story->step_capacity, story->step_count + 1,
                               sizeof *story->steps);
    struct story_step *step = &story->steps[story->step_count++];
    *step = (struct story_step){.verb = verb, .line = reader->line, .expected = ""};
    return step;
}

/* g/a 00:00:10 retry attempt=2 backfill=b */
static bool take_failed(struct reader *reader, struct story_step *step, const char *rest)
{
    step->verb = STORY_FAILED;
    step->number = 1;
    step->name = take_word(reader, &rest);
    if (!take_time(reader, &rest, &step->slot)) return false;
    step->kind = take_word(reader, &rest);
    while (*rest != '\0') {
        const char *word = take_word(reader, &rest);
        bool is_attempt = strncmp(word, "attempt=", 8) == 0;
        if (is_attempt && !read_number(reader, word + 8, &step->number)) return false;
        if (strncmp(word, "backfill=", 9) == 0) step->backfill = word + 9;
        else if (!is_attempt) return fault(reader, "not understood: '%s'", word);
    }
    return true;
}

static bool take_at(struct reader *reader, const char *rest)
{
    struct story_step *step = add_step(reader, STORY_COMMAND);
    if (!take_time(reader, &rest, &step->at)) return false;
    if (take_if(&rest, "failed")) return take_failed(reader, step, rest);
    if (take_if(&rest, "retry")) {
        step->verb = STORY_RETRY;
        step->kind = take_word(reader, &rest);
        return at_end(reader, rest);
    }
    if (take_if(&rest, "lane")) {
        step->verb = STORY_LANE;
        return at_end(reader, rest);
    }
    if (take_if(&rest, "report")) {
        step->verb = STORY_REPORT;
        step->name = take_word(reader, &rest);
        step->kind = take_word(reader, &rest);
        return at_end(reader, rest);
    }
    if (take_if(&rest, "now") && !take_time(reader, &rest, &step->now)) return false;
    reader->broken = take_if(&rest, "broken");
    text_writer_words(&reader->lines, rest);
    return true;
}

/* Without a name: the mark. */
static bool take_words(struct reader *reader, const char *name, const char *rest)
{
    bool has = take_if(&rest, "has");
    if ((!has && !take_if(&rest, "lacks")) || *rest == '\0')
        return fault(reader, "has it, or lacks it, and what?");
    struct story_step *step = add_step(reader, has ? STORY_HAS : STORY_LACKS);
    step->name = name;
    step->text = keep(reader, rest, strlen(rest));
    return true;
}

static bool take_record(struct reader *reader, const char *rest)
{
    const char *name = take_word(reader, &rest);
    if (take_if(&rest, "is gone")) {
        add_step(reader, STORY_GONE)->name = name;
        return at_end(reader, rest);
    }
    if (!take_if(&rest, "becomes")) return take_words(reader, name, rest);
    add_step(reader, STORY_BECOMES)->name = name;
    reader->broken = false;
    text_writer_words(&reader->lines, rest);
    return true;
}

static bool take_restart(struct reader *reader, const char *rest)
{
    struct story_step *step = add_step(reader, STORY_RESTART);
    if (take_if(&rest, "at") && !take_time(reader, &rest, &step->at)) return false;
    step->other_zone_data = take_if(&rest, "with other zone data");
    step->without_zones = take_if(&rest, "without zones");
    return at_end(reader, rest);
}

/* Time passes to each of these instants; what is said is said at the last one. */
static bool take_now(struct reader *reader, const char *rest)
{
    do {
        struct story_step *step = add_step(reader, STORY_PASSES);
        if (!take_time(reader, &rest, &step->at)) return false;
    } while (*rest != '\0');
    return true;
}

static bool take_step(struct reader *reader, const char *line, bool *taken)
{
    const char *rest = line;
    *taken = true;
    if (take_if(&rest, "at")) return take_at(reader, rest);
    if (take_if(&rest, "record")) return take_record(reader, rest);
    if (take_if(&rest, "mark")) return take_words(reader, NULL, rest);
    if (take_if(&rest, "restart")) return take_restart(reader, rest);
    if (take_if(&rest, "failing")) {
        struct story_step *step = add_step(reader, STORY_FAILING);
        return take_number(reader, &rest, &step->number) && at_end(reader, rest);
    }
    if (take_if(&rest, "now")) return take_now(reader, rest);
    *taken = false;
    return true;
}

/* ---- heads ---- */

static bool begin_story(struct reader *reader, const char *name)
{
    struct stories *stories = reader->stories;
    if (*name == '\0') return fault(reader, "a story without a name");
    for (size_t i = reader->first; i < stories->count; i++)
        if (strcmp(stories->list[i].name, name) == 0)
            return fault(reader, "this story was told in line %d", stories->list[i].line);
    stories->list = memory_grow(stories->list, &stories->capacity, stories->count + 1,
                                sizeof *stories->list);
    stories->list[stories->count++] = (struct story){.name = keep(reader, name, strlen(name)),
                                                     .file = reader->file,
                                                     .line = reader->line,
                                                     .options = reader->options};
    return true;
}

static bool take_option(struct reader *reader, const char *line)
{
    struct story *story = story_of(reader);
    struct story_options *options = story == NULL ? &reader->options : &story->options;
    const char *rest = line;
    int32_t outputs = 0;
    if (take_if(&rest, "begins"))
        return take_time(reader, &rest, &options->begins) && at_end(reader, rest);
    if (take_if(&rest, "transactions of")) {
        bool taken = take_number(reader, &rest, &outputs) && at_end(reader, rest);
        options->outputs = (size_t)outputs;
        return taken;
    }
    if (take_if(&rest, "not restarted:") && *rest != '\0')
        options->not_restarted = keep(reader, rest, strlen(rest));
    else if (take_if(&rest, "not cut:") && *rest != '\0')
        options->not_cut = keep(reader, rest, strlen(rest));
    else if (strcmp(line, "allows topics") == 0) options->allows_topics = true;
    else if (strcmp(line, "follows runs") == 0) options->follows_runs = true;
    else if (strcmp(line, "tells ids") == 0) options->tells_ids = true;
    else return fault(reader, "not understood: '%s'", line);
    return true;
}

static bool end_story(struct reader *reader)
{
    if (!end_step(reader)) return false;
    const struct story *story = story_of(reader);
    if (story == NULL || story->step_count > 0) return true;
    reader->line = story->line;
    return fault(reader, "nothing happens in this story");
}

static bool take_line(struct reader *reader, const char *line)
{
    bool is_step = false;
    const char *rest = line;
    if (*line == '#' || *skip_space(line) == '\0') return true;
    if (strchr(line, '\t') != NULL) return fault(reader, "a tab");
    if (*line == ' ') return take_more(reader, line);
    if (take_if(&rest, "story:")) return end_story(reader) && begin_story(reader, rest);
    if (!end_step(reader)) return false;
    if (story_of(reader) != NULL) {
        if (!take_step(reader, line, &is_step)) return false;
        if (is_step) return true;
        if (step_of(reader) != NULL) return fault(reader, "not understood: '%s'", line);
    }
    return take_option(reader, line);
}

/* ---- files ---- */

void stories_open(struct stories *stories)
{
    *stories = (struct stories){.arena = arena_create()};
}

void stories_close(struct stories *stories)
{
    for (size_t i = 0; i < stories->count; i++) free(stories->list[i].steps);
    free(stories->list);
    arena_destroy(stories->arena);
}

bool stories_read_text(struct stories *stories, const char *file, const char *text,
                       struct error *error)
{
    struct reader reader = {.stories = stories, .file = file, .first = stories->count,
                            .options = {.begins = BEGINS}, .error = error};
    bool good = true;
    text_writer_init(&reader.lines);
    while (good && *text != '\0') {
        size_t length = strcspn(text, "\n");
        reader.line++;
        good = take_line(&reader, keep(&reader, text, length));
        text += length + (text[length] == '\n');
    }
    if (good) good = end_story(&reader);
    if (good && stories->count == reader.first) good = fault(&reader, "no story");
    while (!good && stories->count > reader.first) free(stories->list[--stories->count].steps);
    text_writer_free(&reader.lines);
    return good;
}

bool stories_read(struct stories *stories, const char *file, struct error *error)
{
    char block[4096];
    size_t length = 0;
    struct text_writer text;
    FILE *stream = fopen(file, "re");
    if (stream == NULL) return error_set(error, ERROR_INVALID, "%s: cannot be opened", file);
    text_writer_init(&text);
    while ((length = fread(block, 1, sizeof block, stream)) > 0)
        text_writer_bytes(&text, block, length);
    (void)fclose(stream);
    bool good = stories_read_text(stories, file, text_writer_terminated(&text), error);
    text_writer_free(&text);
    return good;
}
