/* page.h - the two forms of a page of metrics: OpenMetrics 1.0, and Prometheus' text 0.0.4. One
 * line is one sample; only this writer knows how they differ. */
#ifndef BELFRY_METRICS_PAGE_H
#define BELFRY_METRICS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "schemas/text_writer.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

struct page {
    struct text_writer writer; /* growing */
    bool open_metrics;
};

enum { PAGE_LABELS_MAX = 3 };

struct page_label {
    const char *name;
    struct text value;
};

/* Begins a family: `name` is without _total and _info. `unit`: "", or what the name ends with. */
void page_family(struct page *page, const char *name, enum metric_type type, const char *unit,
                 const char *help);
/* One sample; `suffix` is "_total", "_bucket" ... or "". The number is value / scale. */
void page_sample(struct page *page, const char *name, const char *suffix,
                 const struct page_label *labels, size_t label_count, int64_t value,
                 int64_t scale);
/* Behind the sample put last, in OpenMetrics only: a fire that it stands for. */
void page_exemplar(struct page *page, const char *fire_id, double value, int64_t at_ms);
void page_end(struct page *page);

/* Whether who accepts this wants OpenMetrics; "" accepts anything and gets 0.0.4. */
bool page_wants_open_metrics(const char *accept);
const char *page_content_type(bool open_metrics);

#endif
