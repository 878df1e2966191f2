/*
 * fintrans-detector: prints a line for each alert of a rule, those still open
 * first, then the new ones as they come, for a person to look into; or has
 * them reviewed at a terminal (review.c).
 *
 * One thread: read what is new, print it, wait for a notification or for the
 * time to look again.  Nothing is kept between runs: an alert that was not
 * printed is printed at the next start, for it is still open then.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert_format.h"
#include "alerts.h"
#include "backoff.h"
#include "clock.h"
#include "database.h"
#include "heartbeat.h"
#include "log.h"
#include "program.h"
#include "review.h"
#include "stop.h"
#include "terminal.h"
#include "watch.h"

#define PROGRAM "fintrans-detector"

/* Longest wait: a sign of life is given in between. */
#define WAIT_MAX_MS 5000

/* More than any line takes. */
#define OUTPUT_BYTES 65536

typedef struct Settings
{
	const char *database;
	const char *password_file;
	OptionList	rules;
	const char *min_amount;
	const char *state;
	const char *threshold;
	const char *format;
	bool		once;
	bool		review;
	bool		plain;
	int64_t		poll_ms;
	int64_t		http_port;		/* 0 for none */
	const char *http_listen;
	const char *log_level;
} Settings;

typedef struct Detector
{
	const Settings *settings;
	const AlertFormat *format;
	Alerts	   *alerts;
	Backoff		backoff;
	bool		connected;
	bool		coloured;
	Heartbeat	heartbeat;
	char	   *errstr;			/* why it cannot go on */
	size_t		errstr_size;
} Detector;

static const OptionSpec specs[] = {
	{"database", "FINTRANS_DATABASE", NULL, OPTION_TEXT,
		offsetof(Settings, database), "CONNINFO", "", 0, 0, NULL,
		OPTION_CONNINFO,
		"Database, as a libpq connection string or URI; without it the PG* "
	"environment variables count."},
	{"password-file", "FINTRANS_PASSWORD_FILE", NULL, OPTION_TEXT,
		offsetof(Settings, password_file), "PATH", NULL, 0, 0, NULL, false,
		"File that holds the role's password and nothing else; read anew for "
	"each connection."},
	{"rule", "FINTRANS_RULE", NULL, OPTION_LIST, offsetof(Settings, rules),
		"NAME", NULL, 0, 0, NULL, false,
		"Rule whose alerts are wanted; without it the rule \"default\"."},
	{"min-amount", "FINTRANS_MIN_AMOUNT", NULL, OPTION_TEXT,
		offsetof(Settings, min_amount), "AMOUNT", NULL, 0, 0, NULL, false,
		"Only alerts with this total at least, in the unit of their rule.  Of "
		"a rule without a window it is the total as it is now, and takes "
		"--once or --review: such an alert is not printed again when it grows; "
	"a higher threshold is what to follow instead."},
	{"state", "FINTRANS_STATE", NULL, OPTION_CHOICE,
		offsetof(Settings, state), "STATE", NULL, 0, 0,
		"open|reviewing|confirmed|dismissed", false,
		"Only alerts in this state; without it those that are open, and "
	"whatever is raised or escalates later."},
	{"threshold", "FINTRANS_THRESHOLD", "ALERT_THRESHOLD", OPTION_TEXT,
		offsetof(Settings, threshold), "AMOUNT", "10000", 0, 0, NULL, false,
		"The one rule alerts on what is greater.  When this option is given, "
		"the rule is made with it, or changed to it, as far as the role may; "
		"what is already above is alerted too.  The rule \"default\" is made "
	"without it, too."},
	{"once", NULL, NULL, OPTION_FLAG, offsetof(Settings, once), NULL, NULL,
		0, 0, NULL, false, "Print the alerts still open, and exit."},
	{"review", NULL, NULL, OPTION_FLAG, offsetof(Settings, review), NULL,
		NULL, 0, 0, NULL, false, "Instead, show one alert after the other at a "
		"terminal, with why it was raised and its transactions, and ask what "
		"is to become of it; what is answered is written under the role that "
		"is connected.  Without --rule alerts of all rules, without --state "
		"those open, under review, or escalated since they were decided, but "
	"none that is quiet; --min-amount is then of the total as it is now."},
	{"format", "FINTRANS_OUTPUT_FORMAT", NULL, OPTION_CHOICE,
		offsetof(Settings, format), "FORMAT", "text", 0, 0, ALERT_FORMATS,
		false, "The demo's line; or an object of JSON or a record of CSV a "
		"line, with the columns of fintrans_alerts, numbers exactly as they "
	"are there, times as ISO 8601 in UTC."},
	{"plain", "FINTRANS_PLAIN", "PROD_OUTPUT", OPTION_FLAG,
		offsetof(Settings, plain), NULL, NULL, 0, 0, NULL, false,
		"No colour on a terminal; elsewhere there is none in any case.  "
		"FINTRANS_PLAIN is true or false; PROD_OUTPUT is taken as the demo "
	"took it: any value but false, even 0 and no, means plain."},
	{"poll-ms", "FINTRANS_POLL_MS", NULL, OPTION_INTEGER,
		offsetof(Settings, poll_ms), "N", "1000", 10, 3600000, NULL, false,
		"Look for new alerts at least so often, in milliseconds, should a "
	"notification get lost or none be had."},
	WATCH_OPTIONS(Settings, "/health"),
	{"log-level", "FINTRANS_LOG_LEVEL", NULL, OPTION_CHOICE,
		offsetof(Settings, log_level), "LEVEL", "info", 0, 0, LOG_LEVELS,
		false, "What is logged on standard error."},
	{NULL}
};

static const OptionsProgram program = {
	PROGRAM,
	"Prints a line for each pair of accounts, or account, that exceeds a rule's "
	"threshold: the alerts still open first, then new ones as they come, each "
	"once, and again if it escalates.  Runs until SIGTERM or SIGINT, through "
	"outages of the database; what keeps it for a second then, or a second "
	"signal, ends it at once, with 130.",
	"ended by a signal, --once has printed all, or --review is over",
	specs, NULL
};

static int	detector_main(const void *options, const OptionSource *sources,
						  char *errstr, size_t errstr_size);
static bool run_review(const Settings *settings, char *errstr,
					   size_t errstr_size);
static bool run_detector(const Settings *settings,
						 const OptionSource *sources, char *errstr,
						 size_t errstr_size);
static RulesSettings rules_wanted(const Settings *settings,
								  const OptionSource *sources);
static bool check_settings(const Settings *settings,
						   const OptionSource *sources, char *errstr,
						   size_t errstr_size);
static bool check_review(const OptionSource *sources, char *errstr,
						 size_t errstr_size);
static bool check_amount(const OptionSource *sources, const char *option,
						 const char *amount, char *errstr,
						 size_t errstr_size);
static bool is_amount(const char *text);
static bool detector_run(Detector *detector);
static bool begin_output(Detector *detector);
static ListenerOutcome look(Detector *detector);
static bool survive(Detector *detector, ListenerOutcome outcome,
					const char *event);
static ListenerOutcome wait_for_news(Detector *detector);
static bool print_alert(void *context, const Alert *alert);
static bool flush_output(Detector *detector);
static bool detector_fail(Detector *detector, const char *format,...)
			__attribute__((format(printf, 2, 3)));

int
main(int argc, char **argv)
{
	Settings	settings;
	OptionSource sources[sizeof(specs) / sizeof(specs[0])];

	return program_main(&program, argc, argv, &settings, sources, detector_main);
}

static int
detector_main(const void *options, const OptionSource *sources,
			  char *errstr, size_t errstr_size)
{
	const Settings *settings = options;
	char		reason[512];
	char		quoted[512];

	if (!check_settings(settings, sources, errstr, errstr_size))
		return EXIT_USAGE;
	/* what is printed is written by fflush() alone, so that it can fail */
	setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);
	stop_take_signals();
	if (settings->review ? run_review(settings, reason, sizeof(reason)) :
		run_detector(settings, sources, reason, sizeof(reason)))
		return EXIT_SUCCESS;
	log_write(LOG_LEVEL_ERROR, "cannot go on", "reason=%s",
			  log_quote(reason, quoted, sizeof(quoted)));
	return EXIT_FAILURE;
}

static bool
run_review(const Settings *settings, char *errstr, size_t errstr_size)
{
	const DocketSettings wanted = {
		.database = settings->database,
		.rules = settings->rules,
		.min_amount = settings->min_amount,
		.state = settings->state
	};

	return review_run(&wanted, errstr, errstr_size);
}

static bool
run_detector(const Settings *settings, const OptionSource *sources,
			 char *errstr, size_t errstr_size)
{
	const AlertsSettings wanted = {
		.database = settings->database,
		.rules = rules_wanted(settings, sources),
		.min_amount = settings->min_amount,
		.state = settings->state,
		.follows = !settings->once
	};
	Detector	detector = {
		.settings = settings,
		.format = alert_format_of(settings->format),
		.alerts = alerts_new(&wanted),
		.coloured = !settings->plain && isatty(STDOUT_FILENO),
		.errstr = errstr,
		.errstr_size = errstr_size
	};
	HttpServer *server = NULL;
	bool		ok = false;

	backoff_init(&detector.backoff, (uint64_t) clock_real_ms());
	heartbeat_tick(&detector.heartbeat);
	if (detector.alerts == NULL)
		detector_fail(&detector, "out of memory");
	else if (watch_start(&server, settings->http_listen, settings->http_port,
						 heartbeat_answer, &detector.heartbeat, errstr,
						 errstr_size))
		ok = detector_run(&detector);
	http_server_stop(server);
	alerts_free(detector.alerts);
	return ok;
}

static RulesSettings
rules_wanted(const Settings *settings, const OptionSource *sources)
{
	static const char *by_default[] = {"default"};
	bool		names_given = settings->rules.count > 0;

	return (RulesSettings)
	{
		.names = names_given ? settings->rules : (OptionList) {by_default, 1},
		.names_given = names_given,
		.threshold = settings->threshold,
		.threshold_given = options_given(&program, sources, "threshold")
	};
}

/* Options that are more than a number or a word. */
static bool
check_settings(const Settings *settings, const OptionSource *sources,
			   char *errstr, size_t errstr_size)
{
	if (!check_amount(sources, "threshold", settings->threshold, errstr,
					  errstr_size) ||
		(settings->min_amount != NULL &&
		 !check_amount(sources, "min-amount", settings->min_amount, errstr,
					   errstr_size)))
		return false;
	if (settings->rules.count > 1 &&
		options_given(&program, sources, "threshold"))
	{
		snprintf(errstr, errstr_size, "it is one rule's, and --rule is given"
				 " more than once");
		return options_blame(&program, sources, "threshold", errstr,
							 errstr_size);
	}
	if (settings->review &&
		!check_review(sources, errstr, errstr_size))
		return options_blame(&program, sources, "review", errstr,
							 errstr_size);
	if (!http_server_check(settings->http_listen, errstr, errstr_size))
		return options_blame(&program, sources, "http-listen", errstr,
							 errstr_size);
	return database_check_conninfo(settings->database, errstr, errstr_size) &&
		(!options_exposed(&program, sources, "database") ||
		 database_check_exposed(settings->database, errstr, errstr_size)) &&
		database_use_password_file(settings->password_file, errstr,
								   errstr_size);
}

static bool
check_review(const OptionSource *sources, char *errstr, size_t errstr_size)
{
	static const char *const others[] = {"once", "format", "threshold"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		if (!options_given(&program, sources, others[i]))
			continue;
		snprintf(errstr, errstr_size, "it does not go with --%s", others[i]);
		return false;
	}
	if (!terminal_is_there())
		snprintf(errstr, errstr_size, "standard input is not a terminal");
	return terminal_is_there();
}

static bool
check_amount(const OptionSource *sources, const char *option,
			 const char *amount, char *errstr, size_t errstr_size)
{
	if (is_amount(amount))
		return true;
	snprintf(errstr, errstr_size, "\"%.64s\" is not an unsigned decimal"
			 " number", amount);
	return options_blame(&program, sources, option, errstr, errstr_size);
}

static bool
is_amount(const char *text)
{
	size_t		whole = strspn(text, "0123456789");
	size_t		decimals;

	if (whole == 0 || text[whole] == '\0')
		return whole > 0;
	decimals = strspn(text + whole + 1, "0123456789");
	return text[whole] == '.' && decimals > 0 &&
		text[whole + 1 + decimals] == '\0';
}

/* -------------------------------------------------------------- main loop */

/* False with errstr when it cannot go on. */
static bool
detector_run(Detector *detector)
{
	if (!begin_output(detector))
		return false;
	while (stop_signal() == 0)
	{
		ListenerOutcome outcome;

		heartbeat_tick(&detector->heartbeat);
		outcome = look(detector);
		if (outcome == LISTENER_DONE && detector->settings->once)
			return true;
		if (outcome == LISTENER_DONE && stop_signal() == 0)
			outcome = wait_for_news(detector);
		if (outcome == LISTENER_DONE)
			continue;
		if (outcome == LISTENER_STOPPED && stop_signal() != 0)
			break;
		if (!survive(detector, outcome, detector->connected ?
					 "database connection lost" :
					 "could not connect to the database"))
			return false;
	}
	log_write(LOG_LEVEL_INFO, "stopping", "signal=%d", stop_signal());
	return true;
}

/* What comes before any alert. */
static bool
begin_output(Detector *detector)
{
	alert_format_begin(detector->format, stdout);
	return flush_output(detector);
}

/* Print what is new, connecting first where needed. */
static ListenerOutcome
look(Detector *detector)
{
	ListenerOutcome outcome;

	if (!detector->connected)
	{
		outcome = alerts_connect(detector->alerts);
		if (outcome != LISTENER_DONE)
			return outcome;
		detector->connected = true;
		log_write(LOG_LEVEL_INFO, "connected", NULL);
	}
	outcome = alerts_read(detector->alerts, print_alert, detector);
	if (outcome == LISTENER_DONE)
		backoff_reset(&detector->backoff);
	return outcome;
}

/* After a failure: wait if trying again may help, else false. */
static bool
survive(Detector *detector, ListenerOutcome outcome, const char *event)
{
	char		quoted[512];
	int64_t		now_ms = clock_monotonic_ms();

	alerts_disconnect(detector->alerts);
	detector->connected = false;
	/* when printing stopped, it has said why */
	if (outcome != LISTENER_STOPPED)
		detector_fail(detector, "%s", alerts_error(detector->alerts));
	if (outcome != LISTENER_LOST || detector->settings->once)
		return false;
	if (backoff_is_news(&detector->backoff, detector->errstr, now_ms))
		log_write(LOG_LEVEL_WARNING, event, "state=retrying reason=%s",
				  log_quote(detector->errstr, quoted, sizeof(quoted)));
	stop_wait(NULL, 0, backoff_next(&detector->backoff));
	return true;
}

/*
 * Until a notification comes, or it is time to look without one.  One of a
 * commit that the look was too early for may have come with the answers to its
 * statements: libpq has it then, and the socket nothing to wait for.
 */
static ListenerOutcome
wait_for_news(Detector *detector)
{
	int64_t		deadline_ms = clock_monotonic_ms() +
		detector->settings->poll_ms;
	bool		notified;
	ListenerOutcome outcome = alerts_consume(detector->alerts, &notified);

	while (outcome == LISTENER_DONE && !notified && stop_signal() == 0)
	{
		int64_t		left_ms = deadline_ms - clock_monotonic_ms();
		struct pollfd input = {
			.fd = alerts_socket(detector->alerts),.events = POLLIN
		};

		if (left_ms <= 0)
			break;
		heartbeat_tick(&detector->heartbeat);
		stop_wait(&input, 1, left_ms < WAIT_MAX_MS ? left_ms : WAIT_MAX_MS);
		outcome = alerts_consume(detector->alerts, &notified);
	}
	return outcome;
}

/* --------------------------------------------------------------- printing */

/* Print an alert and flush it: people follow us through pipes and logs. */
static bool
print_alert(void *context, const Alert *alert)
{
	Detector   *detector = context;

	if (stop_signal() != 0)
		return false;
	heartbeat_tick(&detector->heartbeat);
	if (alert_format_write(detector->format, alert, detector->coloured,
						   stdout))
		return flush_output(detector);
	return detector_fail(detector, "out of memory");
}

static bool
flush_output(Detector *detector)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	return detector_fail(detector, "could not write to standard output: %s",
						 strerror(errno));
}

/* Always false. */
static bool
detector_fail(Detector *detector, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(detector->errstr, detector->errstr_size, format, arguments);
	va_end(arguments);
	return false;
}
