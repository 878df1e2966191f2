/*
 * What the parser and the printer of options both read from a table.  For
 * options.c and options_table.c only.
 */
#ifndef FINTRANS_OPTIONS_TABLE_H
#define FINTRANS_OPTIONS_TABLE_H

#include "options.h"

/* Is this no option, but the heading of a group? */
extern bool option_is_heading(const OptionSpec *spec);

/* Is it given as -X, not as --name? */
extern bool option_is_short(const OptionSpec *spec);

/* The value and the name of the variable that sets it, NULL when none does. */
extern const char *option_environment(const OptionSpec *spec,
									  const char **variable);

/* "halt|earliest" as people read it: "halt, earliest". */
extern void option_choices(const char *choices, char *out, size_t size);

/* " between 1 and 9", or less when a bound is none. */
extern void option_range(const OptionSpec *spec, char *out, size_t size);

/* --help */
extern void options_help(const OptionsProgram *program, FILE *out);

#endif							/* FINTRANS_OPTIONS_TABLE_H */
