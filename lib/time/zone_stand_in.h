/* zone_stand_in.h - a lookup for records, which have to be read also where a zone of theirs is not
 * there: it then hands out a zone of that name which is marked as missing. A schedule in it names
 * no instants; what happens to its job is in zoneless.c. */
#ifndef BELFRY_TIME_ZONE_STAND_IN_H
#define BELFRY_TIME_ZONE_STAND_IN_H

#include "lib/time/zone.h"

struct zone_stand_ins;

/* `real` is borrowed; NULL: UTC only. */
struct zone_stand_ins *zone_stand_ins_create(const struct zone_lookup *real);
/* Frees the zones that stand in: nothing may use them any more. */
void zone_stand_ins_destroy(struct zone_stand_ins *stand_ins);

/* Of one thread. Lives as long as `stand_ins`. */
const struct zone_lookup *zone_stand_ins_lookup(const struct zone_stand_ins *stand_ins);

#endif
