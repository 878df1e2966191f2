/*
 * The value of one option in a program's settings: set from text, compared.
 */
#ifndef FINTRANS_OPTION_VALUE_H
#define FINTRANS_OPTION_VALUE_H

#include "options.h"

/* As if it had no default and had not been given. */
extern void option_value_clear(const OptionSpec *spec, void *settings);

/*
 * Set it, or add to it when it is a list.  False with errstr, which begins
 * with origin, when text is none of its values.
 */
extern bool option_value_set(const OptionSpec *spec, void *settings,
							 const char *origin, const char *text,
							 char *errstr, size_t errstr_size);

/* As a user would write it; "" for a list, and what is not set. */
extern void option_value_text(const OptionSpec *spec, const void *settings,
							  char *out, size_t size);

/* Is it the same in both settings? */
extern bool option_value_equals(const OptionSpec *spec, const void *settings,
								const void *others);

extern void option_value_free(const OptionSpec *spec, void *settings);

#endif							/* FINTRANS_OPTION_VALUE_H */
