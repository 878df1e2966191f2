/*
 * Two settings take turns: the latest that were right, and those being read.
 * What needs a restart is compared with the start, so that it is told each time
 * until it is done.
 */
#include "reload.h"

#include <stdlib.h>

#include "log.h"
#include "option_value.h"
#include "options_table.h"
#include "program.h"

/* One reading of all options. */
typedef struct Reading
{
	void	   *settings;
	OptionSource *sources;
	PairList	file;
	bool		is_filled;
} Reading;

struct Reload
{
	const OptionsProgram *program;
	const void *started;
	const void *latest;			/* started, or of a reading */
	Reading		readings[2];
	int			next;			/* the reading that is not the latest */
};

static bool reading_init(Reading *reading, const OptionsProgram *program,
						 size_t settings_bytes);
static void reading_empty(Reading *reading, const OptionsProgram *program);
static void report_changes(const Reload *reload, const void *settings);
static void report_change(const OptionSpec *spec, const void *settings,
						  bool is_taken);

Reload *
reload_new(const OptionsProgram *program, const void *started,
		   size_t settings_bytes)
{
	Reload	   *reload = calloc(1, sizeof(*reload));

	if (reload == NULL)
		return NULL;
	reload->program = program;
	reload->started = started;
	reload->latest = started;
	for (int i = 0; i < 2; i++)
		if (!reading_init(&reload->readings[i], program, settings_bytes))
		{
			reload_free(reload);
			return NULL;
		}
	return reload;
}

void
reload_free(Reload *reload)
{
	if (reload == NULL)
		return;
	for (int i = 0; i < 2; i++)
	{
		reading_empty(&reload->readings[i], reload->program);
		free(reload->readings[i].settings);
		free(reload->readings[i].sources);
	}
	free(reload);
}

const void *
reload_read(Reload *reload, ReloadCheck check, void *context)
{
	Reading    *reading = &reload->readings[reload->next];
	char		errstr[512];

	reading_empty(reading, reload->program);
	reading->is_filled = program_reread(reading->settings, reading->sources,
										&reading->file, errstr,
										sizeof(errstr));
	if (!reading->is_filled ||
		!check(reading->settings, reading->sources, context, errstr,
			   sizeof(errstr)))
	{
		log_write(LOG_LEVEL_ERROR, "configuration wrong, all stays as it is",
				  "reason=%s", log_quote(errstr, (char[600]) {0}, 600));
		return NULL;
	}
	report_changes(reload, reading->settings);
	reload->latest = reading->settings;
	reload->next = 1 - reload->next;
	return reload->latest;
}

static bool
reading_init(Reading *reading, const OptionsProgram *program,
			 size_t settings_bytes)
{
	size_t		specs = 0;

	while (program->specs[specs].name != NULL)
		specs++;
	reading->settings = calloc(1, settings_bytes);
	reading->sources = calloc(specs + 1, sizeof(*reading->sources));
	return reading->settings != NULL && reading->sources != NULL;
}

static void
reading_empty(Reading *reading, const OptionsProgram *program)
{
	if (!reading->is_filled)
		return;
	options_free(program, reading->settings);
	pair_list_free(&reading->file);
	reading->is_filled = false;
}

static void
report_changes(const Reload *reload, const void *settings)
{
	int			changes = 0;

	for (const OptionSpec *spec = reload->program->specs; spec->name != NULL;
		 spec++)
	{
		bool		is_taken = options_reloads(reload->program, spec);

		if (option_is_heading(spec) ||
			option_value_equals(spec, settings, is_taken ? reload->latest :
								reload->started))
			continue;
		report_change(spec, settings, is_taken);
		changes++;
	}
	log_write(LOG_LEVEL_INFO, "configuration read", "changes=%d", changes);
}

/* Values may be secrets: those of options that are taken are none. */
static void
report_change(const OptionSpec *spec, const void *settings, bool is_taken)
{
	char		value[200] = "";

	if (!is_taken)
	{
		log_write(LOG_LEVEL_WARNING, "option changed, which needs a restart",
				  "option=%s", spec->name);
		return;
	}
	option_value_text(spec, settings, value, sizeof(value));
	log_write(LOG_LEVEL_INFO, "option changed", "option=%s value=%s",
			  spec->name, log_quote(value, (char[200]) {0}, 200));
}
