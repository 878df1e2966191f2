/*
 * What the parser and the printers of options read from a table.  For
 * options.c, option_value.c, options_table.c and man_page.c only.
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

/* What may be given and what is taken by default, as sentences. */
extern void option_describe(const OptionSpec *spec, char *out, size_t size);

/* An option that every program has, and no table. */
typedef struct OptionBuiltIn
{
	const char *name;
	const char *argument;		/* "=PATH", or "" */
	const char *help;
} OptionBuiltIn;

/* Ends with a NULL name. */
extern const OptionBuiltIn options_built_in[];

/* Which of several values counts. */
#define OPTIONS_PRECEDENCE \
	"A flag wins over its environment variable, the first variable named over" \
	" an older one, and either over the configuration file.  An empty variable" \
	" counts as not set."

/* Which options a running program takes from the file; "" for none. */
#define OPTIONS_RELOADED_BYTES 1024
extern void options_describe_reloaded(const OptionsProgram *program,
									  char *out, size_t size);

/* --help */
extern void options_help(const OptionsProgram *program, FILE *out);

#endif							/* FINTRANS_OPTIONS_TABLE_H */
