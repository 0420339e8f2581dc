/* version_faults.h - releases of others with faults that matter to Belfry. Pure. */
#ifndef BELFRY_CLI_VERSION_FAULTS_H
#define BELFRY_CLI_VERSION_FAULTS_H

struct version_fault {
    const char *of;    /* "librdkafka", "Redis" */
    const char *first; /* of the releases with the fault */
    const char *fixed; /* the first one without */
    const char *what;
    const char *advice;
};

/* The fault of a version such as 2.5.0 or 2.5.0-3; NULL: none is known. */
const struct version_fault *version_fault_find(const char *of, const char *version);

#endif
