/*
 * Command-line options as data: one table per program makes the parser, the
 * environment, --help, --show-options and the README's option list.
 */
#ifndef FINTRANS_OPTIONS_H
#define FINTRANS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pair_file.h"

typedef enum OptionType
{
	OPTION_TEXT,				/* const char * */
	OPTION_INTEGER,				/* int64_t, within minimum..maximum */
	OPTION_CHOICE,				/* const char *, one of choices */
	OPTION_FLAG,				/* bool, takes no argument */
	OPTION_LIST					/* OptionList, may be given repeatedly */
} OptionType;

/* The values of a repeatable option, in the order given. */
typedef struct OptionList
{
	const char **values;		/* owned by the list; the texts are argv's */
	size_t		count;
} OptionList;

typedef enum OptionSource
{
	OPTION_FROM_DEFAULT,
	OPTION_FROM_FILE,
	OPTION_FROM_ENVIRONMENT,
	OPTION_FROM_FLAG
} OptionSource;

/* What is kept back of a value that is shown. */
typedef enum OptionSecrecy
{
	OPTION_OPEN,
	OPTION_CONNINFO,			/* passwords in a connection string */
	OPTION_URL,					/* all of one that has a user or a query */
	OPTION_PROPERTY,			/* that of a name=value whose name is a
								 * secret's, and all that is no such pair */
	OPTION_HIDDEN				/* all of it */
} OptionSecrecy;

typedef struct OptionSpec
{
	const char *name;			/* long flag without its dashes, or "X"; ""
								 * is no option but heads a group in --help,
								 * with the heading in help */
	const char *environment;	/* variable, or NULL */
	const char *older_environment;	/* the demo's variable, or NULL */
	OptionType	type;
	size_t		offset;			/* of the field in the program's settings */
	const char *argument;		/* what --help calls the value, or NULL */
	const char *default_text;	/* as a user would write it, or NULL */
	int64_t		minimum;		/* OPTION_INTEGER only */
	int64_t		maximum;
	const char *choices;		/* OPTION_CHOICE: "halt|earliest" */
	OptionSecrecy secrecy;
	const char *help;			/* one or more sentences */
} OptionSpec;

typedef struct OptionsProgram
{
	const char *name;			/* "fintrans-bridge" */
	const char *purpose;		/* one sentence for --help */
	const char *success;		/* what exit status 0 means, for --help */
	const OptionSpec *specs;	/* ends with a NULL name */
	const char *const *reloaded;	/* names of those that a running program
								 * takes from the file when it is told to,
								 * ending with NULL; NULL for none */
} OptionsProgram;

/* The variable that names the configuration file, as --config does. */
#define OPTIONS_FILE_VARIABLE "FINTRANS_CONFIG"

/* What the command line asked for, besides the settings themselves. */
typedef enum OptionsOutcome
{
	OPTIONS_RUN,				/* settings are filled, go on */
	OPTIONS_DONE,				/* --help or --version was answered: exit 0 */
	OPTIONS_SHOW,				/* settings are filled; --show-options asked */
	OPTIONS_INVALID				/* errstr says what is wrong and where */
} OptionsOutcome;

/*
 * Fill settings from defaults, then the configuration file, then the
 * environment, then the flags; sources gets one entry per spec.  --help and
 * its like, and --config, need no spec.  file gets what the file holds.
 * Texts point into it, argv, the environment or the table: nothing to free
 * but the lists (options_free), and in the end the file.
 */
extern OptionsOutcome options_parse(const OptionsProgram *program,
									int argc, char **argv,
									void *settings, OptionSource *sources,
									PairList *file,
									char *errstr, size_t errstr_size);

/* --show-options: every option with its value and where it came from. */
extern void options_show(const OptionsProgram *program, const void *settings,
						 const OptionSource *sources, FILE *out);

/* Was the option of this name, which must be in the table, set by the user? */
extern bool options_given(const OptionsProgram *program,
						  const OptionSource *sources, const char *name);

/* Was it set on the command line, which other users of the machine can see? */
extern bool options_exposed(const OptionsProgram *program,
							const OptionSource *sources, const char *name);

/*
 * Put before errstr where the option of this name was set, as the parser's own
 * errors do; always false.
 */
extern bool options_blame(const OptionsProgram *program,
						  const OptionSource *sources, const char *name,
						  char *errstr, size_t errstr_size);

/*
 * Does the configuration file hold what is not for everybody?  Connection
 * strings with a password, or such properties of librdkafka.
 */
extern bool options_file_has_secret(const OptionsProgram *program,
									const PairList *file);

/* Does a running program take a change of this option? */
extern bool options_reloads(const OptionsProgram *program,
							const OptionSpec *spec);

/* The value of an OPTION_TEXT or OPTION_CHOICE of the table. */
extern const char *options_text(const OptionsProgram *program,
								const void *settings, const char *name);

extern void options_free(const OptionsProgram *program, void *settings);

#endif							/* FINTRANS_OPTIONS_H */
