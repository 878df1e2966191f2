/*
 * The one way in and out of every program: wrong use and wrong configuration
 * end alike, and so does output that could not be written.
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"

static int	start(const OptionsProgram *program, const void *settings,
				  const OptionSource *sources, ProgramRun run);
static int	usage_error(const OptionsProgram *program, const char *reason);

int
program_main(const OptionsProgram *program, int argc, char **argv,
			 void *settings, OptionSource *sources, ProgramRun run)
{
	char		errstr[256];
	int			status = EXIT_SUCCESS;

	switch (options_parse(program, argc, argv, settings, sources,
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
			status = start(program, settings, sources, run);
			break;
	}
	options_free(program, settings);
	if (fflush(stdout) != 0 && status == EXIT_SUCCESS)
		status = EXIT_FAILURE;
	return status;
}

static int
start(const OptionsProgram *program, const void *settings,
	  const OptionSource *sources, ProgramRun run)
{
	char		errstr[512];
	int			status;

	log_open(program->name, options_text(program, settings, "log-level"));
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
