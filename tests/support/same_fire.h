/* same_fire.h - whether two ways of decoding give the same fire. */
#ifndef BELFRY_TESTS_SUPPORT_SAME_FIRE_H
#define BELFRY_TESTS_SUPPORT_SAME_FIRE_H

#include <stdlib.h>
#include <string.h>

#include "consumer/consumer.h"

static inline bool same_fire_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static inline bool same_fire_json(const struct belfry_fire *a, const struct belfry_fire *b)
{
    size_t a_bytes = 0;
    size_t b_bytes = 0;
    char *a_text = belfry_fire_json(a, &a_bytes, NULL);
    char *b_text = belfry_fire_json(b, &b_bytes, NULL);
    bool same = a_text != NULL && b_text != NULL && a_bytes == b_bytes &&
                memcmp(a_text, b_text, a_bytes + 1) == 0;
    free(a_text);
    free(b_text);
    return same;
}

/* NULL: they are the same; else what is not. */
static inline const char *same_fire_difference(const struct belfry_fire *a,
                                               const struct belfry_fire *b)
{
    if (!same_fire_text(a->id, b->id)) return "id";
    if (!same_fire_text(a->source, b->source)) return "source";
    if (!same_fire_text(a->subject, b->subject)) return "subject";
    if (!same_fire_text(a->group, b->group)) return "group";
    if (!same_fire_text(a->job_id, b->job_id)) return "job_id";
    if (!same_fire_text(a->incarnation, b->incarnation)) return "incarnation";
    if (!same_fire_text(a->kind, b->kind)) return "kind";
    if (!same_fire_text(a->due, b->due)) return "due";
    if (!same_fire_text(a->time, b->time)) return "time";
    if (!same_fire_text(a->traceparent, b->traceparent)) return "traceparent";
    if (a->due_ms != b->due_ms) return "due_ms";
    if (a->time_ms != b->time_ms) return "time_ms";
    if (a->lateness_ms != b->lateness_ms) return "lateness_ms";
    if (a->revision != b->revision) return "revision";
    if (a->missed_count != b->missed_count) return "missed_count";
    if (a->attempt != b->attempt) return "attempt";
    if (!same_fire_text(a->content_type, b->content_type)) return "content_type";
    if ((a->data == NULL) != (b->data == NULL)) return "whether there is data";
    if (a->data_bytes != b->data_bytes) return "data_bytes";
    if (a->data != NULL && memcmp(a->data, b->data, a->data_bytes + 1) != 0) return "data";
    if (!same_fire_text(a->topic, b->topic)) return "topic";
    if (a->partition != b->partition) return "partition";
    if (a->offset != b->offset) return "offset";
    return same_fire_json(a, b) ? NULL : "the text";
}

#endif
