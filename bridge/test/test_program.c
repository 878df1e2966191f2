/*
 * Tests of what all programs have in common: when the work is begun, what
 * their exit status is, and where they say what is wrong.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "program.h"

typedef struct Settings
{
	int64_t		status;
	const char *log_level;
} Settings;

static const OptionSpec specs[] = {
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Things"},
	{"status", NULL, NULL, OPTION_INTEGER, offsetof(Settings, status), "N",
		"0", 0, 255, NULL, false, "Status to end with."},
	{"log-level", NULL, NULL, OPTION_CHOICE, offsetof(Settings, log_level),
		"LEVEL", "info", 0, 0, LOG_LEVELS, false, "What is logged."},
	{NULL}
};

static const OptionsProgram program = {
	"test-program", "Ends as it is told.", "told so", specs, NULL
};

static int	runs;

/* A program's work: end with the status that is set. */
static int
run(const void *options, const OptionSource *sources, char *errstr,
	size_t errstr_size)
{
	const Settings *settings = options;

	runs++;
	assert_int_equal(sources[1] == OPTION_FROM_FLAG,
					 options_given(&program, sources, "status"));
	if (settings->status != EXIT_SUCCESS)
		snprintf(errstr, errstr_size, "told to");
	return (int) settings->status;
}

/* What is printed to out and error, "" or a file's name to write to. */
static int
run_program(const char *argument, const char *out_path, char *out,
			char *error)
{
	static char *argv[3];
	const int	standard[] = {STDOUT_FILENO, STDERR_FILENO};
	char	   *texts[] = {out, error};
	FILE	   *files[2];
	int			saved[2];
	Settings	settings;
	OptionSource sources[sizeof(specs) / sizeof(specs[0])];
	int			status;

	argv[0] = (char *) "test-program";
	argv[1] = (char *) argument;
	fflush(stdout);
	for (int i = 0; i < 2; i++)
	{
		files[i] = i == 0 && out_path != NULL ? fopen(out_path, "w+") :
			tmpfile();
		assert_non_null(files[i]);
		saved[i] = dup(standard[i]);
		dup2(fileno(files[i]), standard[i]);
	}
	runs = 0;
	status = program_main(&program, argument == NULL ? 1 : 2, argv,
						  &settings, sources, run);
	for (int i = 0; i < 2; i++)
	{
		dup2(saved[i], standard[i]);
		close(saved[i]);
		rewind(files[i]);
		texts[i][fread(texts[i], 1, 4095, files[i])] = '\0';
		fclose(files[i]);
	}
	clearerr(stdout);
	return status;
}

static void
options_that_ask_are_answered(void **state)
{
	char		out[4096];
	char		error[4096];

	(void) state;
	assert_int_equal(run_program("--version", NULL, out, error), EXIT_SUCCESS);
	assert_string_equal(out, "test-program " FINTRANS_VERSION "\n");
	assert_int_equal(run_program("--show-options", NULL, out, error),
					 EXIT_SUCCESS);
	assert_non_null(strstr(out, "log-level  default  info\n"));
	assert_int_equal(run_program("--help", NULL, out, error), EXIT_SUCCESS);
	assert_non_null(strstr(out, "\nExit status:\n"
						   "  0  told so\n"
						   "  1  failed, for the reason logged\n"
						   "  2  wrong use or configuration\n"));
	assert_int_equal(runs, 0);
	assert_string_equal(error, "");
}

static void
wrong_use_ends_before_the_work(void **state)
{
	char		out[4096];
	char		error[4096];

	(void) state;
	assert_int_equal(run_program("--nonsense", NULL, out, error), EXIT_USAGE);
	assert_string_equal(error, "test-program: unrecognized option "
						"--nonsense; try --help\n");
	assert_int_equal(run_program("--log-level=loud", NULL, out, error),
					 EXIT_USAGE);
	assert_int_equal(runs, 0);
	assert_string_equal(out, "");
}

static void
the_work_decides_the_status(void **state)
{
	char		out[4096];
	char		error[4096];

	(void) state;
	assert_int_equal(run_program(NULL, NULL, out, error), EXIT_SUCCESS);
	assert_int_equal(runs, 1);
	assert_string_equal(error, "");
	assert_int_equal(run_program("--status=1", NULL, out, error),
					 EXIT_FAILURE);
	/* a failure was logged by whoever noticed it */
	assert_string_equal(error, "");
	assert_int_equal(run_program("--status=2", NULL, out, error), EXIT_USAGE);
	assert_string_equal(error, "test-program: told to\n");
	assert_int_equal(run_program("--status=130", NULL, out, error), 130);
	assert_string_equal(out, "");
}

static void
the_log_is_open_for_the_work(void **state)
{
	char		out[4096];
	char		error[4096];

	(void) state;
	run_program("--log-level=debug", NULL, out, error);
	assert_int_equal(runs, 1);
	assert_true(log_enabled(LOG_LEVEL_DEBUG));
	run_program("--log-level=warning", NULL, out, error);
	assert_false(log_enabled(LOG_LEVEL_INFO));
}

static void
output_that_gets_lost_is_a_failure(void **state)
{
	char		out[4096];
	char		error[4096];

	(void) state;
	assert_int_equal(run_program("--help", "/dev/full", out, error),
					 EXIT_FAILURE);
}

/* A program's work: read all again, and end with 3 if it is refused. */
static int
run_rereading(const void *options, const OptionSource *sources, char *errstr,
			  size_t errstr_size)
{
	Settings	again;
	OptionSource again_sources[sizeof(specs) / sizeof(specs[0])];
	PairList	file;

	(void) sources;
	assert_int_equal(((const Settings *) options)->status, 7);
	if (!program_reread(&again, again_sources, &file, errstr, errstr_size))
		return 3;
	pair_list_free(&file);
	options_free(&program, &again);
	return EXIT_SUCCESS;
}

/* Its options would all go back to their defaults. */
static void
a_file_that_became_empty_is_refused(void **state)
{
	static char *argv[3];
	Settings	settings;
	OptionSource sources[sizeof(specs) / sizeof(specs[0])];
	char		path[64];
	int			ends[2];

	(void) state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "status=7\n", 9), 9);
	close(ends[1]);
	snprintf(path, sizeof(path), "--config=/dev/fd/%d", ends[0]);
	argv[0] = (char *) "test-program";
	argv[1] = path;
	assert_int_equal(program_main(&program, 2, argv, &settings, sources,
								  run_rereading), 3);
	close(ends[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_became_empty_is_refused),
		cmocka_unit_test(options_that_ask_are_answered),
		cmocka_unit_test(wrong_use_ends_before_the_work),
		cmocka_unit_test(the_work_decides_the_status),
		cmocka_unit_test(the_log_is_open_for_the_work),
		cmocka_unit_test(output_that_gets_lost_is_a_failure),
	};

	return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
