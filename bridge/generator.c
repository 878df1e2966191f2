/*
 * fintrans-generator: sends transactions to Kafka, the demo's random ones or
 * those of a file, at a given rate, and answers for the delivery of each.
 *
 * One thread: it sends all messages due by now, takes reports until the next
 * is due, and draws a line of progress.  Slices of time instead of a pause
 * after each message keep the rate exact at one a second and at 200,000.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "heartbeat.h"
#include "kafka_properties.h"
#include "log.h"
#include "message_format.h"
#include "message_source.h"
#include "pace.h"
#include "plant.h"
#include "producer.h"
#include "program.h"
#include "replay.h"
#include "synthetic.h"
#include "watch.h"

#define PROGRAM "fintrans-generator"

/* Longest wait: signals and progress are looked at in between. */
#define WAIT_MAX_MS 100

/* Messages sent between two looks at the clock. */
#define BURST_MESSAGES 1000

/* Status is logged so often when there is no terminal to draw on. */
#define STATUS_SECONDS 60

typedef struct Settings
{
	const char *brokers;
	const char *topics;
	int64_t		rate;
	int64_t		wait_seconds;
	SourceSettings source;
	OptionList	properties;
	const char *properties_file;
	int64_t		http_port;		/* 0 for none */
	const char *http_listen;
	const char *log_level;
} Settings;

typedef struct Progress
{
	bool		on_terminal;
	int64_t		start_ns;
	int64_t		shown_ns;
	uint64_t	shown_sent;
} Progress;

typedef struct Generator
{
	const Settings *settings;
	KafkaProperties properties;
	Producer   *producer;
	MessageSource *source;
	Pace		pace;
	Progress	progress;
	Heartbeat	heartbeat;
	uint64_t	made;			/* messages, sent or about to be */
	bool		ended;			/* the file has no more, or something failed */
	bool		failed;			/* errstr says why */
	char		errstr[512];
} Generator;

static const OptionSpec specs[] = {
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Kafka"},
	{"brokers", "FINTRANS_BROKERS", NULL, OPTION_TEXT,
		offsetof(Settings, brokers), "HOST:PORT,...", "localhost:9092", 0, 0,
		NULL, false, "Kafka brokers to ask first."},
	{"topics", "FINTRANS_TOPICS", NULL, OPTION_TEXT,
		offsetof(Settings, topics), "NAME,...",
		"London,NYC,SF,Moscow,Tokyo", 0, 0, NULL, false,
		"Topics to send to; each message goes to one of them at random."},
	{"format", "FINTRANS_FORMAT", NULL, OPTION_CHOICE,
		offsetof(Settings, source.format), "FORMAT", "text", 0, 0,
		MESSAGE_FORMATS, false, "Format of the messages: \"source target amount\"; "
		"objects of JSON with these three members; or records of CSV with "
	"these three columns."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"How many, how fast"},
	{"rate", "FINTRANS_RATE", NULL, OPTION_INTEGER,
		offsetof(Settings, rate), "N", NULL, 0, 10000000, NULL, false,
		"Messages a second; 0 is as fast as possible.  When it is not given, "
	"--wait-seconds counts."},
	{"wait-seconds", "FINTRANS_WAIT_SECONDS", "GEN_WAIT_SEC", OPTION_INTEGER,
		offsetof(Settings, wait_seconds), "N", "2", 0, 86400, NULL, false,
		"Pause between two messages, as the demo had it; 0 is none.  A file "
	"is sent without pauses unless this option is given."},
	{"count", "FINTRANS_COUNT", NULL, OPTION_INTEGER,
		offsetof(Settings, source.count), "N", "0", 0, INT64_MAX, NULL, false,
		"Stop after so many messages; 0 is never, or at the end of the file."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Random transactions"},
	{"accounts", "FINTRANS_ACCOUNTS", NULL, OPTION_INTEGER,
		offsetof(Settings, source.accounts), "N", "1000", 2, SYNTHETIC_MAXIMUM,
		NULL, false, "Accounts, numbered from 0 on."},
	{"max-amount", "FINTRANS_MAX_AMOUNT", NULL, OPTION_INTEGER,
		offsetof(Settings, source.max_amount), "N", "9999", 0,
		SYNTHETIC_MAXIMUM - 1, NULL, false,
		"Largest amount; the smallest is 0."},
	{"seed", "FINTRANS_SEED", NULL, OPTION_INTEGER,
		offsetof(Settings, source.seed), "N", NULL, INT64_MIN, INT64_MAX, NULL,
		false, "The same seed makes the same messages in the same topics "
	"again.  When it is not given, one is chosen and logged."},
	{"days", "FINTRANS_DAYS", NULL, OPTION_INTEGER,
		offsetof(Settings, source.days), "N", "0", 0, 3660, NULL, false,
		"Spread the times of the --count messages evenly over so many days "
	"before now; 0: each has the time of its sending."},
	{"plant", "FINTRANS_PLANT", NULL, OPTION_TEXT,
		offsetof(Settings, source.plant), "PATH", NULL, 0, 0, NULL, false,
		"Plant patterns of money laundering among the --count messages, and "
	"write to this file what was planted: a line for each pattern with its "
	"name, accounts, amounts and times, which COPY reads.  To be told from "
	"what chance makes they need many accounts and days, for instance "
	"--accounts=100000 --days=30."},
	{"plant-each", "FINTRANS_PLANT_EACH", NULL, OPTION_INTEGER,
		offsetof(Settings, source.plant_each), "N", "5", 1, PLANT_MOST_EACH,
		NULL, false, "Patterns of each kind to plant: chain, ring, broken "
	"ring, repeated transfers, fan-in, fan-out, scatter-gather, structuring "
	"and pass-through."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Transactions of a file"},
	{"file", "FINTRANS_FILE", NULL, OPTION_TEXT, offsetof(Settings, source.file),
		"PATH", NULL, 0, 0, NULL, false,
		"Send the lines of this file (- is standard input) as they are, each "
	"\"source target amount\" and keyed by what stands before its first "
	"blank."},
	{"columns", "FINTRANS_COLUMNS", NULL, OPTION_TEXT,
		offsetof(Settings, source.columns),
		"source=NAME,target=NAME,amount=NAME[,time=NAME]", NULL, 0, 0, NULL,
		false, "The file is a CSV with a header that has these columns."},
	{"time-unit", "FINTRANS_TIME_UNIT", NULL, OPTION_CHOICE,
		offsetof(Settings, source.time_unit), "UNIT", "s", 0, 0, REPLAY_TIME_UNITS,
		false, "What the time column counts since --time-origin; iso: it "
	"counts nothing but holds times such as 2026-11-24T08:15:30Z."},
	{"time-origin", "FINTRANS_TIME_ORIGIN", NULL, OPTION_TEXT,
		offsetof(Settings, source.time_origin), "TIME", "epoch", 0, 0, NULL, false,
		"Moment at which the time column counts 0: epoch (1970-01-01), a "
	"date, or a date and time in UTC or with an offset."},
	{"", NULL, NULL, OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL, false,
	"Other"},
	{"X", NULL, NULL, OPTION_LIST, offsetof(Settings, properties),
		"NAME=VALUE", NULL, 0, 0, NULL, OPTION_PROPERTY,
		"Set a property of librdkafka, for instance security.protocol; "
		"message.timeout.ms bounds how long an undelivered message is tried.  "
		"Secrets are refused here: sasl.password.file=PATH and "
	"sasl.password.env=VARIABLE say where one is."},
	{"F", NULL, NULL, OPTION_TEXT, offsetof(Settings, properties_file),
		"PATH", NULL, 0, 0, NULL, false,
		"Read such properties from a file first: lines name=value."},
	WATCH_OPTIONS(Settings, "/health"),
	{"log-level", "FINTRANS_LOG_LEVEL", NULL, OPTION_CHOICE,
		offsetof(Settings, log_level), "LEVEL", "info", 0, 0, LOG_LEVELS,
		false, "What is logged on standard error."},
	{NULL}
};

static const OptionsProgram program = {
	PROGRAM,
	"Sends financial transactions to Kafka, random ones or those of a file, "
	"keyed by source account, and waits until each is delivered.  SIGTERM or "
	"SIGINT ends the sending, a second one the waiting too.",
	"every message sent was delivered",
	specs, NULL
};

static volatile sig_atomic_t stop_signals = 0;

static int	generator_main(const void *options, const OptionSource *sources,
						   char *errstr, size_t errstr_size);
static void take_signals(void);
static void on_signal(int signal_number);
static bool generator_open(Generator *generator, const OptionSource *sources,
						   char *errstr, size_t errstr_size);
static void choose_pace(Pace *pace, const Settings *settings,
						const OptionSource *sources);
static void generator_close(Generator *generator);
static bool open_source(Generator *generator, const OptionSource *sources,
						char *errstr, size_t errstr_size);
static void close_source(Generator *generator);
static bool open_producer(Generator *generator, char *errstr,
						  size_t errstr_size);
static void generator_work(Generator *generator);
static void generator_run(Generator *generator);
static bool send_due(Generator *generator);
static bool send_next(Generator *generator);
static bool send_message(Generator *generator, const Message *message);
static bool wants_more(const Generator *generator);
static void generator_finish(Generator *generator);
static int	generator_report(Generator *generator);

static void progress_show(Generator *generator, int64_t now_ns, bool last);
static int64_t now_monotonic_ns(void);

int
main(int argc, char **argv)
{
	Settings	settings;
	OptionSource sources[sizeof(specs) / sizeof(specs[0])];

	return program_main(&program, argc, argv, &settings, sources, generator_main);
}

static int
generator_main(const void *options, const OptionSource *sources,
			   char *errstr, size_t errstr_size)
{
	Generator	generator = {.settings = options};
	int			status = EXIT_USAGE;

	take_signals();
	if (generator_open(&generator, sources, errstr, errstr_size))
	{
		generator_work(&generator);
		close_source(&generator);
		status = generator_report(&generator);
	}
	generator_close(&generator);
	return status;
}

static void
take_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static void
on_signal(int signal_number)
{
	(void) signal_number;
	stop_signals++;
}

/* False with errstr when the settings cannot be used. */
static bool
generator_open(Generator *generator, const OptionSource *sources,
			   char *errstr, size_t errstr_size)
{
	if (!http_server_check(generator->settings->http_listen, errstr,
						   errstr_size))
		return options_blame(&program, sources, "http-listen", errstr,
							 errstr_size);
	if (!open_producer(generator, errstr, errstr_size) ||
		!open_source(generator, sources, errstr, errstr_size))
		return false;
	choose_pace(&generator->pace, generator->settings, sources);
	generator->progress = (Progress) {
		.on_terminal = isatty(STDERR_FILENO),
		.start_ns = generator->pace.start_ns,
		.shown_ns = generator->pace.start_ns
	};
	return true;
}

/* The user's rate, or else the pause, counts. */
static void
choose_pace(Pace *pace, const Settings *settings, const OptionSource *sources)
{
	*pace = (Pace) {.start_ns = now_monotonic_ns()};
	if (options_given(&program, sources, "rate"))
	{
		pace->messages = settings->rate;
		pace->seconds = settings->rate > 0;
	}
	else if (settings->wait_seconds > 0 &&
			 (settings->source.file == NULL ||
			  options_given(&program, sources, "wait-seconds")))
	{
		pace->messages = 1;
		pace->seconds = settings->wait_seconds;
	}
}

static void
generator_close(Generator *generator)
{
	producer_close(generator->producer);
	kafka_properties_free(&generator->properties);
	close_source(generator);
}

static bool
open_source(Generator *generator, const OptionSource *sources,
			char *errstr, size_t errstr_size)
{
	generator->source =
		message_source_open(&generator->settings->source,
							options_given(&program, sources, "seed"),
							errstr, errstr_size);
	return generator->source != NULL;
}

/* What was planted has to be on disk, or the sending has failed. */
static void
close_source(Generator *generator)
{
	if (!message_source_close(generator->source, generator->errstr,
							  sizeof(generator->errstr)))
		generator->failed = true;
	generator->source = NULL;
}

static bool
open_producer(Generator *generator, char *errstr, size_t errstr_size)
{
	const Settings *settings = generator->settings;

	if (!kafka_properties_read(&generator->properties,
							   settings->properties_file,
							   &settings->properties, errstr, errstr_size))
		return false;
	generator->producer = producer_open(settings->brokers, settings->topics,
										&generator->properties, errstr,
										errstr_size);
	return generator->producer != NULL;
}

/* ---------------------------------------------------------------- sending */

/* Those who watch are answered as long as there is something to do. */
static void
generator_work(Generator *generator)
{
	const Settings *settings = generator->settings;
	HttpServer *server;

	heartbeat_tick(&generator->heartbeat);
	generator->failed =
		!watch_start(&server, settings->http_listen, settings->http_port,
					 heartbeat_answer, &generator->heartbeat,
					 generator->errstr, sizeof(generator->errstr));
	if (!generator->failed)
	{
		generator_run(generator);
		generator_finish(generator);
	}
	http_server_stop(server);
}

static void
generator_run(Generator *generator)
{
	while (wants_more(generator) && send_due(generator))
	{
		int64_t		now_ns = now_monotonic_ns();

		progress_show(generator, now_ns, false);
		producer_wait(generator->producer,
					  pace_wait_ms(&generator->pace, generator->made, now_ns,
								   WAIT_MAX_MS));
	}
}

/* Send what is due, but no more than a burst. */
static bool
send_due(Generator *generator)
{
	uint64_t	due = pace_due(&generator->pace, now_monotonic_ns());

	for (int i = 0; i < BURST_MESSAGES && generator->made < due &&
		 wants_more(generator); i++)
	{
		if (!send_next(generator))
			return false;
	}
	return true;
}

/* False at the end of the file too: ended and failed tell. */
static bool
send_next(Generator *generator)
{
	Message		message;

	switch (message_source_next(generator->source, generator->made,
								producer_topic_count(generator->producer),
								&message, generator->errstr,
								sizeof(generator->errstr)))
	{
		case MESSAGE_MADE:
			break;
		case MESSAGE_FAILED:
			generator->failed = true;
			/* FALLTHROUGH */
		case MESSAGE_END:
			generator->ended = true;
			return false;
	}
	generator->made++;
	if (!send_message(generator, &message))
		return false;
	generator->failed = !message_source_sent(generator->source, &message,
											 generator->errstr,
											 sizeof(generator->errstr));
	return !generator->failed;
}

/* Hand a message over, waiting for room as long as nobody says stop. */
static bool
send_message(Generator *generator, const Message *message)
{
	char		reason[256];

	for (;;)
	{
		switch (producer_send(generator->producer, message->topic,
							  message->payload, message->bytes,
							  message->key, message->key_bytes,
							  message->event_time_ms == MESSAGE_NO_TIME ?
							  PRODUCER_NOW : message->event_time_ms,
							  reason, sizeof(reason)))
		{
			case PRODUCER_SENT:
				return true;
			case PRODUCER_FULL:
				break;
			case PRODUCER_FAILED:
				generator->failed = true;
				if (generator->settings->source.file != NULL)
					snprintf(generator->errstr, sizeof(generator->errstr),
							 "file \"%s\", line %" PRIu64 ": %s",
							 generator->settings->source.file,
							 message_source_line(generator->source), reason);
				else
					snprintf(generator->errstr, sizeof(generator->errstr),
							 "%s", reason);
				return false;
		}
		if (stop_signals > 0)
		{
			/* never sent: the count that is reported has to hold */
			generator->made--;
			return false;
		}
		producer_wait(generator->producer, WAIT_MAX_MS);
		progress_show(generator, now_monotonic_ns(), false);
	}
}

static bool
wants_more(const Generator *generator)
{
	return stop_signals == 0 && !generator->ended &&
		(generator->settings->source.count == 0 ||
		 generator->made < (uint64_t) generator->settings->source.count);
}

/* ----------------------------------------------------------------- ending */

/*
 * Wait for the fate of every message.  message.timeout.ms bounds it, and a
 * second signal ends it.
 */
static void
generator_finish(Generator *generator)
{
	sig_atomic_t signals = stop_signals;

	while (producer_under_way(generator->producer) > 0 &&
		   (stop_signals == signals || stop_signals < 2))
	{
		producer_flush(generator->producer, WAIT_MAX_MS);
		progress_show(generator, now_monotonic_ns(), false);
	}
	progress_show(generator, now_monotonic_ns(), true);
}

/* Log the outcome; the program's exit status. */
static int
generator_report(Generator *generator)
{
	char		quoted[512];
	const ProducerCounts *counts;
	uint64_t	undelivered;
	double		seconds;

	if (generator->failed)
		log_write(LOG_LEVEL_ERROR, "cannot go on", "reason=%s",
				  log_quote(generator->errstr, quoted, sizeof(quoted)));
	counts = producer_counts(generator->producer);
	undelivered = counts->sent - counts->delivered;
	seconds = (double) (now_monotonic_ns() - generator->progress.start_ns) /
		(double) PACE_NS_PER_SECOND;
	if (undelivered > 0)
		log_write(LOG_LEVEL_ERROR, "messages not delivered",
				  "count=%" PRIu64 " first_reason=%s", undelivered,
				  log_quote(counts->failed > 0 ?
							producer_first_failure(generator->producer) :
							"interrupted while waiting",
							quoted, sizeof(quoted)));
	log_write(LOG_LEVEL_INFO, "finished",
			  "sent=%" PRIu64 " delivered=%" PRIu64 " seconds=%.1f",
			  counts->sent, counts->delivered, seconds);
	return generator->failed || undelivered > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --------------------------------------------------------------- progress */

/*
 * Called by whatever loops: a sign of life, and now and then a line, on a
 * terminal once a second, elsewhere in the log once a minute.
 */
static void
progress_show(Generator *generator, int64_t now_ns, bool last)
{
	Progress   *progress = &generator->progress;
	const ProducerCounts *counts = producer_counts(generator->producer);
	int64_t		since_ns = now_ns - progress->shown_ns;
	double		rate;

	heartbeat_tick(&generator->heartbeat);
	if (!last && since_ns < (progress->on_terminal ? 1 : STATUS_SECONDS) *
		PACE_NS_PER_SECOND)
		return;
	rate = since_ns <= 0 ? 0 :
		(double) (counts->sent - progress->shown_sent) *
		(double) PACE_NS_PER_SECOND / (double) since_ns;
	if (progress->on_terminal)
		fprintf(stderr, "\r\033[Ksent %" PRIu64 ", delivered %" PRIu64
				", %.0f/s%s", counts->sent, counts->delivered, rate,
				last ? "\n" : "");
	else if (!last)
		log_write(LOG_LEVEL_INFO, "sending",
				  "sent=%" PRIu64 " delivered=%" PRIu64 " failed=%" PRIu64
				  " per_second=%.0f", counts->sent, counts->delivered,
				  counts->failed, rate);
	progress->shown_ns = now_ns;
	progress->shown_sent = counts->sent;
}

static int64_t
now_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * PACE_NS_PER_SECOND + now.tv_nsec;
}
