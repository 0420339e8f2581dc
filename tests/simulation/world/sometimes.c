#include "tests/simulation/world/sometimes.h"

#include <assert.h>

const char *sometimes_text(enum sometimes_kind kind)
{
    static const char *const texts[] = {
#define SOMETIMES_TEXT(name, text) text,
        SOMETIMES(SOMETIMES_TEXT)
#undef SOMETIMES_TEXT
    };
    assert(kind >= 0 && kind < SOMETIMES_COUNT);
    return texts[kind];
}
