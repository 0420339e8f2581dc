/* run_words.h - what a job says about its runs, in sentences, for people. Pure. */
#ifndef BELFRY_CLI_RUN_WORDS_H
#define BELFRY_CLI_RUN_WORDS_H

#include <jansson.h>

#include "lib/model/run.h"

/* An array of sentences, owned by the caller; empty where nothing is followed and nothing counted.
 * The terms have been checked. Foreign texts are not escaped. */
json_t *run_words(const struct run_terms *terms);

/* What is allowed, and may surprise; likewise. */
json_t *run_warnings(const struct run_terms *terms);

#endif
