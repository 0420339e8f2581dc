#include "tests/simulation/mutants.h"

#include <assert.h>

enum mutant mutant_planted = MUTANT_NONE;

const char *mutant_name(enum mutant which)
{
    static const char *const names[] = {
        "none",
#define MUTANT_TEXT(name) #name,
        MUTANTS(MUTANT_TEXT)
#undef MUTANT_TEXT
    };
    assert(which >= 0 && which < MUTANT_COUNT);
    return names[which];
}
