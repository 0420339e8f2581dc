#include "tests/bench/bench_records.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEAD_BYTES = 2 * sizeof(uint32_t) };

void bench_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    exit(1);
}

int64_t bench_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

void bench_record_write(FILE *file, const void *key, size_t key_bytes, const void *value,
                        size_t value_bytes)
{
    uint32_t head[2] = {(uint32_t)key_bytes, (uint32_t)value_bytes};
    if (fwrite(head, sizeof head, 1, file) != 1 ||
        fwrite(key, 1, key_bytes, file) != key_bytes ||
        fwrite(value, 1, value_bytes, file) != value_bytes)
        bench_fail("a record could not be written");
}

static char *read_whole(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) bench_fail("%s cannot be read", path);
    long length = ftell(file);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    rewind(file);
    if (text == NULL || fread(text, 1, (size_t)length, file) != (size_t)length)
        bench_fail("%s cannot be read", path);
    (void)fclose(file);
    *bytes = (size_t)length;
    return text;
}

size_t bench_records_read(const char *path, struct bench_record **records)
{
    size_t bytes = 0;
    size_t count = 0;
    const char *text = read_whole(path, &bytes);
    *records = calloc(bytes / HEAD_BYTES + 1, sizeof **records);
    if (*records == NULL) bench_fail("out of memory");
    for (size_t at = 0; at + HEAD_BYTES <= bytes;) {
        struct bench_record *record = &(*records)[count++];
        memcpy(&record->key_bytes, text + at, sizeof record->key_bytes);
        memcpy(&record->value_bytes, text + at + sizeof(uint32_t), sizeof record->value_bytes);
        record->bytes = text + at + HEAD_BYTES;
        at += HEAD_BYTES + record->key_bytes + record->value_bytes;
        if (at > bytes) bench_fail("%s is cut off", path);
    }
    return count;
}
