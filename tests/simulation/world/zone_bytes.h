/* zone_bytes.h - writes the bytes of a TZif file (RFC 9636, version 2). */
#ifndef BELFRY_TESTS_ZONE_BYTES_H
#define BELFRY_TESTS_ZONE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct slow_change;

/* The first of the changes says what holds before them all. To be freed. */
uint8_t *zone_bytes_write(const struct slow_change *changes, size_t count, const char *footer,
                          size_t *length);

#endif
