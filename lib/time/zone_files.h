/* zone_files.h - time zones from the system's TZif files. All are read once, together, when the
 * first zone or the version is asked for, and kept for good: what a package does to the directory
 * later changes nothing. One object serves every thread of the process. */
#ifndef BELFRY_TIME_ZONE_FILES_H
#define BELFRY_TIME_ZONE_FILES_H

#include "lib/time/zone.h"

struct zone_files;

/* `directory` is copied; NULL: the environment's TZDIR, else /usr/share/zoneinfo. Reads nothing
 * yet. */
struct zone_files *zone_files_create(const char *directory);
/* Frees the zones too: nothing may use them any more. */
void zone_files_destroy(struct zone_files *files);

/* For the core and the codecs. Lives as long as `files`. Names are those of the IANA database, as
 * they are written there; "localtime" and the like, which mean another zone on each machine, are
 * unknown. */
const struct zone_lookup *zone_files_lookup(const struct zone_files *files);

/* Such as "2025b-8f3a1c02": what the release calls itself ("zones" when the files do not tell), and
 * a digest of all that was read. */
enum { ZONE_VERSION_BYTES = 16 };
const char *zone_files_version(struct zone_files *files);

/* Bytes kept, the tables decoded so far aside. */
size_t zone_files_bytes(struct zone_files *files);

/* Calls `visit` with the name of each zone there is, in order, until it returns false. */
void zone_files_each(struct zone_files *files, bool (*visit)(void *opaque, const char *name),
                     void *opaque);

#endif
