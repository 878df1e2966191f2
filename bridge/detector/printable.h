/*
 * Text as a terminal may have it: what could command the terminal or forge
 * what it shows is written out (\x1B, \u202E, \U000E0041) instead, and a
 * backslash twice.  Pure.
 */
#ifndef FINTRANS_PRINTABLE_H
#define FINTRANS_PRINTABLE_H

#include <stddef.h>
#include <stdio.h>

/* As many columns as it takes. */
#define PRINTABLE_ALL ((size_t) -1)

/* Columns that text, which ends with a NUL, takes when all is written. */
extern size_t printable_columns(const char *text);

/*
 * Write text into so many columns at most, with three dots in place of what
 * does not fit if there is room for them; a character is written whole or not
 * at all.  Returns the columns taken.
 */
extern size_t printable_write(FILE *out, const char *text, size_t columns);

#endif							/* FINTRANS_PRINTABLE_H */
