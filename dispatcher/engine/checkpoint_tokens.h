/* checkpoint_tokens.h - which groups in the store an owner may go on from: each begins under a
 * token of its own. Pure. */
#ifndef BELFRY_ENGINE_CHECKPOINT_TOKENS_H
#define BELFRY_ENGINE_CHECKPOINT_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

struct checkpoint_tokens {
    uint64_t last;  /* given; from 1 */
    uint64_t first; /* since the store was last known to hold a position */
    uint64_t chain; /* what was written of the position under way goes on from this */
};

/* The store is known to hold the position of this token's group: none before is of use any more.
 * Groups sent behind it, which were given up, may still come. */
static inline void checkpoint_tokens_settle(struct checkpoint_tokens *tokens, uint64_t token)
{
    tokens->first = token + 1;
}

/* What the store holds is known otherwise, or is written anew. */
static inline void checkpoint_tokens_forget(struct checkpoint_tokens *tokens)
{
    checkpoint_tokens_settle(tokens, tokens->last);
}

/* What was sent may come late, also once its position has begun anew. */
static inline bool checkpoint_tokens_sent(const struct checkpoint_tokens *tokens)
{
    return tokens->last >= tokens->first;
}

/* Whether all that is not in the group of this token is still flagged: none of the position has
 * been written yet, or the group goes on from what was. */
static inline bool checkpoint_tokens_follow(const struct checkpoint_tokens *tokens,
                                            uint64_t token, bool written)
{
    return token >= (written ? tokens->chain : tokens->first) && token <= tokens->last;
}

#endif
