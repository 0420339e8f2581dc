/* Decodes arbitrary records as fires in both modes; what decodes must survive the way to JSON and
 * back, and what the quick way takes the tree takes for the same. The input: one byte that chooses
 * the mode, then the value (structured), or headers as "name\0value\0" pairs, an empty name, and
 * the value (binary). */
#include "consumer/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "consumer/fire.h"
#include "tests/support/same_fire.h"

enum { HEADERS_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void must(bool condition)
{
    if (!condition) abort();
}

static void compare_ways(const struct belfry_record *record)
{
    struct belfry_fire *plain = belfry_fire_decode_plain(record);
    if (plain == NULL) return;
    struct belfry_fire *tree = belfry_fire_decode_tree(record, NULL);
    must(tree != NULL && same_fire_difference(plain, tree) == NULL);
    belfry_fire_free(tree);
    belfry_fire_free(plain);
}

static struct belfry_fire *decode_structured(const void *value, size_t bytes)
{
    struct belfry_error error = {0};
    static const char type[] = "application/cloudevents+json; charset=utf-8";
    struct belfry_header header = {"content-type", type, sizeof type - 1};
    struct belfry_record record = {.topic = "t", .value = value, .value_bytes = bytes,
                                   .headers = &header, .header_count = 1};
    compare_ways(&record);
    struct belfry_fire *fire = belfry_fire_decode(&record, &error);
    must((fire == NULL) == (error.kind != BELFRY_ERROR_NONE));
    return fire;
}

static struct belfry_fire *decode_binary(const char *text, size_t bytes)
{
    struct belfry_error error = {0};
    struct belfry_header headers[HEADERS_MAX];
    size_t count = 0;
    const char *cursor = text;
    const char *end = text + bytes;
    while (count < HEADERS_MAX) {
        const char *name_end = memchr(cursor, '\0', (size_t)(end - cursor));
        if (name_end == NULL) break;
        const char *value = name_end + 1;
        const char *value_end = memchr(value, '\0', (size_t)(end - value));
        if (name_end == cursor || value_end == NULL) {
            cursor = value;
            break;
        }
        headers[count++] = (struct belfry_header){cursor, value, (size_t)(value_end - value)};
        cursor = value_end + 1;
    }
    struct belfry_record record = {.topic = "t", .value = cursor,
                                   .value_bytes = (size_t)(end - cursor), .headers = headers,
                                   .header_count = count};
    struct belfry_fire *fire = belfry_fire_decode(&record, &error);
    must((fire == NULL) == (error.kind != BELFRY_ERROR_NONE));
    return fire;
}

/* The payload, without the spaces that may stand around JSON. */
static bool same_data(const struct belfry_fire *a, const struct belfry_fire *b)
{
    static const char spaces[] = " \t\r\n";
    if (a->data == NULL || b->data == NULL) return a->data == b->data;
    const char *text = b->data;
    size_t bytes = b->data_bytes;
    if (a->data_bytes == bytes) return memcmp(a->data, text, bytes) == 0;
    while (bytes > 0 && text[0] != '\0' && strchr(spaces, text[0]) != NULL) text++, bytes--;
    while (bytes > 0 && text[bytes - 1] != '\0' && strchr(spaces, text[bytes - 1]) != NULL) bytes--;
    return a->data_bytes == bytes && memcmp(a->data, text, bytes) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) return 0;
    bool binary = data[0] % 2 == 1;
    struct belfry_fire *fire = binary ? decode_binary((const char *)data + 1, bytes - 1)
                                      : decode_structured(data + 1, bytes - 1);
    if (fire == NULL) return 0;
    must(fire->id != NULL && fire->group != NULL && fire->job_id != NULL && fire->kind != NULL);
    must(fire->data != NULL || fire->data_bytes == 0);
    size_t json_bytes = 0;
    char *json = belfry_fire_json(fire, &json_bytes, NULL);
    must(json != NULL && json[json_bytes] == '\0');
    struct belfry_fire *again = decode_structured(json, json_bytes);
    must(again != NULL && strcmp(again->id, fire->id) == 0 && again->due_ms == fire->due_ms);
    must(same_data(again, fire));
    free(json);
    belfry_fire_free(again);
    belfry_fire_free(fire);
    return 0;
}
