#include "dispatcher/kafka/kafka_question.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/kafka/kafka_client.h"
#include "dispatcher/kafka/kafka_error.h"
#include "lib/base/memory.h"
#include "lib/base/quiet_thread.h"

enum { REFUSAL_BYTES = 200 };
static const char what[] = "committed offsets of workers";

enum progress { UNDER_WAY = 0, ANSWERED, GIVEN_UP };

/* One question: its thread's until it is answered, then the shard's; if that has given it up
 * before, the thread's to the end. */
struct asked {
    struct kafka_client client;
    rd_kafka_t *handle;
    rd_kafka_topic_partition_list_t *places;
    rd_kafka_resp_err_t code; /* of the whole; the places then say nothing */
    _Atomic int progress;
};

struct kafka_question {
    const struct kafka_options *options;
    struct asked *asked; /* NULL: nothing */
};

struct kafka_question *kafka_question_create(const struct kafka_options *options)
{
    assert(options != NULL);
    struct kafka_question *question = memory_allocate(1, sizeof *question);
    question->options = options;
    return question;
}

static void asked_free(struct asked *asked)
{
    rd_kafka_topic_partition_list_destroy(asked->places);
    free(asked);
}

static void give_up(struct kafka_question *question)
{
    int under_way = UNDER_WAY;
    struct asked *asked = question->asked;
    question->asked = NULL;
    if (asked != NULL && !atomic_compare_exchange_strong(&asked->progress, &under_way, GIVEN_UP))
        asked_free(asked);
}

void kafka_question_destroy(struct kafka_question *question)
{
    if (question == NULL) return;
    give_up(question);
    free(question);
}

static void close_handle(struct asked *asked)
{
    rd_kafka_destroy_flags(asked->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

/* In a thread of its own. */
static void *wait_for_answer(void *argument)
{
    struct asked *asked = argument;
    int under_way = UNDER_WAY;
    asked->code = rd_kafka_committed(asked->handle, asked->places, KAFKA_REQUEST_WAIT_MS);
    close_handle(asked); /* it has the client borrowed, which is the shard's from here on */
    if (!atomic_compare_exchange_strong(&asked->progress, &under_way, ANSWERED))
        asked_free(asked);
    return NULL;
}

/* The handle of one question; NULL: it cannot be made. */
static rd_kafka_t *open_handle(struct kafka_client *client, const struct kafka_options *options,
                               const char *group, struct error *error)
{
    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_conf_t *conf = kafka_options_properties(options, KAFKA_ASKER, 0, error);
    if (conf == NULL) return NULL;
    if (rd_kafka_conf_set(conf, "group.id", group, refusal, sizeof refusal) == RD_KAFKA_CONF_OK)
        return kafka_client_open(client, conf, KAFKA_ASKER, error);
    rd_kafka_conf_destroy(conf);
    error_set(error, ERROR_RETRY, "kafka: %s: %s", what, refusal);
    return NULL;
}

bool kafka_question_ask(struct kafka_question *question, const char *group,
                        const struct broker_place *places, size_t count, struct error *error)
{
    assert(question != NULL);
    assert(count > 0 && count <= BROKER_PLACES_MAX);
    pthread_t thread;
    give_up(question);
    if (group == NULL || group[0] == '\0')
        return error_invalid(error, CODE_BAD_NAME, "a consumer group has a name");
    struct asked *asked = memory_allocate(1, sizeof *asked);
    asked->client = (struct kafka_client){.log = question->options->log};
    asked->places = rd_kafka_topic_partition_list_new((int)count);
    asked->handle = open_handle(&asked->client, question->options, group, error);
    if (asked->handle == NULL) {
        asked_free(asked);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        (void)rd_kafka_topic_partition_list_add(asked->places, places[i].topic,
                                                places[i].partition);
    int failed = quiet_thread_start(&thread, wait_for_answer, asked);
    if (failed == 0) {
        (void)pthread_detach(thread);
        question->asked = asked;
        return true;
    }
    close_handle(asked);
    asked_free(asked);
    return error_set(error, ERROR_RETRY, "kafka: %s: no thread: %s", what, strerror(failed));
}

static int64_t committed_at(const rd_kafka_topic_partition_list_t *list,
                            const struct broker_place *place)
{
    const rd_kafka_topic_partition_t *told = rd_kafka_topic_partition_list_find(
        (rd_kafka_topic_partition_list_t *)list, place->topic, place->partition);
    if (told == NULL || told->err != RD_KAFKA_RESP_ERR_NO_ERROR) return BROKER_COMMITTED_UNKNOWN;
    return told->offset >= 0 ? told->offset : BROKER_COMMITTED_NONE;
}

enum broker_answer kafka_question_answer(struct kafka_question *question,
                                         struct broker_place *places, size_t count,
                                         struct error *error)
{
    assert(question != NULL);
    const struct asked *asked = question->asked;
    if (asked == NULL) return BROKER_UNASKED;
    if (atomic_load(&asked->progress) == UNDER_WAY) return BROKER_ASKED;
    bool told = asked->code == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (size_t i = 0; i < count && told; i++)
        places[i].committed = committed_at(asked->places, &places[i]);
    if (!told) (void)kafka_error_code(NULL, KAFKA_LOOK_UP, asked->code, what, error);
    give_up(question);
    return told ? BROKER_ANSWERED : BROKER_UNANSWERED;
}
