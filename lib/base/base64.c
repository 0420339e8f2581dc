#include "lib/base/base64.h"

#include <assert.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct text bytes, char *encoded)
{
    assert(bytes.bytes != NULL || bytes.length == 0);
    assert(encoded != NULL);
    const unsigned char *at = (const unsigned char *)bytes.bytes;
    size_t left = bytes.length;
    for (; left >= 3; left -= 3, at += 3) {
        uint32_t group = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        *encoded++ = alphabet[group >> 18];
        *encoded++ = alphabet[group >> 12 & 63];
        *encoded++ = alphabet[group >> 6 & 63];
        *encoded++ = alphabet[group & 63];
    }
    if (left == 0) return;
    uint32_t group = (uint32_t)at[0] << 16 | (left == 2 ? (uint32_t)at[1] << 8 : 0);
    *encoded++ = alphabet[group >> 18];
    *encoded++ = alphabet[group >> 12 & 63];
    *encoded++ = left == 2 ? alphabet[group >> 6 & 63] : '=';
    *encoded = '=';
}

/* 0..63, or 64 for a character outside the alphabet. */
static uint32_t digit_of(char character)
{
    if (character >= 'A' && character <= 'Z') return (uint32_t)(character - 'A');
    if (character >= 'a' && character <= 'z') return (uint32_t)(character - 'a' + 26);
    if (character >= '0' && character <= '9') return (uint32_t)(character - '0' + 52);
    if (character == '+') return 62;
    return character == '/' ? 63 : 64;
}

/* Four characters, the last `padding` of which are '='. */
static bool read_group(const char *characters, size_t padding, uint32_t *group)
{
    *group = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = i < 4 - padding ? digit_of(characters[i]) : 0;
        if (digit > 63) return false;
        *group = *group << 6 | digit;
    }
    /* Bits below the last whole byte must be zero, or two texts would mean the same bytes. */
    uint32_t below = padding == 2 ? 0xFFFF : padding == 1 ? 0xFF : 0;
    return (*group & below) == 0;
}

bool base64_decode(struct text text, char *decoded, size_t *length)
{
    assert(text.bytes != NULL || text.length == 0);
    assert(decoded != NULL && length != NULL);
    if (text.length % 4 != 0) return false;
    char *out = decoded;
    for (size_t at = 0; at < text.length; at += 4) {
        bool last = at + 4 == text.length;
        size_t padding = 0;
        uint32_t group = 0;
        if (last && text.bytes[at + 3] == '=') padding = text.bytes[at + 2] == '=' ? 2 : 1;
        if (!read_group(text.bytes + at, padding, &group)) return false;
        *out++ = (char)(group >> 16);
        if (padding < 2) *out++ = (char)(group >> 8 & 0xFF);
        if (padding < 1) *out++ = (char)(group & 0xFF);
    }
    *length = (size_t)(out - decoded);
    return true;
}
