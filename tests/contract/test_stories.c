/* The stories of schemas/examples/stories: commands to an empty shard, one after the other, each
 * with the outcome that is to be expected. Run from the root of the source tree. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/support/shard_rig.h"

#define STORIES "schemas/examples/stories"

static const char *text_member(const json_t *step, const char *name)
{
    const char *text = json_string_value(json_object_get(step, name));
    return text == NULL ? "" : text;
}

/* The line that begins with "result". */
static const char *result_line(const char *said)
{
    const char *line = strncmp(said, "result", 6) == 0 ? said : strstr(said, "\nresult");
    if (line == NULL) fail_msg("no result in: %s", said);
    return line[0] == '\n' ? line + 1 : line;
}

static void check_step(struct shard_rig *rig, const char *name, const json_t *step)
{
    const json_t *command = json_object_get(step, "command");
    const char *at = text_member(step, "at");
    const char *code = text_member(step, "code");
    char *json = json_dumps(command, JSON_COMPACT);
    assert_non_null(json);
    rig_command(rig, at, NULL, json);
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "result %s %s%s%s matched=%" JSON_INTEGER_FORMAT
                   " changed=%" JSON_INTEGER_FORMAT "\n", text_member(command, "op"),
                   text_member(step, "outcome"), code[0] == '\0' ? "" : " ", code,
                   json_integer_value(json_object_get(step, "matched")),
                   json_integer_value(json_object_get(step, "changed")));
    const char *said = result_line(rig_said(rig));
    if (strcmp(said, expected) != 0)
        fail_msg("%s: %s\n%s\nexpected:\n%s", name, json, said, expected);
    free(json);
}

static size_t check_story(const char *name, bool restarts)
{
    char path[512];
    json_error_t fault;
    (void)snprintf(path, sizeof path, STORIES "/%s", name);
    json_t *story = json_load_file(path, 0, &fault);
    if (!json_is_array(story)) fail_msg("%s: %s", path, fault.text);
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig.restart_always = restarts;
    rig.batch_max = restarts ? 1 : 0;
    size_t count = json_array_size(story);
    for (size_t i = 0; i < count; i++) check_step(&rig, name, json_array_get(story, i));
    rig_close(&rig);
    json_decref(story);
    return count;
}

static void check_stories(bool restarts)
{
    DIR *directory = opendir(STORIES);
    if (directory == NULL) fail_msg("cannot open %s; run from the root of the tree", STORIES);
    size_t count = 0;
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.') count += check_story(entry->d_name, restarts);
    (void)closedir(directory);
    assert_true(count >= 100);
}

static void test_stories(void **state)
{
    (void)state;
    check_stories(false);
}

static void test_stories_restarted(void **state)
{
    (void)state;
    check_stories(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stories),
                                       cmocka_unit_test(test_stories_restarted)};
    return cmocka_run_group_tests_name("stories", tests, NULL, NULL);
}
