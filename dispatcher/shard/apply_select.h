/* apply_select.h - commands that act on the jobs a selector matches. */
#ifndef BELFRY_SHARD_APPLY_SELECT_H
#define BELFRY_SHARD_APPLY_SELECT_H

#include "dispatcher/shard/answer.h"
#include "dispatcher/shard/shard.h"

/* Decides over all matching jobs, then changes them. False: the transaction is full; in_command
 * says how far it came, and after the commit apply_select_continue() goes on. */
bool apply_select(struct shard *shard, struct answer *answer,
                  const struct application *application, const struct sink *sink);
bool apply_select_continue(struct shard *shard, const struct application *application,
                           const struct sink *sink);

#endif
