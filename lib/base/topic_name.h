/* topic_name.h - names of Kafka's topics. */
#ifndef BELFRY_BASE_TOPIC_NAME_H
#define BELFRY_BASE_TOPIC_NAME_H

#include <stdbool.h>

#include "lib/base/limits.h"
#include "lib/base/text.h"

enum { TOPIC_NAME_BYTES = TOPIC_BYTES_MAX + 1 };

/* Belfry's own: <cluster>.<suffix>. False: it would be too long, and is cut. */
bool topic_name_of(const char *cluster, const char *suffix, char name[TOPIC_NAME_BYTES])
    __attribute__((warn_unused_result));

/* Whether Kafka would take it as the name of a topic, and it is not internal ("__..."). */
bool topic_name_is_valid(struct text name);

#endif
