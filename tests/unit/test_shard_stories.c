/* Plays the stories of tests/stories, or of the files given. Each is a test of its own; a file that
 * cannot be read is one that fails. Run from the root of the source tree. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/memory.h"
#include "tests/support/story_play.h"

#define FOLDER "tests/stories/"
#define SUFFIX ".story"
enum { FILES_MAX = 64 };

static void play(void **state)
{
    struct text_writer fault;
    text_writer_init(&fault);
    bool good = story_play(*state, &fault) > 0;
    if (!good) print_error("%s", text_writer_terminated(&fault));
    text_writer_free(&fault);
    if (!good) fail();
}

static void cannot_be_read(void **state)
{
    const char *why = *state;
    fail_msg("%s", why);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static size_t list_files(char **paths)
{
    size_t count = 0;
    DIR *directory = opendir(FOLDER);
    if (directory == NULL) return 0;
    for (const struct dirent *entry = NULL; (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length <= strlen(SUFFIX) ||
            strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) != 0 || count == FILES_MAX)
            continue;
        char path[sizeof FOLDER + sizeof entry->d_name];
        int bytes = snprintf(path, sizeof path, FOLDER "%s", entry->d_name);
        paths[count++] = memory_copy_text(path, (size_t)bytes);
    }
    (void)closedir(directory);
    qsort(paths, count, sizeof *paths, by_name);
    return count;
}

int main(int argc, char **argv)
{
    char *paths[FILES_MAX];
    struct error errors[FILES_MAX] = {0};
    struct stories stories;
    size_t bad = 0;
    size_t count = 0;
    size_t files = argc > 1 ? 0 : list_files(paths);
    for (; (int)files + 1 < argc && files < FILES_MAX; files++)
        paths[files] = memory_copy_text(argv[files + 1], strlen(argv[files + 1]));
    stories_open(&stories);
    for (size_t i = 0; i < files; i++)
        if (!stories_read(&stories, paths[i], &errors[bad])) bad++;
    if (files == 0)
        (void)error_set(&errors[bad++], ERROR_INVALID, "no " SUFFIX " in " FOLDER ": run from the "
                        "root of the source tree");
    struct CMUnitTest *tests = memory_allocate(bad + stories.count, sizeof *tests);
    for (; count < bad; count++)
        tests[count] = (struct CMUnitTest){.name = "a file of stories",
                                           .test_func = cannot_be_read,
                                           .initial_state = errors[count].message};
    for (size_t i = 0; i < stories.count; i++)
        tests[count++] = (struct CMUnitTest){.name = stories.list[i].name,
                                             .test_func = play,
                                             .initial_state = &stories.list[i]};
    int failed = _cmocka_run_group_tests("stories of the shard", tests, count, NULL, NULL);
    stories_close(&stories);
    for (size_t i = 0; i < files; i++) free(paths[i]);
    free(tests);
    return failed;
}
