#include "dispatcher/metrics/page.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { EXEMPLAR_RUNES_MAX = 128 }; /* of the names and values of its labels */

static const char *type_word(const struct page *page, enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER: return "counter";
    case METRIC_GAUGE: return "gauge";
    case METRIC_HISTOGRAM: return "histogram";
    case METRIC_INFO: break;
    }
    return page->open_metrics ? "info" : "gauge";
}

/* OpenMetrics names the family, 0.0.4 the samples. */
static const char *family_suffix(const struct page *page, enum metric_type type)
{
    if (page->open_metrics) return "";
    return type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";
}

static void put_line(struct page *page, const char *keyword, const char *name,
                     const char *suffix, const char *rest)
{
    text_writer_format(&page->writer, "# %s %s%s %s\n", keyword, name, suffix, rest);
}

void page_family(struct page *page, const char *name, enum metric_type type, const char *unit,
                 const char *help)
{
    const char *suffix = family_suffix(page, type);
    assert(strpbrk(help, "\\\"\n") == NULL); /* nothing to escape */
    put_line(page, "HELP", name, suffix, help);
    put_line(page, "TYPE", name, suffix, type_word(page, type));
    if (page->open_metrics && unit[0] != '\0') put_line(page, "UNIT", name, suffix, unit);
}

static void put_label_value(struct text_writer *writer, struct text value)
{
    for (size_t i = 0; i < value.length; i++) {
        char byte = value.bytes[i];
        if (byte == '\n') {
            text_writer_words(writer, "\\n");
            continue;
        }
        if (byte == '\\' || byte == '"') text_writer_char(writer, '\\');
        text_writer_char(writer, byte);
    }
}

/* Exactly: value / scale, scale a power of ten. */
static void put_number(struct text_writer *writer, int64_t value, int64_t scale)
{
    if (value < 0) text_writer_char(writer, '-');
    uint64_t positive = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t rest = positive % (uint64_t)scale;
    text_writer_format(writer, "%" PRIu64, positive / (uint64_t)scale);
    if (rest == 0) return;
    text_writer_char(writer, '.');
    for (uint64_t digit = (uint64_t)scale / 10; rest > 0; digit /= 10) {
        text_writer_char(writer, (char)('0' + rest / digit));
        rest %= digit;
    }
}

void page_sample(struct page *page, const char *name, const char *suffix,
                 const struct page_label *labels, size_t label_count, int64_t value,
                 int64_t scale)
{
    struct text_writer *writer = &page->writer;
    assert(label_count <= PAGE_LABELS_MAX);
    text_writer_words(writer, name);
    text_writer_words(writer, suffix);
    for (size_t i = 0; i < label_count; i++) {
        text_writer_char(writer, i == 0 ? '{' : ',');
        text_writer_words(writer, labels[i].name);
        text_writer_words(writer, "=\"");
        put_label_value(writer, labels[i].value);
        text_writer_char(writer, '"');
    }
    text_writer_words(writer, label_count > 0 ? "} " : " ");
    put_number(writer, value, scale);
    text_writer_char(writer, '\n');
}

void page_exemplar(struct page *page, const char *fire_id, double value, int64_t at_ms)
{
    struct text_writer *writer = &page->writer;
    size_t runes = strlen("fire_id") + strlen(fire_id);
    if (!page->open_metrics || fire_id[0] == '\0' || runes > EXEMPLAR_RUNES_MAX) return;
    assert(writer->length > 0 && writer->bytes[writer->length - 1] == '\n');
    writer->length--;
    text_writer_words(writer, " # {fire_id=\"");
    put_label_value(writer, text_of(fire_id));
    text_writer_format(writer, "\"} %g ", value);
    put_number(writer, at_ms, 1000);
    text_writer_char(writer, '\n');
}

void page_end(struct page *page)
{
    if (page->open_metrics) text_writer_words(&page->writer, "# EOF\n");
}

/* ---- which form ---- */

static const char open_type[] = "application/openmetrics-text";

/* The weight that one range of an Accept header gives, 0 to 1. */
static double weight_of(const char *range, size_t length)
{
    for (size_t i = 0; i + 2 < length; i++) {
        if (range[i] != ';') continue;
        size_t at = i + 1;
        while (at < length && range[at] == ' ') at++;
        if (at + 1 < length && (range[at] | 0x20) == 'q' && range[at + 1] == '=') {
            char number[8] = "";
            size_t digits = length - at - 2;
            memcpy(number, range + at + 2, digits < 7 ? digits : 7);
            return strtod(number, NULL);
        }
    }
    return 1.0;
}

static bool is_type(const char *range, size_t length, const char *type)
{
    size_t bytes = strlen(type);
    bool ends = length == bytes || (length > bytes && strchr("; \t", range[bytes]) != NULL);
    return length >= bytes && ends && strncasecmp(range, type, bytes) == 0;
}

bool page_wants_open_metrics(const char *accept)
{
    double open = 0.0;
    double text = 0.0;
    while (*accept != '\0') {
        accept += strspn(accept, ", \t");
        size_t length = strcspn(accept, ",");
        double weight = weight_of(accept, length);
        if (is_type(accept, length, open_type)) open = weight > open ? weight : open;
        else if (is_type(accept, length, "text/plain")) text = weight > text ? weight : text;
        accept += length;
    }
    return open > 0.0 && open >= text;
}

const char *page_content_type(bool open_metrics)
{
    return open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                        : "text/plain; version=0.0.4; charset=utf-8";
}
