/* input.h - the topics a shard reads beside its own state log. Marks, queues, looks at the logs and
 * codecs have an array with an element for each. */
#ifndef BELFRY_MODEL_INPUT_H
#define BELFRY_MODEL_INPUT_H

enum input {
    INPUT_CONTROL = 0, /* commands, from whoever sends them */
    INPUT_FORWARD,     /* commands, from the shard they were sent to */
    INPUTS_COMMANDS, /* those before bring commands, whose log times are one order */
    INPUT_RUNS = INPUTS_COMMANDS, /* what workers report: read beside them, in its own order */
    INPUT_COUNT
};

/* The end of the topic's name. */
const char *input_name(enum input input);

#endif
