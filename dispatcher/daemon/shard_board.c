#include "dispatcher/daemon/shard_board.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

struct shard_board {
    int32_t shards;
    struct shard_status *next; /* of the daemon's thread: what is being put together */
    pthread_mutex_t lock;      /* guards all below */
    struct board_state state;
    struct shard_status *statuses; /* by shard */
};

struct shard_board *shard_board_create(int32_t shards)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    struct shard_board *board = memory_allocate(1, sizeof *board);
    pthread_mutex_init(&board->lock, NULL);
    board->shards = shards;
    board->statuses = memory_allocate((size_t)shards, sizeof board->statuses[0]);
    board->next = memory_allocate((size_t)shards, sizeof board->next[0]);
    for (int32_t shard = 0; shard < shards; shard++)
        board->statuses[shard].state = board->next[shard].state = "not_started";
    return board;
}

void shard_board_destroy(struct shard_board *board)
{
    if (board == NULL) return;
    pthread_mutex_destroy(&board->lock);
    free(board->statuses);
    free(board->next);
    free(board);
}

int32_t shard_board_shards(const struct shard_board *board)
{
    assert(board != NULL);
    return board->shards;
}

void shard_board_publish(struct shard_board *board, const struct board_state *state,
                         const struct shard_fleet *fleet)
{
    assert(board != NULL && state != NULL);
    int32_t wanted = 0;
    for (int32_t shard = 0; shard < board->shards; shard++) {
        board->next[shard] = fleet != NULL ? shard_fleet_status(fleet, shard)
                                           : (struct shard_status){.state = "not_started"};
        wanted += board->next[shard].wanted ? 1 : 0;
    }
    pthread_mutex_lock(&board->lock);
    board->state = *state;
    board->state.wanted = wanted;
    struct shard_status *before = board->statuses;
    board->statuses = board->next;
    board->next = before;
    pthread_mutex_unlock(&board->lock);
}

void shard_board_read(struct shard_board *board, struct board_state *state,
                      struct shard_status *statuses)
{
    assert(board != NULL && state != NULL);
    pthread_mutex_lock(&board->lock);
    *state = board->state;
    if (statuses != NULL)
        memcpy(statuses, board->statuses, (size_t)board->shards * sizeof statuses[0]);
    pthread_mutex_unlock(&board->lock);
}
