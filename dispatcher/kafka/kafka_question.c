#include "dispatcher/kafka/kafka_question.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/kafka/kafka_error.h"
#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/memory.h"

enum { REFUSAL_BYTES = 160 };
static const char what[] = "committed offsets of workers";

struct kafka_question {
    rd_kafka_t *handle;
    const struct clock *clock;
    rd_kafka_queue_t *queue; /* of the question under way; NULL: there is none */
    int64_t deadline_us;
};

struct kafka_question *kafka_question_create(rd_kafka_t *handle, const struct clock *clock)
{
    assert(handle != NULL && clock != NULL);
    struct kafka_question *question = memory_allocate(1, sizeof *question);
    question->handle = handle;
    question->clock = clock;
    return question;
}

/* An answer that comes for it finds nobody. */
static void give_up(struct kafka_question *question)
{
    if (question->queue != NULL) rd_kafka_queue_destroy(question->queue);
    question->queue = NULL;
}

void kafka_question_destroy(struct kafka_question *question)
{
    if (question == NULL) return;
    give_up(question);
    free(question);
}

static int64_t now_us(const struct kafka_question *question)
{
    return question->clock->monotonic_us(question->clock->opaque);
}

static void ask_coordinator(struct kafka_question *question, const char *group,
                            const rd_kafka_topic_partition_list_t *list)
{
    char refusal[REFUSAL_BYTES] = "";
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(question->handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_resp_err_t code = rd_kafka_AdminOptions_set_request_timeout(
        options, KAFKA_REQUEST_WAIT_MS, refusal, sizeof refusal);
    assert(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)code;
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_ListConsumerGroupOffsets(question->handle, &request, 1, options, question->queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_AdminOptions_destroy(options);
}

bool kafka_question_ask(struct kafka_question *question, const char *group,
                        const struct broker_place *places, size_t count, struct error *error)
{
    assert(question != NULL);
    assert(count > 0 && count <= BROKER_PLACES_MAX);
    give_up(question);
    if (group == NULL || group[0] == '\0')
        return error_invalid(error, CODE_BAD_NAME, "a consumer group has a name");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        (void)rd_kafka_topic_partition_list_add(list, places[i].topic, places[i].partition);
    question->queue = rd_kafka_queue_new(question->handle);
    question->deadline_us = now_us(question) + 2 * KAFKA_REQUEST_WAIT_MS * INT64_C(1000);
    ask_coordinator(question, group, list);
    rd_kafka_topic_partition_list_destroy(list);
    return true;
}

static void fill(const rd_kafka_topic_partition_list_t *list, struct broker_place *places,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *told = rd_kafka_topic_partition_list_find(
            (rd_kafka_topic_partition_list_t *)list, places[i].topic, places[i].partition);
        bool known = told != NULL && told->err == RD_KAFKA_RESP_ERR_NO_ERROR && told->offset >= 0;
        places[i].committed = known ? told->offset : -1;
    }
}

static bool take(const rd_kafka_event_t *event, struct broker_place *places, size_t count,
                 struct error *error)
{
    size_t groups = 0;
    rd_kafka_resp_err_t code = rd_kafka_event_error((rd_kafka_event_t *)event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_error_code(NULL, KAFKA_LOOK_UP, code, what, error);
        return false;
    }
    const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result((rd_kafka_event_t *)event), &groups);
    if (groups != 1) return error_set(error, ERROR_RETRY, "kafka: %s: not told", what);
    const rd_kafka_error_t *refused = rd_kafka_group_result_error(results[0]);
    if (refused != NULL) {
        (void)kafka_error_code(NULL, KAFKA_LOOK_UP, rd_kafka_error_code(refused), what, error);
        return false;
    }
    fill(rd_kafka_group_result_partitions(results[0]), places, count);
    return true;
}

enum broker_answer kafka_question_answer(struct kafka_question *question,
                                         struct broker_place *places, size_t count,
                                         struct error *error)
{
    assert(question != NULL);
    if (question->queue == NULL) return BROKER_UNASKED;
    rd_kafka_event_t *event = rd_kafka_queue_poll(question->queue, 0);
    if (event == NULL && now_us(question) < question->deadline_us) return BROKER_ASKED;
    bool taken = event != NULL ? take(event, places, count, error)
                               : error_set(error, ERROR_RETRY, "kafka: %s: no answer", what);
    if (event != NULL) rd_kafka_event_destroy(event);
    give_up(question);
    return taken ? BROKER_ANSWERED : BROKER_UNANSWERED;
}
