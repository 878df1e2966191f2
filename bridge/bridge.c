/*
 * fintrans-bridge: loads Kafka topics into PostgreSQL, each message exactly
 * once.
 *
 *	Kafka -> consumer -> codec -> batch -> writer -> loader -> PostgreSQL
 *		   `------ ingest (main loop) ------'   `--- thread ---'
 *						  |
 *					   monitor <- http_server (thread) <- whoever watches
 *						  `---> reporter (thread) -> PostgreSQL
 *
 * The main thread reads messages and encodes them for COPY; the writer thread
 * stores one batch while the next is filled.  Progress lives in the database
 * only (fintrans_offsets) and moves in the database transaction that stores
 * the rows.
 *
 *	Kafka -> influx_reader -> line_protocol -> influx_sender -> InfluxDB
 *		   `------------------ thread ------------------'
 *
 * Points for InfluxDB are made by a thread of their own, which is told how far
 * PostgreSQL has committed and reads that from Kafka once more.
 */
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "codec.h"
#include "consumer.h"
#include "database.h"
#include "dead_letters.h"
#include "influx_settings.h"
#include "influx_sink.h"
#include "ingest.h"
#include "kafka_properties.h"
#include "log.h"
#include "metrics.h"
#include "monitor.h"
#include "program.h"
#include "reporter.h"
#include "reread.h"
#include "settings.h"
#include "time_spec.h"
#include "topic_list.h"
#include "upkeep.h"
#include "watch.h"
#include "writer.h"

#define PROGRAM "fintrans-bridge"

/* Exit status after a second signal. */
#define EXIT_KILLED 130

/* How long leaving the group, and then the writer, may take. */
#define CLOSE_SECONDS 10
#define THREAD_STOP_MS 1000

static const OptionSpec specs[] = {
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Kafka"},
	{"brokers", "FINTRANS_BROKERS", NULL, OPTION_TEXT,
		offsetof(Settings, brokers), "HOST:PORT,...", "localhost:9092", 0, 0,
		NULL, false, "Kafka brokers to ask first."},
	{"topics", "FINTRANS_TOPICS", NULL, OPTION_TEXT,
		offsetof(Settings, topics), "NAME,...",
		"London,NYC,SF,Moscow,Tokyo", 0, 0, NULL, false,
		"Topics to load; a topic is the city of its transactions.  One that "
	"does not exist yet is waited for."},
	{"group", "FINTRANS_GROUP", NULL, OPTION_TEXT,
		offsetof(Settings, group), "NAME", "fintrans", 0, 0, NULL, false,
		"Consumer group: the bridges of a group share the partitions."},
	{"start", "FINTRANS_START", NULL, OPTION_TEXT,
		offsetof(Settings, start), "earliest|latest|TIME", "earliest", 0, 0,
		NULL, false, "Where a topic never seen before is begun: TIME is like "
		"2026-11-24T08:15:00Z, or -1h.  A partition added to a known topic is "
	"always read from its start."},
	{"on-gap", "FINTRANS_ON_GAP", NULL, OPTION_CHOICE,
		offsetof(Settings, on_gap), "ACTION", "halt", 0, 0, "halt|earliest",
		false, "When Kafka has deleted messages that were not loaded yet: "
	"halt the partition, or go on from the earliest message left and count "
	"the lost ones as skipped."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"PostgreSQL"},
	{"database", "FINTRANS_DATABASE", NULL, OPTION_TEXT,
		offsetof(Settings, database), "CONNINFO", "", 0, 0, NULL,
		OPTION_CONNINFO,
		"Connection string or URI; what it leaves out comes from the "
	"variables PGHOST, PGDATABASE and so on.  Passwords "
	"belong into --password-file or a passfile."},
	{"password-file", "FINTRANS_PASSWORD_FILE", NULL, OPTION_TEXT,
		offsetof(Settings, password_file), "PATH", NULL, 0, 0, NULL, false,
		"File that holds the role's password and nothing else; read anew for "
	"each connection."},
	{"batch-rows", "FINTRANS_BATCH_ROWS", NULL, OPTION_INTEGER,
		offsetof(Settings, batch_rows), "N", "100000", 1, 1000000, NULL, false,
		"Messages in a database transaction, at most."},
	{"batch-bytes", "FINTRANS_BATCH_BYTES", NULL, OPTION_INTEGER,
		offsetof(Settings, batch_bytes), "N", "33554432", 65536, 1073741824,
		NULL, false, "Size of such a batch, at most; there are two of them.  "
	"A row takes about 100 bytes, its accounts and its message."},
	{"linger-ms", "FINTRANS_LINGER_MS", NULL, OPTION_INTEGER,
		offsetof(Settings, linger_ms), "N", "5", 0, 60000, NULL, false,
		"Store a batch that is not full this long after its first message, "
		"in milliseconds, or as soon after that as the one before is stored.  "
	"More of it takes less of the database's time for the same messages."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"What is accepted"},
	{"format", "FINTRANS_FORMAT", NULL, OPTION_CHOICE,
		offsetof(Settings, codec.format), "FORMAT", "text", 0, 0,
		CODEC_FORMATS, false, "Format of the messages: \"source target amount\"; "
	"an object of JSON; or a record of CSV."},
	{"fields", "FINTRANS_FIELDS", NULL, OPTION_TEXT,
		offsetof(Settings, codec.fields), "NAME=PLACE,...", NULL, 0, 0, NULL,
		false, "Where JSON or CSV has source, target, amount and, if it has "
		"them, reference (the bank's own id of the transaction), currency and "
		"time.  A PLACE is a path of member names, such as "
		"payload.debtor.account; or the number of a column, from 1 on, or its "
		"name in --csv-header.  A backslash before a comma, equals sign or "
		"point makes it part of a name.  When it is not given: "
		"source=source,target=target,amount=amount, and for CSV without a "
	"header source=1,target=2,amount=3."},
	{"csv-header", "FINTRANS_CSV_HEADER", NULL, OPTION_TEXT,
		offsetof(Settings, codec.csv_header), "NAME,...", NULL, 0, 0, NULL,
		false, "Names of the columns of CSV: each message then has exactly "
	"those."},
	{"event-time-unit", "FINTRANS_EVENT_TIME_UNIT", NULL, OPTION_CHOICE,
		offsetof(Settings, codec.time_unit), "UNIT", "iso", 0, 0,
		TIME_UNIT_NAMES, false, "What the time in --fields is: iso, a date and "
		"time of ISO 8601, in UTC or with an offset; or seconds, milliseconds "
		"or microseconds since 1970.  Without a time in --fields the timestamp "
	"of Kafka's message counts."},
	{"time-range", "FINTRANS_TIME_RANGE", NULL, OPTION_TEXT,
		offsetof(Settings, time_range), "FROM..TO", "-365d..+1d", 0, 0, NULL,
		false, "Event times accepted, for instance 2020-01-01..+1h; messages "
	"outside become dead letters.  An end left out is open."},
	{"currency", "FINTRANS_CURRENCY", NULL, OPTION_TEXT,
		offsetof(Settings, currency), "CODE", NULL, 0, 0, NULL, false,
		"Currency of the installation, such as USD: messages may name it in a "
		"fourth field or that of --fields, and one that names another becomes "
		"a dead letter.  The first bridge that names one decides it for all "
	"that are started later."},
	{"max-reject-percent", "FINTRANS_MAX_REJECT_PERCENT", NULL, OPTION_INTEGER,
		offsetof(Settings, reject_percent), "N", "50", 0, 100, NULL, false,
		"Halt a partition at the message that would make more of its latest "
		"offsets dead letters, before all that comes becomes one; 100 never "
	"halts it.  What was stored or became a dead letter before stays so."},
	{"reject-window", "FINTRANS_REJECT_WINDOW", NULL, OPTION_INTEGER,
		offsetof(Settings, reject_window), "N", "1000", 1, 10000, NULL, false,
		"How many of its latest offsets."},
	{"retain", "FINTRANS_RETAIN", NULL, OPTION_TEXT,
		offsetof(Settings, retain), "DURATION", NULL, 0, 0, NULL, false,
		"Drop the transactions of days before this long ago, such as 400d.  "
	"Needs the keeper's privileges.  Without it all are kept."},
	{"retain-dead-letters", "FINTRANS_RETAIN_DEAD_LETTERS", NULL, OPTION_TEXT,
		offsetof(Settings, retain_dead_letters), "DURATION", NULL, 0, 0, NULL,
		false, "Purge the dead letters that are older, replayed ones too.  "
	"Needs the keeper's privileges.  Without it all are kept."},
	{"no-index", "FINTRANS_NO_INDEX", NULL, OPTION_FLAG,
		offsetof(Settings, no_index), NULL, NULL, 0, 0, NULL, false,
		"Leave the partitions of days that have passed without the indexes by "
	"which the transactions of a pair or an account are found."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Instead of loading"},
	{"check", NULL, NULL, OPTION_FLAG, offsetof(Settings, check), NULL, NULL,
		0, 0, NULL, false, "Test configuration, Kafka, database, privileges, "
		"versions and clocks, change nothing, print a line for each with what "
	"is to be done, and exit: with 1 when anything has failed."},
	{"dead-letters", NULL, NULL, OPTION_CHOICE,
		offsetof(Settings, dead_letters), "ACTION", NULL, 0, 0,
		DEAD_LETTERS_ACTIONS, false, "Read the dead letters of the topics "
		"again, with the options that are given now: test says how many of "
		"them have become readable, and replay puts those in their places as "
		"well, each exactly once.  Prints how many, and how many are left for "
	"which reasons, and exits.  Needs the keeper's privileges, and no Kafka."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"InfluxDB"},
	{"influx-url", "FINTRANS_INFLUX_URL", "INFLUX_API", OPTION_TEXT,
		offsetof(Settings, influx.url), "URL", NULL, 0, 0, NULL, OPTION_URL,
		"Send a point to the InfluxDB there, such as http://localhost:8086, "
	"for each transaction that PostgreSQL has committed."},
	{"influx-database", "FINTRANS_INFLUX_DATABASE", "INFLUX_TARGET_DB",
		OPTION_TEXT, offsetof(Settings, influx.database), "NAME", "fintrans",
		0, 0, NULL, false, "Its database, created if it is missing, or the "
	"bucket of InfluxDB 2 and 3."},
	{"influx-accounts", "FINTRANS_INFLUX_ACCOUNTS", NULL, OPTION_CHOICE,
		offsetof(Settings, influx.accounts), "HOW", "tag", 0, 0,
		INFLUX_ACCOUNTS, false, "Source and target as tags, by which InfluxDB "
		"can select and group, but each pair is a series of its own, which "
	"takes its memory: with many accounts, as fields, or not at all."},
	{"influx-amount", "FINTRANS_INFLUX_AMOUNT", NULL, OPTION_CHOICE,
		offsetof(Settings, influx.amounts), "TYPE", "float", 0, 0,
		INFLUX_AMOUNTS, false, "Type of the field amount: a database that the "
		"demo has filled has integers, and then there is no point for an "
	"amount with decimals."},
	{"influx-token-file", "FINTRANS_INFLUX_TOKEN_FILE", NULL, OPTION_TEXT,
		offsetof(Settings, influx.token_file), "PATH", NULL, 0, 0, NULL, false,
		"File that holds the token for InfluxDB 2 or 3 and nothing else.  "
	"With a token the endpoint of these is used: /api/v2/write."},
	{"influx-token", "FINTRANS_INFLUX_TOKEN", NULL, OPTION_TEXT,
		offsetof(Settings, influx.token), "TOKEN", NULL, 0, 0, NULL,
		OPTION_HIDDEN,
		"The token itself, by the variable only: the list of processes would "
	"show it."},
	{"influx-org", "FINTRANS_INFLUX_ORG", NULL, OPTION_TEXT,
		offsetof(Settings, influx.organization), "NAME", NULL, 0, 0, NULL,
		false, "Organization that has the bucket of InfluxDB 2."},
	{"influx-user", "FINTRANS_INFLUX_USER", NULL, OPTION_TEXT,
		offsetof(Settings, influx.user), "NAME", NULL, 0, 0, NULL, false,
		"User of InfluxDB 1; the token is then this user's password."},
	{"influx-ca-file", "FINTRANS_INFLUX_CA_FILE", NULL, OPTION_TEXT,
		offsetof(Settings, influx.ca_file), "PATH", NULL, 0, 0, NULL, false,
		"Certificates that https is judged by, instead of the system's."},
	{"influx-batch", "FINTRANS_INFLUX_BATCH", NULL, OPTION_INTEGER,
		offsetof(Settings, influx.batch_points), "N", "5000", 1, 100000, NULL,
		false, "Points in a request, at most."},
	{"influx-timeout", "FINTRANS_INFLUX_TIMEOUT", NULL, OPTION_INTEGER,
		offsetof(Settings, influx.timeout_seconds), "SECONDS", "60", 1, 3600,
		NULL, false, "A request that is not answered by then is sent again."},
	{"influx-group", "FINTRANS_INFLUX_GROUP", NULL, OPTION_TEXT,
		offsetof(Settings, influx.group), "NAME", NULL, 0, 0, NULL, false,
		"Consumer group under which Kafka keeps what InfluxDB has been sent; "
		"the bridge's group with -influx after it, when it is not given.  A "
	"new one sends all again that Kafka still has."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"When to end"},
	{"exit-at-end", "FINTRANS_EXIT_AT_END", NULL, OPTION_FLAG,
		offsetof(Settings, exit_at_end), NULL, NULL, 0, 0, NULL, false,
		"Exit when everything has been loaded that was there at the start: "
		"with 1 when a partition is halted, or a topic does not exist."},
	{"max-messages", "FINTRANS_MAX_MESSAGES", NULL, OPTION_INTEGER,
		offsetof(Settings, max_messages), "N", "0", 0, INT64_MAX, NULL, false,
		"Exit after so many messages; 0 is never."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Watching it"},
	WATCH_OPTIONS(Settings, "/health, /ready and /metrics"),
	{"show-metrics", NULL, NULL, OPTION_FLAG,
		offsetof(Settings, show_metrics), NULL, NULL, 0, 0, NULL, false,
		"Print what /metrics has, and what its words mean, as Markdown, and "
	"exit."},
	{"report-seconds", "FINTRANS_REPORT_SECONDS", NULL, OPTION_INTEGER,
		offsetof(Settings, report_seconds), "N", "10", 0, 3600, NULL, false,
		"Write into the database so often how the partitions stand, and what "
	"was done; 0 is never.  Grafana's dashboard of the pipeline reads it."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Other"},
	{"X", NULL, NULL, OPTION_LIST, offsetof(Settings, properties),
		"NAME=VALUE", NULL, 0, 0, NULL, OPTION_PROPERTY,
		"Set a property of librdkafka, for instance security.protocol.  Those "
		"that exactly-once depends on are refused, and so are secrets, which "
		"the list of processes would show: sasl.password.file=PATH and "
	"sasl.password.env=VARIABLE say where one is."},
	{"F", NULL, NULL, OPTION_TEXT, offsetof(Settings, properties_file),
		"PATH", NULL, 0, 0, NULL, false,
		"Read such properties from a file first: lines name=value."},
	{"status-seconds", "FINTRANS_STATUS_SECONDS", NULL, OPTION_INTEGER,
		offsetof(Settings, status_seconds), "N", "10", 0, 86400, NULL, false,
		"Log a line of status so often; 0 is never."},
	{"log-level", "FINTRANS_LOG_LEVEL", NULL, OPTION_CHOICE,
		offsetof(Settings, log_level), "LEVEL", "info", 0, 0, LOG_LEVELS,
		false, "What is logged on standard error."},
	{NULL}
};

static const char *const reloaded[] = {
	"on-gap", "linger-ms", "time-range", "max-reject-percent",
	"reject-window", "retain", "retain-dead-letters", "no-index",
	"status-seconds", "log-level", NULL
};

static const OptionsProgram program = {
	PROGRAM,
	"Loads transactions from Kafka into PostgreSQL, each exactly once.  "
	"SIGTERM or SIGINT stores what has been read, as far as ten seconds "
	"allow, and exits; a second one exits at once, with 130.  What is not "
	"stored then is read again next time.",
	"told to stop, or at the end",
	specs,
	reloaded
};

/* Status of a process that close_consumer()'s timer has to end. */
static volatile sig_atomic_t close_status = EXIT_FAILURE;

static int	bridge_main(const void *options, const OptionSource *sources,
						char *errstr, size_t errstr_size);
static int	run_check(const Settings *settings,
					  const ConsumerSettings *consumer);
static int	run_dead_letters(const Settings *settings,
							 const IngestSettings *ingest, char *errstr,
							 size_t errstr_size);
static bool read_influx(const Settings *settings, const OptionSource *sources,
						const KafkaProperties *properties,
						InfluxSettings *influx, IngestSettings *ingest,
						char *errstr, size_t errstr_size);
static int	run(const Settings *settings, IngestSettings *ingest,
				const UpkeepSettings *upkeep, KafkaProperties *properties,
				char *errstr, size_t errstr_size);
static int	run_watched(const Settings *settings, IngestSettings *ingest,
						const UpkeepSettings *upkeep,
						KafkaProperties *properties, Monitor *monitor,
						char *errstr, size_t errstr_size);
static int	load(IngestSettings *ingest,
				 const ConsumerSettings *of_consumer,
				 Consumer **consumer, Writer *writer, Monitor *monitor,
				 char *errstr, size_t errstr_size);
static int	finish_influx(const IngestSettings *ingest, Monitor *monitor,
						  int status);
static void report_failure(Monitor *monitor, const char *reason);
static void take_signals(void);
static void on_stop(int signal_number);
static void on_hangup(int signal_number);
static void on_timer(int signal_number);
static void close_consumer(Consumer *consumer, int status);

int
main(int argc, char **argv)
{
	Settings	settings;
	OptionSource sources[sizeof(specs) / sizeof(specs[0])];

	return program_main(&program, argc, argv, &settings, sources, bridge_main);
}

static int
bridge_main(const void *options, const OptionSource *sources,
			char *errstr, size_t errstr_size)
{
	const Settings *settings = options;
	IngestSettings ingest;
	UpkeepSettings upkeep;
	InfluxSettings influx = {0};
	KafkaProperties properties = {0};
	const ConsumerSettings consumer = settings_of_consumer(settings, &properties);
	int			status;

	if (settings->show_metrics)
	{
		metrics_describe(stdout);
		return EXIT_SUCCESS;
	}
	if (!settings_read(&program, settings, sources, &ingest, &upkeep, errstr,
					   errstr_size) ||
		!database_use_password_file(settings->password_file, errstr,
									errstr_size) ||
		!kafka_properties_read(&properties, settings->properties_file,
							   &settings->properties, errstr, errstr_size))
		return EXIT_USAGE;
	if (!read_influx(settings, sources, &properties, &influx, &ingest, errstr,
					 errstr_size))
	{
		kafka_properties_free(&properties);
		return EXIT_USAGE;
	}
	ingest.codec = codec_open(&settings->codec, errstr, errstr_size);
	if (ingest.codec == NULL ||
		!consumer_check(&consumer, errstr, errstr_size))
		status = EXIT_USAGE;
	else if (settings->dead_letters != NULL)
		status = run_dead_letters(settings, &ingest, errstr, errstr_size);
	else if (settings->check)
		status = run_check(settings, &consumer);
	else
	{
		take_signals();
		status = run(settings, &ingest, &upkeep, &properties, errstr,
					 errstr_size);
	}
	codec_close(ingest.codec);
	kafka_properties_free(&influx.properties);
	kafka_properties_free(&properties);
	return status;
}

static int
run_check(const Settings *settings, const ConsumerSettings *consumer)
{
	const CheckSettings check = {
		settings->database, settings->currency,
		settings->retain != NULL || settings->retain_dead_letters != NULL,
		consumer
	};

	return check_run(&check) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_dead_letters(const Settings *settings, const IngestSettings *ingest,
				 char *errstr, size_t errstr_size)
{
	const DeadLettersSettings dead_letters = {
		.database = settings->database,
		.topics = settings->topics,
		.currency = settings->currency,
		.codec = ingest->codec,
		.time_range = ingest->time_range,
		.replay = strcmp(settings->dead_letters, "replay") == 0,
		.stop = &ingest_stop
	};

	take_signals();
	if (dead_letters_run(&dead_letters, errstr, errstr_size))
		return EXIT_SUCCESS;
	report_failure(NULL, errstr);
	return EXIT_FAILURE;
}

static bool
read_influx(const Settings *settings, const OptionSource *sources,
			const KafkaProperties *properties, InfluxSettings *influx,
			IngestSettings *ingest, char *errstr, size_t errstr_size)
{
	if (settings->influx.url == NULL)
		return true;
	if (options_exposed(&program, sources, "influx-token"))
	{
		snprintf(errstr, errstr_size,
				 "--influx-token can be seen by others: set FINTRANS_INFLUX_TOKEN, or give --influx-token-file");
		return false;
	}
	influx->codec = settings->codec;
	influx->conninfo = settings->database;
	influx->status_seconds = settings->status_seconds;
	ingest->influx = influx;
	if (!influx_settings_read(&settings->influx, settings->group, influx,
							  errstr, errstr_size))
		return false;
	/* not read again: the file may be a pipe */
	if (kafka_properties_copy(&influx->properties, properties))
		return true;
	snprintf(errstr, errstr_size, "out of memory");
	return false;
}

/* Those who watch are answered from the first moment to the last. */
static int
run(const Settings *settings, IngestSettings *ingest,
	const UpkeepSettings *upkeep, KafkaProperties *properties, char *errstr,
	size_t errstr_size)
{
	Monitor    *monitor = monitor_new(settings->topics);
	HttpServer *server = NULL;
	int			status = EXIT_FAILURE;

	if (monitor == NULL)
		snprintf(errstr, errstr_size, "out of memory");
	if (monitor == NULL ||
		!watch_start(&server, settings->http_listen, settings->http_port,
					 monitor_answer, monitor, errstr, errstr_size))
		report_failure(NULL, errstr);
	else
		status = run_watched(settings, ingest, upkeep, properties, monitor,
							 errstr, errstr_size);
	http_server_stop(server);
	monitor_free(monitor);
	return status;
}

/* The database first: without it no partition is taken from another bridge. */
static int
run_watched(const Settings *settings, IngestSettings *ingest,
			const UpkeepSettings *upkeep, KafkaProperties *properties,
			Monitor *monitor, char *errstr, size_t errstr_size)
{
	const ConsumerSettings of_consumer =
		settings_of_consumer(settings, properties);
	Reread	   *reread = NULL;
	Upkeep	   *thread = NULL;
	int			status = EXIT_FAILURE;
	Reporter   *reporter = NULL;
	Consumer   *consumer = NULL;
	Writer	   *writer = writer_start(settings->database, settings->currency,
									  monitor_metrics(monitor), errstr,
									  errstr_size);

	log_write(LOG_LEVEL_INFO, "starting",
			  "version=" FINTRANS_VERSION " group=%s topics=%s",
			  log_quote(settings->group, (char[256]) {0}, 256),
			  log_quote(settings->topics, (char[512]) {0}, 512));
	if (writer != NULL)
		thread = upkeep_start(settings->database, upkeep, monitor, errstr,
							  errstr_size);
	if (thread != NULL)
		reread = reread_new(&program, settings, ingest, thread, properties,
							errstr, errstr_size);
	if (reread != NULL && settings->report_seconds > 0)
		reporter = reporter_start(settings->database, monitor,
								  settings->report_seconds, errstr,
								  errstr_size);
	if (reread == NULL || (settings->report_seconds > 0 && reporter == NULL))
		report_failure(monitor, errstr);
	else
		status = load(ingest, &of_consumer, &consumer, writer, monitor,
					  errstr, errstr_size);
	reread_free(reread);
	if ((thread != NULL && !upkeep_stop(thread, THREAD_STOP_MS)) ||
		(reporter != NULL && !reporter_stop(reporter, THREAD_STOP_MS)) ||
		(writer != NULL && !writer_stop(writer, THREAD_STOP_MS)))
	{
		/* a thread waits for the database and cannot be ended */
		log_write(LOG_LEVEL_INFO, "exit", "status=%d", status);
		_exit(status);
	}
	/* not before: the writer's batch points to its topics' names */
	consumer_free(consumer);
	log_write(LOG_LEVEL_INFO, "exit", "status=%d", status);
	return status;
}

/* The exit status; the consumer, NULL for none, has left the group. */
static int
load(IngestSettings *ingest, const ConsumerSettings *of_consumer,
	 Consumer **consumer, Writer *writer, Monitor *monitor, char *errstr,
	 size_t errstr_size)
{
	int			status = EXIT_SUCCESS;

	if (!ingest_prepare(ingest, writer, monitor, errstr, errstr_size))
	{
		report_failure(monitor, errstr);
		return EXIT_FAILURE;
	}
	if (ingest_stop)
		return EXIT_SUCCESS;
	*consumer = consumer_open(of_consumer, errstr, errstr_size);
	if (*consumer == NULL)
	{
		/* wrong settings too, such as a certificate that is missing */
		report_failure(monitor, errstr);
		return EXIT_USAGE;
	}
	if (!influx_sink_start(&ingest->sink, ingest->influx, of_consumer,
						   ingest->currency, monitor_metrics(monitor), errstr,
						   errstr_size) ||
		(ingest->watches_kafka &&
		 !consumer_watch(*consumer, errstr, errstr_size)) ||
		!ingest_run(ingest, *consumer, writer, monitor, errstr, errstr_size))
	{
		report_failure(monitor, errstr);
		status = EXIT_FAILURE;
	}
	close_consumer(*consumer, status);
	return finish_influx(ingest, monitor, status);
}

/*
 * At the end that was asked for, InfluxDB has to have all as well; when the
 * bridge is stopped the next one sends the rest.
 */
static int
finish_influx(const IngestSettings *ingest, Monitor *monitor, int status)
{
	if (status == EXIT_SUCCESS && !ingest_stop &&
		(ingest->exit_at_end || ingest->max_messages > 0) &&
		!influx_sink_drain(ingest->sink, &ingest_stop))
	{
		report_failure(monitor, "InfluxDB has not been sent all that "
					   "PostgreSQL has; the next bridge sends the rest");
		status = EXIT_FAILURE;
	}
	if (!influx_sink_stop(ingest->sink))
	{
		log_write(LOG_LEVEL_INFO, "exit", "status=%d", status);
		_exit(status);
	}
	return status;
}

static void
report_failure(Monitor *monitor, const char *reason)
{
	if (monitor != NULL)
		monitor_fail(monitor, reason);
	log_write(LOG_LEVEL_ERROR, "cannot go on", "reason=%s",
			  log_quote(reason, (char[600]) {0}, 600));
}

static void
take_signals(void)
{
	struct sigaction action = {.sa_handler = on_stop};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = on_hangup;
	sigaction(SIGHUP, &action, NULL);
	action.sa_handler = on_timer;
	sigaction(SIGALRM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static void
on_stop(int signal_number)
{
	(void) signal_number;
	if (ingest_stop)
		_exit(EXIT_KILLED);
	ingest_stop = 1;
}

static void
on_hangup(int signal_number)
{
	(void) signal_number;
	ingest_reread = 1;
}

/* Only what a signal handler may call. */
static void
on_timer(int signal_number)
{
	static const char text[] =
		PROGRAM ": librdkafka does not leave the group, exiting without\n";

	(void) signal_number;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(close_status);
	_exit(close_status);
}

/* Everything is stored by now: a hang costs the others only some seconds. */
static void
close_consumer(Consumer *consumer, int status)
{
	close_status = status;
	alarm(CLOSE_SECONDS);
	consumer_close(consumer);
	alarm(0);
}
