#include "cli/write/job_file.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/job_text.h"
#include "cli/show/print_text.h"
#include "lib/base/memory.h"

const char *job_file_path(const struct arguments *arguments, const char *command,
                          struct error *error)
{
    const char *flag = arguments_value(arguments, "file");
    size_t words = arguments->positional_count;
    if (flag != NULL && words == 0) return flag;
    if (flag == NULL && words == 1) return arguments->positionals[0];
    (void)error_invalid(error, CODE_USAGE, "%s belfry %s FILE, or - for stdin",
                        words == 0 ? "which file?" : "one file at a time:", command);
    return NULL;
}

void job_file_free(struct job_file *file)
{
    for (size_t i = 0; file->names != NULL && i < file->request.job_count; i++)
        free(file->names[i]);
    free(file->names);
    write_request_free(&file->request);
    file->names = NULL;
}

static void say_fault(const char *path, size_t number, const char *name,
                      const struct error *fault)
{
    assert(fault->kind != ERROR_NONE);
    (void)fputs("belfry: ", stderr);
    print_safe(stderr, path, strlen(path));
    (void)fprintf(stderr, ": job %zu", number);
    if (name != NULL) {
        (void)fputs(" (", stderr);
        print_safe(stderr, name, strlen(name));
        (void)fputc(')', stderr);
    }
    (void)fputs(": ", stderr);
    print_safe(stderr, fault->message, strlen(fault->message));
    if (fault->field[0] != '\0') {
        (void)fputs(" (at ", stderr);
        print_safe(stderr, fault->field, strlen(fault->field));
        (void)fputc(')', stderr);
    }
    (void)fputc('\n', stderr);
}

/* Reads one job strictly; the caller owns *name, which may be NULL on false. */
static bool check_job(const struct write_job *job, struct arena *arena, char **name,
                      struct error *fault)
{
    struct definition definition;
    json_t *value = json_loadb(job->json.bytes, job->json.length, JSON_REJECT_DUPLICATES, NULL);
    arena_reset(arena);
    bool read = job_text_read(value, job->json, arena, &definition, fault);
    *name = NULL;
    if (definition.group.length > 0 && definition.id.length > 0) {
        struct text_writer text = {0};
        text_writer_bytes(&text, definition.group.bytes, definition.group.length);
        text_writer_words(&text, "/");
        text_writer_bytes(&text, definition.id.bytes, definition.id.length);
        *name = text_writer_terminated(&text);
    }
    json_decref(value);
    assert(*name != NULL || !read);
    return read;
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;
    return strcmp(*a, *b);
}

/* NULL when every name is there once. Names may be missing. */
static const char *name_twice(char *const *names, size_t count)
{
    const char **sorted = memory_allocate(count, sizeof *sorted);
    size_t known = 0;
    const char *twice = NULL;
    for (size_t i = 0; i < count; i++)
        if (names[i] != NULL) sorted[known++] = names[i];
    if (known > 1) qsort(sorted, known, sizeof *sorted, compare_names);
    for (size_t i = 1; i < known && twice == NULL; i++)
        if (strcmp(sorted[i], sorted[i - 1]) == 0) twice = sorted[i];
    free(sorted);
    return twice;
}

static bool check_jobs(struct job_file *file, const char *path, struct error *error)
{
    assert(file->names == NULL);
    size_t count = file->request.job_count;
    size_t faults = 0;
    struct arena *arena = arena_create();
    file->names = memory_allocate(count, sizeof *file->names);
    for (size_t i = 0; i < count; i++) {
        struct error fault = {0};
        if (check_job(&file->request.jobs[i], arena, &file->names[i], &fault)) continue;
        if (faults++ < FAULTS_SHOWN) say_fault(path, i + 1, file->names[i], &fault);
    }
    arena_destroy(arena);
    if (faults > 0)
        return error_invalid(error, CODE_BAD_VALUE,
                             "%s: %zu of %zu jobs have faults; mend them and try again. Nothing "
                             "was sent",
                             path, faults, count);
    const char *twice = name_twice(file->names, count);
    if (twice == NULL) return true;
    return error_invalid(error, CODE_BAD_VALUE, "%s: %.120s is in it twice; nothing was sent", path,
                         twice);
}

bool job_file_read(struct job_file *file, const char *path, struct error *error)
{
    *file = (struct job_file){.request = {.op = OP_PUT, .expect = -1}};
    const char *shown = strcmp(path, "-") == 0 ? "stdin" : path;
    if (!write_file_read(&file->request, path, error)) return false;
    const struct write_request *request = &file->request;
    if (request->select_count > 0 || request->command_id != NULL || request->members.length > 0 ||
        request->expect >= 0 || request->dry_run)
        return error_invalid(error, CODE_BAD_VALUE,
                             "%s: a command, not jobs; belfry put -f sends it", shown);
    return check_jobs(file, shown, error);
}
