#include "dispatcher/engine/run_inquiry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/time/duration.h"
#include "schemas/arena.h"
#include "schemas/run_tick_json.h"

struct run_inquiry {
    struct broker *broker;
    const struct observer *observer;
    int32_t shard;
    struct arena *arena; /* the names of the questions, terminated */
    struct run_question questions[BROKER_PLACES_MAX]; /* by group, topic and partition */
    size_t count;
    size_t at;    /* the first one of the group that is next, or asked */
    size_t asked; /* how many of them are under way; 0: none */
    struct broker_place places[BROKER_PLACES_MAX]; /* of those, each once */
    size_t place_count;
    bool is_told;
    int64_t told_ms; /* steady */
};

struct run_inquiry *run_inquiry_create(struct broker *broker, const struct observer *observer,
                                       int32_t shard)
{
    assert(broker != NULL && observer != NULL);
    struct run_inquiry *inquiry = memory_allocate(1, sizeof *inquiry);
    inquiry->broker = broker;
    inquiry->observer = observer;
    inquiry->shard = shard;
    inquiry->arena = arena_create();
    return inquiry;
}

void run_inquiry_destroy(struct run_inquiry *inquiry)
{
    if (inquiry == NULL) return;
    arena_destroy(inquiry->arena);
    free(inquiry);
}

static void tell(struct run_inquiry *inquiry, const struct error *error, struct runs_now now)
{
    if (inquiry->is_told && now.steady_ms - inquiry->told_ms < MINUTES_MS) return;
    inquiry->is_told = true;
    inquiry->told_ms = now.steady_ms;
    observe(inquiry->observer, OBSERVED_SHARD_RETRY, inquiry->shard,
            &(struct observed){.kind = error_kind_name(error->kind), .message = error->message});
}

/* ---- questions ---- */

static int compare_questions(const void *left, const void *right)
{
    const struct run_question *a = left;
    const struct run_question *b = right;
    int order = strcmp(a->workers.bytes, b->workers.bytes);
    if (order == 0) order = strcmp(a->topic.bytes, b->topic.bytes);
    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static struct text keep_name(struct run_inquiry *inquiry, struct text name)
{
    char *copy = arena_take_bytes(inquiry->arena, name.length + 1);
    memcpy(copy, name.bytes, name.length);
    copy[name.length] = '\0';
    return (struct text){copy, name.length};
}

static void collect(struct run_inquiry *inquiry, struct runs *runs, struct runs_now now)
{
    arena_reset(inquiry->arena);
    inquiry->at = 0;
    inquiry->count = runs_questions(runs, now, inquiry->questions, BROKER_PLACES_MAX);
    for (size_t i = 0; i < inquiry->count; i++) {
        struct run_question *question = &inquiry->questions[i];
        question->workers = keep_name(inquiry, question->workers);
        question->topic = keep_name(inquiry, question->topic);
    }
    if (inquiry->count > 1)
        qsort(inquiry->questions, inquiry->count, sizeof inquiry->questions[0],
              compare_questions);
}

/* The places of the group that is next; how many questions it has. */
static size_t gather(struct run_inquiry *inquiry)
{
    const struct run_question *first = &inquiry->questions[inquiry->at];
    size_t count = 0;
    inquiry->place_count = 0;
    for (; inquiry->at + count < inquiry->count; count++) {
        const struct run_question *question = first + count;
        if (strcmp(question->workers.bytes, first->workers.bytes) != 0) break;
        if (count > 0 && compare_questions(question - 1, question) == 0) continue;
        inquiry->places[inquiry->place_count++] = (struct broker_place){
            question->topic.bytes, question->partition, BROKER_COMMITTED_UNKNOWN};
    }
    return count;
}

static void ask(struct run_inquiry *inquiry, struct runs_now now)
{
    const struct broker_operations *operations = inquiry->broker->operations;
    while (inquiry->asked == 0 && inquiry->at < inquiry->count) {
        struct error error = {0};
        size_t count = gather(inquiry);
        if (operations->ask_committed(inquiry->broker,
                                      inquiry->questions[inquiry->at].workers.bytes,
                                      inquiry->places, inquiry->place_count, &error)) {
            inquiry->asked = count;
        } else {
            tell(inquiry, &error, now);
            inquiry->at += count;
        }
    }
}

static int64_t committed_at(const struct run_inquiry *inquiry, const struct run_question *question)
{
    const struct broker_place *place = inquiry->places;
    while (place->partition != question->partition ||
           strcmp(place->topic, question->topic.bytes) != 0)
        place++; /* it was asked for each */
    return place->committed;
}

static void hand_on(struct run_inquiry *inquiry, struct runs *runs, struct runs_now now)
{
    for (size_t i = 0; i < inquiry->asked; i++) {
        const struct run_question *question = &inquiry->questions[inquiry->at + i];
        int64_t committed = committed_at(inquiry, question);
        if (committed != BROKER_COMMITTED_UNKNOWN) {
            runs_answer(runs, question, committed, now);
            continue;
        }
        struct error error = {0};
        (void)error_set(&error, ERROR_RETRY, "Kafka does not say how far group %.80s has committed "
                        "in topic %.80s: may we describe both?", question->workers.bytes,
                        question->topic.bytes);
        tell(inquiry, &error, now);
    }
}

static void take_answer(struct run_inquiry *inquiry, struct runs *runs, struct runs_now now)
{
    struct error error = {0};
    if (inquiry->asked == 0) return;
    switch (inquiry->broker->operations->committed(inquiry->broker, inquiry->places,
                                                   inquiry->place_count, &error)) {
    case BROKER_ASKED: return;
    case BROKER_ANSWERED: hand_on(inquiry, runs, now); break;
    case BROKER_UNANSWERED: tell(inquiry, &error, now); break;
    case BROKER_UNASKED: break;
    }
    inquiry->at += inquiry->asked;
    inquiry->asked = 0;
}

/* ---- ticks ---- */

static void send_tick(struct run_inquiry *inquiry, struct runs *runs, struct runs_now now)
{
    struct error error = {0};
    struct text_writer writer;
    const struct run_tick tick = runs_send_tick(runs, now);
    text_writer_init(&writer);
    run_tick_encode(&writer, &tick);
    if (!inquiry->broker->operations->tick(inquiry->broker, text_writer_text(&writer), &error))
        tell(inquiry, &error, now);
    text_writer_free(&writer);
}

/* A tick that is wanted because of an answer is sent after that has come. */
void run_inquiry_look(struct run_inquiry *inquiry, struct runs *runs, struct runs_now now)
{
    assert(inquiry != NULL && runs != NULL);
    take_answer(inquiry, runs, now);
    ask(inquiry, now);
    if (inquiry->asked == 0) {
        collect(inquiry, runs, now);
        ask(inquiry, now);
    }
    if (runs_wants_tick(runs, now)) send_tick(inquiry, runs, now);
}
