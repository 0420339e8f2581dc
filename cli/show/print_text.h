/* print_text.h - foreign text on a terminal: no byte of it may steer the terminal. */
#ifndef BELFRY_CLI_PRINT_TEXT_H
#define BELFRY_CLI_PRINT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "schemas/text_writer.h"

/* Appends `bytes` with control characters (C0, DEL, C1, line and paragraph separators, text
 * direction marks) and broken UTF-8 written as escapes: \n, \t, \x1b, \u202e. */
void text_escape(struct text_writer *out, const char *bytes, size_t length);

/* As text_escape, straight to a stream. */
void print_safe(FILE *stream, const char *bytes, size_t length);

/* JSON text to a stream: byte for byte, or on a terminal with what could steer it as the escapes
 * of JSON, so that it stays the same JSON. False: the stream takes no more. */
bool print_json(FILE *stream, const char *bytes, size_t length, bool terminal);

/* Terminal columns the text takes, which must be free of control characters: wide East Asian
 * characters count two, combining ones none. */
size_t text_columns(const char *bytes, size_t length);

/* How many bytes of the text fit into `columns`, never cutting a character. */
size_t text_fit(const char *bytes, size_t length, size_t columns);

#endif
