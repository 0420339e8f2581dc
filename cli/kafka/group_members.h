/* group_members.h - who is in a consumer group. */
#ifndef BELFRY_CLI_GROUP_MEMBERS_H
#define BELFRY_CLI_GROUP_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/kafka/cli_kafka.h"
#include "lib/base/error.h"

/* An array of {"member": id, "client": client id, "host"}, owned by the caller; empty where there
 * is no such group. Foreign texts.
 *   errors  ERROR_RETRY Kafka does not answer; ERROR_FATAL no right to ask */
bool group_members_read(struct cli_kafka *client, int64_t timeout_ms, const char *group,
                        json_t **members, struct error *error) __attribute__((warn_unused_result));

#endif
