/* Any bytes as a mark; what is read and written is read again as the same. */
#include <stdint.h>
#include <stdlib.h>

#include "schemas/mark_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mark mark;
    struct error error = {0};
    bool read = mark_decode((struct text){(const char *)data, size}, &mark, &error);
    require(read == (error.kind == ERROR_NONE));
    if (!read) return 0;
    struct text_writer first;
    struct text_writer second;
    text_writer_init(&first);
    text_writer_init(&second);
    mark_encode(&first, &mark);
    require(mark_decode(text_writer_text(&first), &mark, &error));
    mark_encode(&second, &mark);
    require(text_equal(text_writer_text(&first), text_writer_text(&second)));
    text_writer_free(&first);
    text_writer_free(&second);
    return 0;
}
