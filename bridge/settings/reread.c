/*
 * Everything is read and checked before anything is taken over.
 */
#include "reread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_properties.h"
#include "log.h"
#include "reload.h"
#include "text_file.h"

struct Reread
{
	const OptionsProgram *program;
	const Settings *settings;	/* of the start */
	IngestSettings *ingest;
	Upkeep	   *upkeep;
	Reload	   *reload;
	const KafkaProperties *properties;	/* of the start, the client's */
	KafkaProperties latest;		/* as the file had them when it was read last */
	bool		has_latest;
	KafkaProperties reread;		/* and as it has them now */
	IngestSettings checked_ingest;	/* what was read last, and found right */
	UpkeepSettings checked_upkeep;
};

static bool take_changes(void *context, Consumer *consumer);
static bool check_reread(const void *options, const OptionSource *sources,
						 void *context, char *errstr, size_t errstr_size);
static bool read_properties(Reread *own, char *errstr, size_t errstr_size);
static void take_properties(Reread *own, Consumer *consumer);
static bool set_credentials(Reread *own, Consumer *consumer,
							const char *user, const char *password,
							char *errstr, size_t errstr_size);
static bool is_credential(const char *name);

Reread *
reread_new(const OptionsProgram *program, const Settings *settings,
		   IngestSettings *ingest, Upkeep *upkeep,
		   const KafkaProperties *properties, char *errstr, size_t errstr_size)
{
	Reread	   *reread = calloc(1, sizeof(*reread));

	if (reread != NULL)
		reread->reload = reload_new(program, settings, sizeof(*settings));
	if (reread == NULL || reread->reload == NULL)
	{
		snprintf(errstr, errstr_size, "out of memory");
		free(reread);
		return NULL;
	}
	reread->program = program;
	reread->settings = settings;
	reread->ingest = ingest;
	reread->upkeep = upkeep;
	reread->properties = properties;
	ingest->reread = take_changes;
	ingest->reread_context = reread;
	return reread;
}

void
reread_free(Reread *reread)
{
	if (reread == NULL)
		return;
	reload_free(reread->reload);
	if (reread->has_latest)
		kafka_properties_free(&reread->latest);
	free(reread);
}

/* What the table says can change takes effect here, and credentials do. */
static bool
take_changes(void *context, Consumer *consumer)
{
	Reread	   *own = context;
	const Settings *settings = reload_read(own->reload, check_reread,
										   own);
	IngestSettings *ingest = own->ingest;
	const IngestSettings *changed = &own->checked_ingest;

	if (settings == NULL)
		return false;
	ingest->linger_ms = changed->linger_ms;
	ingest->skip_lost = changed->skip_lost;
	ingest->time_range = changed->time_range;
	ingest->status_seconds = changed->status_seconds;
	influx_sink_set_status(ingest->sink, changed->status_seconds);
	ingest->reject_window = changed->reject_window;
	ingest->reject_percent = changed->reject_percent;
	upkeep_set(own->upkeep, &own->checked_upkeep);
	log_set_level(settings->log_level);
	take_properties(own, consumer);
	return true;
}

/* The properties are those of the start's options, as their file is now. */
static bool
check_reread(const void *options, const OptionSource *sources, void *context,
			 char *errstr, size_t errstr_size)
{
	Reread	   *own = context;
	const Settings *settings = options;
	ConsumerSettings consumer =
		settings_of_consumer(own->settings, &own->reread);

	if (!settings_read(own->program, settings, sources, &own->checked_ingest,
					   &own->checked_upkeep, errstr, errstr_size) ||
		!read_properties(own, errstr, errstr_size))
		return false;
	if (consumer_check(&consumer, errstr, errstr_size))
		return true;
	kafka_properties_free(&own->reread);
	return false;
}

/* A pipe has been read: what came out of it stays. */
static bool
read_properties(Reread *own, char *errstr, size_t errstr_size)
{
	const char *path = own->settings->properties_file;

	if (path == NULL || !text_file_is_pipe(path))
		return kafka_properties_read(&own->reread, path,
									 &own->settings->properties, errstr,
									 errstr_size);
	log_write(LOG_LEVEL_WARNING,
			  "properties not read again, their file is a pipe", "file=%s",
			  log_quote(path, (char[256]) {0}, 256));
	if (kafka_properties_copy(&own->reread, own->properties))
		return true;
	snprintf(errstr, errstr_size, "out of memory");
	return false;
}

/* Of a client that runs only the credentials can be changed. */
static void
take_properties(Reread *own, Consumer *consumer)
{
	KafkaProperties *new = &own->reread;
	const char *user = kafka_properties_value(new, "sasl.username");
	const char *password = kafka_properties_value(new, "sasl.password");
	const KafkaProperties *before =
		own->has_latest ? &own->latest : own->properties;
	bool		credentials_differ = false;
	char		errstr[256];

	for (size_t i = 0; i < new->count; i++)
	{
		const char *name = new->items[i].name;
		const char *old = kafka_properties_value(before, name);

		if (old != NULL && strcmp(old, new->items[i].value) == 0)
			continue;
		if (is_credential(name))
			credentials_differ = true;
		else
			log_write(LOG_LEVEL_WARNING,
					  "property changed, which needs a restart",
					  "property=%s",
					  log_quote(name, (char[128]) {0}, 128));
	}
	if (credentials_differ && user != NULL && password != NULL)
	{
		if (set_credentials(own, consumer, user, password, errstr,
							sizeof(errstr)))
			log_write(LOG_LEVEL_INFO, "credentials changed", NULL);
		else
			log_write(LOG_LEVEL_ERROR, "credentials not changed", "reason=%s",
					  log_quote(errstr, (char[256]) {0}, 256));
	}
	/* the client goes on looking at those of the start */
	if (own->has_latest)
		kafka_properties_free(&own->latest);
	own->latest = *new;
	own->has_latest = true;
	*new = (KafkaProperties) {0};
}

/* Each client has its own. */
static bool
set_credentials(Reread *own, Consumer *consumer, const char *user,
				const char *password, char *errstr, size_t errstr_size)
{
	if (!consumer_set_credentials(consumer, user, password, errstr,
								  errstr_size))
		return false;
	if (influx_sink_set_credentials(own->ingest->sink, user, password))
		return true;
	snprintf(errstr, errstr_size, "out of memory for the client for InfluxDB");
	return false;
}

static bool
is_credential(const char *name)
{
	return strcmp(name, "sasl.username") == 0 ||
		strcmp(name, "sasl.password") == 0;
}
