/* Jobs with a lease, and what is sent about them. Their groups are their own: r0, r1, ... */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/time/instant.h"
#include "tests/simulation/plan/plan.h"
#include "tests/simulation/plan/put.h"
#include "tests/simulation/workers/workers.h"
#include "tests/simulation/world/slots.h"

enum { RUN_GROUPS = 6, RUN_IDS = 8, LONG_HOURS = 1000 };

/* ---- a job ---- */

static void put_run_schedule(struct text_out *out, struct random *dice, const struct plan *plan,
                             int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    if (plan->settings.hours > LONG_HOURS) {
        put(out, "{\"cron\":\"%d %d * * *\"}", (int)roll(dice, 60), (int)roll(dice, 24));
        return;
    }
    bool dense = plan->settings.hours < 24;
    switch (roll(dice, 6)) {
    case 0: put(out, "{\"every\":\"%ds\"}", dense ? 20 + (int)roll(dice, 100)
                                                  : 120 + (int)roll(dice, 600)); return;
    case 1: put(out, "{\"cron\":\"*/%d * * * *\"}", 3 + (int)roll(dice, 25)); return;
    case 2: put(out, "{\"every\":\"%dm\"}", 10 + (int)roll(dice, 50)); return;
    case 3: put(out, "{\"cron\":\"0 * * * *\"}"); return;
    case 4:
        instant_format(at_ms + (roll(dice, 200) - 10) * 60000 + roll(dice, 60000), text);
        put(out, "{\"at\":\"%s\"}", text);
        return;
    default: put(out, "{\"cron\":\"%d * * * *\"}", (int)roll(dice, 60)); return;
    }
}

static const char *const leases[] = {"10s", "11s", "15s", "30s", "1m", "2m", "5m", "10m"};
enum { SHORT_LEASES = 4 };

static void put_retry(struct text_out *out, struct random *dice)
{
    static const char *const ons[] = {"\"failure\",\"timeout\",\"lost\",\"not_started\"",
                                      "\"failure\"", "\"lost\",\"failure\"",
                                      "\"not_started\",\"refused\"", "\"timeout\",\"lost\""};
    int initial_s = 1 + (int)roll(dice, 60);
    put(out, ",\"retry\":{\"attempts\":%d,\"initial\":\"%ds\",\"max\":\"%ds\"",
        2 + (int)roll(dice, 4), initial_s, initial_s + (int)roll(dice, 300));
    if (random_chance(dice, 1, 3)) put(out, ",\"factor\":%d", 1 + (int)roll(dice, 4));
    if (random_chance(dice, 1, 3)) put(out, ",\"within\":\"%dm\"", 2 + (int)roll(dice, 60));
    if (random_chance(dice, 1, 3)) put(out, ",\"poison_after\":%d", 1 + (int)roll(dice, 3));
    if (random_chance(dice, 1, 3)) put(out, ",\"not_on_exit\":null,\"on\":[%s]", PICK(dice, ons));
    else if (random_chance(dice, 1, 4)) put(out, ",\"on\":null,\"not_on_exit\":[1,3]");
    put(out, "}");
}

static void put_overlap(struct text_out *out, struct random *dice, bool never_waits, bool anew)
{
    static const char *const kinds[] = {"allow", "skip", "buffer_one", "cancel_other"};
    if (never_waits) {
        put(out, ",\"overlap\":\"%s\"", roll(dice, 2) ? "allow" : "skip");
    } else if (random_chance(dice, 1, 4)) {
        put(out, ",\"overlap\":\"buffer_all\",\"overlap_limit\":%d", 1 + (int)roll(dice, 8));
        return;
    } else {
        put(out, ",\"overlap\":\"%s\"", PICK(dice, kinds));
    }
    if (anew) put(out, ",\"overlap_limit\":null");
}

/* Never the default of a day: a claim that was deleted unread is in the way until it expires. */
static void put_start_within(struct text_out *out, struct random *dice, bool nobody)
{
    int64_t most_s = nobody || random_chance(dice, 1, 3) ? 110 : 1800;
    put(out, ",\"start_within\":\"%ds\"", 10 + (int)roll(dice, most_s));
}

/* Jobs of a group that nobody is a member of are given up soon.
 *   anew  an update: what does not go with the rest is taken away */
static void put_terms(struct text_out *out, struct random *dice, bool anew)
{
    int64_t kind = roll(dice, 10);
    int32_t crew = kind == 0 ? CREW_NOBODY : kind == 1 ? CREW_FIXED
                                                       : (int32_t)roll(dice, CREW_FIXED);
    bool nobody = crew == CREW_NOBODY;
    const char *lease = nobody ? leases[roll(dice, SHORT_LEASES)] : PICK(dice, leases);
    put(out, ",\"lease\":\"%s\",\"workers\":\"%s\"", lease, crew_name(crew));
    if (crew == CREW_FIXED) put(out, ",\"lease_mode\":\"fixed\"");
    else if (anew) put(out, ",\"lease_mode\":null");
    if (crew == CREW_FIXED) put(out, "%s", anew ? ",\"start_within\":null" : "");
    else put_start_within(out, dice, nobody);
    put_overlap(out, dice, nobody, anew);
    if (random_chance(dice, 1, 4))
        put(out, ",\"pause_after_failures\":%d", 1 + (int)roll(dice, 3));
    else if (anew && random_chance(dice, 1, 2)) put(out, ",\"pause_after_failures\":null");
    if (random_chance(dice, 3, 5)) put_retry(out, dice);
}

static void put_run_job(struct text_out *out, struct random *dice, const struct plan *plan,
                        int64_t at_ms, int64_t group, int64_t id)
{
    put(out, "{\"group\":\"r%d\",\"id\":\"%d\",\"schedule\":", (int)group, (int)id);
    put_run_schedule(out, dice, plan, at_ms);
    if (!random_chance(dice, 1, 12)) put_terms(out, dice, false);
    else if (random_chance(dice, 1, 2))
        put(out, ",\"lease_mode\":\"none\",\"workers\":\"%s\"",
            crew_name((int32_t)roll(dice, CREWS)));
    if (random_chance(dice, 1, 3)) put_options(out, dice, plan, at_ms);
    else put(out, ",\"payload\":{\"n\":%d}", (int)roll(dice, 1000));
    put(out, "}");
}

/* ---- commands ---- */

static void put_run_jobs(struct text_out *out, struct random *dice, const struct plan *plan,
                         int64_t at_ms, int64_t group, int64_t count)
{
    int64_t first = roll(dice, RUN_IDS);
    put(out, ",\"jobs\":[");
    for (int64_t i = 0; i < count; i++) {
        put(out, "%s", i == 0 ? "" : ",");
        put_run_job(out, dice, plan, at_ms, group, (first + i) % RUN_IDS);
    }
    put(out, "]}");
}

static void put_select_runs(struct text_out *out, struct random *dice, int64_t group)
{
    put(out, ",\"select\":{\"groups\":[\"r%d\"]", (int)group);
    if (random_chance(dice, 4, 5)) put(out, ",\"ids\":[\"%d\"]", (int)roll(dice, RUN_IDS));
    put(out, "}");
}

static void put_run_update(struct text_out *out, struct random *dice, const struct plan *plan,
                           int64_t at_ms)
{
    static const char *const away = "\"lease\":null,\"overlap\":null,\"overlap_limit\":null,"
                                    "\"retry\":null,\"start_within\":null,"
                                    "\"pause_after_failures\":null";
    put(out, ",\"set\":{");
    switch (roll(dice, 7)) {
    case 0:
        put(out, "%s,%s", away, roll(dice, 2) ? "\"workers\":null,\"lease_mode\":null"
                                             : "\"workers\":\"w1\",\"lease_mode\":\"none\"");
        break;
    case 1:
    case 2: /* as one that has had a lease of its own, or none */
        put(out, "\"lease\":\"%s\",\"workers\":\"%s\",\"lease_mode\":null", PICK(dice, leases),
            crew_name((int32_t)roll(dice, CREW_FIXED)));
        put_start_within(out, dice, false);
        if (random_chance(dice, 1, 2)) put_retry(out, dice);
        break;
    case 3: put(out, "\"payload\":%d", (int)roll(dice, 1000)); break;
    case 4: put(out, "\"max_fires\":%d", 1 + (int)roll(dice, 30)); break;
    case 5:
        put(out, "\"schedule\":");
        put_run_schedule(out, dice, plan, at_ms);
        break;
    default:
        put(out, "\"payload\":%d", (int)roll(dice, 1000));
        put_terms(out, dice, true);
        break;
    }
    put(out, "}");
}

static void put_past(struct text_out *out, struct random *dice, int64_t at_ms)
{
    int64_t from_ms = at_ms - roll(dice, 4 * 3600000);
    put_instant(out, "from", from_ms);
    if (random_chance(dice, 1, 2)) put_instant(out, "to", from_ms + roll(dice, 3600000));
    put(out, ",\"rate\":%d,\"backfill_id\":\"past-%d\"", 1 + (int)roll(dice, 5),
        (int)roll(dice, 3));
}

static void put_about_jobs(struct text_out *out, struct random *dice, const struct plan *plan,
                           int64_t at_ms, int64_t group)
{
    static const char *const ops[] = {"update", "pause", "resume", "delete", "trigger", "backfill",
                                      "trigger", "trigger", "update", "resume", "cancel"};
    const char *op = PICK(dice, ops);
    put_head(out, dice, op, at_ms);
    put_select_runs(out, dice, group);
    if (strcmp(op, "update") == 0) put_run_update(out, dice, plan, at_ms);
    if (strcmp(op, "backfill") == 0) put_past(out, dice, at_ms);
    if (strcmp(op, "trigger") == 0 && random_chance(dice, 1, 4)) put(out, ",\"overlap\":\"allow\"");
    if (strcmp(op, "delete") == 0 && random_chance(dice, 1, 2)) put(out, ",\"cancel_runs\":true");
    if (strcmp(op, "resume") == 0 && random_chance(dice, 1, 3))
        put(out, ",\"from\":\"paused_at\"");
    put(out, "}");
}

/* A requeue or a cancel of one run, of a fire not long ago: open, waiting, or over. */
static void add_about_run(struct plan *plan, struct random *dice, int64_t at_us)
{
    char json[JSON_BYTES];
    struct text_out out = {json, sizeof json, 0};
    bool again = random_chance(dice, 2, 3);
    int64_t back = roll(dice, random_chance(dice, 1, 2) ? 3 : 40);
    put_head(&out, dice, again ? "requeue" : "cancel",
             plan->settings.start_ms + at_us / MILLI_US);
    if (again && random_chance(dice, 1, 3)) put(&out, ",\"overlap\":\"allow\"");
    plan_add(plan, at_us, DO_ABOUT_RUN, roll(dice, plan->settings.shards), back, 0, 0, json);
}

static void add_command(struct plan *plan, struct random *dice, int64_t at_us, int64_t jobs)
{
    char json[JSON_BYTES];
    char name[24];
    struct text_out out = {json, sizeof json, 0};
    int64_t group = roll(dice, RUN_GROUPS);
    int64_t at_ms = plan->settings.start_ms + at_us / MILLI_US;
    if (jobs == 0 && random_chance(dice, 1, 5)) {
        add_about_run(plan, dice, at_us);
        return;
    }
    if (jobs > 0 || random_chance(dice, 1, 3)) {
        put_head(&out, dice, random_chance(dice, 1, 4) ? "add" : "put", at_ms);
        put_run_jobs(&out, dice, plan, at_ms, group, jobs > 0 ? jobs : 1 + roll(dice, 2));
    } else {
        put_about_jobs(&out, dice, plan, at_ms, group);
    }
    (void)snprintf(name, sizeof name, "r%d", (int)group);
    plan_add(plan, at_us, DO_COMMAND, slow_shard_of(name, plan->settings.shards), 0, 0, 0, json);
}

void workload_runs_add(struct plan *plan, struct random *dice)
{
    int64_t hours = plan->settings.hours;
    bool of_long = hours > LONG_HOURS;
    int64_t apart_us = of_long ? 80 * HOUR_US : random_between(dice, 5, 60) * MINUTE_US;
    for (int64_t i = random_between(dice, 1, of_long ? 2 : 5); i > 0; i--)
        add_command(plan, dice, 2 * MINUTE_US + i * SECOND_US, random_between(dice, 1, 4));
    for (int64_t at_us = 3 * MINUTE_US;;) {
        at_us += random_between(dice, 1, 2 * apart_us);
        if (at_us >= hours * HOUR_US) return;
        for (int64_t burst = random_chance(dice, 1, 8) ? roll(dice, 8) : 1; burst > 0; burst--)
            add_command(plan, dice, at_us + burst * random_between(dice, 1, 3000) * MILLI_US, 0);
    }
}
