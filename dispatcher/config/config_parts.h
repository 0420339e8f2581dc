/* config_parts.h - the pieces of config_load(); not for others. */
#ifndef BELFRY_CONFIG_CONFIG_PARTS_H
#define BELFRY_CONFIG_CONFIG_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "dispatcher/config/config.h"
#include "dispatcher/config/config_options.h"
#include "lib/base/error.h"

/* "kafka", "kafka.producer", "kafka.consumer" by client. */
extern const char *const config_client_sections[CLIENT_COUNT];

/* Passes a property on to librdkafka's clients; NAME_file = PATH reads its value from a file.
 *   errors  ERROR_INVALID: librdkafka does not know it or refuses the value, given twice, a
 *           secret that is not in a file */
bool config_property_add(struct config_properties *properties, const char *section,
                         const char *name, const char *value, struct error *error)
    __attribute__((warn_unused_result));

/* What lies between the options: topics that may be named, the Redis URL with its password,
 * properties that belong to Belfry. Fills config->redis. */
bool config_finish(struct config *config, struct error *error)
    __attribute__((warn_unused_result));

#endif
