#include "tests/simulation/world/zone_bytes.h"

#include <assert.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/zones.h"

enum { HEADER_BYTES = 44, TYPE_BYTES = 6, LETTER_BYTES = 4, TYPES_MOST = 32, ROOM = 16 * 1024 };

struct writer {
    uint8_t *bytes;
    size_t length;
};

static void put(struct writer *writer, uint64_t number, int bytes)
{
    assert(writer->length + (size_t)bytes <= ROOM);
    for (int i = bytes - 1; i >= 0; i--)
        writer->bytes[writer->length++] = (uint8_t)(number >> (8 * i));
}

static void put_text(struct writer *writer, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) put(writer, (unsigned char)text[i], 1);
}

static void put_header(struct writer *writer, size_t changes, size_t types)
{
    put_text(writer, "TZif2", 5);
    for (int i = 0; i < 15; i++) put(writer, 0, 1);
    put(writer, 0, 4); /* indicators of UT, of standard time, leap seconds */
    put(writer, 0, 4);
    put(writer, 0, 4);
    put(writer, changes, 4);
    put(writer, types, 4);
    put(writer, LETTER_BYTES, 4);
}

static void put_types(struct writer *writer, const int64_t *offsets_min, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(writer, (uint64_t)(offsets_min[i] * 60), 4);
        put(writer, 0, 2); /* never daylight time: offsets decide */
    }
    put_text(writer, "SIM", LETTER_BYTES);
}

static size_t type_of(int64_t *offsets_min, size_t *count, int64_t offset_min)
{
    for (size_t i = 0; i < *count; i++)
        if (offsets_min[i] == offset_min) return i;
    assert(*count < TYPES_MOST);
    offsets_min[*count] = offset_min;
    return (*count)++;
}

uint8_t *zone_bytes_write(const struct slow_change *changes, size_t count, const char *footer,
                          size_t *length)
{
    struct writer writer = {.bytes = memory_allocate(1, ROOM)};
    int64_t offsets_min[TYPES_MOST];
    size_t types = 0;
    for (size_t i = 0; i < count; i++) (void)type_of(offsets_min, &types, changes[i].offset_min);
    put_header(&writer, 0, 1); /* for readers of version 1: nothing but an offset */
    put_types(&writer, offsets_min, 1);
    put_header(&writer, count - 1, types);
    for (size_t i = 1; i < count; i++) put(&writer, (uint64_t)(changes[i].at_min * 60), 8);
    for (size_t i = 1; i < count; i++)
        put(&writer, type_of(offsets_min, &types, changes[i].offset_min), 1);
    put_types(&writer, offsets_min, types);
    put_text(&writer, "\n", 1);
    put_text(&writer, footer, strlen(footer));
    put_text(&writer, "\n", 1);
    *length = writer.length;
    return writer.bytes;
}
