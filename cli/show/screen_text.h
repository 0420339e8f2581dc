/* screen_text.h - a text of several lines as a screen of a terminal shows it. Pure. */
#ifndef BELFRY_CLI_SCREEN_TEXT_H
#define BELFRY_CLI_SCREEN_TEXT_H

#include <stddef.h>

#include "schemas/text_writer.h"

/* How many lines the text has; one without an end counts. */
size_t screen_lines(struct text text);

/* Appends what a screen of `rows` lines of `columns` is to receive: the cursor to its first place,
 * the lines of the text, each cut where the screen ends, what was there before wiped out. Where the
 * text has more lines, the last one says how many. Colours (ESC [ ... m) take no room and end with
 * their line; no other control character may be in the text. */
void screen_draw(struct text_writer *out, struct text text, size_t columns, size_t rows);

#endif
