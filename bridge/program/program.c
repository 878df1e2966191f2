/*
 * The one way in and out of every program: wrong use and wrong configuration
 * end alike, and so does output that could not be written.
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"

/* How the process was started. */
static struct
{
	const OptionsProgram *program;
	int			argc;
	char	  **argv;
	bool		had_file;		/* with options in it */
	bool		file_is_pipe;
}			started;

static int	start(const OptionsProgram *program, const void *settings,
				  const OptionSource *sources, const PairList *file,
				  ProgramRun run);
static int	usage_error(const OptionsProgram *program, const char *reason);

int
program_main(const OptionsProgram *program, int argc, char **argv,
			 void *settings, OptionSource *sources, ProgramRun run)
{
	char		errstr[512];
	PairList	file;
	int			status = EXIT_SUCCESS;

	started.program = program;
	started.argc = argc;
	started.argv = argv;
	switch (options_parse(program, argc, argv, settings, sources, &file,
						  errstr, sizeof(errstr)))
	{
		case OPTIONS_DONE:
			break;
		case OPTIONS_INVALID:
			status = usage_error(program, errstr);
			break;
		case OPTIONS_SHOW:
			options_show(program, settings, sources, stdout);
			break;
		case OPTIONS_RUN:
			started.had_file = file.count > 0;
			started.file_is_pipe = file.is_pipe;
			status = start(program, settings, sources, &file, run);
			break;
	}
	options_free(program, settings);
	pair_list_free(&file);
	if (fflush(stdout) != 0 && status == EXIT_SUCCESS)
		status = EXIT_FAILURE;
	return status;
}

bool
program_reread(void *settings, OptionSource *sources, PairList *file,
			   char *errstr, size_t errstr_size)
{
	OptionsOutcome outcome;

	if (started.file_is_pipe)
	{
		/* to open it might take until somebody writes */
		snprintf(errstr, errstr_size, "the configuration file is a pipe, which"
				 " can be read only once");
		return false;
	}
	outcome = options_parse(started.program, started.argc, started.argv,
							settings, sources, file, errstr, errstr_size);
	if (outcome == OPTIONS_RUN && started.had_file && file->count == 0)
	{
		/* all options would go back to their defaults */
		snprintf(errstr, errstr_size, "the configuration file is empty now: it"
				 " is being written");
		options_free(started.program, settings);
		outcome = OPTIONS_INVALID;
	}
	if (outcome == OPTIONS_INVALID)
		pair_list_free(file);
	return outcome != OPTIONS_INVALID;
}

static int
start(const OptionsProgram *program, const void *settings,
	  const OptionSource *sources, const PairList *file, ProgramRun run)
{
	char		errstr[512];
	int			status;

	log_open(program->name, options_text(program, settings, "log-level"));
	if (file->is_open && options_file_has_secret(program, file))
		log_write(LOG_LEVEL_WARNING,
				  "configuration file with secrets is open to others", NULL);
	status = run(settings, sources, errstr, sizeof(errstr));
	if (status == EXIT_USAGE)
		usage_error(program, errstr);
	return status;
}

static int
usage_error(const OptionsProgram *program, const char *reason)
{
	fprintf(stderr, "%s: %s\n", program->name, reason);
	return EXIT_USAGE;
}
