#include "dispatcher/engine/foreign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/memory.h"

#define LOOK_AGAIN_US INT64_C(60000000)
#define LOOK_AGAIN_MISSING_US INT64_C(2000000)

static void look_up(struct foreign *foreign, struct foreign_topic *topic)
{
    int64_t now_us = foreign->clock->monotonic_us(foreign->clock->opaque);
    if (topic->looked_up && now_us < topic->look_again_us) return;
    struct error error = {0};
    struct topic_info info = {.exists = true};
    if (!foreign->broker->operations->foreign_topic(foreign->broker, topic->name, &info, &error))
        info = (struct topic_info){.exists = true};
    topic->info = info;
    topic->looked_up = true;
    topic->look_again_us = now_us + (info.exists ? LOOK_AGAIN_US : LOOK_AGAIN_MISSING_US);
}

struct foreign_topic *foreign_find(struct foreign *foreign, struct text name)
{
    assert(name.length > 0 && name.length < sizeof foreign->topics->name);
    struct foreign_topic *topic = foreign->topics;
    while (topic != NULL && (strlen(topic->name) != name.length ||
                             memcmp(topic->name, name.bytes, name.length) != 0))
        topic = topic->next;
    if (topic == NULL) {
        topic = memory_allocate(1, sizeof *topic);
        memcpy(topic->name, name.bytes, name.length);
        topic->next = foreign->topics;
        foreign->topics = topic;
    }
    look_up(foreign, topic);
    return topic;
}

void foreign_clear(struct foreign *foreign)
{
    while (foreign->topics != NULL) {
        struct foreign_topic *next = foreign->topics->next;
        free(foreign->topics);
        foreign->topics = next;
    }
}
