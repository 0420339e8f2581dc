#include "schemas/event_json.h"

#include <assert.h>

static void write_text(struct text_writer *writer, const char *name, struct text text)
{
    if (text.length == 0) return;
    text_writer_member(writer, name);
    text_writer_string(writer, text);
}

static void write_instant(struct text_writer *writer, const char *name, int64_t instant_ms)
{
    if (instant_ms == EVENT_FIELD_NONE) return;
    text_writer_member(writer, name);
    text_writer_instant(writer, instant_ms);
}

static void write_integer(struct text_writer *writer, const char *name, int64_t value)
{
    if (value == EVENT_FIELD_NONE) return;
    text_writer_member(writer, name);
    text_writer_integer(writer, value);
}

/* Text, as fires have it. */
static void write_run_number(struct text_writer *writer, int64_t number)
{
    if (number == EVENT_FIELD_NONE) return;
    text_writer_words(writer, ",\"runnumber\":\"");
    text_writer_integer(writer, number);
    text_writer_char(writer, '"');
}

void event_encode(struct text_writer *writer, const struct event *event, int32_t shard)
{
    assert(writer != NULL && event != NULL);
    assert(shard >= 0);
    text_writer_char(writer, '{');
    write_text(writer, "event", text_of(event_kind_name(event->kind)));
    write_instant(writer, "at", event->at_ms);
    write_integer(writer, "shard", shard);
    write_text(writer, "group", event->group);
    write_text(writer, "id", event->id);
    write_text(writer, "incarnation", event->incarnation);
    write_instant(writer, "first", event->first_ms);
    write_instant(writer, "last", event->last_ms);
    write_integer(writer, "count", event->count);
    write_instant(writer, "from", event->from_ms);
    write_instant(writer, "to", event->to_ms);
    write_text(writer, "reason", text_of(event_reason_word(event->reason)));
    write_text(writer, "detail", event->detail);
    write_text(writer, "backfill_id", event->backfill_id);
    write_integer(writer, "rate", event->rate);
    write_instant(writer, "until", event->until_ms);
    write_integer(writer, "epoch", event->epoch);
    write_text(writer, "owner", event->owner);
    write_text(writer, "run", event->run);
    write_run_number(writer, event->run_number);
    text_writer_char(writer, '}');
}
