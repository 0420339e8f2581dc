/* belfry dead ack: marks dead letters as dealt with. They stay where they are. */
#include "cli/write/dead_ack.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/show/cli_clock.h"
#include "cli/words/cli.h"
#include "lib/base/memory.h"

/* ---- records ---- */

static size_t range_end(const struct dead_row *const *rows, size_t count, size_t at)
{
    while (at + 1 < count && rows[at + 1]->partition == rows[at]->partition &&
           rows[at + 1]->offset == rows[at]->offset + 1)
        at++;
    return at;
}

size_t dead_ack_value(struct text_writer *out, const struct dead_row *const *rows, size_t count,
                      int64_t now_ms, const struct said_by *said_by)
{
    size_t at = 0;
    assert(count > 0);
    text_writer_words(out, "{\"acknowledged\":[");
    for (size_t ranges = 0; at < count && rows[at]->partition == rows[0]->partition &&
                            ranges < DEAD_ACK_RANGES_MAX; ranges++) {
        size_t end = range_end(rows, count, at);
        text_writer_format(out, "%s[%" PRId64 ",%" PRId64 "]", ranges > 0 ? "," : "",
                           rows[at]->offset, rows[end]->offset);
        at = end + 1;
    }
    text_writer_char(out, ']');
    text_writer_member(out, "at");
    text_writer_instant(out, now_ms);
    said_by_write(out, said_by);
    text_writer_char(out, '}');
    return at;
}

bool dead_ack_send(const struct settings *settings, struct cli_kafka *producer,
                   const struct dead_row *const *rows, size_t count,
                   const struct said_by *said_by, struct error *error)
{
    char topic[TOPIC_NAME_BYTES];
    struct write_record *records = NULL;
    size_t capacity = 0;
    size_t record_count = 0;
    topic_name(topic, settings, "dead");
    for (size_t at = 0; at < count; record_count++) {
        records = memory_grow(records, &capacity, record_count + 1, sizeof *records);
        struct write_record *record = &records[record_count];
        *record = (struct write_record){.partition = rows[at]->partition};
        at += dead_ack_value(&record->value, rows + at, count - at, cli_now_ms(), said_by);
    }
    bool sent =
        record_count == 0 || cli_kafka_send(producer, topic, records, record_count, error);
    for (size_t i = 0; i < record_count; i++) text_writer_free(&records[i].value);
    free(records);
    return sent;
}

/* ---- the command ---- */

enum exit_code dead_none_left(const struct arguments *arguments)
{
    (void)fputs("belfry: no dead letter matches that is not dealt with yet; belfry dead list shows "
                "those that are not\n", stderr);
    return arguments_has(arguments, "all") ? CLI_OK : CLI_NOT_FOUND;
}

static enum exit_code acknowledge(const struct settings *settings, const struct dead_list *list,
                                  const struct said_by *said_by)
{
    struct error error = {0};
    if (list->count == 0) return dead_none_left(settings->arguments);
    if (arguments_has(settings->arguments, "dry-run")) {
        for (size_t i = 0; i < list->count; i++)
            (void)printf("%" PRId32 "/%" PRId64 "\n", list->places[i]->partition,
                         list->places[i]->offset);
        (void)fprintf(stderr, "belfry: %zu dead %s would be acknowledged\n", list->count,
                      list->count == 1 ? "letter" : "letters");
        return CLI_OK;
    }
    struct cli_kafka *producer = cli_kafka_create(settings, CLI_PRODUCER, &error);
    bool sent = producer != NULL &&
                dead_ack_send(settings, producer, list->places, list->count, said_by,
                              &error);
    cli_kafka_destroy(producer);
    if (!sent) return exit_with(&error);
    (void)fprintf(stderr, "belfry: %zu dead %s acknowledged\n", list->count,
                  list->count == 1 ? "letter is" : "letters are");
    return CLI_OK;
}

enum exit_code dead_ack(const struct invocation *invocation)
{
    struct error error = {0};
    struct dead_filter filter;
    struct dead_place *places = NULL;
    struct dead_list list = {0};
    struct said_by said_by;
    const struct settings *settings = invocation->settings;
    bool read = dead_filter_read(&filter, &places, invocation->arguments, 1, cli_now_ms(),
                                 &error) &&
                dead_filter_must_name(&filter, invocation->arguments, &error) &&
                said_by_read(&said_by, invocation->arguments, &error) &&
                dead_list_read(&list, settings, &filter, 0, &error);
    enum exit_code code = read ? acknowledge(settings, &list, &said_by) : exit_with(&error);
    dead_list_free(&list);
    free(places);
    return code;
}
