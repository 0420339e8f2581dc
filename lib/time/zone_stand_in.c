#include "lib/time/zone_stand_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

struct stand_in {
    struct zone zone;
    struct zone_span span;
    uint16_t bucket;
    struct stand_in *next;
};

struct zone_stand_ins {
    const struct zone_lookup *real;
    struct zone_lookup lookup;
    struct stand_in *first;
};

static const struct zone *stand_in_of(struct zone_stand_ins *stand_ins, struct text name)
{
    for (struct stand_in *one = stand_ins->first; one != NULL; one = one->next)
        if (text_equal(text_of(one->zone.name), name)) return &one->zone;
    struct stand_in *one = memory_allocate(1, sizeof *one);
    one->zone = (struct zone){.cycle_s = INT64_MAX,
                              .span_count = 1,
                              .bucket_count = 1,
                              .spans = &one->span,
                              .buckets = &one->bucket,
                              .missing = true};
    memcpy(one->zone.name, name.bytes, name.length);
    one->next = stand_ins->first;
    stand_ins->first = one;
    return &one->zone;
}

static const struct zone *find(void *opaque, struct text name, struct error *error)
{
    struct zone_stand_ins *stand_ins = opaque;
    const struct zone *zone = NULL;
    if (stand_ins->real != NULL && stand_ins->real->find != NULL)
        zone = stand_ins->real->find(stand_ins->real->opaque, name, error);
    if (zone != NULL) return zone;
    error_clear(error);
    return stand_in_of(stand_ins, name);
}

struct zone_stand_ins *zone_stand_ins_create(const struct zone_lookup *real)
{
    struct zone_stand_ins *stand_ins = memory_allocate(1, sizeof *stand_ins);
    stand_ins->real = real;
    stand_ins->lookup = (struct zone_lookup){.find = find, .opaque = stand_ins};
    return stand_ins;
}

void zone_stand_ins_destroy(struct zone_stand_ins *stand_ins)
{
    if (stand_ins == NULL) return;
    struct stand_in *next = NULL;
    for (struct stand_in *one = stand_ins->first; one != NULL; one = next) {
        next = one->next;
        free(one);
    }
    free(stand_ins);
}

const struct zone_lookup *zone_stand_ins_lookup(const struct zone_stand_ins *stand_ins)
{
    return &stand_ins->lookup;
}
