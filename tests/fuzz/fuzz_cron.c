/* fuzz_cron.c - any bytes as cron expression, duration and time. What is read must hold its
 * promises: the next instant is later, counts agree with steps, texts read back to the same. */
#include "lib/base/limits.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"
#include "tests/fuzz/fuzz_zones.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 8 };

/* assert() without its switch: a broken promise must end the run in every build. */
static void promise(bool kept)
{
    if (!kept) abort();
}

static void check_refusal(const struct error *error, size_t length)
{
    promise(error->kind == ERROR_INVALID);
    promise(error->code != CODE_NONE && error->message[0] != '\0');
    promise(error->column >= 1 && (size_t)error->column <= length + 1);
    for (const char *byte = error->message; *byte != '\0'; byte++)
        promise(*byte >= ' ' && *byte <= '~');
}

static void check_schedule(const struct schedule_spec *spec, int64_t after_ms)
{
    int64_t at_ms = after_ms;
    int64_t next_ms = 0;
    uint64_t steps = 0;
    while (steps < STEPS && schedule_next(spec, at_ms, &next_ms)) {
        promise(next_ms > at_ms);
        promise(instant_in_range(next_ms));
        promise(schedule_contains(spec, next_ms));
        at_ms = next_ms;
        steps++;
    }
    promise(schedule_count(spec, after_ms, at_ms, UINT64_MAX) == steps);
    int64_t last_ms = 0;
    promise(schedule_last(spec, after_ms, at_ms, &last_ms) == (steps > 0));
    promise(steps == 0 || last_ms == at_ms);
    int64_t cut_ms = schedule_keep_newest(spec, after_ms, at_ms, STEPS / 2);
    uint64_t kept = schedule_count(spec, cut_ms, at_ms, UINT64_MAX);
    promise(kept == (steps < STEPS / 2 ? steps : STEPS / 2));
}

/* The text printed for a schedule reads back as the same schedule. */
static void check_format(const struct cron *cron, const struct cron_options *options)
{
    char text[CRON_FORMAT_BYTES];
    struct cron_options again = *options;
    struct cron_reading back;
    size_t length = cron_format(cron, text, &again.dialect, &again.dst);
    promise(length < sizeof text && strlen(text) == length);
    again.zone_known = true;
    again.known_zone = cron->zone;
    if (length > CRON_TEXT_BYTES_MAX) return;
    promise(cron_parse(text, length, &again, &back, NULL));
    promise(cron_equal(cron, &back.cron));
}

static void try_cron(const char *text, size_t length, int64_t after_ms, uint8_t choice)
{
    struct zone_lookup zones = fuzz_zones();
    struct cron_options options = {.dialect = (enum cron_dialect)(choice % 3),
                                   .dst = choice & 8 ? CRON_DST_SKIP_REPEAT : CRON_DST_VIXIE,
                                   .zone = text_of(choice & 16 ? "Fuzz/Rule" : NULL),
                                   .name = text_of(choice & 32 ? "group/id" : NULL),
                                   .zones = &zones};
    struct cron_reading reading;
    struct error error = {0};
    if (!cron_parse(text, length, &options, &reading, &error)) {
        check_refusal(&error, length);
        return;
    }
    if (reading.every_ms > 0) return;
    struct schedule_spec spec = schedule_from_cron(&reading.cron);
    int64_t next_ms = 0;
    promise(schedule_next(&spec, INT64_MIN, &next_ms));
    check_schedule(&spec, after_ms);
    check_format(&reading.cron, &options);
    spec.jitter = (struct schedule_jitter){.most_ms = 1 + choice * 1000U,
                                           .incarnation = {.effective_ms = 1, .offset = choice}};
    check_schedule(&spec, after_ms);
}

static void try_duration(const char *text, size_t length, int64_t after_ms)
{
    int64_t duration_ms = -1;
    struct error error = {0};
    if (!duration_parse(text, length, &duration_ms, &error)) {
        check_refusal(&error, length);
        return;
    }
    char printed[DURATION_TEXT_BYTES];
    duration_format(duration_ms, printed);
    int64_t back_ms = -1;
    promise(duration_parse(printed, strlen(printed), &back_ms, NULL));
    promise(back_ms == duration_ms);
    if (!schedule_check_every(duration_ms, SCHEDULE_EVERY_FLOOR_MS, NULL)) return;
    struct schedule_spec spec = schedule_from_every(duration_ms, after_ms < 0 ? 0 : after_ms);
    check_schedule(&spec, after_ms);
}

static void try_instant(const char *text, size_t length)
{
    int64_t instant_ms = -1;
    struct error error = {0};
    if (!instant_parse(text, length, &instant_ms, &error)) {
        check_refusal(&error, length);
        return;
    }
    promise(instant_in_range(instant_ms));
    char printed[INSTANT_TEXT_BYTES];
    instant_format(instant_ms, printed);
    int64_t back_ms = -1;
    promise(instant_parse(printed, INSTANT_TEXT_LENGTH, &back_ms, NULL));
    promise(back_ms == instant_ms);
    struct schedule_spec spec = schedule_from_at(instant_ms);
    check_schedule(&spec, instant_ms - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first six bytes choose where to ask from: some instants lie before 1970, some after 9999. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t prefix = 6;
    if (size < prefix) return 0;
    uint64_t number = 0;
    for (size_t i = 0; i < prefix; i++) number = number << 8 | data[i];
    int64_t after_ms = (int64_t)(number % ((uint64_t)INSTANT_MAX_MS + 2000)) - 1000;
    size_t length = size - prefix;
    char *text = malloc(length + 1); /* exact, so that a read beyond it is seen */
    if (text == NULL) return 0;
    memcpy(text + 1, data + prefix, length);
    try_cron(text + 1, length, after_ms, data[prefix - 1]);
    try_duration(text + 1, length, after_ms > INSTANT_MAX_MS ? INSTANT_MAX_MS : after_ms);
    try_instant(text + 1, length);
    free(text);
    return 0;
}
