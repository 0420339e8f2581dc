/* The jobs and commands of a seed, as JSON that clients would send. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/time/instant.h"
#include "tests/simulation/plan/clock_words.h"
#include "tests/simulation/plan/plan.h"
#include "tests/simulation/plan/put.h"
#include "tests/simulation/world/slots.h"
#include "tests/simulation/world/zones.h"

enum { GROUPS = 6, IDS = 40, COMMAND_JOBS = 25, REMEMBERED_IDS = 12 };

/* ---- schedules ---- */

static void put_hourly(struct text_out *out, struct random *dice)
{
    int minute = (int)roll(dice, 60);
    switch (roll(dice, 5)) {
    case 0: put(out, "{\"every\":\"1h\"}"); return;
    case 1: put(out, "{\"every\":\"%dm\"}", 50 + (int)roll(dice, 21)); return;
    default: put(out, "{\"cron\":\"%d * * * *\"}", minute); return;
    }
}

static void put_sparse(struct text_out *out, struct random *dice)
{
    int minute = (int)roll(dice, 60);
    int hour = (int)roll(dice, 24);
    switch (roll(dice, 6)) {
    case 0: put(out, "{\"cron\":\"%d %d * * *\"}", minute, hour); return;
    case 1: put(out, "{\"cron\":\"%d %d * * 1-5\"}", minute, hour); return;
    case 2: put(out, "{\"cron\":\"%d %d 1,15 * *\"}", minute, hour); return;
    case 3: put(out, "{\"cron\":\"%d %d 13 * 5\"}", minute, hour); return;
    case 4: put(out, "{\"cron\":\"0 0 29 2 *\"}"); return;
    default: put(out, "{\"every\":\"%dd\"}", 1 + (int)roll(dice, 9)); return;
    }
}

static void put_other(struct text_out *out, struct random *dice, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    switch (roll(dice, 8)) {
    case 0: put(out, "{\"cron\":\"*/%d * * * *\"}", 5 + (int)roll(dice, 20)); return;
    case 1: put(out, "{\"cron\":\"0 */2 * * *\"}"); return;
    case 2: put(out, "{\"cron\":\"0 * * * *\"}"); return;
    case 3: put(out, "{\"cron\":\"%d 8-17 * * *\"}", (int)roll(dice, 60)); return;
    case 4: put(out, "{\"every\":\"%ds\"}", 300 + (int)roll(dice, 900)); return;
    case 5: put(out, "{\"every\":\"2h\",\"anchor\":\"epoch\"}"); return;
    default:
        instant_format(at_ms + (roll(dice, 400) - 40) * 60000 + roll(dice, 60000), text);
        put(out, "{\"at\":\"%s\"}", text);
        return;
    }
}

static void put_zoned(struct text_out *out, struct random *dice, const struct plan *plan,
                      int64_t at_ms)
{
    struct clock_words words;
    int64_t end_ms = plan->settings.start_ms + plan->settings.hours * 3600000;
    clock_words_choose(dice, plan->zones, at_ms, end_ms - at_ms, plan->settings.hours > 1000,
                       &words);
    if (words.prefix) put(out, "{\"cron\":\"CRON_TZ=%s %s\"", words.zone, words.cron);
    else put(out, "{\"cron\":\"%s\",\"zone\":\"%s\"", words.cron, words.zone);
    if (words.dst[0] != '\0') put(out, ",\"dst\":\"%s\"", words.dst);
    put(out, "}");
}

static void put_schedule(struct text_out *out, struct random *dice, const struct plan *plan,
                         int64_t at_ms)
{
    if (random_chance(dice, 1, plan->settings.hours > 1000 ? 2 : 4)) {
        put_zoned(out, dice, plan, at_ms);
        return;
    }
    if (plan->settings.hours > 1000) put_sparse(out, dice);
    else if (random_chance(dice, 2, 3)) put_hourly(out, dice);
    else if (random_chance(dice, 1, 4)) put_sparse(out, dice);
    else put_other(out, dice, at_ms);
}

/* ---- jobs ---- */

static const char *const catchups[] = {
    "", "", "", ",\"catchup\":{\"policy\":\"none\"}", ",\"catchup\":{\"policy\":\"all\"}",
    ",\"catchup\":{\"policy\":\"all\",\"window\":\"2h\",\"limit\":3}",
    ",\"catchup\":{\"policy\":\"latest\",\"window\":\"1h\"}",
    ",\"catchup\":{\"policy\":\"all\",\"misfire_grace\":\"0s\"}",
    ",\"catchup\":{\"policy\":\"all\",\"window\":\"1m\",\"misfire_grace\":\"20m\"}",
    ",\"catchup\":{\"window\":\"5m\",\"misfire_grace\":\"1h\"}"};
static const char *const keeps[] = {"", "", ",\"keep_finished\":\"0s\"",
                                    ",\"keep_finished\":\"10m\"",
                                    ",\"keep_finished\":\"forever\""};
static const char *const jitters[] = {"\"30s\"", "\"10m\"", "\"20m\"", "\"59m\"", "\"2h\"",
                                      "\"1d\"", "null"};

void put_options(struct text_out *out, struct random *dice, const struct plan *plan, int64_t at_ms)
{
    int64_t span_ms = plan->settings.hours * 3600000;
    put(out, "%s%s", PICK(dice, catchups), PICK(dice, keeps));
    if (random_chance(dice, 1, 10)) put(out, ",\"max_fires\":%d", 1 + (int)roll(dice, 9));
    if (random_chance(dice, 1, 5)) put(out, ",\"jitter\":%s", PICK(dice, jitters));
    if (random_chance(dice, 1, 12)) put_instant(out, "start", at_ms + roll(dice, span_ms / 2));
    if (random_chance(dice, 1, 12))
        put_instant(out, "end", at_ms + span_ms / 4 + roll(dice, span_ms));
    if (random_chance(dice, 1, 12))
        put(out, ",\"topic\":\"%s\"", foreign_topic_name((int32_t)roll(dice, FOREIGN_TOPICS)));
    if (random_chance(dice, 1, 6)) put(out, ",\"super_group\":\"s%d\"", (int)roll(dice, 3));
    if (random_chance(dice, 1, 16)) put(out, ",\"paused\":true");
    if (random_chance(dice, 1, 3)) put(out, ",\"payload\":{\"n\":%d}", (int)roll(dice, 1000));
}

/* Some names have an incarnation of their own, which an add may bring: deleted and imported again
 * they go on with it. No dice: what else a seed has does not depend on it. */
static void put_incarnation(struct text_out *out, const struct plan *plan, int64_t at_ms,
                            int64_t group, int64_t id)
{
    if (id % 5 != 3 || at_ms / 1000 % 4 == 0) return;
    put(out, "\"incarnation\":\"%" PRId64 "-0.%d.0\",", plan->settings.start_ms - 86400000,
        1000000 + (int)(group * 100 + id));
}

/* Some of the first jobs are in a zone that a process may lack later. */
static void put_job(struct text_out *out, struct random *dice, const struct plan *plan,
                    int64_t at_ms, int64_t group, int64_t id, bool first)
{
    put(out, "{\"group\":\"g%d\",\"id\":\"%d\",", (int)group, (int)id);
    put_incarnation(out, plan, at_ms, group, id);
    put(out, "\"schedule\":");
    if (first && id % 6 == 1)
        put(out, "{\"cron\":\"%d */%d * * *\",\"zone\":\"%s\"}", (int)(id * 7 + group) % 60,
            plan->settings.hours > 1000 ? 12 : 1 + (int)id % 3, zones_name(ZONE_LEAVING));
    else put_schedule(out, dice, plan, at_ms);
    put_options(out, dice, plan, at_ms);
    put(out, "}");
}

/* ---- commands ---- */

void put_head(struct text_out *out, struct random *dice, const char *op, int64_t at_ms)
{
    put(out, "{\"op\":\"%s\"", op);
    if (random_chance(dice, 1, 3))
        put(out, ",\"command_id\":\"id-%d\"", (int)roll(dice, random_chance(dice, 1, 2)
                                                                  ? REMEMBERED_IDS : 100000));
    if (random_chance(dice, 1, 16)) put_instant(out, "not_after", at_ms + roll(dice, 300000));
    if (random_chance(dice, 1, 6)) put(out, ",\"mode\":\"each\"");
    if (random_chance(dice, 1, 12)) put(out, ",\"dry_run\":true");
    if (random_chance(dice, 1, 24))
        put(out, ",\"reply_to\":\"%s\"", foreign_topic_name((int32_t)roll(dice, FOREIGN_TOPICS)));
}

static void put_names(struct text_out *out, struct random *dice, const char *field,
                      const char *prefix, int64_t sides, int64_t most)
{
    int64_t count = 1 + roll(dice, most);
    put(out, "\"%s\":[", field);
    for (int64_t i = 0; i < count; i++)
        put(out, "%s\"%s%d\"", i == 0 ? "" : ",", prefix, (int)roll(dice, sides));
    put(out, "]");
}

/* Most name one job or one group; some reach across all shards. */
static void put_select(struct text_out *out, struct random *dice, int64_t *group)
{
    put(out, ",\"select\":{");
    *group = roll(dice, GROUPS);
    switch (roll(dice, 12)) {
    case 0: put(out, "\"all\":true"); *group = -1; break;
    case 1: put_names(out, dice, "super_groups", "s", 3, 2); *group = -1; break;
    case 2: put_names(out, dice, "ids", "", IDS, 3); *group = -1; break;
    case 3: put_names(out, dice, "groups", "g", GROUPS, 2); *group = -1; break;
    case 4:
    case 5: put(out, "\"groups\":[\"g%d\"]", (int)*group); break;
    case 6:
        put(out, "\"groups\":[\"g%d\"],\"paused\":%s", (int)*group,
            random_chance(dice, 1, 2) ? "true" : "false");
        break;
    default:
        put(out, "\"groups\":[\"g%d\"],", (int)*group);
        put_names(out, dice, "ids", "", IDS, 4);
        break;
    }
    put(out, "}");
    if (random_chance(dice, 1, 16)) put(out, ",\"expected_revision\":%d", 1 + (int)roll(dice, 3));
    if (*group >= 0 && random_chance(dice, 1, 24)) put(out, ",\"expect\":%d", (int)roll(dice, 4));
}

static void put_update(struct text_out *out, struct random *dice, const struct plan *plan,
                       int64_t at_ms)
{
    put(out, ",\"set\":{");
    switch (roll(dice, 7)) {
    case 6: put(out, "\"jitter\":%s", PICK(dice, jitters)); break;
    case 0: put(out, "\"payload\":%d", (int)roll(dice, 1000)); break;
    case 1: put(out, "\"max_fires\":%d", 1 + (int)roll(dice, 20)); break;
    case 2: put(out, "\"catchup\":{\"policy\":\"%s\"}", roll(dice, 2) ? "all" : "latest"); break;
    case 3: put(out, "\"super_group\":\"s%d\"", (int)roll(dice, 3)); break;
    default:
        put(out, "\"schedule\":");
        put_schedule(out, dice, plan, at_ms);
        if (random_chance(dice, 1, 6)) put(out, ",\"jitter\":%s", PICK(dice, jitters));
        break;
    }
    put(out, "}");
}

/* Past slots again; ids are few, so that they collide. */
static void put_backfill(struct text_out *out, struct random *dice, int64_t at_ms)
{
    int64_t from_ms = at_ms - roll(dice, random_chance(dice, 1, 3) ? 20 * 3600000 : 4 * 3600000);
    put_instant(out, "from", from_ms);
    if (random_chance(dice, 1, 2))
        put_instant(out, "to", from_ms + roll(dice, random_chance(dice, 1, 12) ? 40 * 3600000
                                                                               : 4 * 3600000));
    if (random_chance(dice, 1, 2)) put(out, ",\"rate\":%d", 1 + (int)roll(dice, 3));
    else if (random_chance(dice, 1, 3)) put(out, ",\"rate\":%d", 1 + (int)roll(dice, 60));
    if (random_chance(dice, 1, 2)) put(out, ",\"backfill_id\":\"past-%d\"", (int)roll(dice, 3));
}

static const char *const unreadable[] = {
    "{\"op\":\"add\"", "nonsense", "{\"op\":\"fly\"}", "{\"op\":\"delete\",\"select\":{}}",
    "{\"op\":\"add\",\"job\":{\"group\":\"g1\",\"id\":\"1\","
    "\"schedule\":{\"cron\":\"61 * * * *\"}}}",
    "{\"op\":\"pause\",\"select\":{\"all\":true},\"wings\":2}", ""};

static void put_jobs(struct text_out *out, struct random *dice, const struct plan *plan,
                     int64_t at_ms, int64_t *group)
{
    *group = roll(dice, GROUPS);
    put_head(out, dice, random_chance(dice, 1, 2) ? "add" : "put", at_ms);
    put(out, ",\"jobs\":[");
    int64_t count = random_chance(dice, 1, 2) ? 1 : 1 + roll(dice, 4);
    bool mixed = random_chance(dice, 1, 4);
    int64_t first = roll(dice, IDS);
    for (int64_t i = 0; i < count; i++) {
        put(out, "%s", i == 0 ? "" : ",");
        put_job(out, dice, plan, at_ms, mixed ? (*group + i) % GROUPS : *group,
                (first + i) % IDS, false);
    }
    put(out, "]}");
}

static void put_command(struct text_out *out, struct random *dice, const struct plan *plan,
                        int64_t at_ms, int64_t *group)
{
    switch (roll(dice, plan->typical ? 15 : 19)) {
    case 15: case 16:
        put_head(out, dice, "backfill", at_ms);
        put_select(out, dice, group);
        put_backfill(out, dice, at_ms);
        put(out, "}");
        break;
    case 17:
        put_head(out, dice, "cancel_backfill", at_ms);
        put_select(out, dice, group);
        put(out, ",\"backfill_id\":\"past-%d\"}", (int)roll(dice, 3));
        break;
    case 0: case 1: case 2: case 3: put_jobs(out, dice, plan, at_ms, group); break;
    case 4: case 5: case 6:
        put_head(out, dice, "update", at_ms);
        put_select(out, dice, group);
        put_update(out, dice, plan, at_ms);
        put(out, "}");
        break;
    case 7: case 8:
        put_head(out, dice, "pause", at_ms);
        put_select(out, dice, group);
        if (random_chance(dice, 1, 2))
            put_instant(out, "until", at_ms + 1000 + roll(dice, 5 * 3600000));
        put(out, "}");
        break;
    case 9: case 10: case 11:
        put_head(out, dice, "resume", at_ms);
        put_select(out, dice, group);
        if (random_chance(dice, 1, 3)) put(out, ",\"from\":\"paused_at\"");
        else if (random_chance(dice, 1, 3))
            put_instant(out, "from", at_ms - roll(dice, 3600000));
        put(out, "}");
        break;
    case 12:
        put_head(out, dice, "delete", at_ms);
        put_select(out, dice, group);
        put(out, "}");
        break;
    case 13: case 14:
        put_head(out, dice, "trigger", at_ms);
        put_select(out, dice, group);
        put(out, "}");
        break;
    default:
        if (random_chance(dice, 1, 2)) put(out, "{\"op\":\"ping\"}");
        else put(out, "%s", PICK(dice, unreadable));
    }
}

void workload_command(struct random *dice, const struct plan *plan, int64_t at_ms, char *json,
                      size_t bytes, int32_t *shard)
{
    struct text_out out = {json, bytes, 0};
    int64_t group = -1;
    json[0] = '\0';
    put_command(&out, dice, plan, at_ms, &group);
    char name[24];
    (void)snprintf(name, sizeof name, "g%d", (int)group);
    bool right = group >= 0 && !random_chance(dice, 1, 8);
    *shard = right ? slow_shard_of(name, plan->settings.shards)
                   : (int32_t)roll(dice, plan->settings.shards);
}

/* ---- the seed's ---- */

static void first_jobs(struct plan *plan, struct random *dice)
{
    char json[JSON_BYTES];
    int64_t jobs = plan->typical ? 200 : random_between(dice, 5, 120);
    int64_t made = 0;
    for (int64_t group = 0; made < jobs; group = (group + 1) % GROUPS) {
        struct text_out out = {json, sizeof json, 0};
        int64_t count = random_between(dice, 1, COMMAND_JOBS);
        int64_t first = made / GROUPS;
        if (count > jobs - made) count = jobs - made;
        int64_t at_us = (1 + made) * SECOND_US;
        put(&out, "{\"op\":\"put\",\"jobs\":[");
        for (int64_t i = 0; i < count; i++, made++) {
            put(&out, "%s", i == 0 ? "" : ",");
            if (!plan->typical) {
                put_job(&out, dice, plan, plan->settings.start_ms + at_us / MILLI_US, group,
                        (first + i) % IDS, true);
                continue;
            }
            put(&out, "{\"group\":\"g%d\",\"id\":\"%d\",\"schedule\":", (int)group, (int)made);
            put_hourly(&out, dice);
            put(&out, "}");
        }
        put(&out, "]}");
        char name[24];
        (void)snprintf(name, sizeof name, "g%d", (int)group);
        plan_add(plan, at_us, DO_COMMAND, slow_shard_of(name, plan->settings.shards), 0, 0, 0,
                 json);
    }
}

/* More slots a second than the catch-up lane's rate, behind an outage that makes them late; some go
 * to a topic that is away for a while. They end when the cluster has come to rest. */
static void busy_jobs(struct plan *plan, struct random *dice)
{
    static const char *const policies[] = {
        "{\"policy\":\"all\",\"limit\":60}", "{\"policy\":\"all\",\"limit\":60}",
        "{\"policy\":\"latest\"}", "{\"policy\":\"none\",\"misfire_grace\":\"5s\"}"};
    char json[JSON_BYTES];
    struct text_out out = {json, sizeof json, 0};
    int64_t end_us = plan->settings.hours * HOUR_US;
    int64_t at_us = end_us - random_between(dice, 20, 40) * MINUTE_US;
    int32_t shard = slow_shard_of("g7", plan->settings.shards);
    bool suspect = random_chance(dice, 1, 2);
    put(&out, "{\"op\":\"put\",\"jobs\":[");
    for (int64_t i = 0; i < 2 * BUSY_CATCHUP_PER_SECOND; i++) {
        put(&out, "%s{\"group\":\"g7\",\"id\":\"%d\",\"schedule\":{\"every\":\"1s\"}",
            i == 0 ? "" : ",", (int)i);
        if (i == 0 && suspect)
            put(&out, ",\"topic\":\"%s\",\"catchup\":{\"policy\":\"all\",\"limit\":60,"
                "\"window\":\"1m\",\"misfire_grace\":\"5s\"}", foreign_topic_name(0));
        else
            put(&out, ",\"catchup\":%s", PICK(dice, policies));
        put_instant(&out, "end", plan->settings.start_ms + (end_us + 26 * MINUTE_US) / MILLI_US);
        put(&out, "}");
    }
    put(&out, "]}");
    plan_add(plan, at_us, DO_COMMAND, shard, 0, 0, 0, json);
    at_us += random_between(dice, 1, 120) * SECOND_US;
    if (suspect) {
        plan_add(plan, at_us, DO_FOREIGN, 0, FOREIGN_MISSING, 0, 0, NULL);
        at_us += random_between(dice, 60, 400) * SECOND_US;
    }
    plan_add(plan, at_us, DO_KAFKA_DOWN, random_between(dice, 35, 200) * 1000, 0, 0, 0, NULL);
}

/* One pause of all after the other, each with another far end: they leave no memory behind. */
static void many_pauses(struct plan *plan, struct random *dice)
{
    char json[JSON_BYTES];
    int64_t at_us = random_between(dice, 60, plan->settings.hours * 60 - 30) * MINUTE_US;
    for (int64_t i = 1; i <= 24; i++) {
        struct text_out out = {json, sizeof json, 0};
        put(&out, "{\"op\":\"pause\",\"select\":{\"all\":true}");
        put_instant(&out, "until", plan->settings.start_ms + at_us / MILLI_US + i * 86400000 * 9);
        put(&out, "}");
        plan_add(plan, at_us, DO_COMMAND, 0, 0, 0, 0, json);
        at_us += random_between(dice, 1, 20) * SECOND_US;
    }
    plan_add(plan, at_us + MINUTE_US, DO_COMMAND, 0, 0, 0, 0,
             "{\"op\":\"resume\",\"select\":{\"all\":true},\"from\":\"paused_at\"}");
}

void workload_add(struct plan *plan, struct random *dice)
{
    char json[JSON_BYTES];
    first_jobs(plan, dice);
    if (plan->settings.catchup_per_second == BUSY_CATCHUP_PER_SECOND) busy_jobs(plan, dice);
    int64_t hours = plan->settings.hours;
    if (!plan->typical && random_chance(dice, 1, 16)) many_pauses(plan, dice);
    int64_t apart_us = hours > 1000 ? 40 * HOUR_US
                                    : random_between(dice, 5, 60) * MINUTE_US;
    if (plan->typical) apart_us = HOUR_US;
    int64_t at_us = 3 * MINUTE_US;
    for (;;) {
        at_us += random_between(dice, 1, 2 * apart_us);
        if (at_us >= hours * HOUR_US) return;
        int64_t burst = random_chance(dice, 1, 12) ? random_between(dice, 2, 30) : 1;
        for (int64_t i = 0; i < burst; i++) {
            int32_t shard = 0;
            int64_t then_us = at_us + i * random_between(dice, 1, 300) * MILLI_US;
            workload_command(dice, plan, plan->settings.start_ms + then_us / MILLI_US, json,
                             sizeof json, &shard);
            plan_add(plan, then_us, DO_COMMAND, shard, 0, 0, 0, json);
        }
    }
}
