/* run_check.h - whether the judge of runs can be believed: small histories made by hand, each of
 * which it must find fault with, or must not. */
#ifndef BELFRY_TESTS_RUN_CHECK_H
#define BELFRY_TESTS_RUN_CHECK_H

/* Says on standard error what does not hold. Returns how much that is. */
int run_check(void);

#endif
