/*
 * fintrans-detector: prints a line for each alert of a rule, those still open
 * first, then the new ones as they come, for a person to look into.
 *
 * One thread: read what is new, print it, wait for a notification or for the
 * time to look again.  Nothing is kept between runs: an alert that was not
 * printed is printed at the next start, for it is still open then.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alerts.h"
#include "backoff.h"
#include "clock.h"
#include "database.h"
#include "log.h"
#include "program.h"

#define PROGRAM "fintrans-detector"

/* What is printed so far apart, the demo printed in one piece. */
#define RED "\033[31;1m"
#define NO_COLOUR "\033[0m"

/* Exit status after a second signal. */
#define EXIT_KILLED 130

/* How long a signal lets a call to the database, or to the reader of our
 * output, go on. */
#define GRACE_SECONDS 1

/* More than any line takes. */
#define OUTPUT_BYTES 65536

typedef struct Settings
{
	const char *database;
	const char *password_file;
	const char *rule;
	const char *threshold;
	const char *format;
	bool		once;
	bool		plain;
	int64_t		poll_ms;
	const char *log_level;
} Settings;

typedef struct Detector
{
	const Settings *settings;
	Alerts	   *alerts;
	Backoff		backoff;
	bool		connected;
	bool		coloured;
	sigset_t	while_waiting;	/* signals blocked while waiting for input */
	char		errstr[512];
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
	{"rule", "FINTRANS_RULE", NULL, OPTION_TEXT, offsetof(Settings, rule),
		"NAME", "default", 0, 0, NULL, false,
		"Rule whose alerts are printed."},
	{"threshold", "FINTRANS_THRESHOLD", "ALERT_THRESHOLD", OPTION_TEXT,
		offsetof(Settings, threshold), "AMOUNT", "10000", 0, 0, NULL, false,
		"The rule alerts on what is greater.  It is made with "
		"this threshold, or changed to it when the option is given, as far "
	"as the role may; what is already above is alerted too."},
	{"once", NULL, NULL, OPTION_FLAG, offsetof(Settings, once), NULL, NULL,
		0, 0, NULL, false, "Print the alerts still open, and exit."},
	{"format", "FINTRANS_OUTPUT_FORMAT", NULL, OPTION_CHOICE,
		offsetof(Settings, format), "FORMAT", "text", 0, 0, "text|json",
		false, "The demo's line, or a JSON object per line."},
	{"plain", "FINTRANS_PLAIN", "PROD_OUTPUT", OPTION_FLAG,
		offsetof(Settings, plain), NULL, NULL, 0, 0, NULL, false,
		"No colour on a terminal; elsewhere there is none in any case.  "
		"FINTRANS_PLAIN is true or false; PROD_OUTPUT is taken as the demo "
	"took it: any value but false, even 0 and no, means plain."},
	{"poll-ms", "FINTRANS_POLL_MS", NULL, OPTION_INTEGER,
		offsetof(Settings, poll_ms), "N", "1000", 10, 3600000, NULL, false,
		"Look for new alerts at least so often, in milliseconds, should a "
	"notification get lost or none be had."},
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
	"outages of the database; a second signal ends it at once, with 130.",
	"ended by a signal, or --once has printed all",
	specs, NULL
};

static volatile sig_atomic_t stop_signal = 0;

static int	detector_main(const void *options, const OptionSource *sources,
						  char *errstr, size_t errstr_size);
static bool check_settings(const Settings *settings,
						   const OptionSource *sources, char *errstr,
						   size_t errstr_size);
static bool is_amount(const char *text);
static void take_signals(sigset_t *while_waiting);
static void on_signal(int signal_number);
static void on_grace_over(int signal_number);
static bool detector_run(Detector *detector);
static ListenerOutcome look(Detector *detector);
static bool survive(Detector *detector, ListenerOutcome outcome,
					const char *event);
static ListenerOutcome wait_for_news(Detector *detector);
static void wait_input(Detector *detector, int socket, int64_t timeout_ms);
static bool print_alert(void *context, const Alert *alert);
static void print_account(const char *account);

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
	const AlertsSettings wanted = {
		.database = settings->database,
		.rule = settings->rule,
		.threshold = settings->threshold,
		.threshold_given = options_given(&program, sources, "threshold"),
		.as_json = strcmp(settings->format, "json") == 0
	};
	Detector	detector = {
		.settings = settings,
		.coloured = !settings->plain && isatty(STDOUT_FILENO)
	};
	char		quoted[512];
	bool		ok = false;

	if (!check_settings(settings, sources, errstr, errstr_size))
		return EXIT_USAGE;
	/* what is printed is written by fflush() alone, so that it can fail */
	setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);
	take_signals(&detector.while_waiting);
	backoff_init(&detector.backoff, (uint64_t) clock_real_ms());
	detector.alerts = alerts_new(&wanted);
	if (detector.alerts == NULL)
		snprintf(detector.errstr, sizeof(detector.errstr), "out of memory");
	else
		ok = detector_run(&detector);
	if (!ok)
		log_write(LOG_LEVEL_ERROR, "cannot go on", "reason=%s",
				  log_quote(detector.errstr, quoted, sizeof(quoted)));
	alerts_free(detector.alerts);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Options that are more than a number or a word. */
static bool
check_settings(const Settings *settings, const OptionSource *sources,
			   char *errstr, size_t errstr_size)
{
	if (!is_amount(settings->threshold))
	{
		snprintf(errstr, errstr_size, "option --threshold: \"%.64s\" is not "
				 "an unsigned decimal number", settings->threshold);
		return false;
	}
	return database_check_conninfo(settings->database, errstr, errstr_size) &&
		(!options_exposed(&program, sources, "database") ||
		 database_check_exposed(settings->database, errstr, errstr_size)) &&
		database_use_password_file(settings->password_file, errstr,
								   errstr_size);
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

/* ---------------------------------------------------------------- signals */

static void
take_signals(sigset_t *while_waiting)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(while_waiting);
	sigaddset(while_waiting, SIGTERM);
	sigaddset(while_waiting, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = on_grace_over;
	sigaction(SIGALRM, &action, NULL);
	/* a reader that goes away is an error of printing, not a silent end */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/*
 * libpq does not let go of a call for a signal, so time is bounded; a second
 * signal leaves none.
 */
static void
on_signal(int signal_number)
{
	if (stop_signal != 0)
		_exit(EXIT_KILLED);
	stop_signal = signal_number;
	alarm(GRACE_SECONDS);
}

/* Nothing is lost: each line was written whole, or not at all. */
static void
on_grace_over(int signal_number)
{
	(void) signal_number;
	_exit(EXIT_SUCCESS);
}

/* -------------------------------------------------------------- main loop */

/* False with errstr when it cannot go on. */
static bool
detector_run(Detector *detector)
{
	while (stop_signal == 0)
	{
		ListenerOutcome outcome = look(detector);

		if (outcome == LISTENER_DONE && detector->settings->once)
			return true;
		if (outcome == LISTENER_DONE && stop_signal == 0)
			outcome = wait_for_news(detector);
		if (outcome == LISTENER_DONE)
			continue;
		if (outcome == LISTENER_STOPPED && stop_signal != 0)
			break;
		if (!survive(detector, outcome, detector->connected ?
					 "database connection lost" :
					 "could not connect to the database"))
			return false;
	}
	log_write(LOG_LEVEL_INFO, "stopping", "signal=%d", (int) stop_signal);
	return true;
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
		snprintf(detector->errstr, sizeof(detector->errstr), "%s",
				 alerts_error(detector->alerts));
	if (outcome != LISTENER_LOST || detector->settings->once)
		return false;
	if (backoff_is_news(&detector->backoff, detector->errstr, now_ms))
		log_write(LOG_LEVEL_WARNING, event, "state=retrying reason=%s",
				  log_quote(detector->errstr, quoted, sizeof(quoted)));
	wait_input(detector, -1, backoff_next(&detector->backoff));
	return true;
}

/* Until a notification comes, or it is time to look without one. */
static ListenerOutcome
wait_for_news(Detector *detector)
{
	int64_t		deadline_ms = clock_monotonic_ms() +
		detector->settings->poll_ms;
	bool		notified = false;

	while (!notified && stop_signal == 0)
	{
		int64_t		left_ms = deadline_ms - clock_monotonic_ms();
		ListenerOutcome outcome;

		if (left_ms <= 0)
			break;
		wait_input(detector, alerts_socket(detector->alerts), left_ms);
		outcome = alerts_consume(detector->alerts, &notified);
		if (outcome != LISTENER_DONE)
			return outcome;
	}
	return LISTENER_DONE;
}

/*
 * Wait for input on socket (-1: none) for so long at most.  Signals are let
 * in while waiting only, so that none slips in between a look at stop_signal
 * and the wait.
 */
static void
wait_input(Detector *detector, int socket, int64_t timeout_ms)
{
	struct pollfd input = {.fd = socket, .events = POLLIN};
	const struct timespec timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000
	};
	sigset_t	before;

	sigprocmask(SIG_BLOCK, &detector->while_waiting, &before);
	if (stop_signal == 0)
		ppoll(&input, 1, &timeout, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* --------------------------------------------------------------- printing */

/* Print an alert and flush it: people follow us through pipes and logs. */
static bool
print_alert(void *context, const Alert *alert)
{
	Detector   *detector = context;

	if (stop_signal != 0)
		return false;
	if (alert->json != NULL)
		puts(alert->json);
	else
	{
		printf("%sPOTENTIAL MONEY LAUNDERING:%s ",
			   detector->coloured ? RED : "",
			   detector->coloured ? NO_COLOUR : "");
		if (alert->account != NULL)
			print_account(alert->account);
		else
		{
			print_account(alert->source_account);
			fputs(" -> ", stdout);
			print_account(alert->target_account);
		}
		printf(" totalling %s now \n", alert->total);
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	snprintf(detector->errstr, sizeof(detector->errstr),
			 "could not write to standard output: %s", strerror(errno));
	return false;
}

/*
 * The bridge refuses control characters, but SQL can store them: printed, they
 * could forge a line or command a terminal.
 */
static void
print_account(const char *account)
{
	for (const unsigned char *c = (const unsigned char *) account; *c != '\0';
		 c++)
	{
		/* C2 80 to C2 9F are the controls that have two bytes in UTF-8 */
		if (*c < ' ' || *c == 0x7f)
			putchar('?');
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
		{
			putchar('?');
			c++;
		}
		else
			putchar(*c);
	}
}
