#include "tests/simulation/world/json_scan.h"

#include <stdbool.h>
#include <string.h>

struct text scan_after(struct text text, const char *mark)
{
    size_t length = strlen(mark);
    if (length == 0) return text;
    if (text.length == 0) return (struct text){NULL, 0};
    const char *at = memmem(text.bytes, text.length, mark, length);
    if (at == NULL) return (struct text){NULL, 0};
    at += length;
    return (struct text){at, text.length - (size_t)(at - text.bytes)};
}

struct text scan_text(struct text text, const char *mark)
{
    struct text rest = scan_after(text, mark);
    if (rest.length == 0) return rest;
    const char *end = memchr(rest.bytes, '"', rest.length);
    if (end != NULL) rest.length = (size_t)(end - rest.bytes);
    return rest;
}

int64_t scan_number(struct text text, const char *mark, int64_t otherwise)
{
    struct text rest = scan_after(text, mark);
    size_t at = 0;
    bool negative = rest.length > 0 && rest.bytes[0] == '-';
    int64_t number = 0;
    if (negative) at++;
    size_t first = at;
    for (; at < rest.length && rest.bytes[at] >= '0' && rest.bytes[at] <= '9'; at++)
        number = number * 10 + (rest.bytes[at] - '0');
    if (at == first) return otherwise;
    return negative ? -number : number;
}

static int64_t digits(const char *at, size_t count)
{
    int64_t number = 0;
    for (size_t i = 0; i < count; i++) number = number * 10 + (at[i] - '0');
    return number;
}

static bool leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days since 1970, counted year by year and month by month: slow, and sure. */
static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = 0;
    for (int64_t y = 1970; y < year; y++) days += leap(y) ? 366 : 365;
    for (int64_t m = 1; m < month; m++) days += lengths[m - 1] + (m == 2 && leap(year));
    return days + day - 1;
}

/* 2026-01-01T00:00:00.000Z */
int64_t scan_instant(struct text text, const char *mark)
{
    struct text rest = scan_after(text, mark);
    if (rest.length < 24 || rest.bytes[23] != 'Z') return INT64_MIN;
    const char *at = rest.bytes;
    int64_t days = days_to(digits(at, 4), digits(at + 5, 2), digits(at + 8, 2));
    int64_t seconds = digits(at + 11, 2) * 3600 + digits(at + 14, 2) * 60 + digits(at + 17, 2);
    return (days * 86400 + seconds) * 1000 + digits(at + 20, 3);
}
