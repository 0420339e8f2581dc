#include "cli/show/next_times.h"

#include <assert.h>

#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"

bool next_times(json_t *schedule, const struct zone_lookup *zones, int64_t from_ms, int64_t count,
                json_t **times, struct error *error)
{
    assert(count >= 0);
    assert(count <= NEXT_COUNT_MAX);
    struct definition definition;
    struct arena *arena = arena_create();
    bool read = schedule_read(schedule, arena, zones, &definition, error);
    *times = NULL;
    if (read) {
        *times = json_array();
        struct schedule_spec *spec = &definition.schedule;
        if (spec->kind == SCHEDULE_EVERY && (definition.given & GIVEN_ANCHOR) == 0)
            *spec = schedule_from_every(spec->every_ms, from_ms);
        int64_t at_ms = from_ms;
        int64_t next_ms = 0;
        for (int64_t i = 0; i < count && schedule_next(spec, at_ms, &next_ms); i++) {
            char text[INSTANT_TEXT_BYTES];
            assert(next_ms > at_ms);
            instant_format(next_ms, text);
            (void)json_array_append_new(*times, json_string(text));
            at_ms = next_ms;
        }
    }
    arena_destroy(arena);
    return read;
}

/* Takes "from" and "count" out of the line's object; what stays is the schedule. */
static bool take_range(json_t *object, int64_t *from_ms, int64_t *count, struct error *error)
{
    const json_t *from = json_object_get(object, "from");
    const json_t *wanted = json_object_get(object, "count");
    if (from != NULL && !json_is_string(from))
        return error_invalid(error, CODE_WRONG_TYPE, "from: must be a time such as "
                             "2026-01-01T00:00:00Z");
    if (from != NULL && !instant_parse(json_string_value(from), json_string_length(from), from_ms,
                                       error))
        return false;
    if (wanted != NULL && (!json_is_integer(wanted) || json_integer_value(wanted) < 1 ||
                           json_integer_value(wanted) > NEXT_COUNT_MAX))
        return error_invalid(error, CODE_BAD_VALUE, "count: must be a whole number from 1 to %d",
                             NEXT_COUNT_MAX);
    if (wanted != NULL) *count = json_integer_value(wanted);
    (void)json_object_del(object, "from");
    (void)json_object_del(object, "count");
    return true;
}

static bool answer_object(json_t *object, const struct zone_lookup *zones, int64_t now_ms,
                          json_t **times, struct error *error)
{
    int64_t from_ms = now_ms;
    int64_t count = NEXT_COUNT_DEFAULT;
    assert(now_ms >= 0);
    if (!json_is_object(object))
        return error_invalid(error, CODE_WRONG_TYPE, "the line must hold a JSON object");
    if (!take_range(object, &from_ms, &count, error)) return false;
    (void)json_object_del(object, "id");
    return next_times(object, zones, from_ms, count, times, error);
}

json_t *next_batch_answer(const char *line, size_t length, const struct zone_lookup *zones,
                          int64_t now_ms)
{
    struct error error = {0};
    json_t *object = NULL;
    json_t *times = NULL;
    json_t *answer = json_object();
    bool ok = json_text_one((struct text){line, length}, "the line", &object, &error);
    json_t *id = json_incref(json_object_get(object, "id"));
    if (id != NULL) (void)json_object_set(answer, "id", id);
    json_decref(id);
    if (ok) ok = answer_object(object, zones, now_ms, &times, &error);
    json_decref(object);
    if (ok) {
        (void)json_object_set_new(answer, "next", times);
        return answer;
    }
    assert(error.kind != ERROR_NONE);
    (void)json_object_set_new(answer, "error", json_string(error.message));
    if (error.column > 0) (void)json_object_set_new(answer, "column", json_integer(error.column));
    return answer;
}
