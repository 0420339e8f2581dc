#include "store/redis_range.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "store/redis_command.h"
#include "store/redis_keys.h"

enum {
    WINDOW_RANGES = 64,  /* asked for in one go */
    SLICE_NAMES = 200,   /* names of one range in one answer */
    MEMBER_BYTES = NAME_BYTES_MAX + 1 + JOB_NAME_BYTES_MAX,
    BOUND_BYTES = MEMBER_BYTES + 2
};

/* '0' follows '/', so [prefix/ and (prefix0 enclose exactly what begins with "prefix/". */
struct redis_range {
    int32_t shard;
    enum redis_key index;
    size_t strip_bytes; /* of a member, before the job's name */
    char *from;         /* exclusive from the second slice on */
    char *beyond;
};

static char *make_bound(char border, const char *super_group, const char *group, char end)
{
    char text[BOUND_BYTES + 1];
    bool both = super_group != NULL && group != NULL;
    int length =
        snprintf(text, sizeof text, "%c%s%s%s%c", border, super_group != NULL ? super_group : "",
                 both ? "/" : "", group != NULL ? group : "", end);
    assert(length > 0 && (size_t)length < sizeof text);
    return memory_copy_text(text, (size_t)length);
}

void redis_ranges_add(struct redis_ranges *ranges, int32_t shard, const char *super_group,
                      const char *group)
{
    assert(super_group != NULL || group != NULL);
    assert(group == NULL || strlen(group) <= NAME_BYTES_MAX);
    assert(super_group == NULL || strlen(super_group) <= NAME_BYTES_MAX);
    ranges->items =
        memory_grow(ranges->items, &ranges->capacity, ranges->count + 1, sizeof ranges->items[0]);
    ranges->items[ranges->count++] = (struct redis_range){
        .shard = shard,
        .index = super_group != NULL ? REDIS_KEY_SUPER_GROUPS : REDIS_KEY_GROUPS,
        .strip_bytes = super_group != NULL ? strlen(super_group) + 1 : 0,
        .from = make_bound('[', super_group, group, '/'),
        .beyond = make_bound('(', super_group, group, '0'),
    };
}

void redis_ranges_release(struct redis_ranges *ranges)
{
    assert(ranges != NULL);
    for (size_t i = 0; i < ranges->count; i++) {
        free(ranges->items[i].from);
        free(ranges->items[i].beyond);
    }
    free(ranges->items);
    memset(ranges, 0, sizeof *ranges);
}

static bool send_names(struct redis_connection *connection, const struct redis_range *range,
                       struct redis_command *command, struct error *error)
{
    char key[REDIS_KEY_BYTES];
    redis_key_make(key, redis_connection_options(connection)->cluster, range->shard, range->index);
    redis_command_start(command, "ZRANGEBYLEX");
    redis_command_add_text(command, key);
    redis_command_add_text(command, range->from);
    redis_command_add_text(command, range->beyond);
    redis_command_add_text(command, "LIMIT");
    redis_command_add_text(command, "0");
    redis_command_add_number(command, SLICE_NAMES);
    return redis_connection_send(connection, command, error);
}

/* A member is what write.lua put there; anything longer or shorter is not ours. */
static bool are_members(const struct redis_range *range, const redisReply *names,
                        struct error *error)
{
    if (!redis_reply_check(names, "list jobs", error)) return false;
    bool fine = names->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; fine && i < names->elements; i++) {
        const redisReply *member = names->element[i];
        fine = member->type == REDIS_REPLY_STRING && member->len > range->strip_bytes &&
               member->len <= MEMBER_BYTES;
    }
    return fine || error_set(error, ERROR_RETRY,
                             "Redis: list jobs: a name in the index is "
                             "unreadable; `belfry rebuild` writes it anew");
}

static bool send_texts(struct redis_connection *connection, const struct redis_range *range,
                       const redisReply *names, struct redis_command *command, struct error *error)
{
    assert(names->elements > 0);
    char key[REDIS_KEY_BYTES];
    redis_key_make(key, redis_connection_options(connection)->cluster, range->shard,
                   REDIS_KEY_JOBS);
    redis_command_start(command, "HMGET");
    redis_command_add_text(command, key);
    for (size_t i = 0; i < names->elements; i++)
        redis_command_add(command, names->element[i]->str + range->strip_bytes,
                          names->element[i]->len - range->strip_bytes);
    return redis_connection_send(connection, command, error);
}

static bool visit_texts(const struct redis_range *range, const redisReply *names,
                        const redisReply *texts, store_item_visitor *visitor, void *opaque,
                        struct error *error)
{
    if (!redis_reply_check(texts, "list jobs", error)) return false;
    if (texts->type != REDIS_REPLY_ARRAY || texts->elements != names->elements)
        return error_set(error, ERROR_RETRY, "Redis: list jobs: unexpected answer to HMGET");
    for (size_t i = 0; i < names->elements; i++) {
        const redisReply *name = names->element[i];
        const redisReply *text = texts->element[i];
        if (text->type != REDIS_REPLY_STRING) continue;
        const struct store_item item = {
            .kind = STORE_JOB_PUT,
            .name = name->str + range->strip_bytes,
            .name_bytes = name->len - range->strip_bytes,
            .text = text->str,
            .text_bytes = text->len,
        };
        if (!visitor(opaque, &item, error)) return false;
    }
    return true;
}

/* A full slice: the rest of the range begins behind its last name. */
static bool advance_range(struct redis_range *range, const redisReply *names)
{
    if (names->elements < SLICE_NAMES) return false;
    const redisReply *last = names->element[names->elements - 1];
    char from[BOUND_BYTES];
    from[0] = '(';
    memcpy(from + 1, last->str, last->len);
    free(range->from);
    range->from = memory_copy_text(from, last->len + 1);
    return true;
}

/* Moves the ranges that have more to the window's front; returns how many. */
static size_t advance_window(struct redis_range *window, size_t count, redisReply *const *names)
{
    size_t more = 0;
    for (size_t i = 0; i < count; i++) {
        if (!advance_range(&window[i], names[i])) continue;
        const struct redis_range moved = window[more];
        window[more++] = window[i];
        if (i >= more) window[i] = moved;
    }
    return more;
}

/* Visits the jobs whose texts were asked for. */
static bool take_texts(const struct redis_range *window, size_t count, redisReply *const *names,
                       struct redis_connection *connection, store_item_visitor *visitor,
                       void *opaque, struct error *error)
{
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++) {
        if (names[i]->elements == 0) continue;
        redis_connection_extend(connection);
        redisReply *texts = redis_connection_receive(connection, error);
        fine = texts != NULL && visit_texts(&window[i], names[i], texts, visitor, opaque, error);
        if (texts != NULL) freeReplyObject(texts);
    }
    return fine;
}

/* Asks for a slice of each range in the window, then for the jobs of all slices. The ranges that
 * have more are moved to the window's front; *more tells how many. */
static bool visit_window(struct redis_range *window, size_t count,
                         struct redis_connection *connection, store_item_visitor *visitor,
                         void *opaque, size_t *more, struct error *error)
{
    assert(count > 0 && count <= WINDOW_RANGES);
    redisReply *names[WINDOW_RANGES] = {0};
    struct redis_command command = {0};
    bool fine = redis_connection_begin(connection, error);
    *more = 0;
    for (size_t i = 0; i < count && fine; i++)
        fine = send_names(connection, &window[i], &command, error);
    for (size_t i = 0; i < count && fine; i++) {
        names[i] = redis_connection_receive(connection, error);
        fine = names[i] != NULL && are_members(&window[i], names[i], error);
    }
    for (size_t i = 0; i < count && fine; i++)
        if (names[i]->elements > 0)
            fine = send_texts(connection, &window[i], names[i], &command, error);
    fine = fine && take_texts(window, count, names, connection, visitor, opaque, error);
    if (fine) *more = advance_window(window, count, names);
    if (!fine) redis_connection_drain(connection);
    for (size_t i = 0; i < count; i++)
        if (names[i] != NULL) freeReplyObject(names[i]);
    redis_command_release(&command);
    return fine;
}

bool redis_ranges_visit(struct redis_ranges *ranges, struct redis_connection *connection,
                        store_item_visitor *visitor, void *opaque, struct error *error)
{
    assert(ranges != NULL);
    assert(visitor != NULL);
    for (size_t first = 0; first < ranges->count; first += WINDOW_RANGES) {
        size_t left = ranges->count - first;
        if (left > WINDOW_RANGES) left = WINDOW_RANGES;
        while (left > 0) {
            size_t more = 0;
            if (!visit_window(ranges->items + first, left, connection, visitor, opaque, &more,
                              error))
                return false;
            left = more;
        }
    }
    return true;
}
