/* store_filter.h - which jobs a query wants, as far as an index can tell. */
#ifndef BELFRY_STORE_STORE_FILTER_H
#define BELFRY_STORE_STORE_FILTER_H

#include <stddef.h>

/* OR within a list, AND between the lists, an empty list admits all. Terminated names, borrowed.
 * What no index knows (ids, labels, paused) the caller filters by the job's text. */
struct store_filter {
    const char *const *groups;
    size_t group_count;
    const char *const *super_groups;
    size_t super_group_count;
};

#endif
