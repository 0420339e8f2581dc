#include "dispatcher/engine/foreign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

#define SECOND_US INT64_C(1000000)
#define LOOK_FIRST_US (2 * SECOND_US)
#define LOOK_LAST_US (10 * SECOND_US)
#define LOOK_OLD_US (60 * SECOND_US)
#define PROBE_FIRST_US (1 * SECOND_US)
#define PROBE_LAST_US (60 * SECOND_US)
#define PROBE_FORGET_US (600 * SECOND_US) /* without a failure: pauses are short again */
#define PROBE_SHARE 10 /* probes take one part in so many of the time at most */
#define PROBE_CHARGED_US (60 * SECOND_US) /* what makes one last longer is not its topic */

static int64_t now_us(const struct foreign *foreign)
{
    return foreign->clock->monotonic_us(foreign->clock->opaque);
}

static int64_t longer(int64_t wait_us, int64_t first_us, int64_t last_us)
{
    if (wait_us == 0) return first_us;
    return wait_us * 2 < last_us ? wait_us * 2 : last_us;
}

static void look(struct foreign *foreign, struct foreign_topic *topic)
{
    struct error error = {0};
    struct topic_info info = {0};
    if (foreign->budget == 0) return;
    foreign->budget--;
    bool answered =
        foreign->broker->operations->foreign_topic(foreign->broker, topic->name, &info, &error);
    topic->looked_us = now_us(foreign);
    topic->known = answered;
    topic->info = answered ? info : (struct topic_info){.exists = true};
    topic->look_wait_us = answered && info.exists
                              ? 0 : longer(topic->look_wait_us, LOOK_FIRST_US, LOOK_LAST_US);
    if (!answered) foreign->budget = 0; /* Kafka is not well: the others need not wait, too */
}

static struct foreign_topic *find(struct foreign *foreign, struct text name)
{
    assert(name.length > 0 && name.length < sizeof foreign->topics->name);
    struct foreign_topic *topic = foreign->topics;
    while (topic != NULL && (strlen(topic->name) != name.length ||
                             memcmp(topic->name, name.bytes, name.length) != 0))
        topic = topic->next;
    if (topic != NULL) return topic;
    topic = memory_allocate(1, sizeof *topic);
    memcpy(topic->name, name.bytes, name.length);
    topic->info.exists = true;
    topic->next = foreign->topics;
    foreign->topics = topic;
    return topic;
}

struct foreign_topic *foreign_find(struct foreign *foreign, struct text name)
{
    struct foreign_topic *topic = find(foreign, name);
    bool wanted = !topic->known || !topic->info.exists;
    if (wanted && now_us(foreign) >= topic->looked_us + topic->look_wait_us) look(foreign, topic);
    return topic;
}

void foreign_look_again(struct foreign *foreign, struct foreign_topic *topic)
{
    if (now_us(foreign) >= topic->looked_us + LOOK_OLD_US) look(foreign, topic);
}

void foreign_failed(struct foreign *foreign, struct foreign_topic *topic)
{
    int64_t at_us = now_us(foreign);
    if (at_us > topic->failed_us + PROBE_FORGET_US) topic->probe_wait_us = 0;
    topic->probe_wait_us = longer(topic->probe_wait_us, PROBE_FIRST_US, PROBE_LAST_US);
    topic->failed_us = at_us;
    topic->suspect = true;
    if (foreign->probe_us == 0) return;
    int64_t took_us = at_us - foreign->probe_us;
    if (took_us > PROBE_CHARGED_US) took_us = PROBE_CHARGED_US;
    foreign->quiet_us = at_us + PROBE_SHARE * took_us;
    foreign->probe_us = 0;
}

void foreign_proved(struct foreign_topic *topic)
{
    topic->suspect = false;
}

bool foreign_may_probe(struct foreign *foreign, struct foreign_topic *topic)
{
    int64_t at_us = now_us(foreign);
    if (at_us < topic->failed_us + topic->probe_wait_us || at_us < foreign->quiet_us)
        return false;
    if (topic->looked_us < topic->failed_us) look(foreign, topic);
    return topic->looked_us >= topic->failed_us && topic->known && topic->info.exists;
}

void foreign_probe_begins(struct foreign *foreign)
{
    foreign->probe_us = now_us(foreign);
}

void foreign_clear(struct foreign *foreign)
{
    while (foreign->topics != NULL) {
        struct foreign_topic *next = foreign->topics->next;
        free(foreign->topics);
        foreign->topics = next;
    }
    foreign->quiet_us = 0;
    foreign->probe_us = 0;
}
