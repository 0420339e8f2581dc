/* top_screen.h - the screen of belfry top. Pure. */
#ifndef BELFRY_CLI_TOP_SCREEN_H
#define BELFRY_CLI_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/operate/cluster_view.h"

/* At most `rows` lines of at most `columns`: the sums, what is not well, the daemons, and the
 * shards that there is room for, those first that somebody should look at. */
struct top_size {
    size_t columns;
    size_t rows;
    bool colour;
};
void top_screen(FILE *stream, const struct cluster_view *view, const char *cluster,
                const struct top_size *size);

#endif
