/* belfry doctor: is everything there that Belfry needs, and what to do where it is not. */
#include <stdlib.h>

#include "cli/operate/checkup.h"
#include "cli/words/cli.h"

/* What a check needs of those before it; where that is missing it is left out, since what is wrong
 * has been said. */
enum need {
    NEED_KAFKA = 1 << 0,
    NEED_TOPICS = 1 << 1,
    NEED_REDIS = 1 << 2,   /* of this cluster, with the reports of the shards */
    NEED_ANSWERS = 1 << 3, /* of shards, to a ping */
    NO_STAND_IN = 1 << 4   /* not belfryd --embedded */
};

/* In their order; several of one name say several things of it. */
static const struct check_row {
    const char *name;
    int needs;
    check_function *look;
} check_rows[] = {
    {"kafka", 0, check_kafka},
    {"brokers", NEED_KAFKA | NO_STAND_IN, check_brokers},
    {"topics", NEED_KAFKA, check_topics},
    {"kafka rights", NEED_KAFKA | NEED_TOPICS | NO_STAND_IN, check_kafka_rights},
    {"dead letters", NEED_KAFKA | NEED_TOPICS, check_dead_letters},
    {"redis", 0, check_redis},
    {"redis rights", NEED_REDIS, check_redis_rights},
    {"certificates", 0, check_certificates},
    {"shards", NEED_TOPICS, check_answers},
    {"shards", NEED_REDIS, check_movement},
    {"clock", 0, check_clocks},
    {"checkpoint", NEED_REDIS | NEED_ANSWERS, check_checkpoint},
    {"jobs", NEED_REDIS, check_jobs_failing},
    {"time zones", NEED_REDIS, check_jobs_zoneless},
    {"tzdata", NEED_REDIS, check_tzdata},
    {"versions", 0, check_versions},
};

static int had(const struct checkup *checkup)
{
    return (checkup->metadata != NULL ? NEED_KAFKA : 0) | (checkup->shards > 0 ? NEED_TOPICS : 0) |
           (checkup->reports != NULL ? NEED_REDIS : 0) |
           (json_array_size(checkup->answers) > 0 ? NEED_ANSWERS : 0) |
           (checkup->embedded ? 0 : NO_STAND_IN);
}

static void checkup_close(struct checkup *checkup)
{
    if (checkup->metadata != NULL) rd_kafka_metadata_destroy(checkup->metadata);
    cli_kafka_destroy(checkup->client);
    if (checkup->store != NULL) checkup->store->operations->destroy(checkup->store);
    free(checkup->reports);
    json_decref(checkup->answers);
    json_decref(checkup->findings);
}

enum exit_code command_doctor(const struct invocation *invocation)
{
    struct error error = {0};
    struct checkup checkup = {.settings = invocation->settings};
    if (invocation->arguments->positional_count > 0) {
        (void)error_invalid(&error, CODE_USAGE, "doctor takes no names");
        return exit_with(&error);
    }
    checkup.findings = json_array();
    for (size_t i = 0; i < sizeof check_rows / sizeof check_rows[0]; i++) {
        const struct check_row *row = &check_rows[i];
        if ((row->needs & ~had(&checkup)) != 0) continue;
        checkup.check = row->name;
        row->look(&checkup);
    }
    checkup_print(&checkup);
    bool well = checkup.counts[BAD] == 0;
    checkup_close(&checkup);
    return well ? CLI_OK : CLI_FAILED;
}
