/* zone_names.h - names of zones: which are the same everywhere, and which one was meant. */
#ifndef BELFRY_TIME_ZONE_NAMES_H
#define BELFRY_TIME_ZONE_NAMES_H

#include "lib/time/zone.h"

/* A valid name that begins with a capital, as those of the IANA database do: not localtime,
 * posixrules, posix/..., right/.... */
bool zone_name_is_portable(struct text name);

enum { ZONE_NEAR_MAX = 3, ZONE_NEAR_TEXT_BYTES = 3 * (ZONE_NAME_BYTES_MAX + 2) + 32 };

/* The nearest names seen so far. Zero-initialise, set wanted. */
struct zone_near {
    struct text wanted;
    struct {
        char name[ZONE_NAME_BYTES_MAX + 1];
        size_t distance;
    } best[ZONE_NEAR_MAX];
    size_t count;
};

/* Keeps the name when it is near enough: the same but for capitals, a few letters wrong in the
 * whole or in the part after the last '/'. */
void zone_near_offer(struct zone_near *near, const char *name);

/* "; did you mean A, B or C?", empty when nothing is near. Returns text. */
const char *zone_near_text(const struct zone_near *near, char text[ZONE_NEAR_TEXT_BYTES]);

#endif
