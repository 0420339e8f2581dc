/* retry_delay.h - how long a run waits before its next try. The rule is part of the contract: it
 * can be computed in any language from the run's id, and tests/unit/retry_delays.tsv has its
 * vectors. */
#ifndef BELFRY_MODEL_RETRY_DELAY_H
#define BELFRY_MODEL_RETRY_DELAY_H

#include <stdint.h>

#include "lib/base/text.h"
#include "lib/model/run.h"

/* base(1) = min(max, initial), base(k + 1) = min(max, base(k) * factor in whole hundredths).
 * The delay is base(n) and a spread that only adds: SipHash-2-4 with the key "belfry retries 1" of
 * "<run's id>/<n>", modulo a quarter of the base and one. So of ten thousand runs that fail at one
 * instant each has its own, and it is the same for whoever decides it.
 *   n  how many tries that count have ended, from 1
 * Both saturate at INT64_MAX. Pure. */
int64_t retry_delay_base(const struct retry_terms *retry, int32_t n);
int64_t retry_delay(const struct retry_terms *retry, struct text id, int32_t n);

#endif
