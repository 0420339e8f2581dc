#include "lib/model/input.h"

#include <assert.h>

static const char *const names[INPUT_COUNT] = {
    [INPUT_CONTROL] = "control", [INPUT_FORWARD] = "forward", [INPUT_RUNS] = "runs"};

const char *input_name(enum input input)
{
    assert(input < INPUT_COUNT);
    return names[input];
}
