#include "schemas/hash_json.h"

enum { HASH_DIGITS = 16 };

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9') return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool hash_json_read(const struct json_node *node, uint64_t *hash, struct error *error)
{
    struct text text;
    if (!json_read_text(node, &text, error)) return false;
    bool right = text.length == HASH_DIGITS;
    *hash = 0;
    for (size_t i = 0; right && i < HASH_DIGITS; i++) {
        int digit = hex_digit(text.bytes[i]);
        right = digit >= 0;
        *hash = *hash << 4 | (uint64_t)(digit & 15);
    }
    return right || json_refuse(node, error, "bad_value", "must be %d digits 0-9 a-f",
                                HASH_DIGITS);
}

void hash_json_write(struct text_writer *writer, uint64_t hash)
{
    static const char digits[] = "0123456789abcdef";
    char text[HASH_DIGITS];
    for (size_t i = 0; i < HASH_DIGITS; i++) text[i] = digits[hash >> (60 - 4 * i) & 15];
    text_writer_string(writer, (struct text){text, sizeof text});
}
