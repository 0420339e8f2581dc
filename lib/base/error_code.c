#include "lib/base/error_code.h"

#include <assert.h>

#define WORD(name, word) word,
static const char *const words[] = {"", ERROR_CODES(WORD)};
enum { WORDS = sizeof words / sizeof words[0] };

const char *error_code_word(enum error_code code)
{
    assert((size_t)code < WORDS);
    return words[code];
}

enum error_code error_code_find(struct text word)
{
    for (int code = CODE_NONE; code < WORDS; code++)
        if (text_equal(word, text_of(words[code]))) return (enum error_code)code;
    return CODE_NONE;
}
