/* Plays the stories of tests/stories, or of the files given. Each is a test of its own; a file that
 * cannot be read is one that fails. Run from the root of the source tree. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/memory.h"
#include "tests/support/story_play.h"

#define STORIES "tests/stories/*.story"

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

/* A test for each story, one that fails for each file that cannot be read. */
static int play_files(char **paths, size_t count)
{
    struct stories stories;
    struct error *errors = memory_allocate(count, sizeof *errors);
    size_t bad = 0;
    stories_open(&stories);
    for (size_t i = 0; i < count; i++)
        if (!stories_read(&stories, paths[i], &errors[bad])) bad++;
    struct CMUnitTest *tests = memory_allocate(bad + stories.count, sizeof *tests);
    for (size_t i = 0; i < bad; i++)
        tests[i] = (struct CMUnitTest){.name = "a file of stories",
                                       .test_func = cannot_be_read,
                                       .initial_state = errors[i].message};
    for (size_t i = 0; i < stories.count; i++)
        tests[bad + i] = (struct CMUnitTest){.name = stories.list[i].name,
                                             .test_func = play,
                                             .initial_state = &stories.list[i]};
    int failed = _cmocka_run_group_tests("stories of the shard", tests, bad + stories.count, NULL,
                                         NULL);
    stories_close(&stories);
    free(errors);
    free(tests);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc > 1) return play_files(argv + 1, (size_t)argc - 1);
    glob_t found;
    if (glob(STORIES, 0, NULL, &found) != 0) {
        print_error("no " STORIES ": run from the root of the tree\n");
        return 1;
    }
    int failed = play_files(found.gl_pathv, found.gl_pathc);
    globfree(&found);
    return failed;
}
