#include "tests/simulation/plan/put.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/time/instant.h"

void put(struct text_out *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out->bytes + out->length, out->room - out->length, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < out->room - out->length) out->length += (size_t)length;
}

void put_instant(struct text_out *out, const char *name, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(at_ms, text);
    put(out, ",\"%s\":\"%s\"", name, text);
}

int64_t roll(struct random *dice, int64_t sides)
{
    return random_between(dice, 0, sides - 1);
}
