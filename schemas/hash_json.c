#include "schemas/hash_json.h"

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9') return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool hash_digits_read(const char digits[HASH_DIGITS], uint64_t *hash)
{
    *hash = 0;
    for (size_t i = 0; i < HASH_DIGITS; i++) {
        int digit = hex_digit(digits[i]);
        if (digit < 0) return false;
        *hash = *hash << 4 | (uint64_t)digit;
    }
    return true;
}

bool hash_json_read(const struct json_node *node, uint64_t *hash, struct error *error)
{
    struct text text;
    if (!json_read_text(node, &text, error)) return false;
    bool right = text.length == HASH_DIGITS && hash_digits_read(text.bytes, hash);
    return right ||
           json_refuse(node, error, CODE_BAD_VALUE, "must be %d digits 0-9 a-f", HASH_DIGITS);
}

void hash_digits_put(char digits[HASH_DIGITS], uint64_t hash)
{
    static const char all[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_DIGITS; i++) digits[i] = all[hash >> (60 - 4 * i) & 15];
}

void hash_json_write(struct text_writer *writer, uint64_t hash)
{
    char text[HASH_DIGITS];
    hash_digits_put(text, hash);
    text_writer_string(writer, (struct text){text, sizeof text});
}
