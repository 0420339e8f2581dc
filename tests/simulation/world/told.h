/* told.h - what a simulated process tells its operators: traced, counted, and judged where it says
 * that something is wrong. */
#ifndef BELFRY_TESTS_TOLD_H
#define BELFRY_TESTS_TOLD_H

#include "dispatcher/engine/observer.h"

struct process;

/* The process is borrowed. */
struct observer told_observer(struct process *process);

#endif
