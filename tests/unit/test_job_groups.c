/* Each group has a number as long as it has jobs and there are numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dispatcher/jobs/job.h"
#include "dispatcher/jobs/job_groups.h"
#include "lib/base/memory.h"
#include "lib/model/definition.h"

enum { MANY = GROUP_NUMBERS_MAX + 2 };

static struct job *job_of(int group, uint32_t slot)
{
    struct definition definition;
    char name[24];
    (void)snprintf(name, sizeof name, "group-%d", group);
    definition_defaults(&definition);
    definition.group = text_of(name);
    definition.id = text_of("job");
    static struct schedule schedule; /* nobody asks for it */
    struct job *job = job_create(&definition, &schedule);
    job->slot = slot;
    return job;
}

static void there_are_as_many_numbers_as_there_may_be(void **state)
{
    static const uint8_t key[HASH_KEY_BYTES] = "numbers";
    struct job_groups *groups = job_groups_create(key);
    struct job **jobs = memory_allocate(MANY, sizeof *jobs);
    bool *taken = memory_allocate(GROUP_NUMBERS_MAX + 1, sizeof *taken);
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        jobs[i] = job_of((int)i, i);
        job_groups_add(groups, jobs, jobs[i]);
        uint16_t number = jobs[i]->group_number;
        if (i < GROUP_NUMBERS_MAX) assert_true(number != 0 && !taken[number]);
        else assert_int_equal(number, 0);
        taken[number] = true;
    }
    /* One that had none goes, and gives none back; one that had one is followed by another. */
    job_groups_remove(groups, jobs, jobs[MANY - 1]);
    job_groups_add(groups, jobs, jobs[MANY - 1]);
    assert_int_equal(jobs[MANY - 1]->group_number, 0);
    uint16_t free_number = jobs[7]->group_number;
    job_groups_remove(groups, jobs, jobs[7]);
    job_groups_remove(groups, jobs, jobs[MANY - 1]);
    job_groups_add(groups, jobs, jobs[MANY - 1]);
    assert_int_equal(jobs[MANY - 1]->group_number, free_number);
    for (uint32_t i = 0; i < MANY; i++) job_destroy(jobs[i]);
    job_groups_destroy(groups);
    free(jobs);
    free(taken);
}

static void jobs_of_a_group_share_its_number(void **state)
{
    static const uint8_t key[HASH_KEY_BYTES] = "numbers";
    struct job_groups *groups = job_groups_create(key);
    struct job *jobs[3] = {job_of(1, 0), job_of(1, 1), job_of(2, 2)};
    (void)state;
    for (int i = 0; i < 3; i++) job_groups_add(groups, jobs, jobs[i]);
    assert_int_equal(jobs[0]->group_number, jobs[1]->group_number);
    assert_int_not_equal(jobs[0]->group_number, jobs[2]->group_number);
    job_groups_remove(groups, jobs, jobs[0]); /* the group is still there */
    job_groups_add(groups, jobs, jobs[0]);
    assert_int_equal(jobs[0]->group_number, jobs[1]->group_number);
    for (int i = 0; i < 3; i++) job_destroy(jobs[i]);
    job_groups_destroy(groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_as_many_numbers_as_there_may_be),
        cmocka_unit_test(jobs_of_a_group_share_its_number)};
    return cmocka_run_group_tests_name("groups of jobs", tests, NULL, NULL);
}
