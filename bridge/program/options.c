/*
 * Parses command-line options and their environment variables by a table.
 *
 * The flags are read first, so that --help works whatever file and environment
 * hold, and a variable overridden by its flag is never complained about.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "man_page.h"
#include "option_value.h"
#include "options_table.h"

/* What getopt_long() returns: below are short options, above the table's. */
enum
{
	CODE_HELP = 256,
	CODE_VERSION,
	CODE_SHOW,
	CODE_CONFIG,
	CODE_MAN,
	CODE_SPEC
};

/* Where a text comes from, as errors name it: `option --group`. */
typedef char Origin[200];

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
	const char *path;			/* of the configuration file, or NULL */
	PairList   *file;
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
static bool read_config(Parse *parse);
static bool has_option(const OptionsProgram *program, const char *name);
static bool parse_others(Parse *parse);
static bool parse_variable(Parse *parse, size_t index, bool *given);
static bool parse_file(Parse *parse, size_t index, bool *given);
static bool parse_default(Parse *parse, const OptionSpec *spec);
static bool set_value(Parse *parse, const OptionSpec *spec,
					  const char *origin, const char *text);
static bool fail(Parse *parse, const char *format,...)
			__attribute__((format(printf, 2, 3)));

static size_t find_spec(const OptionsProgram *program, const char *name);

OptionsOutcome
options_parse(const OptionsProgram *program, int argc, char **argv,
			  void *settings, OptionSource *sources, PairList *file,
			  char *errstr, size_t errstr_size)
{
	Parse		parse = {
		program, settings, sources, NULL, file, errstr, errstr_size
	};
	GetoptTable table;
	OptionsOutcome outcome = OPTIONS_INVALID;

	*file = (PairList) {0};
	clear_settings(&parse);
	if (getopt_table_init(&table, &parse))
	{
		outcome = parse_flags(&parse, &table, argc, argv);
		getopt_table_free(&table);
	}
	if ((outcome == OPTIONS_RUN || outcome == OPTIONS_SHOW) &&
		(!read_config(&parse) || !parse_others(&parse)))
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
		if (!option_is_heading(spec))
			option_value_free(spec, settings);
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

bool
options_blame(const OptionsProgram *program, const OptionSource *sources,
			  const char *name, char *errstr, size_t errstr_size)
{
	size_t		index = find_spec(program, name);
	const OptionSpec *spec = &program->specs[index];
	const char *variable;
	char		reason[400];

	snprintf(reason, sizeof(reason), "%s", errstr);
	if (sources[index] == OPTION_FROM_ENVIRONMENT &&
		option_environment(spec, &variable) != NULL)
		snprintf(errstr, errstr_size, "variable %s: %s", variable, reason);
	else if (sources[index] == OPTION_FROM_FILE)
		snprintf(errstr, errstr_size, "configuration file, option %s: %s",
				 name, reason);
	else
		snprintf(errstr, errstr_size, "option %s%s: %s",
				 option_is_short(spec) ? "-" : "--", name, reason);
	return false;
}

bool
options_reloads(const OptionsProgram *program, const OptionSpec *spec)
{
	for (const char *const *name = program->reloaded;
		 name != NULL && *name != NULL; name++)
		if (strcmp(*name, spec->name) == 0)
			return true;
	return false;
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
		parse->sources[i] = OPTION_FROM_DEFAULT;
		if (!option_is_heading(&specs[i]))
			option_value_clear(&specs[i], parse->settings);
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
	table->longs = calloc(count + 6, sizeof(*table->longs));
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
	*next++ = (struct option) {"man", no_argument, NULL, CODE_MAN};
	*next++ = (struct option) {"config", required_argument, NULL, CODE_CONFIG};
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
		else if (code == CODE_MAN)
			man_page_print(parse->program, stdout);
		if (code == CODE_HELP || code == CODE_VERSION || code == CODE_MAN)
			return OPTIONS_DONE;
		if (code == CODE_SHOW)
		{
			outcome = OPTIONS_SHOW;
			continue;
		}
		if (code == CODE_CONFIG)
		{
			parse->path = optarg;
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

/* ------------------------------------- the file, environment and defaults */

/* Each of its lines must name an option, even one that is overridden. */
static bool
read_config(Parse *parse)
{
	if (parse->path == NULL)
		parse->path = getenv(OPTIONS_FILE_VARIABLE);
	if (parse->path == NULL || parse->path[0] == '\0')
		return true;
	if (!pair_file_read(parse->file, parse->path, "X", parse->errstr,
						parse->errstr_size))
		return false;
	for (size_t i = 0; i < parse->file->count; i++)
	{
		const Pair *pair = &parse->file->items[i];

		if (!has_option(parse->program, pair->name))
			return fail(parse, "file \"%.80s\", line %" PRIu64
						": there is no option \"%.64s\"; try --help",
						parse->path, pair->line, pair->name);
	}
	return true;
}

static bool
has_option(const OptionsProgram *program, const char *name)
{
	for (const OptionSpec *spec = program->specs; spec->name != NULL; spec++)
		if (!option_is_heading(spec) && strcmp(spec->name, name) == 0)
			return true;
	return false;
}

/* Fill what no flag has set. */
static bool
parse_others(Parse *parse)
{
	const OptionSpec *specs = parse->program->specs;

	for (size_t i = 0; specs[i].name != NULL; i++)
	{
		bool		given = false;

		if (option_is_heading(&specs[i]) ||
			parse->sources[i] == OPTION_FROM_FLAG)
			continue;
		if (!parse_variable(parse, i, &given) ||
			(!given && !parse_file(parse, i, &given)) ||
			(!given && !parse_default(parse, &specs[i])))
			return false;
	}
	return true;
}

static bool
parse_variable(Parse *parse, size_t index, bool *given)
{
	const OptionSpec *spec = &parse->program->specs[index];
	const char *variable;
	const char *text = option_environment(spec, &variable);
	Origin		origin;

	if (text == NULL)
		return true;
	*given = true;
	snprintf(origin, sizeof(origin), "variable %s", variable);
	parse->sources[index] = OPTION_FROM_ENVIRONMENT;
	/* the demo took any value but "false" as a yes */
	if (spec->type == OPTION_FLAG && variable == spec->older_environment)
		text = strcasecmp(text, "false") == 0 ? "false" : "true";
	return set_value(parse, spec, origin, text);
}

static bool
parse_file(Parse *parse, size_t index, bool *given)
{
	const OptionSpec *spec = &parse->program->specs[index];
	Origin		origin;

	for (size_t i = 0; i < parse->file->count; i++)
	{
		const Pair *pair = &parse->file->items[i];

		if (strcmp(pair->name, spec->name) != 0)
			continue;
		*given = true;
		parse->sources[index] = OPTION_FROM_FILE;
		snprintf(origin, sizeof(origin), "file \"%.80s\", line %" PRIu64
				 ", option %s", parse->path, pair->line, spec->name);
		if (!set_value(parse, spec, origin, pair->value))
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

static bool
set_value(Parse *parse, const OptionSpec *spec, const char *origin,
		  const char *text)
{
	return option_value_set(spec, parse->settings, origin, text,
							parse->errstr, parse->errstr_size);
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
