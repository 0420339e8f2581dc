/* recover_topic.h - for recover.c: a topic the shard reads, and where it is to be read on. */
#ifndef BELFRY_RECOVERY_RECOVER_TOPIC_H
#define BELFRY_RECOVERY_RECOVER_TOPIC_H

#include "dispatcher/recovery/recover.h"

bool recover_look_at_topic(struct engine *engine, const struct recover_options *options,
                           enum broker_topic name, struct recover_topic *topic,
                           struct error *error);
/* Whether it is another log than the mark's owner has read: no daemon goes on with it. */
bool recover_look_whether_other(struct engine *engine, const struct recover_options *options,
                                const struct mark *mark, struct recover_plan *plan,
                                struct error *error);
bool recover_reads_on(int64_t offset, const struct recover_topic *topic);
/* Where a topic is to be read on: at the old mark's offset if this is the topic it speaks of
 * (`same`: it is of this Kafka), else at the first record that is younger than the mark, or than
 * the last one that was read of a topic that is known to be another now. */
bool recover_fit_offset(const struct recover_options *options, enum input input, bool same,
                        const struct mark *mark, int64_t marked_ms, struct recover_topic *topic,
                        struct error *error);

/* A new generation ends every run that was open: nothing that was reported before is read. */
bool recover_fit_runs(struct engine *engine, const struct recover_options *options,
                      struct mark *mark, struct error *error);

#endif
