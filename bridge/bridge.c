/*
 * fintrans-bridge: loads Kafka topics into PostgreSQL, each message exactly
 * once.
 *
 *	Kafka -> consumer -> codec -> batch -> writer -> loader -> PostgreSQL
 *		   `------ ingest (main loop) ------'   `--- thread ---'
 *						  |
 *					   monitor <- http_server (thread) <- whoever watches
 *
 * The main thread reads messages and encodes them for COPY; the writer thread
 * stores one batch while the next is filled.  Progress lives in the database
 * only (fintrans_offsets) and moves in the database transaction that stores
 * the rows.
 */
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "consumer.h"
#include "database.h"
#include "http_server.h"
#include "ingest.h"
#include "kafka_properties.h"
#include "log.h"
#include "metrics.h"
#include "monitor.h"
#include "program.h"
#include "time_spec.h"
#include "upkeep.h"
#include "writer.h"

#define PROGRAM "fintrans-bridge"

/* Exit status after a second signal. */
#define EXIT_KILLED 130

/* How long leaving the group, and then the writer, may take. */
#define CLOSE_SECONDS 10
#define THREAD_STOP_MS 1000

typedef struct Settings
{
	const char *brokers;
	const char *topics;
	const char *group;
	const char *start;
	const char *on_gap;
	const char *database;
	const char *password_file;
	int64_t		batch_rows;
	int64_t		batch_bytes;
	int64_t		linger_ms;
	CodecSettings codec;
	const char *time_range;
	const char *currency;
	int64_t		reject_percent;
	int64_t		reject_window;
	const char *retain;
	bool		no_index;
	bool		exit_at_end;
	int64_t		max_messages;
	const char *http_listen;
	int64_t		http_port;		/* 0 for none */
	bool		show_metrics;
	OptionList	properties;
	const char *properties_file;
	int64_t		status_seconds;
	const char *log_level;
} Settings;

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
		offsetof(Settings, database), "CONNINFO", "", 0, 0, NULL, true,
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
		offsetof(Settings, linger_ms), "N", "200", 0, 60000, NULL, false,
		"Store a batch that is not full this long after its first message, "
	"in milliseconds."},
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
	{"no-index", "FINTRANS_NO_INDEX", NULL, OPTION_FLAG,
		offsetof(Settings, no_index), NULL, NULL, 0, 0, NULL, false,
		"Leave the partitions of days that have passed without the indexes by "
	"which the transactions of a pair or an account are found."},
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
	{"http-port", "FINTRANS_HTTP_PORT", "PORT0", OPTION_INTEGER,
		offsetof(Settings, http_port), "N", NULL, 1, 65535, NULL, false,
		"Answer /health, /ready and /metrics by HTTP on this port.  Without "
	"it nothing is listened to."},
	{"http-listen", "FINTRANS_HTTP_LISTEN", NULL, OPTION_TEXT,
		offsetof(Settings, http_listen), "ADDRESS", "127.0.0.1", 0, 0, NULL,
		false, "On this address of IPv4 or IPv6; 0.0.0.0 or :: is all of "
	"them.  Whoever reaches it is answered."},
	{"show-metrics", NULL, NULL, OPTION_FLAG,
		offsetof(Settings, show_metrics), NULL, NULL, 0, 0, NULL, false,
		"Print what /metrics has, and what its words mean, as Markdown, and "
	"exit."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Other"},
	{"X", NULL, NULL, OPTION_LIST, offsetof(Settings, properties),
		"NAME=VALUE", NULL, 0, 0, NULL, false,
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

static const OptionsProgram program = {
	PROGRAM,
	"Loads transactions from Kafka into PostgreSQL, each exactly once.  "
	"SIGTERM or SIGINT stores what has been read, as far as ten seconds "
	"allow, and exits; a second one exits at once, with 130.  What is not "
	"stored then is read again next time.",
	"told to stop, or at the end",
	specs
};

/* Status of a process that close_consumer()'s timer has to end. */
static volatile sig_atomic_t close_status = EXIT_FAILURE;

static int	bridge_main(const void *options, const OptionSource *sources,
						char *errstr, size_t errstr_size);
static bool read_settings(const Settings *settings, IngestSettings *ingest,
						  int64_t *retain_ms, char *errstr,
						  size_t errstr_size);
static bool check_database(const Settings *settings,
						   const OptionSource *sources, char *errstr,
						   size_t errstr_size);
static bool check_currency(const char *currency, char *errstr,
						   size_t errstr_size);
static int	run(const Settings *settings, IngestSettings *ingest,
				int64_t retain_ms,
				const ConsumerSettings *consumer_settings, char *errstr,
				size_t errstr_size);
static int	run_watched(const Settings *settings, IngestSettings *ingest,
						int64_t retain_ms,
						const ConsumerSettings *consumer_settings,
						Monitor *monitor, char *errstr, size_t errstr_size);
static bool start_server(const Settings *settings, Monitor *monitor,
						 HttpServer **server, char *errstr,
						 size_t errstr_size);
static int	load(IngestSettings *ingest,
				 const ConsumerSettings *consumer_settings,
				 Consumer **consumer, Writer *writer, Monitor *monitor,
				 char *errstr, size_t errstr_size);
static void report_failure(Monitor *monitor, const char *reason);
static void take_signals(void);
static void on_stop(int signal_number);
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
	int64_t		retain_ms = 0;	/* 0 keeps all */
	KafkaProperties properties;
	const ConsumerSettings consumer = {
		settings->brokers, settings->group, settings->topics, &properties
	};
	int			status = EXIT_USAGE;

	if (settings->show_metrics)
	{
		metrics_describe(stdout);
		return EXIT_SUCCESS;
	}
	if (!read_settings(settings, &ingest, &retain_ms, errstr, errstr_size) ||
		!check_database(settings, sources, errstr, errstr_size) ||
		!kafka_properties_read(&properties, settings->properties_file,
							   &settings->properties, errstr, errstr_size))
		return EXIT_USAGE;
	ingest.codec = codec_open(&settings->codec, errstr, errstr_size);
	if (ingest.codec != NULL && consumer_check(&consumer, errstr, errstr_size))
	{
		take_signals();
		status = run(settings, &ingest, retain_ms, &consumer, errstr,
					 errstr_size);
	}
	codec_close(ingest.codec);
	kafka_properties_free(&properties);
	return status;
}

/* Options that are more than a number or a word. */
static bool
read_settings(const Settings *settings, IngestSettings *ingest,
			  int64_t *retain_ms, char *errstr, size_t errstr_size)
{
	memset(ingest, 0, sizeof(*ingest));
	ingest->batch_rows = settings->batch_rows;
	ingest->batch_bytes = settings->batch_bytes;
	ingest->linger_ms = settings->linger_ms;
	ingest->skip_lost = strcmp(settings->on_gap, "earliest") == 0;
	ingest->exit_at_end = settings->exit_at_end;
	ingest->max_messages = settings->max_messages;
	ingest->status_seconds = settings->status_seconds;
	ingest->group = settings->group;
	ingest->is_watched = settings->http_port > 0;
	ingest->reject_window = settings->reject_window;
	ingest->reject_percent = settings->reject_percent;
	return time_spec_parse_start(settings->start, &ingest->start, errstr,
								 errstr_size) &&
		time_spec_parse_range(settings->time_range, &ingest->time_range,
							  errstr, errstr_size) &&
		check_currency(settings->currency, errstr, errstr_size) &&
		(settings->retain == NULL ||
		 time_spec_parse_duration(settings->retain, retain_ms, errstr,
								  errstr_size)) &&
		http_server_check(settings->http_listen, errstr, errstr_size);
}

static bool
check_database(const Settings *settings, const OptionSource *sources,
			   char *errstr, size_t errstr_size)
{
	return database_check_conninfo(settings->database, errstr, errstr_size) &&
		(!options_exposed(&program, sources, "database") ||
		 database_check_exposed(settings->database, errstr, errstr_size)) &&
		database_use_password_file(settings->password_file, errstr,
								   errstr_size);
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

/* Those who watch are answered from the first moment to the last. */
static int
run(const Settings *settings, IngestSettings *ingest, int64_t retain_ms,
	const ConsumerSettings *consumer_settings, char *errstr,
	size_t errstr_size)
{
	Monitor    *monitor = monitor_new(settings->topics);
	HttpServer *server = NULL;
	int			status = EXIT_FAILURE;

	if (monitor == NULL)
		snprintf(errstr, errstr_size, "out of memory");
	if (monitor == NULL ||
		!start_server(settings, monitor, &server, errstr, errstr_size))
		report_failure(NULL, errstr);
	else
		status = run_watched(settings, ingest, retain_ms, consumer_settings,
							 monitor, errstr, errstr_size);
	http_server_stop(server);
	monitor_free(monitor);
	return status;
}

static bool
start_server(const Settings *settings, Monitor *monitor, HttpServer **server,
			 char *errstr, size_t errstr_size)
{
	if (settings->http_port == 0)
		return true;
	*server = http_server_start(settings->http_listen,
								(uint16_t) settings->http_port,
								monitor_answer, monitor, errstr, errstr_size);
	if (*server == NULL)
		return false;
	log_write(LOG_LEVEL_INFO, "listening for HTTP", "address=%s port=%" PRId64,
			  log_quote(settings->http_listen, (char[64]) {0}, 64),
			  settings->http_port);
	return true;
}

/* The database first: without it no partition is taken from another bridge. */
static int
run_watched(const Settings *settings, IngestSettings *ingest,
			int64_t retain_ms, const ConsumerSettings *consumer_settings,
			Monitor *monitor, char *errstr, size_t errstr_size)
{
	int			status = EXIT_FAILURE;
	Upkeep	   *upkeep = NULL;
	Consumer   *consumer = NULL;
	Writer	   *writer = writer_start(settings->database, settings->currency,
									  monitor_metrics(monitor), errstr,
									  errstr_size);

	log_write(LOG_LEVEL_INFO, "starting",
			  "version=" FINTRANS_VERSION " group=%s topics=%s",
			  log_quote(settings->group, (char[256]) {0}, 256),
			  log_quote(settings->topics, (char[512]) {0}, 512));
	if (writer != NULL)
		upkeep = upkeep_start(settings->database, !settings->no_index,
							  retain_ms, errstr, errstr_size);
	if (writer == NULL || upkeep == NULL)
		report_failure(monitor, errstr);
	else
		status = load(ingest, consumer_settings, &consumer, writer, monitor,
					  errstr, errstr_size);
	if ((upkeep != NULL && !upkeep_stop(upkeep, THREAD_STOP_MS)) ||
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
load(IngestSettings *ingest, const ConsumerSettings *consumer_settings,
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
	*consumer = consumer_open(consumer_settings, errstr, errstr_size);
	if (*consumer == NULL)
	{
		/* wrong settings too, such as a certificate that is missing */
		report_failure(monitor, errstr);
		return EXIT_USAGE;
	}
	if ((ingest->is_watched &&
		 !consumer_watch(*consumer, errstr, errstr_size)) ||
		!ingest_run(ingest, *consumer, writer, monitor, errstr, errstr_size))
	{
		report_failure(monitor, errstr);
		status = EXIT_FAILURE;
	}
	close_consumer(*consumer, status);
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
