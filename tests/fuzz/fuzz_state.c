/* Any bytes as a record of a job (first byte even) or of remembered commands (odd). What is read
 * and written is read again as the same. */
#include <stdint.h>
#include <stdlib.h>

#include "schemas/job_json.h"
#include "schemas/seen_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

/* One round: reads `value`, writes it to `writer`; false when it is refused. */
static bool round_trip(bool is_job, struct text value, struct text_writer *writer)
{
    struct arena *arena = arena_create();
    struct error error = {0};
    struct job_record record;
    const struct seen *seen = NULL;
    size_t count = 0;
    bool read = is_job ? job_record_decode(value, arena, NULL, &record, &error)
                       : seen_decode(value, arena, &seen, &count, &error);
    require(read == (error.kind == ERROR_NONE));
    if (read && is_job) job_record_encode(writer, &record);
    if (read && !is_job) seen_encode(writer, seen, count);
    arena_destroy(arena);
    return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    bool is_job = data[0] % 2 == 0;
    struct text_writer first;
    struct text_writer second;
    text_writer_init(&first);
    text_writer_init(&second);
    if (round_trip(is_job, (struct text){(const char *)data + 1, size - 1}, &first)) {
        require(round_trip(is_job, text_writer_text(&first), &second));
        require(text_equal(text_writer_text(&first), text_writer_text(&second)));
    }
    text_writer_free(&first);
    text_writer_free(&second);
    return 0;
}
