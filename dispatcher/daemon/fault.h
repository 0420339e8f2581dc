/* fault.h - fault points for tests: the process kills or freezes itself at the n-th passage of a
 * point, when BELFRY_FAULT=point:n[:stop] is set. watch_ports.h passes them around its calls; a
 * passage costs one comparison otherwise. docs/operation.md, "Testing". */
#ifndef BELFRY_DAEMON_FAULT_H
#define BELFRY_DAEMON_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

enum fault_point {
    FAULT_NONE = 0,
    FAULT_INIT_BEFORE, /* init_transactions of a new producer */
    FAULT_INIT_AFTER,
    FAULT_BEGIN_BEFORE,
    FAULT_PRODUCE_BEFORE, /* each record */
    FAULT_PRODUCE_AFTER,
    FAULT_COMMIT_BEFORE,
    FAULT_COMMIT_AFTER,
    FAULT_CHECKPOINT_BEFORE, /* a group of writes is handed to the writer */
    FAULT_CHECKPOINT_AFTER   /* its outcome is known */
};

/* Counts the passages of all shards together. */
struct fault {
    enum fault_point point; /* FAULT_NONE: none */
    int64_t at;             /* 1 = the first passage */
    bool stop;              /* SIGSTOP instead of SIGKILL */
    _Atomic int64_t passed;
};

/* Reads "commit.after:17" or "commit.after:17:stop". NULL or "": FAULT_NONE.
 *   errors  ERROR_INVALID */
bool fault_parse(struct fault *fault, const char *text, struct error *error)
    __attribute__((warn_unused_result));

/* Passes a point; does not return at the passage that was asked for, except from a SIGSTOP that
 * was followed by a SIGCONT. Any thread. */
void fault_pass(struct fault *fault, enum fault_point point);

#endif
