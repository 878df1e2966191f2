/*
 * Prints --help and --show-options from a program's table of options, and
 * reads the table for the parser.
 */
#include "options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_properties.h"
#include "option_value.h"
#include "options_table.h"
#include "redact.h"

#define HELP_COLUMNS 79
#define HELP_INDENT 6

#define HIDDEN "(hidden)"

/* More than where any value comes from takes. */
#define SOURCE_BYTES 96

/* Of the columns of --show-options, in characters. */
typedef struct ShownWidths
{
	int			name;
	int			source;
} ShownWidths;

static void print_option_help(const OptionSpec *spec, FILE *out);
static void print_wrapped(const char *text, int indent, FILE *out);

static void measure_option(const OptionSpec *spec, OptionSource source,
						   ShownWidths *widths);
static const char *source_text(const OptionSpec *spec, OptionSource source,
							   char *text);
static void show_option(const OptionSpec *spec, const void *settings,
						OptionSource source, const ShownWidths *widths,
						FILE *out);
static void show_list(const OptionSpec *spec, const OptionList *list,
					  const char *start, FILE *out);
static void value_text(const OptionSpec *spec, const void *settings,
					   OptionSource source, char *out, size_t size);
static void redact_value(const OptionSpec *spec, const char *text, char *out,
						 size_t size);
static void redact_pair(const char *pair, char *out, size_t size);

/* -------------------------------------------------------------- the table */

bool
option_is_heading(const OptionSpec *spec)
{
	return spec->name[0] == '\0';
}

bool
option_is_short(const OptionSpec *spec)
{
	return spec->name[0] != '\0' && spec->name[1] == '\0';
}

/*
 * The variable that sets an option, or NULL.  An empty one counts as not set:
 * compose files and task definitions often pass on variables that way.
 */
const char *
option_environment(const OptionSpec *spec, const char **variable)
{
	const char *const names[] = {spec->environment, spec->older_environment};

	for (size_t i = 0; i < 2; i++)
	{
		const char *text = names[i] == NULL ? NULL : getenv(names[i]);

		if (text != NULL && text[0] != '\0')
		{
			*variable = names[i];
			return text;
		}
	}
	return NULL;
}

/* "halt|earliest" as people read it: "halt, earliest". */
void
option_choices(const char *choices, char *out, size_t size)
{
	size_t		bytes = 0;

	for (const char *c = choices; *c != '\0' && bytes + 3 < size; c++)
	{
		if (*c == '|')
			out[bytes++] = ',';
		out[bytes++] = *c == '|' ? ' ' : *c;
	}
	out[bytes] = '\0';
}

/* " between 1 and 9", or less when a bound is none. */
void
option_range(const OptionSpec *spec, char *out, size_t size)
{
	if (spec->maximum < INT64_MAX)
		snprintf(out, size, " between %" PRId64 " and %" PRId64,
				 spec->minimum, spec->maximum);
	else if (spec->minimum > INT64_MIN)
		snprintf(out, size, " of at least %" PRId64, spec->minimum);
	else
		out[0] = '\0';
}

/* ------------------------------------------------------------------- help */

const OptionBuiltIn options_built_in[] = {
	{"config", "=PATH",
	"Read options from a file too: lines name=value, such as batch-rows=5000, "
	"with # comments.  [" OPTIONS_FILE_VARIABLE "]"},
	{"show-options", "",
	"Print each option with its value and where it came from, and exit."},
	{"version", "", "Print the version, and exit."},
	{"man", "", "Print the manual page, for man -l -, and exit."},
	{"help", "", "Print this text, and exit."},
	{NULL, NULL, NULL}
};

void
options_help(const OptionsProgram *program, FILE *out)
{
	char		text[OPTIONS_RELOADED_BYTES];

	fprintf(out, "Usage: %s [OPTION]...\n", program->name);
	print_wrapped(program->purpose, 0, out);
	if (program->specs[0].name == NULL ||
		!option_is_heading(&program->specs[0]))
		fprintf(out, "\nOptions:\n");
	for (const OptionSpec *spec = program->specs; spec->name != NULL; spec++)
	{
		if (option_is_heading(spec))
			fprintf(out, "\n%s:\n", spec->help);
		else
			print_option_help(spec, out);
	}
	fprintf(out, "\nExit status:\n"
			"  0  %s\n"
			"  1  failed, for the reason logged\n"
			"  2  wrong use or configuration\n", program->success);
	fprintf(out, "\nInformation:\n");
	for (const OptionBuiltIn *option = options_built_in; option->name != NULL;
		 option++)
	{
		fprintf(out, "  --%s%s\n", option->name, option->argument);
		print_wrapped(option->help, HELP_INDENT, out);
	}
	fputc('\n', out);
	print_wrapped(OPTIONS_PRECEDENCE, 0, out);
	options_describe_reloaded(program, text, sizeof(text));
	if (text[0] == '\0')
		return;
	fputc('\n', out);
	print_wrapped(text, 0, out);
}

void
options_describe_reloaded(const OptionsProgram *program, char *out,
						  size_t size)
{
	size_t		bytes;

	out[0] = '\0';
	if (program->reloaded == NULL)
		return;
	bytes = (size_t) snprintf(out, size,
							  "SIGHUP makes a running program read the"
							  " configuration file again, and the file of -F."
							  "  It takes up what has changed of");
	for (const char *const *name = program->reloaded;
		 *name != NULL && bytes < size; name++)
		bytes += (size_t) snprintf(out + bytes, size - bytes, "%s --%s",
								   name == program->reloaded ? "" :
								   name[1] == NULL ? " and" : ",", *name);
	if (bytes < size)
		snprintf(out + bytes, size - bytes,
				 ", and of a user name and password for SASL.  What else has"
				 " changed is logged, and needs a restart.  When anything in"
				 " the files is wrong, all stays as it is.");
}

static void
print_option_help(const OptionSpec *spec, FILE *out)
{
	char		text[2048];
	char		values[256];

	if (option_is_short(spec))
		fprintf(out, "  -%s%s%s", spec->name,
				spec->argument == NULL ? "" : " ",
				spec->argument == NULL ? "" : spec->argument);
	else
		fprintf(out, "  --%s%s%s", spec->name,
				spec->argument == NULL ? "" : "=",
				spec->argument == NULL ? "" : spec->argument);
	if (spec->environment != NULL)
		fprintf(out, "  [%s]", spec->environment);
	if (spec->older_environment != NULL)
		fprintf(out, "  [%s]", spec->older_environment);
	fputc('\n', out);
	option_describe(spec, values, sizeof(values));
	snprintf(text, sizeof(text), "%s%s", spec->help, values);
	print_wrapped(text, HELP_INDENT, out);
}

void
option_describe(const OptionSpec *spec, char *out, size_t size)
{
	char		choices[160];
	const char *default_text = spec->default_text;

	if (spec->type == OPTION_FLAG || default_text == NULL ||
		default_text[0] == '\0')
		default_text = NULL;
	out[0] = '\0';
	if (spec->type == OPTION_INTEGER)
	{
		option_range(spec, choices, sizeof(choices));
		snprintf(out, size, "  A whole number%s%s%s.", choices,
				 default_text == NULL ? "" : ", default ",
				 default_text == NULL ? "" : default_text);
	}
	else if (spec->type == OPTION_CHOICE)
	{
		option_choices(spec->choices, choices, sizeof(choices));
		snprintf(out, size, "  One of %s; default %s.", choices,
				 default_text == NULL ? "none" : default_text);
	}
	else if (spec->type == OPTION_LIST)
		snprintf(out, size, "  May be given repeatedly.");
	else if (default_text != NULL)
		snprintf(out, size, "  Default %s.", default_text);
}

/*
 * Break lines between words where they would grow too long, and wherever text
 * has a newline.  A word longer than a line gets a line of its own.
 */
static void
print_wrapped(const char *text, int indent, FILE *out)
{
	int			column = 0;

	while (*text != '\0')
	{
		int			blanks = (int) strspn(text, " ");
		int			bytes = (int) strcspn(text + blanks, " \n");

		if (*text == '\n')
		{
			fputc('\n', out);
			text++;
			column = 0;
			continue;
		}
		if (column > 0 && column + blanks + bytes > HELP_COLUMNS)
		{
			fputc('\n', out);
			column = 0;
			text += blanks;
			blanks = 0;
		}
		if (column == 0)
			column = fprintf(out, "%*s", indent, "");
		column += fprintf(out, "%.*s", blanks + bytes, text);
		text += blanks + bytes;
	}
	fputc('\n', out);
}

/* ----------------------------------------------------------- show-options */

/* Values come last, for they have any length. */
void
options_show(const OptionsProgram *program, const void *settings,
			 const OptionSource *sources, FILE *out)
{
	ShownWidths widths = {0};

	for (size_t i = 0; program->specs[i].name != NULL; i++)
	{
		if (!option_is_heading(&program->specs[i]))
			measure_option(&program->specs[i], sources[i], &widths);
	}
	for (size_t i = 0; program->specs[i].name != NULL; i++)
	{
		if (!option_is_heading(&program->specs[i]))
			show_option(&program->specs[i], settings, sources[i], &widths,
						out);
	}
}

static void
measure_option(const OptionSpec *spec, OptionSource source,
			   ShownWidths *widths)
{
	char		text[SOURCE_BYTES];
	int			name = (int) strlen(spec->name);
	int			bytes = (int) strlen(source_text(spec, source, text));

	if (name > widths->name)
		widths->name = name;
	if (bytes > widths->source)
		widths->source = bytes;
}

/* text has SOURCE_BYTES. */
static const char *
source_text(const OptionSpec *spec, OptionSource source, char *text)
{
	const char *variable = "";

	if (source == OPTION_FROM_ENVIRONMENT)
		option_environment(spec, &variable);
	snprintf(text, SOURCE_BYTES, "%s%s",
			 source == OPTION_FROM_DEFAULT ? "default" :
			 source == OPTION_FROM_FILE ? "file" :
			 source == OPTION_FROM_FLAG ? "flag" : "environment ", variable);
	return text;
}

static void
show_option(const OptionSpec *spec, const void *settings, OptionSource source,
			const ShownWidths *widths, FILE *out)
{
	char		text[SOURCE_BYTES];
	char		start[256];
	char		value[1024];

	snprintf(start, sizeof(start), "%-*s  %-*s  ", widths->name, spec->name,
			 widths->source, source_text(spec, source, text));
	if (spec->type == OPTION_LIST)
	{
		show_list(spec, (const void *) ((const char *) settings + spec->offset),
				  start, out);
		return;
	}
	value_text(spec, settings, source, value, sizeof(value));
	fprintf(out, "%s%s\n", start, value);
}

static void
show_list(const OptionSpec *spec, const OptionList *list, const char *start,
		  FILE *out)
{
	if (list->count == 0)
		fprintf(out, "%s(none)\n", start);
	for (size_t i = 0; i < list->count; i++)
	{
		char		value[1024];

		redact_value(spec, list->values[i], value, sizeof(value));
		fprintf(out, "%s%s\n", start, value);
	}
}

static void
value_text(const OptionSpec *spec, const void *settings, OptionSource source,
		   char *out, size_t size)
{
	bool		is_set = source != OPTION_FROM_DEFAULT ||
		spec->default_text != NULL || spec->type != OPTION_INTEGER;
	char		text[1024];

	option_value_text(spec, settings, text, sizeof(text));
	/* the field of a number that is not set holds 0 all the same */
	if (!is_set || text[0] == '\0')
		snprintf(out, size, "(none)");
	else
		redact_value(spec, text, out, size);
}

bool
options_file_has_secret(const OptionsProgram *program, const PairList *file)
{
	char		shown[1024];

	for (size_t i = 0; i < file->count; i++)
	{
		const Pair *pair = &file->items[i];
		const OptionSpec *spec = program->specs;

		while (spec->name != NULL && strcmp(spec->name, pair->name) != 0)
			spec++;
		if (spec->name == NULL)
			continue;
		if (spec->secrecy == OPTION_OPEN)
			continue;
		redact_value(spec, pair->value, shown, sizeof(shown));
		if (strcmp(shown, pair->value) != 0)
			return true;
	}
	return false;
}

static void
redact_value(const OptionSpec *spec, const char *text, char *out, size_t size)
{
	if (spec->secrecy == OPTION_CONNINFO)
		redact_conninfo(text, out, size);
	else if (spec->secrecy == OPTION_PROPERTY)
		redact_pair(text, out, size);
	else if (spec->secrecy == OPTION_HIDDEN ||
			 (spec->secrecy == OPTION_URL && strpbrk(text, "@?") != NULL))
		snprintf(out, size, HIDDEN);
	else
		snprintf(out, size, "%s", text);
}

/* name=value with the value hidden when it may be a secret. */
static void
redact_pair(const char *pair, char *out, size_t size)
{
	char		name[128];
	size_t		bytes = strcspn(pair, "=");

	snprintf(name, sizeof(name), "%.*s", bytes > 127 ? 127 : (int) bytes,
			 pair);
	if (pair[bytes] == '\0')
		snprintf(out, size, HIDDEN);
	else if (bytes > 127 || kafka_property_is_secret(name))
		snprintf(out, size, "%s=" HIDDEN, name);
	else
		snprintf(out, size, "%s", pair);
}
