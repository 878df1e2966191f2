/*
 * Parses command-line options and their environment variables by a table.
 *
 * The flags are read first, so that --help works whatever the environment
 * holds, and a variable overridden by its flag is never complained about.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "options_table.h"

/* What getopt_long() returns: below are short options, above the table's. */
enum
{
	CODE_HELP = 256,
	CODE_VERSION,
	CODE_SHOW,
	CODE_SPEC
};

/* Where a text comes from, as errors name it: `option --group`. */
typedef char Origin[96];

/* The table in getopt's form. */
typedef struct GetoptTable
{
	struct option *longs;		/* --help and its like, then the specs' */
	char	   *shorts;
} GetoptTable;

/* One call of options_parse(). */
typedef struct Parse
{
	const OptionsProgram *program;
	void	   *settings;
	OptionSource *sources;
	char	   *errstr;
	size_t		errstr_size;
} Parse;

static void clear_settings(Parse *parse);
static bool getopt_table_init(GetoptTable *table, Parse *parse);
static void getopt_table_free(GetoptTable *table);
static OptionsOutcome parse_flags(Parse *parse, const GetoptTable *table,
								  int argc, char **argv);
static bool parse_flag(Parse *parse, size_t index, const char *text);
static OptionsOutcome flag_error(Parse *parse, const GetoptTable *table,
								 int code, char **argv);
static void name_wrong_flag(Parse *parse, const GetoptTable *table,
							const char *argument);
static bool parse_environment(Parse *parse);
static bool parse_default(Parse *parse, const OptionSpec *spec);
static bool set_value(Parse *parse, const OptionSpec *spec,
					  const char *origin, const char *text);
static bool set_integer(Parse *parse, const OptionSpec *spec,
						const char *origin, const char *text);
static bool set_choice(Parse *parse, const OptionSpec *spec,
					   const char *origin, const char *text);
static bool set_flag(Parse *parse, const OptionSpec *spec,
					 const char *origin, const char *text);
static bool set_list(Parse *parse, const OptionSpec *spec, const char *text);
static bool fail(Parse *parse, const char *format,...)
			__attribute__((format(printf, 2, 3)));

static size_t find_spec(const OptionsProgram *program, const char *name);
static void *field_of(void *settings, const OptionSpec *spec);
static bool choice_is(const char *choices, const char *text);

OptionsOutcome
options_parse(const OptionsProgram *program, int argc, char **argv,
			  void *settings, OptionSource *sources,
			  char *errstr, size_t errstr_size)
{
	Parse		parse = {program, settings, sources, errstr, errstr_size};
	GetoptTable table;
	OptionsOutcome outcome = OPTIONS_INVALID;

	clear_settings(&parse);
	if (getopt_table_init(&table, &parse))
	{
		outcome = parse_flags(&parse, &table, argc, argv);
		getopt_table_free(&table);
	}
	if ((outcome == OPTIONS_RUN || outcome == OPTIONS_SHOW) &&
		!parse_environment(&parse))
		outcome = OPTIONS_INVALID;
	if (outcome == OPTIONS_INVALID || outcome == OPTIONS_DONE)
		options_free(program, settings);
	return outcome;
}

void
options_free(const OptionsProgram *program, void *settings)
{
	for (const OptionSpec *spec = program->specs; spec->name != NULL; spec++)
	{
		if (spec->type == OPTION_LIST && !option_is_heading(spec))
		{
			OptionList *list = field_of(settings, spec);

			free(list->values);
			*list = (OptionList) {NULL, 0};
		}
	}
}

bool
options_given(const OptionsProgram *program, const OptionSource *sources,
			  const char *name)
{
	return sources[find_spec(program, name)] != OPTION_FROM_DEFAULT;
}

bool
options_exposed(const OptionsProgram *program, const OptionSource *sources,
				const char *name)
{
	return sources[find_spec(program, name)] == OPTION_FROM_FLAG;
}

const char *
options_text(const OptionsProgram *program, const void *settings,
			 const char *name)
{
	const OptionSpec *spec = &program->specs[find_spec(program, name)];

	return *(const char *const *) ((const char *) settings + spec->offset);
}

/* ------------------------------------------------------------------ flags */

static void
clear_settings(Parse *parse)
{
	const OptionSpec *specs = parse->program->specs;

	for (size_t i = 0; specs[i].name != NULL; i++)
	{
		void	   *field = field_of(parse->settings, &specs[i]);

		parse->sources[i] = OPTION_FROM_DEFAULT;
		if (option_is_heading(&specs[i]))
			continue;
		if (specs[i].type == OPTION_INTEGER)
			*(int64_t *) field = 0;
		else if (specs[i].type == OPTION_FLAG)
			*(bool *) field = false;
		else if (specs[i].type == OPTION_LIST)
			*(OptionList *) field = (OptionList) {NULL, 0};
		else
			*(const char **) field = NULL;
	}
}

static bool
getopt_table_init(GetoptTable *table, Parse *parse)
{
	const OptionSpec *specs = parse->program->specs;
	size_t		count = 0;
	struct option *next;
	char	   *next_short;

	while (specs[count].name != NULL)
		count++;
	table->longs = calloc(count + 4, sizeof(*table->longs));
	table->shorts = calloc(2 * count + 2, 1);
	if (table->longs == NULL || table->shorts == NULL)
	{
		getopt_table_free(table);
		return fail(parse, "out of memory");
	}

	next = table->longs;
	*next++ = (struct option) {"help", no_argument, NULL, CODE_HELP};
	*next++ = (struct option) {"version", no_argument, NULL, CODE_VERSION};
	*next++ = (struct option) {"show-options", no_argument, NULL, CODE_SHOW};
	next_short = table->shorts;
	*next_short++ = ':';		/* tell a missing argument from other errors */
	for (size_t i = 0; i < count; i++)
	{
		bool		is_flag = specs[i].type == OPTION_FLAG;

		if (option_is_heading(&specs[i]))
			continue;
		if (!option_is_short(&specs[i]))
			*next++ = (struct option) {
				specs[i].name, is_flag ? no_argument : required_argument,
				NULL, CODE_SPEC + (int) i
			};
		else
		{
			*next_short++ = specs[i].name[0];
			if (!is_flag)
				*next_short++ = ':';
		}
	}
	return true;
}

static void
getopt_table_free(GetoptTable *table)
{
	free(table->longs);
	free(table->shorts);
}

static OptionsOutcome
parse_flags(Parse *parse, const GetoptTable *table, int argc, char **argv)
{
	const OptionSpec *specs = parse->program->specs;
	OptionsOutcome outcome = OPTIONS_RUN;
	int			code;

	opterr = 0;
	optind = 0;					/* glibc: start anew */
	while ((code = getopt_long(argc, argv, table->shorts, table->longs,
							   NULL)) != -1)
	{
		size_t		index = 0;

		if (code == '?' || code == ':')
			return flag_error(parse, table, code, argv);
		if (code == CODE_HELP)
			options_help(parse->program, stdout);
		else if (code == CODE_VERSION)
			printf("%s %s\n", parse->program->name, FINTRANS_VERSION);
		if (code == CODE_HELP || code == CODE_VERSION)
			return OPTIONS_DONE;
		if (code == CODE_SHOW)
		{
			outcome = OPTIONS_SHOW;
			continue;
		}
		if (code >= CODE_SPEC)
			index = (size_t) (code - CODE_SPEC);
		else
			while (!option_is_short(&specs[index]) ||
				   specs[index].name[0] != code)
				index++;
		if (!parse_flag(parse, index, optarg))
			return OPTIONS_INVALID;
	}
	if (optind < argc)
	{
		/* cut where a connection string not quoted may show a password */
		int			bytes = (int) strcspn(argv[optind], "=:@");

		fail(parse, "unexpected argument \"%.*s\"; try --help",
			 bytes > 64 ? 64 : bytes, argv[optind]);
		return OPTIONS_INVALID;
	}
	return outcome;
}

static bool
parse_flag(Parse *parse, size_t index, const char *text)
{
	const OptionSpec *spec = &parse->program->specs[index];
	Origin		origin;

	snprintf(origin, sizeof(origin), "option %s%s",
			 option_is_short(spec) ? "-" : "--", spec->name);
	parse->sources[index] = OPTION_FROM_FLAG;
	if (spec->type == OPTION_FLAG)
		text = "true";
	return set_value(parse, spec, origin, text);
}

/* Say what getopt_long() stumbled over; always OPTIONS_INVALID. */
static OptionsOutcome
flag_error(Parse *parse, const GetoptTable *table, int code, char **argv)
{
	const struct option *found = table->longs;

	while (found->name != NULL && found->val != optopt)
		found++;
	if (code == ':' && found->name != NULL)
		fail(parse, "option --%s needs an argument; try --help", found->name);
	else if (code == ':')
		fail(parse, "option -%c needs an argument; try --help", optopt);
	else if (found->name != NULL)
		fail(parse, "option --%s takes no argument; try --help", found->name);
	else if (optopt != 0)
		fail(parse, "unrecognized option -%c; try --help", optopt);
	else
		name_wrong_flag(parse, table, argv[optind - 1]);
	return OPTIONS_INVALID;
}

/* argument is --name or --name=value: the value is not repeated. */
static void
name_wrong_flag(Parse *parse, const GetoptTable *table, const char *argument)
{
	int			bytes = (int) strcspn(argument, "=");
	const char *first = NULL;
	const char *second = NULL;

	for (const struct option *o = table->longs; o->name != NULL; o++)
	{
		if (strncmp(o->name, argument + 2, (size_t) bytes - 2) == 0)
		{
			second = first;
			first = o->name;
		}
	}
	if (second != NULL)
		fail(parse, "option %.*s is ambiguous: --%s or --%s", bytes, argument,
			 second, first);
	else
		fail(parse, "unrecognized option %.*s; try --help",
			 bytes > 64 ? 64 : bytes, argument);
}

/* ------------------------------------------------ environment and defaults */

/* Fill what no flag has set. */
static bool
parse_environment(Parse *parse)
{
	const OptionSpec *specs = parse->program->specs;

	for (size_t i = 0; specs[i].name != NULL; i++)
	{
		const char *variable;
		const char *text;
		Origin		origin;

		if (option_is_heading(&specs[i]) ||
			parse->sources[i] == OPTION_FROM_FLAG)
			continue;
		text = option_environment(&specs[i], &variable);
		if (text == NULL)
		{
			if (!parse_default(parse, &specs[i]))
				return false;
			continue;
		}
		snprintf(origin, sizeof(origin), "variable %s", variable);
		parse->sources[i] = OPTION_FROM_ENVIRONMENT;
		/* the demo took any value but "false" as a yes */
		if (specs[i].type == OPTION_FLAG &&
			variable == specs[i].older_environment)
			text = strcasecmp(text, "false") == 0 ? "false" : "true";
		if (!set_value(parse, &specs[i], origin, text))
			return false;
	}
	return true;
}

static bool
parse_default(Parse *parse, const OptionSpec *spec)
{
	Origin		origin;

	if (spec->default_text == NULL)
		return true;
	snprintf(origin, sizeof(origin), "default of option %s", spec->name);
	return set_value(parse, spec, origin, spec->default_text);
}

/* ----------------------------------------------------------------- values */

static bool
set_value(Parse *parse, const OptionSpec *spec, const char *origin,
		  const char *text)
{
	switch (spec->type)
	{
		case OPTION_TEXT:
			*(const char **) field_of(parse->settings, spec) = text;
			return true;
		case OPTION_INTEGER:
			return set_integer(parse, spec, origin, text);
		case OPTION_CHOICE:
			return set_choice(parse, spec, origin, text);
		case OPTION_FLAG:
			return set_flag(parse, spec, origin, text);
		case OPTION_LIST:
			return set_list(parse, spec, text);
	}
	return false;
}

static bool
set_integer(Parse *parse, const OptionSpec *spec, const char *origin,
			const char *text)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	long long	value;

	errno = 0;
	value = strtoll(text, NULL, 10);
	/* strtoll() itself would take blanks, "+" and a tail of letters */
	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
		errno != 0 || value < spec->minimum || value > spec->maximum)
	{
		char		range[80];

		option_range(spec, range, sizeof(range));
		return fail(parse, "%s: \"%.64s\" is not a whole number%s", origin,
					text, range);
	}
	*(int64_t *) field_of(parse->settings, spec) = value;
	return true;
}

static bool
set_choice(Parse *parse, const OptionSpec *spec, const char *origin,
		   const char *text)
{
	char		choices[160];

	if (!choice_is(spec->choices, text))
	{
		option_choices(spec->choices, choices, sizeof(choices));
		return fail(parse, "%s: \"%.64s\" is not one of %s", origin, text,
					choices);
	}
	*(const char **) field_of(parse->settings, spec) = text;
	return true;
}

static bool
set_flag(Parse *parse, const OptionSpec *spec, const char *origin,
		 const char *text)
{
	bool	   *field = field_of(parse->settings, spec);

	if (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
		strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0)
		*field = true;
	else if (strcasecmp(text, "false") == 0 || strcasecmp(text, "no") == 0 ||
			 strcasecmp(text, "off") == 0 || strcmp(text, "0") == 0)
		*field = false;
	else
		return fail(parse, "%s: \"%.64s\" is neither true nor false", origin,
					text);
	return true;
}

static bool
set_list(Parse *parse, const OptionSpec *spec, const char *text)
{
	OptionList *list = field_of(parse->settings, spec);
	const char **values = realloc(list->values,
								  (list->count + 1) * sizeof(*values));

	if (values == NULL)
		return fail(parse, "out of memory");
	values[list->count++] = text;
	list->values = values;
	return true;
}

/* Always false. */
static bool
fail(Parse *parse, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(parse->errstr, parse->errstr_size, format, arguments);
	va_end(arguments);
	return false;
}

static size_t
find_spec(const OptionsProgram *program, const char *name)
{
	size_t		i = 0;

	while (strcmp(program->specs[i].name, name) != 0)
		i++;
	return i;
}

static void *
field_of(void *settings, const OptionSpec *spec)
{
	return (char *) settings + spec->offset;
}

static bool
choice_is(const char *choices, const char *text)
{
	size_t		bytes = strlen(text);

	if (bytes == 0 || strchr(text, '|') != NULL)
		return false;
	for (const char *c = choices; *c != '\0';)
	{
		size_t		choice_bytes = strcspn(c, "|");

		if (choice_bytes == bytes && memcmp(c, text, bytes) == 0)
			return true;
		c += choice_bytes;
		c += *c == '|';
	}
	return false;
}
