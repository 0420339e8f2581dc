/* owner_name.h - who an owner of shards is: the name that the marks carry. */
#ifndef BELFRY_DAEMON_OWNER_NAME_H
#define BELFRY_DAEMON_OWNER_NAME_H

#include <stddef.h>

#include "lib/base/limits.h"

/* Prefix, host, process and a random part: no two owners of a shard have the same name. */
void owner_name(const char *prefix, char name[OWNER_BYTES_MAX + 1]);

#endif
