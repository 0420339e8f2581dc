/* run_inquiry.h - what a shard asks of others about its open runs: how far groups of workers have
 * committed, one group after the other, and, by a tick of its own that it reads back, whether all
 * that stood in the log of reports has been read. Nothing is waited for: between two steps it is
 * looked whether there is an answer. */
#ifndef BELFRY_ENGINE_RUN_INQUIRY_H
#define BELFRY_ENGINE_RUN_INQUIRY_H

#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/observer.h"
#include "dispatcher/runs/runs.h"

struct run_inquiry;

/* Of one owner's time with the shard. Broker and observer are borrowed. */
struct run_inquiry *run_inquiry_create(struct broker *broker, const struct observer *observer,
                                       int32_t shard);
/* NULL is allowed. */
void run_inquiry_destroy(struct run_inquiry *inquiry);

/* Hands the answer on that has come, asks what is to be asked next, sends the tick that is wanted.
 * What fails is told, at most once a minute, and tried again when the runs ask for it. */
void run_inquiry_look(struct run_inquiry *inquiry, struct runs *runs, struct runs_now now);

#endif
