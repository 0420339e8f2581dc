/* suggest.h - "did you mean": the known word nearest to a mistyped one. */
#ifndef BELFRY_BASE_SUGGEST_H
#define BELFRY_BASE_SUGGEST_H

#include <stddef.h>

enum { EDIT_WORD_BYTES_MAX = 64 };
/* Letters to insert, delete, replace, or neighbours to swap, to turn one word into the other.
 * SIZE_MAX where one is longer than EDIT_WORD_BYTES_MAX. */
size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length);

/* Keeps the nearest of the candidates seen so far. Zero-initialise, set word and word_length. */
struct suggestion {
    const char *word; /* what was typed; not terminated */
    size_t word_length;
    const char *best; /* NULL while nothing is near enough */
    size_t best_distance;
};

/* Takes the candidate (borrowed) when it is nearer than the best so far and near enough: at most
 * a third of the word's letters wrong, or the word is the beginning of it. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

#endif
