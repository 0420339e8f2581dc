/* result_code.h - the stable words that say why a command did not do what it asked for. */
#ifndef BELFRY_MODEL_RESULT_CODE_H
#define BELFRY_MODEL_RESULT_CODE_H

#include <stdint.h>

/* A small number for a code, to remember it in a byte; 0 for "" and for unknown words. */
uint8_t result_code_index(const char *code);
const char *result_code_word(uint8_t index);

#endif
