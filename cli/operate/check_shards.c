/* What belfry doctor says of the shards and the daemons that run them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/operate/checkup.h"
#include "cli/operate/cluster_view.h"
#include "cli/operate/ping.h"
#include "cli/operate/version_faults.h"
#include "cli/show/cli_clock.h"
#include "cli/show/json_text.h"
#include "dispatcher/engine/step_aside.h"
#include "dispatcher/kafka/kafka_client.h"
#include "lib/base/version.h"
#include "lib/time/instant.h"
#include "store/store_redis.h"

enum { PING_MS = 10000, SILENT_BYTES = 256, VERSION_BYTES = 64 };

/* ---- shards ---- */

static void list_silent(const struct checkup *checkup, char text[SILENT_BYTES])
{
    text[0] = '\0';
    for (int32_t shard = 0; shard < checkup->shards; shard++) {
        bool answered = false;
        for (size_t i = 0; i < json_array_size(checkup->answers); i++)
            answered = answered || json_member_number(json_array_get(checkup->answers, i), "shard",
                                                      -1) == shard;
        if (!answered) shard_list_add(text, SILENT_BYTES, shard);
    }
}

void check_answers(struct checkup *checkup)
{
    struct error error = {0};
    int64_t took_ms = 0;
    checkup->asked_ms = cli_now_ms();
    bool answered = ping_shards(checkup->settings, NULL, PING_MS, &checkup->answers, &took_ms,
                                &error);
    if (answered) {
        checkup_find(checkup, FINE, NULL, "all %d answer, the last after %" PRId64 " ms",
                     (int)checkup->shards, took_ms);
    } else if (json_array_size(checkup->answers) == 0) {
        checkup_find(checkup, BAD, "is belfryd running with this --cluster and --kafka? Its log "
                     "says what it waits for", "no shard answers: %s", error.message);
    } else {
        char silent[SILENT_BYTES];
        list_silent(checkup, silent);
        checkup_find(checkup, BAD, "belfry shards says which daemon owned them; its log says what "
                     "they wait for", "these do not answer: %s", silent);
    }
}

/* A shard may call itself live and yet not move. */
void check_movement(struct checkup *checkup)
{
    for (int32_t shard = 0; shard < checkup->store_shards; shard++) {
        const struct shard_report *report = &checkup->reports[shard];
        if (report->owner[0] == '\0' || report->still_ms < SHARD_STUCK_MS) continue;
        checkup_find(checkup, BAD, "its log says what it waits for: shard.stuck, commit.failed, "
                     "clock.ahead and clock.behind",
                     "shard %d of %s (%s) has not moved for %" PRId64 " s", (int)shard,
                     report->owner, report->state, report->still_ms / 1000);
    }
}

/* ---- clocks ---- */

/* Each answer tells when the broker took the command: between our sending and our receiving. */
static void check_own_clock(struct checkup *checkup)
{
    int64_t received_ms = cli_now_ms();
    int64_t worst_ms = 0;
    for (size_t i = 0; i < json_array_size(checkup->answers); i++) {
        const json_t *answer = json_array_get(checkup->answers, i);
        int64_t at_ms = 0;
        if (!json_member_ms(answer, "effective_at", &at_ms)) continue;
        int64_t off_ms = at_ms < checkup->asked_ms ? at_ms - checkup->asked_ms
                                                   : at_ms > received_ms ? at_ms - received_ms : 0;
        if (llabs(off_ms) > llabs(worst_ms)) worst_ms = off_ms;
    }
    if (json_array_size(checkup->answers) == 0) return;
    if (llabs(worst_ms) <= CHECK_CLOCK_TOLERANCE_MS)
        checkup_find(checkup, FINE, NULL, "this machine and the brokers agree within a second");
    else
        checkup_find(checkup, WARN, "let NTP set the clocks of this machine and of the brokers; "
                     "a daemon whose clock is ahead of the brokers' goes by theirs",
                     "the brokers' clock is %" PRId64 " ms %s this machine's",
                     (int64_t)llabs(worst_ms), worst_ms > 0 ? "ahead of" : "behind");
}

/* The first report of each daemon of which `is` is true. */
static bool is_first(const struct checkup *checkup, int32_t shard,
                     bool (*is)(const struct shard_report *report))
{
    const struct shard_report *report = &checkup->reports[shard];
    if (report->owner[0] == '\0' || !is(report)) return false;
    for (int32_t before = 0; before < shard; before++)
        if (strcmp(checkup->reports[before].owner, report->owner) == 0 &&
            is(&checkup->reports[before]))
            return false;
    return true;
}

static bool is_off(const struct shard_report *report)
{
    return llabs(report->clock_ahead_ms) > CHECK_CLOCK_TOLERANCE_MS;
}

static bool is_any(const struct shard_report *report)
{
    (void)report;
    return true;
}

/* Each daemon knows how far its clock is off the brokers': not this machine's business. */
void check_clocks(struct checkup *checkup)
{
    int daemons = 0;
    int before = checkup_troubles(checkup);
    check_own_clock(checkup);
    int32_t shards = checkup->reports == NULL ? 0 : checkup->store_shards;
    for (int32_t shard = 0; shard < shards; shard++) {
        const struct shard_report *report = &checkup->reports[shard];
        daemons += is_first(checkup, shard, is_any);
        if (is_first(checkup, shard, is_off))
            checkup_find(checkup, WARN, "let NTP set the clock of that daemon's machine; until "
                         "then it goes by the brokers'", "the clock of the daemon %s is %" PRId64
                         " ms %s the brokers'", report->owner,
                         (int64_t)llabs(report->clock_ahead_ms),
                         report->clock_ahead_ms > 0 ? "ahead of" : "behind");
    }
    if (daemons > 0 && checkup_troubles(checkup) == before)
        checkup_find(checkup, FINE, NULL, "so do the clocks of %d %s", daemons,
                     daemons == 1 ? "daemon" : "daemons");
}

void check_checkpoint(struct checkup *checkup)
{
    struct error error = {0};
    int32_t behind = 0;
    if (!redis_wait_snapshots(checkup->settings, checkup->answers, &behind, &error)) return;
    if (behind == 0)
        checkup_find(checkup, FINE, NULL, "Redis has caught up with every shard");
    else
        checkup_find(checkup, WARN, "the log of belfryd says why; belfry shards shows how far each "
                     "one is. No fire is late for it", "Redis is behind for %d shards",
                     (int)behind);
}

/* ---- versions ---- */

/* "2025b" of "2025b-8f3a1c02". */
static size_t release_bytes(const char *version)
{
    return strcspn(version, "-");
}

static int compare_releases(const char *left, const char *right)
{
    size_t a = release_bytes(left);
    size_t b = release_bytes(right);
    int order = memcmp(left, right, a < b ? a : b);
    return order != 0 ? order : (a > b) - (a < b);
}

/* Another daemon that takes the shard reckons with another day of a clock change. */
void check_tzdata(struct checkup *checkup)
{
    const struct shard_report *newest = NULL;
    bool alike = true;
    for (int32_t shard = 0; shard < checkup->store_shards; shard++) {
        const struct shard_report *report = &checkup->reports[shard];
        if (report->tz_version[0] == '\0') continue;
        alike = alike && (newest == NULL || strcmp(newest->tz_version, report->tz_version) == 0);
        if (newest == NULL || compare_releases(report->tz_version, newest->tz_version) > 0)
            newest = report;
    }
    if (newest == NULL) return; /* no daemon, or an older one, which does not tell */
    if (alike) {
        checkup_find(checkup, FINE, NULL, "all daemons have %s", newest->tz_version);
        return;
    }
    for (int32_t shard = 0; shard < checkup->store_shards; shard++) {
        const struct shard_report *report = &checkup->reports[shard];
        if (report->tz_version[0] == '\0' || !is_first(checkup, shard, is_any) ||
            strcmp(report->tz_version, newest->tz_version) == 0)
            continue;
        bool older = compare_releases(report->tz_version, newest->tz_version) < 0;
        checkup_find(checkup, WARN, "install the same tzdata on all machines and restart belfryd: "
                     "until then a shard that moves may fire by other clock changes",
                     "the daemon %s has %s, %s than %s, which %s has", report->owner,
                     report->tz_version, older ? "older" : "other", newest->tz_version,
                     newest->owner);
    }
}

static void tell_fault(struct checkup *checkup, const char *what, const char *version)
{
    const struct version_fault *fault = version_fault_find(what, version);
    if (fault == NULL) return;
    checkup_find(checkup, WARN, fault->advice, "%s %s: %s", what, version, fault->what);
}

static bool is_other_version(const struct shard_report *report)
{
    return report->version[0] != '\0' && strcmp(report->version, BELFRY_VERSION) != 0;
}

static bool is_other_librdkafka(const struct shard_report *report)
{
    return report->librdkafka[0] != '\0' &&
           strcmp(report->librdkafka, kafka_library_version()) != 0;
}

void check_versions(struct checkup *checkup)
{
    char redis[VERSION_BYTES] = "";
    struct error ignored = {0};
    int before = checkup_troubles(checkup);
    int32_t shards = checkup->reports == NULL ? 0 : checkup->store_shards;
    for (int32_t shard = 0; shard < shards; shard++) {
        const struct shard_report *report = &checkup->reports[shard];
        if (is_first(checkup, shard, is_other_version))
            checkup_find(checkup, WARN, "let all daemons and the command line be of one version "
                         "once an upgrade is through", "the daemon %s is belfryd %s, this is "
                         "belfry %s", report->owner, report->version, BELFRY_VERSION);
        if (is_first(checkup, shard, is_other_librdkafka))
            tell_fault(checkup, "librdkafka", report->librdkafka);
    }
    tell_fault(checkup, "librdkafka", kafka_library_version());
    if (checkup->store != NULL &&
        store_redis_version(checkup->store, redis, sizeof redis, &ignored))
        tell_fault(checkup, "Redis", redis);
    if (checkup_troubles(checkup) == before)
        checkup_find(checkup, FINE, NULL, "belfry %s, librdkafka %s, Redis %s: no fault known that "
                     "matters here", BELFRY_VERSION, kafka_library_version(),
                     redis[0] == '\0' ? "of unknown version" : redis);
}
