#include "lib/model/mark.h"

bool watermark_before(const struct watermark *a, const struct watermark *b)
{
    if (a->instant_ms != b->instant_ms) return a->instant_ms < b->instant_ms;
    return a->ordinal < b->ordinal;
}

bool mark_goes_back(const struct mark *mark, const struct mark *before)
{
    if (watermark_before(&mark->watermark, &before->watermark)) return true;
    for (int i = 0; i < INPUT_COUNT; i++)
        if (mark->inputs[i].offset < before->inputs[i].offset) return true;
    return mark->sequence < before->sequence || mark->next_ordinal < before->next_ordinal ||
           mark->runs_again < before->runs_again || mark->next_run < before->next_run;
}

int64_t mark_read_to(const struct mark *mark, enum input input)
{
    const struct in_command *begun = &mark->in_command;
    int64_t offset = mark->inputs[input].offset;
    bool half_done = begun->active && begun->input == input && begun->offset >= offset;
    if (!half_done) return offset;
    return begun->offset < INT64_MAX ? begun->offset + 1 : INT64_MAX;
}
