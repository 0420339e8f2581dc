#include "lib/base/suggest.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    assert(a != NULL);
    assert(b != NULL);
    if (a_length > EDIT_WORD_BYTES_MAX || b_length > EDIT_WORD_BYTES_MAX) return SIZE_MAX;
    size_t rows[3][EDIT_WORD_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_length; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    assert(suggestion != NULL);
    assert(candidate != NULL);
    size_t length = strlen(candidate);
    size_t distance = edit_distance(suggestion->word, suggestion->word_length, candidate, length);
    size_t allowed = suggestion->word_length / 3 + 1;
    if (distance > allowed && suggestion->word_length >= 3 &&
        strncmp(suggestion->word, candidate, suggestion->word_length) == 0)
        distance = allowed; /* the beginning of a long word */
    if (distance > allowed || distance >= suggestion->word_length) return;
    if (suggestion->best != NULL && distance >= suggestion->best_distance) return;
    suggestion->best = candidate;
    suggestion->best_distance = distance;
}
