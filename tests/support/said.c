#include "tests/support/said.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "schemas/arena.h"
#include "tests/support/rows.h"

struct step {
    int line;
    const struct said_verb *verb;
    struct text_writer text;
    struct text_writer expected;
};

struct said_case {
    const char *name; /* first: run_rows() */
    const char *file;
    int line;
    const char *fault; /* it cannot be played; NULL: it can */
    const struct said_table *table;
    struct step *steps;
    size_t step_count;
    size_t step_capacity;
};

struct cases {
    struct arena *arena;
    const struct said_table *table;
    struct said_case *list;
    size_t count;
    size_t capacity;
};

/* ---- reading ---- */

static const char *keep(struct cases *cases, const char *text)
{
    return arena_copy(cases->arena, (struct text){text, strlen(text) + 1}).bytes;
}

static struct said_case *add_case(struct cases *cases, const char *file, int line, const char *name)
{
    cases->list =
        memory_grow(cases->list, &cases->capacity, cases->count + 1, sizeof *cases->list);
    struct said_case *added = &cases->list[cases->count++];
    *added = (struct said_case){
        .name = keep(cases, name), .file = file, .line = line, .table = cases->table};
    return added;
}

static const struct said_verb *find_verb(const struct said_table *table, const char *line,
                                         size_t length)
{
    for (size_t i = 0; i < table->count; i++)
        if (text_equal(text_of(table->verbs[i].word), (struct text){line, length}))
            return &table->verbs[i];
    return NULL;
}

/* A step in the first column: its verb, and the first line of its text. */
static bool take_step(struct said_case *into, int number, const char *line)
{
    size_t length = strcspn(line, " ");
    const struct said_verb *verb = find_verb(into->table, line, length);
    if (verb == NULL) return false;
    into->steps = memory_grow(into->steps, &into->step_capacity, into->step_count + 1,
                              sizeof *into->steps);
    struct step *step = &into->steps[into->step_count++];
    *step = (struct step){.line = number, .verb = verb};
    text_writer_words(&step->text, line[length] == ' ' ? line + length + 1 : "");
    return true;
}

/* An indented line: one that is said, or one more of the text, which then ends each line. */
static bool take_more(struct said_case *into, const char *line)
{
    if (into->step_count == 0) return false;
    struct step *step = &into->steps[into->step_count - 1];
    if (strncmp(line, "  > ", 4) == 0) {
        text_writer_words(&step->expected, line + 4);
        text_writer_char(&step->expected, '\n');
        return true;
    }
    if (strncmp(line, "  ", 2) != 0 || step->expected.length > 0) return false;
    if (memchr(text_writer_terminated(&step->text), '\n', step->text.length) == NULL)
        text_writer_char(&step->text, '\n');
    text_writer_words(&step->text, line + 2);
    text_writer_char(&step->text, '\n');
    return true;
}

static void read_file(struct cases *cases, const char *file, FILE *stream)
{
    struct said_case *into = NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    for (int number = 1; (length = getline(&line, &room, stream)) >= 0; number++) {
        if (length > 0 && line[length - 1] == '\n') line[length - 1] = '\0';
        if (line[0] == '\0' || line[0] == '#') continue;
        bool begins = strncmp(line, "case: ", 6) == 0;
        if (begins) into = add_case(cases, file, number, line + 6);
        else if (into == NULL) into = add_case(cases, file, number, "a file without a case");
        bool taken = begins || (line[0] == ' ' ? take_more(into, line)
                                               : take_step(into, number, line));
        if (taken || into->fault != NULL) continue;
        into->fault = keep(cases, line);
        into->line = number;
    }
    free(line);
}

static void read_files(struct cases *cases, const glob_t *found)
{
    for (size_t i = 0; i < found->gl_pathc; i++) {
        FILE *stream = fopen(found->gl_pathv[i], "re");
        if (stream == NULL) {
            add_case(cases, found->gl_pathv[i], 0, "a file")->fault = "it cannot be opened";
            continue;
        }
        read_file(cases, found->gl_pathv[i], stream);
        (void)fclose(stream);
    }
}

/* ---- playing ---- */

static void play_case(const struct said_case *row, struct text_writer *fault)
{
    void *context = memory_allocate(1, row->table->context_bytes);
    for (size_t i = 0; i < row->step_count && fault->length == 0; i++) {
        struct step *step = &row->steps[i];
        struct text_writer said = {0};
        step->verb->play(context, text_writer_terminated(&step->text), &said);
        if (!text_equal(text_writer_text(&said), text_writer_text(&step->expected)))
            text_writer_format(fault, "%s:%d: %s\nexpected\n%ssaid\n%s", row->file, step->line,
                               row->name, text_writer_terminated(&step->expected),
                               text_writer_terminated(&said));
        text_writer_free(&said);
    }
    if (row->table->end != NULL) row->table->end(context);
    free(context);
}

static void check_case(void **state)
{
    const struct said_case *row = *state;
    struct text_writer fault = {0};
    if (row->fault != NULL)
        text_writer_format(&fault, "%s:%d: not understood: '%s'\n", row->file, row->line,
                           row->fault);
    else if (row->step_count == 0)
        text_writer_format(&fault, "%s:%d: nothing is asked for\n", row->file, row->line);
    else
        play_case(row, &fault);
    bool good = fault.length == 0;
    if (!good) print_error("%s", text_writer_terminated(&fault));
    text_writer_free(&fault);
    if (!good) fail();
}

static void free_cases(struct cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        for (size_t j = 0; j < cases->list[i].step_count; j++) {
            text_writer_free(&cases->list[i].steps[j].text);
            text_writer_free(&cases->list[i].steps[j].expected);
        }
        free(cases->list[i].steps);
    }
    free(cases->list);
    arena_destroy(cases->arena);
}

int said_run(const char *group, const char *pattern, const struct said_table *table)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) {
        print_error("no %s: run from the root of the tree\n", pattern);
        return 1;
    }
    struct cases cases = {.arena = arena_create(), .table = table};
    read_files(&cases, &found);
    const struct row_table rows = {cases.list, cases.count, sizeof *cases.list, check_case};
    int failed = run_rows(group, &rows, 1, NULL, 0);
    free_cases(&cases);
    globfree(&found);
    return failed;
}
