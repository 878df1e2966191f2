/*
 * Tests of the option parser: where values come from, what is refused and in
 * which words, and what --help and --show-options print.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "man_page.h"
#include "option_value.h"
#include "options.h"

typedef struct Settings
{
	const char *topics;
	const char *database;
	int64_t		batch_rows;
	int64_t		any;
	const char *on_gap;
	bool		once;
	bool		plain;
	OptionList	properties;
	const char *file;
} Settings;

static const OptionSpec specs[] = {
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"First things"},
	{"topics", "TEST_TOPICS", "OLD_TOPICS", OPTION_TEXT,
		offsetof(Settings, topics), "NAME,...", "London,NYC", 0, 0, NULL,
		false, "Topics to read."},
	{"database", "TEST_DATABASE", NULL, OPTION_TEXT,
		offsetof(Settings, database), "CONNINFO", NULL, 0, 0, NULL,
		OPTION_CONNINFO, "Database to write to."},
	{"batch-rows", "TEST_BATCH_ROWS", NULL, OPTION_INTEGER,
		offsetof(Settings, batch_rows), "N", "20000", 1, 1000000, NULL, false,
		"Rows of a batch; this sentence is here to be too long for one line, "
		"so that it has to be wrapped."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Second things"},
	{"any", NULL, NULL, OPTION_INTEGER, offsetof(Settings, any), "N", NULL,
		INT64_MIN, INT64_MAX, NULL, false, "Any number."},
	{"on-gap", "TEST_ON_GAP", NULL, OPTION_CHOICE,
		offsetof(Settings, on_gap), "WHAT", "halt", 0, 0, "halt|earliest",
		false, "What to do."},
	{"once", "TEST_ONCE", NULL, OPTION_FLAG, offsetof(Settings, once), NULL,
		NULL, 0, 0, NULL, false, "Only once."},
	{"plain", "TEST_PLAIN", "PROD_OUTPUT", OPTION_FLAG,
		offsetof(Settings, plain), NULL, NULL, 0, 0, NULL, false,
		"No colour."},
	{"X", NULL, NULL, OPTION_LIST, offsetof(Settings, properties),
		"NAME=VALUE", NULL, 0, 0, NULL, OPTION_PROPERTY, "Property."},
	{"F", NULL, NULL, OPTION_TEXT, offsetof(Settings, file), "PATH", NULL, 0,
		0, NULL, false, "File."},
	{NULL}
};

static const OptionsProgram program = {
	"test-program", "Tests what it is given.", "tested", specs, NULL
};

static Settings settings;
static PairList config;
static OptionSource sources[sizeof(specs) / sizeof(specs[0])];
static char errstr[256];

/* Parse arguments, which end with NULL; the program's name is added. */
static OptionsOutcome
parse(const char *const *arguments)
{
	/* getopt changes the order */
	static char *argv[16];
	int			argc = 1;

	argv[0] = (char *) "test-program";
	while (arguments[argc - 1] != NULL)
	{
		argv[argc] = (char *) arguments[argc - 1];
		argc++;
	}
	argv[argc] = NULL;
	errstr[0] = '\0';
	pair_list_free(&config);
	return options_parse(&program, argc, argv, &settings, sources, &config,
						 errstr, sizeof(errstr));
}

#define PARSE(...) parse((const char *const[]) {__VA_ARGS__, NULL})

static int
clear_environment(void **state)
{
	(void) state;
	options_free(&program, &settings);
	pair_list_free(&config);
	return unsetenv("TEST_TOPICS") | unsetenv("OLD_TOPICS") |
		unsetenv("TEST_DATABASE") | unsetenv("TEST_BATCH_ROWS") |
		unsetenv("TEST_ON_GAP") | unsetenv("TEST_ONCE") |
		unsetenv("TEST_PLAIN") | unsetenv("PROD_OUTPUT");
}

static void
assert_refused(const char *expected)
{
	assert_string_equal(errstr, expected);
}

/* Everything that print() writes. */
static void
capture(void (*print) (FILE *), char *out, size_t size)
{
	FILE	   *file = tmpfile();

	assert_non_null(file);
	print(file);
	rewind(file);
	out[fread(out, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* ---------------------------------------------------- where values come from */

static void
defaults_count_when_nothing_is_given(void **state)
{
	(void) state;
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	assert_string_equal(settings.topics, "London,NYC");
	assert_null(settings.database);
	assert_int_equal(settings.batch_rows, 20000);
	assert_int_equal(settings.any, 0);
	assert_string_equal(settings.on_gap, "halt");
	assert_false(settings.once);
	assert_int_equal(settings.properties.count, 0);
	assert_null(settings.file);
	for (size_t i = 0; specs[i].name != NULL; i++)
		assert_int_equal(sources[i], OPTION_FROM_DEFAULT);
}

static void
flag_wins_over_environment_wins_over_older(void **state)
{
	(void) state;
	setenv("OLD_TOPICS", "old", 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	assert_string_equal(settings.topics, "old");
	assert_int_equal(sources[1], OPTION_FROM_ENVIRONMENT);
	setenv("TEST_TOPICS", "new", 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	assert_string_equal(settings.topics, "new");
	assert_int_equal(PARSE("--topics", "flag"), OPTIONS_RUN);
	assert_string_equal(settings.topics, "flag");
	assert_int_equal(sources[1], OPTION_FROM_FLAG);
	/* the later of two flags wins */
	assert_int_equal(PARSE("--topics=a", "--topics="), OPTIONS_RUN);
	assert_string_equal(settings.topics, "");
}

static void
an_empty_variable_is_not_set(void **state)
{
	(void) state;
	setenv("TEST_BATCH_ROWS", "", 1);
	setenv("TEST_TOPICS", "", 1);
	setenv("OLD_TOPICS", "old", 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	assert_int_equal(settings.batch_rows, 20000);
	assert_int_equal(sources[3], OPTION_FROM_DEFAULT);
	assert_string_equal(settings.topics, "old");
}

static void
a_flag_hides_a_bad_variable(void **state)
{
	(void) state;
	setenv("TEST_BATCH_ROWS", "abc", 1);
	assert_int_equal(PARSE("--batch-rows=7"), OPTIONS_RUN);
	assert_int_equal(settings.batch_rows, 7);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_INVALID);
	assert_refused("variable TEST_BATCH_ROWS: \"abc\" is not a whole number "
				   "between 1 and 1000000");
}

static void
lists_keep_their_order(void **state)
{
	(void) state;
	assert_int_equal(PARSE("-X", "a=1", "--once", "-Xb=2", "-F", "file",
						   "-X", "a=3"), OPTIONS_RUN);
	assert_int_equal(settings.properties.count, 3);
	assert_string_equal(settings.properties.values[0], "a=1");
	assert_string_equal(settings.properties.values[1], "b=2");
	assert_string_equal(settings.properties.values[2], "a=3");
	assert_string_equal(settings.file, "file");
	assert_true(settings.once);
}

static void
flags_take_words_from_the_environment(void **state)
{
	static const char *const yes[] = {"true", "TRUE", "yes", "on", "1"};
	static const char *const no[] = {"false", "No", "off", "0"};

	(void) state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
	{
		setenv("TEST_ONCE", yes[i], 1);
		assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
		assert_true(settings.once);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
	{
		setenv("TEST_ONCE", no[i], 1);
		assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
		assert_false(settings.once);
	}
	setenv("TEST_ONCE", "maybe", 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_INVALID);
	assert_refused("variable TEST_ONCE: \"maybe\" is neither true nor false");
}

/* PROD_OUTPUT: whatever is not "false" means yes. */
static void
flags_of_the_demo_take_anything_for_yes(void **state)
{
	(void) state;
	setenv("PROD_OUTPUT", "whatever", 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	assert_true(settings.plain);
	setenv("PROD_OUTPUT", "False", 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	assert_false(settings.plain);
}

/* ------------------------------------------------------ configuration file */

#define CONFIG_FILE "test_options.conf"

static void
write_config(const char *text)
{
	FILE	   *file = fopen(CONFIG_FILE, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int
remove_config(void **state)
{
	unlink(CONFIG_FILE);
	unsetenv(OPTIONS_FILE_VARIABLE);
	return clear_environment(state);
}

static void
the_file_wins_over_defaults_alone(void **state)
{
	(void) state;
	write_config("# comment\n topics = file \nbatch-rows=7\r\nonce=yes\n"
				 "X=a=1\nX=b=2\nany=3");
	setenv("TEST_BATCH_ROWS", "8", 1);
	assert_int_equal(PARSE("--config", CONFIG_FILE, "--any=4"), OPTIONS_RUN);
	assert_string_equal(settings.topics, "file");
	assert_int_equal(sources[1], OPTION_FROM_FILE);
	assert_int_equal(settings.batch_rows, 8);
	assert_int_equal(settings.any, 4);
	assert_true(settings.once);
	assert_int_equal(settings.properties.count, 2);
	assert_string_equal(settings.properties.values[1], "b=2");
	assert_string_equal(settings.on_gap, "halt");
	options_free(&program, &settings);
	setenv(OPTIONS_FILE_VARIABLE, CONFIG_FILE, 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	assert_string_equal(settings.topics, "file");
	options_free(&program, &settings);
	setenv(OPTIONS_FILE_VARIABLE, "/nonexistent", 1);
	assert_int_equal(PARSE("--config=" CONFIG_FILE), OPTIONS_RUN);
}

static void
faults_of_the_file_are_located(void **state)
{
	static const struct
	{
		const char *text;
		const char *error;
	}			bad[] = {
		{"topics=a\nnonsense=hunter2\n",
		"file \"" CONFIG_FILE "\", line 2: there is no option \"nonsense\";"
		" try --help"},
		{"=hunter2\n", "file \"" CONFIG_FILE "\", line 1: expected name=value,"
		" found no name before \"=\""},
		{"\nbatch-rows=many\n",
		"file \"" CONFIG_FILE "\", line 2, option batch-rows: \"many\" is not"
		" a whole number between 1 and 1000000"},
		{"once=maybe\n", "file \"" CONFIG_FILE "\", line 1, option once:"
		" \"maybe\" is neither true nor false"},
		{"topics=a\ntopics=b\n",
		"file \"" CONFIG_FILE "\", line 2: \"topics\" was given before"},
		/* its own name, and what else has no place in a table */
		{"config=other\n", "file \"" CONFIG_FILE "\", line 1: there is no"
		" option \"config\"; try --help"},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		write_config(bad[i].text);
		assert_int_equal(PARSE("--config", CONFIG_FILE), OPTIONS_INVALID);
		assert_refused(bad[i].error);
	}
	assert_int_equal(PARSE("--config=/nonexistent"), OPTIONS_INVALID);
	assert_non_null(strstr(errstr, "/nonexistent"));
}

/* What others may read is told only when it matters. */
static void
secrets_of_the_file_are_seen(void **state)
{
	static const struct
	{
		const char *text;
		bool		has_secret;
	}			files[] = {
		{"topics=password\n", false},
		{"database=host=a user=b\n", false},
		{"database=host=a password=hunter2\n", true},
		{"database=postgresql://me:hunter2@a/b\n", true},
		{"X=sasl.username=me\n", false},
		{"X=sasl.username=me\nX=sasl.password=hunter2\n", true},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		write_config(files[i].text);
		assert_int_equal(chmod(CONFIG_FILE, 0644), 0);
		assert_int_equal(PARSE("--config", CONFIG_FILE), OPTIONS_RUN);
		assert_true(config.is_open);
		assert_int_equal(options_file_has_secret(&program, &config),
						 files[i].has_secret);
		options_free(&program, &settings);
	}
	assert_int_equal(chmod(CONFIG_FILE, 0640), 0);
	assert_int_equal(PARSE("--config", CONFIG_FILE), OPTIONS_RUN);
	assert_false(config.is_open);
}

/* A token may look like a pair of a connection string. */
static void
secrets_that_are_no_passwords_are_hidden(void **state)
{
	static const OptionSpec secret_specs[] = {
		{"token", NULL, NULL, OPTION_TEXT, 0, "TOKEN", NULL, 0, 0, NULL,
		OPTION_HIDDEN, "Token."},
		{"url", NULL, NULL, OPTION_TEXT, sizeof(char *), "URL", NULL, 0, 0,
		NULL, OPTION_URL, "URL."},
		{NULL}
	};
	static const OptionsProgram secret_program = {
		"test-program", "Hides.", "hidden", secret_specs, NULL
	};
	static const char *const urls[][2] = {
		{"http://host:8086", "http://host:8086"},
		{"http://me:hunter2@host", "(hidden)"},
		{"http://host?token=hunter2", "(hidden)"}
	};

	(void) state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
	{
		const char *values[2] = {"hunter2-hunter2==", urls[i][0]};
		char		text[400] = "";
		char		expected[400];
		FILE	   *file = fmemopen(text, sizeof(text), "w");

		assert_non_null(file);
		options_show(&secret_program, values, (OptionSource[2]) {
			OPTION_FROM_FLAG, OPTION_FROM_FLAG
		}, file);
		fclose(file);
		snprintf(expected, sizeof(expected),
				 "token  flag  (hidden)\nurl    flag  %s\n", urls[i][1]);
		assert_string_equal(text, expected);
	}
}

/* What is checked after parsing is blamed on where it was set. */
static void
blame_names_the_source(void **state)
{
	(void) state;
	write_config("topics=file");
	assert_int_equal(PARSE("--config", CONFIG_FILE, "-F", "x"), OPTIONS_RUN);
	snprintf(errstr, sizeof(errstr), "wrong");
	assert_false(options_blame(&program, sources, "topics", errstr,
							   sizeof(errstr)));
	assert_refused("configuration file, option topics: wrong");
	snprintf(errstr, sizeof(errstr), "wrong");
	options_blame(&program, sources, "F", errstr, sizeof(errstr));
	assert_refused("option -F: wrong");
	setenv("OLD_TOPICS", "old", 1);
	assert_int_equal(parse((const char *const[]) {NULL}), OPTIONS_RUN);
	snprintf(errstr, sizeof(errstr), "wrong");
	options_blame(&program, sources, "topics", errstr, sizeof(errstr));
	assert_refused("variable OLD_TOPICS: wrong");
}

static void
values_are_compared(void **state)
{
	Settings	other;

	(void) state;
	assert_int_equal(PARSE("--topics=a", "-X", "a=1", "--once"), OPTIONS_RUN);
	other = settings;
	for (size_t i = 0; specs[i].name != NULL; i++)
		if (specs[i].name[0] != '\0')
			assert_true(option_value_equals(&specs[i], &settings, &other));
	other.topics = NULL;
	assert_false(option_value_equals(&specs[1], &settings, &other));
	other.batch_rows++;
	assert_false(option_value_equals(&specs[3], &settings, &other));
	other.once = false;
	assert_false(option_value_equals(&specs[7], &settings, &other));
	other.properties.count = 0;
	assert_false(option_value_equals(&specs[9], &settings, &other));
}

/* --------------------------------------------------------- what is refused */

static void
numbers_are_whole_and_within_limits(void **state)
{
	static const char *const bad[] = {
		"abc", "", " 5", "5 ", "+5", "0x10", "1e3", "1_000", "5.0", "-",
		"0", "-1", "1000001", "9223372036854775808", "18446744073709551617",
		"\xd9\xa5"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		char		expected[256];

		assert_int_equal(PARSE("--batch-rows", bad[i]), OPTIONS_INVALID);
		snprintf(expected, sizeof(expected), "option --batch-rows: \"%s\" is "
				 "not a whole number between 1 and 1000000", bad[i]);
		assert_refused(expected);
	}
	assert_int_equal(PARSE("--batch-rows", "1"), OPTIONS_RUN);
	assert_int_equal(PARSE("--batch-rows", "1000000"), OPTIONS_RUN);
	assert_int_equal(PARSE("--batch-rows", "007"), OPTIONS_RUN);
	assert_int_equal(settings.batch_rows, 7);
	assert_int_equal(PARSE("--any=-9223372036854775808"), OPTIONS_RUN);
	assert_true(settings.any == INT64_MIN);
	assert_int_equal(PARSE("--any=9223372036854775807"), OPTIONS_RUN);
	assert_true(settings.any == INT64_MAX);
	assert_int_equal(PARSE("--any="), OPTIONS_INVALID);
	assert_int_equal(PARSE("--any=-"), OPTIONS_INVALID);
	assert_int_equal(PARSE("--any=9223372036854775808"), OPTIONS_INVALID);
	assert_refused("option --any: \"9223372036854775808\" is not a whole "
				   "number");
}

static void
choices_are_closed(void **state)
{
	static const char *const bad[] = {
		"hal", "halt ", "Halt", "halt|earliest", "|", ""
	};

	(void) state;
	assert_int_equal(PARSE("--on-gap", "earliest"), OPTIONS_RUN);
	assert_string_equal(settings.on_gap, "earliest");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		char		expected[256];

		assert_int_equal(PARSE("--on-gap", bad[i]), OPTIONS_INVALID);
		snprintf(expected, sizeof(expected), "option --on-gap: \"%s\" is not "
				 "one of halt, earliest", bad[i]);
		assert_refused(expected);
	}
}

static void
wrong_flags_are_named(void **state)
{
	(void) state;
	assert_int_equal(PARSE("--nonsense=hunter2"), OPTIONS_INVALID);
	assert_refused("unrecognized option --nonsense; try --help");
	assert_int_equal(PARSE("-z"), OPTIONS_INVALID);
	assert_refused("unrecognized option -z; try --help");
	assert_int_equal(PARSE("--o"), OPTIONS_INVALID);
	assert_refused("option --o is ambiguous: --on-gap or --once");
	assert_int_equal(PARSE("--topics"), OPTIONS_INVALID);
	assert_refused("option --topics needs an argument; try --help");
	assert_int_equal(PARSE("-X"), OPTIONS_INVALID);
	assert_refused("option -X needs an argument; try --help");
	assert_int_equal(PARSE("--once=yes"), OPTIONS_INVALID);
	assert_refused("option --once takes no argument; try --help");
	/* a connection string that was not quoted */
	assert_int_equal(PARSE("--database", "host=a", "password=hunter2"),
					 OPTIONS_INVALID);
	assert_refused("unexpected argument \"password\"; try --help");
	assert_int_equal(PARSE("--", "--once"), OPTIONS_INVALID);
	assert_refused("unexpected argument \"--once\"; try --help");
}

static void
long_nonsense_is_cut(void **state)
{
	char		text[5000];

	(void) state;
	memset(text, '-', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(PARSE(text), OPTIONS_INVALID);
	assert_true(strlen(errstr) < 120);
	assert_int_equal(PARSE("--batch-rows", text), OPTIONS_INVALID);
	assert_non_null(strstr(errstr, "between 1 and 1000000"));
}

/* A list filled before the error is freed; the sanitizer watches. */
static void
nothing_leaks_after_an_error(void **state)
{
	(void) state;
	assert_int_equal(PARSE("-X", "a=1", "--nonsense"), OPTIONS_INVALID);
	assert_int_equal(settings.properties.count, 0);
	assert_null(settings.properties.values);
}

/* ------------------------------------------------------------ what is shown */

static void
show(FILE *out)
{
	options_show(&program, &settings, sources, out);
}

static void
shown_options_have_value_and_source(void **state)
{
	char		text[4096];

	(void) state;
	setenv("TEST_BATCH_ROWS", "5", 1);
	setenv("OLD_TOPICS", "old", 1);
	assert_int_equal(PARSE("--show-options", "--once", "-X", "a=1",
						   "-X", "sasl.password=hunter2", "-X", "hunter2"),
					 OPTIONS_SHOW);
	capture(show, text, sizeof(text));
	assert_string_equal(text,
		"topics      environment OLD_TOPICS       old\n"
		"database    default                      (none)\n"
		"batch-rows  environment TEST_BATCH_ROWS  5\n"
		"any         default                      (none)\n"
		"on-gap      default                      halt\n"
		"once        flag                         true\n"
		"plain       default                      false\n"
		"X           flag                         a=1\n"
		"X           flag                         sasl.password=(hidden)\n"
		"X           flag                         (hidden)\n"
		"F           default                      (none)\n");
}

/* A number without a default is none, unless somebody has said 0. */
static void
zero_is_shown_where_it_was_given(void **state)
{
	char		text[4096];

	(void) state;
	assert_int_equal(PARSE("--any=0"), OPTIONS_RUN);
	capture(show, text, sizeof(text));
	assert_non_null(strstr(text,
		"\nany         flag     0\n"));
}

static void
assert_shown_database(const char *database, const char *expected)
{
	char		text[4096];
	char		line[512];

	assert_int_equal(PARSE("--database", database), OPTIONS_RUN);
	capture(show, text, sizeof(text));
	assert_null(strstr(text, "hunter2"));
	snprintf(line, sizeof(line), "\ndatabase    flag     %s\n", expected);
	if (strstr(text, line) == NULL)
		fail_msg("\"%s\" is shown as: %s", database, text);
}

static void
passwords_are_not_shown(void **state)
{
	(void) state;
	assert_shown_database("host=a password=hunter2 user=me",
						  "host=a password=(hidden) user=me");
	assert_shown_database("password = 'hun ter2 hunter2' host = 'a b'",
						  "password=(hidden) host='a b'");
	assert_shown_database("password='it\\'s hunter2' host=a",
						  "password=(hidden) host=a");
	assert_shown_database("password=hunter2\\ hunter2 host=a",
						  "password=(hidden) host=a");
	assert_shown_database("password=hunter2\thost=a\n passfile='/a b'",
						  "password=(hidden) host=a passfile='/a b'");
	assert_shown_database("password='' host=a", "password=(hidden) host=a");
	assert_shown_database("password='a''hunter2' host=a", "(hidden)");
	assert_shown_database("sslpassword=hunter2 sslkey=/k",
						  "sslpassword=(hidden) sslkey=/k");
	assert_shown_database("postgresql://me:hunter2@a:5432/db",
						  "postgresql://me:(hidden)@a:5432/db");
	assert_shown_database("postgres://a,[::1]:5/db?user=me&password=hunter2",
						  "postgres://a,[::1]:5/db?user=me&password=(hidden)");
	assert_shown_database("postgresql://a?sslpassword=hunter2&passfile=/a",
						  "postgresql://a?sslpassword=(hidden)&passfile=/a");
	assert_shown_database("postgresql://me@a/db", "postgresql://me@a/db");
}

/* What libpq would not understand, and what is meant to deceive. */
static void
doubtful_connection_strings_are_hidden(void **state)
{
	static const char *const doubtful[] = {
		"hunter2",
		"host=a hunter2",
		"password=ab hunter2=ef host=a",
		"password=ab cd=hunter2",
		"PASSWORD=ab CD=hunter2",
		"postgresql://a/db?password=ab&cd=hunter2",
		"host=a password 'hunter2'",
		"password='hunter2",
		"=hunter2",
		"host=a =hunter2",
		"mysql://me:hunter2@a/db",
		"postgresql://me:hunter2@hunter2@a/db",
		"postgresql://me:hunter/2hunter2@a/db",
		"postgresql://a/db?p%61ssword=hunter2",
		"postgresql://a/db?hunter2",
		"password=x://hunter2"
	};

	(void) state;
	for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++)
		assert_shown_database(doubtful[i], "(hidden)");
}

/* What `test-program` prints on standard output with these arguments. */
static void
print_on_stdout(const char *argument, char *out, size_t size)
{
	FILE	   *file = tmpfile();
	int			standard_output;
	OptionsOutcome outcome;

	assert_non_null(file);
	fflush(stdout);
	standard_output = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	outcome = PARSE(argument);
	fflush(stdout);
	dup2(standard_output, STDOUT_FILENO);
	close(standard_output);
	assert_int_equal(outcome, OPTIONS_DONE);
	rewind(file);
	out[fread(out, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void
help_says_all_and_fits(void **state)
{
	char		text[8192];

	(void) state;
	/* help is to be had whatever the environment holds */
	setenv("TEST_BATCH_ROWS", "abc", 1);
	print_on_stdout("--help", text, sizeof(text));
	assert_non_null(strstr(text, "Usage: test-program [OPTION]...\n"
						   "Tests what it is given.\n\nFirst things:\n"));
	assert_non_null(strstr(text,
		"  --batch-rows=N  [TEST_BATCH_ROWS]\n"
		"      Rows of a batch; this sentence is here to be too long for one line, so\n"
		"      that it has to be wrapped.  A whole number between 1 and 1000000, default\n"
		"      20000.\n"));
	assert_non_null(strstr(text, "\n\nSecond things:\n  --any=N\n"));
	assert_non_null(strstr(text, "  --topics=NAME,...  [TEST_TOPICS]  "
						   "[OLD_TOPICS]\n      Topics to read.  Default "
						   "London,NYC.\n"));
	assert_non_null(strstr(text, "      What to do.  One of halt, earliest; "
						   "default halt.\n"));
	assert_non_null(strstr(text, "  -X NAME=VALUE\n      Property.  May be "
						   "given repeatedly.\n"));
	for (const char *line = text; *line != '\0';)
	{
		size_t		bytes = strcspn(line, "\n");

		assert_true(bytes <= 79);
		assert_true(bytes == 0 || line[bytes - 1] != ' ');
		line += bytes + 1;
	}
}

static void
version_is_the_control_files(void **state)
{
	char		text[128];

	(void) state;
	print_on_stdout("--version", text, sizeof(text));
	assert_string_equal(text, "test-program " FINTRANS_VERSION "\n");
}

/* Every option is there, and no line begins with what is not ours. */
static void
manual_page_is_safe_for_troff(void **state)
{
	static const char *const macros[] = {
		".TH ", ".SH ", ".SS ", ".TP\n", ".B ", ".BR ", ".PP\n"
	};
	char		text[8192];

	(void) state;
	print_on_stdout("--man", text, sizeof(text));
	assert_non_null(strstr(text, ".SH NAME\ntest\\-program \\- tests what it "
						   "is given\n"));
	assert_non_null(strstr(text, "\n.TP\n\\fB\\-\\-batch\\-rows\\fR=\\fIN\\fR"
						   "\nRows of a batch;"));
	assert_non_null(strstr(text, "\n.TP\n\\fB\\-X\\fR \\fINAME=VALUE\\fR\n"));
	assert_non_null(strstr(text, ".B TEST_PLAIN \\fRor\\fB PROD_OUTPUT\n"));
	for (const char *line = text; *line != '\0';)
	{
		size_t		i = 0;

		while (line[0] == '.' && i < sizeof(macros) / sizeof(macros[0]) &&
			   strncmp(line, macros[i], strlen(macros[i])) != 0)
			i++;
		assert_true(i < sizeof(macros) / sizeof(macros[0]));
		assert_true(line[0] != '\'');
		line += strcspn(line, "\n") + 1;
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, clear_environment, \
												   clear_environment)
	const struct CMUnitTest tests[] = {
		TEST(defaults_count_when_nothing_is_given),
		TEST(flag_wins_over_environment_wins_over_older),
		TEST(an_empty_variable_is_not_set),
		TEST(a_flag_hides_a_bad_variable),
		TEST(lists_keep_their_order),
		TEST(flags_take_words_from_the_environment),
		TEST(flags_of_the_demo_take_anything_for_yes),
		cmocka_unit_test_setup_teardown(the_file_wins_over_defaults_alone,
										remove_config, remove_config),
		cmocka_unit_test_setup_teardown(faults_of_the_file_are_located,
										remove_config, remove_config),
		cmocka_unit_test(secrets_that_are_no_passwords_are_hidden),
		cmocka_unit_test_setup_teardown(secrets_of_the_file_are_seen,
										remove_config, remove_config),
		cmocka_unit_test_setup_teardown(blame_names_the_source,
										remove_config, remove_config),
		TEST(values_are_compared),
		TEST(numbers_are_whole_and_within_limits),
		TEST(choices_are_closed),
		TEST(wrong_flags_are_named),
		TEST(long_nonsense_is_cut),
		TEST(nothing_leaks_after_an_error),
		TEST(shown_options_have_value_and_source),
		TEST(zero_is_shown_where_it_was_given),
		TEST(passwords_are_not_shown),
		TEST(doubtful_connection_strings_are_hidden),
		TEST(help_says_all_and_fits),
		TEST(version_is_the_control_files),
		TEST(manual_page_is_safe_for_troff),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
