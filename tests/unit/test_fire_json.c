#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schemas/fire_json.h"

static const struct incarnation an_incarnation = {1795290000123, 10422, 0, 3};

static struct fire_view a_fire(void)
{
    return (struct fire_view){.group = text_of("billing"), .id = text_of("invoice-nightly"),
                              .payload = text_of("{\"report\":\"nightly\"}"),
                              .incarnation = &an_incarnation, .revision = 7,
                              .nominal_ms = 1795294674000, .due_ms = 1795294674000,
                              .now_ms = 1795294674012, .attempt = 1};
}

/* The order of docs/contract.md, which test_corpus.c holds against an example file too. */
static void test_structured(void **state)
{
    (void)state;
    static const char expected[] =
        "{\"specversion\":\"1.0\",\"type\":\"belfry.fire.v1\",\"source\":\"/belfry/c/3\","
        "\"id\":\"1795290000123-3.10422.0@1795294674000\",\"subject\":\"billing/invoice-nightly\","
        "\"time\":\"2026-11-21T20:57:54.012Z\",\"dueat\":\"2026-11-21T20:57:54.000Z\","
        "\"jobgroup\":\"billing\",\"jobid\":\"invoice-nightly\","
        "\"jobincarnation\":\"1795290000123-3.10422.0\",\"jobrevision\":7,"
        "\"firekind\":\"schedule\",\"latenessms\":12,\"missedcount\":0,\"attempt\":1,"
        "\"datacontenttype\":\"application/json\",\"data\":{\"report\":\"nightly\"}}";
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    struct fire_view fire = a_fire();
    struct text_writer writer;
    text_writer_init(&writer);
    for (int i = 0; i < 2; i++) { /* the second time from the memo */
        text_writer_reset(&writer);
        assert_int_equal(fire_encode(&encoder, &fire, &writer), sizeof expected - 1);
        assert_memory_equal(writer.bytes, expected, sizeof expected - 1);
    }
    text_writer_free(&writer);
}

static const struct fire_run a_run = {.lease_ms = 300000, .expires_ms = 1795381074012,
                                      .run_number = INT64_C(4294967297), .try_number = 2,
                                      .workers = {"billing-workers", 15}};

/* A lease says more, and a fire without one says what it said before. */
static void test_lease(void **state)
{
    (void)state;
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    struct fire_view fire = a_fire();
    struct text_writer plain;
    struct text_writer leased;
    text_writer_init(&plain);
    text_writer_init(&leased);
    size_t before = fire_encode(&encoder, &fire, &plain);
    assert_null(memmem(plain.bytes, plain.length, "lease", 5));
    fire.run = &a_run;
    size_t after = fire_encode(&encoder, &fire, &leased);
    assert_true(after <= fire_bytes_bound(&fire));
    static const char members[] =
        ",\"leasems\":300000,\"expirytime\":\"2026-11-22T20:57:54.012Z\","
        "\"runnumber\":\"4294967297\",\"try\":2,\"workers\":\"billing-workers\"";
    assert_int_equal(after, before + sizeof members - 1);
    char *at = memmem(leased.bytes, leased.length, members, sizeof members - 1);
    assert_non_null(at);
    size_t head = (size_t)(at - leased.bytes); /* in front of it and behind it is the plain fire */
    assert_memory_equal(leased.bytes, plain.bytes, head);
    assert_memory_equal(at + sizeof members - 1, plain.bytes + head, before - head);
    struct fire_run embedded = a_run;
    embedded.expires_ms = FIRE_EXPIRES_NEVER;
    fire.run = &embedded;
    text_writer_reset(&leased);
    (void)fire_encode(&encoder, &fire, &leased);
    static const char no_expiry[] = "\"leasems\":300000,\"runnumber\":";
    assert_non_null(memmem(leased.bytes, leased.length, no_expiry, sizeof no_expiry - 1));
    embedded.cursor = text_of("page \"17\"");
    text_writer_reset(&leased);
    (void)fire_encode(&encoder, &fire, &leased);
    static const char cursor[] = ",\"workers\":\"billing-workers\",\"cursor\":\"page \\\"17\\\"\"";
    assert_non_null(memmem(leased.bytes, leased.length, cursor, sizeof cursor - 1));
    text_writer_free(&plain);
    text_writer_free(&leased);
}

static void test_ids_are_the_cores(void **state)
{
    (void)state;
    static const struct incarnation rows[] = {
        {0, 0, 0, 0}, {INSTANT_MAX_MS, INT64_MAX, UINT32_MAX, 1023}, {1, 2, 3, 4}};
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fire_view fire = a_fire();
        fire.incarnation = &rows[i];
        fire.nominal_ms = i == 1 ? INSTANT_MAX_MS : 0;
        char scratch_bytes[FIRE_HEADER_SCRATCH_BYTES];
        struct text_writer scratch;
        text_writer_init_fixed(&scratch, scratch_bytes, sizeof scratch_bytes);
        struct record_header headers[FIRE_HEADERS_MAX];
        size_t count = fire_headers(&encoder, &fire, FIRE_BINARY, &scratch, headers);
        assert_int_equal(count, 16);
        char id[FIRE_ID_BYTES];
        size_t length = fire_id_format(&rows[i], fire.nominal_ms, id);
        assert_true(text_equal(headers[4].name, text_of("ce_id")));
        assert_true(text_equal(headers[4].value, (struct text){id, length}));
    }
}

static void test_fixed_room(void **state)
{
    (void)state;
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    struct fire_view fire = a_fire();
    char buffer[4096];
    struct text_writer writer;
    text_writer_init_fixed(&writer, buffer, fire_bytes_bound(&fire));
    assert_true(fire_encode(&encoder, &fire, &writer) > 0);
    size_t length = writer.length;
    assert_int_equal(fire_encode(&encoder, &fire, &writer), 0);
    assert_int_equal(writer.length, length);
    assert_true(writer.overflowed);
}

/* The longest of everything stays within the bound. */
static void test_bound(void **state)
{
    (void)state;
    char name[NAME_BYTES_MAX];
    char wild[COMMAND_ID_BYTES_MAX];
    memset(name, 'n', sizeof name);
    memset(wild, 0x01, sizeof wild);
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, (struct text){name, sizeof name}, INT32_MAX);
    struct incarnation incarnation = {INT64_MAX, INT64_MAX, UINT32_MAX, INT32_MAX};
    struct fire_view fire = {.group = {name, sizeof name}, .id = {name, sizeof name},
                             .payload = {wild, sizeof wild}, .payload_binary = true,
                             .content_type = {wild, sizeof wild},
                             .trigger_id = {wild, sizeof wild}, .kind = FIRE_BACKFILL,
                             .import = &incarnation, .incarnation = &incarnation,
                             .revision = INT64_MAX,
                             .nominal_ms = INSTANT_MAX_MS, .due_ms = 0, .now_ms = INSTANT_MAX_MS,
                             .missed_count = INT64_MAX, .attempt = INT32_MAX};
    struct fire_run run = {INT64_MAX, INSTANT_MAX_MS, INT64_MAX, INT32_MAX, {wild, sizeof wild},
                           {wild, sizeof wild}};
    fire.run = &run;
    struct text_writer writer;
    text_writer_init(&writer);
    size_t length = fire_encode(&encoder, &fire, &writer);
    assert_true(length > 0 && length <= fire_bytes_bound(&fire));
    char scratch_bytes[FIRE_HEADER_SCRATCH_BYTES];
    struct text_writer scratch;
    text_writer_init_fixed(&scratch, scratch_bytes, sizeof scratch_bytes);
    struct record_header headers[FIRE_HEADERS_MAX];
    assert_int_equal(fire_headers(&encoder, &fire, FIRE_BINARY, &scratch, headers), 22);
    text_writer_free(&writer);
}

static void test_headers_of_the_job(void **state)
{
    (void)state;
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    struct fire_view fire = a_fire();
    fire.headers = (struct text){"traceparent\0001-2\0x\0", 19};
    char scratch_bytes[FIRE_HEADER_SCRATCH_BYTES];
    struct text_writer scratch;
    text_writer_init_fixed(&scratch, scratch_bytes, sizeof scratch_bytes);
    struct record_header headers[FIRE_HEADERS_MAX];
    assert_int_equal(fire_headers(&encoder, &fire, FIRE_STRUCTURED, &scratch, headers), 3);
    assert_true(text_equal(headers[0].value, text_of("application/cloudevents+json")));
    assert_true(text_equal(headers[1].name, text_of("traceparent")));
    assert_true(text_equal(headers[1].value, text_of("1-2")));
    assert_int_equal(headers[2].value.length, 0);
    fire.payload = (struct text){NULL, 0};
    size_t count = fire_headers(&encoder, &fire, FIRE_BINARY, &scratch, headers);
    assert_int_equal(count, 15 + 2); /* no content-type without content */
    assert_true(text_equal(headers[0].name, text_of("ce_specversion")));
}

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct record_header *find(const struct record_header *headers, size_t count,
                                        const char *name)
{
    const struct record_header *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!text_equal(headers[i].name, text_of(name))) continue;
        assert_null(found); /* once */
        found = &headers[i];
    }
    return found;
}

static void test_trace(void **state)
{
    (void)state;
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    struct fire_view fire = a_fire();
    fire.traceparent = text_of(TRACE);
    struct text_writer writer;
    text_writer_init(&writer);
    size_t length = fire_encode(&encoder, &fire, &writer);
    assert_true(length <= fire_bytes_bound(&fire));
    static const char member[] =
        "\"attempt\":1,\"traceparent\":\"" TRACE "\",\"datacontenttype\":\"application/json\"";
    assert_non_null(memmem(writer.bytes, writer.length, member, sizeof member - 1));
    text_writer_free(&writer);
    char bytes[FIRE_HEADER_SCRATCH_BYTES];
    struct text_writer scratch;
    struct record_header headers[FIRE_HEADERS_MAX];
    for (enum fire_format format = FIRE_STRUCTURED; format <= FIRE_BINARY; format++) {
        text_writer_init_fixed(&scratch, bytes, sizeof bytes);
        fire.headers = (struct text){NULL, 0};
        size_t count = fire_headers(&encoder, &fire, format, &scratch, headers);
        assert_true(text_equal(find(headers, count, "traceparent")->value, text_of(TRACE)));
        const struct record_header *attribute = find(headers, count, "ce_traceparent");
        assert_int_equal(attribute != NULL, format == FIRE_BINARY);
        if (attribute != NULL) assert_true(text_equal(attribute->value, text_of(TRACE)));
        text_writer_init_fixed(&scratch, bytes, sizeof bytes);
        fire.headers = (struct text){"traceparent\0001-2\0", 16}; /* the user's own stays */
        count = fire_headers(&encoder, &fire, format, &scratch, headers);
        assert_true(text_equal(find(headers, count, "traceparent")->value, text_of("1-2")));
    }
}

static void test_lease_in_headers(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"ce_leasems", "300000"},
                                          {"ce_expirytime", "2026-11-22T20:57:54.012Z"},
                                          {"ce_runnumber", "4294967297"},
                                          {"ce_try", "2"},
                                          {"ce_workers", "billing-workers"}};
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    struct fire_view fire = a_fire();
    struct fire_run run = a_run;
    char bytes[FIRE_HEADER_SCRATCH_BYTES];
    struct text_writer scratch;
    struct record_header headers[FIRE_HEADERS_MAX];
    fire.run = &run;
    text_writer_init_fixed(&scratch, bytes, sizeof bytes);
    size_t count = fire_headers(&encoder, &fire, FIRE_BINARY, &scratch, headers);
    assert_int_equal(count, 21);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(text_equal(find(headers, count, rows[i][0])->value, text_of(rows[i][1])));
    run.expires_ms = FIRE_EXPIRES_NEVER;
    text_writer_init_fixed(&scratch, bytes, sizeof bytes);
    count = fire_headers(&encoder, &fire, FIRE_BINARY, &scratch, headers);
    assert_int_equal(count, 20);
    assert_null(find(headers, count, "ce_expirytime"));
    text_writer_init_fixed(&scratch, bytes, sizeof bytes);
    assert_int_equal(fire_headers(&encoder, &fire, FIRE_STRUCTURED, &scratch, headers), 1);
}

/* As many headers as a job may have, and all of ours. */
static void test_all_headers_fit(void **state)
{
    (void)state;
    char pairs[HEADERS_MAX * 4];
    for (size_t i = 0; i < HEADERS_MAX; i++) memcpy(pairs + 4 * i, "h\0v", 4);
    struct fire_encoder encoder;
    fire_encoder_init(&encoder, text_of("c"), 3);
    struct fire_view fire = a_fire();
    struct fire_run run = a_run;
    run.cursor = text_of("17");
    fire.traceparent = text_of(TRACE);
    fire.run = &run;
    fire.headers = (struct text){pairs, sizeof pairs};
    char bytes[FIRE_HEADER_SCRATCH_BYTES];
    struct text_writer scratch;
    text_writer_init_fixed(&scratch, bytes, sizeof bytes);
    struct record_header headers[FIRE_HEADERS_MAX];
    assert_int_equal(fire_headers(&encoder, &fire, FIRE_BINARY, &scratch, headers),
                     FIRE_HEADERS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structured), cmocka_unit_test(test_lease),
        cmocka_unit_test(test_lease_in_headers), cmocka_unit_test(test_ids_are_the_cores),
        cmocka_unit_test(test_fixed_room), cmocka_unit_test(test_bound),
        cmocka_unit_test(test_headers_of_the_job), cmocka_unit_test(test_trace),
        cmocka_unit_test(test_all_headers_fit),
    };
    return cmocka_run_group_tests_name("fire json", tests, NULL, NULL);
}
