/* handout.c - the fires in handlers' hands: how they get there, and how they end. */
#include <assert.h>
#include <stdlib.h>

#include "consumer/state.h"

void belfry_deliveries_free(struct belfry_delivery *list)
{
    while (list != NULL) {
        struct belfry_delivery *next = list->next;
        belfry_fire_free(list->fire);
        free(list);
        list = next;
    }
}

/* ---- the beginning ---- */

static void finish_record(struct belfry_consumer *consumer, const struct belfry_delivery *delivery)
{
    if (delivery->assignment != consumer->assignment) return;
    belfry_partition_finish(consumer, &consumer->partitions[delivery->partition], delivery->offset);
}

struct belfry_fire *belfry_handout_take(struct belfry_consumer *consumer,
                                        struct belfry_delivery **known)
{
    struct belfry_delivery *delivery = NULL;
    if (consumer->draining || atomic_load(&consumer->stopping)) return NULL;
    while ((delivery = belfry_backlog_take(&consumer->backlog)) != NULL) {
        assert(delivery->assignment == consumer->assignment);
        if (belfry_dedupe_add(consumer->window, delivery->id)) break;
        /* It waited behind the one that it repeats. */
        consumer->statistics.duplicates++;
        finish_record(consumer, delivery);
        belfry_backlog_end(&consumer->backlog, delivery);
        delivery->next = *known;
        *known = delivery;
    }
    if (delivery == NULL) return NULL;
    consumer->here++;
    consumer->references++;
    return delivery->fire;
}

/* ---- the end ---- */

/* The poller goes on reading when a quarter of the room is free, so that it is not woken for each
 * fire. */
static bool is_worth_waking(const struct belfry_consumer *consumer)
{
    const struct belfry_backlog *backlog = &consumer->backlog;
    const struct belfry_options *options = &consumer->options;
    if (consumer->awaited == BELFRY_AWAITS_NOTHING) return false;
    if (consumer->awaited == BELFRY_AWAITS_ENDS || consumer->held) return true;
    if (consumer->crew.handler == NULL && backlog->ready > 0) return true;
    return backlog->waiting + backlog->out <= options->buffered_max - options->buffered_max / 4 &&
           backlog->bytes <= options->buffered_bytes_max - options->buffered_bytes_max / 4;
}

static void count_end(struct belfry_statistics *statistics, enum belfry_outcome outcome)
{
    if (outcome == BELFRY_DONE) statistics->done++;
    else if (outcome == BELFRY_FAILED) statistics->failed++;
    else statistics->kept++;
}

struct belfry_delivery *belfry_handout_end(struct belfry_consumer *consumer,
                                           const struct belfry_fire *fire,
                                           enum belfry_outcome *outcome)
{
    struct belfry_delivery *delivery = belfry_backlog_out(&consumer->backlog, fire);
    if (delivery == NULL) return NULL;
    bool ending = consumer->draining || atomic_load(&consumer->stopping);
    if (*outcome == BELFRY_KEPT && !ending) *outcome = BELFRY_FAILED;
    count_end(&consumer->statistics, *outcome);
    if (*outcome != BELFRY_KEPT) finish_record(consumer, delivery);
    if (delivery->assignment == consumer->assignment) consumer->here--;
    belfry_backlog_end(&consumer->backlog, delivery);
    delivery->next = NULL;
    if (is_worth_waking(consumer)) (void)pthread_cond_broadcast(&consumer->changed);
    return delivery;
}

void belfry_handout_tell(const struct belfry_consumer *consumer, const struct belfry_fire *fire,
                         enum belfry_outcome outcome)
{
    if (outcome == BELFRY_DONE) return;
    struct belfry_fields fields = {0};
    belfry_fields_text(&fields, "id", fire->id);
    belfry_fields_text(&fields, "subject", fire->subject);
    belfry_consumer_log(consumer, BELFRY_LOG_WARN,
                        outcome == BELFRY_KEPT ? "fire.kept" : "fire.failed", &fields);
}
