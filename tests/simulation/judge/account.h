/* account.h - the final account: every slot fired once or named, every command answered once by
 * each shard that it concerns. */
#ifndef BELFRY_TESTS_ACCOUNT_H
#define BELFRY_TESTS_ACCOUNT_H

#include "tests/simulation/judge/model.h"
#include "tests/simulation/world/world.h"

void account_judge(struct world *world, const struct model *model, int32_t shard);
void account_judge_commands(struct world *world);
/* No id of a slot or a backfill comes twice, in whatever life of whatever name. */
void account_judge_ids(struct world *world);
/* rest.c: the owner's memory beside the model. */
void rest_judge_model(struct world *world, const struct model *model, int32_t shard);
/* definition_rest.c: every field of one job. */
struct job;
void rest_judge_definition(struct world *world, const struct life *life, const struct job *job);

#endif
