/* arena.h - memory that lives as long as one decoded message. */
#ifndef BELFRY_SCHEMAS_ARENA_H
#define BELFRY_SCHEMAS_ARENA_H

#include <stddef.h>

#include "lib/base/text.h"

struct arena;

/* Empty; end it with arena_destroy(). Never NULL. */
struct arena *arena_create(void);

/* NULL is allowed. */
void arena_destroy(struct arena *arena);

/* Everything taken from it is gone; keeps one block for the next use, so memory stays flat. */
void arena_reset(struct arena *arena);

/* Zeroed and aligned for any type. Never NULL. */
void *arena_take(struct arena *arena, size_t count, size_t bytes) __attribute__((returns_nonnull));

/* `count` bytes, not zeroed and not aligned. */
char *arena_take_bytes(struct arena *arena, size_t count) __attribute__((returns_nonnull));

/* Gives back the last `count` bytes of the newest arena_take_bytes(). */
void arena_give_back(struct arena *arena, size_t count);

struct text arena_copy(struct arena *arena, struct text text);

/* Keeps `value`, a json_t of jansson whose reference the arena takes over, until the reset. */
void arena_keep_json(struct arena *arena, void *value);

#endif
