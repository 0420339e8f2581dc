#include "dispatcher/daemon/pages.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/http/http_server.h"
#include "dispatcher/kafka/kafka_client.h"
#include "lib/base/memory.h"
#include "lib/base/version.h"
#include "schemas/json_reader.h"
#include "schemas/text_writer.h"
#include "store/store_redis.h"

enum { PAGES = 5, UNAVAILABLE = 503 };

struct pages {
    struct pages_options options;
    struct http_page table[PAGES];
    struct http_server *server;
};

static void give(struct http_answer *answer, const struct text_writer *text)
{
    answer->body = text->bytes;
    answer->length = text->length;
}

/* ---- health ---- */

typedef bool health_rule(const struct health_view *view, bool all, struct text_writer *lines);

/* Whether the query has the word `verbose`. */
static bool wants_all(const char *query)
{
    static const char word[] = "verbose";
    for (const char *at = query; *at != '\0'; at += *at == '&' ? 1 : 0) {
        size_t length = strcspn(at, "&=");
        if (length == sizeof word - 1 && memcmp(at, word, length) == 0) return true;
        at += strcspn(at, "&");
    }
    return false;
}

static void health_page(const struct pages *pages, health_rule *rule,
                        const struct http_request *request, struct http_answer *answer)
{
    struct text_writer lines, text;
    text_writer_init(&lines);
    text_writer_init(&text);
    bool well = rule(&pages->options.view, wants_all(request->query), &lines);
    text_writer_words(&text, well ? "ok\n" : "bad\n");
    text_writer_raw(&text, text_writer_text(&lines));
    text_writer_free(&lines);
    answer->status = well ? 0 : UNAVAILABLE;
    give(answer, &text);
}

static void livez_page(void *opaque, const struct http_request *request,
                       struct http_answer *answer)
{
    health_page(opaque, health_is_live, request, answer);
}

static void readyz_page(void *opaque, const struct http_request *request,
                        struct http_answer *answer)
{
    health_page(opaque, health_is_ready, request, answer);
}

/* ---- what runs here ---- */

static void add_text(struct text_writer *text, const char *name, const char *value)
{
    text_writer_member(text, name);
    text_writer_string(text, text_of(value));
}

static void version_page(void *opaque, const struct http_request *request,
                         struct http_answer *answer)
{
    const struct pages *pages = opaque;
    struct board_state state;
    struct text_writer text;
    (void)request;
    shard_board_read(pages->options.view.board, &state, NULL);
    text_writer_init(&text);
    text_writer_char(&text, '{');
    add_text(&text, "version", BELFRY_VERSION);
    text_writer_member(&text, "libraries");
    text_writer_char(&text, '{');
    add_text(&text, "librdkafka", kafka_library_version());
    add_text(&text, "hiredis", store_redis_library());
    add_text(&text, "jansson", json_reader_library());
    add_text(&text, "libmicrohttpd", http_server_library());
    text_writer_char(&text, '}');
    add_text(&text, "tz", state.tz_version);
    add_text(&text, "cluster", pages->options.config->cluster);
    add_text(&text, "owner", state.owner);
    text_writer_words(&text, "}\n");
    answer->content_type = "application/json";
    give(answer, &text);
}

static void configz_page(void *opaque, const struct http_request *request,
                         struct http_answer *answer)
{
    const struct pages *pages = opaque;
    (void)request;
    FILE *out = open_memstream(&answer->body, &answer->length);
    if (out != NULL) config_print(pages->options.config, out);
    if (out == NULL || fclose(out) != 0) answer->status = UNAVAILABLE;
}

/* ---- metrics ---- */

/* The shards that are ours. */
static size_t own_shards(const struct shard_status *statuses, int32_t count,
                         struct metrics_shard *shards)
{
    size_t own = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!statuses[i].wanted) continue;
        shards[own++] = (struct metrics_shard){.shard = i,
                                               .state = metrics_state_find(statuses[i].state),
                                               .still_us = statuses[i].still_us,
                                               .engine = statuses[i].engine};
    }
    return own;
}

static void numbers_page(void *opaque, const struct http_request *request,
                         struct http_answer *answer)
{
    const struct pages *pages = opaque;
    const struct clock *clock = pages->options.view.clock;
    struct shard_board *board = pages->options.view.board;
    int32_t count = shard_board_shards(board);
    struct shard_status *statuses = memory_allocate((size_t)count, sizeof *statuses);
    struct metrics_shard *shards = memory_allocate((size_t)count, sizeof *shards);
    struct board_state state;
    shard_board_read(board, &state, statuses);
    struct metrics_view view = {
        .ready = state.ready,
        .aside = state.aside,
        .redis = state.redis_claimed,
        .shards = shards,
        .shard_count = own_shards(statuses, count, shards),
        .tz_version = state.tz_version,
        .log_dropped = belfry_lines_dropped(pages->options.log),
        .now_us = clock->monotonic_us(clock->opaque),
        .now_ms = clock->now_ms(clock->opaque)};
    struct metrics_page page = metrics_page(pages->options.metrics, &view, request->accept);
    answer->content_type = page.content_type;
    answer->body = page.body;
    answer->length = page.length;
    free(shards);
    free(statuses);
}

/* ---- life ---- */

static bool start(struct pages *pages, struct error *error)
{
    const struct config *config = pages->options.config;
    struct http_options options = {.address = config->http_address,
                                   .hosts = (const char *const *)config->http_hosts.items,
                                   .host_count = config->http_hosts.count,
                                   .token = config->http_token,
                                   .pages = pages->table,
                                   .page_count = PAGES};
    pages->server = http_server_start(&options, error);
    if (pages->server == NULL) return false;
    observe(pages->options.observer, OBSERVED_HTTP_LISTENING, -1,
            &(struct observed){.address = http_server_address(pages->server)});
    return true;
}

struct pages *pages_start(const struct pages_options *options, struct error *error)
{
    assert(options != NULL && options->config->http_listen[0] != '\0');
    struct pages *pages = memory_allocate(1, sizeof *pages);
    const struct http_page table[PAGES] = {
        {"/livez", true, livez_page, pages},       {"/readyz", true, readyz_page, pages},
        {"/metrics", false, numbers_page, pages},  {"/version", false, version_page, pages},
        {"/configz", false, configz_page, pages},
    };
    pages->options = *options;
    memcpy(pages->table, table, sizeof table);
    if (start(pages, error)) return pages;
    free(pages);
    return NULL;
}

void pages_stop(struct pages *pages)
{
    if (pages == NULL) return;
    http_server_stop(pages->server);
    free(pages);
}
