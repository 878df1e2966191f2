/*
 * Reads what the parser of options takes for text.
 */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "database.h"
#include "http_server.h"
#include "time_spec.h"
#include "topic_list.h"

static bool check_currency(const char *currency, char *errstr,
						   size_t errstr_size);

bool
settings_read(const OptionsProgram *program, const Settings *settings,
			  const OptionSource *sources, IngestSettings *ingest,
			  UpkeepSettings *upkeep, char *errstr, size_t errstr_size)
{
	TopicList	topics = {0};
	const char *blamed = NULL;

	*upkeep = (UpkeepSettings) {.index_partitions = !settings->no_index};
	memset(ingest, 0, sizeof(*ingest));
	ingest->batch_rows = settings->batch_rows;
	ingest->batch_bytes = settings->batch_bytes;
	ingest->linger_ms = settings->linger_ms;
	ingest->skip_lost = strcmp(settings->on_gap, "earliest") == 0;
	ingest->exit_at_end = settings->exit_at_end;
	ingest->max_messages = settings->max_messages;
	ingest->status_seconds = settings->status_seconds;
	ingest->group = settings->group;
	/* reports tell how far Kafka is, and get to a database that is there */
	ingest->watches_kafka = settings->http_port > 0 ||
		settings->report_seconds > 0;
	ingest->watches_database = settings->http_port > 0;
	ingest->reject_window = settings->reject_window;
	ingest->reject_percent = settings->reject_percent;
	if (!time_spec_parse_start(settings->start, &ingest->start, errstr,
							   errstr_size))
		blamed = "start";
	else if (!time_spec_parse_range(settings->time_range, &ingest->time_range,
									errstr, errstr_size))
		blamed = "time-range";
	else if (!check_currency(settings->currency, errstr, errstr_size))
		blamed = "currency";
	else if (!topic_list_read(&topics, settings->topics, errstr, errstr_size))
		blamed = "topics";
	else if (settings->retain != NULL &&
			 !time_spec_parse_duration(settings->retain, &upkeep->retain_ms,
									   errstr, errstr_size))
		blamed = "retain";
	else if (settings->retain_dead_letters != NULL &&
			 !time_spec_parse_duration(settings->retain_dead_letters,
									   &upkeep->retain_dead_letters_ms,
									   errstr, errstr_size))
		blamed = "retain-dead-letters";
	else if (!http_server_check(settings->http_listen, errstr, errstr_size))
		blamed = "http-listen";
	else if (!database_check_conninfo(settings->database, errstr,
									  errstr_size) ||
			 (sources != NULL && options_exposed(program, sources, "database") &&
			  !database_check_exposed(settings->database, errstr,
									  errstr_size)))
		blamed = "database";
	topic_list_free(&topics);
	return blamed == NULL ||
		options_blame(program, sources, blamed, errstr, errstr_size);
}

ConsumerSettings
settings_of_consumer(const Settings *settings,
					 KafkaProperties *properties)
{
	return (ConsumerSettings) {
		settings->brokers, settings->group, settings->topics, properties
	};
}

/* Three capital letters, as in ISO 4217. */
static bool
check_currency(const char *currency, char *errstr, size_t errstr_size)
{
	if (currency == NULL ||
		(strlen(currency) == 3 &&
		 strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3))
		return true;
	snprintf(errstr, errstr_size,
			 "\"%s\" is not a currency code of three capital letters",
			 currency);
	return false;
}
