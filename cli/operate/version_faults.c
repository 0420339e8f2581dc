#include "cli/operate/version_faults.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct version_fault version_faults[] = {
    {"librdkafka", "2.1.0", "2.1.1",
     "a reader may be handed records again that it has had (its issue 4249)",
     "use another release: 2.0.2, or 2.1.1 and later"},
    {"librdkafka", "2.5.0", "2.5.3",
     "it ends the process where a broker asks for client metrics that it does not have (its issue "
     "4833)",
     "use 2.5.3 or later; until then enable.metrics.push=false in [kafka]"},
    {"librdkafka", "2.10.0", "2.10.1",
     "it may crash when metadata of the cluster change (its issue 5057)",
     "use 2.10.1 or later"},
    {"Redis", "6.0.0", "6.0.4",
     "a replica of a replica may hold other data than the primary",
     "use 6.0.4 or later, before such a replica is made the primary"},
};

/* Reads the next number of a version and moves behind its dot; anything else counts as 0. */
static long next_number(const char **version)
{
    char *end = NULL;
    long number = strtol(*version, &end, 10);
    *version = *end == '.' ? end + 1 : "";
    return number;
}

static int compare(const char *left, const char *right)
{
    for (int i = 0; i < 3; i++) {
        long a = next_number(&left);
        long b = next_number(&right);
        if (a != b) return a < b ? -1 : 1;
    }
    return 0;
}

const struct version_fault *version_fault_find(const char *of, const char *version)
{
    for (size_t i = 0; i < sizeof version_faults / sizeof version_faults[0]; i++) {
        const struct version_fault *fault = &version_faults[i];
        if (strcmp(fault->of, of) == 0 && compare(version, fault->first) >= 0 &&
            compare(version, fault->fixed) < 0)
            return fault;
    }
    return NULL;
}
