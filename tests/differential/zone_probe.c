/* zone_probe.c - answers "<zone> <UTC seconds>" lines with the offset in seconds, one a line, for
 * the comparison of zones with other implementations. */
#include "lib/time/zone_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 256 };

static const struct zone *find(const struct zone_lookup *zones, const char *name)
{
    struct error error = {0};
    const struct zone *zone = zones->find(zones->opaque, text_of(name), &error);
    if (zone == NULL) (void)fprintf(stderr, "%s: %s\n", name, error.message);
    return zone;
}

static bool print_name(void *opaque, const char *name)
{
    const struct zone *zone = find(opaque, name);
    if (zone != NULL) (void)printf("%s %zu\n", name, zone_bytes(zone));
    return true;
}

/* With --list: every zone there is, with the bytes of its table. */
int main(int argc, char **argv)
{
    struct zone_files *files = zone_files_create(NULL);
    const struct zone_lookup *zones = zone_files_lookup(files);
    const struct zone *zone = NULL;
    char line[LINE_BYTES];
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        zone_files_each(files, print_name, (void *)(uintptr_t)zones);
        return 0;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *space = strchr(line, ' ');
        if (space == NULL) return 1;
        *space = '\0';
        if (zone == NULL || strcmp(zone->name, line) != 0) zone = find(zones, line);
        if (zone == NULL) return 1;
        (void)printf("%" PRId32 "\n", zone_at(zone, strtoll(space + 1, NULL, 10)).offset_s);
    }
    zone_files_destroy(files);
    return 0;
}
