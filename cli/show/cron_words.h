/* cron_words.h - a schedule in words, for people. */
#ifndef BELFRY_CLI_CRON_WORDS_H
#define BELFRY_CLI_CRON_WORDS_H

#include "lib/time/schedule.h"
#include "schemas/text_writer.h"

/* Such as "at 02:30, Monday to Friday, in January", "every 15 minutes", "every 90s since ...". */
void schedule_words(struct text_writer *out, const struct schedule_spec *spec);

#endif
