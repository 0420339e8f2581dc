/* bench_records.h - a file of records (key and value) taken from a topic, for the bare producer. */
#ifndef BELFRY_BENCH_RECORDS_H
#define BELFRY_BENCH_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct bench_record {
    uint32_t key_bytes;
    uint32_t value_bytes;
    const char *bytes; /* key, then value */
};

/* Appends one record; ends the program when the disk is full. */
void bench_record_write(FILE *file, const void *key, size_t key_bytes, const void *value,
                        size_t value_bytes);

/* Reads a whole file; *records and what they point to live until the program ends. Returns how
 * many; ends the program when the file cannot be read. */
size_t bench_records_read(const char *path, struct bench_record **records);

/* Prints the message and ends the program with 1. */
void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Microseconds since 1970 of the system's clock. */
int64_t bench_now_us(void);

#endif
