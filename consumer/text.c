/* text.c - the small text forms inside a fire. */
#include "consumer/text.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* Reads exactly `digits` decimal digits, moving the cursor. */
static bool digits_read(const char **cursor, int digits, int *number)
{
    assert(cursor != NULL && *cursor != NULL);
    assert(digits > 0 && digits <= 4);
    int value = 0;
    for (int i = 0; i < digits; i++) {
        char digit = (*cursor)[i];
        if (digit < '0' || digit > '9') return false;
        value = value * 10 + (digit - '0');
    }
    *cursor += digits;
    *number = value;
    return true;
}

static bool char_read(const char **cursor, const char *allowed)
{
    assert(cursor != NULL && *cursor != NULL);
    if (**cursor == '\0' || strchr(allowed, **cursor) == NULL) return false;
    (*cursor)++;
    return true;
}

static bool date_read(const char **cursor, int64_t *days)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const int64_t days_to_1970 = 719162; /* from 1 January of year 1 */
    int year = 0;
    int month = 0;
    int day = 0;
    assert(days != NULL);
    if (!digits_read(cursor, 4, &year) || !char_read(cursor, "-")) return false;
    if (!digits_read(cursor, 2, &month) || !char_read(cursor, "-")) return false;
    if (!digits_read(cursor, 2, &day)) return false;
    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int last = month_days[month - 1] + (month == 2 && leap ? 1 : 0);
    if (day > last) return false;
    int past = year - 1;
    int64_t count = (int64_t)past * 365 + past / 4 - past / 100 + past / 400;
    for (int i = 0; i < month - 1; i++) count += month_days[i] + (i == 1 && leap ? 1 : 0);
    *days = count + day - 1 - days_to_1970;
    return true;
}

static bool clock_read(const char **cursor, int64_t *clock_ms)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    assert(clock_ms != NULL);
    if (!digits_read(cursor, 2, &hour) || !char_read(cursor, ":")) return false;
    if (!digits_read(cursor, 2, &minute) || !char_read(cursor, ":")) return false;
    if (!digits_read(cursor, 2, &second)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    int fraction_ms = 0;
    if (**cursor == '.') {
        (*cursor)++;
        if (**cursor < '0' || **cursor > '9') return false;
        for (int weight = 100; **cursor >= '0' && **cursor <= '9'; weight /= 10) {
            fraction_ms += (**cursor - '0') * weight;
            (*cursor)++;
        }
    }
    *clock_ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + fraction_ms;
    return true;
}

static bool offset_read(const char **cursor, int64_t *offset_ms)
{
    int hour = 0;
    int minute = 0;
    assert(offset_ms != NULL);
    *offset_ms = 0;
    if (char_read(cursor, "Zz")) return true;
    bool west = **cursor == '-';
    if (!char_read(cursor, "+-")) return false;
    if (!digits_read(cursor, 2, &hour) || !char_read(cursor, ":")) return false;
    if (!digits_read(cursor, 2, &minute) || hour > 23 || minute > 59) return false;
    *offset_ms = (hour * 60 + minute) * INT64_C(60000) * (west ? -1 : 1);
    return true;
}

bool belfry_instant_parse(const char *text, int64_t *instant_ms)
{
    assert(text != NULL);
    assert(instant_ms != NULL);
    int64_t days = 0;
    int64_t clock_ms = 0;
    int64_t offset_ms = 0;
    const char *cursor = text;
    if (!date_read(&cursor, &days) || !char_read(&cursor, "Tt")) return false;
    if (!clock_read(&cursor, &clock_ms) || !offset_read(&cursor, &offset_ms)) return false;
    if (*cursor != '\0') return false;
    *instant_ms = days * INT64_C(86400000) + clock_ms - offset_ms;
    return true;
}

bool belfry_integer_parse(const char *text, size_t bytes, int64_t *number)
{
    assert(text != NULL || bytes == 0);
    assert(number != NULL);
    size_t i = 0;
    bool negative = bytes > 0 && text[0] == '-';
    if (negative) i = 1;
    if (i == bytes) return false;
    if (text[i] == '0' && bytes > 1) return false; /* no "-0", no leading zeros */
    int64_t value = 0; /* kept negative: that side reaches one further */
    for (; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        int digit = text[i] - '0';
        if (value < (INT64_MIN + digit) / 10) return false;
        value = value * 10 - digit;
    }
    if (!negative && value == INT64_MIN) return false;
    *number = negative ? value : -value;
    return true;
}

static int base64_value(char symbol)
{
    if (symbol >= 'A' && symbol <= 'Z') return symbol - 'A';
    if (symbol >= 'a' && symbol <= 'z') return symbol - 'a' + 26;
    if (symbol >= '0' && symbol <= '9') return symbol - '0' + 52;
    if (symbol == '+') return 62;
    if (symbol == '/') return 63;
    return -1;
}

bool belfry_base64_decode(const char *text, size_t bytes, uint8_t *out, size_t *out_bytes)
{
    assert(text != NULL);
    assert(out != NULL && out_bytes != NULL);
    if (bytes % 4 != 0) return false;
    size_t padding = 0;
    while (padding < 2 && padding < bytes && text[bytes - 1 - padding] == '=') padding++;
    uint32_t bits = 0;
    int bit_count = 0;
    size_t written = 0;
    for (size_t i = 0; i < bytes - padding; i++) {
        int value = base64_value(text[i]);
        if (value < 0) return false;
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFFF;
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        out[written++] = (uint8_t)(bits >> bit_count);
    }
    if ((bits & ((UINT32_C(1) << bit_count) - 1)) != 0) return false; /* one text per value */
    *out_bytes = written;
    return true;
}

size_t belfry_base64_length(size_t bytes)
{
    assert(bytes < SIZE_MAX / 4);
    return (bytes + 2) / 3 * 4;
}

void belfry_base64_encode(const uint8_t *in, size_t bytes, char *out)
{
    static const char symbols[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert(in != NULL || bytes == 0);
    assert(out != NULL);
    for (size_t i = 0; i < bytes; i += 3) {
        size_t rest = bytes - i;
        uint32_t group = (uint32_t)in[i] << 16;
        if (rest > 1) group |= (uint32_t)in[i + 1] << 8;
        if (rest > 2) group |= in[i + 2];
        *out++ = symbols[group >> 18];
        *out++ = symbols[group >> 12 & 63];
        *out++ = rest > 1 ? symbols[group >> 6 & 63] : '=';
        *out++ = rest > 2 ? symbols[group & 63] : '=';
    }
}

/* Bytes of the UTF-8 sequence at the start of the text, 0: none. */
static size_t utf8_sequence(const uint8_t *text, size_t bytes)
{
    assert(bytes > 0);
    uint8_t lead = text[0];
    if (lead < 0x80) return lead == 0 ? 0 : 1;
    size_t length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3
                    : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    if (length == 0 || length > bytes) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) return 0;
    }
    uint8_t second = text[1];
    if (lead == 0xE0 && second < 0xA0) return 0;
    if (lead == 0xED && second > 0x9F) return 0;
    if (lead == 0xF0 && second < 0x90) return 0;
    if (lead == 0xF4 && second > 0x8F) return 0;
    return length;
}

bool belfry_utf8_valid(const char *text, size_t bytes)
{
    assert(text != NULL || bytes == 0);
    size_t i = 0;
    while (i < bytes) {
        size_t length = utf8_sequence((const uint8_t *)text + i, bytes - i);
        if (length == 0) return false;
        i += length;
    }
    assert(i == bytes);
    return true;
}

bool belfry_media_is(const char *media_type, size_t bytes, const char *name)
{
    assert(media_type != NULL || bytes == 0);
    assert(name != NULL);
    size_t length = 0;
    while (length < bytes && media_type[length] != ';' && media_type[length] != ' ') length++;
    return length == strlen(name) && strncasecmp(media_type, name, length) == 0;
}

bool belfry_media_is_json(const char *media_type)
{
    assert(media_type != NULL);
    size_t length = strcspn(media_type, "; ");
    if (length >= 5 && strncasecmp(media_type + length - 5, "+json", 5) == 0) return true;
    return belfry_media_is(media_type, length, "application/json") ||
           belfry_media_is(media_type, length, "text/json");
}
