/* cron_field.h - one field of a cron expression. Inside of the parser. */
#ifndef BELFRY_TIME_CRON_FIELD_H
#define BELFRY_TIME_CRON_FIELD_H

#include "lib/base/reader.h"
#include "lib/time/cron.h"

enum cron_field_kind {
    CRON_FIELD_SECOND,
    CRON_FIELD_MINUTE,
    CRON_FIELD_HOUR,
    CRON_FIELD_DAY,
    CRON_FIELD_MONTH,
    CRON_FIELD_WEEKDAY,
    CRON_FIELD_YEAR,
    CRON_FIELDS_MAX
};

/* What a field says. Bits of the day of the week are 0 = Sunday in every dialect, bits of the year
 * count from CRON_YEAR_FIRST. */
struct cron_field {
    uint64_t bits;                   /* of every kind but the year */
    uint32_t years[CRON_YEAR_WORDS]; /* of the year */
    uint64_t nth;
    uint32_t nearest;
    uint32_t before_last;
    bool last_weekday;
    bool restricted; /* not a bare '*' or '?' */
    bool question;   /* a bare '?' */
    bool star;       /* begins with '*' */
    bool hashed;     /* H is used */
    bool both;       /* '+' before it: a day must match both day fields */
    uint32_t warnings;
};

/* Reads the field at the cursor, up to a space or the end.
 *   name    of the job, for H
 *   errors  as cron_parse() */
bool cron_field_read(struct reader *reader, enum cron_field_kind kind, enum cron_dialect dialect,
                     struct text name, struct cron_field *field)
    __attribute__((warn_unused_result));

static inline bool cron_is_space(char byte)
{
    return byte == ' ' || byte == '\t';
}

#endif
