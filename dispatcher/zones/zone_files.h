/* zone_files.h - time zones from the system's TZif files, each read once and kept for good. One
 * object serves every thread of the process. */
#ifndef BELFRY_ZONES_ZONE_FILES_H
#define BELFRY_ZONES_ZONE_FILES_H

#include "dispatcher/core/zone.h"

struct zone_files;

/* `directory` is copied; NULL: the environment's TZDIR, else /usr/share/zoneinfo. Reads nothing but
 * the version of the data. */
struct zone_files *zone_files_create(const char *directory);
/* Frees the zones too: nothing may use them any more. */
void zone_files_destroy(struct zone_files *files);

/* For the core and the codecs. Lives as long as `files`. Names are those of the IANA database, as
 * they are written there; "localtime" and the like, which mean another zone on each machine, are
 * unknown. */
const struct zone_lookup *zone_files_lookup(const struct zone_files *files);

/* Such as "2025b", "unknown" when the files do not tell; ZONE_VERSION_BYTES at most. */
enum { ZONE_VERSION_BYTES = 16 };
const char *zone_files_version(const struct zone_files *files);

/* Calls `visit` with the name of each zone there is, in no order, until it returns false. */
void zone_files_each(const struct zone_files *files,
                     bool (*visit)(void *opaque, const char *name), void *opaque);

#endif
