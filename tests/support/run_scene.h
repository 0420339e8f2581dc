/* run_scene.h - a job each minute whose runs are opened by its fires and ended by reports, done
 * once as it is and once with a restart from the records after each commit: what is said is the
 * same. */
#ifndef BELFRY_TESTS_RUN_SCENE_H
#define BELFRY_TESTS_RUN_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/support/shard_rig.h"

#define DAY "2026-01-01T"
#define LEASE "\"lease\":\"5m\",\"workers\":\"w\""
#define SELECT "\"select\":{\"groups\":[\"g\"],\"ids\":[\"j\"]}"
#define PAUSE "{\"op\":\"pause\"," SELECT "}"
#define RESUME "{\"op\":\"resume\"," SELECT "}"
#define DELETE "{\"op\":\"delete\"," SELECT "}"
#define TRIGGER "{\"op\":\"trigger\"," SELECT "}"
#define BACKFILL_OF(id)                                                                            \
    "{\"op\":\"backfill\"," SELECT ",\"backfill_id\":\"" id                                        \
    "\",\"from\":\"2026-01-01T00:00:30Z\"}"
#define BACKFILL BACKFILL_OF("b")
#define APPLIED(op) "result " op " applied matched=1 changed=1\n"
#define SET(members) "{\"op\":\"update\"," SELECT ",\"set\":{" members "}}"
#define SKIPPED(first, last, rest)                                                                 \
    "event skipped g/j first=01-01T" first " last=01-01T" last " count=" rest "\n"

struct scene {
    struct shard_rig rig;
    int64_t minute; /* up to where the shard has been */
};

struct scene_row {
    const char *name;
    const char *options; /* of the job */
    void (*play)(struct scene *scene);
};
#define POLICY(word) "\"overlap\":\"" word "\""
#define SCENE(options, play) {#play, options, play}

/* The test of a row: for row tables. In the second one fires say which try they are. */
void scene_check_row(void **state);
void scene_check_tries(void **state);

/* The instant of the day at that time; valid until the next call. */
const char *scene_at(const char *time);
/* Each minute in its time. */
void scene_live(struct scene *scene, int64_t until_minute);
/* What has been said since the last time. */
void scene_said(struct scene *scene, const char *expected);
void scene_tell(struct scene *scene, const char *time, const char *json);
void scene_end_run(struct scene *scene, int64_t number, const char *time);
const char *scene_record(const struct scene *scene);

#endif
