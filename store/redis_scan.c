#include "store/redis_scan.h"

#include <assert.h>
#include <string.h>

/* The size of a slice follows the size of the values: small ones come by the thousand, the
 * largest payloads do not fill the memory. */
enum {
    SCAN_COUNT_FIRST = 200,
    SCAN_COUNT_MIN = 20,
    SCAN_COUNT_MAX = 1000,
    SCAN_SLICE_BYTES_MAX = 2 * 1024 * 1024
};

static bool send_scan(struct redis_connection *connection, const char *key, const char *cursor,
                      int count, struct error *error)
{
    assert(count >= SCAN_COUNT_MIN && count <= SCAN_COUNT_MAX);
    struct redis_command command = {0};
    redis_command_start(&command, "HSCAN");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, cursor);
    redis_command_add_text(&command, "COUNT");
    redis_command_add_number(&command, count);
    bool sent = redis_connection_send(connection, &command, error) &&
                redis_connection_flush(connection, error);
    redis_command_release(&command);
    return sent;
}

static bool is_scan_answer(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[1]->type == REDIS_REPLY_ARRAY && reply->element[1]->elements % 2 == 0;
}

static bool visit_slice(const redisReply *slice, enum store_item_kind kind,
                        store_item_visitor *visitor, void *opaque, struct error *error)
{
    assert(slice->elements % 2 == 0);
    for (size_t i = 0; i < slice->elements; i += 2) {
        const redisReply *name = slice->element[i];
        const redisReply *text = slice->element[i + 1];
        const struct store_item item = {
            .kind = kind,
            .name = name->str,
            .name_bytes = name->len,
            .text = text->str,
            .text_bytes = text->len,
        };
        if (!visitor(opaque, &item, error)) return false;
    }
    return true;
}

static int next_count(int count, const redisReply *slice)
{
    size_t bytes = 0;
    for (size_t i = 0; i < slice->elements; i++) bytes += slice->element[i]->len;
    if (bytes > SCAN_SLICE_BYTES_MAX) count /= 4;
    else if (bytes < SCAN_SLICE_BYTES_MAX / 4) count *= 2;
    if (count < SCAN_COUNT_MIN) return SCAN_COUNT_MIN;
    return count > SCAN_COUNT_MAX ? SCAN_COUNT_MAX : count;
}

bool redis_scan_hash(struct redis_connection *connection, const char *key,
                     enum store_item_kind kind, store_item_visitor *visitor, void *opaque,
                     struct error *error)
{
    assert(key != NULL);
    assert(visitor != NULL);
    int count = SCAN_COUNT_FIRST;
    if (!redis_connection_begin(connection, error)) return false;
    if (!send_scan(connection, key, "0", count, error)) return false;
    for (;;) {
        redisReply *reply = redis_connection_receive(connection, error);
        if (reply == NULL) return false;
        bool fine = redis_reply_check(reply, key, error);
        if (fine && !is_scan_answer(reply))
            fine = error_set(error, ERROR_RETRY, "Redis: HSCAN %s: unexpected answer", key);
        bool last = fine && strcmp(reply->element[0]->str, "0") == 0;
        if (fine && !last) {
            count = next_count(count, reply->element[1]);
            redis_connection_extend(connection);
            fine = send_scan(connection, key, reply->element[0]->str, count, error);
        }
        if (fine && !visit_slice(reply->element[1], kind, visitor, opaque, error)) {
            redis_connection_drain(connection);
            fine = false;
        }
        freeReplyObject(reply);
        if (!fine || last) return fine;
        redis_connection_extend(connection);
    }
}
