#include "schemas/cancel_json.h"

#include <assert.h>

void run_cancel_encode(struct text_writer *writer, const struct run_cancel *cancel)
{
    assert(writer != NULL && cancel != NULL);
    assert(cancel->run.length > 0 && cancel->runnumber > 0);
    text_writer_words(writer, "{\"run\":");
    text_writer_string(writer, cancel->run);
    text_writer_words(writer, ",\"runnumber\":\""); /* text, as the fire has it */
    text_writer_integer(writer, cancel->runnumber);
    text_writer_char(writer, '"');
    if (cancel->id.length > 0) {
        text_writer_member(writer, "group");
        text_writer_string(writer, cancel->group);
        text_writer_member(writer, "id");
        text_writer_string(writer, cancel->id);
    }
    text_writer_words(writer, ",\"at\":");
    text_writer_instant(writer, cancel->at_ms);
    text_writer_char(writer, '}');
}
