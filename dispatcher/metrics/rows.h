/* rows.h - every metric there is, a row each: name, type, unit, help, and where its numbers are.
 * Both forms of the page are made of them; docs/metrics.md says what each means, and a test
 * compares. */
#ifndef BELFRY_METRICS_ROWS_H
#define BELFRY_METRICS_ROWS_H

#include "dispatcher/metrics/metrics_state.h"
#include "dispatcher/metrics/page.h"

/* By enum metrics_state; ends with NULL. */
extern const char *const metrics_state_words[];

void rows_put(struct page *page, const struct reading *reading);

#endif
