/* mutants.h - the planted bugs by name. */
#ifndef BELFRY_TESTS_MUTANTS_H
#define BELFRY_TESTS_MUTANTS_H

#include "lib/base/mutant.h"

const char *mutant_name(enum mutant which);

#endif
