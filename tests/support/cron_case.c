#include "tests/support/cron_case.h"

#include "lib/time/zone_files.h"

bool cron_read(const char *text, size_t length, struct cron *cron, uint32_t *warnings,
               struct error *error)
{
    struct cron_options options = {0};
    struct cron_reading reading;
    if (!cron_parse(text, length, &options, &reading, error)) return false;
    *cron = reading.cron;
    if (warnings != NULL) *warnings = reading.warnings & ~(uint32_t)CRON_WARNING_NO_ZONE;
    return true;
}

const struct zone_lookup *test_zones(void)
{
    static struct zone_files *files;
    if (files == NULL) files = zone_files_create(NULL);
    return zone_files_lookup(files);
}
