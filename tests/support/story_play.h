/* story_play.h - plays a story of tests/stories to a shard, in each way in which it is to say the
 * same: in one memory, restarted after each transaction, in transactions of one output, and with
 * both. */
#ifndef BELFRY_TESTS_STORY_PLAY_H
#define BELFRY_TESTS_STORY_PLAY_H

#include "schemas/text_writer.h"
#include "tests/support/story.h"

/* In how many ways it went as told. 0: one did not; `fault` says where, in which way, and how what
 * was said differs from what is expected. */
int story_play(const struct story *story, struct text_writer *fault)
    __attribute__((warn_unused_result));

#endif
