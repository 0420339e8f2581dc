#include "lib/time/zone.h"

#include <assert.h>
#include <string.h>

/* Local time and UTC are never further apart, whatever the clocks do. */
#define ZONE_REACH_S (INT64_C(3) * 86400)

struct zone_view zone_at(const struct zone *zone, int64_t at_s)
{
    assert(zone != NULL && zone->span_count > 0);
    assert(at_s >= 0);
    int64_t shift_s = 0;
    if (__builtin_expect(at_s - ZONE_CYCLE_SECONDS >= zone->cycle_s, 0))
        shift_s = (at_s - zone->cycle_s) / ZONE_CYCLE_SECONDS * ZONE_CYCLE_SECONDS;
    at_s -= shift_s;
    uint64_t bucket = (uint64_t)at_s >> ZONE_BUCKET_SHIFT;
    if (bucket >= zone->bucket_count) bucket = zone->bucket_count - 1;
    uint32_t at = zone->buckets[bucket];
    uint32_t last = zone->span_count - 1;
    while (at < last && zone->spans[at + 1].from_s <= at_s) at++;
    const struct zone_span *span = &zone->spans[at];
    struct zone_view view = {.from_s = span->from_s + shift_s,
                             .until_s = at == last ? INT64_MAX : span[1].from_s + shift_s,
                             .offset_s = span->offset_s,
                             .high_s = span->high_s};
    return view;
}

int64_t zone_first_showing(const struct zone *zone, int64_t local_s)
{
    if (zone == NULL) return local_s > 0 ? local_s : 0;
    int64_t start_s = local_s - ZONE_REACH_S > 0 ? local_s - ZONE_REACH_S : 0;
    struct zone_view view = zone_at(zone, start_s);
    for (;;) {
        int64_t at_s = local_s - view.offset_s;
        if (at_s < view.from_s) at_s = view.from_s;
        if (at_s < start_s) at_s = start_s;
        if (at_s < view.until_s) return at_s;
        view = zone_at(zone, view.until_s);
    }
}

bool zone_is_fixed(const struct zone *zone)
{
    return zone->span_count == 1;
}

size_t zone_bytes(const struct zone *zone)
{
    return sizeof *zone + zone->span_count * sizeof *zone->spans +
           zone->bucket_count * sizeof *zone->buckets;
}

bool zone_equal(const struct zone *left, const struct zone *right)
{
    if (left == right) return true;
    if (left == NULL || right == NULL) return false;
    return left->digest == right->digest && strcmp(left->name, right->name) == 0;
}

bool zone_name_is_valid(struct text name)
{
    if (name.length == 0 || name.length > ZONE_NAME_BYTES_MAX) return false;
    bool start = true; /* of a part between slashes */
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        bool other = (byte >= '0' && byte <= '9') || byte == '_' || byte == '+' || byte == '-';
        if (byte == '/' ? start : !(letter || (other && !start))) return false;
        start = byte == '/';
    }
    return !start;
}

bool zone_find(const struct zone_lookup *lookup, struct text name, const struct zone **zone,
               struct error *error)
{
    assert(zone != NULL);
    if (text_equal(name, text_of("UTC"))) {
        *zone = NULL;
        return true;
    }
    if (!zone_name_is_valid(name))
        return error_invalid(error, CODE_UNKNOWN_ZONE,
                             "this is not the name of a time zone; names look like Europe/Berlin");
    if (lookup == NULL || lookup->find == NULL)
        return error_invalid(error, CODE_UNKNOWN_ZONE,
                             "'%.*s': no time zones but UTC are known here", (int)name.length,
                             name.bytes);
    const struct zone *found = lookup->find(lookup->opaque, name, error);
    if (found == NULL) {
        bool asked = lookup->suggestions == NULL || (*lookup->suggestions)-- > 0;
        if (lookup->suggest != NULL && asked) lookup->suggest(lookup->opaque, name, error);
        return false;
    }
    bool utc = zone_is_fixed(found) && found->spans[0].offset_s == 0 && !found->missing;
    *zone = utc ? NULL : found;
    return true;
}
